use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::Payload;

use crate::{
    CreatePromise, Execution, Handle, ReplayError, ScheduleTask, Scheduled, Scope, StartChild, StartedChild, Violation,
    WorkflowFailure,
    codec::{TIME, is_internal},
    ending::Outcome,
    execution::Life,
    handles::Awaited,
    lane::{LaneId, Record},
    phase::Phase,
    signature::{Change, Signature},
    wire,
};

/// Commands and reads of workflow code. All of them fail with `NOT_IN_TURN` outside a turn, with `VIOLATION` where
/// the history has something else in their place, and with `POISONED` after a fatal error.
impl Execution {
    /// Asks for a task; its handle is settled when the task has ended.
    pub fn schedule_task(&mut self, task: ScheduleTask) -> Result<Scheduled, ReplayError> {
        self.check_verb("schedule_task", task.scope)?;
        let generated = self.counters.next_id();
        let claimed = self.claim(LaneId::Task, &Signature::Task { kind: &task.kind })?;
        let (scope, kind) = (task.scope, task.kind.clone());
        let (is_new, task_execution_id) = match claimed {
            Some(Record::Task { task_execution_id, .. }) => (false, task_execution_id),
            _ => (true, generated),
        };
        let extended = self.info.extended;
        self.issue(is_new, || wire::schedule_task(task, task_execution_id.clone(), extended));
        let awaited = Awaited::Task { task_execution_id: task_execution_id.clone(), kind, asked: false };
        let handle = self.new_handle(scope, awaited);
        self.machines.tasks.0.insert(task_execution_id.clone(), handle);
        Ok(Scheduled { handle, task_execution_id })
    }

    /// Asks for a timer; its handle is resolved with `null` after `duration_ms`, at once if that is 0 or less.
    pub fn start_timer(&mut self, scope: Scope, duration_ms: i64) -> Result<Handle, ReplayError> {
        self.check_verb("start_timer", scope)?;
        let generated = self.machines.timers.next_id();
        let claimed = self.claim(LaneId::Timer, &Signature::Timer { id: &generated })?;
        let (is_new, timer_id) = match claimed {
            Some(Record::Timer { timer_id }) => (false, timer_id),
            _ => (true, generated),
        };
        self.issue(is_new, || wire::start_timer(timer_id.clone(), duration_ms));
        let handle = self.new_handle(scope, Awaited::Timer { timer_id: timer_id.clone() });
        self.machines.timers.started.insert(timer_id, handle);
        Ok(handle)
    }

    /// Asks for a promise that somebody outside settles.
    pub fn create_promise(&mut self, promise: CreatePromise) -> Result<Handle, ReplayError> {
        self.check_verb("create_promise", promise.scope)?;
        let claimed = self.claim(LaneId::Promise, &Signature::Promise { name: &promise.name })?;
        let (scope, name) = (promise.scope, promise.name.clone());
        let known = match claimed {
            Some(Record::Promise { promise_id, .. }) => Some(promise_id),
            _ => None,
        };
        self.issue(known.is_none(), || wire::create_promise(promise));
        let promise_id = known.clone().unwrap_or_default();
        let handle = self.new_handle(scope, Awaited::Promise { promise_id, name });
        match known {
            Some(promise_id) => self.machines.promises.known.insert(promise_id, handle),
            None => self.machines.promises.create(handle),
        }
        Ok(handle)
    }

