//! The life of a task.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{
    CompleteTaskRequest, FailTaskRequest, HeartbeatRequest, PollTaskRequest, PollTaskResponse, ScheduleTaskCommand,
    StartWorkflowRequest, SubmitTaskRequest, SubmitTaskResponse, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, task, task_id, task_with, timer},
        suite::tests,
        world::{Claimed, World, extended, plain},
    },
};

tests!(
    delivered_with_all_that_it_needs,
    completed_task_tells_its_execution,
    null_is_a_result,
    only_the_first_result_counts,
    unknown_task_is_not_found,
    queue_is_inherited,
    priority_counts_as_age,
    deadline_ends_a_waiting_task,
    deadline_ends_a_running_task,
    deadline_ends_a_task_that_backs_off,
    deadline_is_dropped_with_the_end,
    standalone_task,
    standalone_task_by_idempotency_key,
    result_after_the_end_of_the_execution_is_kept,
);

const COMPLETE: &str = "v1.TaskExecution/CompleteTask";
const SUBMIT_TASK: &str = "v1.TaskExecution/SubmitTask";

pub(super) fn completion(id: &str, output: &str) -> CompleteTaskRequest {
    CompleteTaskRequest { task_execution_id: id.into(), output: output.into(), ..Default::default() }
}

/// As its holder says it.
pub(super) fn complete_task(world: &mut World<'_>, claimed: &Claimed<PollTaskResponse>, output: &str) {
    let client = extended().with_claim(&claimed.token);
    world.ask::<()>(&client, COMPLETE, &completion(&claimed.id, output)).unwrap();
}

fn scheduled(timeout_ms: i64) -> ScheduleTaskCommand {
    ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: task_id(1),
        timeout_ms: Some(timeout_ms),
        ..ScheduleTaskCommand::default()
    }
}

fn delivered_with_all_that_it_needs(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    assert_eq!((claimed.token.len(), claimed.message.lease_ms), (32, 60_000));
    let info = claimed.message.task.unwrap();
    assert_eq!((info.task_execution_id, info.kind.as_str()), (task_id(1), "charge"));
    assert_eq!((info.input.as_slice(), info.workflow_execution_id), (&b"1"[..], id));
    assert_eq!((info.execution_count, info.queue.as_str()), (1, "default"));
}

fn completed_task_tells_its_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, r#"{"z":1,"a":[2]}"#);
    let expected = format!(r#"{{"taskExecutionId":"{}","kind":"charge","output":{{"z":1,"a":[2]}}}}"#, task_id(1));
    assert_eq!(world.data(&id, 4), expected);
    assert_eq!(world.types(&id)[3..], [String::from("TASK_COMPLETED")]);
    assert_eq!(world.status(&id), "PENDING");
}

fn null_is_a_result(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), task(2)]);
    for output in ["", "null"] {
        let claimed = world.poll_task(&extended());
        complete_task(&mut world, &claimed, output);
    }
    assert!(world.data(&id, 5).ends_with(r#""output":null}"#));
    assert!(world.data(&id, 6).ends_with(r#""output":null}"#));
}

fn only_the_first_result_counts(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    let types = world.types(&id);
    // A lost answer is repaired by saying it again, whatever became of the claim.
    complete_task(&mut world, &claimed, "2");
    let failure =
        FailTaskRequest { task_execution_id: claimed.id.clone(), error: "x".into(), ..FailTaskRequest::default() };
    for client in [plain(), extended(), extended().with_claim(&claimed.token), extended().with_claim("x")] {
        world.ask::<()>(&client, "v1.TaskExecution/FailTask", &failure).unwrap();
        world.ask::<()>(&client, COMPLETE, &completion(&claimed.id, "3")).unwrap();
    }
    assert_eq!(world.types(&id), types);
    world.advance(3_600_000);
    assert!(world.try_poll_task(&extended()).is_none());
}

fn unknown_task_is_not_found(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = task_id(9);
    world.refuse(&extended(), COMPLETE, &completion(&id, ""), Code::NotFound, &["task execution", &id]);
    let failure = FailTaskRequest { task_execution_id: id.clone(), ..FailTaskRequest::default() };
    world.refuse(&extended(), "v1.TaskExecution/FailTask", &failure, Code::NotFound, &[&id]);
    let heartbeat = HeartbeatRequest { task_execution_id: id.clone(), ..Default::default() };
    world.refuse(&extended(), "v1.TaskExecution/Heartbeat", &heartbeat, Code::NotFound, &[&id]);
}

fn queue_is_inherited(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start_with(StartWorkflowRequest {
        workflow_kind: "order".into(),
        queue: "fast".into(),
        ..StartWorkflowRequest::default()
    });
    let poll = flovyn_protocol::messages::PollRequest { queue: "fast".into(), ..Default::default() };
    let claimed = world.poll_with(&extended(), &poll).unwrap();
    let with_queue = |number: u128, queue: Option<&str>| {
        let id = task_id(number);
        task_with(ScheduleTaskCommand { task_execution_id: id, queue: queue.map(String::from), ..scheduled(0) })
    };
    let commands =
        vec![with_queue(1, None), with_queue(2, Some("")), with_queue(3, Some("default")), with_queue(4, Some("slow"))];
    world.submit(&claimed, commands, WorkflowStatus::Suspended);
    let mut take = |queue: &str| {
        let request = PollTaskRequest { queue: queue.into(), ..PollTaskRequest::default() };
        world.poll_task_with(&extended(), &request).map(|claimed| claimed.id)
    };
    assert_eq!([take("fast"), take("fast"), take("fast")], [1, 2, 3].map(|number| Some(task_id(number))));
    assert_eq!([take("slow"), take("fast"), take("")], [Some(task_id(4)), None, None]);
}

fn priority_counts_as_age(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let urgent = ScheduleTaskCommand { task_execution_id: task_id(2), priority_seconds: Some(1), ..scheduled(0) };
    world.suspended(vec![task(1), task_with(urgent), task(3)]);
    let order: [_; 3] = core::array::from_fn(|_| world.poll_task(&extended()).id);
    assert_eq!(order, [2, 1, 3].map(task_id));
}

fn expect_timeout(world: &mut World<'_>, id: &str) {
    let types = world.types(id);
    assert_eq!(types.last().unwrap(), "TASK_FAILED");
    assert!(world.data(id, types.len()).contains(r#""error":"timed out"#));
    assert!(world.try_poll_task(&extended()).is_none());
    world.advance(3_600_000);
    assert_eq!(world.types(id), types);
    assert!(world.try_poll_task(&extended()).is_none());
}

fn deadline_ends_a_waiting_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(scheduled(1_000))]);
    assert!(world.data(&id, 2).ends_with(r#""maxRetries":3,"timeoutMs":1000}"#));
    world.advance(999);
    assert_eq!(world.status(&id), "WAITING");
    world.advance(1);
    expect_timeout(&mut world, &id);
}

fn deadline_ends_a_running_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(scheduled(1_000))]);
    let claimed = world.poll_task(&extended());
    world.advance(1_000);
    let types = world.types(&id);
    complete_task(&mut world, &claimed, "1");
    assert_eq!(world.types(&id), types);
    expect_timeout(&mut world, &id);
}

fn deadline_ends_a_task_that_backs_off(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.tasks.initial_delay_ms = 5_000;
    let id = world.suspended(vec![task_with(scheduled(1_000))]);
    let claimed = world.poll_task(&extended());
    let failure = FailTaskRequest { task_execution_id: claimed.id, error: "x".into(), ..FailTaskRequest::default() };
    world.ask::<()>(&extended().with_claim(&claimed.token), "v1.TaskExecution/FailTask", &failure).unwrap();
    world.advance(1_000);
    expect_timeout(&mut world, &id);
}

fn deadline_is_dropped_with_the_end(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task_with(scheduled(1_000))]);
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    world.advance(1_000);
    assert_eq!(world.types(&id).last().unwrap(), "TASK_COMPLETED");
}

