//! SIGTERM stops in order.

use tokio::io::AsyncReadExt;

use crate::support::{TestServer, process::ServerProcess, within};

#[tokio::test]
async fn parked_polls_are_answered_empty() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let polls: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn({
                let client = client.clone();
                async move { client.poll().await }
            })
        })
        .collect();
    server.until_parked(3).await;
    within(server.server.shutdown()).await.unwrap();
    for poll in polls {
        assert!(within(poll).await.unwrap().unwrap().workflow_execution.is_none());
    }
}

#[tokio::test]
async fn a_signal_ends_the_process_with_everything_in_one_file() {
    let data = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    let id = client.start("order").await.unwrap();
    let poll = tokio::spawn({
        let client = client.clone();
        async move {
            assert!(client.poll().await.unwrap().workflow_execution.is_some());
            client.poll().await
        }
    });
    // An idle connection does not keep it from ending.
    let mut idle = tokio::net::TcpStream::connect(server.address).await.unwrap();
    client.start("order").await.unwrap();
    server.terminate();
    let status = tokio::task::spawn_blocking(|| server.wait()).await.unwrap();
    assert!(status.success(), "{status}");
    // The second poll was parked, or came too late: an empty answer or none, but never a claim that is lost.
    let _ = within(poll).await.unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0, "closed");
    let files: Vec<_> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.metadata().unwrap().len() > 0)
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(files.iter().all(|file| ["dev.json", "flovyn.db"].contains(&file.as_str())), "{files:?}");

    let server = ServerProcess::start(data.path(), &[]);
    let client = server.client(true).await;
    assert_eq!(client.event_types(&id).await.unwrap(), ["WORKFLOW_STARTED"]);
}
