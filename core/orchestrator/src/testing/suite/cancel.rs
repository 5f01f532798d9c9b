//! Cancelling executions: who is asked, who is ended, and what goes with them.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{
    FailWorkflowCommand, StartWorkflowRequest, WorkflowStatus,
    ext::{AwaitResultRequest, AwaitResultResponse, CancelWorkflowRequest, ReleaseClaimRequest},
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{cancel_child, cancelled, child, complete, fail_with, operation, task, task_id, timer},
        suite::tests,
        world::{SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    request_is_an_event_and_wakes,
    request_comes_once,
    what_has_ended_cannot_be_cancelled,
    reason_is_bounded,
    code_decides_that_it_is_cancelled,
    code_decides_otherwise,
    ends_as_cancelled_in_every_spelling,
    unheard_request_ends_the_execution,
    heard_request_leaves_time_to_compensate,
    claim_alone_has_not_heard,
    request_during_an_activation_is_heard_by_what_the_worker_holds,
    plain_worker_hears_by_its_claim,
    parked_execution_is_ended,
    force_ends_at_once,
    force_ends_a_cancelling_execution,
    tasks_end_with_a_cancelled_execution,
    tasks_run_on_after_another_end,
    result_of_a_cancelled_execution,
    name_of_a_cancelling_execution_is_taken,
);

pub(super) const CANCEL: &str = "ext.v1.Extensions/CancelWorkflow";

pub(super) fn request(id: &str) -> CancelWorkflowRequest {
    CancelWorkflowRequest {
        workflow_execution_id: id.into(),
        reason: "no more".into(),
        ..CancelWorkflowRequest::default()
    }
}

pub(super) fn cancel(world: &mut World<'_>, id: &str) {
    world.ask::<()>(&extended(), CANCEL, &request(id)).unwrap();
}

pub(super) fn force(world: &mut World<'_>, id: &str) {
    world.ask::<()>(&extended(), CANCEL, &CancelWorkflowRequest { force: true, ..request(id) }).unwrap();
}

pub(super) fn last(world: &mut World<'_>, id: &str) -> (String, String) {
    let types = world.types(id);
    (types[types.len() - 1].clone(), world.data(id, types.len()))
}

pub(super) fn is_last(world: &mut World<'_>, id: &str, event_type: &str, data: &str) {
    assert_eq!(last(world, id), (event_type.into(), data.into()));
}

fn request_is_an_event_and_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 3_600_000)]);
    world.take_wakes();
    cancel(&mut world, &id);
    is_last(&mut world, &id, "CANCELLATION_REQUESTED", r#"{"reason":"no more","requestedBy":"key"}"#);
    let described = world.describe(&id);
    assert_eq!((described.status.as_str(), described.cancel_reason.as_str()), ("CANCELLING", "no more"));
    assert_eq!(world.take_wakes().len(), 1);
    let claimed = world.poll(&extended());
    assert_eq!((claimed.id.as_str(), world.status(&id).as_str()), (id.as_str(), "CANCELLING"));
    // The work that it waited for is not touched.
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    world.advance(3_600_000);
    assert_eq!(world.types(&id).last().unwrap(), "TIMER_FIRED");
}

fn request_comes_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    cancel(&mut world, &id);
    let before = world.harness.dump();
    let other = CancelWorkflowRequest { reason: "other".into(), ..request(&id) };
    world.advance(1_000);
    world.ask::<()>(&extended(), CANCEL, &other).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "CANCELLATION_REQUESTED"]);
    assert_eq!(before, world.harness.dump());
}

fn what_has_ended_cannot_be_cancelled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    for request in [request(&id), CancelWorkflowRequest { force: true, ..request(&id) }] {
        world.refuse(&extended(), CANCEL, &request, Code::FailedPrecondition, &[&id, "ended", "COMPLETED"]);
    }
    world.refuse(&extended(), CANCEL, &request(&task_id(1)), Code::NotFound, &[&task_id(1)]);
    world.refuse(&extended(), CANCEL, &request("x"), Code::InvalidArgument, &["workflow_execution_id"]);
}

