//! What tasks stream, read as server-sent events and by ReadStream.

use flovyn_protocol::messages::{
    StreamEventType, StreamTaskDataRequest, StreamTaskDataResponse, WorkflowStatus,
    ext::{ReadStreamRequest, ReadStreamResponse},
};
use flovyn_server::config::Config;

use crate::support::{TestServer, grpc::Client, http1, requests::*, until};

const BASE: &str = "/api/orgs/dev";
const TASK: &str = "0b5f1c1e-58a4-4b6e-9d55-000000000001";
const STREAM: &str = "/flovyn.v1.TaskExecution/StreamTaskData";
const READ: &str = "/flovyn.ext.v1.Extensions/ReadStream";
/// The last chunk of a response.
const LAST_CHUNK: &str = "0\r\n\r\n";

/// A task under way.
struct Running {
    server: TestServer,
    client: Client,
    execution: String,
    claim: String,
}

impl Running {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::start_with(change).await;
        let client = server.extended().await;
        let execution = client.start("order").await.unwrap();
        let claim = client.poll().await.unwrap().claim_token;
        let commands = vec![schedule_task("charge", TASK)];
        client.submit(&execution, commands, WorkflowStatus::Suspended, Some(&claim)).await.unwrap();
        let claim = client.poll_task().await.unwrap().claim_token;
        Self { server, client, execution, claim }
    }

    async fn stream(&self, sequence: i32, event_type: StreamEventType, payload: &str) {
        let request = StreamTaskDataRequest {
            task_execution_id: TASK.to_owned(),
            sequence,
            r#type: event_type.into(),
            payload: payload.to_owned(),
            ..StreamTaskDataRequest::default()
        };
        let answer = self.client.call_with::<StreamTaskDataResponse>(STREAM, request, Some(&self.claim)).await;
        assert!(answer.unwrap().into_inner().acknowledged);
    }

    async fn token(&self, sequence: i32, text: &str) {
        self.stream(sequence, StreamEventType::Token, &format!(r#"{{"type":"token","text":"{text}"}}"#)).await;
    }

    /// Begins to read the events of a path.
    async fn subscribe(&self, path: &str, headers: &[(&str, &str)]) -> http1::Connection {
        let mut connection = http1::Connection::open(self.server.address).await;
        connection.send("GET", &format!("{BASE}{path}"), headers, b"").await;
        connection
    }

    fn of_execution(&self) -> String {
        format!("/workflow-executions/{}/stream", self.execution)
    }

    async fn read(&self) -> ReadStreamResponse {
        let request = ReadStreamRequest { workflow_execution_id: self.execution.clone(), ..Default::default() };
        self.client.call_with::<ReadStreamResponse>(READ, request, None).await.unwrap().into_inner()
    }
}

#[tokio::test]
async fn every_kind_of_event_arrives_as_it_is_streamed() {
    let running = Running::start(|_| {}).await;
    let mut reader = running.subscribe(&running.of_execution(), &[]).await;
    let head = reader.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    for (sequence, event_type, name, payload) in [
        (1, StreamEventType::Token, "token", r#"{"type":"token","text":"a"}"#),
        (2, StreamEventType::Progress, "progress", r#"{"type":"progress","progress":0.5}"#),
        (3, StreamEventType::Data, "data", r#"{"type":"data","data":{"n":1}}"#),
        (4, StreamEventType::Error, "error", r#"{"type":"error","message":"no"}"#),
    ] {
        running.stream(sequence, event_type, payload).await;
        let chunk = reader.until("\n\n").await;
        assert!(chunk.contains(&format!("event: {name}\n")), "{chunk}");
        assert!(chunk.contains(&format!("data: {payload}\n")), "{chunk}");
    }
    running.client.complete_task(TASK, "1").await.unwrap();
    assert!(reader.until("\n\n").await.contains(r#""event":"TASK_COMPLETED""#));
}

#[tokio::test]
async fn a_reader_goes_on_after_its_last_event() {
    let running = Running::start(|_| {}).await;
    for (sequence, text) in [(1, "a"), (2, "b"), (3, "c")] {
        running.token(sequence, text).await;
    }
    let second = running.read().await.events[1].sequence.to_string();
    let mut reader = running.subscribe(&running.of_execution(), &[("last-event-id", &second)]).await;
    let text = reader.until("\"text\":\"c\"}\n\n").await;
    assert!(!text.contains("\"text\":\"a\"") && !text.contains("\"text\":\"b\""), "{text}");
    let mut reader = running.subscribe(&format!("/task-executions/{TASK}/stream"), &[]).await;
    assert!(reader.until("\"text\":\"c\"").await.contains("\"text\":\"a\""));
    let mut reader = running.subscribe(&running.of_execution(), &[("last-event-id", "x")]).await;
    assert!(reader.until("INVALID_ARGUMENT").await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn consolidated_events_say_where_they_come_from() {
    let running = Running::start(|_| {}).await;
    running.token(1, "a").await;
    let mut reader = running.subscribe(&format!("{}/consolidated", running.of_execution()), &[]).await;
    let expected = format!(
        r#"data: {{"workflowExecutionId":"{}","taskExecutionId":"{TASK}","type":"token","text":"a"}}"#,
        running.execution
    );
    assert!(reader.until("\"a\"}\n\n").await.contains(&expected));
}

#[tokio::test]
async fn the_oldest_events_are_dropped_and_a_slow_reader_misses_them() {
    let running = Running::start(|config| config.rules.streams.events_max = 2).await;
    for (sequence, text) in [(1, "a"), (2, "b"), (3, "c")] {
        running.token(sequence, text).await;
    }
    let payloads: Vec<_> = running.read().await.events.into_iter().map(|event| event.payload).collect();
    assert_eq!(payloads, [r#"{"type":"token","text":"b"}"#, r#"{"type":"token","text":"c"}"#]);
}

#[tokio::test]
async fn a_stream_ends_with_its_execution() {
    let running = Running::start(|_| {}).await;
    let mut reader = running.subscribe(&running.of_execution(), &[]).await;
    reader.until("\r\n\r\n").await;
    running.client.complete_task(TASK, "1").await.unwrap();
    let claim = running.client.poll().await.unwrap().claim_token;
    let commands = vec![complete("1")];
    running.client.submit(&running.execution, commands, WorkflowStatus::Completed, Some(&claim)).await.unwrap();
    assert!(reader.until(LAST_CHUNK).await.contains("WORKFLOW_COMPLETED"));
}

#[tokio::test]
async fn carriage_returns_between_the_parts_of_a_payload_do_no_harm() {
    let running = Running::start(|_| {}).await;
    running.stream(1, StreamEventType::Data, "{\"type\":\"data\",\r\n\"data\":1}").await;
    let mut reader = running.subscribe(&running.of_execution(), &[]).await;
    let text = reader.until("\n\n").await;
    assert!(text.contains("data: {\"type\":\"data\", \ndata: \"data\":1}\n"), "{text}");
}

#[tokio::test]
async fn readers_are_bounded_by_key_and_a_place_is_free_again_when_one_goes() {
    let running = Running::start(|config| config.http.event_streams_per_key_max = 1).await;
    let mut first = running.subscribe(&running.of_execution(), &[]).await;
    first.until("\r\n\r\n").await;
    let mut second = running.subscribe(&running.of_execution(), &[]).await;
    assert!(second.until("RESOURCE_EXHAUSTED").await.starts_with("HTTP/1.1 429"));
    drop(first);
    let until_free = async {
        loop {
            let mut third = running.subscribe(&running.of_execution(), &[]).await;
            if third.until("\r\n\r\n").await.starts_with("HTTP/1.1 200") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    crate::support::within(until_free).await;
}

#[tokio::test]
async fn what_is_not_there_cannot_be_read() {
    let running = Running::start(|_| {}).await;
    for path in ["/workflow-executions/0b5f1c1e-58a4-4b6e-9d55-000000000009/stream", "/task-executions/x/stream"] {
        let answer = http1::request(running.server.address, "GET", &format!("{BASE}{path}"), &[], b"").await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let running = Running::start(|_| {}).await;
    let mut reader = running.subscribe(&running.of_execution(), &[]).await;
    reader.until("\r\n\r\n").await;
    until(|| running.server.server.parked() > 0).await;
    let Running { server, .. } = running;
    let (ended, stopped) = tokio::join!(reader.until(LAST_CHUNK), server.server.shutdown());
    stopped.unwrap();
    assert!(ended.ends_with(LAST_CHUNK));
}
