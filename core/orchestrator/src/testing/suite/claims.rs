//! Leases: how claims live, end and are given back.

use alloc::{string::String, vec};

use flovyn_protocol::messages::{
    HeartbeatRequest, WorkflowStatus,
    ext::{ReleaseClaimRequest, RenewClaimRequest, RenewClaimResponse},
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, task, timer},
        suite::tests,
        world::{SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    lease_of_an_execution_ends,
    lease_of_a_task_ends,
    renewed_claim_lives_on,
    renewing_needs_the_current_token,
    heartbeat_renews_a_task,
    late_submission_under_an_unclaimed_lease_is_refused,
    submission_after_the_lease_counts_while_nobody_took_it,
    released_execution_waits,
    released_execution_is_ready_at_once,
    parks_are_counted_until_a_submission,
    event_does_not_wake_a_parked_execution,
    releasing_needs_the_current_token,
    released_task_was_no_attempt,
    releasing_is_about_one_claim,
    undelivered_execution_is_ready_again,
    undelivered_task_was_no_delivery,
    undelivered_is_nothing_once_the_claim_ended,
    tokens_differ,
);

const RENEW: &str = "ext.v1.Extensions/RenewClaim";
const RELEASE: &str = "ext.v1.Extensions/ReleaseClaim";

fn renew_execution(id: &str) -> RenewClaimRequest {
    RenewClaimRequest { workflow_execution_id: id.into(), task_execution_id: String::new() }
}

fn renew_task(id: &str) -> RenewClaimRequest {
    RenewClaimRequest { workflow_execution_id: String::new(), task_execution_id: id.into() }
}

fn release(id: &str, retry_after_ms: i64) -> ReleaseClaimRequest {
    let reason = "violation".into();
    ReleaseClaimRequest { workflow_execution_id: id.into(), reason, retry_after_ms, ..Default::default() }
}

fn release_task(id: &str, retry_after_ms: i64) -> ReleaseClaimRequest {
    ReleaseClaimRequest { task_execution_id: id.into(), retry_after_ms, ..Default::default() }
}

fn lease_of_an_execution_ends(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&extended());
    world.advance(59_999);
    assert_eq!(world.status(&id), "RUNNING");
    world.take_wakes();
    world.advance(1);
    assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("PENDING", 1));
    assert_eq!(world.poll(&extended()).id, id);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
}

fn lease_of_a_task_ends(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.lease_ms = 1_000;
    world.suspended(vec![task(1)]);
    let first = world.poll_task(&extended());
    assert_eq!(first.message.lease_ms, 1_000);
    world.advance(999);
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(1);
    let second = world.poll_task(&extended());
    assert_eq!(second.message.task.unwrap().execution_count, 2);
    let stale = extended().with_claim(&first.token);
    let output = super::tasks::completion(&first.id, "1");
    world.refuse(&stale, "v1.TaskExecution/CompleteTask", &output, Code::FailedPrecondition, &["no longer current"]);
}

fn renewed_claim_lives_on(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let activation = world.poll(&extended());
    let attempt = world.poll_task(&extended());
    for _ in 0..20 {
        world.advance(59_999);
        let renewed: RenewClaimResponse =
            world.ask(&extended().with_claim(&activation.token), RENEW, &renew_execution(&id)).unwrap();
        assert_eq!(renewed.lease_ms, 60_000);
        world
            .ask::<RenewClaimResponse>(&extended().with_claim(&attempt.token), RENEW, &renew_task(&attempt.id))
            .unwrap();
    }
    assert_eq!(world.status(&id), "RUNNING");
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(60_000);
    assert_eq!(world.status(&id), "PENDING");
    assert!(world.try_poll_task(&extended()).is_some());
}

fn renewing_needs_the_current_token(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let activation = world.poll(&extended());
    let client = extended().with_claim(&activation.token);
    world.refuse(&extended(), RENEW, &renew_execution(&id), Code::InvalidArgument, &["flovyn-claim"]);
    world.refuse(&client, RENEW, &renew_task(&super::super::commands::task_id(1)), Code::FailedPrecondition, &["task"]);
    world.refuse(&client, RENEW, &renew_task(&super::super::commands::task_id(7)), Code::NotFound, &["task"]);
    let both = RenewClaimRequest { task_execution_id: id.clone(), ..renew_execution(&id) };
    world.refuse(&client, RENEW, &both, Code::InvalidArgument, &["got both"]);
    world.refuse(&client, RENEW, &RenewClaimRequest::default(), Code::InvalidArgument, &["expected a UUID"]);
    world.advance(60_000);
    world.refuse(&client, RENEW, &renew_execution(&id), Code::FailedPrecondition, &["no longer current"]);
}

fn heartbeat_renews_a_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let attempt = world.poll_task(&extended());
    let client = extended().with_claim(&attempt.token);
    let heartbeat = HeartbeatRequest { task_execution_id: attempt.id.clone(), ..Default::default() };
    world.advance(59_999);
    world.ask::<()>(&client, "v1.TaskExecution/Heartbeat", &heartbeat).unwrap();
    world.advance(59_999);
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(1);
    world.refuse(&client, "v1.TaskExecution/Heartbeat", &heartbeat, Code::FailedPrecondition, &["no longer current"]);
    assert!(world.try_poll_task(&extended()).is_some());
}

fn late_submission_under_an_unclaimed_lease_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.advance(60_000);
    let late = submission(&id, 1, vec![complete("1")], WorkflowStatus::Completed);
    world.refuse(&extended().with_claim(&claimed.token), SUBMIT, &late, Code::FailedPrecondition, &[]);
    assert_eq!(world.status(&id), "PENDING");
}

