//! Jobs and operations: what the workflow code is told, and what it has to do beside its turns.

use flovyn_protocol::json::{Json, quote};
use flovyn_replay::{Job, OperationError, Rejection};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::with_execution;
use crate::{convert::payload, error::Error};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/**
 * What the workflow code is told next: call the function with an input, after the handlers of the signals that came
 * before it; resolve a handle with a value, or reject it with a `Rejection`; run the handler of a signal; or be
 * cancelled, and reject these handles in this order. The third element is JSON.
 */
export type Job =
  | [kind: 0, handle: 0, input: string, signals: [name: string, value: string][]]
  | [kind: 1, handle: number, value: string]
  | [kind: 2, handle: number, rejection: string]
  | [kind: 3, handle: 0, value: string, name: string]
  | [kind: 4, handle: 0, reason: string, handles: number[]];

/** Why a handle was rejected: what the JSON of a reject job holds. */
export type Rejection =
  | {
      readonly code: 'TASK_FAILED';
      readonly message: string;
      readonly taskExecutionId: string;
      readonly kind: string;
      readonly errorType?: string;
      readonly stackTrace?: string;
      readonly retryable: boolean;
    }
  | { readonly code: 'TASK_CANCELLED'; readonly message: string; readonly taskExecutionId: string; readonly kind: string }
  | { readonly code: 'PROMISE_REJECTED'; readonly message: string; readonly promiseId: string; readonly name: string }
  | { readonly code: 'PROMISE_TIMED_OUT'; readonly promiseId: string; readonly name: string }
  | {
      readonly code: 'CHILD_FAILED';
      readonly message: string;
      readonly childExecutionId: string;
      readonly name: string;
      readonly kind: string;
      readonly failureType?: string;
      readonly stackTrace?: string;
    }
  | {
      readonly code: 'OPERATION_FAILED';
      readonly name: string;
      readonly message: string;
      readonly stack?: string;
      readonly retryable?: boolean;
    };
"#;

const START: u8 = 0;
const RESOLVE: u8 = 1;
const REJECT: u8 = 2;
const SIGNAL: u8 = 3;
const CANCEL: u8 = 4;

/// Closes the turn before, once its microtasks have run dry, and opens the next one if there is a job.
#[wasm_bindgen(js_name = pollJob, unchecked_return_type = "Job | undefined")]
pub fn poll_job(activation: u32) -> Result<Option<Array>, Error> {
    with_execution(activation, |execution| Ok(execution.poll_job()?.map(to_tuple)))
}

/// The next operation to start, 0 if there is none. Call it between turns only.
#[wasm_bindgen(js_name = pollOperation)]
pub fn poll_operation(activation: u32) -> Result<u32, Error> {
    with_execution(activation, |execution| Ok(execution.poll_operation().unwrap_or(0)))
}

/// An operation has returned a value, in JSON.
#[wasm_bindgen(js_name = operationCompleted)]
pub fn operation_completed(activation: u32, handle: u32, json: String) -> Result<(), Error> {
    let value = payload(json)?;
    with_execution(activation, |execution| Ok(execution.handle_operation_result(handle, Ok(value))?))
}

/// An operation has thrown: `{ name, message, stack?, retryable? }` in JSON.
#[wasm_bindgen(js_name = operationFailed)]
pub fn operation_failed(
    activation: u32,
    handle: u32,
    #[wasm_bindgen(js_name = errorJson)] error_json: &str,
) -> Result<(), Error> {
    let json = Json::parse(error_json.as_bytes())?;
    let thrown = OperationError::from_json(json)
        .ok_or_else(|| Error::invalid_argument("errorJson: expected { name, message, stack?, retryable? }"))?;
    with_execution(activation, |execution| Ok(execution.handle_operation_result(handle, Err(thrown))?))
}

/// The function has returned a value, in JSON. Its last turn still runs dry.
#[wasm_bindgen]
pub fn complete(activation: u32, #[wasm_bindgen(js_name = outputJson)] output_json: String) -> Result<(), Error> {
    let output = payload(output_json)?;
    with_execution(activation, |execution| Ok(execution.complete(output)?))
}

/// The function has thrown. Its last turn still runs dry.
#[wasm_bindgen]
pub fn fail(
    activation: u32,
    error: String,
    #[wasm_bindgen(js_name = stackTrace)] stack_trace: String,
    #[wasm_bindgen(js_name = failureType)] failure_type: String,
) -> Result<(), Error> {
    let failure = flovyn_replay::WorkflowFailure { error, stack_trace, failure_type };
    with_execution(activation, |execution| Ok(execution.fail(failure)?))
}

