//! gRPC and gRPC-Web as bytes: a call is a method path, a message and metadata, and so is its answer. What the bytes
//! mean is the orchestrator's business, so one handler serves every method of every service.

mod metadata;
mod request;
mod response;
mod subscribe;
mod wire;
mod worker;

use std::time::{Duration, Instant};

use axum::body::Body;
use flovyn_protocol::status::{Code, Status};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, request::Parts};

use self::{
    metadata::{Metadata, is_extended},
    wire::{Recognised, Wire},
};
use crate::{
    clock,
    host::{Call, Presence},
    server::App,
};

/// The paths of the calls beyond the contract.
const EXTENSIONS: &str = "/flovyn.ext.v1.";

/// Whether a request says of itself that it is gRPC of any kind.
pub(crate) fn recognises(headers: &HeaderMap) -> bool {
    Wire::recognise(headers) != Recognised::NoGrpc
}

/// Answers one call.
pub(crate) async fn serve(app: &App, request: Request<Body>) -> Response<Body> {
    let Recognised::Call(wire) = Wire::recognise(request.headers()) else {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected content type application/grpc or application/grpc-web+proto",
        );
    };
    if request.method() != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "expected POST");
    }
    let extended = app.extensions && is_extended(request.headers());
    let method = request.uri().path().to_owned();
    let result = answer(app, wire, request).await;
    match &result {
        Ok(_) => tracing::debug!(method, "answered"),
        Err(Status { code: Code::Internal, message }) => tracing::error!(method, message, "failed"),
        Err(Status { code, .. }) => tracing::debug!(method, code = code.name(), "refused"),
    }
    response::respond(wire, extended, result)
}

async fn answer(app: &App, wire: Wire, request: Request<Body>) -> Result<Body, Status> {
    let (head, body) = request.into_parts();
    if wire == Wire::Grpc && head.version < Version::HTTP_2 {
        return Err(Status::unimplemented("gRPC needs HTTP/2: over HTTP/1.1 send application/grpc-web+proto"));
    }
    let method = head.uri.path();
    if !app.extensions && method.starts_with(EXTENSIONS) {
        return Err(Status::unimplemented(format!("{method} is an extension, and extensions are off on this server")));
    }
    let metadata = Metadata::read(&head.headers, app.extensions)?;
    let timeout = metadata.timeout;
    let call = call(app, wire, head, metadata, body);
    match timeout {
        None => call.await,
        // Dropping the call is all that ends it: a parked poll leaves its queues, an answer on its way is given back.
        Some(timeout) => {
            let started = Instant::now();
            let answer = tokio::time::timeout(timeout, call).await;
            // On a busy machine both can be there: a poll that found nothing because its time was over, and the end of
            // that time.
            answer.ok().filter(|_| started.elapsed() < timeout).unwrap_or_else(|| Err(too_late(timeout)))
        }
    }
}

async fn call(app: &App, wire: Wire, head: Parts, metadata: Metadata, body: Body) -> Result<Body, Status> {
    // A little after the timeout itself: at the same moment an empty answer could come first.
    let deadline_ms = metadata.timeout.map(|timeout| clock::now_ms().saturating_add(millis(timeout)).saturating_add(2));
    let caller = app.authenticator.authenticate(&head.headers)?;
    let reading = request::read_message(body, app.http.body_bytes_max);
    let body = tokio::time::timeout(Duration::from_millis(app.http.body_timeout_ms), reading)
        .await
        .map_err(|_| Status::new(Code::DeadlineExceeded, "the body of the request took too long to arrive"))??;
    let Metadata { extended, claim, timeout } = metadata;
    if head.uri.path() == subscribe::METHOD {
        let subscription = app.host.subscription(&body, &caller.principal)?;
        let place = app.host.enter_stream(caller.key, app.http.event_streams_per_key_max)?;
        let subscriber = app.host.subscribe(&subscription, place);
        return Ok(subscribe::body(wire, subscription, subscriber, timeout));
    }
    if let Some(presence) = head.extensions.get::<Presence>()
        && !extended
        && let Some(worker) = worker::who_polls(head.uri.path(), &body)
    {
        presence.note(caller.principal.org_id, &worker);
    }
    let method = head.uri.path().to_owned();
    let reply = app.host.call(Call { method, body, extended, claim, deadline_ms, caller }).await?;
    Ok(response::body(wire, reply))
}

fn too_late(timeout: Duration) -> Status {
    Status::new(Code::DeadlineExceeded, format!("no answer within the {} ms of grpc-timeout", timeout.as_millis()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What is no call of ours is answered in the terms of HTTP.
fn refuse(code: StatusCode, message: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = code;
    response
}
