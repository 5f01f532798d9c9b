//! What is too large or too many, and that it leaves no trace.

use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    CompleteTaskRequest, GetEventsRequest, ResolvePromiseRequest, StartWorkflowRequest, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, fail, operation, promise, set_state, task, timer},
        suite::tests,
        world::{SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    payloads,
    names,
    metadata,
    commands_of_a_submission,
    events_of_a_history,
    bytes_of_a_history,
    full_history_can_still_end,
    event_that_does_not_fit_ends_the_execution,
    ready_execution_that_is_full_leaves_its_queue,
    plain_history_ends_the_execution_when_it_is_full,
    plain_history_is_shorter_for_plain_clients_only,
    half_full_history_warns_once,
);

const START: &str = "v1.WorkflowDispatch/StartWorkflow";

fn start() -> StartWorkflowRequest {
    StartWorkflowRequest { workflow_kind: "order".into(), ..StartWorkflowRequest::default() }
}

fn text(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

fn payloads(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.payload_bytes_max = 1_000;
    let large = text(1_001);
    let request = StartWorkflowRequest { input: large.clone().into(), ..start() };
    world.refuse(&extended(), START, &request, Code::ResourceExhausted, &["input", "1000", "1001"]);
    world.start_with(StartWorkflowRequest { input: text(1_000).into(), ..start() });
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for (command, field) in [
        (operation("o", &large), "result"),
        (set_state("k", &large), "value"),
        (complete(&large), "output"),
        (fail(&large), "error"),
    ] {
        let request = submission(&claimed.id, 1, vec![command], WorkflowStatus::Completed);
        world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["commands[0]", field, "1000"]);
    }
    world.submit(&claimed, vec![task(1), promise("p")], WorkflowStatus::Suspended);
    let completion = CompleteTaskRequest {
        task_execution_id: super::super::commands::task_id(1),
        output: large.clone().into(),
        ..Default::default()
    };
    world.refuse(&extended(), "v1.TaskExecution/CompleteTask", &completion, Code::ResourceExhausted, &["output"]);
    let resolution = ResolvePromiseRequest { promise_id: format!("{}:p", claimed.id), value: large.into() };
    world.refuse(&extended(), "v1.WorkflowDispatch/ResolvePromise", &resolution, Code::ResourceExhausted, &["value"]);
}

fn names(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let long = "x".repeat(256);
    for (request, field) in [
        (StartWorkflowRequest { workflow_kind: long.clone(), ..start() }, "workflow_kind"),
        (StartWorkflowRequest { queue: long.clone(), ..start() }, "queue"),
        (StartWorkflowRequest { workflow_version: Some(long.clone()), ..start() }, "workflow_version"),
        (StartWorkflowRequest { idempotency_key: Some(long.clone()), ..start() }, "idempotency_key"),
    ] {
        world.refuse(&extended(), START, &request, Code::ResourceExhausted, &[field, "at most 255 bytes", "256"]);
    }
    let id = world.start(&"x".repeat(255));
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for command in [operation(&long, "1"), set_state(&long, "1"), timer(&long, 1), promise(&long)] {
        let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["at most 255 bytes"]);
    }
}

fn metadata(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let with = |metadata: BTreeMap<String, String>| StartWorkflowRequest { metadata, ..start() };
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect();
    world.start_with(with(many(50)));
    world.refuse(&extended(), START, &with(many(51)), Code::ResourceExhausted, &["metadata", "50 keys", "51"]);
    let large = |bytes: usize| [("k".into(), "x".repeat(bytes - 1))].into();
    world.start_with(with(large(65_536)));
    world.refuse(&extended(), START, &with(large(65_537)), Code::ResourceExhausted, &["metadata", "65536"]);
    let reserved = [("_flovyn_x".into(), String::new())].into();
    world.refuse(&extended(), START, &with(reserved), Code::InvalidArgument, &["_flovyn_", "_flovyn_x"]);
}

fn commands_of_a_submission(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.commands_per_submit_max = 3;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let operations = |count: usize| (0..count).map(|n| operation(&format!("o{n}"), "1")).collect::<Vec<_>>();
    let request = submission(&id, 1, operations(4), WorkflowStatus::Suspended);
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["at most 3 commands", "got 4"]);
    world.submit(&claimed, operations(3), WorkflowStatus::Suspended);
}

fn events_of_a_history(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 10;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let operations = |count: usize| (0..count).map(|n| operation(&format!("o{n}"), "1")).collect::<Vec<_>>();
    let request = submission(&id, 1, operations(8), WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["10 events", "start a new execution"]);
    world.submit(&claimed, operations(7), WorkflowStatus::Suspended);
    assert_eq!(world.types(&id).len(), 9);
}

