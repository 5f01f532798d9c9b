//! Children: executions that another one started, and what it hears of them.
//!
//! A child is made in the transaction of its parent, which nobody else can be waiting for. From then on the order in
//! which records are touched is the child first, then its parent: the end of a child lands in its parent at once,
//! while what a parent wants of its children is a deadline that is due at once.

use alloc::{
    format,
    string::{String, ToString},
};

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{
        ScheduleChildWorkflowCommand, StartChildWorkflowRequest, StartChildWorkflowResponse,
        start_child_workflow_request::WorkflowExecutionIdentifier,
    },
};
use uuid::Uuid;

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, reply},
    execution, history,
    start::{self, Start},
    store::{ClaimHolder, Execution, Key, Parent},
};

/// A child as it is asked for, checked.
pub(crate) struct NewChild {
    pub(crate) id: Uuid,
    name: String,
    kind: String,
    input: Payload,
    /// `None` is the queue of the parent.
    queue: Option<String>,
    priority_ms: i64,
}

impl NewChild {
    /// Reads SCHEDULE_CHILD_WORKFLOW.
    pub(crate) fn read(ctx: &Ctx<'_>, command: ScheduleChildWorkflowCommand) -> Result<Self, Status> {
        not_by_definition(command.workflow_definition_id.as_deref().unwrap_or_default())?;
        Ok(Self {
            id: border::id("child_workflow_execution_id", &command.child_workflow_execution_id)?,
            name: checked(ctx, "child_execution_name", command.child_execution_name)?,
            kind: checked(ctx, "workflow_kind", command.workflow_kind.unwrap_or_default())?,
            input: border::payload(&ctx.config.limits, "input", &command.input)?,
            queue: border::inherited_queue(&ctx.config.limits, command.queue)?,
            priority_ms: i64::from(command.priority_seconds) * 1_000,
        })
    }

    /// CHILD_WORKFLOW_INITIATED, which says that the child was asked for.
    fn initiated(&self) -> EventBody {
        EventBody::ChildWorkflowInitiated {
            name: self.name.clone(),
            kind: self.kind.clone(),
            child_execution_id: self.id.to_string(),
            input: self.input.clone(),
        }
    }
}

fn checked(ctx: &Ctx<'_>, field: &str, name: String) -> Result<String, Status> {
    border::name(&ctx.config.limits, field, &name)?;
    Ok(name)
}

fn not_by_definition(id: &str) -> Result<(), Status> {
    border::not_offered("workflow_definition_id", id, "name the workflow by workflow_kind")
}

/// Makes a child and notes in its parent that it was asked for. Gives CHILD_WORKFLOW_STARTED, which the caller appends
/// where it belongs.
pub(crate) fn create(ctx: &mut Ctx<'_>, parent: &mut Execution, child: NewChild) -> Result<EventBody, Status> {
    history::append(ctx, parent, &child.initiated())?;
    let key = Key { org_id: parent.key.org_id, id: child.id };
    let started =
        EventBody::ChildWorkflowStarted { name: child.name.clone(), child_execution_id: child.id.to_string() };
    let start = Start {
        kind: child.kind,
        queue: child.queue.unwrap_or_else(|| parent.queue.clone()),
        version: None,
        input: child.input,
        metadata: None,
        priority_ms: child.priority_ms,
        parent: Some(Parent { id: parent.key.id, child_name: child.name }),
        timeout_ms: None,
    };
    start::create(ctx, key, start)?;
    Ok(started)
}

/// StartChildWorkflow: a worker without our extension starts a child beside its commands.
///
/// Clients cannot choose the id here, so it is made of the parent and the name, and asking twice makes one child.
pub(crate) fn start(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: StartChildWorkflowRequest,
) -> Result<Answer, Status> {
    let parent_key = caller.key(border::id("parent_workflow_execution_id", &request.parent_workflow_execution_id)?);
    let kind = match request.workflow_execution_identifier {
        Some(WorkflowExecutionIdentifier::WorkflowDefinitionId(id)) => {
            not_by_definition(&id)?;
            String::new()
        }
        Some(WorkflowExecutionIdentifier::WorkflowKind(kind)) => kind,
        None => String::new(),
    };
    let name = checked(ctx, "child_execution_name", request.child_execution_name)?;
    let child = NewChild {
        id: Uuid::new_v5(&parent_key.id, format!("child:{name}").as_bytes()),
        name,
        kind: checked(ctx, "workflow_kind", kind)?,
        input: border::payload(&ctx.config.limits, "input", &request.input)?,
        queue: border::inherited_queue(&ctx.config.limits, request.queue)?,
        priority_ms: i64::from(request.priority_seconds) * 1_000,
    };
    let id = child.id;
    let mut parent = execution::load(ctx, parent_key)?;
    if ctx.tx.execution(caller.key(id))?.is_none() {
        check_can_start(&parent)?;
        execution::check_room(ctx, &parent, &child.initiated())?;
        let started = create(ctx, &mut parent, child)?;
        execution::check_room(ctx, &parent, &started)?;
        history::append(ctx, &mut parent, &started)?;
        ctx.tx.put_execution(&parent)?;
    }
    Ok(reply(&StartChildWorkflowResponse { child_workflow_execution_id: id.to_string() }))
}

/// A history that our clients replay must hold no command that its code did not give.
fn check_can_start(parent: &Execution) -> Result<(), Status> {
    if parent.state.is_ended() {
        return Err(Status::failed_precondition(format!(
            "execution {} has ended ({}) and can start no child",
            parent.key.id,
            parent.status()
        )));
    }
    if parent.last_holder != Some(ClaimHolder::Plain) {
        return Err(Status::failed_precondition(format!(
            "execution {} is not run by a client without flovyn-ext: its code starts children by the command \
             SCHEDULE_CHILD_WORKFLOW",
            parent.key.id
        )));
    }
    Ok(())
}

/// Tells the parent, if there is one that still listens, how its child ended.
pub(crate) fn notify_parent(ctx: &mut Ctx<'_>, child: &Execution, end: &EventBody) -> Result<(), Status> {
    let Some(parent) = &child.parent else { return Ok(()) };
    let (name, child_execution_id) = (parent.child_name.clone(), child.key.id.to_string());
    let event = match end {
        EventBody::WorkflowCompleted { output } => {
            EventBody::ChildWorkflowCompleted { name, child_execution_id, output: output.clone() }
        }
        EventBody::WorkflowExecutionFailed { error, stack_trace, failure_type, .. } => {
            let told = |text: &str| Some(text).filter(|text| !text.is_empty()).map(String::from);
            let (failure_type, stack_trace) = (told(failure_type), told(stack_trace));
            EventBody::ChildWorkflowFailed { name, child_execution_id, error: error.clone(), failure_type, stack_trace }
        }
        _ => EventBody::ChildWorkflowFailed {
            name,
            child_execution_id,
            error: "cancelled".into(),
            failure_type: None,
            stack_trace: None,
        },
    };
    execution::land_on(ctx, Key { org_id: child.key.org_id, id: parent.id }, &event)?;
    Ok(())
}
