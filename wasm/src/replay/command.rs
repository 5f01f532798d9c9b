//! The verbs: what workflow code asks for, and what it reads, within a turn.

use flovyn_protocol::messages::RetryPolicy;
use flovyn_replay::{CreatePromise, ScheduleTask, Scope, StartChild};
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::with_execution;
use crate::{
    convert::{Fields, FromJs, number, payload, strings, whole},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Options of `scheduleTask`. What is absent is the server's choice. */
export interface ScheduleTaskOptions {
  /** The queue; absent, the one of the workflow. */
  readonly queue?: string | undefined;
  /** Retries after the first attempt. */
  readonly maxRetries?: number | undefined;
  /** The whole life of the task, in milliseconds from its creation. */
  readonly timeoutMs?: number | undefined;
  /** How far the task is moved ahead of its queue, in seconds. */
  readonly prioritySeconds?: number | undefined;
  /** A task of the organisation with the same key is not made again. */
  readonly idempotencyKey?: string | undefined;
  /** How long the key is remembered, in seconds. */
  readonly idempotencyKeyTtlSeconds?: number | undefined;
  /** The pauses between attempts; only a server with the extension is told. */
  readonly retryPolicy?: RetryPauses | undefined;
  /** One attempt may take this long; only a server with the extension is told. */
  readonly startToCloseTimeoutMs?: number | undefined;
  /** An attempt fails this long after its last heartbeat; only a server with the extension is told. */
  readonly heartbeatTimeoutMs?: number | undefined;
}

/** Options of `startChild`. */
export interface StartChildOptions {
  /** The name among the children of the execution; absent, `<kind>-<n>`. */
  readonly name?: string | undefined;
  /** The queue; absent, the one of the execution. */
  readonly queue?: string | undefined;
  /** How far the child is moved ahead of its queue, in seconds. */
  readonly prioritySeconds?: number | undefined;
}

/** The n-th retry waits `initialDelayMs * multiplier^(n-1)`, at most `maxDelayMs`. */
export interface RetryPauses {
  /** The pause before the first retry. */
  readonly initialDelayMs: number;
  /** No pause is longer. */
  readonly maxDelayMs: number;
  /** The growth from pause to pause in thousandths: 2000 doubles. */
  readonly multiplierMilli: number;
  /** Names of error classes that fail the task at once. */
  readonly nonRetryableErrors: readonly string[];
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ScheduleTaskOptions")]
    pub type ScheduleTaskOptions;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "StartChildOptions")]
    pub type StartChildOptions;
}

/// Schedules a task: the handle that its end settles, and its id.
#[wasm_bindgen(js_name = scheduleTask, unchecked_return_type = "[handle: number, taskExecutionId: string]")]
pub fn schedule_task(
    activation: u32,
    scope: Scope,
    kind: String,
    #[wasm_bindgen(js_name = inputJson)] input_json: String,
    options: Option<ScheduleTaskOptions>,
) -> Result<Array, Error> {
    #[cfg(feature = "trap-test")]
    crate::trap::trap_if_asked(&kind);
    let task = ScheduleTask { scope, kind, input: payload(input_json)?, ..ScheduleTask::default() };
    let task = match options {
        Some(options) => with_options(task, &options)?,
        None => task,
    };
    with_execution(activation, |execution| {
        let scheduled = execution.schedule_task(task)?;
        Ok(Array::of2(&scheduled.handle.into(), &scheduled.task_execution_id.into()))
    })
}

/// Starts a timer: the handle that it settles when it fires.
#[wasm_bindgen(js_name = startTimer)]
pub fn start_timer(
    activation: u32,
    scope: Scope,
    #[wasm_bindgen(js_name = durationMs)] duration_ms: f64,
) -> Result<u32, Error> {
    let duration_ms = whole("durationMs", duration_ms)?;
    with_execution(activation, |execution| Ok(execution.start_timer(scope, duration_ms)?))
}

/// Creates a promise: the handle that is settled from outside, or by its timeout.
#[wasm_bindgen(js_name = createPromise)]
pub fn create_promise(
    activation: u32,
    scope: Scope,
    name: String,
    #[wasm_bindgen(js_name = timeoutMs)] timeout_ms: Option<f64>,
    #[wasm_bindgen(js_name = idempotencyKey)] idempotency_key: Option<String>,
) -> Result<u32, Error> {
    let timeout_ms = timeout_ms.map(|timeout_ms| whole("timeoutMs", timeout_ms)).transpose()?;
    let promise = CreatePromise { scope, name, timeout_ms, idempotency_key, idempotency_key_ttl_seconds: None };
    with_execution(activation, |execution| Ok(execution.create_promise(promise)?))
}

/// Begins an operation: the handle that its recorded result settles.
#[wasm_bindgen(js_name = beginOperation)]
pub fn begin_operation(activation: u32, scope: Scope, name: &str) -> Result<u32, Error> {
    with_execution(activation, |execution| Ok(execution.begin_operation(scope, name)?))
}

