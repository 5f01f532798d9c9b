use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use flovyn_protocol::{ids, status::Status};
use http::request::Parts;

use super::RestError;
use crate::{auth::Caller, server::App};

/// The caller of a route under `/api/orgs/{slug}`, who belongs to that organisation. Every such route takes it, so
/// that the check is made in this one place.
pub(super) struct OrgCaller(pub(super) Caller);

impl FromRequestParts<Arc<App>> for OrgCaller {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, RestError> {
        let caller = app.authenticator.authenticate(&parts.headers)?;
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Status::invalid_argument("the path cannot be decoded"))?;
        let org = params.iter().find(|(name, _)| *name == "slug").map_or("", |(_, org)| org);
        let principal = &caller.principal;
        // The answer for another's organisation is the answer for none, so that it does not tell which exist.
        match org == principal.org_slug || ids::parse(org) == Ok(principal.org_id) {
            true => Ok(Self(caller)),
            false => Err(Status::not_found(format!("no organisation {org:?} for this key")).into()),
        }
    }
}
