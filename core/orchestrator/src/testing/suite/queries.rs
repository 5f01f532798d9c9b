//! Queries: of the folded state, and of workers.

use alloc::{format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    PollRequest, PollResponse, QueryTask, QueryWorkflowRequest, QueryWorkflowResponse, WorkerRegistrationRequest,
    WorkerRegistrationResponse, WorkflowCapability, WorkflowStatus, ext::AnswerQueryRequest,
};

use crate::{
    Code, Status, Undelivered,
    testing::{
        Harness,
        commands::{clear_state, complete, set_state},
        suite::tests,
        world::{Client, Reply, START_MS, World, extended, plain, stranger, submission},
    },
};

tests!(
    state_is_folded,
    key_that_is_not_set_is_null,
    state_outlives_its_execution,
    refused_submission_sets_no_state,
    executions_have_states_of_their_own,
    worker_answers_what_it_registered,
    error_of_a_worker_is_passed_on,
    query_that_nobody_answers_fails,
    query_that_is_looked_for_too_late_fails,
    query_that_no_worker_takes_in_time_is_answered_from_the_state,
    query_that_may_not_wait_is_answered_from_the_state,
    query_whose_worker_went_away_is_offered_in_time_only,
    all_who_ask_the_same_at_once_are_answered,
    pending_queries_are_bounded,
    state_that_is_sent_whole_is_bounded,
    newest_workers_are_looked_at,
    dead_worker_is_not_asked,
    query_that_was_not_delivered_is_offered_again,
    query_is_offered_once_and_only_to_who_answers_it,
    answer_that_nobody_waits_for_is_refused,
    plain_workers_register_no_queries,
    queries_of_others_are_not_seen,
);

const QUERY: &str = "v1.WorkflowQuery/QueryWorkflow";
const ANSWER: &str = "ext.v1.Extensions/AnswerQuery";
const POLL: &str = "v1.WorkflowDispatch/PollWorkflow";

fn request(id: &str, name: &str) -> QueryWorkflowRequest {
    QueryWorkflowRequest { workflow_execution_id: id.into(), query_name: name.into(), params: b"{\"of\":1}".to_vec() }
}

fn query(world: &mut World<'_>, id: &str, name: &str) -> String {
    let response: QueryWorkflowResponse = world.ask(&plain(), QUERY, &request(id, name)).unwrap();
    assert_eq!(response.error, None);
    String::from_utf8(response.result).unwrap()
}

fn register(world: &mut World<'_>, client: &Client, worker: &str) {
    let workflow = WorkflowCapability {
        kind: "order".into(),
        query_names: vec!["progress".into(), "owner".into()],
        ..WorkflowCapability::default()
    };
    let request = WorkerRegistrationRequest {
        worker_name: worker.into(),
        workflows: vec![workflow],
        ..WorkerRegistrationRequest::default()
    };
    let _: WorkerRegistrationResponse = world.ask(client, "v1.WorkerLifecycle/RegisterWorker", &request).unwrap();
}

/// An execution with a state, and a worker `a` that answers its queries.
fn answered_by_a(world: &mut World<'_>) -> String {
    register(world, &extended(), "a");
    world.suspended(vec![set_state("progress", "0.5"), set_state("b", "[1]")])
}

fn answering(worker: &str) -> PollRequest {
    PollRequest {
        worker_id: worker.into(),
        timeout_seconds: 30,
        long_poll: true,
        answers_queries: true,
        ..PollRequest::default()
    }
}

/// What a poll for queries gives: there is nothing else to do.
fn poll_query(world: &mut World<'_>, worker: &str) -> Option<(QueryTask, Undelivered)> {
    match world.call::<PollResponse>(&extended(), POLL, &answering(worker)).unwrap() {
        Reply::Now(response, undelivered) => {
            let bare = PollResponse { query: response.query.clone(), ..PollResponse::default() };
            assert_eq!(response, bare, "a query is no claim");
            Some((response.query.unwrap(), undelivered.unwrap()))
        }
        Reply::Parked(_) => None,
    }
}

/// Asks, and is parked until a worker answers.
fn ask_worker(world: &mut World<'_>, id: &str) {
    match world.call::<QueryWorkflowResponse>(&plain(), QUERY, &request(id, "progress")).unwrap() {
        Reply::Parked(park) => {
            assert_eq!(park.deadline_ms, world.now_ms + 10_000);
            assert!(!park.keys[0].is_queue());
        }
        Reply::Now(response, _) => panic!("not parked: {response:?}"),
    }
}

