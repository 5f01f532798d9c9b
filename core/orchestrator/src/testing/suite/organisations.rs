//! Nothing crosses from one organisation to another.

use alloc::{format, string::ToString as _, vec};

use flovyn_protocol::messages::{
    CancelTaskRequest, CompleteTaskRequest, FailTaskRequest, GetEventsRequest, HeartbeatRequest, PollRequest,
    PollTaskRequest, RejectPromiseRequest, ResolvePromiseRequest, SignalWithStartWorkflowRequest,
    SignalWorkflowRequest, StartChildWorkflowRequest, StartWorkflowRequest, StartWorkflowResponse, SubmitTaskRequest,
    WorkerHeartbeatRequest, WorkerRegistrationRequest, WorkflowStatus,
    ext::{AwaitResultRequest, DescribeWorkflowRequest, ReleaseClaimRequest, RenewClaimRequest},
};
use prost::Message;
use uuid::Uuid;

use crate::{
    Code,
    testing::{
        Harness,
        commands::{promise, promise_with, task, timer},
        suite::tests,
        world::{World, extended, stranger, submission},
    },
};

tests!(
    organisation_can_be_named_in_four_ways,
    foreign_organisation_is_denied,
    what_is_foreign_is_not_found,
    what_is_foreign_reads_like_what_is_not_there,
    foreign_work_is_not_given_out,
    names_and_keys_are_per_organisation,
    foreign_token_opens_nothing,
);

fn start_in(org_id: &str) -> StartWorkflowRequest {
    StartWorkflowRequest { workflow_kind: "order".into(), org_id: org_id.into(), ..StartWorkflowRequest::default() }
}

const START: &str = "v1.WorkflowDispatch/StartWorkflow";

fn organisation_can_be_named_in_four_ways(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let own = extended().principal.org_id.to_string();
    for name in ["", "first", &own, &own.to_uppercase(), &Uuid::nil().to_string()] {
        world.ask::<StartWorkflowResponse>(&extended(), START, &start_in(name)).unwrap();
        let claimed = world.poll(&extended());
        assert_eq!(claimed.message.workflow_execution.unwrap().org_id, own);
    }
    for name in ["second", "FIRST", "not a uuid"] {
        world.refuse(&extended(), START, &start_in(name), Code::InvalidArgument, &["org_id", "expected a UUID"]);
    }
}

fn foreign_organisation_is_denied(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let foreign = stranger().principal.org_id.to_string();
    let org_id = foreign.clone();
    let messages: [(&str, vec::Vec<u8>); 8] = [
        (START, start_in(&foreign).encode_to_vec()),
        (
            "v1.WorkflowDispatch/StartChildWorkflow",
            StartChildWorkflowRequest { org_id: org_id.clone(), ..StartChildWorkflowRequest::default() }
                .encode_to_vec(),
        ),
        (
            super::signals::SIGNAL,
            SignalWorkflowRequest { org_id: org_id.clone(), ..SignalWorkflowRequest::default() }.encode_to_vec(),
        ),
        (
            super::signals::SIGNAL_WITH_START,
            SignalWithStartWorkflowRequest { org_id: org_id.clone(), ..SignalWithStartWorkflowRequest::default() }
                .encode_to_vec(),
        ),
        (
            "v1.WorkflowDispatch/PollWorkflow",
            PollRequest { org_id: org_id.clone(), ..PollRequest::default() }.encode_to_vec(),
        ),
        (
            "v1.TaskExecution/PollTask",
            PollTaskRequest { org_id: org_id.clone(), ..PollTaskRequest::default() }.encode_to_vec(),
        ),
        (
            "v1.TaskExecution/SubmitTask",
            SubmitTaskRequest { org_id: org_id.clone(), ..SubmitTaskRequest::default() }.encode_to_vec(),
        ),
        (
            "v1.WorkerLifecycle/RegisterWorker",
            WorkerRegistrationRequest { org_id, ..WorkerRegistrationRequest::default() }.encode_to_vec(),
        ),
    ];
    for (method, body) in messages {
        let status = world.raw(&extended(), &format!("/flovyn.{method}"), &body).unwrap_err();
        assert_eq!(status.code, Code::PermissionDenied, "{method}: {status}");
    }
}

