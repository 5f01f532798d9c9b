//! Starting, ending and looking at executions.

use alloc::{string::String, vec::Vec};

use flovyn_protocol::messages::{
    CreatePromiseCommand, GetEventsRequest, GetEventsResponse, PollRequest, PollTaskRequest, ResolvePromiseRequest,
    ScheduleTaskCommand, StartWorkflowRequest, StartWorkflowResponse, WorkflowStatus,
    ext::{AwaitResultRequest, AwaitResultResponse},
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, fail, operation, promise_with, task_id, task_with, timer},
        suite::{tasks::complete_task, tests},
        world::{Client, Reply, START_MS, World, extended, plain},
    },
};

tests!(
    started_execution_is_pending,
    order_of_keys_survives_in_payloads,
    same_idempotency_key_gives_the_same_run,
    idempotency_key_of_a_failed_run_starts_another,
    idempotency_key_expires,
    idempotency_key_of_a_living_run_does_not_expire,
    expired_idempotency_key_is_forgotten,
    completed_run_keeps_its_result,
    failed_run_keeps_its_error,
    nothing_is_due_after_the_end,
    await_result_parks_until_the_end,
    await_result_gives_up_in_time,
    events_come_in_pages,
    pages_are_bounded_by_bytes,
    plain_events_come_at_once,
    survives_reopening,
);

const START: &str = "v1.WorkflowDispatch/StartWorkflow";
const AWAIT: &str = "ext.v1.Extensions/AwaitResult";
const EVENTS: &str = "v1.WorkflowDispatch/GetEvents";

fn keyed(key: &str) -> StartWorkflowRequest {
    StartWorkflowRequest {
        workflow_kind: "order".into(),
        idempotency_key: Some(key.into()),
        ..StartWorkflowRequest::default()
    }
}

fn started_execution_is_pending(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world
        .start_with(StartWorkflowRequest {
            workflow_kind: "order".into(),
            input: br#"{"n":1}"#.to_vec(),
            queue: "fast".into(),
            priority_seconds: 3,
            workflow_version: Some("2.0.0".into()),
            metadata: [("team".into(), "blue".into())].into(),
            ..StartWorkflowRequest::default()
        })
        .workflow_execution_id;
    let described = world.describe(&id);
    assert_eq!(described.status, "PENDING");
    assert_eq!((described.kind.as_str(), described.queue.as_str()), ("order", "fast"));
    assert_eq!(described.input, br#"{"n":1}"#);
    assert_eq!(described.workflow_version, "2.0.0");
    assert_eq!(described.metadata["team"], "blue");
    assert_eq!((described.created_at_ms, described.started_at_ms), (START_MS, 0));
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
    assert_eq!(world.data(&id, 1), r#"{"input":{"n":1},"kind":"order","version":"2.0.0","metadata":{"team":"blue"}}"#);
    assert_eq!(world.take_wakes(), [alloc::format!("workflows/{}/fast", plain().principal.org_id)]);
}

fn order_of_keys_survives_in_payloads(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let input = br#"{"z":1.0,"a":12345678901234567890123, "z":"\ud83d\ude00"}"#;
    let request = StartWorkflowRequest { workflow_kind: "order".into(), input: input.to_vec(), ..Default::default() };
    world.start_with(request);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.message.workflow_execution.unwrap().input, input);
}

fn same_idempotency_key_gives_the_same_run(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.start_with(keyed("k"));
    assert_eq!((first.idempotency_key_used, first.idempotency_key_new), (true, true));
    let expect_same = |world: &mut World<'_>| {
        let again = world.start_with(keyed("k"));
        assert_eq!(again.workflow_execution_id, first.workflow_execution_id);
        assert_eq!((again.idempotency_key_used, again.idempotency_key_new), (true, false));
    };
    expect_same(&mut world);
    let claimed = world.poll(&extended());
    expect_same(&mut world);
    world.submit(&claimed, alloc::vec![complete("1")], WorkflowStatus::Completed);
    expect_same(&mut world);
    let other = world.start_with(keyed("l"));
    assert_ne!(other.workflow_execution_id, first.workflow_execution_id);
    let none = world.start_with(StartWorkflowRequest { idempotency_key: None, ..keyed("") });
    assert_eq!((none.idempotency_key_used, none.idempotency_key_new), (false, false));
}