fn asked_again(world: &mut World<'_>, id: &str) -> QueryWorkflowResponse {
    world.ask(&plain().again(START_MS, false), QUERY, &request(id, "progress")).unwrap()
}

fn state_is_folded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    assert_eq!(query(&mut world, &id, "__state"), "{}");
    let claimed = world.poll(&extended());
    world.submit(
        &claimed,
        vec![set_state("b", "1"), set_state("a \"q\"", "{\"z\":1.0,\"y\":2}")],
        WorkflowStatus::Running,
    );
    assert_eq!(query(&mut world, &id, "__state"), "{\"a \\\"q\\\"\":{\"z\":1.0,\"y\":2},\"b\":1}");
    let more = vec![set_state("b", "[2]"), set_state("c", "true"), clear_state("a \"q\""), clear_state("none")];
    let request = submission(&id, 2, more, WorkflowStatus::Running);
    world.submit_with(&extended().with_claim(&claimed.token), &request).unwrap();
    assert_eq!(query(&mut world, &id, "__state"), "{\"b\":[2],\"c\":true}");
    assert_eq!(query(&mut world, &id, "b"), "[2]");
    world.harness.reopen();
    assert_eq!(query(&mut world, &id, "c"), "true");
}

fn key_that_is_not_set_is_null(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![set_state("a", "1"), clear_state("a")]);
    assert_eq!(query(&mut world, &id, "a"), "null");
    assert_eq!(query(&mut world, &id, "nothing"), "null");
    world.refuse(&plain(), QUERY, &request(&id, ""), Code::InvalidArgument, &["query_name"]);
    let broken = QueryWorkflowRequest { params: b"{".to_vec(), ..request(&id, "a") };
    world.refuse(&plain(), QUERY, &broken, Code::InvalidArgument, &["params"]);
}

fn state_outlives_its_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![set_state("result", "7"), complete("1")], WorkflowStatus::Completed);
    assert_eq!(query(&mut world, &id, "result"), "7");
}

fn refused_submission_sets_no_state(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let broken = vec![set_state("a", "1"), super::super::commands::resolve_promise("none", "1")];
    let request = submission(&id, 1, broken, WorkflowStatus::Suspended);
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, super::super::world::SUBMIT, &request, Code::NotFound, &["promise"]);
    assert_eq!(query(&mut world, &id, "__state"), "{}");
}

fn executions_have_states_of_their_own(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let ids: [_; 3] = core::array::from_fn(|n| {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![set_state("n", &format!("{n}"))], WorkflowStatus::Suspended);
        id
    });
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(query(&mut world, id, "__state"), format!("{{\"n\":{n}}}"));
    }
}

fn worker_answers_what_it_registered(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    let Reply::Parked(park) = world.call::<PollResponse>(&extended(), POLL, &answering("a")).unwrap() else {
        panic!("there is nothing yet")
    };
    world.take_wakes();
    ask_worker(&mut world, &id);
    let wakes = world.wakes.clone();
    assert!(park.keys.contains(&wakes[0]) && wakes[0].is_queue(), "{wakes:?}");
    assert!(park.kinds.meets(world.woken_kinds));
    let (task, _) = poll_query(&mut world, "a").unwrap();
    let state: Vec<_> = task.state.iter().map(|entry| (entry.key.as_str(), entry.value.as_slice())).collect();
    assert_eq!(state, [("b", &b"[1]"[..]), ("progress", &b"0.5"[..])]);
    assert_eq!((task.workflow_execution_id.as_str(), task.workflow_kind.as_str()), (&*id, "order"));
    assert_eq!((task.query_name.as_str(), task.params.as_slice()), ("progress", &b"{\"of\":1}"[..]));
    assert_eq!(task.current_sequence, 4);
    world.take_wakes();
    let answer = AnswerQueryRequest { query_id: task.query_id, result: b"50".to_vec(), error: None };
    let _: () = world.ask(&extended(), ANSWER, &answer).unwrap();
    assert!(!world.wakes[0].is_queue());
    assert_eq!(asked_again(&mut world, &id), QueryWorkflowResponse { result: b"50".to_vec(), error: None });
    // What nobody registered is a matter of the state; so is all of it.
    assert_eq!(query(&mut world, &id, "b"), "[1]");
    assert_eq!(query(&mut world, &id, "__state"), "{\"b\":[1],\"progress\":0.5}");
    assert_eq!(world.types(&id).len(), 4, "nothing was added");
}

