//! Cancelling tasks: by call, by command, and what each client hears of it.

use alloc::{format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    CancelTaskRequest, FailTaskRequest, HeartbeatRequest, HeartbeatResponse, PollTaskResponse, SubmitTaskRequest,
    SubmitTaskResponse, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{cancel_task, complete, task, task_id, timer},
        suite::tests,
        world::{Claimed, Client, SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    call_cancels_a_waiting_task,
    call_cancels_a_running_task,
    call_cancels_a_task_that_backs_off,
    ended_task_stays_as_it_is,
    standalone_task_can_be_cancelled,
    worker_hears_of_it_by_its_heartbeat,
    plain_worker_is_answered_empty,
    result_of_a_cancelled_task_means_nothing,
    plain_execution_hears_of_a_failure_too,
    command_cancels_a_task,
    command_has_its_event_whatever_comes_of_it,
    partial_submission_cancels_at_once,
    task_can_be_cancelled_where_it_is_scheduled,
    last_submission_cancels_without_an_event,
    command_is_not_for_plain_clients,
    cancelled_task_is_not_due_any_more,
);

pub(super) const CANCEL_TASK: &str = "v1.TaskExecution/CancelTask";
const HEARTBEAT: &str = "v1.TaskExecution/Heartbeat";
const FAIL: &str = "v1.TaskExecution/FailTask";

pub(super) fn cancel(world: &mut World<'_>, client: &Client, id: &str) {
    world.ask::<()>(client, CANCEL_TASK, &CancelTaskRequest { task_execution_id: id.into() }).unwrap();
}

fn heartbeat(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>) -> HeartbeatResponse {
    let request = HeartbeatRequest { task_execution_id: claimed.id.clone(), ..HeartbeatRequest::default() };
    world.ask(&extended().with_claim(&claimed.token), HEARTBEAT, &request).unwrap()
}

fn cancelled(number: u128, reason: &str) -> String {
    format!(r#"{{"taskExecutionId":"{}","kind":"charge","reason":"{reason}"}}"#, task_id(number))
}

/// The types of the events after the first ones.
fn after(world: &mut World<'_>, id: &str, events: usize) -> Vec<String> {
    world.types(id).split_off(events)
}

fn call_cancels_a_waiting_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2)]);
    world.take_wakes();
    cancel(&mut world, &plain(), &task_id(1));
    assert_eq!(after(&mut world, &id, 4), ["TASK_CANCELLED"]);
    assert_eq!(world.data(&id, 5), cancelled(1, ""));
    assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("PENDING", 1));
    assert_eq!(world.poll_task(&extended()).id, task_id(2));
    assert!(world.try_poll_task(&extended()).is_none());
}

fn call_cancels_a_running_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    world.poll_task(&extended());
    cancel(&mut world, &extended(), &task_id(1));
    assert_eq!(after(&mut world, &id, 3), ["TASK_CANCELLED"]);
    world.advance(600_000);
    assert!(world.try_poll_task(&extended()).is_none());
    assert_eq!(world.types(&id).len(), 4);
}

fn call_cancels_a_task_that_backs_off(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let failure = FailTaskRequest { task_execution_id: claimed.id.clone(), ..FailTaskRequest::default() };
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &failure).unwrap();
    cancel(&mut world, &extended(), &task_id(1));
    world.advance(600_000);
    assert!(world.try_poll_task(&extended()).is_none());
    assert_eq!(after(&mut world, &id, 3), ["TASK_CANCELLED"]);
}

fn ended_task_stays_as_it_is(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2)]);
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "1");
    cancel(&mut world, &extended(), &task_id(2));
    let before = world.harness.dump();
    cancel(&mut world, &extended(), &task_id(1));
    cancel(&mut world, &extended(), &task_id(2));
    assert_eq!(before, world.harness.dump());
    assert_eq!(after(&mut world, &id, 4), ["TASK_COMPLETED", "TASK_CANCELLED"]);
    let absent = CancelTaskRequest { task_execution_id: task_id(9) };
    world.refuse(&extended(), CANCEL_TASK, &absent, Code::NotFound, &[&task_id(9)]);
}

fn standalone_task_can_be_cancelled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request =
        SubmitTaskRequest { kind: "charge".into(), idempotency_key: Some("k".into()), ..SubmitTaskRequest::default() };
    let submit = |world: &mut World<'_>| -> SubmitTaskResponse {
        world.ask(&extended(), "v1.TaskExecution/SubmitTask", &request).unwrap()
    };
    let first = submit(&mut world);
    cancel(&mut world, &extended(), &first.task_execution_id);
    assert!(world.try_poll_task(&extended()).is_none());
    // It ended without success, so its name is free.
    assert_ne!(submit(&mut world).task_execution_id, first.task_execution_id);
}

fn worker_hears_of_it_by_its_heartbeat(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    assert_eq!(heartbeat(&mut world, &claimed), HeartbeatResponse { cancelled: false, lease_ms: 60_000 });
    cancel(&mut world, &extended(), &task_id(1));
    let before = world.harness.dump();
    assert_eq!(heartbeat(&mut world, &claimed), HeartbeatResponse { cancelled: true, lease_ms: 0 });
    assert_eq!(before, world.harness.dump());
}

fn plain_worker_is_answered_empty(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&plain());
    cancel(&mut world, &plain(), &task_id(1));
    let request = HeartbeatRequest { task_execution_id: claimed.id, ..HeartbeatRequest::default() };
    let answer: HeartbeatResponse = world.ask(&plain(), HEARTBEAT, &request).unwrap();
    assert_eq!(answer, HeartbeatResponse::default());
}

