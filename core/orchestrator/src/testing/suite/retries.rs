//! Failed attempts of tasks.

use alloc::{string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    FailTaskRequest, PollTaskRequest, PollTaskResponse, RetryPolicy, ScheduleTaskCommand, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{task, task_id, task_with},
        suite::tests,
        world::{Claimed, SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    failed_attempts_are_retried,
    retries_end,
    no_retries,
    delays_grow,
    policy_of_the_command_is_followed,
    jitter_shortens_delays,
    no_delay_at_all,
    fatal_failure_ends_the_task,
    fatal_error_type_ends_the_task,
    what_was_thrown_is_told,
    what_an_earlier_attempt_threw_is_not_told,
    failing_needs_the_current_token,
    plain_failures_follow_the_same_rules,
    bad_policies_are_refused,
);

const FAIL: &str = "v1.TaskExecution/FailTask";

fn failure(id: &str) -> FailTaskRequest {
    FailTaskRequest { task_execution_id: id.into(), error: "no \"money\"".into(), ..FailTaskRequest::default() }
}

fn fail(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>) {
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &failure(&claimed.id)).unwrap();
}

fn scheduled(max_retries: i32, retry_policy: Option<RetryPolicy>) -> ScheduleTaskCommand {
    ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        max_retries: Some(max_retries),
        retry_policy,
        ..ScheduleTaskCommand::default()
    }
}

/// Fails the task until it ends and gives the delays between the attempts. The worker has no name, so that the next
/// deadline is always that of the task.
fn delays(world: &mut World<'_>) -> Vec<i64> {
    let anonymous = PollTaskRequest::default();
    let mut delays = Vec::new();
    let mut claimed = world.poll_task_with(&extended(), &anonymous).unwrap();
    loop {
        fail(world, &claimed);
        let Some(due_ms) = world.tick() else { return delays };
        let delay_ms = due_ms - world.now_ms;
        if delay_ms > 0 {
            world.advance(delay_ms - 1);
            assert!(world.poll_task_with(&extended(), &anonymous).is_none(), "retried before its time");
            world.advance(1);
        }
        let Some(next) = world.poll_task_with(&extended(), &anonymous) else { return delays };
        delays.push(delay_ms);
        claimed = next;
    }
}

fn failed_attempts_are_retried(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    for count in 1..=3 {
        let claimed = world.poll_task(&extended());
        assert_eq!(claimed.message.task.as_ref().unwrap().execution_count, count);
        fail(&mut world, &claimed);
        // No event, no wake-up.
        assert_eq!(world.types(&id).len(), 3);
        assert!(world.try_poll_task(&extended()).is_none());
        world.advance(60_000);
    }
    let claimed = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &claimed, "1");
    assert_eq!(world.types(&id)[3..], [String::from("TASK_COMPLETED")]);
}

fn retries_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    for _ in 0..4 {
        world.advance(60_000);
        let claimed = world.poll_task(&extended());
        fail(&mut world, &claimed);
    }
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
    assert_eq!(
        world.data(&id, 4),
        alloc::format!(
            r#"{{"taskExecutionId":"{}","kind":"charge","error":"no \"money\"","retryable":true}}"#,
            task_id(1)
        )
    );
    world.advance(3_600_000);
    assert!(world.try_poll_task(&extended()).is_none());
}

fn no_retries(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(scheduled(0, None))]);
    let claimed = world.poll_task(&extended());
    fail(&mut world, &claimed);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
}

fn delays_grow(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.tasks.jitter_milli = 0;
    world.suspended(vec![task_with(scheduled(8, None))]);
    assert_eq!(delays(&mut world), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
}

fn policy_of_the_command_is_followed(harness: &mut dyn Harness) {
    let policy = |initial_delay_ms, max_delay_ms, multiplier_milli| RetryPolicy {
        initial_delay_ms,
        max_delay_ms,
        multiplier_milli,
        ..RetryPolicy::default()
    };
    let mut world = World::new(harness);
    world.config.tasks.jitter_milli = 0;
    for (number, policy, expected) in [
        (1, policy(10, 50, 1_500), [10, 15, 22, 33, 49]),
        (2, policy(7, 0, 1_000), [7, 7, 7, 7, 7]),
        (3, policy(0, 3_000, 0), [1_000, 2_000, 3_000, 3_000, 3_000]),
        // A first delay longer than the server's longest is meant.
        (4, policy(90_000, 0, 0), [90_000, 90_000, 90_000, 90_000, 90_000]),
    ] {
        let schedule = ScheduleTaskCommand { task_execution_id: task_id(number), ..scheduled(5, Some(policy)) };
        let id = world.suspended(vec![task_with(schedule)]);
        assert_eq!(delays(&mut world), expected);
        assert_eq!(world.types(&id).last().unwrap(), "TASK_FAILED");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![], WorkflowStatus::Completed);
    }
}

fn jitter_shortens_delays(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let policy = RetryPolicy { initial_delay_ms: 1_000, multiplier_milli: 1_000, ..RetryPolicy::default() };
    world.suspended(vec![task_with(scheduled(100, Some(policy)))]);
    let delays = delays(&mut world);
    assert_eq!(delays.len(), 100);
    assert!(delays.iter().all(|delay_ms| (800..=1_000).contains(delay_ms)), "{delays:?}");
    let different: alloc::collections::BTreeSet<_> = delays.iter().collect();
    assert!(different.len() > 50, "{delays:?}");
}

