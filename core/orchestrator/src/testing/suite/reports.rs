//! What tasks tell while they run: progress, logs, their state, and what they stream.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    ClearAllStateRequest, ClearStateRequest, FailTaskRequest, GetStateKeysRequest, GetStateKeysResponse,
    GetStateRequest, GetStateResponse, LogLine, LogMessageRequest, PollTaskResponse, ReportProgressRequest,
    SetStateRequest, StreamEventType, StreamTaskDataRequest, StreamTaskDataResponse, StreamedData, SubmitTaskRequest,
    SubmitTaskResponse, WorkflowStatus,
    ext::{ReadStreamRequest, ReadStreamResponse, ReleaseClaimRequest},
};

use super::tests;
use crate::{
    Attempt, Code,
    testing::{
        Harness,
        commands::{complete, task},
        suite::tasks::{complete_task, completion},
        world::{Claimed, Client, Reply, START_MS, World, extended, plain, stranger},
    },
};

tests!(
    state_survives_attempts,
    state_is_bounded,
    stale_claims_report_nothing,
    plain_clients_report_without_a_token,
    progress_is_kept_and_streamed,
    progress_outside_its_range_is_refused,
    log_lines_are_bounded,
    stream_is_read_in_order_and_from_where_one_left,
    streamed_again_it_counts_once,
    stream_of_an_attempt_that_is_given_out_again_starts_anew,
    reader_parks_until_there_is_something,
    reader_is_told_of_changes_from_when_it_began,
    stream_of_one_task_and_of_the_execution,
    stream_is_read_in_pages_of_bounded_size,
    stream_ends_with_what_it_belongs_to,
    other_organisations_read_nothing,
    what_cannot_be_streamed_is_refused,
);

const SET: &str = "v1.TaskExecution/SetState";
const STREAM: &str = "v1.TaskExecution/StreamTaskData";
const READ: &str = "ext.v1.Extensions/ReadStream";
const PROGRESS: &str = "v1.TaskExecution/ReportProgress";
const LOG: &str = "v1.TaskExecution/LogMessage";

fn holder(claimed: &Claimed<PollTaskResponse>) -> Client {
    extended().with_claim(&claimed.token)
}

fn set(id: &str, key: &str, value: &str) -> SetStateRequest {
    SetStateRequest { task_execution_id: id.into(), key: key.into(), value: value.into() }
}

fn state(world: &mut World<'_>, client: &Client, id: &str, key: &str) -> Option<String> {
    let request = GetStateRequest { task_execution_id: id.into(), key: key.into() };
    let response: GetStateResponse = world.ask(client, "v1.TaskExecution/GetState", &request).unwrap();
    response.found.then(|| String::from_utf8(response.value).unwrap())
}

fn state_keys(world: &mut World<'_>, client: &Client, id: &str) -> Vec<String> {
    let request = GetStateKeysRequest { task_execution_id: id.into() };
    world.ask::<GetStateKeysResponse>(client, "v1.TaskExecution/GetStateKeys", &request).unwrap().keys
}

fn token(id: &str, sequence: i32, payload: &str) -> StreamTaskDataRequest {
    StreamTaskDataRequest {
        task_execution_id: id.into(),
        sequence,
        r#type: StreamEventType::Token.into(),
        payload: payload.into(),
        timestamp_ms: 5,
        ..StreamTaskDataRequest::default()
    }
}

fn stream(world: &mut World<'_>, client: &Client, request: &StreamTaskDataRequest) -> bool {
    world.ask::<StreamTaskDataResponse>(client, STREAM, request).unwrap().acknowledged
}

fn of_execution(id: &str, after_sequence: i64) -> ReadStreamRequest {
    ReadStreamRequest { workflow_execution_id: id.into(), after_sequence, timeout_ms: 1_000, ..Default::default() }
}

fn of_task(id: &str) -> ReadStreamRequest {
    ReadStreamRequest { task_execution_id: id.into(), timeout_ms: 1_000, ..Default::default() }
}

fn read(world: &mut World<'_>, request: &ReadStreamRequest) -> ReadStreamResponse {
    let client = Client { attempt: Some(Attempt { first_ms: world.now_ms, expired: true }), ..extended() };
    world.ask(&client, READ, request).unwrap()
}

