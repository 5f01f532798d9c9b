//! REST: tasks, their attempts and what they logged.

use flovyn_protocol::messages::{
    FailTaskRequest, HeartbeatRequest, HeartbeatResponse, LogLine, LogMessageRequest, PollTaskResponse,
    ReportProgressRequest, WorkflowStatus,
};
use serde_json::{Value, json};

use crate::support::{TestServer, grpc::Client, http1, requests::*};

const BASE: &str = "/api/orgs/dev/task-executions";
const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000001";

async fn ask(server: &TestServer, path: &str) -> (u16, Value) {
    let answer = http1::request(server.address, "GET", path, &[], b"").await;
    (answer.status, answer.json())
}

async fn get(server: &TestServer, path: &str) -> Value {
    let (status, body) = ask(server, &format!("{BASE}{path}")).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn submit(server: &TestServer, body: &str) -> (u16, Value) {
    let answer = http1::json(server.address, "POST", BASE, body).await;
    (answer.status, answer.json())
}

async fn claim(client: &Client) -> PollTaskResponse {
    let polled = client.poll_task().await.unwrap();
    assert!(polled.task.is_some());
    polled
}

#[tokio::test]
async fn a_task_of_its_own_from_its_start_to_its_end() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let body =
        r#"{"kind":"charge","input":{"z":1.0,"a":2},"maxRetries":2,"metadata":{"team":"a"},"idempotencyKey":"k"}"#;
    let (status, submitted) = submit(&server, body).await;
    assert_eq!((status, &submitted["status"], &submitted["kind"]), (201, &json!("PENDING"), &json!("charge")));
    assert_eq!((&submitted["idempotencyKeyUsed"], &submitted["idempotencyKeyNew"]), (&json!(true), &json!(true)));
    let id = submitted["taskExecutionId"].as_str().unwrap();
    let (status, again) = submit(&server, body).await;
    assert_eq!((status, again["taskExecutionId"].as_str().unwrap()), (200, id));

    let polled = claim(&client).await;
    let report = ReportProgressRequest { task_execution_id: id.to_owned(), progress: 0.25, details: "a".into() };
    let claimed = Some(polled.claim_token.as_str());
    client.call_with::<()>("/flovyn.v1.TaskExecution/ReportProgress", report, claimed).await.unwrap();
    let answer = http1::request(server.address, "GET", &format!("{BASE}/{id}"), &[], b"").await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains(r#""input":{"z":1.0,"a":2}"#), "a payload stays as it is: {text}");
    let running = answer.json();
    for (field, value) in [
        ("id", json!(id)),
        ("status", json!("RUNNING")),
        ("queue", json!("default")),
        ("workflowExecutionId", Value::Null),
        ("executionCount", json!(1)),
        ("maxRetries", json!(2)),
        ("progress", json!(0.25)),
        ("progressDetails", json!("a")),
        ("output", Value::Null),
        ("metadata", json!({"team": "a"})),
    ] {
        assert_eq!(running[field], value, "{field}");
    }
    client.complete_task(id, r#"{"ok":true}"#).await.unwrap();
    let done = get(&server, &format!("/{id}")).await;
    assert_eq!((&done["status"], &done["output"]), (&json!("COMPLETED"), &json!({"ok": true})));
}

#[tokio::test]
async fn only_tasks_of_no_execution_are_listed() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let execution = client.start("order").await.unwrap();
    let token = client.poll().await.unwrap().claim_token;
    let commands = vec![schedule_task("charge", TASK)];
    client.submit(&execution, commands, WorkflowStatus::Suspended, Some(&token)).await.unwrap();
    let task = claim(&client).await.claim_token;
    let report = ReportProgressRequest { task_execution_id: TASK.to_owned(), progress: 1.0, ..Default::default() };
    client.call_with::<()>("/flovyn.v1.TaskExecution/ReportProgress", report, Some(&task)).await.unwrap();
    for kind in ["ship", "bill"] {
        assert_eq!(submit(&server, &json!({"kind": kind, "queue": "slow"}).to_string()).await.0, 201);
    }
    for (query, total, shown) in [
        ("", 2, 2),
        ("?kind=ship", 1, 1),
        ("?status=pending&queue=slow", 2, 2),
        ("?status=COMPLETED", 0, 0),
        ("?limit=1", 2, 1),
        ("?offset=2", 2, 0),
    ] {
        let found = get(&server, query).await;
        assert_eq!(
            (found["total"].as_i64(), found["tasks"].as_array().unwrap().len()),
            (Some(total), shown),
            "{query}"
        );
    }
    let (_, of_execution) = ask(&server, &format!("/api/orgs/dev/workflow-executions/{execution}/tasks")).await;
    assert_eq!((&of_execution["tasks"][0]["progress"], &of_execution["tasks"][0]["id"]), (&json!(1), &json!(TASK)));
    // The output of a task of an execution is in its history.
    client.complete_task(TASK, "[1]").await.unwrap();
    let done = get(&server, &format!("/{TASK}")).await;
    assert_eq!((&done["output"], &done["workflowExecutionId"]), (&json!([1]), &json!(execution)));
}

#[tokio::test]
async fn attempts_and_logs_are_shown() {
    let server = TestServer::start_with(|config| config.rules.tasks.initial_delay_ms = 0).await;
    let client = server.extended().await;
    let (_, submitted) = submit(&server, r#"{"kind":"charge"}"#).await;
    let id = submitted["taskExecutionId"].as_str().unwrap().to_owned();
    assert_eq!(get(&server, &format!("/{id}/attempts")).await, json!({"attempts": []}));
    let first = claim(&client).await;
    let line = |level: &str, message: &str| LogLine { level: level.into(), message: message.into() };
    let log = LogMessageRequest {
        task_execution_id: id.clone(),
        level: "INFO".to_owned(),
        message: "begins".to_owned(),
        more: vec![line("WARN", "hot"), line("ERROR", "too hot")],
    };
    client.call_with::<()>("/flovyn.v1.TaskExecution/LogMessage", log, Some(&first.claim_token)).await.unwrap();
    let failure =
        FailTaskRequest { task_execution_id: id.clone(), error: "declined".into(), ..FailTaskRequest::default() };
    client.call_with::<()>("/flovyn.v1.TaskExecution/FailTask", failure, Some(&first.claim_token)).await.unwrap();
    claim(&client).await;

    let attempts = get(&server, &format!("/{id}/attempts")).await;
    let shown: Vec<_> = attempts["attempts"].as_array().unwrap().iter().collect();
    let facts: Vec<_> = shown.iter().map(|one| json!([one["attempt"], one["status"], one["error"]])).collect();
    assert_eq!(facts, [json!([1, "FAILED", "declined"]), json!([2, "RUNNING", null])]);
    assert!(shown.iter().all(|one| one["workerId"] == "worker" && one["startedAt"].is_string()));
    assert!(shown[0]["endedAt"].is_string() && shown[1]["endedAt"].is_null());

    let logs = get(&server, &format!("/{id}/logs")).await;
    let lines: Vec<_> = logs["logs"].as_array().unwrap().iter().collect();
    let texts: Vec<_> = lines.iter().map(|one| json!([one["sequence"], one["level"], one["message"]])).collect();
    assert_eq!(texts, [json!([1, "INFO", "begins"]), json!([2, "WARN", "hot"]), json!([3, "ERROR", "too hot"])]);
    assert!(lines.iter().all(|one| one["attempt"] == 1 && one["timestamp"].is_string()));
    let part = get(&server, &format!("/{id}/logs?sinceSequence=1&limit=1")).await;
    assert_eq!((part["logs"].as_array().unwrap().len(), &part["logs"][0]["sequence"]), (1, &json!(2)));
}

#[tokio::test]
async fn tasks_are_cancelled() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let delete = async |id: &str| {
        let answer = http1::request(server.address, "DELETE", &format!("{BASE}/{id}"), &[], b"").await;
        (answer.status, answer.json())
    };
    let [cancelled, done] = ["charge", "ship"].map(|kind| json!({"kind": kind, "queue": kind}).to_string());
    let (_, cancelled) = submit(&server, &cancelled).await;
    let id = cancelled["taskExecutionId"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(delete(id).await, (200, json!({"taskExecutionId": id, "status": "CANCELLED"})));
    }
    let found = get(&server, &format!("/{id}")).await;
    assert_eq!((&found["status"], &found["error"]), (&json!("CANCELLED"), &json!("cancelled")));
    let (_, done) = submit(&server, &done).await;
    let id = done["taskExecutionId"].as_str().unwrap();
    client.complete_task(id, "1").await.unwrap();
    assert_eq!(delete(id).await, (200, json!({"taskExecutionId": id, "status": "COMPLETED"})));
    assert_eq!(delete("0b5f1c1e-58a4-4b6e-9d55-000000000009").await.0, 404);
    assert_eq!(delete("x").await.0, 400);
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let server = TestServer::start().await;
    for (path, status, code) in [
        ("?status=DONE", 400, "INVALID_ARGUMENT"),
        ("?limit=1001", 400, "INVALID_ARGUMENT"),
        ("?limit=x", 400, "INVALID_ARGUMENT"),
        ("/x", 400, "INVALID_ARGUMENT"),
        ("/0b5f1c1e-58a4-4b6e-9d55-000000000009", 404, "NOT_FOUND"),
        ("/0b5f1c1e-58a4-4b6e-9d55-000000000009/attempts", 404, "NOT_FOUND"),
        ("/0b5f1c1e-58a4-4b6e-9d55-000000000009/logs", 404, "NOT_FOUND"),
        ("/0b5f1c1e-58a4-4b6e-9d55-000000000009/logs?limit=1001", 400, "INVALID_ARGUMENT"),
    ] {
        let (got, body) = ask(&server, &format!("{BASE}{path}")).await;
        assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{path}: {body}");
    }
    for body in ["{}", r#"{"kind":""}"#, r#"{"kind":"a","timeoutMs":-1}"#] {
        let (status, answer) = submit(&server, body).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("INVALID_ARGUMENT")), "{body}: {answer}");
    }
}

#[tokio::test]
async fn a_list_is_shorter_where_heartbeats_said_much() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    for _ in 0..3 {
        assert_eq!(submit(&server, r#"{"kind":"charge"}"#).await.0, 201);
        let polled = claim(&client).await;
        let details = format!("\"{}\"", "x".repeat(400 * 1024)).into_bytes();
        let heartbeat = HeartbeatRequest { task_execution_id: polled.task.unwrap().task_execution_id, details };
        let answer = client.call_with::<HeartbeatResponse>(
            "/flovyn.v1.TaskExecution/Heartbeat",
            heartbeat,
            Some(&polled.claim_token),
        );
        answer.await.unwrap();
    }
    let listed = |path: &'static str| async {
        let list = get(&server, path).await;
        (list["tasks"].as_array().unwrap().len(), list["total"].clone())
    };
    assert_eq!(listed("").await, (2, json!(3)));
    assert_eq!(listed("?offset=2").await, (1, json!(3)));
}