fn result_of_a_cancelled_task_means_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    cancel(&mut world, &extended(), &task_id(1));
    let before = world.harness.dump();
    super::tasks::complete_task(&mut world, &claimed, "1");
    let failure = FailTaskRequest { task_execution_id: claimed.id.clone(), ..FailTaskRequest::default() };
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &failure).unwrap();
    assert_eq!(before, world.harness.dump());
    assert_eq!(after(&mut world, &id, 3), ["TASK_CANCELLED"]);
}

/// No other client ends a wait on TASK_CANCELLED.
fn plain_execution_hears_of_a_failure_too(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    world.submit_with(&plain(), &submission(&id, 0, vec![task(1)], WorkflowStatus::Suspended)).unwrap();
    cancel(&mut world, &extended(), &task_id(1));
    assert_eq!(after(&mut world, &id, 3), ["TASK_CANCELLED", "TASK_FAILED"]);
    let failed = r#","kind":"charge","error":"cancelled","retryable":false}"#;
    assert!(world.data(&id, 5).ends_with(failed), "{}", world.data(&id, 5));
    world.poll(&plain());
    assert!(world.try_poll(&plain()).is_none());
}

fn command_cancels_a_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let attempt = world.poll_task(&extended());
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancel_task(1, "too slow"), timer("u", 9_000)], WorkflowStatus::Suspended);
    assert_eq!(
        after(&mut world, &id, 5),
        ["TASK_CANCELLATION_REQUESTED", "TIMER_STARTED", "WORKFLOW_SUSPENDED", "TASK_CANCELLED"]
    );
    let requested = format!(r#"{{"taskExecutionId":"{}","reason":"too slow"}}"#, task_id(1));
    assert_eq!((world.data(&id, 6), world.data(&id, 9)), (requested, cancelled(1, "too slow")));
    assert_eq!(world.status(&id), "PENDING");
    assert!(heartbeat(&mut world, &attempt).cancelled);
}

fn command_has_its_event_whatever_comes_of_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let other = world.suspended(vec![task(7)]);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let foreign = world.poll_task(&extended());
    assert_eq!(foreign.id, task_id(7));
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "1");
    let claimed = world.poll(&extended());
    // One that has ended, one that is not there, one of another execution.
    let commands = vec![cancel_task(1, ""), cancel_task(9, ""), cancel_task(7, "")];
    world.submit(&claimed, commands, WorkflowStatus::Suspended);
    let requested = "TASK_CANCELLATION_REQUESTED";
    assert_eq!(after(&mut world, &id, 6), [requested, requested, requested, "WORKFLOW_SUSPENDED"]);
    assert_eq!((world.status(&id).as_str(), world.types(&other).len()), ("WAITING", 3));
    assert!(!heartbeat(&mut world, &foreign).cancelled);
}

fn partial_submission_cancels_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let claimed = world.poll(&extended());
    let mut request = submission(&id, 1, vec![cancel_task(1, "")], WorkflowStatus::Running);
    request.after_sequence = 5;
    let client = extended().with_claim(&claimed.token);
    let answer = world.submit_with(&client, &request).unwrap();
    let types: Vec<_> = answer.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["TASK_CANCELLATION_REQUESTED", "TASK_CANCELLED"]);
    // The worker has it, so there is nothing to wake for.
    world.submit_with(&client, &submission(&id, 2, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.status(&id), "WAITING");
}

fn task_can_be_cancelled_where_it_is_scheduled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), cancel_task(1, ""), cancel_task(1, "")]);
    let requested = "TASK_CANCELLATION_REQUESTED";
    assert_eq!(
        after(&mut world, &id, 1),
        ["TASK_SCHEDULED", requested, requested, "WORKFLOW_SUSPENDED", "TASK_CANCELLED"]
    );
    assert!(world.try_poll_task(&extended()).is_none());
}

/// The code is done, so nothing may come between its last command and its end.
fn last_submission_cancels_without_an_event(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2), timer("t", 0)]);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancel_task(1, ""), complete("1")], WorkflowStatus::Completed);
    assert_eq!(after(&mut world, &id, 6), ["TASK_CANCELLATION_REQUESTED", "WORKFLOW_COMPLETED"]);
    assert_eq!(world.poll_task(&extended()).id, task_id(2));
    assert!(world.try_poll_task(&extended()).is_none());
}

fn command_is_not_for_plain_clients(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let request = submission(&id, 0, vec![task(1), cancel_task(1, "")], WorkflowStatus::Suspended);
    world.refuse(&plain(), SUBMIT, &request, Code::Unimplemented, &["commands[1] CANCEL_TASK", "flovyn-ext"]);
    // A client of ours without a token does for it what the others can read.
    world.submit_with(&extended(), &request).unwrap();
    assert_eq!(after(&mut world, &id, 1), ["TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_CANCELLED", "TASK_FAILED"]);
}

fn cancelled_task_is_not_due_any_more(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let whole = flovyn_protocol::messages::ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        timeout_ms: Some(5_000),
        start_to_close_timeout_ms: 3_000,
        heartbeat_timeout_ms: 1_000,
        ..Default::default()
    };
    let id = world.suspended(vec![super::super::commands::task_with(whole)]);
    world.poll_task(&extended());
    cancel(&mut world, &extended(), &task_id(1));
    let before = world.harness.dump();
    world.advance(90_000);
    assert_eq!((before, world.types(&id).len()), (world.harness.dump(), 4));
}
