//! A whole Flovyn server in memory, for one organisation. Time comes with each call, sockets there are none.

use std::mem::take;

use flovyn_orchestrator::{
    Answer, Attempt, Config, Env, Park, Principal, PrincipalKind, Request, Tick, WaitKey, Wake, Warning, Work, handle,
    memory::{Committed, MemoryStore},
    tick,
};
use flovyn_protocol::{ids, status::Status};
use js_sys::{Array, Uint8Array};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, number, object, strings, whole},
    error::Error,
    table::Table,
};

thread_local! {
    static ENGINES: Table<Engine> = const { Table::new("engine") };
}

struct Engine {
    config: Config,
    principal: Principal,
    store: MemoryStore,
    rng: ChaCha12Rng,
    wakes: Vec<Wake>,
    warnings: Vec<Warning>,
    /// What the last answer handed out.
    took: Option<Work>,
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What an engine needs to know. */
export interface EngineOptions {
  /** Id of its one organisation, a UUID. */
  readonly orgId: string;
  /** The other name of the organisation. */
  readonly orgSlug: string;
  /** A claim ends this long after it was given or renewed. Absent: 60 s. */
  readonly leaseMs?: number | undefined;
  /** Makes every id and token of the engine the same in every run, for tests. Absent: true randomness. */
  readonly seed?: number | undefined;
}

/** A call that waits: to be made again when one of the keys is woken, or as expired at the deadline. */
export interface Parked {
  /** Any of them. */
  readonly park: string[];
  /** In milliseconds since 1970. */
  readonly deadlineMs: number;
}

/** Whom to ask again. */
export interface Wakes {
  /**
   * Each announces one piece of work: of the calls that wait for the first key, and then of those that wait for the
   * next, ask one after the other until one took it, see `engineTook`.
   */
  readonly one: string[][];
  /** Ask every call that waits for it. */
  readonly all: string[];
}

/** How often a call that can park has been made. */
export interface EngineAttempt {
  /** When it was made first, in milliseconds since 1970. */
  readonly firstAttemptMs: number;
  /** It has waited until its deadline: it is answered now, with nothing if there is nothing. */
  readonly expired: boolean;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "EngineOptions")]
    pub type EngineOptions;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "Parked")]
    pub type Parked;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "Wakes")]
    pub type Wakes;
    /// See the interface of this name. It is read without a detour because every call of the engine brings one.
    #[wasm_bindgen(typescript_type = "EngineAttempt")]
    pub type EngineAttempt;
    #[wasm_bindgen(method, getter, js_name = firstAttemptMs)]
    fn first_attempt_ms(this: &EngineAttempt) -> f64;
    #[wasm_bindgen(method, getter)]
    fn expired(this: &EngineAttempt) -> bool;
}

/// Opens an engine with nothing in it.
#[wasm_bindgen(js_name = engineOpen)]
pub fn engine_open(options: &EngineOptions) -> Result<u32, Error> {
    let options = Fields(options);
    let mut config = Config::default();
    config.lease_ms = options.get::<Option<_>>("leaseMs")?.unwrap_or(config.lease_ms);
    let principal = Principal {
        org_id: ids::parse(&options.get::<String>("orgId")?)?,
        org_slug: options.get("orgSlug")?,
        id: "embedded".into(),
        kind: PrincipalKind::ApiKey,
    };
    let rng = random_source(options.get("seed")?)?;
    let engine = Engine {
        config,
        principal,
        store: MemoryStore::new(),
        rng,
        wakes: Vec::new(),
        warnings: Vec::new(),
        took: None,
    };
    ENGINES.with(|table| table.insert(engine))
}

/// Makes a call of the contract: the bytes of its answer, or what to wait for. A refusal has a `grpcCode`.
#[wasm_bindgen(js_name = engineHandle, unchecked_return_type = "Uint8Array | Parked")]
pub fn engine_handle(
    engine: u32,
    method: &str,
    body: &[u8],
    extended: bool,
    claim: Option<String>,
    attempt: &EngineAttempt,
    #[wasm_bindgen(js_name = nowMs)] now_ms: f64,
) -> Result<JsValue, Error> {
    #[cfg(feature = "trap-test")]
    crate::trap::trap_if_asked(method);
    let first_ms = whole("firstAttemptMs", attempt.first_attempt_ms())?;
    let attempt = Attempt { first_ms, expired: attempt.expired() };
    let request = Request { method, body, extended, claim: claim.as_deref(), deadline_ms: None, attempt };
    let now_ms = whole("nowMs", now_ms)?;
    let answer = with(engine, |engine| engine.handle(&request, now_ms))?;
    match answer {
        Answer::Reply { body, .. } => Ok(Uint8Array::from(body.as_slice()).into()),
        Answer::Park(Park { keys, deadline_ms, .. }) => {
            let park = strings(keys.iter().map(WaitKey::as_str));
            Ok(object::<Parked>(&[("park", park.into()), ("deadlineMs", number(deadline_ms).into())]).into())
        }
    }
}