fn error_of_a_worker_is_passed_on(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let (task, _) = poll_query(&mut world, "a").unwrap();
    let answer =
        AnswerQueryRequest { query_id: task.query_id, error: Some("no such item".into()), ..Default::default() };
    let _: () = world.ask(&extended(), ANSWER, &answer).unwrap();
    // A second answer changes nothing.
    let second = AnswerQueryRequest { error: None, ..answer };
    let _: () = world.ask(&extended(), ANSWER, &second).unwrap();
    assert_eq!(asked_again(&mut world, &id).error.as_deref(), Some("no such item"));
}

fn query_that_nobody_answers_fails(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    poll_query(&mut world, "a").unwrap();
    world.advance(9_999);
    assert!(matches!(ask_again(&mut world, &id, "progress", false), Ok(Reply::Parked(_))));
    world.advance(1);
    let status = ask_again(&mut world, &id, "progress", true).unwrap_err();
    assert_eq!(status.code, Code::DeadlineExceeded);
    assert!(status.message.contains("that took it has not answered within 10000 ms"), "{status}");
    world.advance(60_000);
    assert!(!world.harness.dump().contains("progress\",\"params"), "it is forgotten");
}

fn ask_again(
    world: &mut World<'_>,
    id: &str,
    name: &str,
    expired: bool,
) -> Result<Reply<QueryWorkflowResponse>, Status> {
    world.call(&plain().again(START_MS, expired), QUERY, &request(id, name))
}

fn query_that_is_looked_for_too_late_fails(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    for name in ["progress", "owner"] {
        let asked: Reply<QueryWorkflowResponse> = world.call(&plain(), QUERY, &request(&id, name)).unwrap();
        assert!(matches!(asked, Reply::Parked(_)));
    }
    // The host sleeps: the query is forgotten, and the worker is taken for dead.
    world.advance(600_000);
    let status = ask_again(&mut world, &id, "owner", true).unwrap_err();
    assert_eq!(status.code, Code::DeadlineExceeded, "null is not what the worker would have said");
    assert!(status.message.contains("nobody has answered it within 600000 ms"), "{status}");
    assert_eq!(asked_again(&mut world, &id), QueryWorkflowResponse { result: b"0.5".to_vec(), error: None });
}

fn query_that_no_worker_takes_in_time_is_answered_from_the_state(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let other: Reply<QueryWorkflowResponse> = world.call(&plain(), QUERY, &request(&id, "owner")).unwrap();
    assert!(matches!(other, Reply::Parked(_)));
    world.take_wakes();
    world.advance(1_999);
    assert_eq!(world.take_wakes().len(), 0);
    assert!(matches!(ask_again(&mut world, &id, "progress", false), Ok(Reply::Parked(_))));
    world.advance(1);
    assert_eq!(world.wakes.iter().filter(|key| !key.is_queue()).count(), 2, "both are asked again");
    assert!(poll_query(&mut world, "a").is_none(), "it is too late for it");
    assert_eq!(asked_again(&mut world, &id), QueryWorkflowResponse { result: b"0.5".to_vec(), error: None });
    // Of this one nothing is in the state, and null is not what the worker would have said.
    let status = ask_again(&mut world, &id, "owner", false).unwrap_err();
    assert_eq!(status.code, Code::DeadlineExceeded);
    assert!(status.message.contains("no worker has taken it within 2000 ms"), "{status}");
}

fn query_that_may_not_wait_is_answered_from_the_state(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let Ok(Reply::Now(response, None)) = ask_again(&mut world, &id, "progress", true) else { panic!("not answered") };
    assert_eq!(response.result, b"0.5");
    assert!(poll_query(&mut world, "a").is_none(), "nobody waits for it any more");
    let status = ask_again(&mut world, &id, "owner", true).unwrap_err();
    assert_eq!(status.code, Code::Unavailable);
    assert!(status.message.contains("could not wait for a worker"), "{status}");
}

fn query_whose_worker_went_away_is_offered_in_time_only(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let (_, undelivered) = poll_query(&mut world, "a").unwrap();
    world.advance(3_000);
    world.release_undelivered(&undelivered);
    assert!(poll_query(&mut world, "a").is_none());
    assert_eq!(asked_again(&mut world, &id).result, b"0.5");
}

fn all_who_ask_the_same_at_once_are_answered(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    ask_worker(&mut world, &id);
    let (task, _) = poll_query(&mut world, "a").unwrap();
    assert!(poll_query(&mut world, "a").is_none());
    let answer = AnswerQueryRequest { query_id: task.query_id, result: b"1".to_vec(), error: None };
    let _: () = world.ask(&extended(), ANSWER, &answer).unwrap();
    assert_eq!([(); 2].map(|()| asked_again(&mut world, &id).result), [b"1", b"1"]);
    world.advance(1_000);
    assert!(!world.harness.dump().contains("progress\",\"params"), "it is forgotten");
}

