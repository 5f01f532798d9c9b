use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::Payload;

use crate::{
    CreatePromise, Execution, Handle, ReplayError, ScheduleTask, Scheduled, Violation, WorkflowFailure,
    codec::is_internal,
    ending::Outcome,
    execution::Life,
    lane::{Lane, Record},
    machines::{Clock, Machines},
    phase::Phase,
    signature::{Change, Signature},
    wire,
};

/// Commands and reads of workflow code. All of them fail with `NOT_IN_TURN` outside a turn, with `VIOLATION` where
/// the history has something else in their place, and with `POISONED` after a fatal error.
impl Execution {
    /// Asks for a task; its handle is settled when the task has ended.
    pub fn schedule_task(&mut self, task: ScheduleTask) -> Result<Scheduled, ReplayError> {
        self.check_turn("schedule_task")?;
        let generated = self.counters.next_id();
        let claimed = self.claim(|machines| &mut machines.tasks.lane, &Signature::Task { kind: &task.kind })?;
        let kind = task.kind.clone();
        let task_execution_id = match claimed {
            Some(record) => record.task_execution_id,
            None => {
                self.issued.push(wire::schedule_task(task, generated.clone(), self.info.extended));
                generated
            }
        };
        let handle = self.counters.next_handle();
        self.machines.tasks.schedule(task_execution_id.clone(), kind, handle);
        Ok(Scheduled { handle, task_execution_id })
    }

    /// Asks for a timer; its handle is resolved with `null` after `duration_ms`, at once if that is 0 or less.
    pub fn start_timer(&mut self, duration_ms: i64) -> Result<Handle, ReplayError> {
        self.check_turn("start_timer")?;
        let timer_id = self.machines.timers.next_id();
        let claimed = self.claim(|machines| &mut machines.timers.lane, &Signature::Timer { id: &timer_id })?;
        if claimed.is_none() {
            self.issued.push(wire::start_timer(timer_id.clone(), duration_ms));
        }
        let handle = self.counters.next_handle();
        self.machines.timers.start(timer_id, handle);
        Ok(handle)
    }

    /// Asks for a promise that somebody outside settles.
    pub fn create_promise(&mut self, promise: CreatePromise) -> Result<Handle, ReplayError> {
        self.check_turn("create_promise")?;
        let claimed =
            self.claim(|machines| &mut machines.promises.lane, &Signature::Promise { name: &promise.name })?;
        if claimed.is_none() {
            self.issued.push(wire::create_promise(promise));
        }
        let handle = self.counters.next_handle();
        self.machines.promises.create(claimed, handle);
        Ok(handle)
    }

    /// Begins an operation. Where the history has its record, that will settle the handle; else
    /// [`poll_operation`](Self::poll_operation) gives it to the driver once no job is left.
    ///
    /// Fails with `UNSUPPORTED` on a server without the extension, which cannot make a result durable before it
    /// settles, and with `INVALID_ARGUMENT` for a name that begins with `$`, as those of the engine's own do.
    pub fn begin_operation(&mut self, name: &str) -> Result<Handle, ReplayError> {
        self.check_turn("begin_operation")?;
        if is_internal(name) {
            let problem = alloc::format!("expected a name that does not begin with `$`, got {name:?}");
            return Err(ReplayError::InvalidArgument { argument: "name", problem });
        }
        if !self.info.extended {
            let what = "operations on a server that has not announced flovyn-ext, since it cannot record a result \
                        before the workflow goes on; use a task";
            return Err(ReplayError::Unsupported { what: what.to_string() });
        }
        if !self.machines.operations.has_record(name) {
            let checked = self.check_not_ended(&Signature::Operation { name });
            self.stop_on_error(checked)?;
        }
        let handle = self.counters.next_handle();
        self.machines.operations.begin(name, handle);
        Ok(handle)
    }

    /// Sets a key of the execution's state.
    pub fn set_state(&mut self, key: &str, value: Payload) -> Result<(), ReplayError> {
        self.check_turn("set_state")?;
        if self.is_new_state_change(key, Change::Set)? {
            self.issued.push(wire::set_state(key, &value));
        }
        self.machines.state.values.insert(key.to_string(), value);
        Ok(())
    }

    /// Removes a key of the execution's state; one that is not there, too, so that each call leaves one event.
    pub fn clear_state(&mut self, key: &str) -> Result<(), ReplayError> {
        self.check_turn("clear_state")?;
        if self.is_new_state_change(key, Change::Clear)? {
            self.issued.push(wire::clear_state(key));
        }
        self.machines.state.values.remove(key);
        Ok(())
    }

    /// Removes every key, one command for each, in key order.
    pub fn clear_all_state(&mut self) -> Result<(), ReplayError> {
        self.check_turn("clear_all_state")?;
        let keys: Vec<String> = self.machines.state.values.names().map(String::from).collect();
        keys.iter().try_for_each(|key| self.clear_state(key))
    }

    /// The value that the code has set for the key.
    pub fn state(&self, key: &str) -> Result<Option<&Payload>, ReplayError> {
        self.check_turn("state")?;
        Ok(self.machines.state.values.get(key))
    }

    /// All keys that have a value, in order.
    pub fn state_keys(&self) -> Result<Vec<&str>, ReplayError> {
        self.check_turn("state_keys")?;
        Ok(self.machines.state.values.names().collect())
    }

    /// The time of the workflow in milliseconds since 1970: the same until the next job, and on every replay.
    pub fn current_time_ms(&mut self) -> Result<i64, ReplayError> {
        self.check_turn("current_time_ms")?;
        if let Phase::Turn { time_ms: Some(time_ms) } = self.phase {
            return Ok(time_ms);
        }
        let signature = Signature::Operation { name: Clock::OPERATION };
        let claimed = self.claim(|machines| &mut machines.clock.lane, &signature)?;
        let is_new = claimed.is_none();
        let time_ms = self.machines.clock.advance(claimed, self.info.task_time_ms);
        if is_new {
            self.issued.push(wire::record_time(Clock::OPERATION, time_ms));
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

    fn end(&mut self, call: &'static str, outcome: Outcome) -> Result<(), ReplayError> {
        self.check_turn(call)?;
        if !matches!(self.life, Life::Running) {
            return Err(ReplayError::OutOfOrder { call, problem: "the workflow function has ended already" });
        }
        self.life = Life::Ended(outcome);
        Ok(())
    }

    fn check_turn(&self, call: &'static str) -> Result<(), ReplayError> {
        match &self.phase {
            Phase::Turn { .. } => Ok(()),
            Phase::Failed(error) => Err(ReplayError::Poisoned { call, reason: error.to_string() }),
            _ => Err(ReplayError::NotInTurn { call }),
        }
    }

    /// Claims the next event of a lane, or finds that the command is new and may be.
    fn claim<R: Record>(
        &mut self,
        lane: fn(&mut Machines) -> &mut Lane<R>,
        got: &Signature<'_>,
    ) -> Result<Option<R>, ReplayError> {
        let checked = match lane(&mut self.machines).front() {
            Some((_, expected)) if expected == *got => Ok(()),
            Some((sequence, expected)) => Err(Violation::other_command(sequence, &expected, got)),
            None => self.check_new(got),
        };
        self.stop_on_error(checked)?;
        Ok(lane(&mut self.machines).issue())
    }

    /// Whether the change is new.
    fn is_new_state_change(&mut self, key: &str, change: Change) -> Result<bool, ReplayError> {
        let claimed = self.claim(|machines| &mut machines.state.lane, &Signature::State { key, change })?;
        Ok(claimed.is_none())
    }
}
