//! Clients of executions: they settle promises, send signals, ask that executions end, and ask executions.

use flovyn_orchestrator::{Answer, Attempt, Code, KindSet, Park, WaitKey};
use flovyn_protocol::messages::{
    QueryWorkflowRequest, QueryWorkflowResponse, RejectPromiseRequest, ResolvePromiseRequest,
    SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse, SignalWorkflowRequest, SignalWorkflowResponse,
    ext::CancelWorkflowRequest,
};
use prost::Message as _;

use crate::{
    life::Life,
    news,
    program::{STATE_KEYS, signal_name, state_key},
    server::{Caller, EXTENDED, PLAIN},
    world::{self, World},
};

/// What the root executions are called, where they are named.
pub(crate) const NAME: &str = "root";

pub(crate) fn settle(world: &mut World<'_>, promise_id: &str) {
    let promise_id = promise_id.to_string();
    let effect = world.new_effect().to_string();
    world.note(|| format!("promise {promise_id} is settled with {effect}"));
    let answer = if world.chance.one_in(3) {
        let request = RejectPromiseRequest { promise_id, error: effect };
        world.server.ask::<()>(PLAIN, "/flovyn.v1.WorkflowDispatch/RejectPromise", &request)
    } else {
        let request = ResolvePromiseRequest { promise_id, value: effect.into_bytes() };
        world.server.ask::<()>(PLAIN, "/flovyn.v1.WorkflowDispatch/ResolvePromise", &request)
    };
    answer.unwrap();
    world.observe();
}

pub(crate) fn signal(world: &mut World<'_>, life: usize, name: u8) {
    let effect = world.new_effect().to_string();
    world.note(|| format!("{} is sent to execution {life} with {effect}", signal_name(name)));
    let request = SignalWorkflowRequest {
        workflow_execution_id: world.lives[life].id.clone(),
        signal_name: signal_name(name),
        signal_value: effect.into_bytes(),
        ..SignalWorkflowRequest::default()
    };
    let _: SignalWorkflowResponse =
        world.server.ask(PLAIN, "/flovyn.v1.WorkflowDispatch/SignalWorkflow", &request).unwrap();
    world.observe();
}

/// Goes to the root execution that has not ended, or begins another one.
pub(crate) fn signal_with_start(world: &mut World<'_>, name: u8) {
    let effect = world.new_effect().to_string();
    world.note(|| format!("{} is sent with {effect} to whatever is called {NAME}", signal_name(name)));
    let request = SignalWithStartWorkflowRequest {
        workflow_id: NAME.to_string(),
        workflow_kind: world::kind(0),
        signal_name: signal_name(name),
        signal_value: effect.into_bytes(),
        timeout_ms: world.choose_timeout_ms(),
        ..SignalWithStartWorkflowRequest::default()
    };
    let response: SignalWithStartWorkflowResponse =
        world.server.ask(EXTENDED, "/flovyn.v1.WorkflowDispatch/SignalWithStartWorkflow", &request).unwrap();
    let running = world.lives.iter().find(|life| life.function == 0 && !life.ended).map(|life| life.id.clone());
    assert_eq!(response.workflow_created, running.is_none(), "a second execution of a name, or none");
    if let Some(id) = running {
        assert_eq!(response.workflow_execution_id, id, "the signal went to an execution that had ended");
    } else {
        world.lives.push(Life::new(response.workflow_execution_id, 0));
        assert_eq!(response.signal_event_sequence, 2);
    }
    world.observe();
    world.news.count(news::SIGNAL_WITH_START);
}

pub(crate) fn cancel(world: &mut World<'_>, life: usize) {
    world.note(|| format!("execution {life} is asked to end"));
    let request = CancelWorkflowRequest {
        workflow_execution_id: world.lives[life].id.clone(),
        reason: world.new_effect().to_string(),
        force: world.chance.one_in(8),
        cascade_to_children: Some(world.chance.one_in(2)),
    };
    world.server.ask::<()>(EXTENDED, "/flovyn.ext.v1.Extensions/CancelWorkflow", &request).unwrap();
    world.observe();
}

