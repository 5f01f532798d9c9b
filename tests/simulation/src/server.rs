use flovyn_orchestrator::{
    Answer, Attempt, Config, Env, Principal, PrincipalKind, Request, Status, Undelivered, WaitKey, handle,
    handle_sign_of_life, memory::MemoryStore, release_undelivered, tick,
};
use flovyn_protocol::messages::{
    GetEventsRequest, GetEventsResponse, WorkflowEvent,
    ext::{DescribeWorkflowRequest, RenewClaimRequest, WorkflowDescription},
};
use prost::Message;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use uuid::Uuid;

/// When every run begins.
const START_MS: i64 = 1_700_000_000_000;

/// The server's rules on a store in memory, with a clock of its own.
pub(crate) struct Server {
    store: MemoryStore,
    pub(crate) config: Config,
    pub(crate) now_ms: i64,
    rng: ChaCha8Rng,
    principal: Principal,
    /// Who is to be asked again, since this was taken last.
    pub(crate) wakes: Vec<WaitKey>,
}

/// How a client calls.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) extended: bool,
    pub(crate) claim: Option<&'a str>,
    /// For a call that was parked: when it was made first, and whether it has waited long enough.
    pub(crate) attempt: Option<Attempt>,
}

pub(crate) const EXTENDED: Caller<'static> = Caller { extended: true, claim: None, attempt: None };
pub(crate) const PLAIN: Caller<'static> = Caller { extended: false, claim: None, attempt: None };

impl Server {
    pub(crate) fn new(seed: u64, page_events_max: usize) -> Self {
        let mut config = Config::default();
        config.polls.page_events_max = page_events_max;
        let principal = Principal {
            org_id: Uuid::from_u128(1),
            org_slug: "simulation".to_string(),
            id: "key".to_string(),
            kind: PrincipalKind::ApiKey,
        };
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { store: MemoryStore::new(), config, now_ms: START_MS, rng, principal, wakes: Vec::new() }
    }

    /// One request, after which the store is as it was if it is refused.
    pub(crate) fn call(&mut self, caller: Caller<'_>, method: &str, body: &[u8]) -> Result<Answer, Status> {
        let request = Request {
            method,
            body,
            extended: caller.extended,
            claim: caller.claim,
            deadline_ms: None,
            attempt: caller.attempt.unwrap_or(Attempt::first(self.now_ms)),
        };
        let env = &mut Env { now_ms: self.now_ms, rng: &mut self.rng };
        let (config, principal) = (&self.config, &self.principal);
        let committed = self.store.transaction(|tx| handle(config, &request, principal, env, tx))?;
        self.wakes.extend(committed.wakes.into_iter().map(|wake| wake.key));
        Ok(committed.value)
    }

    /// A request that is answered at once.
    pub(crate) fn ask<M: Message + Default>(
        &mut self,
        caller: Caller<'_>,
        method: &str,
        message: &impl Message,
    ) -> Result<M, Status> {
        match self.call(caller, method, &message.encode_to_vec())? {
            Answer::Reply { body, .. } => Ok(M::decode(body.as_slice()).unwrap()),
            Answer::Park(park) => panic!("{method} was parked: {park:?}"),
        }
    }

    /// What a request would be answered with; it leaves no trace.
    pub(crate) fn would_answer(&mut self, caller: Caller<'_>, method: &str, message: &impl Message) -> Vec<u8> {
        let body = message.encode_to_vec();
        let attempt = caller.attempt.unwrap_or(Attempt::first(self.now_ms));
        let (extended, claim) = (caller.extended, caller.claim);
        let request = Request { method, body: &body, extended, claim, deadline_ms: None, attempt };
        let env = &mut Env { now_ms: self.now_ms, rng: &mut self.rng };
        let (config, principal) = (&self.config, &self.principal);
        let mut answered = Vec::new();
        let rolled_back = self.store.transaction(|tx| {
            if let Answer::Reply { body, .. } = handle(config, &request, principal, env, tx)? {
                answered = body;
            }
            Err::<(), _>(Status::internal("this was only asked"))
        });
        assert!(rolled_back.is_err());
        answered
    }