/// The server was busy; nobody has been given the execution in the meantime.
fn submission_after_the_lease_counts_while_nobody_took_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.skip(60_001);
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    world.tick();
    assert_eq!(world.status(&id), "COMPLETED");
}

fn released_execution_waits(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.ask::<()>(&extended().with_claim(&claimed.token), RELEASE, &release(&id, 300_000)).unwrap();
    let described = world.describe(&id);
    assert_eq!((described.status.as_str(), described.parks), ("PENDING", 1));
    assert_eq!(described.park_reason, "violation");
    world.advance(299_999);
    assert!(world.try_poll(&extended()).is_none());
    world.take_wakes();
    world.advance(1);
    assert_eq!(world.take_wakes().len(), 1);
    assert_eq!(world.poll(&extended()).id, id);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
}

fn released_execution_is_ready_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let first = world.poll(&extended());
    world.ask::<()>(&extended().with_claim(&first.token), RELEASE, &release(&id, 0)).unwrap();
    let second = world.poll(&extended());
    assert_eq!(second.id, id);
    // The lease of the first claim means nothing for the second.
    world.advance(59_999);
    world.submit(&second, vec![complete("1")], WorkflowStatus::Completed);
}

fn parks_are_counted_until_a_submission(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    for parks in 1..4 {
        let claimed = world.poll(&extended());
        world.ask::<()>(&extended().with_claim(&claimed.token), RELEASE, &release(&id, 0)).unwrap();
        assert_eq!(world.describe(&id).parks, parks);
    }
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![timer("t", 5)], WorkflowStatus::Suspended);
    let described = world.describe(&id);
    assert_eq!((described.parks, described.park_reason.as_str()), (0, ""));
}

fn event_does_not_wake_a_parked_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 0), timer("u", 1_000)]);
    let claimed = world.poll(&extended());
    world.ask::<()>(&extended().with_claim(&claimed.token), RELEASE, &release(&id, 5_000)).unwrap();
    world.advance(4_999);
    assert_eq!(world.types(&id).last().unwrap(), "TIMER_FIRED");
    assert!(world.try_poll(&extended()).is_none());
    world.advance(1);
    assert_eq!(world.poll(&extended()).message.workflow_execution.unwrap().current_sequence, 6);
}

fn releasing_needs_the_current_token(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    world.refuse(&extended(), RELEASE, &release(&id, 0), Code::InvalidArgument, &["flovyn-claim"]);
    world.refuse(&extended().with_claim("x"), RELEASE, &release(&id, 0), Code::FailedPrecondition, &[]);
    world.refuse(&client, RELEASE, &release(&id, -1), Code::InvalidArgument, &["retry_after_ms"]);
    world.refuse(&client, RELEASE, &release(&id, i64::MAX), Code::InvalidArgument, &["retry_after_ms", "86400000"]);
    let wordy = ReleaseClaimRequest { reason: "x".repeat(2_049), ..release(&id, 0) };
    world.refuse(&client, RELEASE, &wordy, Code::ResourceExhausted, &["reason", "2048"]);
    world.ask::<()>(&client, RELEASE, &release(&id, 0)).unwrap();
    world.refuse(&client, RELEASE, &release(&id, 0), Code::FailedPrecondition, &[]);
}

fn released_task_was_no_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let given_back = world.poll_task(&extended());
    let client = extended().with_claim(&given_back.token);
    world.take_wakes();
    world.ask::<()>(&client, RELEASE, &release_task(&given_back.id, 0)).unwrap();
    assert_eq!(world.take_wakes().len(), 1);
    world.refuse(&client, RELEASE, &release_task(&given_back.id, 0), Code::FailedPrecondition, &["no longer current"]);
    let later = world.poll_task(&extended());
    assert_eq!((later.id.as_str(), later.message.task.unwrap().execution_count), (given_back.id.as_str(), 1));
    let client = extended().with_claim(&later.token);
    world.ask::<()>(&client, RELEASE, &release_task(&later.id, 5_000)).unwrap();
    world.advance(4_999);
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(1);
    let claimed = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &claimed, "1");
}

fn releasing_is_about_one_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let both = ReleaseClaimRequest { task_execution_id: claimed.id.clone(), ..release(&id, 0) };
    world.refuse(&client, RELEASE, &both, Code::InvalidArgument, &["either", "got both"]);
    let neither = ReleaseClaimRequest::default();
    world.refuse(&client, RELEASE, &neither, Code::InvalidArgument, &["workflow_execution_id"]);
}

fn undelivered_execution_is_ready_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for client in [extended(), plain()] {
        let id = world.start("order");
        let lost = world.poll(&client);
        world.take_wakes();
        world.release_undelivered(&lost.undelivered);
        assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("PENDING", 1));
        let claimed = world.poll(&extended());
        assert_eq!(claimed.id, id);
        world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    }
}

fn undelivered_task_was_no_delivery(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for (number, client) in [(1, extended()), (2, plain())] {
        world.suspended(vec![task(number)]);
        let lost = world.poll_task(&client);
        world.release_undelivered(&lost.undelivered);
        let attempt = world.poll_task(&extended());
        assert_eq!(attempt.message.task.as_ref().unwrap().execution_count, 1);
        super::tasks::complete_task(&mut world, &attempt, "1");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    }
}

fn undelivered_is_nothing_once_the_claim_ended(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let lost = world.poll(&extended());
    world.advance(60_000);
    world.poll(&extended());
    world.release_undelivered(&lost.undelivered);
    assert_eq!(world.status(&id), "RUNNING");
    assert!(world.try_poll(&extended()).is_none());
}

fn tokens_differ(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let mut tokens = alloc::collections::BTreeSet::new();
    for _ in 0..20 {
        world.start("order");
        assert!(tokens.insert(world.poll(&extended()).token));
    }
}
