//! Clients without our extension: no token, no lease, the same rules as on any other server.

use alloc::{string::String, vec};

use flovyn_protocol::messages::{
    CommandType, FailTaskRequest, HeartbeatRequest, PollRequest, ScheduleTaskCommand, WorkerHeartbeatRequest,
    WorkflowCommand, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, operation, promise, suspend, task, task_id, task_with, timer},
        suite::tests,
        world::{SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    whole_workflow,
    submission_to_an_execution_that_is_not_running_is_dropped,
    submission_against_an_extended_claim_is_dropped,
    duplicate_ids_are_skipped,
    promises_are_never_duplicates,
    partial_submission_is_refused,
    extension_fields_are_not_read,
    silent_worker_loses_its_claim,
    living_worker_keeps_its_claims,
    no_claim_outlives_ten_minutes,
    anonymous_worker_has_a_minute,
    every_sign_of_life_counts,
    late_completion_counts_until_the_task_ends,
    late_failure_does_not,
    empty_suspend_is_understood,
);

fn whole_workflow(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    assert_eq!(world.poll(&plain()).id, id);
    let commands = vec![task(1), suspend("")];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    let attempt = world.poll_task(&plain());
    let completion = super::tasks::completion(&attempt.id, "5");
    world.ask::<()>(&plain(), "v1.TaskExecution/CompleteTask", &completion).unwrap();
    assert_eq!(world.poll(&plain()).id, id);
    let end = submission(&id, 0, vec![complete("5")], WorkflowStatus::Completed);
    world.submit_with(&plain(), &end).unwrap();
    assert_eq!(
        world.types(&id),
        ["WORKFLOW_STARTED", "TASK_SCHEDULED", "WORKFLOW_SUSPENDED", "TASK_COMPLETED", "WORKFLOW_COMPLETED"]
    );
}

fn submission_to_an_execution_that_is_not_running_is_dropped(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let request = submission(&id, 0, vec![complete("1")], WorkflowStatus::Completed);
    assert_eq!(world.submit_with(&plain(), &request).unwrap(), Default::default());
    assert_eq!((world.status(&id).as_str(), world.types(&id).len()), ("PENDING", 1));
    world.poll(&plain());
    world.submit_with(&plain(), &request).unwrap();
    let types = world.types(&id);
    world.submit_with(&plain(), &request).unwrap();
    assert_eq!(world.types(&id), types);
    // To send a token is to want to know.
    world.refuse(&plain().with_claim("x"), SUBMIT, &request, Code::FailedPrecondition, &["no longer current"]);
}

/// The claim has gone to a client that has a token, so whoever has none cannot be its holder.
fn submission_against_an_extended_claim_is_dropped(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    world.skip(3_600_000);
    world.tick();
    let claimed = world.poll(&extended());
    let request = submission(&id, 0, vec![complete("1")], WorkflowStatus::Completed);
    world.submit_with(&plain(), &request).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED"]);
    world.submit(&claimed, vec![complete("2")], WorkflowStatus::Completed);
    assert_eq!(world.data(&id, 2), r#"{"output":2}"#);
}

fn duplicate_ids_are_skipped(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let commands = vec![task(1), timer("t", 60), task(1), timer("t", 70), timer("now", 0)];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    world.poll(&plain());
    let commands = vec![task(1), timer("t", 80), operation("o", "1")];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    assert_eq!(
        world.types(&id)[1..],
        [
            "TASK_SCHEDULED",
            "TIMER_STARTED",
            "TIMER_STARTED",
            "WORKFLOW_SUSPENDED",
            "TIMER_FIRED",
            "OPERATION_COMPLETED",
            "WORKFLOW_SUSPENDED"
        ]
        .map(String::from)
    );
    assert!(world.try_poll_task(&plain()).is_some());
    assert!(world.try_poll_task(&plain()).is_none());
    world.advance(59);
    assert_eq!(world.status(&id), "WAITING");
    world.advance(1);
    assert_eq!(world.status(&id), "PENDING");
}

fn promises_are_never_duplicates(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let commands = vec![promise("p"), promise("p")];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.types(&id).iter().filter(|name| *name == "PROMISE_CREATED").count(), 2);
    assert_ne!(world.data(&id, 2), world.data(&id, 3));
}

fn partial_submission_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let request = submission(&id, 0, vec![operation("o", "1")], WorkflowStatus::Running);
    world.refuse(&plain(), SUBMIT, &request, Code::InvalidArgument, &["RUNNING", "flovyn-claim"]);
}

