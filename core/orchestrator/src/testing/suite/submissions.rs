//! Submissions: what commands do, numbers, tokens, endings.

use alloc::{format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    CommandType, PollResponse, SubmitWorkflowCommandsRequest, WorkflowCommand, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{
            cancel_timer, clear_state, complete, fail, operation, promise, set_state, suspend, task, task_id, timer,
        },
        suite::tests,
        world::{Claimed, SUBMIT, World, extended, submission},
    },
};

tests!(
    commands_become_events_in_order,
    status_alone_is_enough,
    partial_submission_keeps_the_claim,
    repeated_number_is_answered_again,
    repeated_last_submission_is_refused,
    wrong_number_is_refused,
    stale_token_is_refused,
    token_of_another_execution_is_refused,
    duplicate_ids_are_refused_with_a_token,
    timer_id_can_be_used_again,
    refused_command_refuses_all,
    unknown_verbs_are_unimplemented,
    status_and_command_must_agree,
    nothing_follows_the_last_command,
    long_answer_is_cut,
    nothing_happens_after_the_end,
);

fn number(
    claimed: &Claimed<PollResponse>,
    number: i32,
    after_sequence: i32,
    commands: Vec<WorkflowCommand>,
) -> SubmitWorkflowCommandsRequest {
    let request = submission(&claimed.id, number, commands, WorkflowStatus::Running);
    SubmitWorkflowCommandsRequest { after_sequence, ..request }
}

fn commands_become_events_in_order(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let commands = vec![
        set_state("k", "{\"b\":1,\"a\":2}"),
        task(1),
        operation("op", "42.0"),
        timer("t", 500),
        promise("approval"),
        clear_state("k"),
        cancel_timer("t"),
        suspend("waiting"),
    ];
    let id = world.suspended(commands);
    assert_eq!(
        world.types(&id),
        [
            "WORKFLOW_STARTED",
            "STATE_SET",
            "TASK_SCHEDULED",
            "OPERATION_COMPLETED",
            "TIMER_STARTED",
            "PROMISE_CREATED",
            "STATE_CLEARED",
            "TIMER_CANCELLED",
            "WORKFLOW_SUSPENDED"
        ]
    );
    assert_eq!(world.data(&id, 2), r#"{"key":"k","value":{"b":1,"a":2}}"#);
    assert_eq!(
        world.data(&id, 3),
        format!(r#"{{"kind":"charge","taskExecutionId":"{}","input":1,"queue":"default","maxRetries":3}}"#, task_id(1))
    );
    assert_eq!(world.data(&id, 4), r#"{"operationName":"op","result":42.0}"#);
    let fire_at_ms = world.now_ms + 500;
    assert_eq!(world.data(&id, 5), format!(r#"{{"timerId":"t","durationMs":500,"fireAtMs":{fire_at_ms}}}"#));
    assert!(world.data(&id, 6).contains(r#""promiseName":"approval""#));
    assert_eq!(world.data(&id, 9), r#"{"reason":"waiting"}"#);
    assert_eq!(world.status(&id), "WAITING");
}

fn status_alone_is_enough(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 5)]);
    assert_eq!(world.types(&id)[2..], [String::from("WORKFLOW_SUSPENDED")]);
    assert_eq!(world.data(&id, 3), "{}");
    for (status, event, ends_as) in [
        (WorkflowStatus::Completed, "WORKFLOW_COMPLETED", "COMPLETED"),
        (WorkflowStatus::Failed, "WORKFLOW_EXECUTION_FAILED", "FAILED"),
    ] {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![], status);
        assert_eq!(world.types(&id), ["WORKFLOW_STARTED", event]);
        assert_eq!(world.status(&id), ends_as);
    }
}

fn partial_submission_keeps_the_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    world.skip(59_999);
    let answer = world.submit_with(&client, &number(&claimed, 1, 1, vec![operation("a", "1"), task(1)])).unwrap();
    assert_eq!(answer.lease_ms, 60_000);
    assert_eq!(answer.events.iter().map(|event| event.sequence_number).collect::<Vec<_>>(), [2, 3]);
    assert!(!answer.has_more_events);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "OPERATION_COMPLETED", "TASK_SCHEDULED"]);
    // The lease counts from the submission.
    world.advance(59_999);
    assert_eq!(world.status(&id), "RUNNING");
    // What came meanwhile is in the next answer, before what this submission brings.
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    let answer = world.submit_with(&client, &number(&claimed, 2, 3, vec![operation("b", "2")])).unwrap();
    let types: Vec<_> = answer.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["TASK_COMPLETED", "OPERATION_COMPLETED"]);
    let last = submission(&id, 3, vec![complete("3")], WorkflowStatus::Completed);
    assert_eq!(world.submit_with(&client, &last).unwrap(), Default::default());
    assert_eq!(world.status(&id), "COMPLETED");
}