    /// The answer with this claim did not arrive, and the server has noticed.
    pub(crate) fn release_undelivered(&mut self, undelivered: &Undelivered) {
        let env = &mut Env { now_ms: self.now_ms, rng: &mut self.rng };
        let config = &self.config;
        let committed = self.store.transaction(|tx| release_undelivered(config, undelivered, env, tx)).unwrap();
        self.wakes.extend(committed.wakes.into_iter().map(|wake| wake.key));
    }

    /// Time passes, and what is due is done at its time.
    pub(crate) fn advance(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while let Some(due_ms) = self.tick().filter(|due_ms| *due_ms <= end_ms) {
            self.now_ms = self.now_ms.max(due_ms);
        }
        self.now_ms = end_ms;
    }

    /// Does what is due now, all of it, and says when the next thing is.
    pub(crate) fn tick(&mut self) -> Option<i64> {
        loop {
            let env = &mut Env { now_ms: self.now_ms, rng: &mut self.rng };
            let config = &self.config;
            let committed = self.store.transaction(|tx| tick(config, env, tx)).unwrap();
            self.wakes.extend(committed.wakes.into_iter().map(|wake| wake.key));
            let next_due_ms = committed.value.next_due_ms;
            if next_due_ms.is_none_or(|due_ms| due_ms > self.now_ms) {
                return next_due_ms;
            }
        }
    }

    /// Whether a claim is current: that of the token, or that of whoever has none. `None` if it cannot be told.
    pub(crate) fn is_current(&mut self, execution_id: &str, token: Option<&str>) -> Option<bool> {
        if token.is_some() {
            let workflow_execution_id = execution_id.to_string();
            let request = RenewClaimRequest { workflow_execution_id, ..RenewClaimRequest::default() };
            let caller = Caller { claim: token, ..EXTENDED };
            return Some(!self.would_answer(caller, "/flovyn.ext.v1.Extensions/RenewClaim", &request).is_empty());
        }
        match self.status(execution_id).as_str() {
            "CANCELLING" => None,
            status => Some(status == "RUNNING"),
        }
    }

    /// Somebody has a claim on the execution, as far as it can be told.
    pub(crate) fn is_claimed(&mut self, execution_id: &str) -> bool {
        self.status(execution_id) == "RUNNING"
    }

    /// Nobody is to go on with the execution until something comes.
    pub(crate) fn is_waiting(&mut self, execution_id: &str) -> bool {
        self.status(execution_id) == "WAITING"
    }

    fn status(&mut self, execution_id: &str) -> String {
        let request = DescribeWorkflowRequest { workflow_execution_id: execution_id.to_string() };
        let described: WorkflowDescription =
            self.ask(EXTENDED, "/flovyn.ext.v1.Extensions/DescribeWorkflow", &request).unwrap();
        described.status
    }

    /// A worker without our extension is alive though it does not call.
    pub(crate) fn sign_of_life(&mut self, worker: &str) {
        let env = &mut Env { now_ms: self.now_ms, rng: &mut self.rng };
        let (config, org_id) = (&self.config, self.principal.org_id);
        self.store.transaction(|tx| handle_sign_of_life(config, org_id, worker, env, tx)).unwrap();
    }

    /// The events after this one.
    pub(crate) fn events(&mut self, execution_id: &str, after_sequence: usize) -> Vec<WorkflowEvent> {
        let mut events = Vec::new();
        loop {
            let request = GetEventsRequest {
                workflow_execution_id: execution_id.to_string(),
                after_sequence: (after_sequence + events.len()) as i32,
                ..GetEventsRequest::default()
            };
            let page: GetEventsResponse =
                self.ask(EXTENDED, "/flovyn.v1.WorkflowDispatch/GetEvents", &request).unwrap();
            events.extend(page.events);
            if !page.has_more {
                return events;
            }
        }
    }
}
