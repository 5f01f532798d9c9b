//! One shape for every refusal: a JavaScript `Error` with a `code`, and what the code brings with it.

use flovyn_protocol::{PayloadError, frame::FrameError, ids::IdError, status::Status};
use flovyn_replay::{Difference, ReplayError, Violation};
use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use crate::convert::object;

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
  /** The handle of what the code did instead, where there is one. */
  readonly handle: number | undefined;
}
"#;

/// What a function of this crate refuses with.
#[derive(Debug)]
pub struct Error {
    code: &'static str,
    message: String,
    grpc_code: Option<u8>,
    violation: Option<Box<Violation>>,
}

impl Error {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), grpc_code: None, violation: None }
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
        if let Some(violation) = error.violation {
            set("details", details(*violation));
        }
        value.into()
    }
}

impl From<ReplayError> for Error {
    fn from(error: ReplayError) -> Self {
        let refused = Self::new(error.code(), error.to_string());
        match error {
            ReplayError::Violation(violation) => Self { violation: Some(violation), ..refused },
            _ => refused,
        }
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

/// The interface `ViolationDetails`.
fn details(violation: Violation) -> JsValue {
    let differences: Array = violation.differences.into_iter().map(difference).collect();
    object(&[
        ("eventSequence", violation.event_sequence.into()),
        ("event", violation.event.into()),
        ("expected", violation.expected.into()),
        ("got", violation.got.into()),
        ("differences", differences.into()),
        ("hint", violation.hint.into()),
        ("handle", violation.handle.into()),
    ])
}

fn difference(difference: Difference) -> JsValue {
    object(&[
        ("field", difference.field.into()),
        ("expected", difference.expected.into()),
        ("got", difference.got.into()),
    ])
}
