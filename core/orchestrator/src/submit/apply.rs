use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::event::EventBody;
use uuid::Uuid;

use super::commands::{Command, ScheduleTask, located};
use crate::{
    Status, cancel,
    children::{self, NewChild},
    context::{Caller, Ctx},
    execution, history,
    promises::{self, Foreign},
    state,
    store::{ClaimHolder, Deadline, DeadlineKey, Execution},
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

/// What happens when all commands are applied, in this order.
pub(super) enum Effect {
    /// A timer is due at once.
    Fire(String),
    /// A child is started.
    Started(EventBody),
    /// A promise of another execution is resolved.
    Resolve(Foreign),
    /// A task is cancelled.
    CancelTask { id: Uuid, reason: String },
}

/// Applies commands in their order. Gives what is to happen afterwards.
pub(super) fn apply(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    authority: Authority,
    execution: &mut Execution,
    commands: Vec<(usize, Command)>,
) -> Result<Vec<Effect>, Status> {
    let mut applying = Applying { ctx, caller, authority, execution, effects: Vec::new() };
    for (index, command) in commands {
        let name = name(&command);
        applying.apply(command).map_err(|status| located(index, name, status))?;
    }
    Ok(applying.effects)
}

/// All commands are applied: does what follows from them.
pub(super) fn follow(ctx: &mut Ctx<'_>, execution: &mut Execution, effects: Vec<Effect>) -> Result<(), Status> {
    for effect in effects {
        // What landed before it may have been too much for the history.
        if execution.state.is_ended() {
            follow_end(ctx, execution, effect)?;
            continue;
        }
        match effect {
            Effect::Resolve(promise) => promise.resolve(ctx, execution)?,
            Effect::Fire(timer_id) => fire(ctx, execution, timer_id)?,
            Effect::Started(event) => history::append(ctx, execution, &event)?,
            Effect::CancelTask { id, reason } => tasks::cancel_own(ctx, execution, id, &reason)?,
        }
    }
    Ok(())
}

/// What an execution asked for is done even if it has ended. It hears nothing of it.
fn follow_end(ctx: &mut Ctx<'_>, execution: &mut Execution, effect: Effect) -> Result<(), Status> {
    match effect {
        Effect::Resolve(promise) => promise.resolve(ctx, execution),
        Effect::CancelTask { id, reason } => tasks::end_with_execution(ctx, execution, id, &reason),
        Effect::Fire(_) | Effect::Started(_) => Ok(()),
    }
}

/// Fires a timer that is still pending.
fn fire(ctx: &mut Ctx<'_>, execution: &mut Execution, timer_id: String) -> Result<(), Status> {
    let key = DeadlineKey::Timer { execution: execution.key, timer_id: timer_id.clone() };
    if ctx.tx.deadline(&key)?.is_some() {
        ctx.tx.remove_deadline(&key)?;
        execution::land(ctx, execution, &EventBody::TimerFired { timer_id })?;
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
        Command::ScheduleChild(_) => "SCHEDULE_CHILD_WORKFLOW",
        Command::CancelChild { .. } => "REQUEST_CANCEL_CHILD_WORKFLOW",
        Command::CancelTask { .. } => "CANCEL_TASK",
        Command::StartTimer { .. } => "START_TIMER",
        Command::CancelTimer { .. } => "CANCEL_TIMER",
    }
}

/// How many events follow from a command beside its own, at most.
pub(super) fn events_after(command: &Command) -> usize {
    match command {
        Command::ScheduleChild(_) => 1,
        Command::CancelTask { .. } => 2,
        _ => 0,
    }
}

struct Applying<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    caller: &'a Caller<'a>,
    authority: Authority,
    execution: &'a mut Execution,
    effects: Vec<Effect>,
}

