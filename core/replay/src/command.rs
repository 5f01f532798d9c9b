use alloc::string::String;

use flovyn_protocol::{Payload, messages::RetryPolicy};

use crate::Handle;

/// What [`Execution::schedule_task`](crate::Execution::schedule_task) needs to know. Absent options leave the choice
/// to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleTask {
    /// The kind of task; compared with the history.
    pub kind: String,
    /// The task's input.
    pub input: Payload,
    /// The queue; absent, the one of the workflow.
    pub queue: Option<String>,
    /// Retries after the first attempt.
    pub max_retries: Option<i32>,
    /// The whole life of the task, in milliseconds from its creation.
    pub timeout_ms: Option<i64>,
    /// How far the task is moved ahead of its queue, in seconds.
    pub priority_seconds: Option<i32>,
    /// A task of the organisation with the same key is not made again.
    pub idempotency_key: Option<String>,
    /// How long the key is remembered, in seconds.
    pub idempotency_key_ttl_seconds: Option<i64>,
    /// The pauses between attempts. A server without the extension keeps its own and is not told.
    pub retry_policy: Option<RetryPolicy>,
}

/// A task that was scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Settled when the task has ended.
    pub handle: Handle,
    /// The id of the task, the same on every replay.
    pub task_execution_id: String,
}

/// What [`Execution::create_promise`](crate::Execution::create_promise) needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreatePromise {
    /// The name; compared with the history. The same name again makes another promise.
    pub name: String,
    /// The promise times out this long after its creation, in milliseconds; absent, never.
    pub timeout_ms: Option<i64>,
    /// Another way to find the promise from outside.
    pub idempotency_key: Option<String>,
    /// How long the key is remembered, in seconds.
    pub idempotency_key_ttl_seconds: Option<i64>,
}

/// How the workflow function failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowFailure {
    /// What the error says.
    pub error: String,
    /// Where it was thrown.
    pub stack_trace: String,
    /// One of the failure types of the contract, such as `CODE_BUG` or `BUSINESS_LOGIC`.
    pub failure_type: String,
}
