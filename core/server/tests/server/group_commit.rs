//! Many requests share a commit.

use tokio::task::JoinSet;

use crate::support::TestServer;

#[tokio::test]
async fn concurrent_requests_share_commits() {
    const REQUESTS: u64 = 400;
    let server = TestServer::start().await;
    let client = server.plain().await;
    let before = server.server.writer_stats();
    let mut starts = JoinSet::new();
    for _ in 0..REQUESTS {
        let client = client.clone();
        starts.spawn(async move { client.start("order").await.unwrap() });
    }
    let mut ids = starts.join_all().await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, REQUESTS);
    let after = server.server.writer_stats();
    let (requests, commits) = (after.requests - before.requests, after.commits - before.commits);
    assert!(requests >= REQUESTS);
    assert!(commits * 2 < requests, "{commits} commits for {requests} requests");
}