fn extension_fields_are_not_read(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let policy = flovyn_protocol::messages::RetryPolicy { initial_delay_ms: -5, ..Default::default() };
    let schedule = ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        retry_policy: Some(policy),
        ..ScheduleTaskCommand::default()
    };
    let mut request = submission(&id, 99, vec![task_with(schedule)], WorkflowStatus::Suspended);
    request.after_sequence = -3;
    assert_eq!(world.submit_with(&plain(), &request).unwrap(), Default::default());
    let attempt = world.poll_task(&plain());
    let failure = FailTaskRequest {
        task_execution_id: attempt.id,
        error: "x".into(),
        retryable: Some(false),
        error_type: String::new(),
        ..Default::default()
    };
    world.ask::<()>(&plain(), "v1.TaskExecution/FailTask", &failure).unwrap();
    assert_eq!(world.types(&id).last().unwrap(), "WORKFLOW_SUSPENDED");
}

fn silent_worker_loses_its_claim(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    world.poll(&plain());
    world.poll_task(&plain());
    world.advance(60_000);
    assert_eq!(world.status(&id), "RUNNING");
    world.advance(5_000);
    assert_eq!(world.status(&id), "PENDING");
    assert!(world.try_poll_task(&plain()).is_some());
}

fn living_worker_keeps_its_claims(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    world.poll(&plain());
    world.poll_task(&plain());
    for _ in 0..9 {
        world.advance(59_000);
        assert!(world.try_poll(&plain()).is_none());
        assert_eq!(world.status(&id), "RUNNING");
        assert!(world.try_poll_task(&extended()).is_none());
    }
}

fn no_claim_outlives_ten_minutes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    for second in (0..600).step_by(30) {
        assert_eq!(world.status(&id), "RUNNING", "after {second} s");
        let request = PollRequest { worker_id: "worker".into(), queue: "other".into(), ..PollRequest::default() };
        assert!(world.poll_with(&plain(), &request).is_none());
        world.advance(30_000);
    }
    assert_eq!(world.status(&id), "PENDING");
}

fn anonymous_worker_has_a_minute(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll_with(&plain(), &PollRequest::default()).unwrap();
    world.advance(59_999);
    assert_eq!(world.status(&id), "RUNNING");
    world.advance(1);
    assert_eq!(world.status(&id), "PENDING");
}

fn every_sign_of_life_counts(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    super::workers::register(&mut world, "worker", &["order"], &["charge"]);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    world.poll(&plain());
    let attempt = world.poll_task(&plain());
    world.advance(50_000);
    let heartbeat = WorkerHeartbeatRequest { worker_id: "worker".into(), ..WorkerHeartbeatRequest::default() };
    world.ask::<()>(&plain(), "v1.WorkerLifecycle/SendHeartbeat", &heartbeat).unwrap();
    world.advance(50_000);
    let heartbeat = HeartbeatRequest { task_execution_id: attempt.id, ..Default::default() };
    world.ask::<()>(&plain(), "v1.TaskExecution/Heartbeat", &heartbeat).unwrap();
    world.advance(50_000);
    world.sign_of_life("worker");
    world.advance(50_000);
    assert_eq!(world.status(&id), "RUNNING");
    world.advance(20_000);
    assert_eq!(world.status(&id), "PENDING");
}

fn late_completion_counts_until_the_task_ends(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let attempt = world.poll_task(&plain());
    world.advance(3_600_000);
    // Nobody has it now, and the work is done.
    let completion = super::tasks::completion(&attempt.id, "5");
    world.ask::<()>(&plain(), "v1.TaskExecution/CompleteTask", &completion).unwrap();
    assert_eq!(world.types(&id).last().unwrap(), "TASK_COMPLETED");
    assert!(world.try_poll_task(&plain()).is_none());
    let types = world.types(&id);
    world.ask::<()>(&plain(), "v1.TaskExecution/CompleteTask", &completion).unwrap();
    assert_eq!(world.types(&id), types);
}

fn late_failure_does_not(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let schedule = ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        max_retries: Some(0),
        ..ScheduleTaskCommand::default()
    };
    let id = world.suspended(vec![task_with(schedule)]);
    let late = world.poll_task(&plain());
    world.advance(3_600_000);
    let failure = FailTaskRequest { task_execution_id: late.id, error: "x".into(), ..FailTaskRequest::default() };
    world.ask::<()>(&plain(), "v1.TaskExecution/FailTask", &failure).unwrap();
    let attempt = world.poll_task(&extended());
    world.ask::<()>(&plain(), "v1.TaskExecution/FailTask", &failure).unwrap();
    super::tasks::complete_task(&mut world, &attempt, "1");
    assert_eq!(world.types(&id).last().unwrap(), "TASK_COMPLETED");
}

fn empty_suspend_is_understood(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    world.poll(&plain());
    let bare = |command_type: CommandType| WorkflowCommand { command_type: command_type.into(), ..Default::default() };
    let commands = vec![bare(CommandType::Unspecified), bare(CommandType::SuspendWorkflow)];
    world.submit_with(&plain(), &submission(&id, 0, commands, WorkflowStatus::Suspended)).unwrap();
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_SUSPENDED"]);
}
