use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    CancelTaskRequest, CreatePromiseCommand, FailTaskRequest, HeartbeatRequest, PollResponse, PollTaskResponse,
    RejectPromiseRequest, ResolvePromiseRequest, ScheduleTaskCommand, StartWorkflowRequest,
    SubmitWorkflowCommandsRequest, WorkflowCommand, WorkflowStatus,
    ext::{CancelWorkflowRequest, ReleaseClaimRequest, RenewClaimRequest, RenewClaimResponse},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::checks;
use crate::{
    Code,
    testing::{
        Harness,
        commands::{
            cancel_child, cancel_task, cancel_timer, cancelled, child, clear_state, complete, fail, operation, promise,
            promise_with, resolve_promise, set_state, task, task_id, task_with, timer,
        },
        suite::{cancel, task_cancel, tasks::completion},
        world::{Claimed, Client, World, extended, plain, submission},
    },
};

/// No claim of a task ends before, whatever limits its attempts.
const TASK_SAFE_MS: i64 = 3_000;

/// What a client believes of the claim that it was given.
struct Held {
    claimed: Claimed<PollResponse>,
    client: Client,
    number: i32,
    seen_sequence: i32,
    /// The claim cannot have ended before.
    safe_until_ms: i64,
    last: Option<SubmitWorkflowCommandsRequest>,
}

struct HeldTask {
    claimed: Claimed<PollTaskResponse>,
    client: Client,
    safe_until_ms: i64,
}

/// A run under way, with a model of what must hold.
pub(super) struct Run<'a> {
    world: World<'a>,
    rng: ChaCha20Rng,
    executions: Vec<String>,
    held: Vec<Held>,
    held_tasks: Vec<HeldTask>,
    /// Executions that a client of ours has claimed.
    extended: BTreeSet<String>,
    /// What the last accepted submission of each execution had seen, at least.
    seen: BTreeMap<String, i32>,
    tasks: u128,
}

impl<'a> Run<'a> {
    pub(super) fn new(harness: &'a mut dyn Harness, seed: u64) -> Self {
        let mut world = World::seeded(harness, seed);
        world.check_undo = false;
        world.config.lease_ms = 5_000;
        world.config.cancel_grace_ms = 4_000;
        world.config.workers.offline_after_ms = 5_000;
        world.config.workers.note_after_ms = 500;
        world.config.workers.plain_claim_ms_max = 20_000;
        Self {
            world,
            rng: ChaCha20Rng::seed_from_u64(seed),
            executions: Vec::new(),
            held: Vec::new(),
            held_tasks: Vec::new(),
            extended: BTreeSet::new(),
            seen: BTreeMap::new(),
            tasks: 0,
        }
    }

    pub(super) fn step(&mut self) {
        // Comparing the whole store at each refusal would be most of the time of a run.
        self.world.check_undo = self.below(8) == 0;
        match self.below(18) {
            0 => self.start(),
            1..=3 => self.poll(),
            4..=6 => self.submit(),
            7 => self.submit_again(),
            8 => self.give_back(),
            9 | 10 => self.poll_task(),
            11 | 12 => self.end_attempt(),
            13 => self.settle_promise(),
            14 => self.signal(),
            15 => self.cancel(),
            16 => self.cancel_task(),
            _ => self.pass_time(),
        }
    }

    fn below(&mut self, n: u32) -> u32 {
        self.rng.next_u32() % n
    }

