use std::net::{SocketAddr, ToSocketAddrs};

use flovyn_orchestrator as orchestrator;
use flovyn_protocol::ids;
use uuid::Uuid;

use super::{
    Config, ConfigError, Identity, Options, Org, StaticKey, Variables, database,
    file::{File, FileKey, FileOrg},
};
use flovyn_orchestrator::PrincipalKind;

const DEFAULT_PORT: u16 = 9090;

impl Config {
    /// Brings everything together and checks it. Generates and stores an organisation and keys when none are
    /// configured.
    pub fn resolve(options: &Options, variables: &Variables) -> Result<Self, ConfigError> {
        let path = options.config.clone().or_else(|| variables.config_file.clone().map(Into::into));
        let file = path.map_or_else(|| Ok(File::default()), |path| File::read(&path))?;
        let listen = addresses(options, variables)?;
        let auth_required = options.auth || file.auth.enabled;
        refuse_open_to_the_world(&listen, auth_required)?;
        let (orgs, keys, identity) = callers(options, file.orgs, file.auth.static_api_key.keys)?;
        let http = file.http;
        if auth_required && keys.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        let extensions = file.extensions.unwrap_or(true) && !options.no_extensions;
        let defaults = orchestrator::Config::default();
        let rules = orchestrator::Config {
            lease_ms: options.lease_ms.or(file.lease_ms).unwrap_or(defaults.lease_ms),
            cancel_grace_ms: file.cancel_grace_ms.unwrap_or(defaults.cancel_grace_ms),
            limits: file.limits,
            polls: file.polls,
            queries: file.queries,
            tasks: file.tasks,
            signals: file.signals,
            workers: file.workers,
            ..defaults
        };
        let database = database::locate(variables.database_url.as_deref(), &options.data)?;
        Ok(Self { listen, database, orgs, keys, auth_required, identity, extensions, rules, http })
    }
}

fn refuse_open_to_the_world(listen: &[SocketAddr], auth_required: bool) -> Result<(), ConfigError> {
    match listen.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) if !auth_required => Err(ConfigError::OpenToTheWorld { address: address.ip() }),
        _ => Ok(()),
    }
}

fn addresses(options: &Options, variables: &Variables) -> Result<Vec<SocketAddr>, ConfigError> {
    let ports = ports(options, variables)?;
    let mut addresses = Vec::new();
    for port in ports {
        let found = (options.host.as_str(), port).to_socket_addrs().ok().and_then(|mut found| found.next());
        addresses.push(found.ok_or_else(|| ConfigError::Value {
            what: "--host".to_owned(),
            expected: "an address or host name of this machine, such as 127.0.0.1",
            got: format!("{:?}", options.host),
        })?);
    }
    Ok(addresses)
}

fn ports(options: &Options, variables: &Variables) -> Result<Vec<u16>, ConfigError> {
    if let Some(port) = options.port {
        return Ok(vec![port]);
    }
    let mut ports = Vec::new();
    let given = [("SERVER_PORT", &variables.server_port), ("GRPC_SERVER_PORT", &variables.grpc_server_port)];
    for (name, value) in given {
        let Some(value) = value else { continue };
        let port = value.parse().map_err(|_| ConfigError::Value {
            what: name.to_owned(),
            expected: "a port from 0 to 65535",
            got: format!("{value:?}"),
        })?;
        // Port 0 twice is two ports.
        if port == 0 || !ports.contains(&port) {
            ports.push(port);
        }
    }
    if ports.is_empty() {
        ports.push(DEFAULT_PORT);
    }
    Ok(ports)
}

type Callers = (Vec<Org>, Vec<StaticKey>, Option<Identity>);

/// Who may call: what is configured, and what is generated where nothing is.
fn callers(options: &Options, orgs: Vec<FileOrg>, keys: Vec<FileKey>) -> Result<Callers, ConfigError> {
    let mut orgs = orgs.into_iter().map(parse_org).collect::<Result<Vec<_>, _>>()?;
    refuse_doubles(&orgs)?;
    let identity = match orgs.is_empty() {
        true => Some(Identity::load_or_generate(&options.data)?),
        false => None,
    };
    if let Some(identity) = &identity {
        let (id, slug) = (identity.org_id, identity.org_slug.clone());
        orgs.push(Org { id, name: slug.clone(), slug });
    }
    let mut keys =
        keys.into_iter().enumerate().map(|(index, key)| parse_key(index, key, &orgs)).collect::<Result<Vec<_>, _>>()?;
    keys.extend(identity.iter().flat_map(generated_keys));
    Ok((orgs, keys, identity))
}

fn generated_keys(identity: &Identity) -> [StaticKey; 2] {
    let key = |key: &super::Secret, principal_id: &str, kind| StaticKey {
        key: key.clone(),
        org_id: identity.org_id,
        principal_id: principal_id.to_owned(),
        kind,
    };
    [
        key(&identity.api_key, "dev-api-key", PrincipalKind::ApiKey),
        key(&identity.worker_key, "dev-worker-key", PrincipalKind::Worker),
    ]
}

fn parse_org(org: FileOrg) -> Result<Org, ConfigError> {
    let id = parse_uuid("orgs.id", &org.id)?;
    let readable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if org.slug.is_empty() || !org.slug.chars().all(readable) {
        return Err(ConfigError::Value {
            what: "orgs.slug".to_owned(),
            expected: "letters, digits, '-', '_' and '.'",
            got: format!("{:?}", org.slug),
        });
    }
    Ok(Org { id, name: org.name.unwrap_or_else(|| org.slug.clone()), slug: org.slug })
}

fn refuse_doubles(orgs: &[Org]) -> Result<(), ConfigError> {
    for (index, org) in orgs.iter().enumerate() {
        let double = orgs.iter().take(index).any(|other| other.id == org.id || other.slug == org.slug);
        if double {
            return Err(ConfigError::Value {
                what: "orgs".to_owned(),
                expected: "an id and a slug that no other organisation has",
                got: format!("{} ({}) again", org.id, org.slug),
            });
        }
    }
    Ok(())
}

fn parse_key(index: usize, key: FileKey, orgs: &[Org]) -> Result<StaticKey, ConfigError> {
    let what = |field: &str| format!("auth.static_api_key.keys[{index}].{field}");
    if key.key.expose().is_empty() {
        return Err(ConfigError::Value {
            what: what("key"),
            expected: "a key",
            got: "an empty text, which anybody could send".to_owned(),
        });
    }
    let org = orgs.iter().find(|org| org.slug == key.org_id || ids::parse(&key.org_id) == Ok(org.id));
    let org = org.ok_or_else(|| ConfigError::Value {
        what: what("org_id"),
        expected: "the id or slug of one of the `[[orgs]]`",
        got: format!("{:?}", key.org_id),
    })?;
    let kind = match key.principal_type.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("worker") => PrincipalKind::Worker,
        _ => PrincipalKind::ApiKey,
    };
    let principal_id = key.principal_id.unwrap_or_else(|| format!("key-{index}"));
    Ok(StaticKey { key: key.key, org_id: org.id, principal_id, kind })
}

fn parse_uuid(what: &str, text: &str) -> Result<Uuid, ConfigError> {
    ids::parse(text).map_err(|_| ConfigError::Value {
        what: what.to_owned(),
        expected: "a UUID",
        got: format!("{text:?}"),
    })
}
