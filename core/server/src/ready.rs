use std::{fmt, net::SocketAddr};

use serde::Serialize;

use crate::config::Config;

/// What a started server tells whoever started it, in one line. It holds keys: it is for standard output, not for logs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Where to call, without a slash at the end.
    pub url: String,
    /// All addresses; each serves everything.
    pub urls: Vec<String>,
    /// The organisation, a UUID.
    pub org_id: String,
    /// Its slug.
    pub org_slug: String,
    /// The generated key for clients; `None` when organisations are configured.
    pub api_key: Option<String>,
    /// The generated key for workers.
    pub worker_key: Option<String>,
    /// Whether a key must be sent.
    pub auth: bool,
    /// The version of the server.
    pub version: &'static str,
}

impl Ready {
    pub(crate) fn new(addresses: &[SocketAddr], config: &Config) -> Self {
        let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let (org_id, org_slug) =
            config.orgs.first().map(|org| (org.id.to_string(), org.slug.clone())).unwrap_or_default();
        Self {
            url: urls.first().cloned().unwrap_or_default(),
            urls,
            org_id,
            org_slug,
            api_key: config.identity.as_ref().map(|identity| identity.api_key.expose().to_owned()),
            worker_key: config.identity.as_ref().map(|identity| identity.worker_key.expose().to_owned()),
            auth: config.auth_required,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// One JSON object without line breaks.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flovyn-server {} ready url={}", self.version, self.urls.join(","))?;
        write!(f, " org={} slug={}", self.org_id, self.org_slug)?;
        if let Some(key) = &self.api_key {
            write!(f, " api_key={key}")?;
        }
        if let Some(key) = &self.worker_key {
            write!(f, " worker_key={key}")?;
        }
        write!(f, " auth={}", if self.auth { "required" } else { "off" })
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("urls", &self.urls).field("org_id", &self.org_id).finish_non_exhaustive()
    }
}
