//! The verbs: what workflow code asks for, and what it reads, within a turn.

use flovyn_protocol::messages::RetryPolicy;
use flovyn_replay::{CreatePromise, ScheduleTask};
use js_sys::Array;
use serde::Deserialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::with_execution;
use crate::{
    convert::{from_js, payload, strings, whole},
    error::Error,
};

/// Options of `scheduleTask`. What is absent is the server's choice.
#[derive(Debug, Default, Deserialize, Tsify)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleTaskOptions {
    /// The queue; absent, the one of the workflow.
    #[tsify(optional, type = "string | undefined")]
    pub queue: Option<String>,
    /// Retries after the first attempt.
    #[tsify(optional, type = "number | undefined")]
    pub max_retries: Option<i32>,
    /// The whole life of the task, in milliseconds from its creation.
    #[tsify(optional, type = "number | undefined")]
    pub timeout_ms: Option<i64>,
    /// How far the task is moved ahead of its queue, in seconds.
    #[tsify(optional, type = "number | undefined")]
    pub priority_seconds: Option<i32>,
    /// A task of the organisation with the same key is not made again.
    #[tsify(optional, type = "string | undefined")]
    pub idempotency_key: Option<String>,
    /// How long the key is remembered, in seconds.
    #[tsify(optional, type = "number | undefined")]
    pub idempotency_key_ttl_seconds: Option<i64>,
    /// The pauses between attempts; only a server with the extension is told.
    #[tsify(optional, type = "RetryPauses | undefined")]
    pub retry_policy: Option<RetryPauses>,
}

/// The n-th retry waits `initialDelayMs * multiplier^(n-1)`, at most `maxDelayMs`.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RetryPauses {
    /// The pause before the first retry.
    pub initial_delay_ms: i64,
    /// No pause is longer.
    pub max_delay_ms: i64,
    /// The growth from pause to pause in thousandths: 2000 doubles.
    pub multiplier_milli: i32,
    /// Names of error classes that fail the task at once.
    pub non_retryable_errors: Vec<String>,
}

/// Schedules a task: the handle that its end settles, and its id.
#[wasm_bindgen(js_name = scheduleTask, unchecked_return_type = "[handle: number, taskExecutionId: string]")]
pub fn schedule_task(
    activation: u32,
    kind: String,
    #[wasm_bindgen(js_name = inputJson)] input_json: String,
    options: Option<Ts<ScheduleTaskOptions>>,
) -> Result<Array, Error> {
    let options = options.map(from_js).transpose()?.unwrap_or_default();
    let task = ScheduleTask {
        kind,
        input: payload(input_json)?,
        queue: options.queue,
        max_retries: options.max_retries,
        timeout_ms: options.timeout_ms,
        priority_seconds: options.priority_seconds,
        idempotency_key: options.idempotency_key,
        idempotency_key_ttl_seconds: options.idempotency_key_ttl_seconds,
        retry_policy: options.retry_policy.map(RetryPolicy::from),
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
    // A time beyond 2^53 ms does not come from a clock.
    #[allow(clippy::cast_precision_loss)]
    with_execution(activation, |execution| Ok(execution.current_time_ms()? as f64))
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

impl From<RetryPauses> for RetryPolicy {
    fn from(pauses: RetryPauses) -> Self {
        Self {
            initial_delay_ms: pauses.initial_delay_ms,
            max_delay_ms: pauses.max_delay_ms,
            multiplier_milli: pauses.multiplier_milli,
            non_retryable_errors: pauses.non_retryable_errors,
        }
    }
}
