use flovyn_protocol::event::EventBody;

/// What ends the waits of the code, by the names that it is counted under.
pub(crate) const ENDS: [&str; 12] = [
    "task completed",
    "task failed",
    "task cancelled",
    "attempt too long",
    "no heartbeat",
    "task too long",
    "timer fired",
    "promise resolved",
    "promise rejected",
    "promise timed out",
    "child completed",
    "child failed",
];

/// What clients ask of executions, and what comes of it.
pub(crate) const REQUESTS: [&str; 8] = [
    "signal",
    SIGNAL_WITH_START,
    QUERY_OF_WORKER,
    QUERY_OF_STATE,
    QUERY_IN_VAIN,
    "cancel requested",
    "time is over",
    "ended as timed out",
];

/// Where all of that comes.
pub(crate) const ARRIVALS: [&str; 3] = [WAITS, LANDS, FOUND];

/// No worker has the execution.
pub(crate) const WAITS: &str = "while it waits";
/// A worker has the execution.
pub(crate) const LANDS: &str = "while it runs";
/// A worker looks for it while its operations run.
pub(crate) const FOUND: &str = "found by a look";
/// A signal is sent to whatever run has a name, and starts one if there is none.
pub(crate) const SIGNAL_WITH_START: &str = "signal with start";
/// A worker answers a query.
pub(crate) const QUERY_OF_WORKER: &str = "query, worker";
/// A query is answered by what the state says.
pub(crate) const QUERY_OF_STATE: &str = "query, state";
/// The worker that a query was given to does not answer.
pub(crate) const QUERY_IN_VAIN: &str = "query, in vain";

/// What an event is counted as, if it comes from outside.
pub(crate) fn name_of(body: &EventBody) -> Option<&'static str> {
    Some(match body {
        EventBody::TaskCompleted { .. } => "task completed",
        EventBody::TaskFailed { error, .. } if error.contains("no heartbeat") => "no heartbeat",
        EventBody::TaskFailed { error, .. } if error.contains("of its start") => "attempt too long",
        EventBody::TaskFailed { error, .. } if error.contains("of its creation") => "task too long",
        EventBody::TaskFailed { .. } => "task failed",
        EventBody::TaskCancelled { .. } => "task cancelled",
        EventBody::TimerFired { .. } => "timer fired",
        EventBody::PromiseResolved { .. } => "promise resolved",
        EventBody::PromiseRejected { .. } => "promise rejected",
        EventBody::PromiseTimeout { .. } => "promise timed out",
        EventBody::ChildWorkflowCompleted { .. } => "child completed",
        EventBody::ChildWorkflowFailed { .. } => "child failed",
        EventBody::SignalReceived { .. } => "signal",
        EventBody::CancellationRequested { requested_by, .. } if requested_by == "timeout" => "time is over",
        EventBody::CancellationRequested { .. } => "cancel requested",
        EventBody::WorkflowExecutionFailed { .. } if is_timed_out(body) => "ended as timed out",
        _ => return None,
    })
}

/// The server has ended the execution, or has made this of the end that the code gave, because its time was over.
pub(crate) fn is_timed_out(body: &EventBody) -> bool {
    matches!(body, EventBody::WorkflowExecutionFailed { failure_type, .. } if failure_type == "TIMEOUT")
}
