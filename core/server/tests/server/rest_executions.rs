//! REST: what executions are there, what belongs to one, and what can be done to one.

use flovyn_protocol::messages::{
    CommandType, CreatePromiseCommand, FailTaskRequest, HeartbeatRequest, HeartbeatResponse,
    ScheduleChildWorkflowCommand, SetStateCommand, WorkflowStatus, workflow_command::CommandData,
};
use serde_json::{Value, json};

use crate::support::{TestServer, http1, requests::*};

const BASE: &str = "/api/orgs/dev/workflow-executions";
const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000001";
const CHILD: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000002";

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = http1::request(server.address, "GET", &format!("{BASE}{path}"), &[], b"").await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{path}: {text}");
    answer.json()
}

async fn post(server: &TestServer, path: &str, body: &str) -> (u16, Value) {
    let answer = http1::json(server.address, "POST", &format!("{BASE}{path}"), body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn listed_by_status_kind_and_queue() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let first = client.start("order").await.unwrap();
    client.poll().await.unwrap();
    client.submit(&first, vec![complete("1")], WorkflowStatus::Completed, None).await.unwrap();
    // So that the order of the two is sure.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let second = client.start("refund").await.unwrap();

    let all = get(&server, "").await;
    assert_eq!((&all["total"], &all["limit"], &all["offset"]), (&json!(2), &json!(100), &json!(0)));
    assert_eq!((&all["workflows"][0]["id"], &all["workflows"][1]["id"]), (&json!(second), &json!(first)));
    let expected = [("kind", "refund"), ("workflowKind", "refund"), ("queue", "default"), ("status", "PENDING")];
    for (field, value) in expected {
        assert_eq!(all["workflows"][0][field], value);
    }
    for (query, total, shown) in [
        ("?status=COMPLETED", 1, 1),
        ("?status=pending", 1, 1),
        ("?kind=refund&status=completed", 0, 0),
        ("?kind=order", 1, 1),
        ("?queue=default", 2, 2),
        ("?queue=other", 0, 0),
        ("?limit=1&offset=1", 2, 1),
        ("?limit=0", 2, 0),
    ] {
        let found = get(&server, query).await;
        assert_eq!(found["total"], total, "{query}");
        assert_eq!(found["workflows"].as_array().unwrap().len(), shown, "{query}");
    }
}

#[tokio::test]
async fn state_tasks_and_children() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = client.start("order").await.unwrap();
    let claim = client.poll().await.unwrap().claim_token;
    let state = SetStateCommand { key: "progress".to_owned(), value: b"{\"z\":1.0,\"a\":2}".to_vec() };
    let child = ScheduleChildWorkflowCommand {
        child_execution_name: "shipping".to_owned(),
        workflow_kind: Some("ship".to_owned()),
        child_workflow_execution_id: CHILD.to_owned(),
        queue: "elsewhere".to_owned(),
        ..ScheduleChildWorkflowCommand::default()
    };
    let commands = vec![
        command(CommandType::SetState, CommandData::SetState(state)),
        schedule_task("charge", TASK),
        command(CommandType::ScheduleChildWorkflow, CommandData::ScheduleChildWorkflow(child)),
    ];
    client.submit(&id, commands, WorkflowStatus::Suspended, Some(&claim)).await.unwrap();

    let answer = http1::request(server.address, "GET", &format!("{BASE}/{id}/state"), &[], b"").await;
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(text, r#"{"state":{"progress":{"z":1.0,"a":2}}}"#, "a payload is as it came");
    let tasks = get(&server, &format!("/{id}/tasks")).await;
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 1);
    let task = &tasks["tasks"][0];
    assert_eq!((&task["id"], &task["kind"], &task["status"]), (&json!(TASK), &json!("charge"), &json!("PENDING")));
    assert_eq!((&task["workflowExecutionId"], &task["executionCount"]), (&json!(id), &json!(0)));
    assert_eq!(
        (&task["error"], &task["stackTrace"], &task["heartbeatDetails"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let children = get(&server, &format!("/{id}/children")).await;
    assert_eq!(children["children"].as_array().unwrap().len(), 1);
    for (window, count) in [("limit=0", 0), ("limit=1&offset=1", 0), ("offset=0", 1), ("limit=1000", 1)] {
        for part in ["tasks", "children"] {
            let answer = get(&server, &format!("/{id}/{part}?{window}")).await;
            assert_eq!(answer[part].as_array().unwrap().len(), count, "{part}?{window}");
        }
    }
    for wrong in ["limit=1001", "limit=-1", "offset=x"] {
        let answer = http1::request(server.address, "GET", &format!("{BASE}/{id}/tasks?{wrong}"), &[], b"").await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("INVALID_ARGUMENT")), "{wrong}");
    }
    let child = &children["children"][0];
    assert_eq!((&child["id"], &child["name"], &child["kind"]), (&json!(CHILD), &json!("shipping"), &json!("ship")));
    assert_eq!(get(&server, &format!("/{CHILD}")).await["parentWorkflowExecutionId"], id);
    assert_eq!(get(&server, &format!("/{CHILD}/children")).await, json!({"children": []}));
}

#[tokio::test]
async fn what_the_last_attempt_of_a_task_said() {
    let server = TestServer::start().await;
    let client = server.extended().await;
    let id = client.start("order").await.unwrap();
    let claim = client.poll().await.unwrap().claim_token;
    let commands = vec![schedule_task("charge", TASK)];
    client.submit(&id, commands, WorkflowStatus::Suspended, Some(&claim)).await.unwrap();
    let claim = client.poll_task().await.unwrap().claim_token;
    let heartbeat = HeartbeatRequest { task_execution_id: TASK.to_owned(), details: br#"{"page":2.0}"#.to_vec() };
    let answer = client.call_with::<HeartbeatResponse>("/flovyn.v1.TaskExecution/Heartbeat", heartbeat, Some(&claim));
    assert!(!answer.await.unwrap().into_inner().cancelled);
    let failure = FailTaskRequest {
        task_execution_id: TASK.to_owned(),
        error: "no money".to_owned(),
        stack_trace: "at charge".to_owned(),
        ..FailTaskRequest::default()
    };
    client.call_with::<()>("/flovyn.v1.TaskExecution/FailTask", failure, Some(&claim)).await.unwrap();
    let answer = http1::request(server.address, "GET", &format!("{BASE}/{id}/tasks"), &[], b"").await;
    let text = String::from_utf8(answer.body).unwrap();
    let said = r#""error":"no money","stackTrace":"at charge","heartbeatDetails":{"page":2.0}"#;
    assert!(text.contains(said), "{text}");
}

#[tokio::test]
async fn cancelled_and_signalled_with_either_spelling() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let id = client.start("order").await.unwrap();
    for (body, sequence) in [
        (r#"{"signalName":"paid","signalValue":{"z":1.0}}"#, 2),
        (r#"{"signal_name":"paid","signal_value":[2]}"#, 3),
        (r#"{"signalName":"paid"}"#, 4),
    ] {
        let answer = post(&server, &format!("/{id}/signal"), body).await;
        assert_eq!(answer, (200, json!({"signalEventSequence": sequence})), "{body}");
    }
    let events = get(&server, &format!("/{id}/events")).await;
    let values: Vec<_> = (1..4).map(|index| events["events"][index]["data"]["signalValue"].clone()).collect();
    assert_eq!(values, [json!({"z": 1.0}), json!([2]), Value::Null]);

    let (status, answer) = post(&server, &format!("/{id}/cancel"), r#"{"reason":"no stock"}"#).await;
    assert_eq!((status, &answer["status"]), (200, &json!("CANCELLING")));
    let other = client.start("order").await.unwrap();
    let body = r#"{"force":true,"cascade_to_children":false}"#;
    let (status, answer) = post(&server, &format!("/{other}/cancel"), body).await;
    assert_eq!((status, &answer["status"]), (200, &json!("CANCELLED")));
    assert_eq!(answer["workflowExecutionId"], other);
}

#[tokio::test]
async fn signalled_with_a_start() {
    let server = TestServer::start().await;
    let camel = r#"{"workflowId":"order-1","workflowKind":"order","workflowInput":{"a":1},"signalName":"paid"}"#;
    let (status, started) = post(&server, "/signal-with-start", camel).await;
    assert_eq!((status, &started["workflowCreated"], &started["signalEventSequence"]), (201, &json!(true), &json!(2)));
    let snake = r#"{"workflow_id":"order-1","workflow_kind":"order","signal_name":"paid","signal_value":1}"#;
    let (status, again) = post(&server, "/signal-with-start", snake).await;
    assert_eq!((status, &again["workflowCreated"], &again["signalEventSequence"]), (200, &json!(false), &json!(3)));
    assert_eq!(again["workflowExecutionId"], started["workflowExecutionId"]);
}

#[tokio::test]
async fn promises_by_idempotency_key() {
    let server = TestServer::start().await;
    let client = server.plain().await;
    let id = client.start("order").await.unwrap();
    client.poll().await.unwrap();
    let promise = |key: &str| {
        let data = CreatePromiseCommand {
            promise_id: "approval".to_owned(),
            idempotency_key: Some(key.to_owned()),
            ..CreatePromiseCommand::default()
        };
        command(CommandType::CreatePromise, CommandData::CreatePromise(data))
    };
    let commands = vec![promise("mail 1:a/b"), promise("mail 2")];
    client.submit(&id, commands, WorkflowStatus::Suspended, None).await.unwrap();
    let events = get(&server, &format!("/{id}/events")).await;
    let uuid = |index: usize| events["events"][index]["data"]["promiseId"].clone();

    let path = "/api/orgs/dev/promises/key:mail%201:a%2Fb/resolve";
    let first = http1::json(server.address, "POST", path, r#"{"value":1}"#).await.json();
    assert_eq!(first, json!({"resolved": true, "alreadyResolved": false, "promiseId": uuid(1)}));
    let second = http1::json(server.address, "POST", path, "{}").await.json();
    assert_eq!(second, json!({"resolved": false, "alreadyResolved": true, "promiseId": uuid(1)}));
    let path = "/api/orgs/dev/promises/key:mail%202/reject";
    let rejected = http1::json(server.address, "POST", path, r#"{"error":"no"}"#).await.json();
    assert_eq!(rejected["promiseId"], uuid(2));
    let types = client.event_types(&id).await.unwrap();
    assert_eq!(types[4..], ["PROMISE_RESOLVED", "PROMISE_REJECTED"]);
}
