//! The events of a history, typed.
//!
//! [`Event::parse`] is the one place where the JSON of a history is looked at: it accepts every spelling that other
//! Flovyn servers use, and gives unknown types as [`EventBody::Unknown`]. [`EventBody::encode`] writes only ours.

mod encode;
mod fields;
mod parse;

use alloc::{string::String, vec::Vec};

pub use fields::EventError;

use crate::Payload;

/// Something that happened to an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// From 1, without gaps, given by the server.
    pub sequence: i32,
    /// What happened.
    pub body: EventBody,
}

/// What happened, by event type. Ids are opaque strings: they are compared, never interpreted.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum EventBody {
    WorkflowStarted {
        input: Payload,
        kind: String,
        version: Option<String>,
        /// A JSON object of strings.
        metadata: Option<Payload>,
        parent_workflow_execution_id: Option<String>,
    },
    WorkflowSuspended {
        reason: Option<String>,
    },
    WorkflowCompleted {
        output: Payload,
    },
    WorkflowExecutionFailed {
        error: String,
        stack_trace: String,
        failure_type: String,
        /// The server has ended it, whatever its code was about to do.
        by_server: bool,
    },
    WorkflowCancelled {
        reason: String,
    },
    OperationCompleted {
        name: String,
        result: Payload,
    },
    StateSet {
        key: String,
        value: Payload,
    },
    StateCleared {
        key: String,
    },
    TaskScheduled {
        kind: String,
        task_execution_id: String,
        input: Payload,
        queue: String,
        max_retries: Option<i32>,
        timeout_ms: Option<i64>,
    },
    TaskCompleted {
        task_execution_id: String,
        kind: String,
        output: Payload,
    },
    TaskFailed {
        task_execution_id: String,
        kind: String,
        error: String,
        /// Ours: the name of the error class.
        error_type: Option<String>,
        /// Ours: where the error was thrown.
        stack_trace: Option<String>,
        retryable: bool,
    },
    TaskCancelled {
        task_execution_id: String,
        kind: String,
        reason: String,
    },
    /// Ours: workflow code asked to cancel a task. TASK_CANCELLED follows if it took effect.
    TaskCancellationRequested {
        task_execution_id: String,
        reason: String,
    },
    PromiseCreated {
        promise_id: String,
        name: String,
        timeout_ms: Option<i64>,
        idempotency_key: Option<String>,
    },
    PromiseResolved {
        promise_id: String,
        name: String,
        value: Payload,
    },
    PromiseRejected {
        promise_id: String,
        name: String,
        error: String,
    },
    PromiseTimeout {
        promise_id: String,
        name: String,
    },
    ChildWorkflowInitiated {
        name: String,
        kind: String,
        child_execution_id: String,
        input: Payload,
    },
    ChildWorkflowStarted {
        name: String,
        child_execution_id: String,
    },
    ChildWorkflowCompleted {
        name: String,
        child_execution_id: String,
        output: Payload,
    },
    /// Also what CHILD_WORKFLOW_CANCELLED reads as, with the error "cancelled".
    ChildWorkflowFailed {
        name: String,
        child_execution_id: String,
        error: String,
        /// Ours: as the child's own end has it.
        failure_type: Option<String>,
        /// Ours: where the child threw the error.
        stack_trace: Option<String>,
    },
    ChildWorkflowCancellationRequested {
        name: String,
        child_execution_id: String,
        reason: String,
    },
    TimerStarted {
        timer_id: String,
        duration_ms: i64,
        fire_at_ms: i64,
    },
    TimerFired {
        timer_id: String,
    },
    TimerCancelled {
        timer_id: String,
    },
    SignalReceived {
        name: String,
        value: Payload,
    },
    CancellationRequested {
        reason: String,
        requested_by: String,
    },
    /// A type this version does not know; replay skips it.
    Unknown {
        event_type: String,
        data: Vec<u8>,
    },
}