/// The function has ended because it was cancelled. Its last turn still runs dry.
#[wasm_bindgen(js_name = completeCancelled)]
pub fn complete_cancelled(activation: u32, reason: String) -> Result<(), Error> {
    with_execution(activation, |execution| Ok(execution.complete_cancelled(reason)?))
}

/// False once the code does what no event of the history stands for.
#[wasm_bindgen(js_name = isReplaying)]
pub fn is_replaying(activation: u32) -> Result<bool, Error> {
    with_execution(activation, |execution| Ok(execution.is_replaying()))
}

/// Whether nothing of what the code does was ever seen before.
#[wasm_bindgen(js_name = isFirstActivation)]
pub fn is_first_activation(activation: u32) -> Result<bool, Error> {
    with_execution(activation, |execution| Ok(execution.is_first_activation()))
}

fn to_tuple(job: Job) -> Array {
    let (kind, handle, json) = match &job {
        Job::Start { input, .. } => (START, 0, input.as_json().into()),
        Job::Resolve { handle, value } => (RESOLVE, *handle, value.as_json().into()),
        Job::Reject { handle, rejection } => (REJECT, *handle, rejection_json(rejection)),
        Job::Signal { value, .. } => (SIGNAL, 0, value.as_json().into()),
        Job::Cancel { reason, .. } => (CANCEL, 0, quote(reason)),
    };
    let tuple = Array::of3(&kind.into(), &handle.into(), &JsValue::from(json));
    match job {
        Job::Start { signals, .. } => {
            let signals: Array =
                signals.into_iter().map(|(name, value)| Array::of2(&name.into(), &value.as_json().into())).collect();
            tuple.push(&signals);
        }
        Job::Signal { name, .. } => {
            tuple.push(&name.into());
        }
        Job::Cancel { handles, .. } => {
            let handles: Array = handles.into_iter().map(JsValue::from).collect();
            tuple.push(&handles);
        }
        Job::Resolve { .. } | Job::Reject { .. } => {}
    }
    tuple
}

fn rejection_json(rejection: &Rejection) -> String {
    let fields = match rejection {
        Rejection::TaskFailed { task_execution_id, kind, message, error_type, stack_trace, retryable } => {
            RejectionFields::TaskFailed {
                message,
                task_execution_id,
                kind,
                error_type: error_type.as_deref(),
                stack_trace: stack_trace.as_deref(),
                retryable: *retryable,
            }
        }
        Rejection::TaskCancelled { task_execution_id, kind, reason } => {
            RejectionFields::TaskCancelled { message: reason, task_execution_id, kind }
        }
        Rejection::PromiseRejected { promise_id, name, message } => {
            RejectionFields::PromiseRejected { message, promise_id, name }
        }
        Rejection::PromiseTimedOut { promise_id, name } => RejectionFields::PromiseTimedOut { promise_id, name },
        Rejection::ChildFailed { child_execution_id, name, kind, message, failure_type, stack_trace } => {
            RejectionFields::ChildFailed {
                message,
                child_execution_id,
                name,
                kind,
                failure_type: failure_type.as_deref(),
                stack_trace: stack_trace.as_deref(),
            }
        }
        Rejection::OperationFailed(error) => RejectionFields::OperationFailed(error),
    };
    // Text, numbers and flags cannot fail to become JSON.
    serde_json::to_string(&fields).unwrap_or_default()
}

/// The type `Rejection` of JavaScript.
#[derive(Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum RejectionFields<'a> {
    TaskFailed {
        message: &'a str,
        task_execution_id: &'a str,
        kind: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error_type: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_trace: Option<&'a str>,
        retryable: bool,
    },
    TaskCancelled {
        message: &'a str,
        task_execution_id: &'a str,
        kind: &'a str,
    },
    PromiseRejected {
        message: &'a str,
        promise_id: &'a str,
        name: &'a str,
    },
    PromiseTimedOut {
        promise_id: &'a str,
        name: &'a str,
    },
    ChildFailed {
        message: &'a str,
        child_execution_id: &'a str,
        name: &'a str,
        kind: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure_type: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_trace: Option<&'a str>,
    },
    OperationFailed(&'a OperationError),
}
