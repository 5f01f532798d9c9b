//! The verbs: what workflow code asks for, and what it reads, within a turn.

use flovyn_protocol::messages::RetryPolicy;
use flovyn_replay::{CreatePromise, ScheduleTask};
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
}

/// Schedules a task: the handle that its end settles, and its id.
#[wasm_bindgen(js_name = scheduleTask, unchecked_return_type = "[handle: number, taskExecutionId: string]")]
pub fn schedule_task(
    activation: u32,
    kind: String,
    #[wasm_bindgen(js_name = inputJson)] input_json: String,
    options: Option<ScheduleTaskOptions>,
) -> Result<Array, Error> {
    #[cfg(feature = "trap-test")]
    crate::trap::trap_if_asked(&kind);
    let task = ScheduleTask { kind, input: payload(input_json)?, ..ScheduleTask::default() };
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
pub fn start_timer(activation: u32, #[wasm_bindgen(js_name = durationMs)] duration_ms: f64) -> Result<u32, Error> {
    let duration_ms = whole("durationMs", duration_ms)?;
    with_execution(activation, |execution| Ok(execution.start_timer(duration_ms)?))
}

/// Creates a promise: the handle that is settled from outside, or by its timeout.
#[wasm_bindgen(js_name = createPromise)]
pub fn create_promise(
    activation: u32,
    name: String,
    #[wasm_bindgen(js_name = timeoutMs)] timeout_ms: Option<f64>,
    #[wasm_bindgen(js_name = idempotencyKey)] idempotency_key: Option<String>,
) -> Result<u32, Error> {
    let timeout_ms = timeout_ms.map(|timeout_ms| whole("timeoutMs", timeout_ms)).transpose()?;
    let promise = CreatePromise { name, timeout_ms, idempotency_key, idempotency_key_ttl_seconds: None };
    with_execution(activation, |execution| Ok(execution.create_promise(promise)?))
}

/// Begins an operation: the handle that its recorded result settles.
#[wasm_bindgen(js_name = beginOperation)]
pub fn begin_operation(activation: u32, name: &str) -> Result<u32, Error> {
    with_execution(activation, |execution| Ok(execution.begin_operation(name)?))
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
