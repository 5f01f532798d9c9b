//! HTTP: one port for native gRPC, gRPC-Web and REST, over HTTP/1.1 and HTTP/2 in clear text.
//!
//! ```text
//!   TCP ──> connection ──> CORS ──> local pages only (without auth) ──┬─ content type application/grpc* ──> grpc
//!                                                                     └─ everything else ───────────────> rest
//! ```

mod connections;
mod local;
mod service;

pub(crate) use connections::Connections;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use flovyn_protocol::metadata;
use http::{HeaderName, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{grpc, rest, server::App};

/// Everything a port serves.
fn router(app: Arc<App>) -> Router {
    let auth_required = app.auth_required;
    let router = rest::router(Arc::clone(&app)).layer(middleware::from_fn_with_state(app, split_off_grpc));
    let router = match auth_required {
        true => router,
        false => router.layer(middleware::from_fn(local::refuse_foreign_pages)),
    };
    router.layer(cors(auth_required))
}

async fn split_off_grpc(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match grpc::recognises(request.headers()) {
        true => grpc::serve(&app, request).await,
        false => next.run(request).await,
    }
}

/// With keys, pages of any origin may call, since they must bring one; without, only local ones.
fn cors(auth_required: bool) -> CorsLayer {
    let exposed = ["grpc-status", "grpc-message", "grpc-status-details-bin", metadata::EXT];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            auth_required || local::is_local_origin(origin.as_bytes())
        }))
        // Mirrored, since the wildcard does not cover `authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_secs(24 * 60 * 60))
}
