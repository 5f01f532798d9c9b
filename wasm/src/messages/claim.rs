//! Claims: keeping one, giving one back. Extensions, all of them; the token travels as metadata.

use flovyn_protocol::messages::ext;
use prost::Message;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::encode;
use crate::{convert::to_js, error::Error};

/// Prolongs a claim. Exactly one of the two is given.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RenewClaim {
    /// The execution that is claimed.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub workflow_execution_id: Option<String>,
    /// The task that is claimed.
    #[serde(default)]
    #[tsify(optional, type = "string | undefined")]
    pub task_execution_id: Option<String>,
}

/// The bytes of RenewClaim.
#[wasm_bindgen(js_name = encodeRenewClaim)]
pub fn encode_renew_claim(request: Ts<RenewClaim>) -> Result<Vec<u8>, Error> {
    encode::<_, ext::RenewClaimRequest>(request)
}

impl From<RenewClaim> for ext::RenewClaimRequest {
    fn from(request: RenewClaim) -> Self {
        Self {
            workflow_execution_id: request.workflow_execution_id.unwrap_or_default(),
            task_execution_id: request.task_execution_id.unwrap_or_default(),
        }
    }
}

/// A claim that was prolonged.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct RenewedClaim {
    /// It ends this long after now.
    pub lease_ms: i64,
}

/// The answer of RenewClaim.
#[wasm_bindgen(js_name = decodeRenewClaim)]
pub fn decode_renew_claim(bytes: &[u8]) -> Result<Ts<RenewedClaim>, Error> {
    let response = ext::RenewClaimResponse::decode(bytes)?;
    to_js(&RenewedClaim { lease_ms: response.lease_ms })
}

/// Gives the claim of an execution back without a submission.
#[derive(Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseClaim {
    /// The execution that is claimed.
    pub workflow_execution_id: String,
    /// For people.
    pub reason: String,
    /// It is offered again after this time.
    pub retry_after_ms: i64,
}

/// The bytes of ReleaseClaim.
#[wasm_bindgen(js_name = encodeReleaseClaim)]
pub fn encode_release_claim(request: Ts<ReleaseClaim>) -> Result<Vec<u8>, Error> {
    encode::<_, ext::ReleaseClaimRequest>(request)
}

impl From<ReleaseClaim> for ext::ReleaseClaimRequest {
    fn from(request: ReleaseClaim) -> Self {
        Self {
            workflow_execution_id: request.workflow_execution_id,
            reason: request.reason,
            retry_after_ms: request.retry_after_ms,
        }
    }
}
