//! Claims: keeping one, giving one back. Extensions, all of them; the token travels as metadata.

use flovyn_protocol::messages::ext;
use prost::Message;
use wasm_bindgen::prelude::*;

use crate::{
    convert::{Fields, number, object},
    error::Error,
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Prolongs a claim. Exactly one of the two is given. */
export interface RenewClaim {
  /** The execution that is claimed. */
  readonly workflowExecutionId?: string | undefined;
  /** The task that is claimed. */
  readonly taskExecutionId?: string | undefined;
}

/** A claim that was prolonged. */
export interface RenewedClaim {
  /** It ends this long after now. */
  readonly leaseMs: number;
}

/** Gives a claim back without a submission or report. Exactly one of the two is given. */
export interface ReleaseClaim {
  /** The execution that is claimed. */
  readonly workflowExecutionId?: string | undefined;
  /** The task that is claimed: the attempt does not count. */
  readonly taskExecutionId?: string | undefined;
  /** For people. */
  readonly reason: string;
  /** It is offered again after this time. */
  readonly retryAfterMs: number;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RenewClaim")]
    pub type RenewClaim;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "RenewedClaim")]
    pub type RenewedClaim;
    /// See the interface of this name.
    #[wasm_bindgen(typescript_type = "ReleaseClaim")]
    pub type ReleaseClaim;
}

/// The bytes of RenewClaim.
#[wasm_bindgen(js_name = encodeRenewClaim)]
pub fn encode_renew_claim(request: &RenewClaim) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::RenewClaimRequest {
        workflow_execution_id: fields.get::<Option<String>>("workflowExecutionId")?.unwrap_or_default(),
        task_execution_id: fields.get::<Option<String>>("taskExecutionId")?.unwrap_or_default(),
    };
    Ok(request.encode_to_vec())
}

/// The answer of RenewClaim.
#[wasm_bindgen(js_name = decodeRenewClaim)]
pub fn decode_renew_claim(bytes: &[u8]) -> Result<RenewedClaim, Error> {
    let response = ext::RenewClaimResponse::decode(bytes)?;
    Ok(object(&[("leaseMs", number(response.lease_ms).into())]))
}

/// The bytes of ReleaseClaim.
#[wasm_bindgen(js_name = encodeReleaseClaim)]
pub fn encode_release_claim(request: &ReleaseClaim) -> Result<Vec<u8>, Error> {
    let fields = Fields(request);
    let request = ext::ReleaseClaimRequest {
        workflow_execution_id: fields.get::<Option<String>>("workflowExecutionId")?.unwrap_or_default(),
        task_execution_id: fields.get::<Option<String>>("taskExecutionId")?.unwrap_or_default(),
        reason: fields.get("reason")?,
        retry_after_ms: fields.get("retryAfterMs")?,
    };
    Ok(request.encode_to_vec())
}
