//! Requests that are no gRPC: each gets a status, and the next request on the same connection works.

use std::net::SocketAddr;

use bytes::Bytes;
use prost::Message;
use tokio::net::TcpStream;

use crate::{
    support::{TestServer, http1::Connection, requests::*, within},
    web::framed,
};

/// What is sent, and the status and the fragment of its message that come back.
fn cases() -> Vec<(&'static str, Vec<u8>, u8, &'static str)> {
    let good = framed(&start("order"));
    vec![
        ("nothing", vec![], 3, "got none"),
        ("a cut header", good[..3].to_vec(), 3, "ended inside a message"),
        ("a cut message", good[..good.len() - 1].to_vec(), 3, "ended inside a message"),
        ("garbage", b"garbage in, status out".to_vec(), 3, "frame flag"),
        ("HTML", b"<!doctype html>".to_vec(), 3, "frame flag"),
        ("a compressed frame", [&[1], &good[1..]].concat(), 12, "uncompressed"),
        ("4 GiB announced", vec![0, 0xff, 0xff, 0xff, 0xff, 1], 8, "at most"),
        ("two messages", [good.clone(), good.clone()].concat(), 3, "got more"),
        ("trailers", b"\x80\0\0\0\x0fgrpc-status:0\r\n".to_vec(), 3, "got trailers"),
        ("a frame around garbage", vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff], 3, ""),
        ("text that is no UTF-8", [&good[..7], &[0xff; 5], &good[12..]].concat(), 3, ""),
    ]
}

#[tokio::test]
async fn over_grpc_web() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.address).await;
    let web = [("content-type", "application/grpc-web+proto")];
    for (name, body, code, fragment) in cases() {
        let answer = connection.request("POST", START, &web, &body).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, code.to_string().as_str()), "{name}");
        assert!(answer.header("grpc-message").contains(fragment), "{name}: {}", answer.header("grpc-message"));
        let answer = connection.request("POST", START, &web, &framed(&start("order"))).await;
        assert_eq!(answer.header("grpc-status"), "", "{name}: the next request works");
        assert!(answer.body.ends_with(b"grpc-status:0\r\n"), "{name}: the next request works");
    }
}

#[tokio::test]
async fn over_native_grpc() {
    let server = TestServer::start().await;
    let mut client = h2_client(server.address).await;
    for (name, body, code, fragment) in cases() {
        let (status, message) = native(&mut client, START, &[], body).await;
        assert_eq!(status, code.to_string(), "{name}: {message}");
        assert!(message.contains(fragment), "{name}: {message}");
        let (status, message) = native(&mut client, START, &[], framed(&start("order"))).await;
        assert_eq!(status, "0", "{name}: the next request works, not {message}");
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_understood() {
    let server = TestServer::start().await;
    let mut client = h2_client(server.address).await;
    for (name, value, code) in
        [("grpc-timeout", "soon", "3"), ("grpc-timeout", "123456789S", "3"), ("grpc-encoding", "gzip", "12")]
    {
        let (status, message) = native(&mut client, START, &[(name, value)], framed(&start("order"))).await;
        assert_eq!(status, code, "{name}: {value}: {message}");
    }
}

#[tokio::test]
async fn headers_that_are_too_large() {
    let server = TestServer::start().await;
    let large = "x".repeat(64 * 1024);
    let headers = [("content-type", "application/grpc-web+proto"), ("x-large", large.as_str())];
    let answer =
        Connection::open(server.address).await.request("POST", START, &headers, &framed(&start("order"))).await;
    assert_eq!(answer.status, 431);
    server.plain().await.start("order").await.unwrap();
}

pub(crate) type H2 = h2::client::SendRequest<Bytes>;

pub(crate) async fn h2_client(address: SocketAddr) -> H2 {
    h2_client_with(address, &mut h2::client::Builder::new()).await
}

pub(crate) async fn h2_client_with(address: SocketAddr, builder: &mut h2::client::Builder) -> H2 {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Sends a body as it is and gives grpc-status and grpc-message, wherever they are.
pub(crate) async fn native(client: &mut H2, method: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (String, String) {
    let mut request =
        http::Request::post(format!("http://localhost{method}")).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (response, mut sending) = client.send_request(request.body(()).unwrap(), false).unwrap();
    // The server may have answered before it has everything.
    let _ = sending.send_data(body.into(), true);
    let response = within(response).await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let mut body = response.into_body();
    while let Some(chunk) = within(body.data()).await {
        body.flow_control().release_capacity(chunk.unwrap().len()).unwrap();
    }
    let trailers = within(body.trailers()).await.unwrap().unwrap_or_default();
    let find = |name| {
        let value = headers.get(name).or(trailers.get(name));
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    (find("grpc-status"), find("grpc-message"))
}

#[test]
fn the_frames_of_these_tests_are_right() {
    let message = start("order");
    assert_eq!(framed(&message)[..5], [0, 0, 0, 0, u8::try_from(message.encoded_len()).unwrap()]);
}
