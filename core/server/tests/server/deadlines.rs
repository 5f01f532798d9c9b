//! grpc-timeout ends a call with DEADLINE_EXCEEDED, framed as the call was.

use crate::{
    bad_frames::{h2_client, native},
    support::{TestServer, http1, requests::*},
    web::framed,
};

#[tokio::test]
async fn over_native_grpc() {
    let server = TestServer::start().await;
    // Not tonic's client, which has a timer of its own: what comes is the server's word.
    let mut client = h2_client(server.address).await;
    let headers = [("flovyn-ext", "1"), ("grpc-timeout", "100m")];
    let (status, message) = native(&mut client, POLL, &headers, framed(&poll())).await;
    assert_eq!(status, "4", "{message}");
    server.until_parked(0).await;

    let client = server.extended().await;
    let id = client.start("order").await.unwrap();
    assert_eq!(client.poll().await.unwrap().workflow_execution.unwrap().id, id, "no claim was lost");
}

#[tokio::test]
async fn over_grpc_web() {
    let server = TestServer::start().await;
    let headers = [("content-type", "application/grpc-web+proto"), ("flovyn-ext", "1"), ("grpc-timeout", "100m")];
    let answer = http1::request(server.address, "POST", POLL, &headers, &framed(&poll())).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, "4"));
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert_eq!(answer.header("flovyn-ext"), "1");
    assert!(answer.header("grpc-message").contains("100 ms"), "{}", answer.header("grpc-message"));
    server.until_parked(0).await;
}
