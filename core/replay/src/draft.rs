use alloc::{
    collections::VecDeque,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    event::EventBody,
    messages::{
        ScheduleChildWorkflowCommand, ScheduleTaskCommand, SetStateCommand, WorkflowCommand, WorkflowStatus,
        workflow_command::CommandData,
    },
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

/// The commands of a submission whose events have not come back yet.
///
/// What comes back must be the same commands, in the same order, with the same keys, ids and results; only then is
/// this execution still the one that the history tells of.
#[derive(Debug)]
pub(crate) struct Expected {
    commands: VecDeque<WorkflowCommand>,
    /// A server without the extension may leave no event of a request to cancel a child, and our record of it follows.
    extended: bool,
}

impl Expected {
    /// Keeps what will be compared, not the inputs.
    pub(crate) fn of(commands: &[WorkflowCommand], extended: bool) -> Self {
        Self { commands: commands.iter().map(without_input).collect(), extended }
    }

    /// Strikes out the command that a command event stands for.
    pub(crate) fn meet(&mut self, sequence: i32, event: &EventBody) -> Result<(), ReplayError> {
        loop {
            return match self.commands.pop_front() {
                Some(command) if is_of(&command, event) => Ok(()),
                Some(command) if self.may_lack(&command) => continue,
                Some(command) => Err(stale(sequence, describe(&command), intake::summary(event))),
                None => Err(stale(sequence, "no further command event".to_string(), intake::summary(event))),
            };
        }
    }

    /// Fails if commands are left whose events did not come.
    pub(crate) fn check_met(&self, last_sequence: i32) -> Result<(), ReplayError> {
        match self.commands.iter().find(|command| !self.may_lack(command)) {
            Some(command) => Err(stale(last_sequence, describe(command), "the end of the answer".to_string())),
            None => Ok(()),
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let result = |command: &WorkflowCommand| match &command.command_data {
            Some(CommandData::RecordOperation(c)) => c.result.len(),
            _ => 0,
        };
        self.commands.iter().map(|command| size_of::<WorkflowCommand>() + result(command)).sum()
    }

    fn may_lack(&self, command: &WorkflowCommand) -> bool {
        !self.extended && matches!(command.command_data, Some(CommandData::RequestCancelChildWorkflow(_)))
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
        Some(CommandData::ScheduleChildWorkflow(c)) => {
            let command = ScheduleChildWorkflowCommand { input: Vec::new(), ..c.clone() };
            Some(CommandData::ScheduleChildWorkflow(command))
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
        (
            CommandData::ScheduleChildWorkflow(c),
            EventBody::ChildWorkflowInitiated { name, kind, child_execution_id, .. },
        ) => {
            c.child_execution_name == *name
                && c.workflow_kind.as_ref() == Some(kind)
                && c.child_workflow_execution_id == *child_execution_id
        }
        (CommandData::CancelTimer(c), EventBody::TimerCancelled { timer_id }) => c.timer_id == *timer_id,
        (CommandData::CancelTask(c), EventBody::TaskCancellationRequested { task_execution_id, .. }) => {
            c.task_execution_id == *task_execution_id
        }
        (CommandData::RequestCancelChildWorkflow(c), EventBody::ChildWorkflowCancellationRequested { name, .. }) => {
            c.child_execution_name == *name
        }
        (CommandData::SetState(c), EventBody::StateSet { key, .. }) => c.key == *key,
        (CommandData::ClearState(c), EventBody::StateCleared { key }) => c.key == *key,
        _ => false,
    }
}
