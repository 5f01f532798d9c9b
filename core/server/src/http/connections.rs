use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::service::ConnectionService;
use crate::{config::HttpLimits, host::Presence, server::App};

/// How long an unanswered ping is waited for, and how long a connection is silent before it is sent: a worker whose
/// machine is gone must not keep its polls parked.
const PING: Duration = Duration::from_secs(20);
/// How long to wait after the system refused a connection, usually because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The listeners and their connections.
#[derive(Debug)]
pub(crate) struct Connections {
    addresses: Vec<SocketAddr>,
    closing: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Connections {
    /// Listens on every address; nothing is accepted if one of them cannot be had.
    pub(crate) async fn listen(wanted: &[SocketAddr], app: &Arc<App>) -> Result<Self, (SocketAddr, io::Error)> {
        let mut bound = Vec::new();
        for address in wanted {
            let listener = TcpListener::bind(address).await.map_err(|error| (*address, error))?;
            let actual = listener.local_addr().map_err(|error| (*address, error))?;
            bound.push((actual, listener));
        }
        let (closing, _) = watch::channel(false);
        let mut listeners = JoinSet::new();
        let addresses = bound.iter().map(|(address, _)| *address).collect();
        let router = super::router(Arc::clone(app));
        for (_, listener) in bound {
            let listener = Listener {
                listener,
                app: Arc::clone(app),
                router: router.clone(),
                builder: builder(&app.http),
                graceful: GracefulShutdown::new(),
                connections: JoinSet::new(),
            };
            listeners.spawn(listener.run(closing.subscribe()));
        }
        Ok(Self { addresses, closing, listeners })
    }

    /// Where it listens, ports chosen by the system included.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts nothing more, lets the requests under way finish within the grace period, and closes.
    pub(crate) async fn close(mut self) {
        self.closing.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

type Builder = auto::Builder<TokioExecutor>;

fn builder(limits: &HttpLimits) -> Builder {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let header_bytes_max = u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.header_timeout_ms))
        // hyper asks for 8 KiB at least.
        .max_buf_size(limits.header_bytes_max.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(header_bytes_max)
        .max_concurrent_streams(limits.streams_per_connection_max)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good a reason to stop.
    let _ = closing.wait_for(|closing| *closing).await;
}

struct Listener {
    listener: TcpListener,
    app: Arc<App>,
    router: Router,
    builder: Builder,
    graceful: GracefulShutdown,
    connections: JoinSet<()>,
}

impl Listener {
    async fn run(mut self, mut closing: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = closed(&mut closing) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.serve(stream),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                // Only to forget connections that have ended.
                Some(_) = self.connections.join_next() => {}
            }
        }
        self.drain().await;
    }

    fn serve(&mut self, stream: TcpStream) {
        // Answers are small and complete: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let presence = Presence::default();
        let service = ConnectionService::new(self.router.clone(), presence.clone());
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = self.graceful.watch(connection);
        let app = Arc::clone(&self.app);
        self.connections.spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                },
                () = app.host.keep_alive(presence) => {}
            }
        });
    }

    /// Closes the port at once, each connection when its requests are answered, and after the grace period all.
    async fn drain(self) {
        let Self { listener, app, graceful, mut connections, .. } = self;
        drop(listener);
        let grace = Duration::from_millis(app.http.shutdown_grace_ms);
        if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
            tracing::warn!(connections = connections.len(), "closing connections with requests under way");
        }
        connections.shutdown().await;
    }
}
