//! Signals: SignalWorkflow and SignalWithStartWorkflow.

use alloc::{
    format,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{
        SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse, SignalWorkflowRequest, SignalWorkflowResponse,
        StartWorkflowRequest,
    },
};

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply},
    execution, idempotency, start,
    store::Execution,
};

/// The name of a signal that was sent without one, as clients read it.
const DEFAULT_NAME: &str = "__default__";

/// SignalWorkflow.
pub(crate) fn signal(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: SignalWorkflowRequest) -> Result<Answer, Status> {
    let key = caller.key(border::id("workflow_execution_id", &request.workflow_execution_id)?);
    let signal = Signal::read(ctx, request.signal_name, &request.signal_value)?;
    let mut execution = execution::load(ctx, key)?;
    let sequence = signal.send(ctx, &mut execution)?;
    Ok(reply(&SignalWorkflowResponse { signal_event_sequence: sequence }))
}

/// SignalWithStartWorkflow: the run with this name gets the signal; if there is none, or it has ended, a new one is
/// started, whose second event the signal is.
pub(crate) fn signal_with_start(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: SignalWithStartWorkflowRequest,
) -> Result<Answer, Status> {
    border::name(&ctx.config.limits, "workflow_id", &request.workflow_id)?;
    let signal = Signal::read(ctx, request.signal_name, &request.signal_value)?;
    let (start, named) = start::read(
        ctx,
        caller,
        StartWorkflowRequest {
            workflow_kind: request.workflow_kind,
            input: request.workflow_input,
            metadata: request.metadata,
            queue: request.queue,
            priority_seconds: request.priority_seconds,
            workflow_version: request.workflow_version,
            idempotency_key: Some(request.workflow_id),
            idempotency_key_ttl_seconds: request.idempotency_key_ttl_seconds,
            timeout_ms: request.timeout_ms,
            ..StartWorkflowRequest::default()
        },
    )?;
    let running = match idempotency::find(ctx, named.as_ref())? {
        Some(id) => ctx.tx.execution(caller.key(id))?.filter(|execution| !execution.state.is_ended()),
        None => None,
    };
    let workflow_created = running.is_none();
    let mut execution = match running {
        Some(execution) => execution,
        None => start::create_named(ctx, caller, start, named.as_ref())?,
    };
    let sequence = signal.send(ctx, &mut execution)?;
    Ok(reply(&SignalWithStartWorkflowResponse {
        workflow_execution_id: execution.key.id.to_string(),
        workflow_created,
        signal_event_sequence: sequence,
    }))
}

struct Signal {
    name: String,
    value: Payload,
}

impl Signal {
    fn read(ctx: &Ctx<'_>, name: String, value: &[u8]) -> Result<Self, Status> {
        let limits = &ctx.config.limits;
        border::at_most("signal_name", name.len(), limits.name_bytes_max)?;
        let name = if name.is_empty() { DEFAULT_NAME.into() } else { name };
        Ok(Self { name, value: border::payload(limits, "signal_value", value)? })
    }

    /// Gives the sequence number of its event; of the last one, if the execution has ended and nobody minds.
    fn send(self, ctx: &mut Ctx<'_>, execution: &mut Execution) -> Result<i64, Status> {
        if execution.state.is_ended() {
            check_late(ctx, execution)?;
            return Ok(execution.current_sequence.into());
        }
        let max = ctx.config.limits.signals_per_execution_max;
        if usize::try_from(execution.signals).unwrap_or(usize::MAX) >= max {
            return Err(Status::resource_exhausted(format!(
                "execution {} has received {max} signals, as many as one execution can: start a new one",
                execution.key.id
            )));
        }
        let event = EventBody::SignalReceived { name: self.name, value: self.value };
        // Whoever sends can be told that there is no room: that is no reason to end the execution.
        execution::land_if_room(ctx, execution, &event)?;
        execution.signals = execution.signals.saturating_add(1);
        ctx.tx.put_execution(execution)?;
        Ok(execution.current_sequence.into())
    }
}

/// A signal that comes after the end. Some clients cannot know the end in time, so it is no mistake by default.
fn check_late(ctx: &Ctx<'_>, execution: &Execution) -> Result<(), Status> {
    if ctx.config.signals.accept_terminal {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "execution {} has ended ({}): a signal can reach it no more",
        execution.key.id,
        execution.state.status()
    )))
}
