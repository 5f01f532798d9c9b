//! What a server accepts and refuses before it starts.

use std::path::{Path, PathBuf};

use flovyn_server::config::{Config, ConfigError, Options, Variables};

const ORG: &str = "11111111-2222-4333-8444-555555555555";

fn options(data: &Path) -> Options {
    Options { data: data.to_owned(), ..Options::default() }
}

fn file(data: &Path, text: &str) -> Option<PathBuf> {
    let path = data.join("flovyn.toml");
    std::fs::write(&path, text).unwrap();
    Some(path)
}

fn ports(config: &Config) -> Vec<u16> {
    config.listen.iter().map(std::net::SocketAddr::port).collect()
}

#[test]
fn defaults() {
    let data = tempfile::tempdir().unwrap();
    let config = Config::resolve(&options(data.path()), &Variables::default()).unwrap();
    assert_eq!(config.listen, ["127.0.0.1:9090".parse().unwrap()]);
    assert_eq!(config.database, data.path().join("flovyn.db"));
    assert!(!config.auth_required);
    assert_eq!(config.orgs.len(), 1);
    assert_eq!(config.orgs[0].slug, "dev");
    assert_eq!(config.rules.lease_ms, 60_000);
    assert!(config.extensions);
    assert_eq!(config.keys.len(), 2);
}

#[test]
fn ports_of_the_environment_both_listen() {
    let data = tempfile::tempdir().unwrap();
    let variables = |server: Option<&str>, grpc: Option<&str>| Variables {
        server_port: server.map(str::to_owned),
        grpc_server_port: grpc.map(str::to_owned),
        ..Variables::default()
    };
    let cases: [(Option<u16>, _, _, &[u16]); 6] = [
        (None, Some("8000"), None, &[8000]),
        (None, None, Some("8001"), &[8001]),
        (None, Some("8000"), Some("8001"), &[8000, 8001]),
        (None, Some("8000"), Some("8000"), &[8000]),
        (None, Some("0"), Some("0"), &[0, 0]),
        (Some(7000), Some("8000"), Some("8001"), &[7000]),
    ];
    for (port, server, grpc, expected) in cases {
        let config = Config::resolve(&Options { port, ..options(data.path()) }, &variables(server, grpc)).unwrap();
        assert_eq!(ports(&config), expected);
    }
    let error = Config::resolve(&options(data.path()), &variables(Some("http"), None)).unwrap_err();
    assert_eq!(error.to_string(), "SERVER_PORT: expected a port from 0 to 65535, got \"http\"");
}

#[test]
fn other_machines_are_let_in_only_with_keys() {
    let data = tempfile::tempdir().unwrap();
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let open = Options { host: host.to_owned(), ..options(data.path()) };
        let error = Config::resolve(&open, &Variables::default()).unwrap_err();
        assert!(matches!(error, ConfigError::OpenToTheWorld { .. }), "{error}");
        let closed = Options { auth: true, ..open };
        assert!(Config::resolve(&closed, &Variables::default()).unwrap().auth_required);
    }
    for host in ["127.0.0.1", "127.8.8.8", "::1", "localhost"] {
        let open = Options { host: host.to_owned(), ..options(data.path()) };
        assert!(!Config::resolve(&open, &Variables::default()).unwrap().auth_required);
    }
}

