use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::messages::{
    GetEventsRequest, GetEventsResponse, PollRequest, PollResponse, PollTaskRequest, PollTaskResponse,
    StartWorkflowRequest, StartWorkflowResponse, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse,
    WorkflowCommand, WorkflowEvent, WorkflowStatus,
    ext::{DescribeWorkflowRequest, WorkflowDescription},
};
use prost::Message;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use uuid::Uuid;

use super::Harness;
use crate::{
    Answer, Attempt, Code, Config, Env, KindSet, Park, Principal, PrincipalKind, Request, Status, Undelivered, WaitKey,
    Wake, Warning, handle, release_undelivered, tick,
};

/// When every test begins.
pub(super) const START_MS: i64 = 1_700_000_000_000;

/// A server with its clock, and everything it said to its host.
pub(super) struct World<'a> {
    pub(super) harness: &'a mut dyn Harness,
    pub(super) config: Config,
    pub(super) now_ms: i64,
    pub(super) wakes: Vec<WaitKey>,
    /// Who should have what the wakes announce first.
    pub(super) preferred: Vec<WaitKey>,
    /// What the last of the wakes announces.
    pub(super) woken_kinds: KindSet,
    pub(super) warnings: Vec<Warning>,
    /// Compare the whole store before and after each refused call.
    pub(super) check_undo: bool,
    rng: ChaCha20Rng,
}

/// Who calls and how.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) principal: Principal,
    pub(super) extended: bool,
    pub(super) claim: Option<String>,
    pub(super) attempt: Option<Attempt>,
    pub(super) deadline_ms: Option<i64>,
}

/// A client with our extension, of the first organisation.
pub(super) fn extended() -> Client {
    Client { extended: true, ..plain() }
}

/// A client without it.
pub(super) fn plain() -> Client {
    let principal = Principal {
        org_id: Uuid::from_u128(1),
        org_slug: "first".into(),
        id: "key".into(),
        kind: PrincipalKind::ApiKey,
    };
    Client { principal, extended: false, claim: None, attempt: None, deadline_ms: None }
}

/// A client of another organisation.
pub(super) fn stranger() -> Client {
    let mut client = extended();
    client.principal.org_id = Uuid::from_u128(2);
    client.principal.org_slug = "second".into();
    client
}

impl Client {
    pub(super) fn with_claim(mut self, token: &str) -> Self {
        self.claim = Some(token.into());
        self
    }

    /// As it asks again after it was parked.
    pub(super) fn again(mut self, first_ms: i64, expired: bool) -> Self {
        self.attempt = Some(Attempt { first_ms, expired });
        self
    }
}

/// An answer, typed.
#[derive(Debug)]
pub(super) enum Reply<M> {
    Now(M, Option<Undelivered>),
    Parked(Park),
}

/// Something that was claimed by a poll.
#[derive(Clone, Debug)]
pub(super) struct Claimed<M> {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) message: M,
    pub(super) undelivered: Undelivered,
}

impl<'a> World<'a> {
    pub(super) fn new(harness: &'a mut dyn Harness) -> Self {
        Self::seeded(harness, 1)
    }

