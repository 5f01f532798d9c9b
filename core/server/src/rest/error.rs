use axum::{
    Json,
    response::{IntoResponse, Response},
};
use flovyn_protocol::status::{Code, Status};
use http::StatusCode;
use serde::Serialize;

/// A refused request: `{"error": text, "code": CODE}` with the names of gRPC as codes.
#[derive(Debug)]
pub(crate) struct RestError(Status);

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    code: &'static str,
}

impl From<Status> for RestError {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let Self(status) = self;
        let body = ErrorBody { error: &status.message, code: status.code.name() };
        (http_status(status.code), Json(body)).into_response()
    }
}

fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
