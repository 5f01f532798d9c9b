//! What a task keeps for its next attempt.

use flovyn_protocol::messages::{GetStateKeysResponse, GetStateRequest, GetStateResponse, SetStateRequest};
use js_sys::Array;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, json_text, strings},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A value in the state of a task, or all of it. */
export interface TaskStateKey {
  /** Which task. */
  readonly taskExecutionId: string;
  /** The name of the value; none where all of the state is meant. */
  readonly key?: string | undefined;
}

/** Sets a value in the state of a task. */
export interface SetTaskState {
  /** Which task. */
  readonly taskExecutionId: string;
  /** The name of the value. */
  readonly key: string;
  /** JSON. */
  readonly value: string;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "TaskStateKey")]
    pub type TaskStateKey;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "SetTaskState")]
    pub type SetTaskState;
}

/// The bytes of GetState, of ClearState and, without a key, of ClearAllState and GetStateKeys, which are all alike.
#[wasm_bindgen(js_name = encodeTaskStateKey)]
pub fn encode_task_state_key(request: &TaskStateKey) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let key = fields.get::<Option<String>>("key")?.unwrap_or_default();
    let request = GetStateRequest { task_execution_id: fields.get("taskExecutionId")?, key };
    Ok(request.encode_to_vec())
}

/// The answer of GetState: JSON, or undefined if nothing is set.
#[wasm_bindgen(js_name = decodeGetTaskState, unchecked_return_type = "string | undefined")]
pub fn decode_get_task_state(bytes: &[u8]) -> Result<JsValue, Error> {
    match GetStateResponse::decode(bytes)? {
        GetStateResponse { found: true, value } => json_text(value),
        _ => Ok(JsValue::UNDEFINED),
    }
}

/// The bytes of SetState.
#[wasm_bindgen(js_name = encodeSetTaskState)]
pub fn encode_set_task_state(request: &SetTaskState) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = SetStateRequest {
        task_execution_id: fields.get("taskExecutionId")?,
        key: fields.get("key")?,
        value: fields.json("value")?,
    };
    Ok(request.encode_to_vec())
}

/// The answer of GetStateKeys.
#[wasm_bindgen(js_name = decodeTaskStateKeys, unchecked_return_type = "string[]")]
pub fn decode_task_state_keys(bytes: &[u8]) -> Result<Array, Error> {
    Ok(strings(GetStateKeysResponse::decode(bytes)?.keys.iter().map(String::as_str)))
}
