use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
};
use flovyn_protocol::messages::{
    SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse, SignalWorkflowRequest, SignalWorkflowResponse,
    ext::{CancelWorkflowRequest, DescribeWorkflowRequest, WorkflowDescription},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{RestError, call::call, caller::OrgCaller, json::JsonBody};
use crate::server::App;

/// The body of `POST /workflow-executions/{id}/cancel`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelBody {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    force: bool,
    #[serde(alias = "cascade_to_children")]
    cascade_to_children: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    workflow_execution_id: String,
    status: String,
}

/// `POST /workflow-executions/{id}/cancel`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody<CancelBody>,
) -> Result<Json<Asked>, RestError> {
    let request = CancelWorkflowRequest {
        workflow_execution_id: id.clone(),
        reason: body.reason,
        force: body.force,
        cascade_to_children: body.cascade_to_children,
    };
    let _: () = call(&app, &caller, "/flovyn.ext.v1.Extensions/CancelWorkflow", &request).await?;
    let request = DescribeWorkflowRequest { workflow_execution_id: id };
    let found: WorkflowDescription =
        call(&app, &caller, "/flovyn.ext.v1.Extensions/DescribeWorkflow", &request).await?;
    Ok(Json(Asked { workflow_execution_id: found.workflow_execution_id, status: found.status }))
}

/// The body of `POST /workflow-executions/{id}/signal`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignalBody {
    #[serde(alias = "signal_name")]
    signal_name: String,
    #[serde(alias = "signal_value")]
    signal_value: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signalled {
    signal_event_sequence: i64,
}

/// `POST /workflow-executions/{id}/signal`.
pub(super) async fn signal(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    Path((_, id)): Path<(String, String)>,
    JsonBody(body): JsonBody<SignalBody>,
) -> Result<Json<Signalled>, RestError> {
    let request = SignalWorkflowRequest {
        workflow_execution_id: id,
        signal_name: body.signal_name,
        signal_value: bytes(body.signal_value),
        ..SignalWorkflowRequest::default()
    };
    let answer: SignalWorkflowResponse =
        call(&app, &caller, "/flovyn.v1.WorkflowDispatch/SignalWorkflow", &request).await?;
    Ok(Json(Signalled { signal_event_sequence: answer.signal_event_sequence }))
}

/// The body of `POST /workflow-executions/signal-with-start`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignalWithStartBody {
    #[serde(alias = "workflow_id")]
    workflow_id: String,
    #[serde(alias = "workflow_kind", alias = "kind")]
    workflow_kind: String,
    #[serde(alias = "workflow_input", alias = "input")]
    workflow_input: Option<Box<RawValue>>,
    queue: Option<String>,
    #[serde(alias = "priority_seconds")]
    priority_seconds: Option<i32>,
    #[serde(alias = "workflow_version", alias = "version")]
    workflow_version: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    #[serde(alias = "signal_name")]
    signal_name: String,
    #[serde(alias = "signal_value")]
    signal_value: Option<Box<RawValue>>,
    /// In seconds.
    #[serde(rename = "idempotencyKeyTTL", alias = "idempotency_key_ttl")]
    idempotency_key_ttl: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignalledOrStarted {
    workflow_execution_id: String,
    workflow_created: bool,
    signal_event_sequence: i64,
}

/// `POST /workflow-executions/signal-with-start`: 201 if an execution was started for the signal, else 200.
pub(super) async fn signal_with_start(
    State(app): State<Arc<App>>,
    OrgCaller(caller): OrgCaller,
    JsonBody(body): JsonBody<SignalWithStartBody>,
) -> Result<(StatusCode, Json<SignalledOrStarted>), RestError> {
    let request = SignalWithStartWorkflowRequest {
        workflow_id: body.workflow_id,
        workflow_kind: body.workflow_kind,
        workflow_input: bytes(body.workflow_input),
        queue: body.queue.unwrap_or_default(),
        priority_seconds: body.priority_seconds.unwrap_or_default(),
        workflow_version: body.workflow_version,
        metadata: body.metadata.into_iter().collect(),
        signal_name: body.signal_name,
        signal_value: bytes(body.signal_value),
        idempotency_key_ttl_seconds: body.idempotency_key_ttl,
        ..SignalWithStartWorkflowRequest::default()
    };
    let answer: SignalWithStartWorkflowResponse =
        call(&app, &caller, "/flovyn.v1.WorkflowDispatch/SignalWithStartWorkflow", &request).await?;
    let code = if answer.workflow_created { StatusCode::CREATED } else { StatusCode::OK };
    let answer = SignalledOrStarted {
        workflow_execution_id: answer.workflow_execution_id,
        workflow_created: answer.workflow_created,
        signal_event_sequence: answer.signal_event_sequence,
    };
    Ok((code, Json(answer)))
}

fn bytes(value: Option<Box<RawValue>>) -> Vec<u8> {
    value.map(|value| value.get().as_bytes().to_vec()).unwrap_or_default()
}
