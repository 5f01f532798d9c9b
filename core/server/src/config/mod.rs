//! What a server is told before it starts: command line over environment over file over defaults.
//!
//! ```text
//!   Options (command line) ──┐
//!   Variables (environment) ─┼─> Config::resolve ──> Config, checked: from here on it is trusted
//!   File (TOML) ─────────────┘
//! ```

mod database;
mod file;
mod identity;
mod options;
mod resolve;
mod secret;

pub use file::HttpLimits;
pub use identity::Identity;
pub use options::{Options, Variables};
pub use secret::Secret;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use flovyn_orchestrator as orchestrator;
use uuid::Uuid;

use flovyn_orchestrator::PrincipalKind;

/// Everything a server needs to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; every address serves everything. Port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// The SQLite file. It is made if it does not exist, and so is its folder.
    pub database: PathBuf,
    /// The organisations; never empty. Without a key, a caller belongs to the first.
    pub orgs: Vec<Org>,
    /// The keys that are accepted.
    pub keys: Vec<StaticKey>,
    /// Whether a missing or unknown key is refused. Always true when an address is not loopback.
    pub auth_required: bool,
    /// What a development server generated for itself; `None` when organisations or keys are configured.
    pub identity: Option<Identity>,
    /// Whether clients that know our extensions of the contract are told that this server does. Without, it is to
    /// every client what the contract says and no more.
    pub extensions: bool,
    /// The rules: limits, leases, waits.
    pub rules: orchestrator::Config,
    /// Bounds of HTTP itself.
    pub http: HttpLimits,
}

/// An organisation: the owner of everything that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    /// What is stored with every row.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// For paths: `/api/orgs/{slug}`.
    pub slug: String,
}

/// A key and whom it stands for.
#[derive(Clone, Debug)]
pub struct StaticKey {
    /// What the caller sends as `authorization: Bearer <key>`.
    pub key: Secret,
    /// The only organisation the key reaches.
    pub org_id: Uuid,
    /// The name of the caller, for bounds per key and for people. Unlike the key it is no secret.
    pub principal_id: String,
    /// API key or worker key.
    pub kind: PrincipalKind,
}

/// Why a server does not start with this configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file named by `--config` or CONFIG_FILE cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML, or a key we know has a value of another type.
    #[error("cannot understand the configuration file {}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why. It quotes no values, since some are secrets.
        message: String,
    },
    /// A value is wrong by itself or against another.
    #[error("{what}: expected {expected}, got {got}")]
    Value {
        /// The option, variable or key.
        what: String,
        /// What would be right.
        expected: &'static str,
        /// What came; never a secret.
        got: String,
    },
    /// The address can be reached from other machines and every caller would be let in.
    #[error(
        "refusing to listen on {address} without authentication, since other machines can reach it: \
         pass --auth (or set `[auth] enabled = true`), or listen on 127.0.0.1"
    )]
    OpenToTheWorld {
        /// The first address that is not loopback.
        address: IpAddr,
    },
    /// Authentication is on and nobody could ever pass it.
    #[error("authentication is enabled but no key is configured: add one to `[auth.static_api_key] keys`")]
    NoKeys,
    /// The file with the generated organisation and keys cannot be read or written.
    #[error("cannot use {}: {message}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        message: String,
    },
    /// The system gives no random bytes.
    #[error("cannot generate keys: the system gives no random bytes ({0})")]
    Random(getrandom::Error),
}
