use std::path::PathBuf;

use clap::Args;

/// The command line of `flovyn-server dev`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The port for everything; 0 chooses a free one [default: SERVER_PORT or GRPC_SERVER_PORT, else 9090]
    #[arg(long)]
    pub port: Option<u16>,
    /// The host name or address to listen on; one that other machines can reach needs --auth
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// The folder of the database and of the generated keys
    #[arg(long, default_value = ".flovyn")]
    pub data: PathBuf,
    /// How long a claim is held without renewal, in milliseconds [default: 60000]
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    pub lease_ms: Option<i64>,
    /// Serve the plain contract: announce no extensions of it and ignore those of clients
    #[arg(long)]
    pub no_extensions: bool,
    /// Refuse callers without a known key
    #[arg(long)]
    pub auth: bool,
    /// A TOML file [default: CONFIG_FILE]
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Print the ready line as one JSON object
    #[arg(long)]
    pub ready_json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            host: "127.0.0.1".to_owned(),
            data: ".flovyn".into(),
            lease_ms: None,
            no_extensions: false,
            auth: false,
            config: None,
            ready_json: false,
        }
    }
}

/// The environment variables that a server reads, as text. An empty one counts as absent.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// CONFIG_FILE: the path of a TOML file.
    pub config_file: Option<String>,
    /// DATABASE_URL: a path, `sqlite:<path>` or `sqlite://<path>`.
    pub database_url: Option<String>,
    /// SERVER_PORT: a port for everything.
    pub server_port: Option<String>,
    /// GRPC_SERVER_PORT: another port for everything.
    pub grpc_server_port: Option<String>,
}

impl Variables {
    /// Those of this process.
    pub fn from_process() -> Self {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            config_file: read("CONFIG_FILE"),
            database_url: read("DATABASE_URL"),
            server_port: read("SERVER_PORT"),
            grpc_server_port: read("GRPC_SERVER_PORT"),
        }
    }
}