/// Whether the last answer hands out a piece of the work that this key announces. A call that was woken may be answered
/// with nothing, because its time is over, or with other work.
#[wasm_bindgen(js_name = engineTook)]
pub fn engine_took(engine: u32, key: &str) -> Result<bool, Error> {
    with(engine, |engine| Ok(engine.took.is_some_and(|work| work.is_announced_by(key))))
}

/// Does what is due: when the next thing is due, in milliseconds since 1970, undefined if nothing is.
#[wasm_bindgen(js_name = engineTick)]
pub fn engine_tick(engine: u32, #[wasm_bindgen(js_name = nowMs)] now_ms: f64) -> Result<Option<f64>, Error> {
    let now_ms = whole("nowMs", now_ms)?;
    let tick = with(engine, |engine| engine.tick(now_ms))?;
    Ok(tick.next_due_ms.map(number))
}

/// The keys that were woken since the last call; undefined if there are none.
#[wasm_bindgen(js_name = engineTakeWakes)]
pub fn engine_take_wakes(engine: u32) -> Result<Option<Wakes>, Error> {
    let wakes = with(engine, |engine| Ok(take(&mut engine.wakes)))?;
    if wakes.is_empty() {
        return Ok(None);
    }
    let (one, all): (Vec<_>, Vec<_>) = wakes.iter().partition(|wake| wake.key.is_queue());
    let one: Array = one.into_iter().map(|wake| JsValue::from(strings(keys(wake).map(WaitKey::as_str)))).collect();
    let all = strings(all.into_iter().map(|wake| wake.key.as_str()));
    Ok(Some(object(&[("one", one.into()), ("all", all.into())])))
}

fn keys(wake: &Wake) -> impl Iterator<Item = &WaitKey> {
    wake.first.iter().chain([&wake.key])
}

/// What people should be told, since the last call.
#[wasm_bindgen(js_name = engineTakeWarnings, unchecked_return_type = "string[]")]
pub fn engine_take_warnings(engine: u32) -> Result<Array, Error> {
    with(engine, |engine| {
        let warnings = take(&mut engine.warnings);
        Ok(warnings.iter().map(|warning| JsValue::from(warning.to_string())).collect())
    })
}

/// Forgets an engine and everything in it.
#[wasm_bindgen(js_name = engineClose)]
pub fn engine_close(engine: u32) -> Result<(), Error> {
    ENGINES.with(|table| table.remove(engine))
}

impl Engine {
    fn handle(&mut self, request: &Request<'_>, now_ms: i64) -> Result<Answer, Error> {
        let mut env = Env { now_ms, rng: &mut self.rng };
        let (config, principal) = (&self.config, &self.principal);
        let done = self.store.transaction(|tx| handle(config, request, principal, &mut env, tx));
        self.took = None;
        let answer = self.commit(done)?;
        if let Answer::Reply { undelivered: Some(handed_out), .. } = &answer {
            self.took = Some(handed_out.work());
        }
        Ok(answer)
    }

    fn tick(&mut self, now_ms: i64) -> Result<Tick, Error> {
        let mut env = Env { now_ms, rng: &mut self.rng };
        let config = &self.config;
        let done = self.store.transaction(|tx| tick(config, &mut env, tx));
        self.commit(done)
    }

    fn commit<T>(&mut self, done: Result<Committed<T>, Status>) -> Result<T, Error> {
        let Committed { value, wakes, warnings } = done?;
        self.wakes.extend(wakes);
        self.warnings.extend(warnings);
        Ok(value)
    }
}

fn random_source(seed: Option<u32>) -> Result<ChaCha12Rng, Error> {
    if let Some(seed) = seed {
        return Ok(ChaCha12Rng::seed_from_u64(seed.into()));
    }
    let mut seed = <ChaCha12Rng as SeedableRng>::Seed::default();
    getrandom::fill(&mut seed)
        .map_err(|error| Error::new("UNSUPPORTED", format!("this runtime gives out no random numbers: {error}")))?;
    Ok(ChaCha12Rng::from_seed(seed))
}

fn with<R>(engine: u32, call: impl FnOnce(&mut Engine) -> Result<R, Error>) -> Result<R, Error> {
    ENGINES.with(|table| table.with(engine, call))
}
