use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use flovyn_orchestrator::{
    self as orchestrator, IdempotencyKey, IdempotencySpace, Key, Principal, PromiseState, Request,
};
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

/// The body of `POST /promises/{promise}/resolve`.
#[derive(Deserialize)]
pub(super) struct ResolveBody {
    value: Option<Box<RawValue>>,
}

/// The body of `POST /promises/{promise}/reject`.
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

/// `POST /promises/id:{uuid}/resolve` and `POST /promises/key:{key}/resolve`.
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, promise)): Path<(String, String)>,
    JsonBody(body): JsonBody<ResolveBody>,
) -> Result<Json<Settled>, RestError> {
    let named = Named::parse(&promise)?;
    let value = body.value.map(|value| value.get().as_bytes().to_vec()).unwrap_or_default();
    let body = move |id: Uuid| ResolvePromiseRequest { promise_id: id.to_string(), value }.encode_to_vec();
    settle(&app, caller, named, "/flovyn.v1.WorkflowDispatch/ResolvePromise", body).await
}

/// `POST /promises/id:{uuid}/reject` and `POST /promises/key:{key}/reject`.
pub(super) async fn reject(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, promise)): Path<(String, String)>,
    JsonBody(body): JsonBody<RejectBody>,
) -> Result<Json<Settled>, RestError> {
    let named = Named::parse(&promise)?;
    let body = move |id: Uuid| RejectPromiseRequest { promise_id: id.to_string(), error: body.error }.encode_to_vec();
    settle(&app, caller, named, "/flovyn.v1.WorkflowDispatch/RejectPromise", body).await
}

async fn settle(
    app: &App,
    caller: Caller,
    named: Named,
    method: &'static str,
    body: impl FnOnce(Uuid) -> Vec<u8> + Send + 'static,
) -> Result<Json<Settled>, RestError> {
    let (promise_id, already_resolved) = app
        .host
        .run(move |rules, attempt| {
            let id = named.find(&caller.principal, attempt)?;
            let was_settled = is_settled(&caller.principal, id, attempt)?;
            let request = Request {
                method,
                body: &body(id),
                extended: true,
                claim: None,
                deadline_ms: None,
                attempt: orchestrator::Attempt::first(clock::now_ms()),
            };
            orchestrator::handle(rules, &request, &caller.principal, &mut attempt.env, attempt.tx)?;
            Ok((id, was_settled))
        })
        .await?;
    Ok(Json(Settled { resolved: !already_resolved, already_resolved, promise_id }))
}

/// Read in the same transaction, since the contract's answer does not tell.
fn is_settled(principal: &Principal, id: Uuid, attempt: &mut Attempt<'_>) -> Result<bool, Status> {
    let promise = attempt.tx.promise(Key { org_id: principal.org_id, id })?;
    Ok(promise.is_some_and(|promise| promise.state != PromiseState::Pending))
}

/// The promise of a path.
enum Named {
    /// `id:{uuid}`.
    Id(Uuid),
    /// `key:{key}`: its idempotency key.
    Key(String),
}

impl Named {
    fn parse(text: &str) -> Result<Self, Status> {
        match text.split_once(':') {
            Some(("id", id)) => {
                ids::parse(id).map(Self::Id).map_err(|error| Status::invalid_argument(error.to_string()))
            }
            Some(("key", key)) if !key.is_empty() => Ok(Self::Key(key.to_owned())),
            _ => {
                Err(Status::invalid_argument(format!("expected id:{{uuid}} or key:{{key}} in the path, got {text:?}")))
            }
        }
    }

    fn find(self, principal: &Principal, attempt: &mut Attempt<'_>) -> Result<Uuid, Status> {
        let text = match self {
            Self::Id(id) => return Ok(id),
            Self::Key(text) => text,
        };
        let key = IdempotencyKey { org_id: principal.org_id, space: IdempotencySpace::Promise, text };
        match attempt.tx.idempotency(&key)? {
            Some(known) if known.expires_at_ms > attempt.env.now_ms => Ok(known.target_id),
            _ => Err(Status::not_found(format!("no promise with the idempotency key {:?}", key.text))),
        }
    }
}