fn pending_queries_are_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.queries.pending_max = 2;
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    world.skip(1);
    assert!(matches!(
        world.call::<QueryWorkflowResponse>(&plain(), QUERY, &request(&id, "owner")),
        Ok(Reply::Parked(_))
    ));
    world.skip(1);
    world.refuse(&plain(), QUERY, &request(&id, "owner"), Code::ResourceExhausted, &["2 queries"]);
    // What is in the state goes to no worker.
    assert_eq!(query(&mut world, &id, "b"), "[1]");
    world.advance(12_000);
    assert!(matches!(
        world.call::<QueryWorkflowResponse>(&plain(), QUERY, &request(&id, "owner")),
        Ok(Reply::Parked(_))
    ));
}

fn state_that_is_sent_whole_is_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    // Keys and values together.
    world.config.queries.state_bytes_max = "progress".len() + "0.5".len() + "b".len() + "[1]".len();
    assert_eq!(query(&mut world, &id, "__state"), "{\"b\":[1],\"progress\":0.5}");
    world.config.queries.state_bytes_max -= 1;
    world.refuse(&plain(), QUERY, &request(&id, "__state"), Code::ResourceExhausted, &["14 bytes", "single keys"]);
    assert_eq!(query(&mut world, &id, "b"), "[1]");
    ask_worker(&mut world, &id);
    assert!(poll_query(&mut world, "a").is_none());
    let status = ask_again(&mut world, &id, "progress", false).unwrap_err();
    assert_eq!(status.code, Code::ResourceExhausted, "{status}");
}

fn newest_workers_are_looked_at(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for number in 0..40 {
        register(&mut world, &extended(), &format!("dead-{number}"));
        world.skip(1);
    }
    world.advance(65_000);
    let id = answered_by_a(&mut world);
    assert!(matches!(
        world.call::<QueryWorkflowResponse>(&plain(), QUERY, &request(&id, "owner")),
        Ok(Reply::Parked(_))
    ));
}

fn dead_worker_is_not_asked(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    world.advance(65_000);
    assert_eq!(query(&mut world, &id, "progress"), "0.5");
    // It comes back and answers other queries.
    let request = WorkerRegistrationRequest { worker_name: "a".into(), ..WorkerRegistrationRequest::default() };
    let _: WorkerRegistrationResponse = world.ask(&extended(), "v1.WorkerLifecycle/RegisterWorker", &request).unwrap();
    assert_eq!(query(&mut world, &id, "progress"), "0.5");
}

fn query_that_was_not_delivered_is_offered_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let (task, undelivered) = poll_query(&mut world, "a").unwrap();
    assert!(poll_query(&mut world, "a").is_none());
    world.release_undelivered(&undelivered);
    assert_eq!(poll_query(&mut world, "a").unwrap().0, task);
}

fn query_is_offered_once_and_only_to_who_answers_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    assert!(poll_query(&mut world, "b").is_none(), "not registered");
    let deaf = PollRequest { answers_queries: false, ..answering("a") };
    assert!(matches!(world.call::<PollResponse>(&extended(), POLL, &deaf).unwrap(), Reply::Parked(_)));
    assert!(matches!(world.call::<PollResponse>(&plain(), POLL, &answering("a")).unwrap(), Reply::Parked(_)));
    // A query comes before executions.
    world.start("order");
    assert!(poll_query(&mut world, "a").is_some());
    assert!(world.poll_with(&extended(), &answering("a")).is_some());
}

fn answer_that_nobody_waits_for_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = answered_by_a(&mut world);
    ask_worker(&mut world, &id);
    let (task, _) = poll_query(&mut world, "a").unwrap();
    let answer = AnswerQueryRequest { query_id: task.query_id.clone(), result: b"1".to_vec(), error: None };
    world.refuse(&stranger(), ANSWER, &answer, Code::NotFound, &[&task.query_id]);
    world.advance(10_000);
    world.refuse(&extended(), ANSWER, &answer, Code::NotFound, &[&task.query_id]);
}

fn plain_workers_register_no_queries(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, &plain(), "a");
    let id = world.suspended(vec![set_state("progress", "1")]);
    assert_eq!(query(&mut world, &id, "progress"), "1");
}

fn queries_of_others_are_not_seen(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![set_state("progress", "1")]);
    world.refuse(&stranger(), QUERY, &request(&id, "__state"), Code::NotFound, &[&id]);
    register(&mut world, &stranger(), "a");
    assert_eq!(query(&mut world, &id, "progress"), "1");
}
