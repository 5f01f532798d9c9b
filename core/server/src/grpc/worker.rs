use flovyn_protocol::messages::{PollRequest, PollTaskRequest};
use prost::Message;

/// The worker that makes this call, if it is a poll that names one.
pub(super) fn who_polls(method: &str, message: &[u8]) -> Option<String> {
    let worker = match method {
        "/flovyn.v1.WorkflowDispatch/PollWorkflow" => PollRequest::decode(message).ok()?.worker_id,
        "/flovyn.v1.TaskExecution/PollTask" => PollTaskRequest::decode(message).ok()?.worker_id,
        _ => return None,
    };
    Some(worker).filter(|worker| !worker.is_empty())
}
