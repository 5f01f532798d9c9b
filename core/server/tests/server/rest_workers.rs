//! REST: who works, and what was registered.

use flovyn_protocol::messages::{
    TaskCapability, WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
};
use serde_json::{Value, json};

use crate::support::{TestServer, http1, requests::poll_task};

async fn get(server: &TestServer, path: &str) -> (u16, Value) {
    let answer = http1::request(server.address, "GET", &format!("/api/orgs/dev{path}"), &[], b"").await;
    (answer.status, answer.json())
}

fn registration() -> WorkerRegistrationRequest {
    WorkerRegistrationRequest {
        worker_name: "w".to_owned(),
        worker_version: "1.2".to_owned(),
        host_name: "host".to_owned(),
        workflows: vec![WorkflowCapability {
            kind: "order".to_owned(),
            content_hash: "abc".to_owned(),
            timeout_seconds: Some(5),
            tags: vec!["money".to_owned()],
            input_schema: br#"{"type":"object"}"#.to_vec(),
            ..WorkflowCapability::default()
        }],
        tasks: vec![TaskCapability {
            kind: "charge".to_owned(),
            output_schema: br#"{"type":"number"}"#.to_vec(),
            ..TaskCapability::default()
        }],
        ..WorkerRegistrationRequest::default()
    }
}

#[tokio::test]
async fn workers_and_what_they_registered() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let answer: WorkerRegistrationResponse =
        client.call("/flovyn.v1.WorkerLifecycle/RegisterWorker", registration()).await.unwrap();
    client
        .call::<()>("/flovyn.v1.TaskExecution/PollTask", {
            let mut poll = poll_task();
            poll.worker_id = "passer-by".to_owned();
            poll
        })
        .await
        .unwrap();

    let (status, found) = get(&server, "/workers").await;
    assert_eq!((status, found["workers"].as_array().unwrap().len()), (200, 2), "{found}");
    assert_eq!(
        (&found["workers"][0]["name"], &found["workers"][0]["registration"]),
        (&json!("passer-by"), &Value::Null)
    );
    assert_eq!(get(&server, "/workers?limit=1&offset=1").await.1["workers"], json!([found["workers"][1]]));
    for path in ["/workers/w".to_owned(), format!("/workers/{}", answer.worker_id)] {
        let (_, worker) = get(&server, &path).await;
        assert_eq!((&worker["id"], &worker["status"]), (&json!(answer.worker_id), &json!("ONLINE")), "{path}");
        let registered = &worker["registration"];
        assert_eq!((&registered["version"], &registered["hostName"]), (&json!("1.2"), &json!("host")));
        assert_eq!((&registered["workflowKinds"], &registered["taskKinds"]), (&json!(["order"]), &json!(["charge"])));
        assert_eq!(registered["workflowTimeoutsMs"], json!({"order": 5_000}));
    }
    assert_eq!(get(&server, "/workers/nobody").await.0, 404);

    let (_, workflows) = get(&server, "/workflow-definitions").await;
    let workflow = &workflows["definitions"][0];
    assert_eq!(workflows["definitions"].as_array().unwrap().len(), 1);
    for (field, value) in [
        ("kind", json!("order")),
        ("version", json!("1.0.0")),
        ("contentHash", json!("abc")),
        ("tags", json!(["money"])),
        ("timeoutSeconds", json!(5)),
        ("inputSchema", json!({"type": "object"})),
        ("outputSchema", Value::Null),
        ("workerId", json!(answer.worker_id)),
    ] {
        assert_eq!(workflow[field], value, "{field}");
    }
    let (_, tasks) = get(&server, "/task-definitions").await;
    let task = &tasks["definitions"][0];
    assert_eq!((&task["kind"], &task["outputSchema"]), (&json!("charge"), &json!({"type": "number"})));
    assert_eq!(get(&server, "/task-definitions?limit=0").await.1, json!({"definitions": []}));
    assert_eq!(get(&server, "/task-definitions?limit=1001").await.0, 400);
}

#[tokio::test]
async fn silent_workers_are_offline() {
    let silent = |config: &mut flovyn_server::config::Config| {
        (config.rules.workers.offline_after_ms, config.rules.workers.note_after_ms) = (0, 0);
    };
    let server = TestServer::start_with(silent).await;
    let client = server.plain().await;
    client.call::<()>("/flovyn.v1.WorkerLifecycle/RegisterWorker", registration()).await.unwrap();
    assert_eq!(get(&server, "/workers/w").await.1["status"], "OFFLINE");
}

#[tokio::test]
async fn a_list_is_shorter_where_records_are_long() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    for kind in ["a", "b", "c"] {
        let schema = format!("\"{}\"", "x".repeat(1_900 * 1024)).into_bytes();
        let capability = TaskCapability { kind: kind.to_owned(), input_schema: schema, ..TaskCapability::default() };
        let registration = WorkerRegistrationRequest {
            worker_name: kind.to_owned(),
            tasks: vec![capability],
            ..WorkerRegistrationRequest::default()
        };
        client
            .call::<WorkerRegistrationResponse>("/flovyn.v1.WorkerLifecycle/RegisterWorker", registration)
            .await
            .unwrap();
    }
    for (path, kinds) in [("/task-definitions", json!(["a", "b"])), ("/task-definitions?offset=2", json!(["c"]))] {
        let (_, found) = get(&server, path).await;
        let listed: Vec<_> = found["definitions"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(json!(listed), kinds, "{path}");
    }
}
