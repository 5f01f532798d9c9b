//! Children: what starts them, where they run, and what their parent hears of them.

use alloc::{
    format,
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    PollRequest, ScheduleChildWorkflowCommand, StartChildWorkflowRequest, StartChildWorkflowResponse,
    StartWorkflowRequest, WorkflowCommand, WorkflowStatus, start_child_workflow_request::WorkflowExecutionIdentifier,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{child, child_with, complete, fail, operation, suspend, task, task_id, timer},
        suite::tests,
        world::{SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    child_is_an_execution_of_its_own,
    its_result_lands_in_the_parent,
    its_failure_lands_in_the_parent,
    child_that_ends_before_its_parent_suspends_wakes_it,
    starting_a_child_wakes_nobody,
    queue_is_inherited,
    child_runs_on_after_its_parent,
    grandchild_failure_goes_up_step_by_step,
    partial_submission_starts_children_at_once,
    child_id_twice_is_a_mistake,
    child_id_twice_is_skipped_for_plain_clients,
    foreign_ids_are_refused,
    child_needs_a_name_a_kind_and_an_id,
    result_that_the_parent_cannot_hold_ends_it,
    events_of_children_are_counted,
    plain_client_starts_a_child_by_call,
    call_makes_one_child_for_each_name,
    call_is_for_running_plain_parents,
    call_needs_room_for_both_its_events,
);

const START_CHILD: &str = "v1.WorkflowDispatch/StartChildWorkflow";

/// Claims the child with this number; the queue must hold nothing before it.
fn run_child(world: &mut World<'_>, number: u128, command: WorkflowCommand, status: WorkflowStatus) {
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, task_id(number));
    world.submit(&claimed, vec![command], status);
}

