use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use flovyn_orchestrator::{self as orchestrator, Key, Principal, PromiseState, Request};
use flovyn_protocol::{
    ids,
    messages::{RejectPromiseRequest, ResolvePromiseRequest},
    status::Status,
};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{RestError, caller::OrgCaller, json::JsonBody};
use crate::{auth::Caller, clock, host::Attempt, server::App};

/// The body of `POST /promises/id:{uuid}/resolve`.
#[derive(Deserialize)]
pub(super) struct ResolveBody {
    value: Option<Box<RawValue>>,
}

/// The body of `POST /promises/id:{uuid}/reject`.
#[derive(Deserialize)]
pub(super) struct RejectBody {
    error: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settled {
    resolved: bool,
    already_resolved: bool,
    promise_id: Uuid,
}

/// `POST /promises/id:{uuid}/resolve`.
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, promise)): Path<(String, String)>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<Settled>, RestError> {
    let id = promise_id(&promise)?;
    let value = body.value.map(|value| value.get().as_bytes().to_vec()).unwrap_or_default();
    let request = ResolvePromiseRequest { promise_id: id.to_string(), value };
    settle(&app, caller, id, "/flovyn.v1.WorkflowDispatch/ResolvePromise", request.encode_to_vec()).await
}

/// `POST /promises/id:{uuid}/reject`.
pub(super) async fn reject(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, promise)): Path<(String, String)>,
    JsonBody(body): JsonBody<RejectBody>,
) -> Result<Json<Settled>, RestError> {
    let id = promise_id(&promise)?;
    let request = RejectPromiseRequest { promise_id: id.to_string(), error: body.error };
    settle(&app, caller, id, "/flovyn.v1.WorkflowDispatch/RejectPromise", request.encode_to_vec()).await
}

async fn settle(
    app: &App,
    caller: Caller,
    id: Uuid,
    method: &'static str,
    body: Vec<u8>,
) -> Result<Json<Settled>, RestError> {
    let already_resolved = app
        .host
        .run(move |rules, attempt| {
            let was_settled = is_settled(&caller.principal, id, attempt)?;
            let request = Request {
                method,
                body: &body,
                extended: true,
                claim: None,
                deadline_ms: None,
                attempt: orchestrator::Attempt::first(clock::now_ms()),
            };
            orchestrator::handle(rules, &request, &caller.principal, &mut attempt.env, attempt.tx)?;
            Ok(was_settled)
        })
        .await?;
    Ok(Json(Settled { resolved: !already_resolved, already_resolved, promise_id: id }))
}

/// Read in the same transaction, since the contract's answer does not tell.
fn is_settled(principal: &Principal, id: Uuid, attempt: &mut Attempt<'_>) -> Result<bool, Status> {
    let promise = attempt.tx.promise(Key { org_id: principal.org_id, id })?;
    Ok(promise.is_some_and(|promise| promise.state != PromiseState::Pending))
}

/// The promise of a path: `id:{uuid}`.
fn promise_id(text: &str) -> Result<Uuid, Status> {
    match text.split_once(':') {
        Some(("id", id)) => ids::parse(id).map_err(|error| Status::invalid_argument(error.to_string())),
        Some(("key", _)) => Err(Status::unimplemented(
            "this server settles promises by id over REST: use /promises/id:{uuid}/..., or gRPC for keys",
        )),
        _ => Err(Status::invalid_argument(format!("expected id:{{uuid}} in the path, got {text:?}"))),
    }
}
