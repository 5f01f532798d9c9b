//! gRPC-Web over HTTP/1.1, byte for byte.

use flovyn_protocol::messages::{PollResponse, StartWorkflowResponse};
use prost::Message;

use crate::support::{TestServer, http1::Connection, requests::*};

const WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

/// One message in its frame, written out here on its own.
pub(crate) fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat()
}

#[tokio::test]
async fn the_frames_of_an_answer() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.address).await;
    let answer = connection.request("POST", START, &[WEB, ("flovyn-ext", "1")], &framed(&start("order"))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert_eq!(answer.header("flovyn-ext"), "1");

    let (flag, rest) = answer.body.split_first().unwrap();
    let (length, rest) = rest.split_first_chunk::<4>().unwrap();
    let (message, trailers) = rest.split_at(u32::from_be_bytes(*length) as usize);
    assert_eq!(*flag, 0);
    let started = StartWorkflowResponse::decode(message).unwrap();
    assert_eq!(trailers, b"\x80\0\0\0\x0fgrpc-status:0\r\n");

    // The same connection serves on.
    let answer = connection.request("POST", POLL, &[("content-type", "application/grpc-web")], &framed(&poll())).await;
    let length = usize::try_from(u32::from_be_bytes(answer.body[1..5].try_into().unwrap())).unwrap();
    let polled = PollResponse::decode(&answer.body[5..5 + length]).unwrap();
    assert_eq!(polled.workflow_execution.unwrap().id, started.workflow_execution_id);
    assert_eq!(answer.header("flovyn-ext"), "", "this request announced no extensions");
}

#[tokio::test]
async fn a_failed_call_has_its_status_in_the_headers() {
    let server = TestServer::start().await;
    let mut request = start("order");
    request.input = b"{not json \xc3\xa9 %".to_vec();
    let answer = Connection::open(server.address).await.request("POST", START, &[WEB], &framed(&request)).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, "3"));
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert!(!answer.header("grpc-message").is_empty());
    assert!(answer.header("grpc-message").bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn what_is_no_grpc_web() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.address).await;
    let body = framed(&start("order"));
    let cases = [
        ("POST", "application/grpc-web-text", 415, ""),
        ("POST", "application/grpc+json", 415, ""),
        ("GET", "application/grpc-web+proto", 405, ""),
        ("POST", "application/grpc", 200, "12"),
        ("POST", "text/plain", 404, ""),
    ];
    for (method, content_type, status, grpc_status) in cases {
        let answer = connection.request(method, START, &[("content-type", content_type)], &body).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (status, grpc_status), "{method} {content_type}");
    }
}
