//! StartWorkflow.

use alloc::string::{String, ToString};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{StartWorkflowRequest, StartWorkflowResponse},
};
use uuid::Uuid;

use crate::{
    Answer, Status, border, cancel,
    context::{Caller, Ctx, reply},
    execution, history,
    idempotency::{self, NamedBy},
    store::{Execution, ExecutionState, IdempotencySpace, Key, Parent},
};

/// StartWorkflow.
pub(crate) fn start(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: StartWorkflowRequest) -> Result<Answer, Status> {
    let (start, named) = read(ctx, caller, request)?;
    if let Some(id) = existing(ctx, caller, named.as_ref())? {
        return Ok(respond(id, named.is_some(), false));
    }
    let execution = create_named(ctx, caller, start, named.as_ref())?;
    Ok(respond(execution.key.id, named.is_some(), named.is_some()))
}

/// Checks what is asked for, and under which name.
pub(crate) fn read(
    ctx: &Ctx<'_>,
    caller: &Caller<'_>,
    request: StartWorkflowRequest,
) -> Result<(Start, Option<NamedBy>), Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "workflow_kind", &request.workflow_kind)?;
    border::metadata(limits, &request.metadata)?;
    let queue = border::queue(limits, request.queue)?;
    let input = border::payload(limits, "input", &request.input)?;
    let version = request.workflow_version.filter(|version| !version.is_empty());
    border::at_most("workflow_version", version.as_deref().map_or(0, str::len), limits.name_bytes_max)?;
    border::not_offered(
        "workflow_definition_id",
        request.workflow_definition_id.as_deref().unwrap_or_default(),
        "name the workflow by workflow_kind",
    )?;
    border::not_offered(
        "parent_workflow_execution_id",
        request.parent_workflow_execution_id.as_deref().unwrap_or_default(),
        "an execution started by a client has no parent",
    )?;
    let named = NamedBy::new(
        ctx,
        caller,
        IdempotencySpace::Execution,
        request.idempotency_key,
        request.idempotency_key_ttl_seconds,
    )?;
    let timeout_ms = if caller.extended { border::not_negative("timeout_ms", request.timeout_ms)? } else { 0 };
    let start = Start {
        kind: request.workflow_kind,
        queue,
        version,
        input,
        metadata: encode_metadata(&request.metadata)?,
        priority_ms: i64::from(request.priority_seconds) * 1_000,
        parent: None,
        timeout_ms: (timeout_ms > 0).then_some(timeout_ms),
    };
    Ok((start, named))
}

/// The run that already has this name, unless it ended without success: then another may be tried.
fn existing(ctx: &mut Ctx<'_>, caller: &Caller<'_>, named: Option<&NamedBy>) -> Result<Option<Uuid>, Status> {
    let Some(id) = idempotency::find(ctx, named)? else { return Ok(None) };
    let execution = ctx.tx.execution(caller.key(id))?;
    Ok(execution
        .filter(|execution| !matches!(execution.state, ExecutionState::Failed | ExecutionState::Cancelled))
        .map(|execution| execution.key.id))
}

/// An execution as it is asked for, checked.
pub(crate) struct Start {
    pub(crate) kind: String,
    pub(crate) queue: String,
    pub(crate) version: Option<String>,
    pub(crate) input: Payload,
    pub(crate) metadata: Option<Payload>,
    pub(crate) priority_ms: i64,
    pub(crate) parent: Option<Parent>,
    /// How long it may take; `None` leaves it to the worker that claims it first.
    pub(crate) timeout_ms: Option<i64>,
}

/// Makes an execution and gives it its name.
pub(crate) fn create_named(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    start: Start,
    named: Option<&NamedBy>,
) -> Result<Execution, Status> {
    let key = caller.key(ctx.new_id());
    let execution = create(ctx, key, start)?;
    if let Some(named) = named {
        idempotency::store(ctx, named, key.id)?;
    }
    Ok(execution)
}

/// Makes an execution and puts it into its queue.
pub(crate) fn create(ctx: &mut Ctx<'_>, key: Key, start: Start) -> Result<Execution, Status> {
    let mut execution = Execution {
        key,
        kind: start.kind.clone(),
        queue: start.queue,
        version: start.version.clone(),
        parent: start.parent.clone(),
        state: ExecutionState::Waiting,
        priority_ms: start.priority_ms,
        created_at_ms: ctx.now_ms,
        started_at_ms: None,
        ended_at_ms: None,
        updated_at_ms: ctx.now_ms,
        current_sequence: 0,
        history_bytes: 0,
        landed_sequence: 0,
        oldest_claim_sequence: None,
        worker: None,
        last_holder: None,
        timeout_ms: None,
        cancel: None,
        signals: 0,
        continuation: None,
        parks: 0,
        park_reason: None,
    };
    let started = EventBody::WorkflowStarted {
        input: start.input,
        kind: start.kind,
        version: start.version,
        metadata: start.metadata,
        parent_workflow_execution_id: start.parent.as_ref().map(|parent| parent.id.to_string()),
    };
    history::append(ctx, &mut execution, &started)?;
    if let Some(timeout_ms) = start.timeout_ms {
        cancel::set_timeout(ctx, &mut execution, timeout_ms)?;
    }
    execution::make_ready(ctx, &mut execution)?;
    ctx.tx.put_execution(&execution)?;
    Ok(execution)
}

fn encode_metadata(metadata: &alloc::collections::BTreeMap<String, String>) -> Result<Option<Payload>, Status> {
    if metadata.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(metadata).map_err(|error| Status::internal(error.to_string()))?;
    Payload::from_json(json).map(Some).map_err(|error| Status::internal(error.to_string()))
}

fn respond(id: Uuid, used: bool, new: bool) -> Answer {
    reply(&StartWorkflowResponse {
        workflow_execution_id: id.to_string(),
        idempotency_key_used: used,
        idempotency_key_new: new,
    })
}
