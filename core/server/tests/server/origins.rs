//! Which web pages may call.

use crate::support::{TestServer, http1};

const PREFLIGHT: [(&str, &str); 2] = [
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization,flovyn-claim,x-anything"),
];

#[tokio::test]
async fn a_page_of_this_machine_may_call_a_server_without_keys() {
    let server = TestServer::start().await;
    let headers = [&PREFLIGHT[..], &[("origin", "http://localhost:5173")]].concat();
    let answer = http1::request(server.address, "OPTIONS", "/flovyn.v1.X/Y", &headers, b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:5173");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,flovyn-claim,x-anything");
    let headers = [("origin", "http://localhost:5173")];
    let answer = http1::request(server.address, "GET", "/_/health", &headers, b"").await;
    let mut exposed: Vec<_> = answer.header("access-control-expose-headers").split(',').collect();
    exposed.sort_unstable();
    assert_eq!(exposed, ["flovyn-ext", "grpc-message", "grpc-status", "grpc-status-details-bin"]);
}

#[tokio::test]
async fn a_page_from_elsewhere_may_not() {
    let server = TestServer::start().await;
    let foreign = ("origin", "https://example.com");
    let headers = [&PREFLIGHT[..], &[foreign]].concat();
    let answer = http1::request(server.address, "OPTIONS", "/flovyn.v1.X/Y", &headers, b"").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    for headers in [[foreign], [("host", "rebound.example.com")]] {
        let answer = http1::request(server.address, "GET", "/_/health", &headers, b"").await;
        assert_eq!((answer.status, &answer.json()["code"]), (403, &"PERMISSION_DENIED".into()), "{headers:?}");
    }
}

#[tokio::test]
async fn with_keys_any_page_may_call() {
    let server = TestServer::start_with(|config| config.auth_required = true).await;
    let headers = [&PREFLIGHT[..], &[("origin", "https://example.com")]].concat();
    let answer = http1::request(server.address, "OPTIONS", "/flovyn.v1.X/Y", &headers, b"").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://example.com");
}
