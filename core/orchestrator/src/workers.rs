//! Who polls: registration and signs of life.
//!
//! A worker is whatever names itself in a poll. One that registered is given only what it registered; one that only
//! ever polled is given anything, and is kept just for its signs of life.

mod definitions;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
};

use flovyn_protocol::messages::{
    WorkerHeartbeatRequest, WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
};
use uuid::Uuid;

use crate::{
    Answer, Status, border,
    context::{Caller, Ctx, not_found, reply, reply_empty},
    queries,
    store::{Deadline, DeadlineKey, Key, Registration, WaitKey, Work, WorkerRecord},
};

/// The worker with this name or id.
fn find(ctx: &mut Ctx<'_>, org_id: Uuid, name_or_id: &str) -> Result<Option<WorkerRecord>, Status> {
    if let Some(worker) = ctx.tx.worker_by_name(org_id, name_or_id)? {
        return Ok(Some(worker));
    }
    match Uuid::try_parse(name_or_id) {
        Ok(id) => Ok(ctx.tx.worker(Key { org_id, id })?),
        Err(_) => Ok(None),
    }
}

/// Notes a sign of life, seldom enough that it need not be written at each poll. An unknown worker becomes a known
/// one, unless it has no name at all.
pub(crate) fn note(ctx: &mut Ctx<'_>, org_id: Uuid, name_or_id: &str) -> Result<Option<WorkerRecord>, Status> {
    if name_or_id.is_empty() {
        return Ok(None);
    }
    let mut worker = match find(ctx, org_id, name_or_id)? {
        Some(worker) if ctx.now_ms - worker.last_seen_ms < ctx.config.workers.note_after_ms => {
            return Ok(Some(worker));
        }
        Some(worker) => worker,
        None => create(ctx, org_id, name_or_id.into())?,
    };
    worker.last_seen_ms = ctx.now_ms;
    ctx.tx.put_worker(&worker)?;
    Ok(Some(worker))
}

fn create(ctx: &mut Ctx<'_>, org_id: Uuid, name: String) -> Result<WorkerRecord, Status> {
    let key = Key { org_id, id: ctx.new_id() };
    let worker = WorkerRecord { key, name, last_seen_ms: ctx.now_ms, registration: None };
    let due_ms = forget_at_ms(ctx, &worker);
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Worker(key), due_ms })?;
    Ok(worker)
}

/// What a worker is given; `None` means anything.
pub(crate) fn kinds(worker: &WorkerRecord, work: Work) -> Option<&BTreeSet<String>> {
    worker.registration.as_ref().map(|registration| match work {
        Work::Workflow => &registration.workflow_kinds,
        Work::Task => &registration.task_kinds,
        Work::Query => &registration.queries,
    })
}

/// How long an execution of this kind may take, as the worker that runs it has registered.
pub(crate) fn timeout_ms(worker: Option<&WorkerRecord>, kind: &str) -> Option<i64> {
    worker?.registration.as_ref()?.workflow_timeouts_ms.get(kind).copied()
}

/// Until when a worker counts as alive, if it is known.
pub(crate) fn alive_until_ms(ctx: &mut Ctx<'_>, org_id: Uuid, name_or_id: &str) -> Result<Option<i64>, Status> {
    let worker = find(ctx, org_id, name_or_id)?;
    Ok(worker.map(|worker| ctx.config.workers.offline_at_ms(&worker)))
}

/// Whether a worker has shown itself lately.
pub(crate) fn is_alive(ctx: &Ctx<'_>, worker: &WorkerRecord) -> bool {
    ctx.now_ms < ctx.config.workers.offline_at_ms(worker)
}

/// Forgets a worker.
pub(crate) fn remove(ctx: &mut Ctx<'_>, worker: &WorkerRecord) -> Result<(), Status> {
    for query in worker.registration.iter().flat_map(|registration| &registration.queries) {
        ctx.tx.remove_query_worker(worker.key, query)?;
    }
    ctx.tx.remove_worker(worker.key)?;
    Ok(())
}

/// A worker without a registration matters only as long as its claims can live.
pub(crate) fn forget_at_ms(ctx: &Ctx<'_>, worker: &WorkerRecord) -> i64 {
    let workers = &ctx.config.workers;
    let after_ms = if worker.registration.is_some() { workers.forget_after_ms } else { workers.plain_claim_ms_max };
    worker.last_seen_ms.saturating_add(after_ms)
}

