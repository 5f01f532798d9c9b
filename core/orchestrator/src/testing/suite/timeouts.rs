//! Executions that may take only so long.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{
    SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse, StartWorkflowRequest, StartWorkflowResponse,
    WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability, WorkflowStatus,
    ext::{AwaitResultRequest, AwaitResultResponse},
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{cancelled, child, complete, task, task_id, timer},
        suite::{cancel, tests},
        world::{Client, World, extended, plain, submission},
    },
};

tests!(
    timeout_asks_and_then_ends,
    timeout_ends_even_who_has_heard,
    code_that_gives_up_has_timed_out,
    code_that_is_done_in_the_grace_period_is_done,
    what_ended_in_time_has_no_timeout,
    execution_that_nobody_takes_times_out,
    timed_out_execution_takes_its_tasks_and_children_along,
    timeout_of_a_cancelling_execution,
    timeout_at_the_end_of_a_grace_period_gives_another,
    timed_out_child_has_failed_for_its_parent,
    timeout_is_not_read_from_plain_clients,
    timeout_is_no_negative_number,
    timeout_of_signal_with_start,
    registered_timeout_counts_from_the_first_claim_on,
    own_timeout_counts_more_than_the_registered_one,
    last_registration_of_a_kind_counts,
    survives_reopening,
);

const START: &str = "v1.WorkflowDispatch/StartWorkflow";
const HOUR_MS: i64 = 3_600_000;

fn with_timeout(timeout_ms: i64) -> StartWorkflowRequest {
    StartWorkflowRequest { workflow_kind: "order".into(), timeout_ms, ..StartWorkflowRequest::default() }
}

fn start(world: &mut World<'_>, timeout_ms: i64) -> String {
    world.start_with(with_timeout(timeout_ms)).workflow_execution_id
}

/// Claims it and has it wait for longer than any test takes.
fn suspend(world: &mut World<'_>, id: &str, client: &Client) {
    let claimed = world.poll(client);
    assert_eq!(claimed.id, id);
    let submitter = if client.extended { client.clone().with_claim(&claimed.token) } else { client.clone() };
    let commands = vec![timer(&format!("since {}", world.now_ms), 1_000 * HOUR_MS)];
    world.submit_with(&submitter, &submission(id, 1, commands, WorkflowStatus::Suspended)).unwrap();
}

fn has_timed_out(world: &mut World<'_>, id: &str, timeout_ms: i64) {
    assert_eq!((world.status(id).as_str(), &*world.types(id).pop().unwrap()), ("FAILED", "WORKFLOW_EXECUTION_FAILED"));
    let request = AwaitResultRequest { workflow_execution_id: id.into(), timeout_ms: 0 };
    let result: AwaitResultResponse = world.ask(&extended(), "ext.v1.Extensions/AwaitResult", &request).unwrap();
    assert_eq!((result.status(), result.failure_type.as_str()), (WorkflowStatus::Failed, "TIMEOUT"));
    assert_eq!(result.error, format!("timed out: not done within {timeout_ms} ms of its start"));
}

fn timeout_asks_and_then_ends(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.cancel_grace_ms = 10_000;
    let id = start(&mut world, HOUR_MS);
    assert_eq!(world.describe(&id).timeout_ms, HOUR_MS);
    suspend(&mut world, &id, &extended());
    world.advance(HOUR_MS - 1);
    assert_eq!(world.status(&id), "WAITING");
    world.advance(1);
    assert_eq!(world.status(&id), "CANCELLING");
    let asked = r#"{"reason":"timed out: not done within 3600000 ms of its start","requestedBy":"timeout"}"#;
    assert_eq!((world.types(&id).len(), world.data(&id, 4).as_str()), (4, asked));
    world.advance(9_999);
    assert_eq!(world.status(&id), "CANCELLING");
    world.advance(1);
    has_timed_out(&mut world, &id, HOUR_MS);
    assert!(world.try_poll(&extended()).is_none());
}