    /// Asks for a child workflow; its handle is settled when the child has ended.
    ///
    /// Fails with `INVALID_ARGUMENT` for a name that a child of this execution had before.
    pub fn start_child(&mut self, child: StartChild) -> Result<StartedChild, ReplayError> {
        self.check_verb("start_child", child.scope)?;
        let name = match &child.name {
            Some(name) if !self.info.tolerant && self.machines.children.has_name(name) => {
                let problem = format!("expected a name that no other child of this execution has, got {name:?} again");
                return Err(ReplayError::InvalidArgument { argument: "name", problem });
            }
            Some(name) => name.clone(),
            None => self.machines.children.default_name(&child.kind),
        };
        let generated = self.counters.next_id();
        let claimed = self.claim(LaneId::Child, &Signature::Child { name: &name, kind: &child.kind })?;
        let (scope, kind) = (child.scope, child.kind.clone());
        let (is_new, child_execution_id) = match claimed {
            Some(Record::Child { child_execution_id, .. }) => (false, child_execution_id),
            _ => (true, generated),
        };
        self.issue(is_new, || wire::start_child(child, name.clone(), child_execution_id.clone()));
        let id = child_execution_id.clone();
        let awaited = Awaited::Child { child_execution_id: id.clone(), name: name.clone(), kind, asked: false };
        let handle = self.new_handle(scope, awaited);
        self.machines.children.start(id, &name, handle);
        Ok(StartedChild { handle, child_execution_id, name })
    }

    /// Begins an operation. Where the history has its record, that will settle the handle; else
    /// [`poll_operation`](Self::poll_operation) gives it to the driver once no job is left.
    ///
    /// Fails with `INVALID_ARGUMENT` for a name that begins with `$`, as those of the engine's own do.
    pub fn begin_operation(&mut self, scope: Scope, name: &str) -> Result<Handle, ReplayError> {
        self.check_verb("begin_operation", scope)?;
        if is_internal(name) {
            let problem = format!("expected a name that does not begin with `$`, got {name:?}");
            return Err(ReplayError::InvalidArgument { argument: "name", problem });
        }
        let signature = Signature::Operation { name };
        let has_record = self.machines.operations.has_record(name);
        let checked = match has_record {
            // Whatever was passed stands before its record.
            true => self.check_skipped(i32::MAX, &signature),
            false => self.check_not_ended(&signature),
        };
        self.stop_on_error(checked)?;
        let handle = self.new_handle(scope, Awaited::Operation);
        if self.info.tolerant && !has_record && self.history.end().is_some() {
            // The execution has ended: what it did not run then is not run now.
            self.issue(false, || wire::record(name, "null".to_string()));
        } else {
            self.machines.operations.begin(name, handle);
        }
        Ok(handle)
    }

    /// Sets a key of the execution's state.
    pub fn set_state(&mut self, key: &str, value: Payload) -> Result<(), ReplayError> {
        self.check_turn("set_state")?;
        let claimed = self.claim(LaneId::State, &Signature::State { key, change: Change::Set })?;
        self.issue(claimed.is_none(), || wire::set_state(key, &value));
        self.machines.state.set(key, value);
        Ok(())
    }

    /// Removes a key of the execution's state; one that is not there, too, so that each call leaves one event.
    pub fn clear_state(&mut self, key: &str) -> Result<(), ReplayError> {
        self.check_turn("clear_state")?;
        let claimed = self.claim(LaneId::State, &Signature::State { key, change: Change::Clear })?;
        self.issue(claimed.is_none(), || wire::clear_state(key));
        self.machines.state.clear(key);
        Ok(())
    }

    /// Removes every key, one command for each, in key order.
    pub fn clear_all_state(&mut self) -> Result<(), ReplayError> {
        self.check_turn("clear_all_state")?;
        let keys: Vec<String> = self.machines.state.keys().map(String::from).collect();
        keys.iter().try_for_each(|key| self.clear_state(key))
    }

    /// The value that the code has set for the key.
    pub fn state(&self, key: &str) -> Result<Option<&Payload>, ReplayError> {
        self.check_turn("state")?;
        Ok(self.machines.state.get(key))
    }

    /// All keys that have a value, in order.
    pub fn state_keys(&self) -> Result<Vec<&str>, ReplayError> {
        self.check_turn("state_keys")?;
        Ok(self.machines.state.keys().collect())
    }