    fn pick(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.rng.next_u32() as usize % length)
    }

    fn client(&mut self) -> Client {
        if self.below(3) == 0 { plain() } else { extended() }
    }

    fn start(&mut self) {
        let timeout_ms = if self.below(4) == 0 { i64::from(self.below(20_000)) } else { 0 };
        let request = StartWorkflowRequest { workflow_kind: "order".into(), timeout_ms, ..Default::default() };
        self.executions.push(self.world.start_with(request).workflow_execution_id);
    }

    fn poll(&mut self) {
        let client = self.client();
        let Some(claimed) = self.world.try_poll(&client) else { return };
        if client.extended {
            self.extended.insert(claimed.id.clone());
        }
        // At most one claim: whoever had it before cannot have it any more.
        let now_ms = self.world.now_ms;
        for held in self.held.iter().filter(|held| held.claimed.id == claimed.id) {
            assert!(held.safe_until_ms <= now_ms, "a second claim on {}", claimed.id);
        }
        let seen_sequence = claimed.message.workflow_execution.as_ref().unwrap().current_sequence;
        let client = if client.extended { client.with_claim(&claimed.token) } else { client };
        let safe_until_ms = now_ms + 5_000;
        self.held.push(Held { claimed, client, number: 0, seen_sequence, safe_until_ms, last: None });
    }

    fn commands(&mut self) -> Vec<WorkflowCommand> {
        (0..self.below(4)).map(|_| self.command()).collect()
    }

    fn command(&mut self) -> WorkflowCommand {
        let n = self.below(4);
        match self.below(13) {
            11 => cancel_child(self.recent(), ""),
            12 => cancel_task(self.recent(), ""),
            0 => {
                self.tasks += 1;
                task(self.tasks)
            }
            1 => self.limited_task(),
            10 => {
                self.tasks += 1;
                child(self.tasks)
            }
            // Often one that is pending: then it is refused, or skipped.
            2 => timer(&format!("timer-{n}"), i64::from(self.below(3)) * 700),
            3 => cancel_timer(&format!("timer-{n}")),
            4 => promise("p"),
            5 => promise_with(CreatePromiseCommand {
                promise_id: "p".into(),
                timeout_ms: Some(i64::from(self.below(3_000))),
                ..CreatePromiseCommand::default()
            }),
            6 => resolve_promise("p", "1"),
            7 => set_state("k", "[1]"),
            8 => clear_state("k"),
            _ => operation("o", "{\"n\":1}"),
        }
    }

    /// One of the last tasks and children that were asked for: often of another execution, sometimes not there.
    fn recent(&mut self) -> u128 {
        self.tasks.saturating_sub(u128::from(self.below(6)))
    }

    fn limited_task(&mut self) -> WorkflowCommand {
        self.tasks += 1;
        task_with(ScheduleTaskCommand {
            kind: "charge".into(),
            task_execution_id: task_id(self.tasks),
            timeout_ms: (self.below(3) == 0).then_some(8_000),
            start_to_close_timeout_ms: i64::from(self.below(2)) * 4_000,
            heartbeat_timeout_ms: i64::from(self.below(2)) * TASK_SAFE_MS,
            ..ScheduleTaskCommand::default()
        })
    }

    fn cancel_task(&mut self) {
        let request = CancelTaskRequest { task_execution_id: task_id(self.recent()) };
        if let Err(status) = self.world.ask::<()>(&plain(), task_cancel::CANCEL_TASK, &request) {
            assert_eq!(status.code, Code::NotFound);
        }
        let task_execution_id = request.task_execution_id;
        self.held_tasks.retain(|held| held.claimed.id != task_execution_id);
        assert!(self.world.try_poll_task(&plain()).is_none_or(|claimed| claimed.id != task_execution_id));
    }

    fn submit(&mut self) {
        let Some(index) = self.pick(self.held.len()) else { return };
        let mut commands = self.commands();
        let extended = self.held[index].client.extended;
        let status = match self.below(10) {
            0 => {
                commands.push(complete("1"));
                WorkflowStatus::Completed
            }
            1 => {
                commands.push(fail("x"));
                WorkflowStatus::Failed
            }
            2 => {
                commands.push(cancelled("x"));
                WorkflowStatus::Cancelled
            }
            3..=5 if extended => WorkflowStatus::Running,
            _ => WorkflowStatus::Suspended,
        };
        let held = &mut self.held[index];
        let mut request = submission(&held.claimed.id, held.number + 1, commands, status);
        request.after_sequence = held.seen_sequence;
        held.last = Some(request.clone());
        let client = held.client.clone();
        let id = held.claimed.id.clone();
        let before = self.world.types(&id).len();
        let Ok(answer) = self.world.submit_with(&client, &request) else { return };
        let held = &mut self.held[index];
        if status == WorkflowStatus::Running {
            held.number += 1;
            let first = answer.events.first().map_or(held.seen_sequence, |event| event.sequence_number - 1);
            assert_eq!(first, held.seen_sequence, "the answer begins where the worker stands");
            held.seen_sequence = answer.events.last().map_or(held.seen_sequence, |event| event.sequence_number);
            held.safe_until_ms = self.world.now_ms + 5_000;
            return;
        }
        let held = self.held.remove(index);
        if extended || self.world.types(&id).len() > before {
            // A plain submission can have come from a worker that knew less than the one that has the claim.
            self.seen.insert(id.clone(), held.seen_sequence);
            self.held.retain(|other| other.claimed.id != id || other.client.extended != extended);
        }
    }

    /// The same bytes again, as after a lost answer.
    fn submit_again(&mut self) {
        let Some(index) = self.pick(self.held.len()) else { return };
        let held = &self.held[index];
        let Some(request) = held.last.clone().filter(|_| held.client.extended) else { return };
        if request.submission_number > held.number {
            return;
        }
        let client = held.client.clone();
        let before = self.world.types(&request.workflow_execution_id);
        let answered = self.world.submit_with(&client, &request);
        assert_eq!(before, self.world.types(&request.workflow_execution_id), "applied twice");
        match answered {
            Ok(_) => self.held[index].safe_until_ms = self.world.now_ms + 5_000,
            Err(status) => assert_eq!(status.code, Code::FailedPrecondition),
        }
    }

    fn give_back(&mut self) {
        let Some(index) = self.pick(self.held.len()) else { return };
        let what = self.below(4);
        let held = &self.held[index];
        let id = held.claimed.id.clone();
        let client = held.client.clone();
        match what {
            0 if client.extended => {
                let retry_after_ms = i64::from(self.below(2)) * 900;
                let request = ReleaseClaimRequest { workflow_execution_id: id, retry_after_ms, ..Default::default() };
                let _ = self.world.ask::<()>(&client, "ext.v1.Extensions/ReleaseClaim", &request);
                self.held.remove(index);
            }
            1 if held.number == 0 => {
                let undelivered = held.claimed.undelivered.clone();
                self.world.release_undelivered(&undelivered);
                self.held.remove(index);
            }
            2 if client.extended => {
                let request = RenewClaimRequest { workflow_execution_id: id, task_execution_id: String::new() };
                let method = "ext.v1.Extensions/RenewClaim";
                if self.world.ask::<RenewClaimResponse>(&client, method, &request).is_ok() {
                    self.held[index].safe_until_ms = self.world.now_ms + 5_000;
                }
            }
            // Killed: it knows nothing any more, and the server does not know.
            _ => self.held[index].last = None,
        }
    }

    fn poll_task(&mut self) {
        let client = self.client();
        let Some(claimed) = self.world.try_poll_task(&client) else { return };
        let now_ms = self.world.now_ms;
        for held in self.held_tasks.iter().filter(|held| held.claimed.id == claimed.id) {
            assert!(held.safe_until_ms <= now_ms, "a second claim on task {}", claimed.id);
        }
        let execution = claimed.message.task.as_ref().unwrap().workflow_execution_id.clone();
        assert_ne!(self.world.status(&execution), "CANCELLED", "task {} outlives its execution", claimed.id);
        let client = if client.extended { client.with_claim(&claimed.token) } else { client };
        self.held_tasks.push(HeldTask { claimed, client, safe_until_ms: now_ms + TASK_SAFE_MS });
    }

    fn end_attempt(&mut self) {
        let Some(index) = self.pick(self.held_tasks.len()) else { return };
        let HeldTask { claimed, client, .. } = self.held_tasks.remove(index);
        match self.below(5) {
            4 => {
                let request = HeartbeatRequest { task_execution_id: claimed.id.clone(), details: b"1".to_vec() };
                let _ = self.world.ask::<()>(&client, "v1.TaskExecution/Heartbeat", &request);
                self.held_tasks.push(HeldTask { claimed, client, safe_until_ms: self.world.now_ms });
                return;
            }
            0 => {
                let retryable = Some(self.below(2) == 0);
                let request = FailTaskRequest {
                    task_execution_id: claimed.id.clone(),
                    error: "x".into(),
                    retryable,
                    next_retry_delay_ms: (self.below(2) == 0).then_some(i64::from(self.below(2)) * 800),
                    ..FailTaskRequest::default()
                };
                let _ = self.world.ask::<()>(&client, "v1.TaskExecution/FailTask", &request);
            }
            1 => {
                let undelivered = claimed.undelivered.clone();
                self.world.release_undelivered(&undelivered);
            }
            _ => {
                let request = completion(&claimed.id, "[1]");
                let _ = self.world.ask::<()>(&client, "v1.TaskExecution/CompleteTask", &request);
            }
        }
        // A claim without a token can be ended by anybody who has none.
        self.held_tasks.retain(|held| held.claimed.id != claimed.id || held.client.extended && client.extended);
        for held in self.held_tasks.iter_mut().filter(|held| held.claimed.id == claimed.id) {
            held.safe_until_ms = self.world.now_ms;
        }
    }

    fn settle_promise(&mut self) {
        let Some(index) = self.pick(self.executions.len()) else { return };
        let promise_id = format!("{}:p", self.executions[index]);
        let result = if self.below(2) == 0 {
            let request = ResolvePromiseRequest { promise_id, value: b"1".to_vec() };
            self.world.ask::<()>(&plain(), "v1.WorkflowDispatch/ResolvePromise", &request)
        } else {
            let request = RejectPromiseRequest { promise_id, error: "no".into() };
            self.world.ask::<()>(&plain(), "v1.WorkflowDispatch/RejectPromise", &request)
        };
        if let Err(status) = result {
            assert_eq!(status.code, Code::NotFound);
        }
    }

    fn signal(&mut self) {
        let Some(index) = self.pick(self.executions.len()) else { return };
        let id = self.executions[index].clone();
        let before = self.world.events(&id).len();
        let sequence = crate::testing::suite::signals::send(&mut self.world, &id, "s", "1");
        let after = self.world.events(&id);
        assert_eq!(i64::from(after.last().unwrap().sequence_number), sequence);
        assert!(after.len() == before + 1 || after.len() == before && self.world.describe(&id).completed_at_ms > 0);
    }

    fn cancel(&mut self) {
        let Some(index) = self.pick(self.executions.len()) else { return };
        let id = self.executions[index].clone();
        let ended = self.world.describe(&id).completed_at_ms > 0;
        let request = CancelWorkflowRequest {
            force: self.below(3) == 0,
            cascade_to_children: (self.below(2) == 0).then_some(false),
            ..cancel::request(&id)
        };
        let result = self.world.ask::<()>(&extended(), cancel::CANCEL, &request);
        assert_eq!(result.is_err(), ended, "{result:?}");
    }

    fn pass_time(&mut self) {
        let ms = i64::from(self.below(3_000));
        match self.below(4) {
            0 => self.world.skip(ms),
            1 => self.world.harness.reopen(),
            _ => self.world.advance(ms),
        }
    }

    /// Every history is right, and nobody waits for what has come already.
    pub(super) fn check(&mut self) {
        // Children are found on the way.
        let mut index = 0;
        while let Some(id) = self.executions.get(index).cloned() {
            index += 1;
            let checked = checks::history(&self.world.events(&id));
            assert!(!checked.extended || self.extended.contains(&id), "{id} has events that its clients do not know");
            let status = self.world.status(&id);
            self.check_children(&checked);
            assert_eq!(checked.ended, ["COMPLETED", "FAILED", "CANCELLED"].contains(&&*status), "{id} is {status}");
            if status == "WAITING" {
                let seen = self.seen[&id];
                let missed: Vec<_> = checked.landed.iter().filter(|sequence| **sequence > seen).collect();
                assert!(missed.is_empty(), "{id} waits though {missed:?} came after {seen}");
            }
        }
    }

    /// A parent that has not ended knows of each child how it ended, as soon as it has.
    fn check_children(&mut self, parent: &checks::Checked) {
        for (child, heard_of_its_end) in &parent.children {
            let ended = self.world.describe(child).completed_at_ms > 0;
            assert!(if parent.ended { ended || !heard_of_its_end } else { ended == *heard_of_its_end });
            if !self.executions.contains(child) {
                self.executions.push(child.clone());
            }
        }
    }

    /// Lets the clients vanish, and ends all that is left with new ones.
    pub(super) fn finish(&mut self) {
        self.check();
        self.held.clear();
        self.held_tasks.clear();
        // Leases end, tasks time out of their retries, promises and timers come.
        for _ in 0..100 {
            self.world.advance(30_000);
            let tasks_idle = self.finish_tasks();
            let executions_idle = self.finish_executions();
            if tasks_idle && executions_idle && self.world.tick().is_none() {
                break;
            }
        }
        self.check();
        for id in self.executions.clone() {
            let status = self.world.status(&id);
            assert!(status != "RUNNING" && status != "PENDING", "{id} is {status} for ever");
        }
    }

    fn finish_tasks(&mut self) -> bool {
        let mut idle = true;
        while let Some(claimed) = self.world.try_poll_task(&extended()) {
            crate::testing::suite::tasks::complete_task(&mut self.world, &claimed, "1");
            idle = false;
        }
        idle
    }

    fn finish_executions(&mut self) -> bool {
        let mut idle = true;
        while let Some(claimed) = self.world.try_poll(&extended()) {
            self.world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
            idle = false;
        }
        idle
    }
}
