//! Queries: questions to an execution that change nothing of it. A worker that registered the query answers it if one
//! is alive and takes it in time; else the answer is the value under the key of the state that has the query's name, null
//! if there is none. But null is no answer where a worker would have known one: then the query fails.

use alloc::{
    format,
    string::{String, ToString},
    vec,
};

use flovyn_protocol::messages::{
    PollResponse, QueryTask, QueryWorkflowRequest, QueryWorkflowResponse, StateEntry, ext::AnswerQueryRequest,
};
use uuid::Uuid;

use crate::{
    Answer, Code, Status, Undelivered, border,
    claims::Due,
    context::{Caller, Ctx, not_found, reply, reply_empty},
    execution,
    polling::Poll,
    state,
    store::{
        Deadline, DeadlineKey, Execution, Key, KindSet, QueryAnswer, QueryRecord, QueryState, ReadyEntry, ReadyQueue,
        WaitKey, Wake, Work, WorkerRecord,
    },
    workers,
};

/// So many of the workers that registered a query are looked at, the newest first, to find one that is alive.
const WORKERS_MAX: usize = 32;

/// A query is kept this much longer than anybody waits for it, so that all who wait find how it went.
const KEPT_MS: i64 = 1_000;

/// The query whose answer is the whole state.
const WHOLE_STATE: &str = "__state";

/// A query as what can wait in a queue is told apart: of a workflow.
pub(crate) fn ready_kind(workflow_kind: &str, name: &str) -> String {
    // The length keeps apart what would look the same.
    format!("{}:{workflow_kind}:{name}", workflow_kind.len())
}

pub(crate) fn queue(org_id: Uuid, name: String) -> ReadyQueue {
    ReadyQueue { work: Work::Query, org_id, name }
}

/// QueryWorkflow.
pub(crate) fn query(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: QueryWorkflowRequest) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    let id = border::id("workflow_execution_id", &request.workflow_execution_id)?;
    border::name(limits, "query_name", &request.query_name)?;
    let params = border::payload(limits, "params", &request.params)?;
    let execution = execution::load(ctx, caller.key(id))?;
    let name = request.query_name;
    if name == WHOLE_STATE {
        return whole_state(ctx, &execution);
    }
    // Of what the request is and when it came, so that it finds its query again when it is asked again.
    let text = format!("{name}\n{}\n{}", caller.attempt.first_ms, params.as_json());
    let key = caller.key(Uuid::new_v5(&id, text.as_bytes()));
    let query = match ctx.tx.query(key)? {
        Some(query) => query,
        None if is_over(ctx, caller) => match ctx.tx.state_value(execution.key, &name)? {
            Some(result) => return Ok(respond(QueryAnswer { result, error: None })),
            None => return Err(forgotten(ctx, caller, id, &name)),
        },
        None if !is_answered_by_workers(ctx, &execution, &name)? => {
            let result = ctx.tx.state_value(execution.key, &name)?.unwrap_or_default();
            return Ok(respond(QueryAnswer { result, error: None }));
        }
        None => {
            let (asked_at_ms, queries) = (caller.attempt.first_ms, &ctx.config.queries);
            let query = QueryRecord {
                key,
                execution_id: id,
                kind: execution.kind,
                queue: execution.queue,
                name,
                params,
                take_by_ms: asked_at_ms.saturating_add(queries.take_ms.min(queries.wait_ms)),
                expires_at_ms: asked_at_ms.saturating_add(queries.wait_ms),
                state: QueryState::Offered,
            };
            ask(ctx, &query)?;
            query
        }
    };
    look(ctx, caller, query)
}

fn whole_state(ctx: &mut Ctx<'_>, execution: &Execution) -> Result<Answer, Status> {
    let bytes_max = ctx.config.queries.state_bytes_max;
    let Some(state) = ctx.tx.state(execution.key, bytes_max)? else {
        return Err(too_large(ctx, execution.key.id));
    };
    Ok(respond(QueryAnswer { result: state::to_object(&state)?, error: None }))
}

fn too_large(ctx: &Ctx<'_>, execution_id: Uuid) -> Status {
    Status::resource_exhausted(format!(
        "the state of execution {execution_id} has more than {} bytes, which is too much for one message: ask for \
         single keys of it",
        ctx.config.queries.state_bytes_max
    ))
}