/// The three spellings that clients read.
fn ids(number: u128) -> String {
    let id = task_id(number);
    format!(r#""childExecutionId":"{id}","childWorkflowExecutionId":"{id}","childworkflowExecutionId":"{id}""#)
}

fn child_is_an_execution_of_its_own(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5), suspend("waits")]);
    assert_eq!(
        world.types(&id)[1..],
        ["CHILD_WORKFLOW_INITIATED", "WORKFLOW_SUSPENDED", "CHILD_WORKFLOW_STARTED"].map(String::from)
    );
    let initiated = format!(r#"{{"childExecutionName":"ship-5",{},"childWorkflowKind":"ship","input":[1]}}"#, ids(5));
    assert_eq!(world.data(&id, 2), initiated);
    assert_eq!(world.data(&id, 4), format!(r#"{{"childExecutionName":"ship-5",{}}}"#, ids(5)));
    let described = world.describe(&task_id(5));
    assert_eq!((described.kind.as_str(), described.status.as_str()), ("ship", "PENDING"));
    assert_eq!(
        (described.parent_workflow_execution_id.as_str(), described.input.as_slice()),
        (id.as_str(), &b"[1]"[..])
    );
    assert_eq!(
        world.data(&task_id(5), 1),
        format!(r#"{{"input":[1],"kind":"ship","parentWorkflowExecutionId":"{id}"}}"#)
    );
    let claimed = world.poll(&extended());
    assert_eq!(
        (claimed.id.as_str(), claimed.message.workflow_execution.unwrap().kind.as_str()),
        (&*task_id(5), "ship")
    );
}

fn its_result_lands_in_the_parent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    world.take_wakes();
    run_child(&mut world, 5, complete(r#"{"b":1,"a":2.0}"#), WorkflowStatus::Completed);
    assert_eq!(world.types(&id).last().unwrap(), "CHILD_WORKFLOW_COMPLETED");
    let completed = format!(r#"{{"childExecutionName":"ship-5",{},"output":{{"b":1,"a":2.0}}}}"#, ids(5));
    assert_eq!(world.data(&id, 5), completed);
    assert_eq!((world.status(&id).as_str(), world.status(&task_id(5)).as_str()), ("PENDING", "COMPLETED"));
    // Who waits for the child, and who waits for work.
    assert_eq!(world.take_wakes().len(), 2);
    assert_eq!(world.poll(&extended()).id, id);
}

fn its_failure_lands_in_the_parent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    run_child(&mut world, 5, fail("no stock"), WorkflowStatus::Failed);
    assert_eq!(world.types(&id).last().unwrap(), "CHILD_WORKFLOW_FAILED");
    let thrown = r#""error":"no stock","failureType":"BUSINESS_LOGIC","stackTrace":"at order""#;
    assert_eq!(world.data(&id, 5), format!(r#"{{"childExecutionName":"ship-5",{},{thrown}}}"#, ids(5)));
    assert_eq!((world.status(&id).as_str(), world.status(&task_id(5)).as_str()), ("PENDING", "FAILED"));
}

fn child_that_ends_before_its_parent_suspends_wakes_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    world.submit_with(&client, &submission(&id, 1, vec![child(5)], WorkflowStatus::Running)).unwrap();
    run_child(&mut world, 5, complete("1"), WorkflowStatus::Completed);
    assert_eq!(world.status(&id), "RUNNING");
    world.submit_with(&client, &submission(&id, 2, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.status(&id), "PENDING");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "WAITING");
}

fn starting_a_child_wakes_nobody(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let extended_parent = world.suspended(vec![child(5)]);
    let plain_parent = world.start("order");
    assert_eq!(world.poll(&plain()).id, task_id(5));
    assert_eq!(world.poll(&plain()).id, plain_parent);
    let request = submission(&plain_parent, 0, vec![child(6)], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &request).unwrap();
    assert_eq!((world.status(&extended_parent).as_str(), world.status(&plain_parent).as_str()), ("WAITING", "WAITING"));
}

fn queue_is_inherited(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start_with(StartWorkflowRequest {
        workflow_kind: "order".into(),
        queue: "fast".into(),
        ..StartWorkflowRequest::default()
    });
    let poll = PollRequest { queue: "fast".into(), ..PollRequest::default() };
    let parent = world.poll_with(&extended(), &poll).unwrap();
    let in_queue = |number, queue: &str| {
        child_with(ScheduleChildWorkflowCommand {
            child_execution_name: "c".into(),
            workflow_kind: Some("ship".into()),
            child_workflow_execution_id: task_id(number),
            queue: queue.into(),
            priority_seconds: 7,
            ..ScheduleChildWorkflowCommand::default()
        })
    };
    let commands = vec![in_queue(1, ""), in_queue(2, "default"), in_queue(3, "slow"), in_queue(4, "fast")];
    world.submit(&parent, commands, WorkflowStatus::Suspended);
    let queues: Vec<_> = (1..5).map(|number| world.describe(&task_id(number)).queue).collect();
    assert_eq!(queues, ["fast", "fast", "slow", "fast"]);
    let claimed = world.poll_with(&extended(), &poll).unwrap().message.workflow_execution.unwrap();
    assert_eq!((claimed.queue.as_str(), claimed.priority_ms), ("fast", 7_000));
}

fn child_runs_on_after_its_parent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for (number, end, status) in [(5, complete("1"), WorkflowStatus::Completed), (6, fail("x"), WorkflowStatus::Failed)]
    {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![child(number), end], status);
        let types = world.types(&id);
        assert_eq!(types.len(), 3, "{types:?}");
        world.tick();
        run_child(&mut world, number, complete("1"), WorkflowStatus::Completed);
        assert_eq!((world.types(&id), world.status(&task_id(number)).as_str()), (types, "COMPLETED"));
    }
}

fn grandchild_failure_goes_up_step_by_step(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    run_child(&mut world, 5, child(6), WorkflowStatus::Suspended);
    run_child(&mut world, 6, fail("no stock"), WorkflowStatus::Failed);
    assert_eq!(world.types(&task_id(5)).last().unwrap(), "CHILD_WORKFLOW_FAILED");
    assert_eq!(world.types(&id).last().unwrap(), "CHILD_WORKFLOW_STARTED");
    run_child(&mut world, 5, fail("no delivery"), WorkflowStatus::Failed);
    assert!(world.data(&id, 5).contains(r#""error":"no delivery","#));
}

fn partial_submission_starts_children_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let mut request = submission(&id, 1, vec![child(5), operation("o", "1")], WorkflowStatus::Running);
    request.after_sequence = 1;
    let answer = world.submit_with(&client, &request).unwrap();
    let types: Vec<_> = answer.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["CHILD_WORKFLOW_INITIATED", "OPERATION_COMPLETED", "CHILD_WORKFLOW_STARTED"]);
    assert_eq!(world.poll(&extended()).id, task_id(5));
}

fn child_id_twice_is_a_mistake(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let request = submission(&id, 1, vec![child(5), child(5)], WorkflowStatus::Suspended);
    let says = ["commands[1] SCHEDULE_CHILD_WORKFLOW", "child_workflow_execution_id", &task_id(5)];
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &says);
    assert!(world.try_poll(&extended()).is_none());
}

fn child_id_twice_is_skipped_for_plain_clients(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let request = submission(&id, 0, vec![child(5), child(5), timer("t", 0)], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &request).unwrap();
    run_child(&mut world, 5, complete("1"), WorkflowStatus::Completed);
    world.poll(&plain());
    let request = submission(&id, 0, vec![child(5)], WorkflowStatus::Suspended);
    world.submit_with(&plain(), &request).unwrap();
    let initiated = world.types(&id).iter().filter(|event| *event == "CHILD_WORKFLOW_INITIATED").count();
    assert_eq!((initiated, world.status(&task_id(5)).as_str()), (1, "COMPLETED"));
}

fn foreign_ids_are_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let other = world.start("order");
    world.poll(&extended());
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for taken in [&other, &id] {
        let command = child_with(ScheduleChildWorkflowCommand {
            child_execution_name: "c".into(),
            workflow_kind: Some("ship".into()),
            child_workflow_execution_id: taken.clone(),
            ..ScheduleChildWorkflowCommand::default()
        });
        let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", "no child of this one", taken]);
    }
    // Tasks and children have ids of their own.
    world.submit(&claimed, vec![task(5), child(5)], WorkflowStatus::Suspended);
}

fn child_needs_a_name_a_kind_and_an_id(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let good = ScheduleChildWorkflowCommand {
        child_execution_name: "c".into(),
        workflow_kind: Some("ship".into()),
        child_workflow_execution_id: task_id(5),
        ..ScheduleChildWorkflowCommand::default()
    };
    for (data, field) in [
        (ScheduleChildWorkflowCommand { child_execution_name: String::new(), ..good.clone() }, "child_execution_name"),
        (ScheduleChildWorkflowCommand { workflow_kind: None, ..good.clone() }, "workflow_kind"),
        (ScheduleChildWorkflowCommand { child_workflow_execution_id: "x".into(), ..good.clone() }, "expected a UUID"),
        (ScheduleChildWorkflowCommand { input: b"{".to_vec(), ..good }, "input"),
    ] {
        let request = submission(&id, 1, vec![child_with(data)], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", field]);
    }
}

/// The child is done all the same, and tells that to its own waiters.
fn result_that_the_parent_cannot_hold_ends_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 5;
    let grandparent = world.suspended(vec![child(5)]);
    let claimed = world.poll(&extended());
    let parent = claimed.id.clone();
    world.submit(&claimed, vec![child(6)], WorkflowStatus::Suspended);
    world.config.limits.history_events_max = 4;
    run_child(&mut world, 6, complete("1"), WorkflowStatus::Completed);
    assert_eq!(world.status(&task_id(6)), "COMPLETED");
    for (id, end) in [(&parent, "WORKFLOW_EXECUTION_FAILED"), (&grandparent, "WORKFLOW_EXECUTION_FAILED")] {
        assert_eq!((world.status(id).as_str(), world.types(id).last().unwrap().as_str()), ("FAILED", end));
    }
    world.tick();
    assert!(world.try_poll(&extended()).is_none());
}

fn events_of_children_are_counted(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 10;
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let children = |count| (0..count).map(child).collect::<Vec<_>>();
    let request = submission(&id, 1, children(4), WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["10 events"]);
    world.submit(&claimed, children(3), WorkflowStatus::Suspended);
    assert_eq!(world.types(&id).len(), 8);
}

fn start_child(parent: &str, name: &str) -> StartChildWorkflowRequest {
    StartChildWorkflowRequest {
        parent_workflow_execution_id: parent.into(),
        child_execution_name: name.into(),
        workflow_execution_identifier: Some(WorkflowExecutionIdentifier::WorkflowKind("ship".into())),
        input: b"[1]".to_vec(),
        ..StartChildWorkflowRequest::default()
    }
}

fn plain_client_starts_a_child_by_call(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let started: StartChildWorkflowResponse = world.ask(&plain(), START_CHILD, &start_child(&id, "c")).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "CHILD_WORKFLOW_INITIATED", "CHILD_WORKFLOW_STARTED"]);
    world.submit_with(&plain(), &submission(&id, 0, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.status(&id), "WAITING");
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, started.child_workflow_execution_id);
    world.submit(&claimed, vec![complete("3")], WorkflowStatus::Completed);
    assert_eq!(
        (world.status(&id).as_str(), world.types(&id).last().unwrap().as_str()),
        ("PENDING", "CHILD_WORKFLOW_COMPLETED")
    );
}

