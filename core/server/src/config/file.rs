use std::path::Path;

use flovyn_orchestrator::{PollConfig, QueryConfig, SignalConfig, TaskConfig, WorkerConfig};
use flovyn_protocol::limits::Limits;
use serde::Deserialize;

use super::{ConfigError, Secret};

const KIB: usize = 1024;

/// The TOML file. Everything may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) orgs: Vec<FileOrg>,
    pub(super) auth: FileAuth,
    pub(super) http: HttpLimits,
    pub(super) extensions: Option<bool>,
    pub(super) lease_ms: Option<i64>,
    pub(super) cancel_grace_ms: Option<i64>,
    pub(super) limits: Limits,
    pub(super) polls: PollConfig,
    pub(super) queries: QueryConfig,
    pub(super) tasks: TaskConfig,
    pub(super) signals: SignalConfig,
    pub(super) workers: WorkerConfig,
}

#[derive(Debug, Deserialize)]
pub(super) struct FileOrg {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) slug: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FileAuth {
    pub(super) enabled: bool,
    pub(super) static_api_key: FileKeys,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FileKeys {
    pub(super) keys: Vec<FileKey>,
}

/// There is no `role`: what a key may do does not depend on one, so a file that has it gets the warning for unknown keys.
#[derive(Debug, Deserialize)]
pub(super) struct FileKey {
    pub(super) key: Secret,
    pub(super) org_id: String,
    pub(super) principal_type: Option<String>,
    pub(super) principal_id: Option<String>,
}

/// What is refused before a request is understood.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HttpLimits {
    /// The body of one request. Default 16 MiB: a submission carries many payloads.
    pub body_bytes_max: usize,
    /// The header of one request. Default 32 KiB.
    pub header_bytes_max: usize,
    /// Requests under way on one HTTP/2 connection; a parked poll is one. Default 4,096.
    pub streams_per_connection_max: u32,
    /// Streams of server-sent events that are read at the same time under one key. Default 1,000.
    pub event_streams_per_key_max: usize,
    /// How long a header may take to arrive. Default 30,000.
    pub header_timeout_ms: u64,
    /// How long a body may take to arrive. Default 60,000.
    pub body_timeout_ms: u64,
    /// How long a shutdown waits for requests under way. Default 10,000.
    pub shutdown_grace_ms: u64,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 * KIB * KIB,
            header_bytes_max: 32 * KIB,
            streams_per_connection_max: 4_096,
            event_streams_per_key_max: 1_000,
            header_timeout_ms: 30_000,
            body_timeout_ms: 60_000,
            shutdown_grace_ms: 10_000,
        }
    }
}

impl File {
    /// Reads a file. Keys that we do not know are logged by name and otherwise ignored, since the files of other
    /// servers must load.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, |key| tracing::warn!(key, "unknown key in the configuration file: ignored"))
            .map_err(|message| ConfigError::Parse { path: path.to_owned(), message })
    }

    fn parse(text: &str, mut unknown: impl FnMut(&str)) -> Result<Self, String> {
        let explain = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, without_quotes(error.message()))
        };
        let document = toml::Deserializer::parse(text).map_err(explain)?;
        serde_ignored::deserialize(document, |path| unknown(&path.to_string())).map_err(explain)
    }
}

/// The Display of a TOML error quotes the line and its message the value, which may be a key.
fn without_quotes(message: &str) -> String {
    match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{}{after}", before.trim_end()),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn unknown_keys_are_named_and_ignored() {
        let mut unknown = Vec::new();
        let file = File::parse(
            "[server]\nport = 1\n[auth]\nenabled = true\n[auth.static_api_key]\n\
             keys = [{ key = 'k', org_id = 'o', role = 'viewer' }]\n[[orgs]]\nid = 'i'\nslug = 's'\ntier = 'x'",
            |key| unknown.push(key.to_owned()),
        )
        .unwrap();
        assert!(file.auth.enabled);
        assert_eq!(file.orgs.len(), 1);
        unknown.sort();
        assert_eq!(unknown, ["auth.static_api_key.keys.0.role", "orgs.0.tier", "server"]);
    }

    #[test]
    fn errors_name_the_line_and_quote_no_secret() {
        let message = File::parse("\n[auth.static_api_key]\nkeys = ['hunter2']", |_| ()).unwrap_err();
        assert!(message.starts_with("line 3"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
        let message = File::parse("key = 'hunter2", |_| ()).unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