    pub(super) fn seeded(harness: &'a mut dyn Harness, seed: u64) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Self {
            harness,
            config: Config::default(),
            now_ms: START_MS,
            wakes: Vec::new(),
            preferred: Vec::new(),
            woken_kinds: KindSet::NONE,
            warnings: Vec::new(),
            check_undo: true,
            rng,
        }
    }

    /// Time passes, and what is due is done at its time.
    pub(super) fn advance(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while let Some(due_ms) = self.tick().filter(|due_ms| *due_ms <= end_ms) {
            self.now_ms = self.now_ms.max(due_ms);
        }
        self.now_ms = end_ms;
    }

    fn note(&mut self, wakes: Vec<Wake>) {
        for Wake { key, first, kinds } in wakes {
            self.woken_kinds = kinds;
            self.wakes.push(key);
            self.preferred.extend(first);
        }
    }

    /// Does what is due now, all of it, and says when the next thing is.
    pub(super) fn tick(&mut self) -> Option<i64> {
        loop {
            let next_due_ms = self.tick_once();
            if next_due_ms.is_none_or(|due_ms| due_ms > self.now_ms) {
                return next_due_ms;
            }
        }
    }

    /// Does a bounded part of what is due now.
    pub(super) fn tick_once(&mut self) -> Option<i64> {
        let mut next_due_ms = None;
        let (config, now_ms, rng) = (self.config.clone(), self.now_ms, &mut self.rng);
        let (wakes, warnings) = self
            .harness
            .transaction(&mut |tx| {
                next_due_ms = tick(&config, &mut Env { now_ms, rng: &mut *rng }, tx)?.next_due_ms;
                Ok(())
            })
            .expect("a tick gives no errors");
        self.note(wakes);
        self.warnings.extend(warnings);
        next_due_ms
    }

    /// Time passes, and the server does not notice.
    pub(super) fn skip(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    pub(super) fn raw(&mut self, client: &Client, method: &str, body: &[u8]) -> Result<Answer, Status> {
        let before = if self.check_undo { self.harness.dump() } else { String::new() };
        let (config, now_ms, rng) = (self.config.clone(), self.now_ms, &mut self.rng);
        let request = Request {
            method,
            body,
            extended: client.extended,
            claim: client.claim.as_deref(),
            deadline_ms: client.deadline_ms,
            attempt: client.attempt.unwrap_or(Attempt::first(now_ms)),
        };
        let mut answer = None;
        let result = self.harness.transaction(&mut |tx| {
            answer = Some(handle(&config, &request, &client.principal, &mut Env { now_ms, rng: &mut *rng }, tx)?);
            Ok(())
        });
        match result {
            Ok((wakes, warnings)) => {
                self.note(wakes);
                self.warnings.extend(warnings);
                Ok(answer.expect("a transaction runs its function"))
            }
            Err(status) => {
                if self.check_undo {
                    assert_eq!(before, self.harness.dump(), "{method} was refused and left a trace: {status}");
                }
                Err(status)
            }
        }
    }

    pub(super) fn call<M: Message + Default>(
        &mut self,
        client: &Client,
        method: &str,
        message: &impl Message,
    ) -> Result<Reply<M>, Status> {
        Ok(match self.raw(client, &format!("/flovyn.{method}"), &message.encode_to_vec())? {
            Answer::Reply { body, undelivered } => Reply::Now(M::decode(body.as_slice()).unwrap(), undelivered),
            Answer::Park(park) => Reply::Parked(park),
        })
    }

    /// A call that is answered at once.
    pub(super) fn ask<M: Message + Default>(
        &mut self,
        client: &Client,
        method: &str,
        message: &impl Message,
    ) -> Result<M, Status> {
        match self.call(client, method, message)? {
            Reply::Now(message, _) => Ok(message),
            Reply::Parked(park) => panic!("{method} was parked: {park:?}"),
        }
    }

    /// A call that is refused with this code and a message that says all of these.
    pub(super) fn refuse(&mut self, client: &Client, method: &str, message: &impl Message, code: Code, says: &[&str]) {
        let status = match self.raw(client, &format!("/flovyn.{method}"), &message.encode_to_vec()) {
            Ok(answer) => panic!("{method} should have been refused with {code}: {answer:?}"),
            Err(status) => status,
        };
        assert_eq!(status.code, code, "{method}: {status}");
        for fragment in says {
            assert!(status.message.contains(fragment), "{method}: expected {fragment:?} in {:?}", status.message);
        }
    }

    pub(super) fn release_undelivered(&mut self, undelivered: &Undelivered) {
        let (config, now_ms, rng) = (self.config.clone(), self.now_ms, &mut self.rng);
        let (wakes, _) = self
            .harness
            .transaction(&mut |tx| release_undelivered(&config, undelivered, &mut Env { now_ms, rng: &mut *rng }, tx))
            .unwrap();
        self.note(wakes);
    }

    pub(super) fn sign_of_life(&mut self, worker: &str) {
        let (config, now_ms, rng) = (self.config.clone(), self.now_ms, &mut self.rng);
        let org_id = plain().principal.org_id;
        self.harness
            .transaction(&mut |tx| {
                crate::handle_sign_of_life(&config, org_id, worker, &mut Env { now_ms, rng: &mut *rng }, tx)
            })
            .unwrap();
    }

    /// The wakes since this was asked last, as text.
    pub(super) fn take_wakes(&mut self) -> Vec<String> {
        core::mem::take(&mut self.wakes).iter().map(ToString::to_string).collect()
    }

    pub(super) fn start(&mut self, kind: &str) -> String {
        self.start_with(StartWorkflowRequest { workflow_kind: kind.into(), ..StartWorkflowRequest::default() })
            .workflow_execution_id
    }

    pub(super) fn start_with(&mut self, request: StartWorkflowRequest) -> StartWorkflowResponse {
        self.ask(&extended(), "v1.WorkflowDispatch/StartWorkflow", &request).unwrap()
    }

    pub(super) fn poll_with(&mut self, client: &Client, request: &PollRequest) -> Option<Claimed<PollResponse>> {
        let reply = self.call(client, "v1.WorkflowDispatch/PollWorkflow", request).unwrap();
        let Reply::Now(message, Some(undelivered)) = reply else { return None };
        let message: PollResponse = message;
        let id = message.workflow_execution.as_ref().unwrap().id.clone();
        Some(Claimed { id, token: message.claim_token.clone(), message, undelivered })
    }

    /// Claims an execution of the default queue, which must be there.
    pub(super) fn poll(&mut self, client: &Client) -> Claimed<PollResponse> {
        self.try_poll(client).expect("an execution is ready")
    }

    pub(super) fn try_poll(&mut self, client: &Client) -> Option<Claimed<PollResponse>> {
        self.poll_with(client, &PollRequest { worker_id: "worker".into(), ..PollRequest::default() })
    }

    pub(super) fn poll_task_with(
        &mut self,
        client: &Client,
        request: &PollTaskRequest,
    ) -> Option<Claimed<PollTaskResponse>> {
        let reply = self.call(client, "v1.TaskExecution/PollTask", request).unwrap();
        let Reply::Now(message, Some(undelivered)) = reply else { return None };
        let message: PollTaskResponse = message;
        let id = message.task.as_ref().unwrap().task_execution_id.clone();
        Some(Claimed { id, token: message.claim_token.clone(), message, undelivered })
    }

    /// Claims a task of the default queue, which must be there.
    pub(super) fn poll_task(&mut self, client: &Client) -> Claimed<PollTaskResponse> {
        self.try_poll_task(client).expect("a task is ready")
    }

    pub(super) fn try_poll_task(&mut self, client: &Client) -> Option<Claimed<PollTaskResponse>> {
        self.poll_task_with(client, &PollTaskRequest { worker_id: "worker".into(), ..PollTaskRequest::default() })
    }

    /// The first submission under a claim.
    pub(super) fn submit(
        &mut self,
        claimed: &Claimed<PollResponse>,
        commands: Vec<WorkflowCommand>,
        status: WorkflowStatus,
    ) -> SubmitWorkflowCommandsResponse {
        let request = submission(&claimed.id, 1, commands, status);
        self.submit_with(&extended().with_claim(&claimed.token), &request).unwrap()
    }

    pub(super) fn submit_with(
        &mut self,
        client: &Client,
        request: &SubmitWorkflowCommandsRequest,
    ) -> Result<SubmitWorkflowCommandsResponse, Status> {
        self.ask(client, SUBMIT, request)
    }

    /// A new execution that has issued these commands and is suspended.
    pub(super) fn suspended(&mut self, commands: Vec<WorkflowCommand>) -> String {
        let id = self.start("order");
        let claimed = self.poll(&extended());
        assert_eq!(claimed.id, id);
        self.submit(&claimed, commands, WorkflowStatus::Suspended);
        id
    }

    pub(super) fn events(&mut self, id: &str) -> Vec<WorkflowEvent> {
        let request = GetEventsRequest { workflow_execution_id: id.into(), ..GetEventsRequest::default() };
        let response: GetEventsResponse = self.ask(&plain(), "v1.WorkflowDispatch/GetEvents", &request).unwrap();
        response.events
    }

    /// The history, one event type after the other.
    pub(super) fn types(&mut self, id: &str) -> Vec<String> {
        self.events(id).into_iter().map(|event| event.event_type).collect()
    }

    /// The data of the event with this number, as text.
    pub(super) fn data(&mut self, id: &str, sequence: usize) -> String {
        String::from_utf8(self.events(id)[sequence - 1].event_data.clone()).unwrap()
    }

    pub(super) fn describe(&mut self, id: &str) -> WorkflowDescription {
        let request = DescribeWorkflowRequest { workflow_execution_id: id.into() };
        self.ask(&extended(), "ext.v1.Extensions/DescribeWorkflow", &request).unwrap()
    }

    pub(super) fn status(&mut self, id: &str) -> String {
        self.describe(id).status
    }
}

pub(super) const SUBMIT: &str = "v1.WorkflowDispatch/SubmitWorkflowCommands";

pub(super) fn submission(
    id: &str,
    number: i32,
    commands: Vec<WorkflowCommand>,
    status: WorkflowStatus,
) -> SubmitWorkflowCommandsRequest {
    SubmitWorkflowCommandsRequest {
        workflow_execution_id: id.into(),
        commands,
        status: status.into(),
        submission_number: number,
        after_sequence: 0,
        ..Default::default()
    }
}
