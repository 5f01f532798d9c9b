use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use serde_json::Value;

use super::grpc::Client;

/// A server in a process of its own, which is killed if a test fails.
pub(crate) struct ServerProcess {
    child: Child,
    /// What it printed when it was ready.
    pub(crate) ready: Value,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts `flovyn-server dev` and waits until it is ready.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = command(data, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("one JSON line when it is ready");
        let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, ready, address }
    }

    pub(crate) async fn client(&self, extended: bool) -> Client {
        Client::connect(self.address, extended).await
    }

    /// Kills it as kill -9 does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command line, without the variables of whoever runs the tests.
pub(crate) fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flovyn-server"));
    command.args(["dev", "--port", "0", "--ready-json", "--data"]).arg(data).args(arguments);
    for variable in ["CONFIG_FILE", "DATABASE_URL", "SERVER_PORT", "GRPC_SERVER_PORT"] {
        command.env_remove(variable);
    }
    command.env("RUST_LOG", "warn");
    command
}