fn timeout_ends_even_who_has_heard(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for client in [extended(), plain()] {
        let id = start(&mut world, 5_000);
        suspend(&mut world, &id, &client);
        world.advance(5_000);
        suspend(&mut world, &id, &client);
        world.advance(29_999);
        assert_eq!(world.status(&id), "CANCELLING");
        world.advance(1);
        has_timed_out(&mut world, &id, 5_000);
    }
}

fn code_that_gives_up_has_timed_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 5_000);
    world.advance(5_000);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancelled("compensated")], WorkflowStatus::Cancelled);
    has_timed_out(&mut world, &id, 5_000);
    let before = world.harness.dump();
    world.advance(60_000);
    assert_eq!(before, world.harness.dump(), "nothing of it is due any more");
}

fn code_that_is_done_in_the_grace_period_is_done(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 5_000);
    world.advance(34_999);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    world.advance(60_000);
    assert_eq!(world.status(&id), "COMPLETED");
}

fn what_ended_in_time_has_no_timeout(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 5_000);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    let before = world.harness.dump();
    world.advance(60_000);
    assert_eq!((world.status(&id).as_str(), before), ("COMPLETED", world.harness.dump()));
}

fn execution_that_nobody_takes_times_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 1);
    world.advance(30_001);
    has_timed_out(&mut world, &id, 1);
    assert!(world.try_poll(&extended()).is_none());
}

fn timed_out_execution_takes_its_tasks_and_children_along(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 5_000);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![task(1), child(5)], WorkflowStatus::Suspended);
    world.advance(5_000);
    assert_eq!(world.status(&task_id(5)), "PENDING");
    world.advance(30_000);
    has_timed_out(&mut world, &id, 5_000);
    assert!(world.try_poll_task(&extended()).is_none());
    assert_eq!(world.status(&task_id(5)), "CANCELLING");
}

/// Its code is compensating, and has no longer than the timeout gives it.
fn timeout_of_a_cancelling_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let stuck = start(&mut world, 60_000);
    cancel::cancel(&mut world, &stuck);
    suspend(&mut world, &stuck, &extended());
    world.advance(1);
    let done = start(&mut world, 60_000);
    cancel::cancel(&mut world, &done);
    suspend(&mut world, &done, &extended());
    world.advance(60_000);
    assert_eq!((world.status(&stuck).as_str(), world.status(&done).as_str()), ("CANCELLING", "CANCELLING"));
    assert_eq!(world.types(&stuck).iter().filter(|name| *name == "CANCELLATION_REQUESTED").count(), 1);
    // What was asked for by somebody else ends as that, as long as its code ends it.
    cancel_by_code(&mut world, &done);
    assert_eq!(world.status(&done), "CANCELLED");
    world.advance(30_000);
    has_timed_out(&mut world, &stuck, 60_000);
}

/// Both come in one tick, and the first puts the second off.
fn timeout_at_the_end_of_a_grace_period_gives_another(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 30_000);
    cancel::cancel(&mut world, &id);
    suspend(&mut world, &id, &extended());
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLING");
    world.advance(30_000);
    has_timed_out(&mut world, &id, 30_000);
}

/// Wakes an execution and ends it as cancelled.
fn cancel_by_code(world: &mut World<'_>, id: &str) {
    super::signals::send(world, id, "wake", "1");
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, id);
    world.submit(&claimed, vec![cancelled("compensated")], WorkflowStatus::Cancelled);
}

fn timed_out_child_has_failed_for_its_parent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "worker", &[("order", None), ("ship", Some(5))]);
    let id = world.suspended(vec![child(5)]);
    world.poll(&extended());
    assert_eq!(world.describe(&task_id(5)).timeout_ms, 5_000);
    world.advance(35_000);
    has_timed_out(&mut world, &task_id(5), 5_000);
    let types = world.types(&id);
    assert_eq!(types.last().unwrap(), "CHILD_WORKFLOW_FAILED");
    assert!(world.data(&id, types.len()).contains("timed out: not done within 5000 ms"));
}

