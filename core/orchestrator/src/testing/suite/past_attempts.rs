//! What is kept of the attempts at a task.

use alloc::{format, vec, vec::Vec};

use flovyn_protocol::messages::{CancelTaskRequest, FailTaskRequest, PollTaskResponse, ext::ReleaseClaimRequest};
use uuid::Uuid;

use super::tests;
use crate::{
    AttemptEnd, Key, TaskAttempt,
    testing::{
        Harness,
        commands::{task, task_id},
        suite::tasks::complete_task,
        world::{Claimed, START_MS, World, extended, plain, stranger},
    },
};

tests!(
    each_end_is_kept,
    cancelled_attempt_says_why,
    attempts_without_a_worker_are_kept_too,
    what_was_not_delivered_is_no_attempt,
    last_ones_are_kept,
    long_errors_are_cut,
    other_organisations_see_no_attempts,
);

fn attempts(world: &mut World<'_>, org_id: Uuid) -> Vec<TaskAttempt> {
    let key = Key { org_id, id: Uuid::try_parse(&task_id(1)).unwrap() };
    let mut found = Vec::new();
    world
        .harness
        .transaction(&mut |tx| {
            found = tx.task_attempts(key)?;
            found.extend(tx.task(key)?.and_then(|task| task.last_attempt));
            Ok(())
        })
        .unwrap();
    found
}

fn own(world: &mut World<'_>) -> Vec<TaskAttempt> {
    attempts(world, plain().principal.org_id)
}

fn failed(error: &str) -> AttemptEnd {
    AttemptEnd::Failed(error.into())
}

fn fail(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>, error: &str) {
    let failure = FailTaskRequest { task_execution_id: claimed.id.clone(), error: error.into(), ..Default::default() };
    world.ask::<()>(&extended().with_claim(&claimed.token), "v1.TaskExecution/FailTask", &failure).unwrap();
}

fn each_end_is_kept(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let first = world.poll_task(&extended());
    assert_eq!(own(&mut world), [], "one under way is the task's claim");
    world.skip(5);
    fail(&mut world, &first, "declined");
    world.advance(60_000);
    let second_ms = world.now_ms;
    let second = world.poll_task(&extended());
    world.skip(7);
    complete_task(&mut world, &second, "1");
    // Later answers change nothing.
    fail(&mut world, &second, "late");
    let attempt = |number, started_at_ms, ended_at_ms, end| TaskAttempt {
        number,
        worker: "worker".into(),
        started_at_ms,
        ended_at_ms,
        end,
    };
    let expected = [
        attempt(1, START_MS, START_MS + 5, failed("declined")),
        attempt(2, second_ms, second_ms + 7, AttemptEnd::Completed),
    ];
    assert_eq!(own(&mut world), expected);
    assert_eq!(expected.map(|attempt| attempt.end.status()), ["FAILED", "COMPLETED"]);
}

fn cancelled_attempt_says_why(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    world.poll_task(&extended());
    let request = CancelTaskRequest { task_execution_id: task_id(1) };
    world.ask::<()>(&extended(), "v1.TaskExecution/CancelTask", &request).unwrap();
    let ends: Vec<_> = own(&mut world).into_iter().map(|attempt| attempt.end).collect();
    assert_eq!(ends, [AttemptEnd::Cancelled("cancelled".into())]);
}

fn attempts_without_a_worker_are_kept_too(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    world.poll_task(&extended());
    world.advance(60_000);
    let kept = own(&mut world);
    assert_eq!((kept.len(), kept[0].ended_at_ms), (1, START_MS + 60_000));
    assert!(kept[0].end.error().unwrap().contains("not heard of"), "{kept:?}");
}

fn what_was_not_delivered_is_no_attempt(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let lost = world.poll_task(&extended());
    world.release_undelivered(&lost.undelivered);
    let released = world.poll_task(&extended());
    let request = ReleaseClaimRequest {
        task_execution_id: released.id.clone(),
        reason: "no room".into(),
        ..ReleaseClaimRequest::default()
    };
    let client = extended().with_claim(&released.token);
    world.ask::<()>(&client, "ext.v1.Extensions/ReleaseClaim", &request).unwrap();
    assert_eq!(own(&mut world), []);
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    let numbers: Vec<_> = own(&mut world).into_iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1]);
}

fn last_ones_are_kept(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.task_attempts_max = 2;
    world.suspended(vec![task(1)]);
    for attempt in 1..=4 {
        let claimed = world.poll_task(&extended());
        fail(&mut world, &claimed, &format!("{attempt}"));
        world.advance(60_000);
    }
    let kept: Vec<_> = own(&mut world).into_iter().map(|attempt| (attempt.number, attempt.end)).collect();
    assert_eq!(kept, [(3, failed("3")), (4, failed("4"))]);
}

fn long_errors_are_cut(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.attempt_error_bytes_max = 5;
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    // No character is cut in two.
    fail(&mut world, &claimed, "äöü");
    let ends: Vec<_> = own(&mut world).into_iter().map(|attempt| attempt.end).collect();
    assert_eq!(ends, [failed("äö")]);
}

fn other_organisations_see_no_attempts(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    assert_eq!(own(&mut world).len(), 1);
    assert_eq!(attempts(&mut world, stranger().principal.org_id), []);
}