fn reason_is_bounded(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let long = "x".repeat(2_049);
    let wordy = CancelWorkflowRequest { reason: long.clone(), ..request(&id) };
    world.refuse(&extended(), CANCEL, &wordy, Code::ResourceExhausted, &["reason", "2048"]);
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let request = submission(&id, 1, vec![cancel_child(5, &long)], WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::ResourceExhausted, &["commands[0]", "reason", "2048"]);
    // The reason of an end can be an error text; children are told the beginning of it.
    world.submit(&claimed, vec![child(5), cancelled(&"é".repeat(2_000))], WorkflowStatus::Cancelled);
    world.tick();
    assert!(world.data(&task_id(5), 2).starts_with(&format!(r#"{{"reason":"{}","#, "é".repeat(1_024))));
}

fn code_decides_that_it_is_cancelled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    cancel(&mut world, &id);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![operation("refund", "1"), cancelled("refunded")], WorkflowStatus::Cancelled);
    is_last(&mut world, &id, "WORKFLOW_CANCELLED", r#"{"reason":"refunded"}"#);
    let described = world.describe(&id);
    assert_eq!((described.status.as_str(), described.error.as_str()), ("CANCELLED", "refunded"));
    let before = world.harness.dump();
    world.advance(60_000);
    assert_eq!(before, world.harness.dump(), "nothing of it is due any more");
}

fn code_decides_otherwise(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    cancel(&mut world, &id);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![task(1), complete("1")], WorkflowStatus::Completed);
    assert_eq!(world.status(&id), "COMPLETED");
    assert!(world.try_poll_task(&extended()).is_some());
}

fn ends_as_cancelled_in_every_spelling(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let failure = |failure_type: &str| {
        fail_with(FailWorkflowCommand {
            error: "gone".into(),
            failure_type: failure_type.into(),
            ..FailWorkflowCommand::default()
        })
    };
    for (commands, status, reason) in [
        (vec![cancelled("gone")], WorkflowStatus::Cancelled, "gone"),
        (vec![failure("CANCELLED")], WorkflowStatus::Failed, "gone"),
        (vec![failure("CANCELLED")], WorkflowStatus::Cancelled, "gone"),
        (vec![], WorkflowStatus::Cancelled, ""),
    ] {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        world.submit(&claimed, commands.clone(), status);
        is_last(&mut world, &id, "WORKFLOW_CANCELLED", &format!(r#"{{"reason":"{reason}"}}"#));
        assert_eq!(world.status(&id), "CANCELLED");
        // Where it gives no reason, that of the request is one.
        if commands.is_empty() {
            let id = world.start("order");
            cancel(&mut world, &id);
            let claimed = world.poll(&extended());
            world.submit(&claimed, vec![], status);
            is_last(&mut world, &id, "WORKFLOW_CANCELLED", r#"{"reason":"no more"}"#);
        }
    }
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for (command, status) in [
        (complete("1"), WorkflowStatus::Cancelled),
        (failure("ERROR"), WorkflowStatus::Cancelled),
        (cancelled(""), WorkflowStatus::Completed),
        (cancelled(""), WorkflowStatus::Running),
    ] {
        let request = submission(&id, 1, vec![command], status);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["status"]);
    }
}

fn unheard_request_ends_the_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.cancel_grace_ms = 10_000;
    let id = world.suspended(vec![timer("t", 3_600_000), task(1)]);
    cancel(&mut world, &id);
    world.advance(9_999);
    assert_eq!(world.status(&id), "CANCELLING");
    world.advance(1);
    is_last(&mut world, &id, "WORKFLOW_CANCELLED", r#"{"reason":"no more"}"#);
    assert_eq!(world.status(&id), "CANCELLED");
    assert!(world.try_poll(&extended()).is_none());
    assert!(world.try_poll_task(&extended()).is_none());
}

fn heard_request_leaves_time_to_compensate(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 3_600_000)]);
    cancel(&mut world, &id);
    let claimed = world.poll(&extended());
    world.advance(29_999);
    world.submit(&claimed, vec![timer("compensation", 600_000)], WorkflowStatus::Suspended);
    world.advance(600_000);
    assert_eq!(world.status(&id), "CANCELLING");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancelled("done")], WorkflowStatus::Cancelled);
    assert_eq!(world.status(&id), "CANCELLED");
}

fn claim_alone_has_not_heard(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 3_600_000)]);
    cancel(&mut world, &id);
    let claimed = world.poll(&extended());
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLED");
    let request = submission(&id, 1, vec![], WorkflowStatus::Suspended);
    world.refuse(&extended().with_claim(&claimed.token), SUBMIT, &request, Code::FailedPrecondition, &[]);
}

fn request_during_an_activation_is_heard_by_what_the_worker_holds(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for (holds, ends_as) in [(1, "CANCELLED"), (2, "CANCELLING")] {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        cancel(&mut world, &id);
        assert_eq!(world.status(&id), "CANCELLING");
        let mut request = submission(&id, 1, vec![timer("t", 3_600_000)], WorkflowStatus::Suspended);
        // The second has fetched the events meanwhile.
        request.after_sequence = holds;
        world.submit_with(&extended().with_claim(&claimed.token), &request).unwrap();
        world.advance(30_000);
        assert_eq!(world.status(&id), ends_as);
        while world.try_poll(&extended()).is_some() {}
    }
    // The answer to a partial submission brings it, and the next submission shows that it came.
    let id = world.start("order");
    let claimed = world.poll(&extended());
    cancel(&mut world, &id);
    let client = extended().with_claim(&claimed.token);
    world.submit_with(&client, &submission(&id, 1, vec![], WorkflowStatus::Running)).unwrap();
    world.submit_with(&client, &submission(&id, 2, vec![timer("t", 3_600_000)], WorkflowStatus::Suspended)).unwrap();
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLING");
}

