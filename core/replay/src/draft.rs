use alloc::{
    collections::VecDeque,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    event::EventBody,
    messages::{ScheduleTaskCommand, SetStateCommand, WorkflowCommand, WorkflowStatus, workflow_command::CommandData},
};

use crate::{ReplayError, describe, intake};

/// A submission that is put together and not taken yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) commands: Vec<WorkflowCommand>,
    pub(crate) status: WorkflowStatus,
}

impl Draft {
    /// Numbers the commands from 1. Servers number events themselves.
    pub(crate) fn number(&mut self) {
        for (command, number) in self.commands.iter_mut().zip(1..) {
            command.sequence_number = number;
        }
    }
}

/// The commands of a partial submission whose events have not come back yet.
///
/// What comes back must be the same commands, in the same order, with the same keys, ids and results; only then is
/// this execution still the one that the history tells of.
#[derive(Debug)]
pub(crate) struct Expected(VecDeque<WorkflowCommand>);

impl Expected {
    /// Keeps what will be compared, not the inputs.
    pub(crate) fn of(commands: &[WorkflowCommand]) -> Self {
        Self(commands.iter().map(without_input).collect())
    }

    /// Strikes out the command that a command event stands for.
    pub(crate) fn meet(&mut self, sequence: i32, event: &EventBody) -> Result<(), ReplayError> {
        match self.0.pop_front() {
            Some(command) if is_of(&command, event) => Ok(()),
            Some(command) => Err(stale(sequence, describe(&command), intake::summary(event))),
            None => Err(stale(sequence, "no further command event".to_string(), intake::summary(event))),
        }
    }

    /// Fails if commands are left whose events did not come.
    pub(crate) fn check_met(&self, last_sequence: i32) -> Result<(), ReplayError> {
        match self.0.front() {
            Some(command) => Err(stale(last_sequence, describe(command), "the end of the answer".to_string())),
            None => Ok(()),
        }
    }
}

fn stale(sequence: i32, expected: String, got: String) -> ReplayError {
    ReplayError::Stale { sequence, expected, got }
}

fn without_input(command: &WorkflowCommand) -> WorkflowCommand {
    let command_data = match &command.command_data {
        Some(CommandData::ScheduleTask(c)) => {
            let (kind, task_execution_id) = (c.kind.clone(), c.task_execution_id.clone());
            Some(CommandData::ScheduleTask(ScheduleTaskCommand { kind, task_execution_id, ..Default::default() }))
        }
        Some(CommandData::SetState(c)) => {
            Some(CommandData::SetState(SetStateCommand { key: c.key.clone(), ..Default::default() }))
        }
        data => data.clone(),
    };
    WorkflowCommand { command_data, ..*command }
}

fn is_of(command: &WorkflowCommand, event: &EventBody) -> bool {
    let Some(data) = &command.command_data else { return false };
    match (data, event) {
        (CommandData::RecordOperation(c), EventBody::OperationCompleted { name, result }) => {
            c.operation_name == *name && c.result == result.as_json().as_bytes()
        }
        (CommandData::ScheduleTask(c), EventBody::TaskScheduled { kind, task_execution_id, .. }) => {
            c.kind == *kind && c.task_execution_id == *task_execution_id
        }
        (CommandData::StartTimer(c), EventBody::TimerStarted { timer_id, .. }) => c.timer_id == *timer_id,
        (CommandData::CreatePromise(c), EventBody::PromiseCreated { name, .. }) => c.promise_id == *name,
        (CommandData::SetState(c), EventBody::StateSet { key, .. }) => c.key == *key,
        (CommandData::ClearState(c), EventBody::StateCleared { key }) => c.key == *key,
        _ => false,
    }
}
