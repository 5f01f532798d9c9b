use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use flovyn_protocol::status::Status;

use crate::{
    auth::Authenticator,
    config::{Config, HttpLimits},
    host::{Host, WriterStats},
    http::Connections,
    ready::Ready,
    store::sqlite::{OpenError, Store},
};

/// A running server. Dropping it does not stop it in order: call [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    connections: Connections,
    ready: Ready,
}

/// What every request handler shares.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) host: Host,
    pub(crate) authenticator: Authenticator,
    pub(crate) auth_required: bool,
    pub(crate) extensions: bool,
    pub(crate) http: HttpLimits,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The database cannot be used.
    #[error("cannot open the database {}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --port, or --port 0 for any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("cannot generate ids: the system gives no random bytes ({0})")]
    Random(getrandom::Error),
    /// The thread that writes cannot be started.
    #[error("cannot start the thread that writes: {0}")]
    Thread(io::Error),
}

/// Why a server did not stop in order.
#[derive(Debug, thiserror::Error)]
#[error("the thread that writes ended early: see the log")]
pub struct ShutdownError;

impl Server {
    /// Opens the database, listens, and returns once requests are answered.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let store = Store::open(&config.database)
            .map_err(|source| StartError::Database { path: config.database.clone(), source })?;
        let app = Arc::new(App {
            host: Host::start(store, config.rules.clone())?,
            authenticator: Authenticator::new(&config),
            auth_required: config.auth_required,
            extensions: config.extensions,
            http: config.http.clone(),
        });
        let connections = Connections::listen(&config.listen, &app)
            .await
            .map_err(|(address, source)| StartError::Listen { address, source })?;
        let ready = Ready::new(connections.addresses(), &config);
        tracing::info!(database = %config.database.display(), addresses = ?connections.addresses(), "listening");
        Ok(Self { app, connections, ready })
    }

    /// What whoever started the server wants to know.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// How well commits are shared.
    pub fn writer_stats(&self) -> WriterStats {
        self.app.host.writer_stats()
    }

    /// How many requests are parked, waiting for work or for an end.
    pub fn parked(&self) -> usize {
        self.app.host.parked()
    }

    /// Completes when the server cannot go on by itself; it is pending for ever otherwise.
    pub async fn failed(&self) {
        self.app.host.failed().await;
    }

    /// Accepts nothing more, answers parked polls empty, lets requests under way finish, writes everything into the
    /// database file and closes it.
    pub async fn shutdown(self) -> Result<(), ShutdownError> {
        self.app.host.close();
        self.connections.close().await;
        self.app.host.stop().await.map_err(|_: Status| ShutdownError)
    }
}