fn repeated_number_is_answered_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let first = number(&claimed, 1, 1, vec![operation("a", "1"), task(1)]);
    let answer = world.submit_with(&client, &first).unwrap();
    let types = world.types(&id);
    assert_eq!(world.submit_with(&client, &first).unwrap(), answer);
    assert_eq!(world.types(&id), types);
    // Whatever landed since is in the repeated answer, and counts as not yet seen.
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    assert_eq!(world.submit_with(&client, &first).unwrap().events.len(), 3);
    world.submit_with(&client, &number(&claimed, 2, 4, vec![])).unwrap();
    assert_eq!(world.submit_with(&client, &first).unwrap().events.len(), 3);
}

fn repeated_last_submission_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let last = submission(&id, 1, vec![timer("t", 5_000)], WorkflowStatus::Suspended);
    world.submit_with(&client, &last).unwrap();
    world.refuse(&client, SUBMIT, &last, Code::FailedPrecondition, &["no longer current", &id]);
    assert_eq!(world.types(&id).len(), 3);
}

fn wrong_number_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for wrong in [0, 2, -1, i32::MAX] {
        let request = number(&claimed, wrong, 0, vec![]);
        let got = format!("got {wrong}");
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["submission_number", "expected 1", &got]);
    }
    let request = number(&claimed, 1, 9, vec![operation("a", "1")]);
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["after_sequence"]);
    world.submit_with(&client, &number(&claimed, 1, 1, vec![])).unwrap();
}

fn stale_token_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let first = world.poll(&extended());
    world.advance(60_000);
    let second = world.poll(&extended());
    assert_ne!(first.token, second.token);
    let request = submission(&id, 1, vec![complete("1")], WorkflowStatus::Completed);
    for token in [first.token.as_str(), "", "x", &second.token[1..]] {
        let client = extended().with_claim(token);
        world.refuse(&client, SUBMIT, &request, Code::FailedPrecondition, &["no longer current", "poll again"]);
    }
    world.refuse(&extended(), SUBMIT, &request, Code::FailedPrecondition, &["flovyn-claim"]);
    world.submit_with(&extended().with_claim(&second.token), &request).unwrap();
    assert_eq!(world.status(&id), "COMPLETED");
}

fn token_of_another_execution_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.start("order");
    let _first = world.poll(&extended());
    let second = world.poll(&extended());
    let request = submission(&id, 1, vec![], WorkflowStatus::Suspended);
    let client = extended().with_claim(&second.token);
    world.refuse(&client, SUBMIT, &request, Code::FailedPrecondition, &[]);
}

fn duplicate_ids_are_refused_with_a_token(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for commands in [vec![task(1), task(1)], vec![timer("t", 9), timer("t", 9)]] {
        let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[1]", "expected a new id"]);
    }
    world.submit_with(&client, &number(&claimed, 1, 0, vec![task(1), timer("t", 9)])).unwrap();
    for command in [task(1), timer("t", 9)] {
        let request = number(&claimed, 2, 0, vec![command]);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", "expected a new id"]);
    }
    // An id of another execution is not to be had, whoever asks.
    let other = world.start("order");
    let claimed = world.poll(&extended());
    let request = submission(&other, 1, vec![task(1)], WorkflowStatus::Suspended);
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["task_execution_id", "not of this execution"]);
}