/// Queries that wait for the answer of a worker.
#[derive(Default)]
pub(crate) struct Queries(Vec<Query>);

struct Query {
    life: usize,
    name: String,
    request: QueryWorkflowRequest,
    attempt: Attempt,
    park: Park,
}

impl Queries {
    /// Asks an execution for a part of its state.
    pub(crate) fn ask(&mut self, world: &mut World<'_>) {
        let life = world.chance.below(world.lives.len());
        let name = state_key(world.chance.below(usize::from(STATE_KEYS)) as u8);
        let params = world.new_effect().to_string();
        world.note(|| format!("query {params} asks execution {life} for {name}"));
        let workflow_execution_id = world.lives[life].id.clone();
        let request =
            QueryWorkflowRequest { workflow_execution_id, query_name: name.clone(), params: params.into_bytes() };
        let attempt = Attempt::first(world.server.now_ms);
        let park = Park { keys: Vec::new(), kinds: KindSet::NONE, deadline_ms: 0 };
        self.try_again(world, Query { life, name, request, attempt, park });
    }

    /// Those that wait for what has come ask again, at once as at the server.
    pub(crate) fn wake(&mut self, world: &mut World<'_>, keys: &[WaitKey]) {
        let waits = |query: &mut Query| query.park.keys.iter().any(|key| keys.contains(key));
        let woken: Vec<Query> = self.0.extract_if(.., waits).collect();
        woken.into_iter().for_each(|query| self.try_again(world, query));
    }

    /// Those that have waited long enough ask for the last time.
    pub(crate) fn expire(&mut self, world: &mut World<'_>) {
        let now_ms = world.server.now_ms;
        let expired: Vec<Query> = self.0.extract_if(.., |query| query.park.deadline_ms <= now_ms).collect();
        for mut query in expired {
            query.attempt.expired = true;
            self.try_again(world, query);
        }
    }

    /// When the first of them is given up.
    pub(crate) fn wait_until_ms(&self) -> Option<i64> {
        self.0.iter().map(|query| query.park.deadline_ms).min()
    }

    fn try_again(&mut self, world: &mut World<'_>, query: Query) {
        let Query { life, name, request, attempt, .. } = &query;
        let params = String::from_utf8_lossy(&request.params).into_owned();
        let caller = Caller { attempt: Some(*attempt), ..PLAIN };
        let answer = world.server.call(caller, "/flovyn.v1.WorkflowQuery/QueryWorkflow", &request.encode_to_vec());
        let Life { id, events, .. } = &world.lives[*life];
        assert_eq!(world.server.events(id, events.len()), [], "a query has changed the history");
        match answer {
            Ok(Answer::Reply { body, .. }) => {
                let QueryWorkflowResponse { result, error } = QueryWorkflowResponse::decode(body.as_slice()).unwrap();
                assert_eq!(error, None);
                let result = String::from_utf8(result).unwrap();
                world.note(|| format!("query {params} is answered with {result}"));
                let (kind, expected) = match world.answers.remove(&params) {
                    Some(answer) => (news::QUERY_OF_WORKER, answer),
                    None => (news::QUERY_OF_STATE, world.lives[*life].state_value(name)),
                };
                assert_eq!(result, expected, "query {params} for {name} is answered wrongly");
                world.news.count(kind);
            }
            Ok(Answer::Park(park)) => self.0.push(Query { park, ..query }),
            Err(status) => {
                assert_eq!(status.code, Code::DeadlineExceeded, "{status}");
                assert!(!world.answers.contains_key(&params), "a worker has answered query {params} in vain");
                world.note(|| format!("query {params} is not answered"));
                world.news.count(news::QUERY_IN_VAIN);
            }
        }
    }
}