/// Starts a child workflow: the handle that its end settles, its id and its name.
#[wasm_bindgen(
    js_name = startChild,
    unchecked_return_type = "[handle: number, childExecutionId: string, name: string]"
)]
pub fn start_child(
    activation: u32,
    scope: Scope,
    kind: String,
    #[wasm_bindgen(js_name = inputJson)] input_json: String,
    options: Option<StartChildOptions>,
) -> Result<Array, Error> {
    let options = options.map_or(JsValue::UNDEFINED, Into::into);
    let fields = Fields(&options);
    let child = StartChild {
        scope,
        kind,
        name: fields.get("name")?,
        input: payload(input_json)?,
        queue: fields.get("queue")?,
        priority_seconds: fields.get("prioritySeconds")?,
    };
    with_execution(activation, |execution| {
        let started = execution.start_child(child)?;
        Ok(Array::of3(&started.handle.into(), &started.child_execution_id.into(), &started.name.into()))
    })
}

/// Sets a key of the execution's state to a value in JSON.
#[wasm_bindgen(js_name = setState)]
pub fn set_state(activation: u32, key: &str, json: String) -> Result<(), Error> {
    let value = payload(json)?;
    with_execution(activation, |execution| Ok(execution.set_state(key, value)?))
}

/// Clears a key of the execution's state.
#[wasm_bindgen(js_name = clearState)]
pub fn clear_state(activation: u32, key: &str) -> Result<(), Error> {
    with_execution(activation, |execution| Ok(execution.clear_state(key)?))
}

/// Clears every key of the execution's state, in key order.
#[wasm_bindgen(js_name = clearAllState)]
pub fn clear_all_state(activation: u32) -> Result<(), Error> {
    with_execution(activation, |execution| Ok(execution.clear_all_state()?))
}

/// The value of a key in JSON, undefined if it is not set.
#[wasm_bindgen(js_name = getState, unchecked_return_type = "string | undefined")]
pub fn get_state(activation: u32, key: &str) -> Result<JsValue, Error> {
    with_execution(activation, |execution| {
        let value = execution.state(key)?;
        Ok(value.map_or(JsValue::UNDEFINED, |value| JsValue::from_str(value.as_json())))
    })
}

/// The keys that are set, in order.
#[wasm_bindgen(js_name = stateKeys, unchecked_return_type = "string[]")]
pub fn state_keys(activation: u32) -> Result<Array, Error> {
    with_execution(activation, |execution| Ok(strings(execution.state_keys()?)))
}

/// The time of this turn, in milliseconds since 1970, the same on every replay.
#[wasm_bindgen(js_name = currentTimeMs)]
pub fn current_time_ms(activation: u32) -> Result<f64, Error> {
    with_execution(activation, |execution| Ok(number(execution.current_time_ms()?)))
}

/// A number from 0 to below 1, the same on every replay.
#[wasm_bindgen]
pub fn random(activation: u32) -> Result<f64, Error> {
    with_execution(activation, |execution| Ok(execution.random()?))
}

/// Whether the code takes the new way of a change; decided once per execution.
#[wasm_bindgen]
pub fn patched(activation: u32, #[wasm_bindgen(js_name = patchId)] patch_id: &str) -> Result<bool, Error> {
    with_execution(activation, |execution| Ok(execution.patched(patch_id)?))
}

/// The old way of a change is gone from the code.
#[wasm_bindgen(js_name = deprecatePatch)]
pub fn deprecate_patch(activation: u32, #[wasm_bindgen(js_name = patchId)] patch_id: &str) -> Result<(), Error> {
    with_execution(activation, |execution| Ok(execution.deprecate_patch(patch_id)?))
}

/// A UUID, the same on every replay.
#[wasm_bindgen(js_name = randomUuid)]
pub fn random_uuid(activation: u32) -> Result<String, Error> {
    with_execution(activation, |execution| Ok(execution.random_uuid()?))
}

fn with_options(task: ScheduleTask, options: &ScheduleTaskOptions) -> Result<ScheduleTask, Error> {
    let fields = Fields(options);
    Ok(ScheduleTask {
        queue: fields.get("queue")?,
        max_retries: fields.get("maxRetries")?,
        timeout_ms: fields.get("timeoutMs")?,
        priority_seconds: fields.get("prioritySeconds")?,
        idempotency_key: fields.get("idempotencyKey")?,
        idempotency_key_ttl_seconds: fields.get("idempotencyKeyTtlSeconds")?,
        retry_policy: fields.get("retryPolicy")?,
        start_to_close_timeout_ms: fields.get("startToCloseTimeoutMs")?,
        heartbeat_timeout_ms: fields.get("heartbeatTimeoutMs")?,
        ..task
    })
}

impl FromJs for RetryPolicy {
    fn from_js(_: &str, value: &JsValue) -> Result<Self, Error> {
        let fields = Fields(value);
        Ok(Self {
            initial_delay_ms: fields.get("initialDelayMs")?,
            max_delay_ms: fields.get("maxDelayMs")?,
            multiplier_milli: fields.get("multiplierMilli")?,
            non_retryable_errors: fields.get("nonRetryableErrors")?,
        })
    }
}