fn timer_id_can_be_used_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 5), cancel_timer("t"), timer("t", 7)]);
    world.advance(7);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![timer("t", 5)], WorkflowStatus::Suspended);
    world.advance(5);
    let fired = world.types(&id).into_iter().filter(|name| name == "TIMER_FIRED").count();
    assert_eq!(fired, 2);
}

fn refused_command_refuses_all(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let commands = vec![task(1), timer("t", 0), promise("p"), operation("bad", "{")];
    let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
    world.refuse(
        &client,
        SUBMIT,
        &request,
        Code::InvalidArgument,
        &["commands[3] RECORD_OPERATION", "result", "expected one JSON value"],
    );
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
    assert!(world.try_poll_task(&extended()).is_none());
    // The claim is still there for a better try.
    world.submit(&claimed, vec![task(1)], WorkflowStatus::Suspended);
}

fn unknown_verbs_are_unimplemented(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let unknown = WorkflowCommand { command_type: 9_999, sequence_number: 0, command_data: None };
    let request = submission(&id, 1, vec![task(1), unknown], WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::Unimplemented, &["commands[1]", "9999", "not offered"]);
}

fn status_and_command_must_agree(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for (command, status) in [
        (complete("1"), WorkflowStatus::Suspended),
        (complete("1"), WorkflowStatus::Running),
        (complete("1"), WorkflowStatus::Failed),
        (fail("x"), WorkflowStatus::Completed),
        (suspend("x"), WorkflowStatus::Running),
        (suspend("x"), WorkflowStatus::Completed),
    ] {
        let request = submission(&id, 1, vec![command], status);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["status", status.as_str_name()]);
    }
    let request = submission(&id, 1, vec![], WorkflowStatus::Unspecified);
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["status"]);
    let request = SubmitWorkflowCommandsRequest { status: 77, ..submission(&id, 1, vec![], WorkflowStatus::Running) };
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["status", "77"]);
}

fn nothing_follows_the_last_command(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for (commands, status) in [
        (vec![complete("1"), task(1)], WorkflowStatus::Completed),
        (vec![suspend(""), suspend("")], WorkflowStatus::Suspended),
        (vec![fail("1"), complete("2")], WorkflowStatus::Completed),
    ] {
        let request = submission(&id, 1, commands, status);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[1]", "expected nothing after"]);
    }
    // A command that means nothing is no command.
    let nothing = WorkflowCommand { command_type: CommandType::Unspecified.into(), ..Default::default() };
    let commands = vec![nothing.clone(), complete("1"), nothing];
    world.submit_with(&client, &submission(&id, 1, commands, WorkflowStatus::Completed)).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_COMPLETED"]);
}

fn long_answer_is_cut(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start("order");
    let claimed = world.poll(&extended());
    world.config.polls.page_events_max = 3;
    let client = extended().with_claim(&claimed.token);
    let operations = (0..5).map(|n| operation(&format!("op-{n}"), "1")).collect();
    let answer = world.submit_with(&client, &number(&claimed, 1, 1, operations)).unwrap();
    assert_eq!((answer.events.len(), answer.has_more_events), (3, true));
}

fn nothing_happens_after_the_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let commands = vec![timer("now", 0), timer("t", 1_000), promise("p"), task(1), complete("1")];
    world.submit(&claimed, commands, WorkflowStatus::Completed);
    let types = world.types(&id);
    assert_eq!(types.last().unwrap(), "WORKFLOW_COMPLETED");
    world.advance(3_600_000);
    // The task runs on, and what comes of it tells nobody.
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "5");
    let resolve = flovyn_protocol::messages::ResolvePromiseRequest { promise_id: format!("{id}:p"), value: vec![] };
    world.ask::<()>(&extended(), "v1.WorkflowDispatch/ResolvePromise", &resolve).unwrap();
    assert_eq!(world.types(&id), types);
    assert!(world.try_poll(&extended()).is_none());
    assert_eq!(world.status(&id), "COMPLETED");
}
