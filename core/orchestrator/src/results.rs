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
        EventBody::WorkflowExecutionFailed { error, stack_trace, failure_type } => {
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
    let mut description = WorkflowDescription {
        workflow_execution_id: key.id.to_string(),
        status: execution.status().to_string(),
        current_sequence: execution.current_sequence,
        created_at_ms: execution.created_at_ms,
        started_at_ms: execution.started_at_ms.unwrap_or_default(),
        completed_at_ms: execution.ended_at_ms.unwrap_or_default(),
        updated_at_ms: execution.updated_at_ms,
        parks: execution.parks,
        ..WorkflowDescription::default()
    };
    description.timeout_ms = execution.timeout_ms.unwrap_or_default();
    if let Some(cancel) = &execution.cancel {
        description.cancel_reason.clone_from(&cancel.reason);
    }
    if let EventBody::WorkflowStarted { input, metadata, parent_workflow_execution_id, .. } =
        history::read_one(ctx, key, 1)?
    {
        description.input = input.to_bytes();
        description.metadata = metadata.map_or_else(|| Ok(BTreeMap::new()), |metadata| read_metadata(&metadata))?;
        description.parent_workflow_execution_id = parent_workflow_execution_id.unwrap_or_default();
    }
    if execution.state.is_ended() {
        let outcome = outcome(ctx, &execution)?;
        description.output = outcome.output;
        description.error = outcome.error;
    }
    description.kind = execution.kind;
    description.queue = execution.queue;
    description.workflow_version = execution.version.unwrap_or_default();
    description.worker_id = execution.worker.unwrap_or_default();
    description.park_reason = execution.park_reason.unwrap_or_default();
    Ok(reply(&description))
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