fn payloads(response: &ReadStreamResponse) -> Vec<&str> {
    response.events.iter().map(|event| event.payload.as_str()).collect()
}

fn state_survives_attempts(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let first = world.poll_task(&extended());
    for (key, value) in [("b", "1"), ("a", r#"{"z":1}"#), ("b", "2")] {
        world.ask::<()>(&holder(&first), SET, &set(&first.id, key, value)).unwrap();
    }
    let failure =
        FailTaskRequest { task_execution_id: first.id.clone(), error: "again".into(), ..FailTaskRequest::default() };
    world.ask::<()>(&holder(&first), "v1.TaskExecution/FailTask", &failure).unwrap();
    world.advance(60_000);
    let second = world.poll_task(&extended());
    let client = holder(&second);
    assert_eq!(state_keys(&mut world, &client, &second.id), ["a", "b"]);
    assert_eq!(state(&mut world, &client, &second.id, "a").as_deref(), Some(r#"{"z":1}"#));
    assert_eq!(state(&mut world, &client, &second.id, "b").as_deref(), Some("2"));
    let clear = ClearStateRequest { task_execution_id: second.id.clone(), key: "a".into() };
    world.ask::<()>(&client, "v1.TaskExecution/ClearState", &clear).unwrap();
    world.ask::<()>(&client, "v1.TaskExecution/ClearState", &clear).unwrap();
    assert_eq!(state_keys(&mut world, &client, &second.id), ["b"]);
    let clear = ClearAllStateRequest { task_execution_id: second.id.clone() };
    world.ask::<()>(&client, "v1.TaskExecution/ClearAllState", &clear).unwrap();
    assert_eq!(state(&mut world, &client, &second.id, "b"), None);
}

fn state_is_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.task_state_keys_max = 2;
    world.config.limits.task_state_bytes_max = 10;
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let client = holder(&claimed);
    for (key, value) in [("a", "1"), ("b", "1234567"), ("b", "1")] {
        world.ask::<()>(&client, SET, &set(&claimed.id, key, value)).unwrap();
    }
    let exhausted = Code::ResourceExhausted;
    world.refuse(&client, SET, &set(&claimed.id, "c", "1"), exhausted, &["2 keys", "would hold 3 keys"]);
    world.refuse(&client, SET, &set(&claimed.id, "b", "12345678"), exhausted, &["10 bytes", "11 bytes"]);
    assert_eq!(state(&mut world, &client, &claimed.id, "b").as_deref(), Some("1"));
    world.refuse(&client, SET, &set(&claimed.id, "", "1"), Code::InvalidArgument, &["key"]);
    world.refuse(&client, SET, &set(&claimed.id, "a", "{"), Code::InvalidArgument, &["value"]);
}

fn stale_claims_report_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let task_id = claimed.id.clone();
    world.advance(61_000);
    let current = world.poll_task(&extended());
    let stale = holder(&claimed);
    let progress = ReportProgressRequest { task_execution_id: task_id.clone(), progress: 0.5, ..Default::default() };
    let log = LogMessageRequest {
        task_execution_id: task_id.clone(),
        level: "INFO".into(),
        message: "x".into(),
        ..LogMessageRequest::default()
    };
    let refused = Code::FailedPrecondition;
    for (client, says) in [(&stale, "no longer current"), (&extended(), "flovyn-claim")] {
        world.refuse(client, SET, &set(&task_id, "k", "1"), refused, &[says]);
        world.refuse(client, STREAM, &token(&task_id, 1, "1"), refused, &[says]);
        world.refuse(client, PROGRESS, &progress, refused, &[says]);
        world.refuse(client, LOG, &log, refused, &[says]);
    }
    let get = GetStateRequest { task_execution_id: task_id.clone(), key: "k".into() };
    world.refuse(&stale, "v1.TaskExecution/GetState", &get, refused, &["no longer current"]);
    assert_eq!(state_keys(&mut world, &holder(&current), &task_id), [""; 0]);
    assert!(read(&mut world, &of_execution(&id, 0)).events.is_empty());
}

fn plain_clients_report_without_a_token(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&plain());
    assert!(stream(&mut world, &plain(), &token(&claimed.id, 0, "1")));
    assert!(stream(&mut world, &plain(), &token(&claimed.id, 0, "2")));
    world.ask::<()>(&plain(), SET, &set(&claimed.id, "k", "1")).unwrap();
    assert_eq!(state(&mut world, &plain(), &claimed.id, "k").as_deref(), Some("1"));
    assert_eq!(payloads(&read(&mut world, &of_task(&claimed.id))), ["1", "2"]);
    world.ask::<()>(&plain(), "v1.TaskExecution/CompleteTask", &completion(&claimed.id, "1")).unwrap();
    assert!(!stream(&mut world, &plain(), &token(&claimed.id, 0, "3")));
    world.ask::<()>(&plain(), SET, &set(&claimed.id, "k", "2")).unwrap();
    assert_eq!(state(&mut world, &plain(), &claimed.id, "k").as_deref(), Some("1"));
}

