//! Queries: questions to an execution that change nothing of it. A worker that registered the query answers it if one
//! is alive; else the answer is the value under the key of the state that has the query's name, null if there is none.

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
    context::{Caller, Ctx, not_found, reply, reply_empty},
    execution,
    polling::Poll,
    state,
    store::{
        Deadline, DeadlineKey, Execution, Key, QueryAnswer, QueryRecord, ReadyEntry, ReadyQueue, WaitKey, Work,
        WorkerRecord,
    },
    workers,
};

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
        let state = ctx.tx.state(execution.key)?;
        return Ok(respond(QueryAnswer { result: state::to_object(&state)?, error: None }));
    }
    // Of what the request is and when it came, so that it finds its query again when it is asked again.
    let text = format!("{name}\n{}\n{}", caller.attempt.first_ms, params.as_json());
    let key = caller.key(Uuid::new_v5(&id, text.as_bytes()));
    match ctx.tx.query(key)? {
        Some(QueryRecord { answer: Some(answer), .. }) => return Ok(respond(answer)),
        Some(_) => {}
        None if is_answered_by_workers(ctx, &execution, &name)? => {
            let expires_at_ms = caller.attempt.first_ms.saturating_add(ctx.config.queries.wait_ms);
            let (kind, queue) = (execution.kind, execution.queue);
            let query = QueryRecord {
                key,
                execution_id: id,
                kind,
                queue,
                name: name.clone(),
                params,
                expires_at_ms,
                answer: None,
            };
            ask(ctx, &query)?;
        }
        None => {
            let result = ctx.tx.state_value(execution.key, &name)?.unwrap_or_default();
            return Ok(respond(QueryAnswer { result, error: None }));
        }
    }
    let wait_ms = ctx.config.queries.wait_ms;
    caller.park(ctx, wait_ms, vec![WaitKey::query(key)]).ok_or_else(|| {
        let message = format!(
            "query {name:?} of execution {id}: no worker has answered within {wait_ms} ms; is one running that polls \
             the queue of the execution?"
        );
        Status::new(Code::DeadlineExceeded, message)
    })
}

fn respond(answer: QueryAnswer) -> Answer {
    reply(&QueryWorkflowResponse { result: answer.result.to_bytes(), error: answer.error })
}

fn is_answered_by_workers(ctx: &mut Ctx<'_>, execution: &Execution, name: &str) -> Result<bool, Status> {
    let org_id = execution.key.org_id;
    let query = ready_kind(&execution.kind, name);
    for id in ctx.tx.query_workers(org_id, &query)? {
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
    ctx.tx.put_query(query)?;
    ctx.tx.put_deadline(&Deadline { key: DeadlineKey::Query(query.key), due_ms: query.expires_at_ms })?;
    make_ready(ctx, query)
}

fn make_ready(ctx: &mut Ctx<'_>, query: &QueryRecord) -> Result<(), Status> {
    let queue = queue(query.key.org_id, query.queue.clone());
    ctx.tx.wake(WaitKey::queue(&queue).into());
    ctx.tx.put_ready(&ReadyEntry {
        queue,
        id: query.key.id,
        kind: ready_kind(&query.kind, &query.name),
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
        if let Some(query) = ctx.tx.query(key)?.filter(|query| query.expires_at_ms > ctx.now_ms) {
            let query = describe(ctx, query)?;
            let response = PollResponse { query: Some(query), ..PollResponse::default() };
            return Ok(Some((response, Undelivered { work: Work::Query, key, token: String::new() })));
        }
    }
    Ok(None)
}

fn describe(ctx: &mut Ctx<'_>, query: QueryRecord) -> Result<QueryTask, Status> {
    let execution = execution::load(ctx, Key { org_id: query.key.org_id, id: query.execution_id })?;
    let state = ctx.tx.state(execution.key)?;
    Ok(QueryTask {
        query_id: query.key.id.to_string(),
        workflow_execution_id: query.execution_id.to_string(),
        workflow_kind: query.kind,
        query_name: query.name,
        params: query.params.to_bytes(),
        state: state.into_iter().map(|(key, value)| StateEntry { key, value: value.to_bytes() }).collect(),
        workflow_version: execution.version,
        current_sequence: execution.current_sequence,
        parent_workflow_execution_id: execution.parent.map(|parent| parent.id.to_string()),
    })
}

/// AnswerQuery. The first answer counts.
pub(crate) fn answer(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: AnswerQueryRequest) -> Result<Answer, Status> {
    let limits = &ctx.config.limits;
    let key = caller.key(border::id("query_id", &request.query_id)?);
    let result = border::payload(limits, "result", &request.result)?;
    border::long_text(limits, "error", request.error.as_deref().unwrap_or_default())?;
    let waiting = ctx.tx.query(key)?.filter(|query| query.expires_at_ms > ctx.now_ms);
    let mut query = waiting.ok_or_else(|| not_found("query that somebody waits for", key.id))?;
    if query.answer.is_none() {
        query.answer = Some(QueryAnswer { result, error: request.error });
        ctx.tx.put_query(&query)?;
        ctx.tx.wake(WaitKey::query(key).into());
    }
    Ok(reply_empty())
}

/// The answer with this query did not reach its worker.
pub(crate) fn undelivered(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    match ctx.tx.query(key)? {
        Some(query) if query.answer.is_none() => make_ready(ctx, &query),
        _ => Ok(()),
    }
}

/// Nobody waits for it any more.
pub(crate) fn forget(ctx: &mut Ctx<'_>, key: Key) -> Result<(), Status> {
    ctx.tx.remove_ready(Work::Query, key)?;
    ctx.tx.remove_query(key)?;
    Ok(())
}
