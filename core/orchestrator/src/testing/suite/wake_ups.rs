//! The wake-up rule: no wake-up is lost, whatever lands whenever.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{ResolvePromiseRequest, SubmitWorkflowCommandsRequest, WorkflowStatus};

use crate::testing::{
    Harness,
    commands::{cancel_timer, complete, operation, promise, resolve_promise, set_state, task, timer},
    suite::tests,
    world::{World, extended, plain, submission},
};

tests!(
    own_commands_wake_nobody,
    timer_of_no_time_wakes,
    timer_of_no_time_can_be_cancelled,
    event_between_claim_and_submission_wakes,
    event_between_two_submissions_is_seen,
    event_after_the_last_partial_answer_wakes,
    promise_resolved_while_running_wakes,
    own_promise_resolved_by_command_wakes,
    event_while_waiting_wakes,
    event_while_ready_does_not_double,
    plain_submission_counts_from_the_oldest_claim,
    extended_submission_counts_from_its_own_claim,
);

fn own_commands_wake_nobody(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let commands = vec![task(1), timer("t", 1), promise("p"), operation("o", "1"), set_state("k", "1")];
    let id = world.suspended(commands);
    assert_eq!(world.status(&id), "WAITING");
    assert!(world.try_poll(&extended()).is_none());
}

fn timer_of_no_time_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for duration_ms in [0, -1, i64::MIN] {
        let id = world.suspended(vec![timer("t", duration_ms), timer("u", 1_000)]);
        assert_eq!(world.status(&id), "PENDING");
        assert_eq!(
            world.types(&id)[1..],
            ["TIMER_STARTED", "TIMER_STARTED", "WORKFLOW_SUSPENDED", "TIMER_FIRED"].map(String::from)
        );
        assert!(world.data(&id, 2).ends_with(&format!(r#""fireAtMs":{}}}"#, world.now_ms)));
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    }
}

fn timer_of_no_time_can_be_cancelled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 0), cancel_timer("t")]);
    world.advance(1_000);
    assert_eq!(world.types(&id)[1..], ["TIMER_STARTED", "TIMER_CANCELLED", "WORKFLOW_SUSPENDED"].map(String::from));
    assert_eq!(world.status(&id), "WAITING");
}

fn event_between_claim_and_submission_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    world.take_wakes();
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "PENDING");
    assert_eq!(world.take_wakes().len(), 1);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "WAITING");
}

fn partial(id: &str, number: i32, after_sequence: i32) -> SubmitWorkflowCommandsRequest {
    let request = submission(id, number, vec![operation("o", "1")], WorkflowStatus::Running);
    SubmitWorkflowCommandsRequest { after_sequence, ..request }
}

fn event_between_two_submissions_is_seen(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    let client = extended().with_claim(&claimed.token);
    let answer = world.submit_with(&client, &partial(&id, 1, 5)).unwrap();
    assert_eq!(answer.events[0].event_type, "TASK_COMPLETED");
    // The worker has it, so there is nothing to wake for.
    world.submit_with(&client, &submission(&id, 2, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.status(&id), "WAITING");
}

fn event_after_the_last_partial_answer_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    world.submit_with(&client, &partial(&id, 1, 5)).unwrap();
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    world.submit_with(&client, &submission(&id, 2, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.status(&id), "PENDING");
}

fn promise_resolved_while_running_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p"), timer("t", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    let resolve = ResolvePromiseRequest { promise_id: format!("{id}:p"), value: b"1".to_vec() };
    world.ask::<()>(&plain(), "v1.WorkflowDispatch/ResolvePromise", &resolve).unwrap();
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "PENDING");
}

fn own_promise_resolved_by_command_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p"), resolve_promise("p", "9")]);
    assert_eq!(world.status(&id), "PENDING");
    assert_eq!(world.types(&id)[1..], ["PROMISE_CREATED", "PROMISE_RESOLVED", "WORKFLOW_SUSPENDED"].map(String::from));
}

fn event_while_waiting_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 10)]);
    world.take_wakes();
    world.advance(9);
    assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("WAITING", 0));
    world.advance(1);
    assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("PENDING", 1));
}

fn event_while_ready_does_not_double(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 10), timer("u", 20)]);
    world.advance(30);
    assert_eq!(world.types(&id).iter().filter(|name| *name == "TIMER_FIRED").count(), 2);
    world.poll(&extended());
    assert!(world.try_poll(&extended()).is_none());
}

/// A worker that lost its claim submits what it knew, while another one is at work that knows more.
fn plain_submission_counts_from_the_oldest_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 0), timer("u", 1_000)]);
    world.poll(&plain());
    world.skip(3_600_000);
    world.tick();
    assert_eq!(world.status(&id), "PENDING");
    assert_eq!(world.poll(&plain()).id, id);
    // It does not know of the second timer, which fired before the current claim was given.
    let knows_less = submission(&id, 0, vec![], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &knows_less).unwrap();
    assert_eq!(world.status(&id), "PENDING");
    world.poll(&plain());
    world.submit_with(&plain(), &knows_less).unwrap();
    assert_eq!(world.status(&id), "WAITING");
}

fn extended_submission_counts_from_its_own_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 0), timer("u", 1_000)]);
    world.poll(&extended());
    world.advance(60_000);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "WAITING");
}
