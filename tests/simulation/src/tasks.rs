use flovyn_orchestrator::{Answer, Attempt, Status};
use flovyn_protocol::messages::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, HeartbeatResponse, PollTaskRequest, PollTaskResponse,
};
use prost::Message as _;

use crate::{
    faults::Fault,
    server::{Caller, EXTENDED, PLAIN},
    world::World,
};

/// All processes that run tasks.
#[derive(Default)]
pub(crate) struct TaskWorkers {
    attempts: Vec<TaskAttempt>,
    /// Tasks that were ended, to be ended again.
    past: Vec<TaskAttempt>,
}

#[derive(Clone)]
struct TaskAttempt {
    id: String,
    token: Option<String>,
}

impl TaskWorkers {
    /// Begins or ends an attempt; `false` if there is none.
    pub(crate) fn step(&mut self, world: &mut World<'_>) -> bool {
        if !self.past.is_empty()
            && world.faults.strikes(Fault::TaskDoubled, 12)
            && let Some(past) = world.chance.take(&mut self.past)
        {
            world.note(|| format!("task {} is completed again", past.id));
            let _ = complete(world, &past);
            return true;
        }
        if world.chance.one_in(6) {
            self.heartbeat(world);
        }
        let polls_first = world.chance.one_in(2);
        (polls_first && self.poll(world)) || self.end(world) || self.poll(world)
    }

    fn poll(&mut self, world: &mut World<'_>) -> bool {
        let extended = world.chance.one_in(2);
        let attempt = Some(Attempt { first_ms: world.server.now_ms, expired: true });
        let caller = Caller { attempt, ..if extended { EXTENDED } else { PLAIN } };
        let request = PollTaskRequest { worker_id: "task-worker".to_string(), ..PollTaskRequest::default() };
        let answer = world.server.call(caller, "/flovyn.v1.TaskExecution/PollTask", &request.encode_to_vec()).unwrap();
        let Answer::Reply { body, undelivered: Some(undelivered) } = answer else { return false };
        let response = PollTaskResponse::decode(body.as_slice()).unwrap();
        let task = response.task.unwrap_or_default();
        world.note(|| format!("task {} begins, attempt {}", task.task_execution_id, task.execution_count));
        if world.faults.strikes(Fault::TaskCrash, 6) {
            world.note(|| format!("the worker of task {} is killed", task.task_execution_id));
            if world.chance.one_in(2) {
                world.server.release_undelivered(&undelivered);
            }
            return true;
        }
        let attempt = TaskAttempt { id: task.task_execution_id, token: extended.then_some(response.claim_token) };
        if world.faults.strikes(Fault::TaskHangs, 5) {
            world.note(|| format!("the worker of task {} hangs", attempt.id));
            self.past.push(attempt);
        } else {
            self.attempts.push(attempt);
        }
        true
    }

    /// Says that an attempt goes on, unless it is told to stop.
    fn heartbeat(&mut self, world: &mut World<'_>) {
        let Some(attempt) = world.chance.take(&mut self.attempts) else { return };
        let request = HeartbeatRequest { task_execution_id: attempt.id.clone(), ..HeartbeatRequest::default() };
        let answer: Result<HeartbeatResponse, Status> =
            world.server.ask(attempt.caller(), "/flovyn.v1.TaskExecution/Heartbeat", &request);
        match answer {
            Ok(response) if !response.cancelled => self.attempts.push(attempt),
            _ => world.note(|| format!("task {} is told to stop", attempt.id)),
        }
    }

    fn end(&mut self, world: &mut World<'_>) -> bool {
        let Some(attempt) = world.chance.take(&mut self.attempts) else { return false };
        // A token that is not current is refused: the attempt took too long.
        let _ =
            if world.faults.strikes(Fault::TaskFails, 5) { fail(world, &attempt) } else { complete(world, &attempt) };
        self.past.push(attempt);
        true
    }
}

fn complete(world: &mut World<'_>, attempt: &TaskAttempt) -> Result<(), Status> {
    let effect = world.new_effect();
    let output = if world.chance.one_in(5) { Vec::new() } else { effect.to_string().into_bytes() };
    world.note(|| format!("task {} gives {}", attempt.id, String::from_utf8_lossy(&output)));
    let request = CompleteTaskRequest { task_execution_id: attempt.id.clone(), output, ..Default::default() };
    let answer = world.server.ask(attempt.caller(), "/flovyn.v1.TaskExecution/CompleteTask", &request);
    world.observe();
    answer
}

fn fail(world: &mut World<'_>, attempt: &TaskAttempt) -> Result<(), Status> {
    let retryable = Some(world.chance.one_in(2));
    world.note(|| format!("task {} fails", attempt.id));
    let request = FailTaskRequest {
        task_execution_id: attempt.id.clone(),
        error: world.new_effect().to_string(),
        retryable,
        ..FailTaskRequest::default()
    };
    let answer = world.server.ask(attempt.caller(), "/flovyn.v1.TaskExecution/FailTask", &request);
    world.observe();
    answer
}

impl TaskAttempt {
    fn caller(&self) -> Caller<'_> {
        match &self.token {
            Some(token) => Caller { claim: Some(token), ..EXTENDED },
            None => PLAIN,
        }
    }
}