#[test]
fn a_file_with_everything() {
    let data = tempfile::tempdir().unwrap();
    let text = format!(
        "lease_ms = 5000\ncancel_grace_ms = 7\n[unknown]\nkey = 1\n[[orgs]]\nid = '{ORG}'\nname = 'Acme'\nslug = 'acme'\n\
         [auth]\nenabled = true\n[limits]\nname_bytes_max = 100\n[polls]\nplain_wait_ms = 10\nsticky_ms = 0\n[queries]\nwait_ms = 70\n\
         [signals]\naccept_terminal = false\n\
         [auth.static_api_key]\nkeys = [\n\
           {{ key = 'flovyn_sk_a', org_id = '{ORG}', principal_type = 'User', principal_id = 'u', role = 'ADMIN' }},\n\
           {{ key = 'flovyn_wk_b', org_id = 'acme', principal_type = 'Worker', principal_id = 'w' }},\n]\n"
    );
    let path = file(data.path(), &text);
    let variables = Variables {
        config_file: path.map(|path| path.display().to_string()),
        database_url: Some("sqlite://elsewhere.db".to_owned()),
        ..Variables::default()
    };
    let config = Config::resolve(&options(data.path()), &variables).unwrap();
    assert!(config.auth_required);
    assert_eq!(config.orgs[0].name, "Acme");
    assert_eq!(config.database, Path::new("elsewhere.db"));
    assert_eq!((config.rules.lease_ms, config.rules.limits.name_bytes_max), (5_000, 100));
    assert_eq!((config.rules.polls.sticky_ms, config.rules.queries.wait_ms), (0, 70));
    assert_eq!((config.rules.polls.plain_wait_ms, config.rules.polls.page_events_max), (10, 1_000));
    assert!(!config.rules.signals.accept_terminal);
    assert_eq!(config.rules.cancel_grace_ms, 7);
    let kinds: Vec<_> = config.keys.iter().map(|key| format!("{} {:?}", key.principal_id, key.kind)).collect();
    assert_eq!(kinds, ["u ApiKey", "w Worker"]);
    assert!(!data.path().join("dev.json").exists(), "nothing is generated where everything is configured");
    assert!(!format!("{config:?}").contains("flovyn_sk_a"), "a key must not be seen");

    let shorter = Options { lease_ms: Some(1_000), ..options(data.path()) };
    assert_eq!(Config::resolve(&shorter, &variables).unwrap().rules.lease_ms, 1_000);
}

#[test]
fn extensions_are_switched_off_by_the_file_or_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    for (text, no_extensions, expected) in [
        ("", false, true),
        ("extensions = true", false, true),
        ("extensions = false", false, false),
        ("extensions = true", true, false),
        ("", true, false),
    ] {
        let options = Options { no_extensions, config: file(data.path(), text), ..options(data.path()) };
        let config = Config::resolve(&options, &Variables::default()).unwrap();
        assert_eq!(config.extensions, expected, "{text:?} {no_extensions}");
    }
}

#[test]
fn wrong_files() {
    let data = tempfile::tempdir().unwrap();
    let org = format!("[[orgs]]\nid = '{ORG}'\nslug = 'acme'\n");
    let cases = [
        ("[auth\n".to_owned(), "cannot understand the configuration file"),
        (format!("{org}[auth]\nenabled = true"), "no key is configured"),
        ("[[orgs]]\nid = 'x'\nslug = 'acme'".to_owned(), "orgs.id: expected a UUID, got \"x\""),
        (format!("[[orgs]]\nid = '{ORG}'\nslug = 'a/b'"), "orgs.slug: expected letters"),
        (format!("{org}{org}"), "an id and a slug that no other organisation has"),
        (
            format!("{org}[auth.static_api_key]\nkeys = [{{ key = 'hunter2', org_id = 'other' }}]"),
            "auth.static_api_key.keys[0].org_id: expected the id or slug of one of the `[[orgs]]`, got \"other\"",
        ),
        (
            format!("{org}[auth.static_api_key]\nkeys = [{{ key = '', org_id = 'acme' }}]"),
            "auth.static_api_key.keys[0].key: expected a key",
        ),
    ];
    for (text, expected) in cases {
        let wrong = Options { config: file(data.path(), &text), ..options(data.path()) };
        let message = Config::resolve(&wrong, &Variables::default()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let missing = Options { config: Some("/does/not/exist.toml".into()), ..options(data.path()) };
    let message = Config::resolve(&missing, &Variables::default()).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the configuration file /does/not/exist.toml"), "{message}");
}
