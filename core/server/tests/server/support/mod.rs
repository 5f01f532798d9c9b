//! Servers to test, and clients that share no code with the server but the messages.

pub(crate) mod grpc;
pub(crate) mod http1;
pub(crate) mod process;
pub(crate) mod requests;

use std::{net::SocketAddr, path::Path, time::Duration};

use flovyn_server::{
    Server,
    config::{Config, Options, Variables},
};
use tempfile::TempDir;

use self::grpc::Client;

/// A server in this process, on a database that is removed with it.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) extensions: bool,
    pub(crate) data: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), change).await
    }

    /// Starts on what the folder holds.
    pub(crate) async fn start_on(data: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(data.path());
        change(&mut config);
        let extensions = config.extensions;
        let server = Server::start(config).await.unwrap();
        let address = server.ready().url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { server, address, extensions, data }
    }

    /// A client without our extensions.
    pub(crate) async fn plain(&self) -> Client {
        Client::connect(self.address, false).await
    }

    /// A client with our extensions.
    pub(crate) async fn extended(&self) -> Client {
        Client::connect(self.address, true).await
    }

    /// Waits until this many requests are parked.
    pub(crate) async fn until_parked(&self, count: usize) {
        until(|| self.server.parked() == count).await;
    }
}

/// The configuration of a development server on any free port.
pub(crate) fn config(data: &Path) -> Config {
    let options = Options { port: Some(0), data: data.to_owned(), ..Options::default() };
    Config::resolve(&options, &Variables::default()).unwrap()
}

/// Waits for something that happens in this process, letting the other tasks run meanwhile.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    within(waiting).await;
}

/// Fails the test when something that must come does not.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("nothing came within 30 s")
}