fn idempotency_key_of_a_failed_run_starts_another(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.start_with(keyed("k"));
    let claimed = world.poll(&extended());
    world.submit(&claimed, alloc::vec![fail("no")], WorkflowStatus::Failed);
    let second = world.start_with(keyed("k"));
    assert_ne!(second.workflow_execution_id, first.workflow_execution_id);
    assert!(second.idempotency_key_new);
    assert_eq!(world.start_with(keyed("k")).workflow_execution_id, second.workflow_execution_id);
}

fn idempotency_key_expires(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = StartWorkflowRequest { idempotency_key_ttl_seconds: Some(10), ..keyed("k") };
    let first = world.start_with(request.clone());
    complete_next(&mut world);
    world.skip(9_999);
    assert_eq!(world.start_with(request.clone()).workflow_execution_id, first.workflow_execution_id);
    // Whether the server has found the time to forget it makes no difference.
    world.skip(1);
    let request = StartWorkflowRequest { queue: "other".into(), ..request };
    assert_ne!(world.start_with(request).workflow_execution_id, first.workflow_execution_id);
    let day_ms = 24 * 60 * 60 * 1_000;
    let second = world.start_with(keyed("day"));
    complete_next(&mut world);
    world.advance(day_ms - 1);
    assert_eq!(world.start_with(keyed("day")).workflow_execution_id, second.workflow_execution_id);
    world.advance(1);
    assert_ne!(world.start_with(keyed("day")).workflow_execution_id, second.workflow_execution_id);
    for ttl in [0, -1, 30 * 24 * 60 * 60 + 1] {
        let request = StartWorkflowRequest { idempotency_key_ttl_seconds: Some(ttl), ..keyed("x") };
        world.refuse(&extended(), START, &request, Code::InvalidArgument, &["idempotency_key_ttl_seconds", "2592000"]);
    }
}

fn complete_next(world: &mut World<'_>) {
    let claimed = world.poll(&extended());
    world.submit(&claimed, alloc::vec![complete("1")], WorkflowStatus::Completed);
}

fn idempotency_key_of_a_living_run_does_not_expire(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = StartWorkflowRequest { idempotency_key_ttl_seconds: Some(10), ..keyed("to-outlive") };
    let first = world.start_with(request.clone());
    // Whether the server has found the time to forget it makes no difference.
    world.skip(10_000);
    assert_eq!(world.start_with(request.clone()).workflow_execution_id, first.workflow_execution_id);
    world.advance(3 * 24 * 60 * 60 * 1_000);
    assert_eq!(world.start_with(request.clone()).workflow_execution_id, first.workflow_execution_id);
    complete_next(&mut world);
    // It has outlived its time by far.
    assert_ne!(world.start_with(request).workflow_execution_id, first.workflow_execution_id);
    complete_next(&mut world);
    world.advance(24 * 60 * 60 * 1_000);
    assert!(!world.harness.dump().contains("to-outlive"));
}

fn expired_idempotency_key_is_forgotten(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start_with(StartWorkflowRequest { idempotency_key_ttl_seconds: Some(10), ..keyed("to-forget") });
    complete_next(&mut world);
    assert!(world.harness.dump().contains("to-forget"));
    world.advance(10_000);
    assert!(!world.harness.dump().contains("to-forget"));
    // Given to another run meanwhile, it lives as long as that says.
    world.start_with(StartWorkflowRequest { idempotency_key_ttl_seconds: Some(10), ..keyed("to-keep") });
    complete_next(&mut world);
    world.skip(10_000);
    let second = world.start_with(StartWorkflowRequest { idempotency_key_ttl_seconds: Some(10), ..keyed("to-keep") });
    world.advance(9_999);
    assert_eq!(world.start_with(keyed("to-keep")).workflow_execution_id, second.workflow_execution_id);
}