/// SendHeartbeat.
pub(crate) fn heartbeat(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: WorkerHeartbeatRequest,
) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "worker_id", &request.worker_id)?;
    border::payload(limits, "health_info", &request.health_info)?;
    let mut worker = find(ctx, caller.org_id, &request.worker_id)?
        .filter(|worker| worker.registration.is_some())
        .ok_or_else(|| not_found("registered worker", &request.worker_id))?;
    worker.last_seen_ms = ctx.now_ms;
    ctx.tx.put_worker(&worker)?;
    Ok(reply_empty())
}

/// RegisterWorker: made or changed by its name. Several processes may share a name, so a registration takes no kind
/// away while the worker is alive.
pub(crate) fn register(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: WorkerRegistrationRequest,
) -> Result<Answer, Status> {
    check(ctx, &request)?;
    let mut queries = queries(ctx, caller, &request)?;
    let mut worker = match ctx.tx.worker_by_name(caller.org_id, &request.worker_name)? {
        Some(worker) => worker,
        None => create(ctx, caller.org_id, request.worker_name)?,
    };
    let mut workflow_kinds: BTreeSet<_> = request.workflows.iter().map(|workflow| workflow.kind.clone()).collect();
    let mut task_kinds: BTreeSet<_> = request.tasks.iter().map(|task| task.kind.clone()).collect();
    let mut workflow_timeouts_ms: BTreeMap<_, _> = request.workflows.iter().filter_map(timeout_of).collect();
    let alive = is_alive(ctx, &worker);
    let before = worker.registration.take();
    for query in before.iter().filter(|_| !alive).flat_map(|before| before.queries.difference(&queries)) {
        ctx.tx.remove_query_worker(worker.key, query)?;
    }
    if let Some(before) = before.filter(|_| alive) {
        queries.extend(before.queries);
        let others = before.workflow_timeouts_ms.into_iter().filter(|(kind, _)| !workflow_kinds.contains(kind));
        workflow_timeouts_ms.extend(others);
        workflow_kinds.extend(before.workflow_kinds);
        task_kinds.extend(before.task_kinds);
    }
    for query in &queries {
        ctx.tx.put_query_worker(worker.key, query)?;
    }
    worker.last_seen_ms = ctx.now_ms;
    worker.registration = Some(Registration {
        version: request.worker_version,
        worker_type: request.worker_type,
        host_name: request.host_name,
        process_id: request.process_id,
        registered_at_ms: ctx.now_ms,
        workflow_kinds,
        workflow_timeouts_ms,
        queries,
        task_kinds,
        metadata: border::payload(&ctx.config.limits, "metadata", &request.metadata)?,
    });
    ctx.tx.put_worker(&worker)?;
    // Polls of it that are parked can take what they could not before.
    ctx.tx.wake(WaitKey::registration(worker.key).into());
    let conflicts = definitions::define(ctx, worker.key, request.workflows, request.tasks)?;
    Ok(reply(&WorkerRegistrationResponse {
        worker_id: worker.key.id.to_string(),
        success: true,
        workflow_conflicts: conflicts,
        ..WorkerRegistrationResponse::default()
    }))
}

/// The kind and the timeout of a workflow that has one.
fn timeout_of(workflow: &WorkflowCapability) -> Option<(String, i64)> {
    let seconds = workflow.timeout_seconds.filter(|seconds| *seconds > 0)?;
    Some((workflow.kind.clone(), i64::from(seconds) * 1_000))
}

/// The queries that the worker says it answers.
fn queries(
    ctx: &Ctx<'_>,
    caller: &Caller<'_>,
    request: &WorkerRegistrationRequest,
) -> Result<BTreeSet<String>, Status> {
    let mut queries = BTreeSet::new();
    if caller.extended {
        for (index, workflow) in request.workflows.iter().enumerate() {
            for name in &workflow.query_names {
                border::name(&ctx.config.limits, &alloc::format!("workflows[{index}].query_names"), name)?;
                queries.insert(queries::ready_kind(&workflow.kind, name));
            }
        }
    }
    Ok(queries)
}

fn check(ctx: &Ctx<'_>, request: &WorkerRegistrationRequest) -> Result<(), Status> {
    let limits = &ctx.config.limits;
    border::name(limits, "worker_name", &request.worker_name)?;
    for (field, text) in [
        ("worker_version", &request.worker_version),
        ("worker_type", &request.worker_type),
        ("host_name", &request.host_name),
        ("process_id", &request.process_id),
    ] {
        border::at_most(field, text.len(), limits.name_bytes_max)?;
    }
    Ok(())
}