fn timeout_is_not_read_from_plain_clients(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for timeout_ms in [5, -5] {
        let started: StartWorkflowResponse = world.ask(&plain(), START, &with_timeout(timeout_ms)).unwrap();
        assert_eq!(world.describe(&started.workflow_execution_id).timeout_ms, 0);
    }
}

fn timeout_is_no_negative_number(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.refuse(&extended(), START, &with_timeout(-1), Code::InvalidArgument, &["timeout_ms", "-1"]);
    let id = start(&mut world, i64::MAX);
    suspend(&mut world, &id, &extended());
    world.advance(HOUR_MS);
    assert_eq!(world.status(&id), "WAITING");
}

fn timeout_of_signal_with_start(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = SignalWithStartWorkflowRequest {
        workflow_id: "k".into(),
        workflow_kind: "order".into(),
        timeout_ms: 5_000,
        ..SignalWithStartWorkflowRequest::default()
    };
    let method = super::signals::SIGNAL_WITH_START;
    let started: SignalWithStartWorkflowResponse = world.ask(&extended(), method, &request).unwrap();
    world.advance(35_000);
    has_timed_out(&mut world, &started.workflow_execution_id, 5_000);
}

fn register(world: &mut World<'_>, name: &str, workflows: &[(&str, Option<i32>)]) {
    let capability = |(kind, timeout_seconds): &(&str, Option<i32>)| WorkflowCapability {
        kind: (*kind).into(),
        timeout_seconds: *timeout_seconds,
        ..WorkflowCapability::default()
    };
    let request = WorkerRegistrationRequest {
        worker_name: name.into(),
        workflows: workflows.iter().map(capability).collect(),
        ..WorkerRegistrationRequest::default()
    };
    let method = "v1.WorkerLifecycle/RegisterWorker";
    world.ask::<WorkerRegistrationResponse>(&plain(), method, &request).unwrap();
}

fn registered_timeout_counts_from_the_first_claim_on(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    // Nobody knew of it yet, but it counts from the start.
    world.advance(60_000);
    register(&mut world, "worker", &[("order", Some(100)), ("other", Some(1))]);
    assert_eq!(world.describe(&id).timeout_ms, 0);
    suspend(&mut world, &id, &extended());
    assert_eq!(world.describe(&id).timeout_ms, 100_000);
    world.advance(39_999);
    assert_eq!(world.status(&id), "WAITING");
    world.advance(1);
    assert_eq!(world.status(&id), "CANCELLING");
    world.advance(30_000);
    has_timed_out(&mut world, &id, 100_000);
}

fn own_timeout_counts_more_than_the_registered_one(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "worker", &[("order", Some(1))]);
    let id = start(&mut world, 9_000_000);
    suspend(&mut world, &id, &extended());
    assert_eq!(world.describe(&id).timeout_ms, 9_000_000);
}

fn last_registration_of_a_kind_counts(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "worker", &[("a", Some(1)), ("b", Some(2)), ("c", Some(3)), ("d", Some(0))]);
    register(&mut world, "worker", &[("b", Some(7)), ("c", None)]);
    for (kind, timeout_ms) in [("a", 1_000), ("b", 7_000), ("c", 0), ("d", 0)] {
        let id = world.start(kind);
        suspend(&mut world, &id, &plain());
        assert_eq!(world.describe(&id).timeout_ms, timeout_ms, "of {kind}");
    }
}

fn survives_reopening(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = start(&mut world, 5_000);
    world.harness.reopen();
    world.advance(5_000);
    assert_eq!(world.status(&id), "CANCELLING");
    world.harness.reopen();
    world.advance(30_000);
    has_timed_out(&mut world, &id, 5_000);
}