/// How far a query has come, and what that means to whoever asked.
fn look(ctx: &mut Ctx<'_>, caller: &Caller<'_>, query: QueryRecord) -> Result<Answer, Status> {
    let is_on_its_way = match query.state {
        QueryState::Answered(answer) => return Ok(respond(answer)),
        QueryState::TooLarge => return Err(too_large(ctx, query.execution_id)),
        QueryState::Offered => ctx.now_ms < query.take_by_ms,
        QueryState::Taken => true,
    };
    if is_on_its_way && let Some(park) = caller.park(ctx, ctx.config.queries.wait_ms, vec![WaitKey::query(query.key)]) {
        return Ok(park);
    }
    if query.state == QueryState::Offered {
        let execution = Key { org_id: query.key.org_id, id: query.execution_id };
        if let Some(result) = ctx.tx.state_value(execution, &query.name)? {
            forget(ctx, query.key)?;
            return Ok(respond(QueryAnswer { result, error: None }));
        }
    }
    Err(unanswered(ctx, caller, &query))
}

fn unanswered(ctx: &Ctx<'_>, caller: &Caller<'_>, query: &QueryRecord) -> Status {
    let QueryRecord { execution_id, name, queue, .. } = query;
    let waited_ms = ctx.now_ms.saturating_sub(caller.attempt.first_ms);
    let message = match query.state {
        QueryState::Offered if ctx.now_ms < query.take_by_ms => {
            let message = format!(
                "query {name:?} of execution {execution_id} could not wait for a worker: as many requests of this key \
                 wait as may, or the server is shutting down; try again"
            );
            return Status::new(Code::Unavailable, message);
        }
        QueryState::Offered => format!(
            "query {name:?} of execution {execution_id}: no worker has taken it within {waited_ms} ms, and the state has \
             no such key; is a worker running that polls queue {queue:?}?"
        ),
        _ => format!(
            "query {name:?} of execution {execution_id}: the worker that took it has not answered within {waited_ms} ms"
        ),
    };
    Status::new(Code::DeadlineExceeded, message)
}

/// Whether a query that is not known any more was asked so long ago that it was forgotten: after a sleep of the host, or
/// of an embedded engine, nobody can tell who would have answered it.
fn is_over(ctx: &Ctx<'_>, caller: &Caller<'_>) -> bool {
    ctx.now_ms.saturating_sub(caller.attempt.first_ms) > ctx.config.queries.wait_ms
}

fn forgotten(ctx: &Ctx<'_>, caller: &Caller<'_>, execution_id: Uuid, name: &str) -> Status {
    let waited_ms = ctx.now_ms.saturating_sub(caller.attempt.first_ms);
    let message = format!("query {name:?} of execution {execution_id}: nobody has answered it within {waited_ms} ms");
    Status::new(Code::DeadlineExceeded, message)
}

fn respond(answer: QueryAnswer) -> Answer {
    reply(&QueryWorkflowResponse { result: answer.result.to_bytes(), error: answer.error })
}

fn is_answered_by_workers(ctx: &mut Ctx<'_>, execution: &Execution, name: &str) -> Result<bool, Status> {
    let org_id = execution.key.org_id;
    let query = ready_kind(&execution.kind, name);
    for id in ctx.tx.query_workers(org_id, &query, WORKERS_MAX)? {
        if let Some(worker) = ctx.tx.worker(Key { org_id, id })?
            && workers::is_alive(ctx, &worker)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts a query where workers find it.
fn ask(ctx: &mut Ctx<'_>, query: &QueryRecord) -> Result<(), Status> {
    let max = ctx.config.queries.pending_max;
    if ctx.tx.count_queries(query.key.org_id, max)? >= max {
        return Err(Status::resource_exhausted(format!(
            "{max} queries wait for workers, as many as may: try again later, or ask for what is in the state"
        )));
    }
    ctx.tx.put_query(query)?;
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Query(query.key), due_ms: query.take_by_ms })?;
    make_ready(ctx, query)
}

fn make_ready(ctx: &mut Ctx<'_>, query: &QueryRecord) -> Result<(), Status> {
    let queue = queue(query.key.org_id, query.queue.clone());
    let kind = ready_kind(&query.kind, &query.name);
    ctx.tx.wake(Wake { key: WaitKey::queue(&queue), first: None, kinds: KindSet::of(&kind) });
    ctx.tx.put_ready(&ReadyEntry {
        queue,
        id: query.key.id,
        kind,
        rank_ms: ctx.now_ms,
        worker: None,
        ready_at_ms: ctx.now_ms,
    })?;
    Ok(())
}

