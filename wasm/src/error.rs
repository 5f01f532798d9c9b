//! One shape for every refusal: a JavaScript `Error` with a `code`, and what the code brings with it.

use flovyn_protocol::{PayloadError, frame::FrameError, ids::IdError, status::Status};
use flovyn_replay::{ReplayError, Violation};
use js_sys::Reflect;
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What every function of the core throws, except for the `WebAssembly.RuntimeError` of a trap. */
export interface CoreError extends Error {
  /** What kind of refusal it is, for example `VIOLATION`, `UNKNOWN_HANDLE`, or the name of a gRPC status. */
  readonly code: string;
  /** The number of the gRPC status, where the embedded engine refused a call. */
  readonly grpcCode?: number;
  /** Of `VIOLATION` only. */
  readonly details?: ViolationDetails;
}

/** How the code and the history disagree. */
export interface ViolationDetails {
  /** The number of the event that the code does not agree with. */
  readonly eventSequence: number;
  /** The type of that event. */
  readonly event: string;
  /** What the history has, in words. */
  readonly expected: string;
  /** What the code did, in words. */
  readonly got: string;
  /** The fields that differ, one by one. */
  readonly differences: readonly { readonly field: string; readonly expected: string; readonly got: string }[];
  /** What usually causes this, and what to do. */
  readonly hint: string;
}
"#;

/// What a function of this crate refuses with.
#[derive(Debug)]
pub struct Error {
    code: &'static str,
    message: String,
    grpc_code: Option<u8>,
    details: Option<Box<ViolationDetails>>,
}

/// A violation as JavaScript sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ViolationDetails {
    event_sequence: i32,
    event: String,
    expected: String,
    got: String,
    differences: Vec<Difference>,
    hint: String,
}

#[derive(Debug, Serialize)]
struct Difference {
    field: &'static str,
    expected: String,
    got: String,
}

impl Error {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), grpc_code: None, details: None }
    }

    /// An argument from JavaScript is not what its type says.
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new("INVALID_ARGUMENT", message)
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let value = js_sys::Error::new(&error.message);
        let set = |name: &str, field: JsValue| {
            // Setting a property of an error just made can only succeed.
            let _ = Reflect::set(&value, &name.into(), &field);
        };
        set("code", error.code.into());
        if let Some(number) = error.grpc_code {
            set("grpcCode", number.into());
        }
        if let Some(details) = error.details.and_then(|details| serde_wasm_bindgen::to_value(&details).ok()) {
            set("details", details);
        }
        value.into()
    }
}

impl From<ReplayError> for Error {
    fn from(error: ReplayError) -> Self {
        let refused = Self::new(error.code(), error.to_string());
        match error {
            ReplayError::Violation(violation) => Self { details: Some(Box::new((*violation).into())), ..refused },
            _ => refused,
        }
    }
}

impl From<Violation> for ViolationDetails {
    fn from(violation: Violation) -> Self {
        let Violation { event_sequence, event, expected, got, differences, message: _, hint } = violation;
        let differences = differences
            .into_iter()
            .map(|flovyn_replay::Difference { field, expected, got }| Difference { field, expected, got })
            .collect();
        Self { event_sequence, event, expected, got, differences, hint }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let mut error = Self::new(status.code.name(), status.message);
        error.grpc_code = Some(status.code.number());
        error
    }
}

impl From<prost::DecodeError> for Error {
    fn from(error: prost::DecodeError) -> Self {
        Self::new("INVALID_MESSAGE", format!("the bytes of the peer are no message of this call: {error}"))
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::new("INVALID_FRAME", error.to_string())
    }
}

impl From<PayloadError> for Error {
    fn from(error: PayloadError) -> Self {
        Self::new("INVALID_PAYLOAD", error.to_string())
    }
}

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}
