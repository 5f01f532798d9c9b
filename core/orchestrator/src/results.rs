//! What clients ask about an execution: AwaitResult and DescribeWorkflow.

use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
    vec,
};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    json::Json,
    messages::{
        WorkflowStatus,
        ext::{AwaitResultRequest, AwaitResultResponse, DescribeWorkflowRequest, WorkflowDescription},
    },
};

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply},
    execution, history,
    store::{Execution, WaitKey},
};

/// AwaitResult: parks until the end, or until the client has waited long enough.
pub(crate) fn await_result(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: AwaitResultRequest,
) -> Result<Answer, Status> {
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    let wait_ms = border::not_negative("timeout_ms", request.timeout_ms)?.min(ctx.config.polls.long_wait_ms_max);
    let execution = execution::load(ctx, key)?;
    if execution.state.is_ended() {
        return Ok(reply(&outcome(ctx, &execution)?));
    }
    let running = AwaitResultResponse { status: WorkflowStatus::Running.into(), ..AwaitResultResponse::default() };
    Ok(caller.park_or(ctx, wait_ms, vec![WaitKey::execution(key)], &running))
}

/// What the last event says.
fn outcome(ctx: &mut Ctx<'_>, execution: &Execution) -> Result<AwaitResultResponse, Status> {
    let mut response = AwaitResultResponse::default();
    match history::read_one(ctx, execution.key, execution.current_sequence)? {
        EventBody::WorkflowCompleted { output } => {
            response.set_status(WorkflowStatus::Completed);
            response.output = output.to_bytes();
        }
        EventBody::WorkflowExecutionFailed { error, stack_trace, failure_type, .. } => {
            response.set_status(WorkflowStatus::Failed);
            response.error = error;
            response.stack_trace = stack_trace;
            response.failure_type = failure_type;
        }
        EventBody::WorkflowCancelled { reason } => {
            response.set_status(WorkflowStatus::Cancelled);
            response.error = reason;
            response.failure_type = "CANCELLED".to_string();
        }
        other => {
            return Err(Status::internal(alloc::format!(
                "the last event of an ended execution is {}",
                other.event_type()
            )));
        }
    }
    Ok(response)
}

/// DescribeWorkflow.
pub(crate) fn describe(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: DescribeWorkflowRequest,
) -> Result<Answer, Status> {
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    let execution = execution::load(ctx, key)?;
    let started = history::read_one(ctx, key, 1)?;
    let outcome = if execution.state.is_ended() { outcome(ctx, &execution)? } else { AwaitResultResponse::default() };
    let mut description = summary(execution);
    if let EventBody::WorkflowStarted { input, metadata, .. } = started {
        description.input = input.to_bytes();
        description.metadata = metadata.map_or_else(|| Ok(BTreeMap::new()), |metadata| read_metadata(&metadata))?;
    }
    description.output = outcome.output;
    description.error = outcome.error;
    Ok(reply(&description))
}

/// What can be said of an execution without its history.
pub(crate) fn summary(execution: Execution) -> WorkflowDescription {
    WorkflowDescription {
        workflow_execution_id: execution.key.id.to_string(),
        status: execution.status().to_string(),
        kind: execution.kind,
        queue: execution.queue,
        current_sequence: execution.current_sequence,
        workflow_version: execution.version.unwrap_or_default(),
        parent_workflow_execution_id: execution.parent.map(|parent| parent.id.to_string()).unwrap_or_default(),
        worker_id: execution.worker.unwrap_or_default(),
        created_at_ms: execution.created_at_ms,
        started_at_ms: execution.started_at_ms.unwrap_or_default(),
        completed_at_ms: execution.ended_at_ms.unwrap_or_default(),
        updated_at_ms: execution.updated_at_ms,
        parks: execution.parks,
        park_reason: execution.park_reason.unwrap_or_default(),
        timeout_ms: execution.timeout_ms.unwrap_or_default(),
        cancel_reason: execution.cancel.map(|cancel| cancel.reason).unwrap_or_default(),
        ..WorkflowDescription::default()
    }
}

fn read_metadata(metadata: &Payload) -> Result<BTreeMap<String, String>, Status> {
    let broken = || Status::internal("stored metadata is no object of strings");
    let mut entries = BTreeMap::new();
    for (name, value) in Json::from(metadata).members().ok_or_else(broken)? {
        let text = |json: Json<'_>| json.to_str().map(Cow::into_owned).ok_or_else(broken);
        entries.insert(text(name)?, text(value)?);
    }
    Ok(entries)
}