    /// The time of the workflow in milliseconds since 1970: the same until the next job, and on every replay.
    pub fn current_time_ms(&mut self) -> Result<i64, ReplayError> {
        self.check_turn("current_time_ms")?;
        if let Phase::Turn { time_ms: Some(time_ms) } = self.phase {
            return Ok(time_ms);
        }
        if self.is_missing_time() {
            let time_ms = self.machines.clock.last(self.info.task_time_ms);
            self.phase = Phase::Turn { time_ms: Some(time_ms) };
            return Ok(time_ms);
        }
        let claimed = self.claim(LaneId::Time, &Signature::TIME)?;
        let recorded_ms = match claimed {
            Some(Record::Time { time_ms }) => Some(time_ms),
            _ => None,
        };
        let time_ms = self.machines.clock.advance(recorded_ms, self.info.task_time_ms);
        if recorded_ms.is_none() {
            self.issued.push(wire::record(TIME, time_ms.to_string()));
        }
        self.phase = Phase::Turn { time_ms: Some(time_ms) };
        Ok(time_ms)
    }

    /// The next number of the execution's random stream, at least 0 and below 1.
    pub fn random(&mut self) -> Result<f64, ReplayError> {
        self.check_turn("random")?;
        Ok(self.random.next())
    }

    /// The next UUID of the execution.
    pub fn random_uuid(&mut self) -> Result<String, ReplayError> {
        self.check_turn("random_uuid")?;
        Ok(self.counters.next_id())
    }

    /// The workflow function has returned. The turn still runs dry, and what it asks for still counts.
    ///
    /// Fails with `OUT_OF_ORDER` if the function has ended already.
    pub fn complete(&mut self, output: Payload) -> Result<(), ReplayError> {
        self.end("complete", Outcome::Completed(output))
    }

    /// The workflow function has thrown; as [`complete`](Self::complete).
    pub fn fail(&mut self, failure: WorkflowFailure) -> Result<(), ReplayError> {
        self.end("fail", Outcome::Failed(failure))
    }

    /// The workflow function has ended because it was cancelled; as [`complete`](Self::complete).
    pub fn complete_cancelled(&mut self, reason: String) -> Result<(), ReplayError> {
        self.end("complete_cancelled", Outcome::Cancelled { reason })
    }

    fn end(&mut self, call: &'static str, outcome: Outcome) -> Result<(), ReplayError> {
        self.check_turn(call)?;
        if !matches!(self.life, Life::Running) {
            return Err(ReplayError::OutOfOrder { call, problem: "the workflow function has ended already" });
        }
        self.life = Life::Ended(outcome);
        Ok(())
    }

    pub(crate) fn check_turn(&self, call: &'static str) -> Result<(), ReplayError> {
        match &self.phase {
            Phase::Turn { .. } => Ok(()),
            Phase::Failed(error) => Err(ReplayError::Poisoned { call, reason: error.to_string() }),
            _ => Err(ReplayError::NotInTurn { call }),
        }
    }

    /// The same for a verb whose handle belongs to a scope.
    pub(crate) fn check_verb(&self, call: &'static str, scope: Scope) -> Result<(), ReplayError> {
        self.check_turn(call)?;
        if self.machines.scopes.exists(scope) {
            return Ok(());
        }
        let problem = format!("expected the number of a scope that was opened, got {scope}");
        Err(ReplayError::InvalidArgument { argument: "scope", problem })
    }

    pub(crate) fn new_handle(&mut self, scope: Scope, awaited: Awaited) -> Handle {
        let handle = self.counters.next_handle();
        self.machines.handles.insert(handle, scope, awaited);
        handle
    }

    /// Claims the next event of a lane, or finds that the command is new and may be.
    pub(crate) fn claim(&mut self, lane: LaneId, got: &Signature<'_>) -> Result<Option<Record>, ReplayError> {
        if self.info.tolerant {
            let claimed = self.claim_tolerantly(lane, got);
            return self.stop_on_error(claimed);
        }
        let checked = match self.machines.lanes.front(lane) {
            Some((_, expected)) if expected == *got => Ok(()),
            Some((sequence, expected)) => {
                let is_later = self.machines.lanes.unclaimed_of(lane).any(|(_, later)| later == *got);
                Err(Violation::other_command(sequence, &expected, got, is_later))
            }
            None => self.check_new(got),
        };
        self.stop_on_error(checked)?;
        Ok(self.machines.lanes.issue(lane))
    }
}