fn progress_is_kept_and_streamed(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    for (progress, details) in [(0.0, ""), (0.25, "a \"quarter\""), (1.0 / 3.0, ""), (0.999_999_9, "")] {
        let request =
            ReportProgressRequest { task_execution_id: claimed.id.clone(), progress, details: details.into() };
        world.ask::<()>(&holder(&claimed), PROGRESS, &request).unwrap();
    }
    let expected = [
        r#"{"type":"progress","progress":0}"#,
        r#"{"type":"progress","progress":0.25,"details":"a \"quarter\""}"#,
        r#"{"type":"progress","progress":0.333333}"#,
        r#"{"type":"progress","progress":1}"#,
    ];
    assert_eq!(payloads(&read(&mut world, &of_execution(&id, 0))), expected);
}

fn progress_outside_its_range_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    for (progress, got) in [(-0.1, "got a lower one"), (1.000_001, "got a higher one"), (f64::NAN, "got none")] {
        let request = ReportProgressRequest { task_execution_id: claimed.id.clone(), progress, ..Default::default() };
        world.refuse(&holder(&claimed), PROGRESS, &request, Code::InvalidArgument, &["from 0 to 1", got]);
    }
}

fn log_lines_are_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.task_logs_max = 3;
    world.config.limits.log_message_bytes_max = 5;
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let line = |level: &str, message: &str| LogLine { level: level.into(), message: message.into() };
    let request = |lines: &[LogLine]| LogMessageRequest {
        task_execution_id: claimed.id.clone(),
        level: lines[0].level.clone(),
        message: lines[0].message.clone(),
        more: lines[1..].to_vec(),
    };
    world.ask::<()>(&holder(&claimed), LOG, &request(&[line("INFO", "one"), line("WARN", "two")])).unwrap();
    let too_many = request(&[line("INFO", "three"), line("INFO", "four")]);
    world.refuse(&holder(&claimed), LOG, &too_many, Code::ResourceExhausted, &["3 lines", "logged 4"]);
    let shout = request(&[line(&"SHOUT".repeat(1_000), "x")]);
    world.refuse(&holder(&claimed), LOG, &shout, Code::InvalidArgument, &["DEBUG, INFO", "SHOUTSHOU\""]);
    let long = request(&[line("INFO", "123456")]);
    world.refuse(&holder(&claimed), LOG, &long, Code::ResourceExhausted, &["message", "5 bytes"]);
    world.ask::<()>(&holder(&claimed), LOG, &request(&[line("ERROR", "three")])).unwrap();
}

