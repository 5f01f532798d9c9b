//! How long an attempt of a task may take, and what one leaves to the next.

use alloc::{string::String, vec};

use flovyn_protocol::messages::{
    FailTaskRequest, HeartbeatRequest, HeartbeatResponse, PollTaskRequest, PollTaskResponse, ScheduleTaskCommand,
    TaskExecutionInfo, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{task, task_id, task_with},
        suite::{tasks::complete_task, tests},
        world::{Claimed, SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    worker_is_told_the_limits,
    attempt_that_takes_too_long_is_retried,
    attempts_that_take_too_long_end_the_task,
    renewed_claim_does_not_prolong_an_attempt,
    limit_counts_from_each_claim,
    silent_attempt_is_retried,
    heartbeats_keep_an_attempt,
    claim_without_heartbeats_is_silent,
    plain_heartbeats_count_too,
    lease_that_ends_first_costs_no_attempt,
    late_result_of_an_attempt_that_was_given_up,
    limits_are_not_read_from_plain_clients,
    negative_limits_are_refused,
    details_are_given_to_the_next_attempt,
    details_are_bounded,
    failure_can_say_when_to_retry,
    failure_can_say_to_retry_at_once,
    survives_reopening,
);

const HEARTBEAT: &str = "v1.TaskExecution/Heartbeat";
const FAIL: &str = "v1.TaskExecution/FailTask";

fn limited(start_to_close_timeout_ms: i64, heartbeat_timeout_ms: i64, max_retries: i32) -> ScheduleTaskCommand {
    ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        max_retries: Some(max_retries),
        start_to_close_timeout_ms,
        heartbeat_timeout_ms,
        ..ScheduleTaskCommand::default()
    }
}

fn beat(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>, details: &str) {
    let request = HeartbeatRequest { task_execution_id: claimed.id.clone(), details: details.into() };
    world.ask::<HeartbeatResponse>(&extended().with_claim(&claimed.token), HEARTBEAT, &request).unwrap();
}

fn info(claimed: &Claimed<PollTaskResponse>) -> TaskExecutionInfo {
    claimed.message.task.clone().unwrap()
}

fn is_given_up(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>) {
    let request = HeartbeatRequest { task_execution_id: claimed.id.clone(), ..HeartbeatRequest::default() };
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, HEARTBEAT, &request, Code::FailedPrecondition, &["no longer current"]);
}

fn worker_is_told_the_limits(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task_with(limited(3_000, 2_000, 3))]);
    let claimed = world.poll_task(&extended());
    assert_eq!((info(&claimed).start_to_close_timeout_ms, info(&claimed).heartbeat_timeout_ms), (3_000, 2_000));
    // The lease is a matter of its own.
    assert_eq!(claimed.message.lease_ms, 60_000);
    world.release_undelivered(&claimed.undelivered);
    let claimed = world.poll_task(&plain());
    assert_eq!((info(&claimed).start_to_close_timeout_ms, info(&claimed).heartbeat_timeout_ms), (0, 0));
    assert_eq!(info(&claimed).execution_count, 1);
}

fn attempt_that_takes_too_long_is_retried(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(3_000, 0, 3))]);
    let claimed = world.poll_task(&extended());
    world.advance(2_999);
    beat(&mut world, &claimed, "");
    world.advance(1);
    is_given_up(&mut world, &claimed);
    // After the backoff of any failed attempt.
    assert!(world.try_poll_task(&extended()).is_none());
    assert_eq!(world.types(&id).len(), 3);
    world.advance(1_000);
    let claimed = world.poll_task(&extended());
    assert_eq!(info(&claimed).execution_count, 2);
    complete_task(&mut world, &claimed, "1");
    assert_eq!(world.types(&id)[3..], [String::from("TASK_COMPLETED")]);
}

fn attempts_that_take_too_long_end_the_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(3_000, 0, 1))]);
    for _ in 0..2 {
        world.poll_task(&extended());
        world.advance(4_000);
    }
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
    let error = r#""error":"the attempt timed out: not done within 3000 ms of its start","retryable":true}"#;
    assert!(world.data(&id, 4).ends_with(error), "{}", world.data(&id, 4));
    assert!(world.try_poll_task(&extended()).is_none());
}

