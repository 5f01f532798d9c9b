//! Who is calling: the only place that turns a key into an organisation.

use std::sync::Arc;

use flovyn_orchestrator::Principal;
use flovyn_protocol::status::Status;
use http::{HeaderMap, header::AUTHORIZATION};
use subtle::ConstantTimeEq;

use crate::config::{Config, Org, Secret, StaticKey};

/// Somebody who may call.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// For the rules.
    pub(crate) principal: Arc<Principal>,
    /// Which key it was, for bounds per key; two callers without a key are the same.
    pub(crate) key: usize,
}

/// Knows the keys.
#[derive(Debug)]
pub(crate) struct Authenticator {
    keys: Vec<(Secret, Caller)>,
    /// Whom a missing or unknown key stands for; `None` refuses it.
    anonymous: Option<Caller>,
}

impl Authenticator {
    pub(crate) fn new(config: &Config) -> Self {
        let org = |key: &StaticKey| config.orgs.iter().find(|org| org.id == key.org_id);
        let keys = config.keys.iter().enumerate().filter_map(|(index, key)| {
            let principal = principal(org(key)?, &key.principal_id, key.kind);
            Some((key.key.clone(), Caller { principal, key: index }))
        });
        let keys: Vec<_> = keys.collect();
        let anonymous = (!config.auth_required).then(|| config.orgs.first()).flatten().map(|org| Caller {
            principal: principal(org, "anonymous", flovyn_orchestrator::PrincipalKind::ApiKey),
            key: keys.len(),
        });
        Self { keys, anonymous }
    }

    /// The caller that the `authorization` entry names. The key is compared with every known key in a time that does
    /// not depend on where they differ.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let token = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        let known = token.and_then(|token| self.find(token));
        known.or(self.anonymous.as_ref()).cloned().ok_or_else(|| {
            Status::unauthenticated(match token {
                Some(_) => "the key in `authorization` is not known to this server",
                None => "expected metadata `authorization: Bearer <key>`, got none",
            })
        })
    }

    fn find(&self, token: &[u8]) -> Option<&Caller> {
        self.keys.iter().fold(None, |found, (key, caller)| match bool::from(key.expose().as_bytes().ct_eq(token)) {
            true => Some(caller),
            false => found,
        })
    }
}

fn principal(org: &Org, id: &str, kind: flovyn_orchestrator::PrincipalKind) -> Arc<Principal> {
    Arc::new(Principal { org_id: org.id, org_slug: org.slug.clone(), id: id.to_owned(), kind })
}

/// The token of `Bearer <token>`; the scheme is compared without regard to case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii()).filter(|token| !token.is_empty())
}
