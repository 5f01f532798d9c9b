//! REST, shape by shape.

use flovyn_protocol::messages::{CommandType, CreatePromiseCommand, WorkflowStatus, workflow_command::CommandData};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestServer, http1, requests::*};

const BASE: &str = "/api/orgs/dev/workflow-executions";

#[tokio::test]
async fn health() {
    let server = TestServer::start().await;
    let answer = http1::request(server.address, "GET", "/_/health", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"status": "UP", "version": env!("CARGO_PKG_VERSION")}));
}

#[tokio::test]
async fn start_describe_and_events() {
    let server = TestServer::start().await;
    let body = r#"{"kind":"order","input":{"z":1.0,"a":12345678901234567890},"queue":"q","version":"2",
                   "prioritySeconds":5,"metadata":{"team":"x"},"idempotencyKey":"k","idempotencyKeyTTL":60}"#;
    let started = http1::json(server.address, "POST", BASE, body).await;
    assert_eq!(started.status, 201);
    let started = started.json();
    let id = started["workflowExecutionId"].as_str().unwrap();
    assert_eq!((&started["status"], &started["kind"]), (&json!("PENDING"), &json!("order")));
    assert_eq!((&started["idempotencyKeyUsed"], &started["idempotencyKeyNew"]), (&json!(true), &json!(true)));
    assert_time(&started["createdAt"]);

    let again = http1::json(server.address, "POST", BASE, body).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["workflowExecutionId"], id);
    assert_eq!(again.json()["idempotencyKeyNew"], false);

    let by_id = format!("/api/orgs/{}/workflow-executions/{id}", server.server.ready().org_id);
    let answer = http1::request(server.address, "GET", &by_id, &[], b"").await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.contains(r#""input":{"z":1.0,"a":12345678901234567890}"#), "a payload is as it came: {text}");
    let described = answer.json();
    let expected = [
        ("id", json!(id)),
        ("kind", json!("order")),
        ("workflowKind", json!("order")),
        ("queue", json!("q")),
        ("status", json!("PENDING")),
        ("output", Value::Null),
        ("error", Value::Null),
        ("currentSequence", json!(1)),
        ("workflowVersion", json!("2")),
        ("parentWorkflowExecutionId", Value::Null),
        ("workerId", Value::Null),
        ("metadata", json!({"team": "x"})),
        ("startedAt", Value::Null),
        ("completedAt", Value::Null),
    ];
    for (field, value) in expected {
        assert_eq!(described[field], value, "{field}");
    }
    assert_time(&described["updatedAt"]);

    let events = http1::request(server.address, "GET", &format!("{BASE}/{id}/events"), &[], b"").await.json();
    let events = events["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["sequence"], 1);
    assert_eq!(events[0]["sequenceNumber"], 1);
    assert_eq!(events[0]["eventType"], "WORKFLOW_STARTED");
    assert_eq!(events[0]["data"]["kind"], "order");
    assert_time(&events[0]["timestamp"]);
    assert_eq!(events[0]["timestamp"], events[0]["createdAt"]);
}

#[tokio::test]
async fn events_after_a_sequence_and_a_few_at_a_time() {
    // Two events make a page, so that a history of many pages is put together.
    let server = TestServer::start_with(|config| config.rules.polls.page_events_max = 2).await;
    let client = server.plain().await;
    let id = client.start("order").await.unwrap();
    client.poll().await.unwrap();
    let timers = (0..4).map(|timer| start_timer(&format!("timer-{timer}"), 1_000_000)).collect();
    client.submit(&id, timers, WorkflowStatus::Suspended, None).await.unwrap();
    let cases = [
        ("", vec![1, 2, 3, 4, 5, 6]),
        ("?limit=3", vec![1, 2, 3]),
        ("?sinceSequence=4", vec![5, 6]),
        ("?sinceSequence=1&limit=2", vec![2, 3]),
        ("?sinceSequence=6", vec![]),
        ("?limit=0", vec![]),
    ];
    for (query, expected) in cases {
        let path = format!("{BASE}/{id}/events{query}");
        let events = http1::request(server.address, "GET", &path, &[], b"").await.json();
        let events = events["events"].as_array().unwrap();
        let sequences: Vec<_> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
        assert_eq!(sequences, expected, "{query}");
    }
}

#[tokio::test]
async fn promises() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let id = client.start("order").await.unwrap();
    client.poll().await.unwrap();
    let promise = |name: &str| {
        let data = CreatePromiseCommand { promise_id: name.to_owned(), ..CreatePromiseCommand::default() };
        command(CommandType::CreatePromise, CommandData::CreatePromise(data))
    };
    client.submit(&id, vec![promise("a"), promise("b")], WorkflowStatus::Suspended, None).await.unwrap();
    let events = http1::request(server.address, "GET", &format!("{BASE}/{id}/events"), &[], b"").await.json();
    let uuid = |index: usize| events["events"][index]["data"]["promiseId"].as_str().unwrap().to_owned();

    let path = format!("/api/orgs/dev/promises/id:{}/resolve", uuid(1));
    let first = http1::json(server.address, "POST", &path, r#"{"value":{"ok":1.50}}"#).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.json(), json!({"resolved": true, "alreadyResolved": false, "promiseId": uuid(1)}));
    let second = http1::json(server.address, "POST", &path, "{}").await;
    assert_eq!(second.json(), json!({"resolved": false, "alreadyResolved": true, "promiseId": uuid(1)}));
    let path = format!("/api/orgs/dev/promises/id:{}/reject", uuid(2));
    let rejected = http1::json(server.address, "POST", &path, r#"{"error":"no"}"#).await;
    assert_eq!((rejected.status, rejected.json()["alreadyResolved"].clone()), (200, json!(false)));
    let types = client.event_types(&id).await.unwrap();
    assert_eq!(types[4..], ["PROMISE_RESOLVED", "PROMISE_REJECTED"]);
}

#[tokio::test]
async fn bad_requests() {
    let server = TestServer::start().await;
    let unknown = Uuid::from_u128(1);
    let promise = format!("/api/orgs/dev/promises/id:{unknown}/resolve");
    let cases = [
        ("GET", "/nowhere".to_owned(), "", 404, "NOT_FOUND"),
        ("DELETE", "/_/health".to_owned(), "", 501, "UNIMPLEMENTED"),
        ("GET", format!("{BASE}/{unknown}"), "", 404, "NOT_FOUND"),
        ("GET", format!("{BASE}/{unknown}/events"), "", 404, "NOT_FOUND"),
        ("GET", format!("{BASE}/nonsense"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}/nonsense/events"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}/{unknown}/events?limit=many"), "", 400, "INVALID_ARGUMENT"),
        ("POST", BASE.to_owned(), "", 400, "INVALID_ARGUMENT"),
        ("POST", BASE.to_owned(), "{", 400, "INVALID_ARGUMENT"),
        ("POST", BASE.to_owned(), r#"{"input":1}"#, 400, "INVALID_ARGUMENT"),
        ("POST", promise, "{}", 404, "NOT_FOUND"),
        ("POST", "/api/orgs/dev/promises/id:x/resolve".to_owned(), "{}", 400, "INVALID_ARGUMENT"),
        ("POST", "/api/orgs/dev/promises/x/resolve".to_owned(), "{}", 400, "INVALID_ARGUMENT"),
        ("POST", "/api/orgs/dev/promises/key:x/resolve".to_owned(), "{}", 404, "NOT_FOUND"),
        ("POST", "/api/orgs/dev/promises/key:/resolve".to_owned(), "{}", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}?status=done"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}?limit=1001"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}?limit=x"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{BASE}/{unknown}/state"), "", 404, "NOT_FOUND"),
        ("GET", format!("{BASE}/{unknown}/tasks"), "", 404, "NOT_FOUND"),
        ("GET", format!("{BASE}/{unknown}/children"), "", 404, "NOT_FOUND"),
        ("GET", format!("{BASE}/nonsense/tasks"), "", 400, "INVALID_ARGUMENT"),
        ("POST", format!("{BASE}/{unknown}/cancel"), "{}", 404, "NOT_FOUND"),
        ("POST", format!("{BASE}/{unknown}/signal"), r#"{"signalName":"s"}"#, 404, "NOT_FOUND"),
        ("POST", format!("{BASE}/{unknown}/signal"), "{}", 400, "INVALID_ARGUMENT"),
        ("POST", format!("{BASE}/signal-with-start"), "{}", 400, "INVALID_ARGUMENT"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = http1::json(server.address, method, &path, body).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{method} {path} {body}: {text}");
        assert_eq!(answer.json()["code"], code, "{method} {path} {body}: {text}");
        assert!(!answer.json()["error"].as_str().unwrap().is_empty(), "{method} {path}");
    }
    // A page elsewhere can send text without asking first.
    let answer =
        http1::request(server.address, "POST", BASE, &[("content-type", "text/plain")], br#"{"kind":"x"}"#).await;
    assert_eq!(answer.status, 400);
}

fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.starts_with("20") && text.ends_with('Z') && text.len() == "2026-01-01T00:00:00.000Z".len(), "{text}");
}
