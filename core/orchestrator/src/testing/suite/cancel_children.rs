//! Parents that ask their children to end, by command or by their own end.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{WorkflowCommand, WorkflowStatus, ext::CancelWorkflowRequest};

use crate::testing::{
    Harness,
    commands::{cancel_child, cancelled, child, complete, task, task_id, timer},
    suite::{
        cancel::{CANCEL, cancel, force, is_last, last, request},
        tests,
    },
    world::{Claimed, World, extended, plain, submission},
};

tests!(
    cascade_asks_open_children,
    cascade_can_be_declined,
    cascade_goes_down_step_by_step,
    cancelled_child_has_failed_for_its_parent,
    parent_asks_a_child_by_command,
    plain_parent_leaves_no_event_of_it,
    only_children_can_be_asked,
    asking_an_ended_child_leaves_the_event_alone,
);

fn run<M>(world: &mut World<'_>, claimed: &Claimed<M>, command: WorkflowCommand, status: WorkflowStatus) {
    let request = submission(&claimed.id, 1, vec![command], status);
    world.submit_with(&extended().with_claim(&claimed.token), &request).unwrap();
}

fn cascade_asks_open_children(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5), child(6), child(7)]);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, task_id(5));
    run(&mut world, &claimed, complete("1"), WorkflowStatus::Completed);
    force(&mut world, &id);
    world.tick();
    assert_eq!(world.status(&task_id(5)), "COMPLETED");
    for number in [6, 7] {
        assert_eq!(world.status(&task_id(number)), "CANCELLING");
        let asked = format!(r#"{{"reason":"no more","requestedBy":"workflow:{id}"}}"#);
        is_last(&mut world, &task_id(number), "CANCELLATION_REQUESTED", &asked);
    }
    world.advance(30_000);
    assert_eq!(
        (world.status(&task_id(6)).as_str(), world.types(&id).last().unwrap().as_str()),
        ("CANCELLED", "WORKFLOW_CANCELLED")
    );
}

fn cascade_can_be_declined(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for (number, forced) in [(5, true), (6, false)] {
        let id = world.suspended(vec![child(number), task(number)]);
        let request = CancelWorkflowRequest { cascade_to_children: Some(false), force: forced, ..request(&id) };
        world.ask::<()>(&extended(), CANCEL, &request).unwrap();
        world.advance(30_000);
        assert_eq!((world.status(&id).as_str(), world.status(&task_id(number)).as_str()), ("CANCELLED", "PENDING"));
        // Tasks are its own.
        assert!(world.try_poll_task(&extended()).is_none());
        let claimed = world.poll(&extended());
        run(&mut world, &claimed, complete("1"), WorkflowStatus::Completed);
    }
}

fn cascade_goes_down_step_by_step(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    let claimed = world.poll(&extended());
    run(&mut world, &claimed, child(6), WorkflowStatus::Suspended);
    cancel(&mut world, &id);
    // Asked, not ended: its code may want its children to do more.
    world.tick();
    assert_eq!(world.status(&task_id(5)), "WAITING");
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, task_id(6));
    world.advance(30_000);
    assert_eq!((world.status(&id).as_str(), world.status(&task_id(5)).as_str()), ("CANCELLED", "CANCELLING"));
    world.advance(60_000);
    assert_eq!((world.status(&task_id(5)).as_str(), world.status(&task_id(6)).as_str()), ("CANCELLED", "CANCELLED"));
}

fn cancelled_child_has_failed_for_its_parent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    cancel(&mut world, &task_id(5));
    assert_eq!(world.status(&id), "WAITING");
    let claimed = world.poll(&extended());
    run(&mut world, &claimed, cancelled("x"), WorkflowStatus::Cancelled);
    let (event_type, data) = last(&mut world, &id);
    assert_eq!(event_type, "CHILD_WORKFLOW_FAILED");
    assert!(data.ends_with(r#""error":"cancelled"}"#), "{data}");
    assert_eq!(world.status(&id), "PENDING");
}

fn parent_asks_a_child_by_command(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5), timer("t", 0)]);
    let claimed = world.poll(&extended());
    run(&mut world, &claimed, timer("u", 3_600_000), WorkflowStatus::Suspended);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, id);
    world.submit(&claimed, vec![cancel_child(5, "too: slow"), cancel_child(5, "again")], WorkflowStatus::Suspended);
    let types = world.types(&id);
    assert_eq!(
        types[types.len() - 3..types.len() - 1],
        [String::from("CHILD_WORKFLOW_CANCELLATION_REQUESTED"), String::from("CHILD_WORKFLOW_CANCELLATION_REQUESTED")]
    );
    assert!(world.data(&id, types.len() - 2).ends_with(r#""reason":"too: slow"}"#));
    // What the execution itself asks for does not wake it.
    assert_eq!(world.status(&id), "WAITING");
    assert_eq!(world.status(&task_id(5)), "WAITING");
    world.tick();
    let asked = format!(r#"{{"reason":"too: slow","requestedBy":"workflow:{id}"}}"#);
    is_last(&mut world, &task_id(5), "CANCELLATION_REQUESTED", &asked);
    assert_eq!(world.types(&task_id(5)).len(), 4);
    world.advance(30_000);
    assert_eq!(
        (world.status(&id).as_str(), world.types(&id).last().unwrap().as_str()),
        ("PENDING", "CHILD_WORKFLOW_FAILED")
    );
}

fn plain_parent_leaves_no_event_of_it(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let commands = vec![child(5), cancel_child(5, "too slow")];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    assert_eq!(
        world.types(&id)[1..],
        ["CHILD_WORKFLOW_INITIATED", "WORKFLOW_SUSPENDED", "CHILD_WORKFLOW_STARTED"].map(String::from)
    );
    world.tick();
    assert_eq!(world.status(&task_id(5)), "CANCELLING");
}

fn only_children_can_be_asked(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![child(5)]);
    let claimed = world.poll(&extended());
    run(&mut world, &claimed, timer("t", 3_600_000), WorkflowStatus::Suspended);
    let id = world.suspended(vec![cancel_child(5, ""), cancel_child(9, "")]);
    world.tick();
    assert_eq!((world.status(&task_id(5)).as_str(), world.status(&id).as_str()), ("WAITING", "WAITING"));
    assert_eq!(world.types(&id).len(), 4);
}

fn asking_an_ended_child_leaves_the_event_alone(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![child(5)]);
    let claimed = world.poll(&extended());
    run(&mut world, &claimed, complete("1"), WorkflowStatus::Completed);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancel_child(5, "")], WorkflowStatus::Suspended);
    world.advance(600_000);
    let types = world.types(&id);
    assert_eq!(types[types.len() - 2], "CHILD_WORKFLOW_CANCELLATION_REQUESTED");
    assert_eq!((world.status(&id).as_str(), world.status(&task_id(5)).as_str()), ("WAITING", "COMPLETED"));
}