fn no_delay_at_all(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.tasks.initial_delay_ms = 0;
    let id = world.suspended(vec![task(1)]);
    for _ in 0..4 {
        let claimed = world.poll_task(&extended());
        fail(&mut world, &claimed);
    }
    assert_eq!(world.types(&id).last().unwrap(), "TASK_FAILED");
}

fn fatal_failure_ends_the_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let fatal = FailTaskRequest { retryable: Some(false), ..failure(&claimed.id) };
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &fatal).unwrap();
    assert_eq!(world.types(&id)[3..], [String::from("TASK_FAILED")]);
    assert!(world.data(&id, 4).ends_with(r#""retryable":false}"#));
}

fn fatal_error_type_ends_the_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let policy = RetryPolicy { non_retryable_errors: vec!["CardStolen".into()], ..RetryPolicy::default() };
    let id = world.suspended(vec![task_with(scheduled(3, Some(policy)))]);
    for (error_type, events) in [("", 3), ("Timeout", 3), ("CardStolen", 4)] {
        world.advance(60_000);
        let claimed = world.poll_task(&extended());
        let failed = FailTaskRequest { error_type: error_type.into(), ..failure(&claimed.id) };
        world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &failed).unwrap();
        assert_eq!(world.types(&id).len(), events);
    }
    assert!(world.data(&id, 4).ends_with(r#""retryable":false}"#));
}

/// The end of a task whose first attempt has thrown something, as its execution is told it.
fn end_of_second_attempt(
    harness: &mut dyn Harness,
    attempt: impl FnOnce(&mut World<'_>, Claimed<PollTaskResponse>),
) -> String {
    let mut world = World::new(harness);
    let limited = ScheduleTaskCommand { start_to_close_timeout_ms: 50, ..scheduled(1, None) };
    let id = world.suspended(vec![task_with(limited)]);
    let claimed = world.poll_task(&extended());
    throw(&mut world, &claimed);
    world.advance(60_000);
    let claimed = world.poll_task(&extended());
    attempt(&mut world, claimed);
    world.data(&id, 4)
}

fn thrown(id: &str, error_type: &str) -> FailTaskRequest {
    let stack_trace = "Declined: no\n at charge".into();
    FailTaskRequest { error: "no".into(), error_type: error_type.into(), stack_trace, ..failure(id) }
}

fn throw(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>) {
    world.ask::<()>(&extended().with_claim(&claimed.token), FAIL, &thrown(&claimed.id, "Declined")).unwrap();
}

fn what_was_thrown_is_told(harness: &mut dyn Harness) {
    let data = end_of_second_attempt(harness, |world, claimed| {
        let long = thrown(&claimed.id, &"x".repeat(world.config.limits.name_bytes_max + 1));
        let client = extended().with_claim(&claimed.token);
        world.refuse(&client, FAIL, &long, Code::ResourceExhausted, &["error_type"]);
        throw(world, &claimed);
    });
    let end = r#""error":"no","errorType":"Declined","stackTrace":"Declined: no\n at charge","retryable":true}"#;
    assert!(data.ends_with(end), "{data}");
}

fn what_an_earlier_attempt_threw_is_not_told(harness: &mut dyn Harness) {
    let data = end_of_second_attempt(harness, |world, _| world.advance(50));
    let end = r#""error":"the attempt timed out: not done within 50 ms of its start","retryable":true}"#;
    assert!(data.ends_with(end), "{data}");
}

fn failing_needs_the_current_token(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    let request = failure(&claimed.id);
    world.refuse(&extended().with_claim("x"), FAIL, &request, Code::FailedPrecondition, &["no longer current"]);
    world.refuse(&extended(), FAIL, &request, Code::FailedPrecondition, &["flovyn-claim"]);
    fail(&mut world, &claimed);
    // Said again, since the answer was lost: the attempt has ended, and is not counted twice.
    let again = extended().with_claim(&claimed.token);
    world.refuse(&again, FAIL, &request, Code::FailedPrecondition, &["no longer current"]);
    world.ask::<()>(&extended(), FAIL, &request).unwrap();
    world.advance(60_000);
    assert_eq!(world.poll_task(&extended()).message.task.unwrap().execution_count, 2);
}

fn plain_failures_follow_the_same_rules(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(scheduled(1, None))]);
    let claimed = world.poll_task(&plain());
    world.ask::<()>(&plain(), FAIL, &failure(&claimed.id)).unwrap();
    world.ask::<()>(&plain(), FAIL, &failure(&claimed.id)).unwrap();
    world.advance(60_000);
    let claimed = world.poll_task(&plain());
    assert_eq!(claimed.message.task.unwrap().execution_count, 2);
    world.ask::<()>(&plain(), FAIL, &failure(&claimed.id)).unwrap();
    assert_eq!(world.types(&id).last().unwrap(), "TASK_FAILED");
}

fn bad_policies_are_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for policy in [
        RetryPolicy { initial_delay_ms: -1, ..RetryPolicy::default() },
        RetryPolicy { max_delay_ms: -1, ..RetryPolicy::default() },
        RetryPolicy { multiplier_milli: 999, ..RetryPolicy::default() },
        RetryPolicy { multiplier_milli: -2_000, ..RetryPolicy::default() },
    ] {
        let commands = vec![task_with(scheduled(1, Some(policy)))];
        let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0] SCHEDULE_TASK", "retry_policy"]);
    }
    let commands = vec![task_with(scheduled(-1, None))];
    let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["max_retries", "-1"]);
}
