use alloc::{string::String, vec::Vec};

use flovyn_protocol::{
    Payload,
    messages::{WorkflowCommand, WorkflowEvent},
};

use crate::{
    CreatePromise, Handle, Job, OperationError, ReplayError, ScheduleTask, Scheduled, Staged, Step, Submission,
    WorkflowFailure,
};

/// What is known of an execution before its first event is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionInfo {
    /// A UUID: ids and random numbers are derived from it.
    pub execution_id: String,
    /// The kind of workflow.
    pub kind: String,
    /// The time of this activation, in milliseconds since 1970.
    pub task_time_ms: i64,
    /// The server announced our extensions.
    pub extended: bool,
}

/// One workflow execution during one activation. See the crate's documentation for how it is driven.
#[derive(Debug)]
pub struct Execution {
    info: ExecutionInfo,
}

fn soon<T>() -> Result<T, ReplayError> {
    Err(ReplayError::Unsupported { what: String::from("the engine is not here yet") })
}

#[allow(missing_docs)]
impl Execution {
    pub fn new(info: ExecutionInfo) -> Result<Self, ReplayError> {
        Ok(Self { info })
    }
    pub fn handle_events(&mut self, _events: &[WorkflowEvent]) -> Result<(), ReplayError> {
        soon()
    }
    pub fn encoded_payloads(&self) -> Vec<&str> {
        Vec::new()
    }
    pub fn handle_decoded_payloads(&mut self, _payloads: Vec<String>) -> Result<(), ReplayError> {
        soon()
    }
    pub fn handle_operation_result(
        &mut self,
        _handle: Handle,
        _result: Result<Payload, OperationError>,
    ) -> Result<(), ReplayError> {
        soon()
    }
    pub fn poll_job(&mut self) -> Result<Option<Job>, ReplayError> {
        soon()
    }
    pub fn poll_operation(&mut self) -> Option<Handle> {
        None
    }
    pub fn next_step(&self) -> Step {
        Step::SubmitFinal
    }
    pub fn stage_submission(&mut self) -> Result<Staged, ReplayError> {
        soon()
    }
    pub fn take_submission(&mut self, _encoded: Option<Vec<String>>) -> Result<Submission, ReplayError> {
        soon()
    }
    pub fn schedule_task(&mut self, _task: ScheduleTask) -> Result<Scheduled, ReplayError> {
        soon()
    }
    pub fn start_timer(&mut self, _duration_ms: i64) -> Result<Handle, ReplayError> {
        soon()
    }
    pub fn create_promise(&mut self, _promise: CreatePromise) -> Result<Handle, ReplayError> {
        soon()
    }
    pub fn begin_operation(&mut self, _name: &str) -> Result<Handle, ReplayError> {
        soon()
    }
    pub fn set_state(&mut self, _key: &str, _value: Payload) -> Result<(), ReplayError> {
        soon()
    }
    pub fn clear_state(&mut self, _key: &str) -> Result<(), ReplayError> {
        soon()
    }
    pub fn clear_all_state(&mut self) -> Result<(), ReplayError> {
        soon()
    }
    pub fn state(&self, _key: &str) -> Result<Option<&Payload>, ReplayError> {
        soon()
    }
    pub fn state_keys(&self) -> Result<Vec<&str>, ReplayError> {
        soon()
    }
    pub fn current_time_ms(&mut self) -> Result<i64, ReplayError> {
        soon()
    }
    pub fn random(&mut self) -> Result<f64, ReplayError> {
        soon()
    }
    pub fn random_uuid(&mut self) -> Result<String, ReplayError> {
        soon()
    }
    pub fn complete(&mut self, _output: Payload) -> Result<(), ReplayError> {
        soon()
    }
    pub fn fail(&mut self, _failure: WorkflowFailure) -> Result<(), ReplayError> {
        soon()
    }
    pub fn is_replaying(&self) -> bool {
        false
    }
    pub fn last_sequence(&self) -> i32 {
        0
    }
    pub fn execution_id(&self) -> &str {
        &self.info.execution_id
    }
    pub fn kind(&self) -> &str {
        &self.info.kind
    }
}

/// A command as one line of JSON, for people and golden files.
pub fn describe(_command: &WorkflowCommand) -> String {
    String::new()
}
