use flovyn_orchestrator::{Answer, Attempt, Code, Park, WaitKey};
use flovyn_protocol::messages::{
    PollRequest, PollResponse, QueryTask, WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
    ext::AnswerQueryRequest,
};
use prost::Message as _;

use super::{POLL, State, Worker};
use crate::{
    faults::Fault,
    program::state_key,
    server::{Caller, EXTENDED},
    world::{Work, World, kind},
};

/// The queries that workers answer by themselves; those of other names are answered by the state.
const ANSWERED_KEYS: u8 = 2;

/// How a worker gets work: executions, and queries that it answers.
impl<'p> Worker<'p> {
    /// What it would ask for work with, if its poll waits at the server.
    pub(crate) fn parked_poll(&self) -> Option<(Caller<'static>, PollRequest)> {
        let State::Parked(..) = self.state else { return None };
        let expired = Attempt { first_ms: 0, expired: true };
        Some((Caller { attempt: Some(expired), ..self.caller() }, self.poll_request()))
    }

    /// Something that its poll waits for may have come.
    pub(crate) fn wake(&mut self, keys: &[WaitKey]) {
        if let State::Parked(park, attempt) = &self.state
            && park.keys.iter().any(|key| keys.contains(key))
        {
            self.asks_anew = Some(*attempt);
            self.state = State::Idle;
        }
    }

    pub(super) fn wait(&mut self, world: &World<'p>, park: Park, attempt: Attempt) -> bool {
        if world.server.now_ms >= park.deadline_ms {
            self.asks_anew = Some(Attempt { expired: true, ..attempt });
            return true;
        }
        self.state = State::Parked(park, attempt);
        false
    }

    /// When its poll is answered at the latest.
    pub(crate) fn waits_until_ms(&self) -> Option<i64> {
        if let State::Parked(park, _) = &self.state { Some(park.deadline_ms) } else { None }
    }

    pub(super) fn poll_request(&self) -> PollRequest {
        PollRequest {
            worker_id: self.name(),
            timeout_seconds: 30,
            long_poll: true,
            continues_executions: self.manner.keeps,
            answers_queries: self.manner.answers,
            ..PollRequest::default()
        }
    }

    pub(super) fn poll(&mut self, world: &mut World<'p>) -> bool {
        if self.manner.answers && !self.is_registered {
            self.register(world);
        }
        let attempt = self.asks_anew.take().unwrap_or(Attempt::first(world.server.now_ms));
        let caller = Caller { attempt: Some(attempt), ..self.caller() };
        let (body, undelivered) = match world.server.call(caller, POLL, &self.poll_request().encode_to_vec()).unwrap() {
            Answer::Reply { body, undelivered } => (body, undelivered),
            Answer::Park(park) => {
                self.state = State::Parked(park, attempt);
                return false;
            }
        };
        let Some(undelivered) = undelivered else { return false };
        let response = PollResponse::decode(body.as_slice()).unwrap();
        let work = world.handed_out(&response);
        if world.faults.strikes(Fault::PollUndelivered, 30) {
            world.note(|| format!("{} is given {work}, but is gone, and the server sees it", self.name()));
            if let Work::Execution(life) = work {
                world.lives[life].claimed = false;
            }
            world.server.release_undelivered(&undelivered);
        } else if world.faults.strikes(Fault::PollLost, 30) {
            world.note(|| format!("{} is given {work}, but the answer is lost", self.name()));
        } else {
            self.begin(world, response);
        }
        true
    }

    /// Goes to work on what a poll has brought.
    pub(super) fn begin(&mut self, world: &mut World<'p>, response: PollResponse) {
        match response.query {
            Some(query) => self.state = State::Answering(query),
            None if response.workflow_execution.is_some() => self.open(world, response),
            None => {}
        }
    }

    /// Says which workflows it runs, for how long at most, and which of their queries it answers.
    fn register(&mut self, world: &mut World<'p>) {
        let query_names: Vec<String> = (0..ANSWERED_KEYS).map(state_key).collect();
        let workflow = |function: usize| WorkflowCapability {
            kind: kind(function),
            query_names: query_names.clone(),
            timeout_seconds: world.timeout_seconds.filter(|_| function > 0),
            ..WorkflowCapability::default()
        };
        let workflows = (0..world.program.functions.len()).map(workflow).collect();
        let request =
            WorkerRegistrationRequest { worker_name: self.name(), workflows, ..WorkerRegistrationRequest::default() };
        let _: WorkerRegistrationResponse =
            world.server.ask(EXTENDED, "/flovyn.v1.WorkerLifecycle/RegisterWorker", &request).unwrap();
        self.is_registered = true;
    }

    /// Answers a query with what was asked and the state that came with it.
    pub(super) fn answer(&self, world: &mut World<'p>, query: QueryTask) {
        let value = query.state.iter().find(|entry| entry.key == query.query_name);
        let value = value.map_or_else(|| "null".into(), |entry| String::from_utf8_lossy(&entry.value));
        let params = String::from_utf8_lossy(&query.params).into_owned();
        let result = format!("[{params},{value}]");
        world.note(|| format!("{} answers query {params} with {result}", self.name()));
        let request =
            AnswerQueryRequest { query_id: query.query_id.clone(), result: result.clone().into(), error: None };
        let answered = world.server.ask::<()>(EXTENDED, "/flovyn.ext.v1.Extensions/AnswerQuery", &request);
        match answered {
            Ok(()) => drop(world.answers.insert(params, result)),
            // Nobody waits for it any more.
            Err(status) => assert_eq!(status.code, Code::NotFound, "{status}"),
        }
    }
}