fn ask_result(world: &mut World<'_>, client: &Client, id: &str) -> Reply<AwaitResultResponse> {
    let request = AwaitResultRequest { workflow_execution_id: id.into(), timeout_ms: 5_000 };
    world.call(client, AWAIT, &request).unwrap()
}

fn result(world: &mut World<'_>, id: &str) -> AwaitResultResponse {
    match ask_result(world, &extended(), id) {
        Reply::Now(result, None) => result,
        other => panic!("{other:?}"),
    }
}

fn completed_run_keeps_its_result(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.skip(5);
    world.submit(&claimed, alloc::vec![operation("a", ""), complete("")], WorkflowStatus::Completed);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "OPERATION_COMPLETED", "WORKFLOW_COMPLETED"]);
    assert_eq!(world.data(&id, 2), r#"{"operationName":"a","result":null}"#);
    let result = result(&mut world, &id);
    assert_eq!((result.status(), result.output.as_slice()), (WorkflowStatus::Completed, &b"null"[..]));
    let described = world.describe(&id);
    assert_eq!((described.status.as_str(), described.output.as_slice()), ("COMPLETED", &b"null"[..]));
    assert_eq!((described.started_at_ms, described.completed_at_ms), (START_MS, START_MS + 5));
}

fn failed_run_keeps_its_error(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.submit(&claimed, alloc::vec![fail("no stock")], WorkflowStatus::Failed);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_EXECUTION_FAILED"]);
    let result = result(&mut world, &id);
    assert_eq!(result.status(), WorkflowStatus::Failed);
    assert_eq!((result.error.as_str(), result.failure_type.as_str()), ("no stock", "BUSINESS_LOGIC"));
    assert_eq!(result.stack_trace, "at order");
    assert_eq!(world.describe(&id).error, "no stock");
}

/// Nobody here has a name, so that no worker is to be forgotten some day.
fn nothing_is_due_after_the_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll_with(&extended(), &PollRequest::default()).unwrap();
    let with_timeout = |name: &str| {
        promise_with(CreatePromiseCommand { promise_id: name.into(), timeout_ms: Some(900), ..Default::default() })
    };
    let scheduled = task_with(ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        timeout_ms: Some(900),
        ..ScheduleTaskCommand::default()
    });
    let commands = alloc::vec![timer("t", 900), with_timeout("p"), with_timeout("q"), scheduled];
    world.submit(&claimed, commands, WorkflowStatus::Suspended);
    world.skip(1);
    let attempt = world.poll_task_with(&extended(), &PollTaskRequest::default()).unwrap();
    complete_task(&mut world, &attempt, "1");
    let resolve = ResolvePromiseRequest { promise_id: alloc::format!("{id}:p"), value: alloc::vec![] };
    world.ask::<()>(&extended(), "v1.WorkflowDispatch/ResolvePromise", &resolve).unwrap();
    let claimed = world.poll_with(&extended(), &PollRequest::default()).unwrap();
    assert_eq!(world.describe(&id).started_at_ms, START_MS);
    assert_eq!(world.tick(), Some(START_MS + 900));
    world.submit(&claimed, alloc::vec![complete("1")], WorkflowStatus::Completed);
    assert_eq!(world.tick(), None);
}

fn await_result_parks_until_the_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let Reply::Parked(park) = ask_result(&mut world, &extended(), &id) else { panic!("not parked") };
    assert_eq!(park.deadline_ms, START_MS + 5_000);
    let claimed = world.poll(&extended());
    world.take_wakes();
    world.submit(&claimed, alloc::vec![complete("7")], WorkflowStatus::Completed);
    let woken: Vec<_> = core::mem::take(&mut world.wakes);
    assert_eq!(woken, park.keys);
    assert!(!woken[0].is_queue());
    assert_eq!(result(&mut world, &id).output, b"7");
}

