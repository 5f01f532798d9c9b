//! Signals, and what cancels: the verbs that settle or withdraw what other verbs have begun.

use flovyn_replay::Scope;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::with_execution;
use crate::{convert::strings, error::Error};

/// Takes the oldest signal of the name that is queued, in JSON, else stands in line: the handle that the next one
/// settles.
#[wasm_bindgen(
    js_name = waitForSignal,
    unchecked_return_type = "[handle: number, valueJson: string | undefined]"
)]
pub fn wait_for_signal(activation: u32, scope: Scope, name: &str) -> Result<Array, Error> {
    with_execution(activation, |execution| {
        let awaited = execution.wait_for_signal(scope, name)?;
        let value = awaited.value.map_or(JsValue::UNDEFINED, |value| JsValue::from_str(value.as_json()));
        Ok(Array::of2(&awaited.handle.into(), &value))
    })
}

/// Whether a signal of the name is queued.
#[wasm_bindgen(js_name = hasSignal)]
pub fn has_signal(activation: u32, name: &str) -> Result<bool, Error> {
    with_execution(activation, |execution| Ok(execution.has_signal(name)?))
}

/// How many signals of the name are queued.
#[wasm_bindgen(js_name = pendingSignalCount)]
pub fn pending_signal_count(activation: u32, name: &str) -> Result<usize, Error> {
    with_execution(activation, |execution| Ok(execution.pending_signal_count(name)?))
}

/// Takes all signals of the name that are queued, each in JSON, the oldest first.
#[wasm_bindgen(js_name = drainSignals, unchecked_return_type = "string[]")]
pub fn drain_signals(activation: u32, name: &str) -> Result<Array, Error> {
    with_execution(activation, |execution| {
        let values = execution.drain_signals(name)?;
        Ok(strings(values.iter().map(flovyn_protocol::Payload::as_json)))
    })
}

/// Signals of these names are for handlers. Called before the first job.
#[wasm_bindgen(js_name = setSignalHandlers)]
pub fn set_signal_handlers(activation: u32, names: Vec<String>) -> Result<(), Error> {
    with_execution(activation, |execution| Ok(execution.set_signal_handlers(names.iter().map(String::as_str))?))
}

/// Opens a scope in another one; 0 is that of the whole workflow. It is cancelled with that one if `cancellable`.
#[wasm_bindgen(js_name = openScope)]
pub fn open_scope(activation: u32, parent: Scope, cancellable: bool) -> Result<Scope, Error> {
    with_execution(activation, |execution| Ok(execution.open_scope(parent, cancellable)?))
}

/// Cancels what a scope waits for: the handles to reject now, in this order.
#[wasm_bindgen(js_name = cancelScope, unchecked_return_type = "number[]")]
pub fn cancel_scope(activation: u32, scope: Scope) -> Result<Array, Error> {
    with_execution(activation, |execution| Ok(execution.cancel_scope(scope)?.into_iter().map(JsValue::from).collect()))
}

/// Cancels one handle; a task or child is told the reason.
#[wasm_bindgen(js_name = cancelHandle)]
pub fn cancel_handle(activation: u32, handle: u32, reason: Option<String>) -> Result<CancelEffect, Error> {
    with_execution(activation, |execution| Ok(execution.cancel(handle, reason.as_deref())?.into()))
}

/// Somebody has asked that the execution ends as cancelled.
#[wasm_bindgen(js_name = isCancellationRequested)]
pub fn is_cancellation_requested(activation: u32) -> Result<bool, Error> {
    with_execution(activation, |execution| Ok(execution.is_cancellation_requested()))
}

/// What comes of `cancelHandle`.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelEffect {
    /// Nothing: the handle is settled, or its cancellation was asked for before.
    None = 0,
    /// The handle is settled from now on: reject it.
    Rejected = 1,
    /// The task or child is asked to stop; the event of its end settles the handle.
    Requested = 2,
}

impl From<flovyn_replay::CancelEffect> for CancelEffect {
    fn from(effect: flovyn_replay::CancelEffect) -> Self {
        match effect {
            flovyn_replay::CancelEffect::None => Self::None,
            flovyn_replay::CancelEffect::Rejected => Self::Rejected,
            flovyn_replay::CancelEffect::Requested => Self::Requested,
        }
    }
}
