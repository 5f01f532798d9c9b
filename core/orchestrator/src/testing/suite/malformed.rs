//! Bytes from outside: each gives a typed error and leaves no trace, and the next good request succeeds.

use alloc::{format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::{
    CommandType, CreatePromiseCommand, GetEventsRequest, ScheduleChildWorkflowCommand, ScheduleTaskCommand,
    StartWorkflowRequest, WorkflowCommand, WorkflowStatus,
};
use prost::Message;

use crate::{
    Code,
    testing::{
        Harness,
        commands::{child_with, clear_state, operation, promise, promise_with, set_state, task, task_with, timer},
        suite::tests,
        world::{SUBMIT, World, extended, submission},
    },
};

tests!(
    unknown_methods,
    methods_not_offered,
    bodies_that_are_no_message,
    payloads_that_are_no_json,
    ids_that_are_no_uuid,
    fields_that_are_empty,
    fields_that_are_not_offered,
    commands_that_make_no_sense,
);

fn unknown_methods(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for method in ["", "/", "/flovyn.v1.WorkflowDispatch", "/flovyn.v1.AgentDispatch/Poll", "/x/y", "//"] {
        let status = world.raw(&extended(), method, &[]).unwrap_err();
        assert_eq!(status.code, Code::Unimplemented, "{method}: {status}");
    }
}

fn methods_not_offered(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for method in [
        "v1.WorkflowDispatch/SubscribeToNotifications",
        "v1.WorkflowDispatch/GetVisualWorkflowDefinitionById",
        "v1.WorkflowDispatch/ReportExecutionSpans",
    ] {
        let status = world.raw(&extended(), &format!("/flovyn.{method}"), &[]).unwrap_err();
        assert_eq!(status.code, Code::Unimplemented, "{method}: {status}");
        assert!(status.message.contains(method), "{status}");
    }
}

const METHODS: [&str; 34] = [
    "v1.TaskExecution/ReportProgress",
    "v1.TaskExecution/LogMessage",
    "v1.TaskExecution/GetState",
    "v1.TaskExecution/GetStateKeys",
    "v1.TaskExecution/SetState",
    "v1.TaskExecution/ClearState",
    "v1.TaskExecution/ClearAllState",
    "v1.TaskExecution/StreamTaskData",
    "ext.v1.Extensions/ReadStream",
    "ext.v1.Extensions/ListWorkflows",
    "v1.WorkflowQuery/QueryWorkflow",
    "ext.v1.Extensions/AnswerQuery",
    "v1.TaskExecution/CancelTask",
    "ext.v1.Extensions/CancelWorkflow",
    "v1.WorkflowDispatch/StartChildWorkflow",
    "v1.WorkflowDispatch/SignalWorkflow",
    "v1.WorkflowDispatch/SignalWithStartWorkflow",
    "v1.WorkflowDispatch/PollWorkflow",
    "v1.WorkflowDispatch/StartWorkflow",
    "v1.WorkflowDispatch/GetEvents",
    "v1.WorkflowDispatch/SubmitWorkflowCommands",
    "v1.WorkflowDispatch/ResolvePromise",
    "v1.WorkflowDispatch/RejectPromise",
    "v1.TaskExecution/SubmitTask",
    "v1.TaskExecution/PollTask",
    "v1.TaskExecution/CompleteTask",
    "v1.TaskExecution/FailTask",
    "v1.TaskExecution/Heartbeat",
    "v1.WorkerLifecycle/RegisterWorker",
    "v1.WorkerLifecycle/SendHeartbeat",
    "ext.v1.Extensions/RenewClaim",
    "ext.v1.Extensions/ReleaseClaim",
    "ext.v1.Extensions/AwaitResult",
    "ext.v1.Extensions/DescribeWorkflow",
];

fn bodies_that_are_no_message(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let bodies: [&[u8]; 5] = [b"\xff\xff\xff\xff", b"\x0a\xff", b"\x0a\x02\xff\xfe", b"not a message", &[0x07; 64]];
    for method in METHODS {
        for body in bodies {
            let status = world.raw(&extended(), &format!("/flovyn.{method}"), body).unwrap_err();
            assert_eq!(status.code, Code::InvalidArgument, "{method} {body:?}: {status}");
            assert!(status.message.contains("cannot be read"), "{method} {body:?}: {status}");
        }
    }
    world.start("order");
}

fn payloads_that_are_no_json(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    for bad in ["{", "undefined", "1 2", "'x'", "NaN", "\u{feff}1", "[1,]", "\"", "\u{0}"] {
        let request = StartWorkflowRequest {
            workflow_kind: "order".into(),
            input: bad.into(),
            ..StartWorkflowRequest::default()
        };
        let method = "v1.WorkflowDispatch/StartWorkflow";
        world.refuse(&extended(), method, &request, Code::InvalidArgument, &["input", "expected one JSON value"]);
        for command in [operation("o", bad), set_state("k", bad)] {
            let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
            world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", "expected one JSON value"]);
        }
        let request = super::tasks::completion(&super::super::commands::task_id(1), bad);
        world.refuse(&client, "v1.TaskExecution/CompleteTask", &request, Code::InvalidArgument, &["output"]);
    }
    // Deep is not bad.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    world.submit(&claimed, vec![operation("deep", &deep)], WorkflowStatus::Suspended);
    assert_eq!(world.data(&id, 2).len(), deep.len() + r#"{"operationName":"deep","result":}"#.len());
}

fn ids_that_are_no_uuid(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let absent = super::super::commands::task_id(3);
    for bad in ["", "x", "1234", &"x".repeat(10_000), &id[1..], "é"] {
        let request = GetEventsRequest { workflow_execution_id: bad.into(), ..GetEventsRequest::default() };
        let method = "v1.WorkflowDispatch/GetEvents";
        let says = ["workflow_execution_id", "expected a UUID"];
        world.refuse(&extended(), method, &request, Code::InvalidArgument, &says);
        let request = submission(bad, 1, vec![], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &says);
        let request = super::tasks::completion(bad, "1");
        let says = ["task_execution_id", "expected a UUID"];
        world.refuse(&client, "v1.TaskExecution/CompleteTask", &request, Code::InvalidArgument, &says);
        let schedule = ScheduleTaskCommand { kind: "k".into(), task_execution_id: bad.into(), ..Default::default() };
        let request = submission(&id, 1, vec![task_with(schedule)], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", "task_execution_id"]);
    }
    let request = GetEventsRequest { workflow_execution_id: absent.clone(), ..GetEventsRequest::default() };
    world.refuse(&extended(), "v1.WorkflowDispatch/GetEvents", &request, Code::NotFound, &[&absent]);
    let request = submission(&absent, 1, vec![], WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::NotFound, &[&absent]);
}

fn fields_that_are_empty(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = StartWorkflowRequest::default();
    world.refuse(
        &extended(),
        "v1.WorkflowDispatch/StartWorkflow",
        &request,
        Code::InvalidArgument,
        &["workflow_kind", "got nothing"],
    );
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let kindless = ScheduleTaskCommand { task_execution_id: id.clone(), ..ScheduleTaskCommand::default() };
    for command in
        [operation("", "1"), set_state("", "1"), clear_state(""), timer("", 1), promise(""), task_with(kindless)]
    {
        let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", "got nothing"]);
    }
}

fn fields_that_are_not_offered(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let start = StartWorkflowRequest { workflow_kind: "order".into(), ..StartWorkflowRequest::default() };
    let some = Some(super::super::commands::task_id(1));
    for (request, field) in [
        (StartWorkflowRequest { workflow_definition_id: some.clone(), ..start.clone() }, "workflow_definition_id"),
        (StartWorkflowRequest { parent_workflow_execution_id: some, ..start }, "parent_workflow_execution_id"),
    ] {
        world.refuse(
            &extended(),
            "v1.WorkflowDispatch/StartWorkflow",
            &request,
            Code::Unimplemented,
            &[field, "not offered"],
        );
    }
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let keyed = ScheduleTaskCommand {
        kind: "charge".into(),
        task_execution_id: super::super::commands::task_id(1),
        idempotency_key: Some("k".into()),
        ..ScheduleTaskCommand::default()
    };
    let defined = ScheduleChildWorkflowCommand {
        workflow_definition_id: Some(super::super::commands::task_id(1)),
        ..ScheduleChildWorkflowCommand::default()
    };
    for (command, field) in [(task_with(keyed), "idempotency_key"), (child_with(defined), "workflow_definition_id")] {
        let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::Unimplemented, &["commands[0]", field, "not offered"]);
    }
}

fn commands_that_make_no_sense(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client = extended().with_claim(&claimed.token);
    let of_another_type = WorkflowCommand { command_type: CommandType::StartTimer.into(), ..task(1) };
    let without_type = WorkflowCommand { command_type: CommandType::Unspecified.into(), ..task(1) };
    let without_data = WorkflowCommand { command_data: None, ..task(1) };
    let negative = promise_with(CreatePromiseCommand {
        promise_id: "p".into(),
        timeout_ms: Some(-1),
        ..CreatePromiseCommand::default()
    });
    for (command, says) in [
        (of_another_type, "the data is that of SCHEDULE_TASK"),
        (without_type, "the data is that of SCHEDULE_TASK"),
        (without_data, "expected the data of the command"),
        (negative, "timeout_ms"),
    ] {
        let request = submission(&id, 1, vec![command], WorkflowStatus::Suspended);
        world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0]", says]);
    }
    // Cut anywhere, a submission is an error or a shorter one that means itself; it never panics.
    let whole =
        submission(&id, 1, vec![task(1), timer("t", 5), operation("o", "{\"a\":1}")], WorkflowStatus::Suspended)
            .encode_to_vec();
    let method = format!("/flovyn.{SUBMIT}");
    for length in 0..whole.len() {
        let _ = world.raw(&extended().with_claim("stale"), &method, &whole[..length]);
    }
    let types: Vec<String> = world.types(&id);
    assert_eq!(types, ["WORKFLOW_STARTED"]);
    world.raw(&client, &method, &whole).unwrap();
}
