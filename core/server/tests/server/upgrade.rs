//! A database that an older server has written.

use std::fs;

use flovyn_protocol::messages::{CompleteTaskRequest, CompleteTaskResponse};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{TestServer, http1, requests::*};

const OLDER: &str = include_str!("upgrade/without_task_lists.sql");
const IDENTITY: &str = r#"{
  "orgId": "0b5f1c1e-58a4-4b6e-9d55-0000000000aa",
  "orgSlug": "dev",
  "apiKey": "flovyn_sk_1",
  "workerKey": "flovyn_wk_1"
}"#;
const EXECUTION: &str = "01a215f8-c922-74f3-951c-141056b4e7c9";
/// Of the tasks that were claimed, one of no execution and one of the execution.
const CLAIMED: [(&str, &str); 2] = [
    ("01a215f8-c8ea-7e6d-ae9e-84be2fca6917", "d820c811a52ed34e31292a4db7909a3c"),
    ("0b5f1c1e-58a4-4b6e-9d55-000000000002", "7d4cbdb4a4834c16355adf31c7a53c64"),
];

async fn start() -> TestServer {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("dev.json"), IDENTITY).unwrap();
    Connection::open(data.path().join("flovyn.db")).unwrap().execute_batch(OLDER).unwrap();
    TestServer::start_on(data, |_| ()).await
}

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = http1::request(server.address, "GET", &format!("/api/orgs/dev{path}"), &[], b"").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

/// The kinds and statuses of the tasks that are listed.
async fn listed(server: &TestServer, query: &str) -> Vec<[String; 2]> {
    let found = get(server, &format!("/task-executions?{query}")).await;
    let tasks = found["tasks"].as_array().unwrap();
    assert_eq!(found["total"], tasks.len(), "{query}");
    tasks.iter().map(|task| ["kind", "status"].map(|field| task[field].as_str().unwrap().to_owned())).collect()
}

async fn attempts(server: &TestServer, id: &str) -> Vec<Value> {
    let found = get(server, &format!("/task-executions/{id}/attempts")).await;
    let attempts = found["attempts"].as_array().unwrap().iter();
    attempts.map(|one| json!([one["attempt"], one["status"], one["error"]])).collect()
}

#[tokio::test]
async fn tasks_of_before_are_listed_and_go_on() {
    let server = start().await;
    let all = [
        ["ready", "PENDING"],
        ["backing-off", "PENDING"],
        ["running", "RUNNING"],
        ["cancelled", "CANCELLED"],
        ["failed", "FAILED"],
        ["done", "COMPLETED"],
    ];
    assert_eq!(listed(&server, "").await, all);
    for status in ["PENDING", "RUNNING", "CANCELLED", "FAILED", "COMPLETED"] {
        let expected: Vec<_> = all.into_iter().filter(|[_, of]| *of == status).collect();
        assert_eq!(listed(&server, &format!("status={status}")).await, expected);
    }
    for [kind, status] in all {
        for filter in ["queue", "kind"] {
            assert_eq!(listed(&server, &format!("{filter}={kind}")).await, [[kind, status]]);
        }
    }

    let done = get(&server, "/task-executions?kind=done").await["tasks"][0].clone();
    let id = done["id"].as_str().unwrap();
    assert_eq!((&done["executionCount"], &done["progress"]), (&json!(2), &json!(0.5)));
    assert_eq!(get(&server, &format!("/task-executions/{id}")).await["output"], json!(1));
    assert_eq!(get(&server, &format!("/task-executions/{id}/logs")).await["logs"][0]["message"], "nearly");
    assert_eq!(attempts(&server, id).await, [] as [Value; 0], "nobody noted them");

    let client = server.extended().await;
    for (id, token) in CLAIMED {
        assert_eq!(attempts(&server, id).await, [json!([1, "RUNNING", null])]);
        let request =
            CompleteTaskRequest { task_execution_id: id.to_owned(), output: b"3".to_vec(), ..Default::default() };
        client.call_with::<CompleteTaskResponse>(COMPLETE_TASK, request, Some(token)).await.unwrap();
        assert_eq!(attempts(&server, id).await, [json!([1, "COMPLETED", null])]);
        assert_eq!(get(&server, &format!("/task-executions/{id}")).await["output"], json!(3));
    }
    let completed = [["running", "COMPLETED"], ["done", "COMPLETED"]];
    assert_eq!(listed(&server, "status=COMPLETED").await, completed);
    assert_eq!(listed(&server, "status=RUNNING").await, [] as [[&str; 2]; 0]);
    let of_execution = get(&server, &format!("/workflow-executions/{EXECUTION}/tasks")).await;
    let statuses: Vec<_> = of_execution["tasks"].as_array().unwrap().iter().map(|task| &task["status"]).collect();
    assert_eq!(statuses, ["COMPLETED", "COMPLETED"]);
}
