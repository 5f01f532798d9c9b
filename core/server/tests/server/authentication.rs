//! Who is let in, over gRPC and over REST.

use flovyn_server::config::{Org, Secret, StaticKey};
use tonic::Code;
use uuid::Uuid;

use crate::support::{TestServer, http1, requests::*};

const OTHER: Uuid = Uuid::from_u128(7);
const OTHER_KEY: &str = "flovyn_sk_other";

/// A server with keys, where another organisation lives too.
async fn server() -> TestServer {
    TestServer::start_with(|config| {
        config.auth_required = true;
        config.orgs.push(Org { id: OTHER, name: "Other".to_owned(), slug: "other".to_owned() });
        config.keys.push(StaticKey {
            key: Secret::from(OTHER_KEY.to_owned()),
            org_id: OTHER,
            principal_id: "other".to_owned(),
            kind: config.keys[0].kind,
        });
    })
    .await
}

#[tokio::test]
async fn a_key_is_needed() {
    let server = server().await;
    let ready = server.server.ready();
    let mut client = server.plain().await;
    let almost = ready.api_key.as_ref().unwrap().replace("sk", "sx");
    for key in [None, Some("flovyn_sk_unknown".to_owned()), Some(almost), Some(String::new())] {
        client.key = key.clone();
        let status = client.start("order").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{key:?}");
        assert!(key.is_none_or(|key| key.is_empty() || !status.message().contains(&key)), "{status}");
    }
    for key in [&ready.api_key, &ready.worker_key] {
        client.key = key.clone();
        client.start("order").await.unwrap();
        assert!(client.poll().await.unwrap().workflow_execution.is_some());
    }
}

#[tokio::test]
async fn an_organisation_sees_only_its_own() {
    let server = server().await;
    let [mut ours, mut theirs] = [server.plain().await, server.plain().await];
    ours.key = server.server.ready().api_key.clone();
    theirs.key = Some(OTHER_KEY.to_owned());
    let id = ours.start("order").await.unwrap();
    assert!(theirs.poll().await.unwrap().workflow_execution.is_none());
    assert_eq!(theirs.event_types(&id).await.unwrap_err().code(), Code::NotFound);
    let mut request = start("order");
    request.org_id = server.server.ready().org_id.clone();
    let status = theirs.call::<()>(START, request).await.unwrap_err();
    assert!(matches!(status.code(), Code::PermissionDenied | Code::NotFound), "{status}");
    assert_eq!(ours.poll().await.unwrap().workflow_execution.unwrap().id, id);
}

#[tokio::test]
async fn rest_asks_for_the_same_keys() {
    let server = server().await;
    let ready = server.server.ready();
    let key = format!("Bearer {}", ready.worker_key.as_ref().unwrap());
    let other = format!("bearer {OTHER_KEY}");
    let id = Uuid::from_u128(1);
    let path = |org: &str| format!("/api/orgs/{org}/workflow-executions/{id}");
    let cases = [
        ("dev", None, 401, "UNAUTHENTICATED"),
        ("dev", Some("Basic ZGV2OmRldg=="), 401, "UNAUTHENTICATED"),
        ("dev", Some(key.as_str()), 404, "no workflow"),
        (ready.org_id.as_str(), Some(key.as_str()), 404, "no workflow"),
        ("dev", Some(other.as_str()), 404, "no organisation"),
        ("other", Some(key.as_str()), 404, "no organisation"),
        ("nowhere", Some(key.as_str()), 404, "no organisation"),
    ];
    for (org, authorization, status, fragment) in cases {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
        let answer = http1::request(server.address, "GET", &path(org), &headers, b"").await;
        let text = String::from_utf8_lossy(&answer.body).to_lowercase();
        assert_eq!(answer.status, status, "{org} {authorization:?}: {text}");
        assert!(text.contains(&fragment.to_lowercase()), "{org} {authorization:?}: {text}");
    }
    assert_eq!(http1::request(server.address, "GET", "/_/health", &[], b"").await.status, 200);
}

#[tokio::test]
async fn without_auth_anybody_is_the_organisation() {
    let server = TestServer::start().await;
    let mut client = server.plain().await;
    for key in [None, Some("whatever".to_owned()), server.server.ready().api_key.clone()] {
        client.key = key;
        client.start("order").await.unwrap();
        assert!(client.poll().await.unwrap().workflow_execution.is_some());
    }
}