fn call_makes_one_child_for_each_name(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let mut start = |name: &str| -> String {
        let started: StartChildWorkflowResponse = world.ask(&plain(), START_CHILD, &start_child(&id, name)).unwrap();
        started.child_workflow_execution_id
    };
    let first = start("c");
    assert_eq!(start("c"), first);
    assert_ne!(start("d"), first);
    assert_eq!(world.types(&id).len(), 5);
}

fn call_is_for_running_plain_parents(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.refuse(&plain(), START_CHILD, &start_child(&id, "c"), Code::FailedPrecondition, &["SCHEDULE_CHILD_WORKFLOW"]);
    let claimed = world.poll(&extended());
    world.refuse(&plain(), START_CHILD, &start_child(&id, "c"), Code::FailedPrecondition, &["SCHEDULE_CHILD_WORKFLOW"]);
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    world.refuse(&plain(), START_CHILD, &start_child(&id, "c"), Code::FailedPrecondition, &["ended", "COMPLETED"]);
    world.refuse(&plain(), START_CHILD, &start_child(&task_id(9), "c"), Code::NotFound, &[&task_id(9)]);
    let nameless = start_child(&id, "");
    world.refuse(&plain(), START_CHILD, &nameless, Code::InvalidArgument, &["child_execution_name"]);
    let kindless = StartChildWorkflowRequest { workflow_execution_identifier: None, ..start_child(&id, "c") };
    world.refuse(&plain(), START_CHILD, &kindless, Code::InvalidArgument, &["workflow_kind"]);
    let by_definition = WorkflowExecutionIdentifier::WorkflowDefinitionId(task_id(1).to_string());
    let defined =
        StartChildWorkflowRequest { workflow_execution_identifier: Some(by_definition), ..start_child(&id, "c") };
    world.refuse(&plain(), START_CHILD, &defined, Code::Unimplemented, &["workflow_definition_id"]);
}

fn call_needs_room_for_both_its_events(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    // One event, and the one that ends the execution.
    world.config.limits.history_events_max = 3;
    world.refuse(&plain(), START_CHILD, &start_child(&id, "c"), Code::ResourceExhausted, &["3 events"]);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
    world.config.limits.history_events_max = 4;
    world.ask::<StartChildWorkflowResponse>(&plain(), START_CHILD, &start_child(&id, "c")).unwrap();
}
