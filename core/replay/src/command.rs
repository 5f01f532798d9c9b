use alloc::string::String;

use flovyn_protocol::{Payload, messages::RetryPolicy};

use crate::{Handle, Scope};

/// What [`Execution::schedule_task`](crate::Execution::schedule_task) needs to know. Absent options leave the choice
/// to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleTask {
    /// The scope it is cancelled with.
    pub scope: Scope,
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
    /// One attempt may take this long. A server without the extension is not told.
    pub start_to_close_timeout_ms: Option<i64>,
    /// An attempt fails this long after its last heartbeat. A server without the extension is not told.
    pub heartbeat_timeout_ms: Option<i64>,
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
    /// The scope it is cancelled with.
    pub scope: Scope,
    /// The name; compared with the history. The same name again makes another promise.
    pub name: String,
    /// The promise times out this long after its creation, in milliseconds; absent, never.
    pub timeout_ms: Option<i64>,
    /// Another way to find the promise from outside.
    pub idempotency_key: Option<String>,
    /// How long the key is remembered, in seconds.
    pub idempotency_key_ttl_seconds: Option<i64>,
}

/// What [`Execution::start_child`](crate::Execution::start_child) needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartChild {
    /// The scope it is cancelled with.
    pub scope: Scope,
    /// The kind of workflow; compared with the history.
    pub kind: String,
    /// The name among the children of this execution, compared with the history; absent, `<kind>-<n>`.
    pub name: Option<String>,
    /// The child's input.
    pub input: Payload,
    /// The queue; absent, the one of this execution.
    pub queue: Option<String>,
    /// How far the child is moved ahead of its queue, in seconds.
    pub priority_seconds: Option<i32>,
}

/// A child workflow that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedChild {
    /// Settled when the child has ended.
    pub handle: Handle,
    /// The id of the child's execution, the same on every replay.
    pub child_execution_id: String,
    /// The name that was given, or chosen.
    pub name: String,
}

/// What [`Execution::wait_for_signal`](crate::Execution::wait_for_signal) gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedSignal {
    /// Settled by the next signal of the name, if there is no value.
    pub handle: Handle,
    /// The oldest signal that was waiting; the handle counts as settled.
    pub value: Option<Payload>,
}

/// What comes of [`Execution::cancel`](crate::Execution::cancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelEffect {
    /// Nothing: the handle is settled, or its cancellation was asked for before.
    None,
    /// The handle is settled from now on: reject it.
    Rejected,
    /// The task or child is asked to stop; the event of its end settles the handle.
    Requested,
}

/// How an execution is continued in another activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// The time of the new activation, in milliseconds since 1970.
    pub task_time_ms: i64,
    /// The server announced our extensions.
    pub extended: bool,
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