impl Applying<'_, '_> {
    fn apply(&mut self, command: Command) -> Result<(), Status> {
        match command {
            Command::Record(event) => {
                state::fold(self.ctx, self.execution.key, &event)?;
                self.append(&event)
            }
            Command::ScheduleTask(schedule) => self.schedule_task(schedule),
            Command::CreatePromise { name, timeout_ms, named } => {
                promises::create(self.ctx, self.execution, name, timeout_ms, named)
            }
            Command::ResolvePromise { promise, value } => {
                let foreign = promises::resolve_by_command(self.ctx, self.caller, self.execution, &promise, value)?;
                self.effects.extend(foreign.map(Effect::Resolve));
                Ok(())
            }
            Command::ScheduleChild(child) => self.schedule_child(child),
            Command::CancelChild { name, id, reason } => self.cancel_child(name, id, reason),
            Command::CancelTask { id, reason } => self.cancel_task(id, reason),
            Command::StartTimer { timer_id, duration_ms } => self.start_timer(timer_id, duration_ms),
            Command::CancelTimer { timer_id } => self.cancel_timer(timer_id),
        }
    }

    fn append(&mut self, event: &EventBody) -> Result<(), Status> {
        history::append(self.ctx, self.execution, event)
    }

    /// Whether the history may hold events that only our clients know.
    fn is_extended(&self) -> bool {
        self.execution.last_holder == Some(ClaimHolder::Extended)
    }

    /// What is there already is skipped, or a mistake.
    fn skip_repeated(&self, what: &str, id: &str) -> Result<(), Status> {
        match self.authority {
            Authority::Plain => Ok(()),
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
            return self.skip_repeated("task_execution_id", &key.id.to_string());
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
            start_to_close_timeout_ms: schedule.start_to_close_timeout_ms,
            heartbeat_timeout_ms: schedule.heartbeat_timeout_ms,
            metadata: alloc::collections::BTreeMap::new(),
        };
        tasks::create(self.ctx, task)
    }

    fn schedule_child(&mut self, child: NewChild) -> Result<(), Status> {
        let key = self.caller.key(child.id);
        if let Some(existing) = self.ctx.tx.execution(key)? {
            if existing.parent.is_none_or(|parent| parent.id != self.execution.key.id) {
                return Err(Status::invalid_argument(format!(
                    "child_workflow_execution_id: expected a new id, got {} of an execution that is no child of this one",
                    key.id
                )));
            }
            return self.skip_repeated("child_workflow_execution_id", &key.id.to_string());
        }
        let started = children::create(self.ctx, self.execution, child)?;
        self.effects.push(Effect::Started(started));
        Ok(())
    }

    fn cancel_task(&mut self, id: Uuid, reason: String) -> Result<(), Status> {
        if self.is_extended() {
            self.append(&EventBody::TaskCancellationRequested {
                task_execution_id: id.to_string(),
                reason: reason.clone(),
            })?;
        }
        self.effects.push(Effect::CancelTask { id, reason });
        Ok(())
    }

    fn cancel_child(&mut self, name: String, id: Uuid, reason: String) -> Result<(), Status> {
        if self.is_extended() {
            self.append(&EventBody::ChildWorkflowCancellationRequested {
                name,
                child_execution_id: id.to_string(),
                reason: reason.clone(),
            })?;
        }
        cancel::ask_child(self.ctx, self.execution, id, reason)
    }

    fn start_timer(&mut self, timer_id: String, duration_ms: i64) -> Result<(), Status> {
        let key = DeadlineKey::Timer { execution: self.execution.key, timer_id: timer_id.clone() };
        if self.ctx.tx.deadline(&key)?.is_some() {
            return self.skip_repeated("timer_id", &timer_id);
        }
        let fire_at_ms = self.ctx.now_ms.saturating_add(duration_ms.max(0));
        self.append(&EventBody::TimerStarted { timer_id: timer_id.clone(), duration_ms, fire_at_ms })?;
        self.ctx.tx.put_deadline(&Deadline { key, due_ms: fire_at_ms })?;
        if fire_at_ms <= self.ctx.now_ms {
            self.effects.push(Effect::Fire(timer_id));
        }
        Ok(())
    }

    fn cancel_timer(&mut self, timer_id: String) -> Result<(), Status> {
        self.append(&EventBody::TimerCancelled { timer_id: timer_id.clone() })?;
        self.ctx.tx.remove_deadline(&DeadlineKey::Timer { execution: self.execution.key, timer_id })?;
        Ok(())
    }
}