fn renewed_claim_does_not_prolong_an_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.lease_ms = 2_000;
    let id = world.suspended(vec![task_with(limited(5_000, 0, 0))]);
    let claimed = world.poll_task(&extended());
    for _ in 0..4 {
        world.advance(1_249);
        beat(&mut world, &claimed, "");
    }
    assert_eq!(world.types(&id).len(), 3);
    world.advance(4);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}

fn limit_counts_from_each_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task_with(limited(3_000, 2_500, 9))]);
    world.advance(600_000);
    let lost = world.poll_task(&extended());
    world.advance(2_000);
    world.release_undelivered(&lost.undelivered);
    let claimed = world.poll_task(&extended());
    world.advance(2_499);
    beat(&mut world, &claimed, "");
    world.advance(500);
    beat(&mut world, &claimed, "");
    world.advance(1);
    is_given_up(&mut world, &claimed);
}

fn silent_attempt_is_retried(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(0, 2_000, 1))]);
    let claimed = world.poll_task(&extended());
    world.advance(1_500);
    beat(&mut world, &claimed, "");
    world.advance(1_999);
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(1);
    is_given_up(&mut world, &claimed);
    world.advance(1_000);
    // The heartbeats of the attempt before count for nothing.
    world.poll_task(&extended());
    world.advance(1_999);
    assert_eq!(world.types(&id).len(), 3);
    world.advance(1);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
    let error = r#""error":"the attempt timed out: no heartbeat within 2000 ms","retryable":true}"#;
    assert!(world.data(&id, 4).ends_with(error), "{}", world.data(&id, 4));
}

fn heartbeats_keep_an_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(0, 2_000, 0))]);
    let claimed = world.poll_task(&extended());
    for _ in 0..100 {
        world.advance(1_999);
        beat(&mut world, &claimed, "");
    }
    complete_task(&mut world, &claimed, "1");
    assert_eq!(world.types(&id)[3..], [String::from("TASK_COMPLETED")]);
}

/// A worker renews leases on its own; a heartbeat is the task's.
fn claim_without_heartbeats_is_silent(harness: &mut dyn Harness) {
    use flovyn_protocol::messages::ext::{RenewClaimRequest, RenewClaimResponse};
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(0, 2_000, 0))]);
    let claimed = world.poll_task(&extended());
    world.advance(1_000);
    let renewal = RenewClaimRequest { task_execution_id: claimed.id.clone(), ..RenewClaimRequest::default() };
    let client = extended().with_claim(&claimed.token);
    world.ask::<RenewClaimResponse>(&client, "ext.v1.Extensions/RenewClaim", &renewal).unwrap();
    world.advance(1_000);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}

fn plain_heartbeats_count_too(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(0, 2_000, 0))]);
    let claimed = world.poll_task(&plain());
    let request = HeartbeatRequest { task_execution_id: claimed.id, ..HeartbeatRequest::default() };
    for _ in 0..5 {
        world.advance(1_999);
        world.ask::<HeartbeatResponse>(&plain(), HEARTBEAT, &request).unwrap();
    }
    assert_eq!(world.types(&id).len(), 3);
    world.advance(2_000);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}

/// The worker is gone, which says nothing of the task.
fn lease_that_ends_first_costs_no_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.lease_ms = 1_000;
    let id = world.suspended(vec![task_with(limited(3_000, 2_000, 0))]);
    world.poll_task(&extended());
    world.advance(1_000);
    let claimed = world.poll_task(&extended());
    assert_eq!((info(&claimed).execution_count, world.types(&id).len()), (2, 3));
    complete_task(&mut world, &claimed, "1");
}

fn late_result_of_an_attempt_that_was_given_up(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(3_000, 0, 3))]);
    let claimed = world.poll_task(&extended());
    world.advance(3_000);
    let completion = super::tasks::completion(&claimed.id, "1");
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, "v1.TaskExecution/CompleteTask", &completion, Code::FailedPrecondition, &[]);
    // Without a token the work counts as done, as anywhere.
    world.ask::<()>(&plain(), "v1.TaskExecution/CompleteTask", &completion).unwrap();
    assert_eq!(world.types(&id)[3..], [String::from("TASK_COMPLETED")]);
    world.advance(60_000);
    assert!(world.try_poll_task(&extended()).is_none());
}

