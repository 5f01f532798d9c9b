use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::event::EventBody;

use super::commands::{Command, ScheduleTask, located};
use crate::{
    Status,
    context::{Caller, Ctx},
    execution, history, promises,
    store::{Deadline, DeadlineKey, Execution},
    tasks::{self, NewTask},
};

/// On what ground commands are applied; decides what a repeated id means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// The claim is proven, so a repeated id is a mistake.
    Token,
    /// It may be the same submission again, so a repeated id is skipped, its event included.
    Plain,
}

/// Applies commands in their order. Gives the timers that are due at once, which fire when all is applied.
pub(super) fn apply(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    authority: Authority,
    execution: &mut Execution,
    commands: Vec<(usize, Command)>,
) -> Result<Vec<String>, Status> {
    let mut applying = Applying { ctx, caller, authority, execution, due_timers: Vec::new() };
    for (index, command) in commands {
        let name = name(&command);
        applying.apply(command).map_err(|status| located(index, name, status))?;
    }
    Ok(applying.due_timers)
}

/// Fires timers that are still pending.
pub(super) fn fire(ctx: &mut Ctx<'_>, execution: &mut Execution, timers: Vec<String>) -> Result<(), Status> {
    for timer_id in timers {
        let key = DeadlineKey::Timer { execution: execution.key, timer_id: timer_id.clone() };
        if ctx.tx.deadline(&key)?.is_some() {
            ctx.tx.remove_deadline(&key)?;
            execution::land(ctx, execution, &EventBody::TimerFired { timer_id })?;
        }
    }
    Ok(())
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Record(EventBody::OperationCompleted { .. }) => "RECORD_OPERATION",
        Command::Record(EventBody::StateSet { .. }) => "SET_STATE",
        Command::Record(_) => "CLEAR_STATE",
        Command::ScheduleTask(_) => "SCHEDULE_TASK",
        Command::CreatePromise { .. } => "CREATE_PROMISE",
        Command::ResolvePromise { .. } => "RESOLVE_PROMISE",
        Command::StartTimer { .. } => "START_TIMER",
        Command::CancelTimer { .. } => "CANCEL_TIMER",
    }
}

struct Applying<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    caller: &'a Caller<'a>,
    authority: Authority,
    execution: &'a mut Execution,
    due_timers: Vec<String>,
}

impl Applying<'_, '_> {
    fn apply(&mut self, command: Command) -> Result<(), Status> {
        match command {
            Command::Record(event) => self.append(&event),
            Command::ScheduleTask(schedule) => self.schedule_task(schedule),
            Command::CreatePromise { name, timeout_ms, named } => {
                promises::create(self.ctx, self.execution, name, timeout_ms, named)
            }
            Command::ResolvePromise { promise, value } => {
                promises::resolve_by_command(self.ctx, self.caller, self.execution, &promise, value)
            }
            Command::StartTimer { timer_id, duration_ms } => self.start_timer(timer_id, duration_ms),
            Command::CancelTimer { timer_id } => self.cancel_timer(timer_id),
        }
    }

    fn append(&mut self, event: &EventBody) -> Result<(), Status> {
        history::append(self.ctx, self.execution, event)
    }

    /// Whether to skip what is there already.
    fn skip_repeated(&self, what: &str, id: &str) -> Result<bool, Status> {
        match self.authority {
            Authority::Plain => Ok(true),
            Authority::Token => Err(Status::invalid_argument(format!("{what}: expected a new id, got {id} again"))),
        }
    }

    fn schedule_task(&mut self, schedule: ScheduleTask) -> Result<(), Status> {
        let key = self.caller.key(schedule.id);
        if let Some(existing) = self.ctx.tx.task(key)? {
            if existing.execution_id != Some(self.execution.key.id) {
                return Err(Status::invalid_argument(format!(
                    "task_execution_id: expected a new id, got {} of a task that is not of this execution",
                    key.id
                )));
            }
            self.skip_repeated("task_execution_id", &key.id.to_string())?;
            return Ok(());
        }
        let queue = schedule.queue.unwrap_or_else(|| self.execution.queue.clone());
        self.append(&EventBody::TaskScheduled {
            kind: schedule.kind.clone(),
            task_execution_id: key.id.to_string(),
            input: schedule.input.clone(),
            queue: queue.clone(),
            max_retries: Some(schedule.max_retries),
            timeout_ms: schedule.timeout_ms,
        })?;
        let task = NewTask {
            key,
            kind: schedule.kind,
            input: schedule.input,
            queue,
            execution_id: Some(self.execution.key.id),
            priority_ms: schedule.priority_ms,
            max_retries: schedule.max_retries,
            retry_policy: schedule.retry_policy,
            timeout_ms: schedule.timeout_ms,
            metadata: alloc::collections::BTreeMap::new(),
        };
        tasks::create(self.ctx, task)
    }

    fn start_timer(&mut self, timer_id: String, duration_ms: i64) -> Result<(), Status> {
        let key = DeadlineKey::Timer { execution: self.execution.key, timer_id: timer_id.clone() };
        if self.ctx.tx.deadline(&key)?.is_some() {
            self.skip_repeated("timer_id", &timer_id)?;
            return Ok(());
        }
        let fire_at_ms = self.ctx.now_ms.saturating_add(duration_ms.max(0));
        self.append(&EventBody::TimerStarted { timer_id: timer_id.clone(), duration_ms, fire_at_ms })?;
        self.ctx.tx.put_deadline(&Deadline { key, due_ms: fire_at_ms })?;
        if fire_at_ms <= self.ctx.now_ms {
            self.due_timers.push(timer_id);
        }
        Ok(())
    }

    fn cancel_timer(&mut self, timer_id: String) -> Result<(), Status> {
        self.append(&EventBody::TimerCancelled { timer_id: timer_id.clone() })?;
        self.ctx.tx.remove_deadline(&DeadlineKey::Timer { execution: self.execution.key, timer_id })?;
        Ok(())
    }
}