fn standalone() -> SubmitTaskRequest {
    SubmitTaskRequest {
        kind: "charge".into(),
        input: b"[1]".to_vec(),
        queue: "fast".into(),
        ..SubmitTaskRequest::default()
    }
}

fn standalone_task(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let made: SubmitTaskResponse = world.ask(&plain(), SUBMIT_TASK, &standalone()).unwrap();
    let request = PollTaskRequest { queue: "fast".into(), ..PollTaskRequest::default() };
    let claimed = world.poll_task_with(&extended(), &request).unwrap();
    let info = claimed.message.task.clone().unwrap();
    assert_eq!((info.task_execution_id, info.workflow_execution_id.as_str()), (made.task_execution_id, ""));
    assert_eq!(info.input, b"[1]");
    complete_task(&mut world, &claimed, r#""the output""#);
    assert!(world.harness.dump().contains("the output"));
    let of_workflow = SubmitTaskRequest { workflow_execution_id: task_id(1), ..standalone() };
    world.refuse(&plain(), SUBMIT_TASK, &of_workflow, Code::Unimplemented, &["workflow_execution_id", "SCHEDULE_TASK"]);
    for bad in [
        SubmitTaskRequest { timeout_ms: -1, ..standalone() },
        SubmitTaskRequest { max_retries: -1, ..standalone() },
        SubmitTaskRequest { kind: String::new(), ..standalone() },
        SubmitTaskRequest { input: b"{".to_vec(), ..standalone() },
    ] {
        world.refuse(&plain(), SUBMIT_TASK, &bad, Code::InvalidArgument, &["expected"]);
    }
}

fn standalone_task_by_idempotency_key(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let keyed = SubmitTaskRequest { idempotency_key: Some("k".into()), ..standalone() };
    let first: SubmitTaskResponse = world.ask(&plain(), SUBMIT_TASK, &keyed).unwrap();
    assert_eq!((first.idempotency_key_used, first.idempotency_key_new), (true, true));
    let second: SubmitTaskResponse = world.ask(&plain(), SUBMIT_TASK, &keyed).unwrap();
    assert_eq!(second.task_execution_id, first.task_execution_id);
    assert_eq!((second.idempotency_key_used, second.idempotency_key_new), (true, false));
    // Keys of tasks and of executions are different things.
    let run = world.start_with(StartWorkflowRequest {
        workflow_kind: "order".into(),
        idempotency_key: Some("k".into()),
        ..StartWorkflowRequest::default()
    });
    assert!(run.idempotency_key_new);
}

fn result_after_the_end_of_the_execution_is_kept(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1), timer("t", 0)]);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    let types = world.types(&id);
    let attempt = world.poll_task(&extended());
    complete_task(&mut world, &attempt, r#""too late""#);
    assert_eq!(world.types(&id), types);
    assert!(world.harness.dump().contains("too late"));
}