fn plain_worker_hears_by_its_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    cancel(&mut world, &id);
    world.submit_with(&plain(), &submission(&id, 0, vec![], WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.poll(&plain()).id, id);
    world.submit_with(&plain(), &submission(&id, 0, vec![timer("t", 3_600_000)], WorkflowStatus::Suspended)).unwrap();
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLING");
    let id = world.start("order");
    world.poll(&plain());
    cancel(&mut world, &id);
    world.submit_with(&plain(), &submission(&id, 0, vec![], WorkflowStatus::Suspended)).unwrap();
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLED");
}

fn parked_execution_is_ended(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let release = ReleaseClaimRequest {
        workflow_execution_id: id.clone(),
        reason: "violation".into(),
        retry_after_ms: 300_000,
        ..ReleaseClaimRequest::default()
    };
    world.ask::<()>(&extended().with_claim(&claimed.token), "ext.v1.Extensions/ReleaseClaim", &release).unwrap();
    cancel(&mut world, &id);
    world.advance(30_000);
    assert_eq!(world.status(&id), "CANCELLED");
    world.advance(300_000);
    assert!(world.try_poll(&extended()).is_none());
}

fn force_ends_at_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let running = world.start("order");
    let claimed = world.poll(&extended());
    let ready = world.start("order");
    world.take_wakes();
    for id in [&running, &ready] {
        force(&mut world, id);
        assert_eq!(world.types(id), ["WORKFLOW_STARTED", "WORKFLOW_CANCELLED"]);
        assert_eq!((world.status(id).as_str(), world.take_wakes().len()), ("CANCELLED", 1));
    }
    assert!(world.try_poll(&extended()).is_none());
    let late = submission(&running, 1, vec![complete("1")], WorkflowStatus::Completed);
    world.refuse(&extended().with_claim(&claimed.token), SUBMIT, &late, Code::FailedPrecondition, &[]);
    world.advance(600_000);
    assert_eq!(world.types(&running).len(), 2);
}

fn force_ends_a_cancelling_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    cancel(&mut world, &id);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![timer("t", 3_600_000)], WorkflowStatus::Suspended);
    force(&mut world, &id);
    assert_eq!(world.status(&id), "CANCELLED");
    let before = world.harness.dump();
    world.advance(60_000);
    assert_eq!(before, world.harness.dump(), "nothing of it is due any more");
}

fn tasks_end_with_a_cancelled_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2), task(3)]);
    let running = world.poll_task(&extended());
    let done = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &done, "1");
    force(&mut world, &id);
    let types = world.types(&id);
    assert!(world.try_poll_task(&extended()).is_none());
    // The worker may still say that it is done.
    super::tasks::complete_task(&mut world, &running, "1");
    assert_eq!(world.types(&id), types);
    world.advance(600_000);
    assert!(world.try_poll_task(&extended()).is_none());
}

fn tasks_run_on_after_another_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let timeout = FailWorkflowCommand { failure_type: "TIMEOUT".into(), ..FailWorkflowCommand::default() };
    for (number, end, status) in
        [(1, complete("1"), WorkflowStatus::Completed), (2, fail_with(timeout), WorkflowStatus::Failed)]
    {
        let id = world.start("order");
        // That it was asked to end, in vain, makes no difference.
        cancel(&mut world, &id);
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![task(number), end], status);
        assert_eq!(world.poll_task(&extended()).id, task_id(number));
    }
}

fn result_of_a_cancelled_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    force(&mut world, &id);
    let request = AwaitResultRequest { workflow_execution_id: id, timeout_ms: 0 };
    let result: AwaitResultResponse = world.ask(&extended(), "ext.v1.Extensions/AwaitResult", &request).unwrap();
    assert_eq!((result.status(), result.failure_type.as_str()), (WorkflowStatus::Cancelled, "CANCELLED"));
    assert_eq!(result.error, "no more");
}

fn name_of_a_cancelling_execution_is_taken(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let keyed = StartWorkflowRequest {
        workflow_kind: "order".into(),
        idempotency_key: Some("k".into()),
        ..StartWorkflowRequest::default()
    };
    let id = world.start_with(keyed.clone()).workflow_execution_id;
    cancel(&mut world, &id);
    assert_eq!(world.start_with(keyed.clone()).workflow_execution_id, id);
    super::signals::send(&mut world, &id, "s", "1");
    world.advance(30_000);
    let started = world.start_with(keyed);
    assert!(started.idempotency_key_new && started.workflow_execution_id != id);
}
