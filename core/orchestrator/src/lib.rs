//! The rules of a Flovyn server: a request goes in with a transaction, an answer comes out.
//!
//! ```text
//!                 Request, Principal, Env{now, rng}
//!                               │
//!                               v                  ┌─> Answer::Reply{body, undelivered}   commit, then send
//!   host ──────────────────> handle ──────────────>├─> Answer::Park{keys, deadline}       commit, then wait and ask again
//!   (SQLite and sockets,        │                  └─> Err(Status)                        roll back, then send
//!    or memory in the wasm)     │ dyn Tx: records, events, ready queues, deadlines, wakes
//!   host ──when due─────────> tick                     timers, leases, retries, timeouts
//! ```
//!
//! There is no clock, no socket and no SQL in here, and no state outside the transaction: everything a rule needs is
//! in its arguments, so a run is reproduced by its requests, its times and a seed.
//!
//! ```
//! use flovyn_orchestrator::{Answer, Attempt, Config, Env, Principal, PrincipalKind, Request, handle, memory::MemoryStore};
//! use flovyn_protocol::messages::{StartWorkflowRequest, StartWorkflowResponse};
//! use prost::Message as _;
//! use rand_core::SeedableRng as _;
//!
//! let (config, mut store) = (Config::default(), MemoryStore::new());
//! let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
//! let mut env = Env { now_ms: 1_700_000_000_000, rng: &mut rng };
//! let principal = Principal {
//!     org_id: uuid::Uuid::from_u128(1),
//!     org_slug: "acme".into(),
//!     id: "a key".into(),
//!     kind: PrincipalKind::ApiKey,
//! };
//! let body = StartWorkflowRequest { workflow_kind: "order".into(), ..Default::default() }.encode_to_vec();
//! let request = Request {
//!     method: "/flovyn.v1.WorkflowDispatch/StartWorkflow",
//!     body: &body,
//!     extended: true,
//!     claim: None,
//!     deadline_ms: None,
//!     attempt: Attempt::first(env.now_ms),
//! };
//! let committed = store.transaction(|tx| handle(&config, &request, &principal, &mut env, tx))?;
//! let Answer::Reply { body, .. } = committed.value else { unreachable!("starting does not wait") };
//! assert_eq!(StartWorkflowResponse::decode(body.as_slice())?.workflow_execution_id.len(), 36);
//! // Whoever polls this queue is to be asked again.
//! assert_eq!(committed.wakes[0].key.as_str(), "workflows/00000000-0000-0000-0000-000000000001/default");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What a host does
//! - One [`Request`] is one [`Tx`]. It commits on `Ok`, [`Answer::Park`] included, and leaves no trace on `Err`. Whoever
//!   was refused with a conflict of the store is run again: [`handle`] keeps nothing between two calls.
//! - It hands what was given to [`Tx::wake`] to the requests that are parked on the key: after the commit, or within it
//!   if their answers wait for it too. No wake may fall between an attempt and the registration of its waiter. One
//!   waiter of a queue is enough if its answer hands out what the key announces ([`WaitKey::announces`]): one that is
//!   answered with nothing, because its time is over, or with other work, leaves the wake to the next. One whose
//!   [`Park::kinds`] do not meet [`Wake::kinds`] need not be asked. Of a key that is no queue ([`WaitKey::is_queue`])
//!   all are woken.
//! - A parked request is asked again with [`Attempt`] as it was first made; at [`Park::deadline_ms`] with
//!   [`Attempt::expired`], which always gives an answer.
//! - It runs [`tick`] when [`Tick::next_due_ms`] has come, and when a [`Tx::put_deadline`] brought something earlier.
//! - An answer that could not be handed to the client is given back: [`release_undelivered`].
//! - It bounds concurrent polls ([`flovyn_protocol::limits::Limits::concurrent_polls_per_key_max`]): beyond that it asks
//!   with [`Attempt::expired`] at once.
//! - A client that keeps a connection open without calling is alive: [`handle_sign_of_life`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod activation;
mod api;
mod border;
mod cancel;
mod children;
mod claims;
mod config;
mod context;
mod dispatch;
mod due;
mod execution;
mod history;
mod idempotency;
mod list;
pub mod memory;
mod organisation;
mod polling;
mod promises;
mod queries;
mod results;
mod signals;
mod start;
mod state;
mod store;
mod streams;
mod submit;
mod subscriptions;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod workers;

use context::Ctx;

pub use api::{Answer, Attempt, Env, Park, Principal, PrincipalKind, Request, Tick, Undelivered};
pub use config::{Config, PollConfig, QueryConfig, SignalConfig, TaskConfig, WorkerConfig};
pub use flovyn_protocol::status::{Code, Status};
pub use store::{
    Activation, AttemptEnd, CancelRequest, Claim, ClaimHolder, Continuation, Deadline, DeadlineKey, DeadlineKind,
    DefinitionRecord, EventRecord, Execution, ExecutionFilter, ExecutionList, ExecutionState, IdempotencyKey,
    IdempotencyRecord, IdempotencySpace, Key, KindSet, Lists, PageMax, Parent, PayloadSlot, Preference, PromiseRecord,
    PromiseState, QueryAnswer, QueryRecord, QueryState, ReadyEntry, ReadyQueue, Registration, RetryPolicy, StoreError,
    StreamLimits, StreamRecord, Streams, TaskAttempt, TaskFilter, TaskList, TaskLog, TaskProgress, TaskRecord,
    TaskState, Tx, WaitKey, Wake, Warning, Work, WorkerRecord,
};
pub use subscriptions::Subscription;

/// Answers one request of the contract. See the crate documentation for what the host does with the answer.
///
/// # Errors
/// The status that the client gets. Nothing that happened in `tx` may be kept then.
pub fn handle(
    config: &Config,
    request: &Request<'_>,
    principal: &Principal,
    env: &mut Env<'_>,
    tx: &mut dyn Tx,
) -> Result<Answer, Status> {
    dispatch::dispatch(&mut Ctx::new(config, env, tx), request, principal)
}

/// Does what has become due, at most [`Config::tick_deadlines_max`] things of it.
///
/// # Errors
/// Only those of the store. Nothing that happened in `tx` may be kept then.
pub fn tick(config: &Config, env: &mut Env<'_>, tx: &mut dyn Tx) -> Result<Tick, Status> {
    due::run(&mut Ctx::new(config, env, tx))?;
    Ok(Tick { next_due_ms: tx.next_due_ms()? })
}

/// Gives back a claim whose answer did not reach the client: the work is ready again at once. Nothing happens if the
/// claim has ended since.
///
/// # Errors
/// Only those of the store.
pub fn release_undelivered(
    config: &Config,
    undelivered: &Undelivered,
    env: &mut Env<'_>,
    tx: &mut dyn Tx,
) -> Result<(), Status> {
    let ctx = &mut Ctx::new(config, env, tx);
    match undelivered.work {
        Work::Workflow => activation::undelivered(ctx, undelivered.key, &undelivered.token),
        Work::Task => tasks::undelivered(ctx, undelivered.key, &undelivered.token),
        Work::Query => queries::undelivered(ctx, undelivered.key),
    }
}

/// Notes that a worker is alive though it does not call: its connection, over which it polled, is open. Claims of
/// clients without leases live on by such signs.
///
/// # Errors
/// Only those of the store.
pub fn handle_sign_of_life(
    config: &Config,
    org_id: uuid::Uuid,
    worker: &str,
    env: &mut Env<'_>,
    tx: &mut dyn Tx,
) -> Result<(), Status> {
    workers::note(&mut Ctx::new(config, env, tx), org_id, worker)?;
    Ok(())
}
