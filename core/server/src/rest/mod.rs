//! REST: JSON in camelCase with times of RFC 3339. Each route is a call of the contract in other clothes.

mod actions;
mod call;
mod caller;
mod error;
mod health;
mod json;
mod listing;
mod promises;
mod streams;
mod task;
mod tasks;
mod workers;
mod workflows;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use flovyn_protocol::status::Status;

use crate::server::App;

pub(crate) use error::RestError;

/// The routes, and a 404 in our shape for every other path.
pub(crate) fn router(app: Arc<App>) -> Router {
    let of_org = Router::new()
        .route("/workflow-executions", post(workflows::start).get(listing::list))
        .route("/workflow-executions/signal-with-start", post(actions::signal_with_start))
        .route("/workflow-executions/{id}", get(workflows::describe))
        .route("/workflow-executions/{id}/events", get(workflows::events))
        .route("/workflow-executions/{id}/state", get(listing::state))
        .route("/workflow-executions/{id}/tasks", get(tasks::of_execution))
        .route("/workflow-executions/{id}/children", get(listing::children))
        .route("/workflow-executions/{id}/stream", get(streams::of_execution))
        .route("/workflow-executions/{id}/stream/consolidated", get(streams::consolidated))
        .route("/workflow-executions/{id}/cancel", post(actions::cancel))
        .route("/workflow-executions/{id}/signal", post(actions::signal))
        .route("/task-executions", post(tasks::submit).get(tasks::list))
        .route("/task-executions/{id}", get(task::describe).delete(task::cancel))
        .route("/task-executions/{id}/attempts", get(task::attempts))
        .route("/task-executions/{id}/logs", get(task::logs))
        .route("/task-executions/{id}/stream", get(streams::of_task))
        .route("/workers", get(workers::list))
        .route("/workers/{worker}", get(workers::describe))
        .route("/workflow-definitions", get(workers::workflow_definitions))
        .route("/task-definitions", get(workers::task_definitions))
        .route("/promises/{promise}/resolve", post(promises::resolve))
        .route("/promises/{promise}/reject", post(promises::reject));
    Router::new()
        .route("/_/health", get(health::health))
        .nest("/api/orgs/{slug}", of_org)
        .fallback(async || RestError::from(Status::not_found("no such path")))
        .method_not_allowed_fallback(async || RestError::from(Status::unimplemented("no such method on this path")))
        .layer(DefaultBodyLimit::max(app.http.body_bytes_max))
        .with_state(app)
}