fn stream_is_read_in_order_and_from_where_one_left(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let data = |sequence: i32, payload: &str| StreamedData {
        sequence,
        r#type: StreamEventType::Data.into(),
        payload: payload.into(),
        timestamp_ms: 6,
    };
    let batch = StreamTaskDataRequest { more: vec![data(2, "2"), data(3, "3")], ..token(&claimed.id, 1, "1") };
    assert!(stream(&mut world, &holder(&claimed), &batch));
    let all = read(&mut world, &of_execution(&id, 0));
    assert_eq!(payloads(&all), ["1", "2", "3"]);
    let first = &all.events[0];
    assert_eq!((first.sequence, first.r#type, first.timestamp_ms), (START_MS * 1_000, 1, 5));
    assert_eq!(first.task_execution_id, claimed.id);
    assert_eq!(payloads(&read(&mut world, &of_execution(&id, first.sequence))), ["2", "3"]);
    let limited = ReadStreamRequest { limit: 2, ..of_execution(&id, 0) };
    assert_eq!(payloads(&read(&mut world, &limited)), ["1", "2"]);
    let last = all.events[2].sequence;
    assert!(read(&mut world, &of_execution(&id, last)).events.is_empty());
}

fn streamed_again_it_counts_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    for (sequence, payload) in [(1, "1"), (2, "2"), (1, "1"), (2, "2"), (3, "3")] {
        assert!(stream(&mut world, &holder(&claimed), &token(&claimed.id, sequence, payload)));
    }
    assert_eq!(payloads(&read(&mut world, &of_execution(&id, 0))), ["1", "2", "3"]);
}

fn stream_of_an_attempt_that_is_given_out_again_starts_anew(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let first = world.poll_task(&extended());
    for (sequence, payload) in [(1, "1"), (2, "2")] {
        assert!(stream(&mut world, &holder(&first), &token(&first.id, sequence, payload)));
    }
    let release = ReleaseClaimRequest { task_execution_id: first.id.clone(), ..Default::default() };
    world.ask::<()>(&holder(&first), "ext.v1.Extensions/ReleaseClaim", &release).unwrap();
    // It counts as the same attempt, and its holder counts what it streams from 1.
    let second = world.poll_task(&extended());
    let attempt = |claimed: &Claimed<PollTaskResponse>| claimed.message.task.as_ref().unwrap().execution_count;
    assert_eq!(attempt(&second), attempt(&first));
    assert!(stream(&mut world, &holder(&second), &token(&second.id, 1, "3")));
    world.refuse(&holder(&first), STREAM, &token(&first.id, 3, "4"), Code::FailedPrecondition, &["current"]);
    let all = read(&mut world, &of_execution(&id, 0));
    let streamed: Vec<_> = payloads(&all).into_iter().filter(|payload| !payload.contains("TASK_STARTED")).collect();
    assert_eq!(streamed, ["1", "2", "3"]);
}

fn reader_parks_until_there_is_something(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let Reply::Parked(park) = world.call::<ReadStreamResponse>(&extended(), READ, &of_execution(&id, 0)).unwrap()
    else {
        panic!("there is nothing to read yet")
    };
    assert_eq!(park.deadline_ms, START_MS + 1_000);
    world.take_wakes();
    stream(&mut world, &holder(&claimed), &token(&claimed.id, 1, "1"));
    let wakes = world.take_wakes();
    assert!(park.keys.iter().any(|key| wakes.contains(&key.to_string())), "{wakes:?}");
    assert_eq!(payloads(&read(&mut world, &of_execution(&id, 0))), ["1"]);
}

fn reader_is_told_of_changes_from_when_it_began(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    assert!(read(&mut world, &of_execution(&id, 0)).events.is_empty());
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    let told = read(&mut world, &of_execution(&id, 0));
    let event = |event: &str| {
        let data = format!(r#"{{"taskExecutionId":"{}","kind":"charge","attempt":1}}"#, claimed.id);
        format!(r#"{{"type":"Event","event":"{event}","data":{data},"timestampMs":{START_MS}}}"#)
    };
    assert_eq!(payloads(&told), [event("TASK_STARTED"), event("TASK_COMPLETED")]);
    assert_eq!(told.events[0].r#type, i32::from(StreamEventType::Data));
}

fn stream_of_one_task_and_of_the_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2)]);
    let (first, second) = (world.poll_task(&extended()), world.poll_task(&extended()));
    stream(&mut world, &holder(&first), &token(&first.id, 1, "1"));
    stream(&mut world, &holder(&second), &token(&second.id, 1, "2"));
    assert_eq!(payloads(&read(&mut world, &of_execution(&id, 0))), ["1", "2"]);
    assert_eq!(payloads(&read(&mut world, &of_task(&second.id))), ["2"]);
    let both = ReadStreamRequest { task_execution_id: first.id.clone(), ..of_execution(&id, 0) };
    world.refuse(&extended(), READ, &both, Code::InvalidArgument, &["either", "both"]);
}