fn bytes_of_a_history(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_bytes_max = 10_000;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let request = submission(&id, 1, vec![operation("o", &text(9_800))], WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["10000 bytes", "start a new execution"]);
    world.submit(&claimed, vec![operation("o", &text(9_000))], WorkflowStatus::Suspended);
}

fn full_history_can_still_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 2;
    world.config.limits.history_bytes_max = 100;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let request = submission(&id, 1, vec![], WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["2 events"]);
    let request = submission(&id, 1, vec![operation("o", "1"), fail("x")], WorkflowStatus::Failed);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["2 events"]);
    world.submit(&claimed, vec![fail(&"long ".repeat(100))], WorkflowStatus::Failed);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_EXECUTION_FAILED"]);
}

fn event_that_does_not_fit_ends_the_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 5;
    let id = world.suspended(vec![timer("t", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    let timers = world.suspended(vec![timer("t", 0), timer("u", 10)]);
    assert_eq!(world.types(&timers).last().unwrap(), "WORKFLOW_EXECUTION_FAILED");
    world.config.limits.history_events_max = 4;
    let other = world.suspended(vec![task(1)]);
    let attempt = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &attempt, "1");
    assert_eq!(
        world.types(&other)[1..],
        ["TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "WORKFLOW_EXECUTION_FAILED"].map(String::from)
    );
    assert!(world.describe(&other).error.contains("4 events"));
    assert!(world.try_poll(&extended()).is_none());
    // The claim of the one that is just full is still good for ending it.
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    assert_eq!(world.status(&id), "COMPLETED");
}

fn ready_execution_that_is_full_leaves_its_queue(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 6;
    let id = world.suspended(vec![promise("p"), promise("p")]);
    for _ in 0..2 {
        let resolution = ResolvePromiseRequest { promise_id: format!("{id}:p"), value: vec![] };
        world.ask::<()>(&plain(), "v1.WorkflowDispatch/ResolvePromise", &resolution).unwrap();
    }
    assert_eq!(world.types(&id)[4..], ["PROMISE_RESOLVED", "WORKFLOW_EXECUTION_FAILED"].map(String::from));
    assert!(world.try_poll(&extended()).is_none());
}

fn plain_history_ends_the_execution_when_it_is_full(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.plain_history_bytes_max = 10_000;
    let id = world.start("order");
    world.poll(&plain());
    let request = submission(&id, 0, vec![operation("o", &text(9_900))], WorkflowStatus::Suspended);
    // Refused, it would be sent again for ever.
    world.submit_with(&plain(), &request).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_EXECUTION_FAILED"]);
    assert!(world.describe(&id).error.contains("10000 bytes"));
    let waiting = world.start("order");
    world.poll(&plain());
    let request = submission(&waiting, 0, vec![promise("p")], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &request).unwrap();
    let resolution = ResolvePromiseRequest { promise_id: format!("{waiting}:p"), value: text(9_900).into() };
    world.ask::<()>(&plain(), "v1.WorkflowDispatch/ResolvePromise", &resolution).unwrap();
    assert_eq!(world.types(&waiting).last().unwrap(), "WORKFLOW_EXECUTION_FAILED");
}

fn plain_history_is_shorter_for_plain_clients_only(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.plain_history_bytes_max = 10_000;
    let id = world.suspended(vec![operation("o", &text(20_000))]);
    assert_eq!(world.status(&id), "WAITING");
    let request = GetEventsRequest { workflow_execution_id: id, ..GetEventsRequest::default() };
    let method = "v1.WorkflowDispatch/GetEvents";
    world.refuse(&plain(), method, &request, Code::ResourceExhausted, &["10000", "flovyn-ext"]);
    world.ask::<flovyn_protocol::messages::GetEventsResponse>(&extended(), method, &request).unwrap();
}

fn half_full_history_warns_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 20;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let operations = |count: usize| (0..count).map(|n| operation(&format!("o{n}"), "1")).collect::<Vec<_>>();
    let client = extended().with_claim(&claimed.token);
    world.submit_with(&client, &submission(&id, 1, operations(8), WorkflowStatus::Running)).unwrap();
    assert_eq!(world.warnings, []);
    world.submit_with(&client, &submission(&id, 2, operations(3), WorkflowStatus::Running)).unwrap();
    assert_eq!(world.warnings.len(), 1);
    assert!(format!("{}", world.warnings[0]).contains("10 events"));
    world.submit_with(&client, &submission(&id, 3, operations(3), WorkflowStatus::Running)).unwrap();
    assert_eq!(world.warnings.len(), 1);
}
