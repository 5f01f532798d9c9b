use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    Payload,
    limits::Limits,
    messages::{TaskCapability, WorkflowCapability, WorkflowConflict},
};

use crate::{
    Status, border,
    context::Ctx,
    store::{DefinitionRecord, Key, Work},
};

/// The version that is meant when none is given.
const DEFAULT_VERSION: &str = "1.0.0";

/// Stores what a worker says it runs, and gives what contradicts an earlier registration.
pub(super) fn define(
    ctx: &mut Ctx<'_>,
    worker: Key,
    workflows: Vec<WorkflowCapability>,
    tasks: Vec<TaskCapability>,
) -> Result<Vec<WorkflowConflict>, Status> {
    let mut conflicts = Vec::new();
    for (index, workflow) in workflows.into_iter().enumerate() {
        let definition = workflow_definition(ctx, worker, index, workflow)?;
        conflicts.extend(conflict(ctx, &definition)?);
        ctx.tx.put_definition(&definition)?;
    }
    for (index, task) in tasks.into_iter().enumerate() {
        let definition = task_definition(ctx, worker, index, task)?;
        ctx.tx.put_definition(&definition)?;
    }
    Ok(conflicts)
}

/// Two workers say that they run the same version and do not mean the same. The last one is remembered.
fn conflict(ctx: &mut Ctx<'_>, new: &DefinitionRecord) -> Result<Option<WorkflowConflict>, Status> {
    let before = ctx.tx.definition(new.org_id, new.work, &new.kind, &new.version)?;
    let differs = |before: &DefinitionRecord| {
        !before.content_hash.is_empty() && !new.content_hash.is_empty() && before.content_hash != new.content_hash
    };
    Ok(before.filter(differs).map(|before| WorkflowConflict {
        kind: new.kind.clone(),
        reason: format!(
            "version {} of workflow {} was registered with content hash {}, now with {}: give changed code another \
             version",
            new.version, new.kind, before.content_hash, new.content_hash
        ),
        existing_worker_id: before.worker_id.to_string(),
    }))
}

/// Reads the fields of one capability, naming it in errors.
struct Fields<'a> {
    limits: &'a Limits,
    path: String,
}

impl Fields<'_> {
    fn name(&self, field: &str, text: &str) -> Result<(), Status> {
        border::name(self.limits, &format!("{}.{field}", self.path), text)
    }

    fn payload(&self, field: &str, bytes: &[u8]) -> Result<Payload, Status> {
        border::payload(self.limits, &format!("{}.{field}", self.path), bytes)
    }
}

fn workflow_definition(
    ctx: &Ctx<'_>,
    worker: Key,
    index: usize,
    workflow: WorkflowCapability,
) -> Result<DefinitionRecord, Status> {
    let fields = Fields { limits: &ctx.config.limits, path: format!("workflows[{index}]") };
    fields.name("kind", &workflow.kind)?;
    let version = if workflow.version.is_empty() { DEFAULT_VERSION.into() } else { workflow.version };
    fields.name("version", &version)?;
    Ok(DefinitionRecord {
        org_id: worker.org_id,
        work: Work::Workflow,
        kind: workflow.kind,
        version,
        content_hash: workflow.content_hash,
        worker_id: worker.id,
        name: workflow.name,
        description: workflow.description,
        tags: workflow.tags,
        timeout_seconds: workflow.timeout_seconds,
        cancellable: workflow.cancellable,
        retry_policy: fields.payload("retry_policy", &workflow.retry_policy)?,
        input_schema: fields.payload("input_schema", &workflow.input_schema)?,
        output_schema: fields.payload("output_schema", &workflow.output_schema)?,
        metadata: fields.payload("metadata", &workflow.metadata)?,
    })
}

/// Tasks have no version in the contract.
fn task_definition(ctx: &Ctx<'_>, worker: Key, index: usize, task: TaskCapability) -> Result<DefinitionRecord, Status> {
    let fields = Fields { limits: &ctx.config.limits, path: format!("tasks[{index}]") };
    fields.name("kind", &task.kind)?;
    Ok(DefinitionRecord {
        org_id: worker.org_id,
        work: Work::Task,
        kind: task.kind,
        version: DEFAULT_VERSION.into(),
        content_hash: String::new(),
        worker_id: worker.id,
        name: task.name,
        description: task.description,
        tags: task.tags,
        timeout_seconds: task.timeout_seconds,
        cancellable: task.cancellable,
        retry_policy: fields.payload("retry_policy", &task.retry_policy)?,
        input_schema: fields.payload("input_schema", &task.input_schema)?,
        output_schema: fields.payload("output_schema", &task.output_schema)?,
        metadata: fields.payload("metadata", &task.metadata)?,
    })
}