/// The first query that waits for the worker that polls.
pub(crate) fn take(
    ctx: &mut Ctx<'_>,
    poll: &Poll,
    worker: Option<&WorkerRecord>,
) -> Result<Option<(PollResponse, Undelivered)>, Status> {
    let Some(queries) = worker.and_then(|worker| worker.registration.as_ref()).map(|known| &known.queries) else {
        return Ok(None);
    };
    let queue = queue(poll.queue.org_id, poll.queue.name.clone());
    while let Some(key) = ctx.tx.take_ready(&queue, Some(queries), None)? {
        // What nobody waits for any more is on its way out.
        if let Some(query) = ctx.tx.query(key)?.filter(|query| query.expires_at_ms > ctx.now_ms)
            && let Some(query) = hand_out(ctx, query)?
        {
            let response = PollResponse { query: Some(query), ..PollResponse::default() };
            return Ok(Some((response, Undelivered { work: Work::Query, key, token: String::new() })));
        }
    }
    Ok(None)
}

/// The query as the worker gets it; `None` if that would be too large.
fn hand_out(ctx: &mut Ctx<'_>, mut query: QueryRecord) -> Result<Option<QueryTask>, Status> {
    let execution = execution::load(ctx, Key { org_id: query.key.org_id, id: query.execution_id })?;
    let Some(state) = ctx.tx.state(execution.key, ctx.config.queries.state_bytes_max)? else {
        query.state = QueryState::TooLarge;
        ctx.tx.put_query(&query)?;
        ctx.tx.wake(WaitKey::query(query.key).into());
        return Ok(None);
    };
    query.state = QueryState::Taken;
    ctx.tx.put_query(&query)?;
    Ok(Some(QueryTask {
        query_id: query.key.id.to_string(),
        workflow_execution_id: query.execution_id.to_string(),
        workflow_kind: query.kind,
        query_name: query.name,
        params: query.params.to_bytes(),
        state: state.into_iter().map(|(key, value)| StateEntry { key, value: value.to_bytes() }).collect(),
        workflow_version: execution.version,
        current_sequence: execution.current_sequence,
        parent_workflow_execution_id: execution.parent.map(|parent| parent.id.to_string()),
    }))
}

/// AnswerQuery. The first answer counts.
pub(crate) fn answer(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: AnswerQueryRequest) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    let key = caller.key(border::id("query_id", &request.query_id)?);
    let result = border::payload(limits, "result", &request.result)?;
    border::long_text(limits, "error", request.error.as_deref().unwrap_or_default())?;
    let waiting = ctx
        .tx
        .query(key)?
        .filter(|query| query.expires_at_ms > ctx.now_ms || matches!(query.state, QueryState::Answered(_)));
    let mut query = waiting.ok_or_else(|| not_found("query that somebody waits for", key.id))?;
    if !matches!(query.state, QueryState::Answered(_)) {
        ctx.tx.remove_ready(Work::Query, key)?;
        query.state = QueryState::Answered(QueryAnswer { result, error: request.error });
        // Whoever waits for it is woken now.
        query.expires_at_ms = ctx.now_ms;
        ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Query(key), due_ms: forget_at_ms(&query) })?;
        ctx.tx.put_query(&query)?;
        ctx.tx.wake(WaitKey::query(key).into());
    }
    Ok(reply_empty())
}

/// The answer with this query did not reach its worker.
pub(crate) fn undelivered(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    let Some(query) = ctx.tx.query(key)?.filter(|query| query.state == QueryState::Taken) else { return Ok(()) };
    let query = QueryRecord { state: QueryState::Offered, ..query };
    ctx.tx.put_query(&query)?;
    if ctx.now_ms < query.take_by_ms {
        return make_ready(ctx, &query);
    }
    ctx.tx.wake(WaitKey::query(key).into());
    Ok(())
}

/// The time is over that workers have to take it, or that somebody waits for it.
pub(crate) fn due(ctx: &mut Ctx<'_>, key: Key) -> Result<Due, Status> {
    let Some(query) = ctx.tx.query(key)? else { return Ok(Due::Done) };
    if ctx.now_ms >= forget_at_ms(&query) {
        forget(ctx, key)?;
        return Ok(Due::Done);
    }
    if query.state == QueryState::Offered {
        ctx.tx.remove_ready(Work::Query, key)?;
        ctx.tx.wake(WaitKey::query(key).into());
    }
    Ok(Due::AgainAt(forget_at_ms(&query)))
}

fn forget_at_ms(query: &QueryRecord) -> i64 {
    query.expires_at_ms.saturating_add(KEPT_MS)
}

/// Nobody waits for it any more.
fn forget(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    ctx.tx.remove_ready(Work::Query, key)?;
    ctx.tx.remove_query(key)?;
    ctx.tx.remove_deadline(&DeadlineKey::Query(key))?;
    Ok(())
}
