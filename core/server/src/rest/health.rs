use axum::Json;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
}

/// `GET /_/health`, without authentication.
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "UP", version: env!("CARGO_PKG_VERSION") })
}