/// Every call that names a thing, once for each kind of name.
fn calls(execution: &str, task: &str, promise: &str) -> vec::Vec<(&'static str, vec::Vec<u8>)> {
    let workflow_execution_id = alloc::string::String::from(execution);
    let task_execution_id = alloc::string::String::from(task);
    let promise_id = alloc::string::String::from(promise);
    vec![
        (
            "v1.WorkflowDispatch/GetEvents",
            GetEventsRequest { workflow_execution_id: workflow_execution_id.clone(), ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "v1.WorkflowDispatch/SubmitWorkflowCommands",
            submission(execution, 1, vec![], WorkflowStatus::Completed).encode_to_vec(),
        ),
        (
            "v1.WorkflowDispatch/ResolvePromise",
            ResolvePromiseRequest { promise_id: promise_id.clone(), value: vec![] }.encode_to_vec(),
        ),
        (
            "v1.WorkflowDispatch/RejectPromise",
            RejectPromiseRequest { promise_id: format!("{execution}:p"), error: "no".into() }.encode_to_vec(),
        ),
        (super::signals::SIGNAL, super::signals::signal(execution, "paid", "1").encode_to_vec()),
        (
            "v1.TaskExecution/CompleteTask",
            CompleteTaskRequest { task_execution_id: task_execution_id.clone(), output: vec![], ..Default::default() }
                .encode_to_vec(),
        ),
        (
            super::task_cancel::CANCEL_TASK,
            CancelTaskRequest { task_execution_id: task_execution_id.clone() }.encode_to_vec(),
        ),
        (
            "v1.TaskExecution/FailTask",
            FailTaskRequest { task_execution_id: task_execution_id.clone(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "v1.TaskExecution/Heartbeat",
            HeartbeatRequest { task_execution_id: task_execution_id.clone(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "ext.v1.Extensions/RenewClaim",
            RenewClaimRequest { workflow_execution_id: workflow_execution_id.clone(), ..Default::default() }
                .encode_to_vec(),
        ),
        ("ext.v1.Extensions/RenewClaim", RenewClaimRequest { task_execution_id, ..Default::default() }.encode_to_vec()),
        (
            "ext.v1.Extensions/ReleaseClaim",
            ReleaseClaimRequest { workflow_execution_id: workflow_execution_id.clone(), ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "ext.v1.Extensions/AwaitResult",
            AwaitResultRequest { workflow_execution_id: workflow_execution_id.clone(), timeout_ms: 5 }.encode_to_vec(),
        ),
        (super::cancel::CANCEL, super::cancel::request(execution).encode_to_vec()),
        ("ext.v1.Extensions/DescribeWorkflow", DescribeWorkflowRequest { workflow_execution_id }.encode_to_vec()),
    ]
}

fn what_is_foreign_is_not_found(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p"), task(1), timer("t", 0)]);
    let token = world.poll(&extended()).token;
    let before = world.harness.dump();
    let promise_id = world.data(&id, 2)[14..50].to_string();
    for (method, body) in calls(&id, &super::super::commands::task_id(1), &promise_id) {
        let status = world.raw(&stranger().with_claim(&token), &format!("/flovyn.{method}"), &body).unwrap_err();
        assert_eq!(status.code, Code::NotFound, "{method}: {status}");
    }
    assert_eq!(before, world.harness.dump());
}

fn what_is_foreign_reads_like_what_is_not_there(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p"), task(1)]);
    let foreign = calls(&id, &super::super::commands::task_id(1), &id);
    for (method, body) in &foreign {
        let ours = world.raw(&stranger(), &format!("/flovyn.{method}"), body).unwrap_err();
        let mut empty = World::new(world.harness);
        let absent = {
            let mut client = stranger();
            client.principal.org_id = Uuid::from_u128(3);
            empty.raw(&client, &format!("/flovyn.{method}"), body).unwrap_err()
        };
        assert_eq!(ours, absent, "{method}");
        world = empty;
    }
}

fn foreign_work_is_not_given_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    world.start("order");
    assert!(world.try_poll(&stranger()).is_none());
    assert!(world.try_poll_task(&stranger()).is_none());
    assert!(world.try_poll(&extended()).is_some());
    assert!(world.try_poll_task(&extended()).is_some());
}

fn names_and_keys_are_per_organisation(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let keyed = StartWorkflowRequest { idempotency_key: Some("k".into()), ..start_in("") };
    let first: StartWorkflowResponse = world.ask(&extended(), START, &keyed).unwrap();
    let second: StartWorkflowResponse = world.ask(&stranger(), START, &keyed).unwrap();
    assert!(first.idempotency_key_new && second.idempotency_key_new);
    super::workers::register(&mut world, "w", &["nothing"], &[]);
    // The name is free for others, and means nothing to them.
    let request = PollRequest { worker_id: "w".into(), ..PollRequest::default() };
    assert!(world.poll_with(&stranger(), &request).is_some());
    assert!(world.poll_with(&extended(), &request).is_none());
    let heartbeat = WorkerHeartbeatRequest { worker_id: "w".into(), ..WorkerHeartbeatRequest::default() };
    world.refuse(&stranger(), "v1.WorkerLifecycle/SendHeartbeat", &heartbeat, Code::NotFound, &[]);
    // Ids that clients choose and keys of promises are per organisation as well.
    for client in [extended(), stranger()] {
        let id = world.ask::<StartWorkflowResponse>(&client, START, &start_in("")).unwrap().workflow_execution_id;
        let mut claimed = world.try_poll(&client).unwrap();
        while claimed.id != id {
            claimed = world.try_poll(&client).unwrap();
        }
        let keyed = flovyn_protocol::messages::CreatePromiseCommand {
            promise_id: "p".into(),
            idempotency_key: Some("k".into()),
            ..Default::default()
        };
        let commands = vec![task(1), promise_with(keyed)];
        let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
        world.submit_with(&client.clone().with_claim(&claimed.token), &request).unwrap();
    }
}

fn foreign_token_opens_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let token = world.poll(&extended()).token;
    let request = submission(&id, 1, vec![], WorkflowStatus::Completed);
    let status = world.submit_with(&stranger().with_claim(&token), &request).unwrap_err();
    assert_eq!(status.code, Code::NotFound);
    assert_eq!(world.status(&id), "RUNNING");
}