fn limits_are_not_read_from_plain_clients(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let request = submission(&id, 0, vec![task_with(limited(-5, 1, 0))], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &request).unwrap();
    world.poll_task(&extended());
    world.advance(59_999);
    assert_eq!(world.types(&id).len(), 3);
}

fn negative_limits_are_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for (data, field) in [(limited(-1, 0, 0), "start_to_close_timeout_ms"), (limited(0, -1, 0), "heartbeat_timeout_ms")]
    {
        let request = submission(&id, 1, vec![task_with(data)], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", field, "-1"]);
    }
}

fn details_are_given_to_the_next_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task_with(limited(0, 2_000, 9))]);
    let claimed = world.poll_task(&extended());
    assert!(info(&claimed).heartbeat_details.is_empty());
    beat(&mut world, &claimed, r#"{"page":1}"#);
    beat(&mut world, &claimed, r#"{"page":2.0}"#);
    // A heartbeat that says nothing takes nothing back.
    beat(&mut world, &claimed, "");
    for _ in 0..2 {
        world.advance(4_000);
        let claimed = world.poll_task(&extended());
        assert_eq!(info(&claimed).heartbeat_details, br#"{"page":2.0}"#);
    }
    world.advance(60_000);
    assert!(info(&world.poll_task(&plain())).heartbeat_details.is_empty());
}

fn details_are_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.payload_bytes_max = 100;
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let client = extended().with_claim(&claimed.token);
    let details = |details: String| HeartbeatRequest { task_execution_id: claimed.id.clone(), details: details.into() };
    let long = details(alloc::format!("\"{}\"", "x".repeat(100)));
    world.refuse(&client, HEARTBEAT, &long, Code::ResourceExhausted, &["details", "100"]);
    world.refuse(&client, HEARTBEAT, &details("{".into()), Code::InvalidArgument, &["details"]);
    // Other clients have no such field.
    world.ask::<HeartbeatResponse>(&plain().with_claim(&claimed.token), HEARTBEAT, &details("{".into())).unwrap();
}

fn fail(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>, next_retry_delay_ms: i64) {
    let request = FailTaskRequest {
        task_execution_id: claimed.id.clone(),
        error: "x".into(),
        stack_trace: "at charge".into(),
        next_retry_delay_ms: Some(next_retry_delay_ms),
        ..FailTaskRequest::default()
    };
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &request).unwrap();
}

fn failure_can_say_when_to_retry(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    fail(&mut world, &claimed, 90_000);
    world.advance(89_999);
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(1);
    let claimed = world.poll_task(&extended());
    let negative = FailTaskRequest {
        task_execution_id: claimed.id.clone(),
        next_retry_delay_ms: Some(-1),
        ..FailTaskRequest::default()
    };
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, FAIL, &negative, Code::InvalidArgument, &["next_retry_delay_ms", "-1"]);
    // It does not give attempts that there are not.
    fail(&mut world, &claimed, 5);
    for _ in 0..2 {
        assert_eq!(world.types(&id).len(), 3);
        world.advance(5);
        let claimed = world.poll_task(&extended());
        fail(&mut world, &claimed, 5);
    }
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}

fn failure_can_say_to_retry_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let anonymous = PollTaskRequest::default();
    let claimed = world.poll_task_with(&extended(), &anonymous).unwrap();
    world.take_wakes();
    fail(&mut world, &claimed, 0);
    assert_eq!(world.take_wakes().len(), 1);
    assert_eq!(info(&world.poll_task_with(&extended(), &anonymous).unwrap()).execution_count, 2);
}

fn survives_reopening(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(limited(3_000, 0, 0))]);
    let claimed = world.poll_task(&extended());
    beat(&mut world, &claimed, "1");
    world.harness.reopen();
    world.advance(3_000);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}
