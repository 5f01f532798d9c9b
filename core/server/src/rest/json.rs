use std::{sync::Arc, time::Duration};

use axum::extract::{FromRequest, Request, rejection::BytesRejection};
use bytes::Bytes;
use flovyn_protocol::status::{Code, Status};
use http::{HeaderMap, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::RestError;
use crate::server::App;

/// A JSON body. It must be announced as JSON: a web page elsewhere can send text unasked, but not JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, RestError> {
        if !is_json(request.headers()) {
            return Err(Status::invalid_argument("expected content type application/json").into());
        }
        let reading = Bytes::from_request(request, app);
        let body = tokio::time::timeout(Duration::from_millis(app.http.body_timeout_ms), reading)
            .await
            .map_err(|_| Status::new(Code::DeadlineExceeded, "the body of the request took too long to arrive"))?
            .map_err(unreadable)?;
        let value = serde_json::from_slice(&body)
            .map_err(|error| Status::invalid_argument(format!("cannot understand the body: {error}")))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn unreadable(rejection: BytesRejection) -> RestError {
    match rejection.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => Status::resource_exhausted("the body is larger than this server takes"),
        _ => Status::invalid_argument("the request ended before its body was complete"),
    }
    .into()
}

/// JSON text as it is, so that numbers and the order of keys survive. Empty is null, as everywhere in the contract.
pub(super) fn payload(text: &[u8]) -> Result<Box<RawValue>, Status> {
    if text.is_empty() {
        return Ok(RawValue::NULL.to_owned());
    }
    serde_json::from_slice(text).map_err(|_| Status::internal("a stored payload is not JSON"))
}

/// JSON text that a record holds as it is.
pub(super) fn raw(text: &str) -> Result<Box<RawValue>, Status> {
    payload(text.as_bytes())
}

/// A time in milliseconds since 1970; 0 is none.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Timestamp::from_millisecond(self.0) {
            Ok(time) if self.0 != 0 => serializer.collect_str(&format_args!("{time:.3}")),
            _ => serializer.serialize_none(),
        }
    }
}

/// Text of which empty means none.
pub(super) fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