fn await_result_gives_up_in_time(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.skip(5_000);
    let Reply::Now(result, None) = ask_result(&mut world, &extended().again(START_MS, true), &id) else {
        panic!("parked")
    };
    assert_eq!(result.status(), WorkflowStatus::Running);
    // Nobody waits longer than the server allows, or than the client itself does.
    let request = AwaitResultRequest { workflow_execution_id: id.clone(), timeout_ms: i64::MAX };
    let Reply::<AwaitResultResponse>::Parked(park) = world.call(&extended(), AWAIT, &request).unwrap() else {
        panic!("not parked")
    };
    assert_eq!(park.deadline_ms, world.now_ms + 60_000);
    let hasty = Client { deadline_ms: Some(world.now_ms + 10), ..extended() };
    let Reply::<AwaitResultResponse>::Parked(park) = world.call(&hasty, AWAIT, &request).unwrap() else {
        panic!("not parked")
    };
    assert_eq!(park.deadline_ms, world.now_ms + 10);
}

fn page(world: &mut World<'_>, id: &str, after_sequence: i32, page_size: i32) -> (Vec<i32>, bool) {
    let request = GetEventsRequest { workflow_execution_id: id.into(), after_sequence, page_size };
    let response: GetEventsResponse = world.ask(&extended(), EVENTS, &request).unwrap();
    (response.events.iter().map(|event| event.sequence_number).collect(), response.has_more)
}

fn events_come_in_pages(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended((0..4).map(|n| timer(&alloc::format!("timer-{n}"), 1_000)).collect());
    assert_eq!(page(&mut world, &id, 0, 2), (alloc::vec![1, 2], true));
    assert_eq!(page(&mut world, &id, 2, 3), (alloc::vec![3, 4, 5], true));
    assert_eq!(page(&mut world, &id, 5, 3), (alloc::vec![6], false));
    assert_eq!(page(&mut world, &id, 6, 3), (alloc::vec![], false));
    assert_eq!(page(&mut world, &id, 0, 0), (alloc::vec![1, 2, 3, 4, 5, 6], false));
    world.config.polls.page_events_max = 5;
    assert_eq!(page(&mut world, &id, 0, 0), (alloc::vec![1, 2, 3, 4, 5], true));
    assert_eq!(page(&mut world, &id, 0, i32::MAX), (alloc::vec![1, 2, 3, 4, 5], true));
    let beyond = GetEventsRequest { workflow_execution_id: id.clone(), after_sequence: 7, page_size: 0 };
    world.refuse(&extended(), EVENTS, &beyond, Code::InvalidArgument, &["after_sequence", "0 to 6", "7"]);
}

fn pages_are_bounded_by_bytes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let large = alloc::format!("\"{}\"", "x".repeat(1_000));
    let commands = (0..3).map(|n| operation(&alloc::format!("op-{n}"), &large)).collect();
    let id = world.suspended(commands);
    world.config.polls.page_bytes_max = 2_500;
    assert_eq!(page(&mut world, &id, 1, 0), (alloc::vec![2, 3], true));
    assert_eq!(page(&mut world, &id, 3, 0), (alloc::vec![4, 5], false));
    // One event is given however large it is.
    world.config.polls.page_bytes_max = 10;
    assert_eq!(page(&mut world, &id, 1, 0), (alloc::vec![2], true));
}

fn plain_events_come_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended((0..4).map(|n| timer(&alloc::format!("timer-{n}"), 1_000)).collect());
    world.config.polls.page_events_max = 2;
    // Fields of the extension are not read without it.
    let request = GetEventsRequest { workflow_execution_id: id, after_sequence: 3, page_size: 1 };
    let response: GetEventsResponse = world.ask(&plain(), EVENTS, &request).unwrap();
    assert_eq!((response.events.len(), response.has_more), (6, false));
}

fn survives_reopening(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.start_with(keyed("k"));
    let id = first.workflow_execution_id;
    let claimed = world.poll(&extended());
    world.submit(&claimed, alloc::vec![timer("t", 1_000)], WorkflowStatus::Suspended);
    let before = world.harness.dump();
    world.harness.reopen();
    assert_eq!(before, world.harness.dump());
    // What became due meanwhile happens now.
    world.skip(3_600_000);
    world.tick();
    assert_eq!(world.types(&id)[3..], [String::from("TIMER_FIRED")]);
    assert_eq!(world.poll(&extended()).id, id);
    let again: StartWorkflowResponse = world.start_with(keyed("k"));
    assert_eq!(again.workflow_execution_id, id);
}