fn stream_is_read_in_pages_of_bounded_size(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let large = format!("{:?}", "x".repeat(200_000));
    for sequence in 1..=6 {
        stream(&mut world, &holder(&claimed), &token(&claimed.id, sequence, &large));
    }
    let page = read(&mut world, &of_execution(&id, 0));
    assert_eq!(page.events.len(), 5, "of 200 kB each, in 1 MiB");
    let rest = read(&mut world, &of_execution(&id, page.events[4].sequence));
    assert_eq!(rest.events.len(), 1);
}

fn stream_ends_with_what_it_belongs_to(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    stream(&mut world, &holder(&claimed), &token(&claimed.id, 1, "1"));
    assert!(!read(&mut world, &of_task(&claimed.id)).end);
    complete_task(&mut world, &claimed, "1");
    let read_task = read(&mut world, &of_task(&claimed.id));
    assert_eq!((read_task.events.len(), read_task.end), (2, true));
    for (limit, end) in [(1, false), (2, true)] {
        let page = read(&mut world, &ReadStreamRequest { limit, ..of_task(&claimed.id) });
        assert_eq!((page.events.len(), page.end), (usize::try_from(limit).unwrap(), end), "limit {limit}");
    }
    assert!(!read(&mut world, &of_execution(&id, 0)).end);
    let activation = world.poll(&extended());
    world.submit(&activation, vec![complete("1")], WorkflowStatus::Completed);
    let read_execution = read(&mut world, &of_execution(&id, 0));
    assert!(read_execution.end);
    let last = read_execution.events.last().unwrap();
    assert!(last.payload.contains("WORKFLOW_COMPLETED"), "{}", last.payload);
    assert_eq!(read(&mut world, &of_execution(&id, last.sequence)), ReadStreamResponse { events: vec![], end: true });

    let submit = SubmitTaskRequest { kind: "alone".into(), ..SubmitTaskRequest::default() };
    let alone: SubmitTaskResponse = world.ask(&extended(), "v1.TaskExecution/SubmitTask", &submit).unwrap();
    let claimed = world.poll_task(&extended());
    stream(&mut world, &holder(&claimed), &token(&claimed.id, 1, "1"));
    assert_eq!(payloads(&read(&mut world, &of_task(&alone.task_execution_id))), ["1"]);
}

fn other_organisations_read_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    stream(&mut world, &holder(&claimed), &token(&claimed.id, 1, "1"));
    let foreign = Client { extended: true, ..stranger() };
    world.refuse(&foreign, READ, &of_execution(&id, 0), Code::NotFound, &[&id]);
    world.refuse(&foreign, READ, &of_task(&claimed.id), Code::NotFound, &[&claimed.id]);
    world.refuse(&foreign, STREAM, &token(&claimed.id, 1, "1"), Code::NotFound, &[&claimed.id]);
    world.refuse(&foreign, SET, &set(&claimed.id, "k", "1"), Code::NotFound, &[&claimed.id]);
}

fn what_cannot_be_streamed_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.stream_payload_bytes_max = 4;
    world.config.limits.reports_per_call_max = 1;
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let client = holder(&claimed);
    let no_type = StreamTaskDataRequest { r#type: 0, ..token(&claimed.id, 1, "1") };
    world.refuse(&client, STREAM, &no_type, Code::InvalidArgument, &["TOKEN", "number 0"]);
    world.refuse(&client, STREAM, &token(&claimed.id, 1, "{"), Code::InvalidArgument, &["payload"]);
    world.refuse(&client, STREAM, &token(&claimed.id, 1, "12345"), Code::ResourceExhausted, &["4 bytes"]);
    let many = StreamTaskDataRequest { more: vec![StreamedData::default(); 2], ..token(&claimed.id, 1, "1") };
    world.refuse(&client, STREAM, &many, Code::ResourceExhausted, &["at most 1", "got 2"]);
    assert!(read(&mut world, &of_execution(&id, 0)).events.is_empty());
}
