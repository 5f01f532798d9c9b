//! The `flovyn-server` program: see the library for what it serves.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use flovyn_server::{
    Server,
    config::{Config, Options, Variables},
};
use tokio::signal;
use tracing_subscriber::{EnvFilter, fmt};

/// A Flovyn server: gRPC, gRPC-Web and REST on one port, on SQLite
#[derive(Parser)]
#[command(name = "flovyn-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve one machine: an organisation and keys are generated at the first start and kept in the data folder
    Dev(Options),
}

fn main() -> ExitCode {
    let Command::Dev(options) = Cli::parse().command;
    let colours = io::stderr().is_terminal();
    fmt().with_env_filter(log_filter()).with_writer(io::stderr).with_ansi(colours).with_target(false).init();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// RUST_LOG, by default `info`; but the libraries that see keys and payloads pass by never say more than that.
fn log_filter() -> EnvFilter {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = ["h2=info", "hyper=info", "hyper_util=info", "axum=info", "tower_http=info"];
    quiet.into_iter().filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive)
}

#[tokio::main]
async fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::resolve(options, &Variables::from_process())?;
    // Before the ready line, so that a signal sent right after it finds the handlers in place.
    let stop = stop_signal()?;
    let server = Server::start(config).await?;
    let ready = server.ready();
    let line = if options.ready_json { ready.to_json() } else { ready.to_string() };
    writeln!(io::stdout(), "{line}")?;
    io::stdout().flush()?;
    tokio::select! {
        name = stop => tracing::info!(signal = name, "shutting down"),
        () = server.failed() => {}
    }
    Ok(server.shutdown().await?)
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    use signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    Ok(async {
        // An error means that no signal can come: go on for ever.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "ctrl-c"
    })
}
