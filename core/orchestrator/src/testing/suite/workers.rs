//! Registration, kinds and signs of life.

use alloc::{string::String, vec};

use flovyn_protocol::messages::{
    PollRequest, PollTaskRequest, TaskCapability, WorkerHeartbeatRequest, WorkerRegistrationRequest,
    WorkerRegistrationResponse, WorkflowCapability,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::task,
        suite::tests,
        world::{World, extended, plain},
    },
};

tests!(
    registering_twice_is_one_worker,
    registered_worker_gets_its_kinds,
    unregistered_worker_gets_any_kind,
    worker_is_known_by_its_id_too,
    registration_of_a_living_worker_adds,
    registration_after_silence_replaces,
    silent_worker_keeps_its_kinds,
    unknown_kind_does_not_block_the_queue,
    heartbeat_needs_a_registration,
    other_content_is_a_conflict,
    bad_registrations_are_refused,
    silent_workers_are_forgotten,
    polls_seldom_write,
);

const REGISTER: &str = "v1.WorkerLifecycle/RegisterWorker";
const HEARTBEAT: &str = "v1.WorkerLifecycle/SendHeartbeat";

fn registration(name: &str, workflows: &[&str], tasks: &[&str]) -> WorkerRegistrationRequest {
    let workflow = |kind: &&str| WorkflowCapability { kind: (*kind).into(), ..WorkflowCapability::default() };
    let task = |kind: &&str| TaskCapability { kind: (*kind).into(), ..TaskCapability::default() };
    WorkerRegistrationRequest {
        worker_name: name.into(),
        workflows: workflows.iter().map(workflow).collect(),
        tasks: tasks.iter().map(task).collect(),
        ..WorkerRegistrationRequest::default()
    }
}

/// Gives the worker's id.
pub(super) fn register(world: &mut World<'_>, name: &str, workflows: &[&str], tasks: &[&str]) -> String {
    let response: WorkerRegistrationResponse =
        world.ask(&plain(), REGISTER, &registration(name, workflows, tasks)).unwrap();
    assert!(response.success);
    assert_eq!(response.error, None);
    response.worker_id
}

fn poll(world: &mut World<'_>, worker: &str) -> Option<String> {
    let request = PollRequest { worker_id: worker.into(), ..PollRequest::default() };
    world.poll_with(&extended(), &request).map(|claimed| claimed.message.workflow_execution.unwrap().kind)
}

fn registering_twice_is_one_worker(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = register(&mut world, "w", &["order"], &[]);
    assert_eq!(register(&mut world, "w", &["order"], &[]), first);
    assert_ne!(register(&mut world, "v", &["order"], &[]), first);
}

fn registered_worker_gets_its_kinds(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "w", &["b"], &["ship"]);
    world.start("a");
    world.start("b");
    assert_eq!(poll(&mut world, "w").as_deref(), Some("b"));
    assert_eq!(poll(&mut world, "w"), None);
    register(&mut world, "tasks-only", &[], &["charge"]);
    assert_eq!(poll(&mut world, "tasks-only"), None);
    assert_eq!(poll(&mut world, "").as_deref(), Some("a"));
    world.suspended(vec![task(1)]);
    let request = |worker: &str| PollTaskRequest { worker_id: worker.into(), ..PollTaskRequest::default() };
    assert!(world.poll_task_with(&extended(), &request("w")).is_none());
    assert!(world.poll_task_with(&extended(), &request("tasks-only")).is_some());
}

fn unregistered_worker_gets_any_kind(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for kind in ["a", "b", "c"] {
        world.start(kind);
    }
    assert_eq!(poll(&mut world, "nobody").as_deref(), Some("a"));
    assert_eq!(poll(&mut world, "nobody").as_deref(), Some("b"));
    assert_eq!(poll(&mut world, &crate::testing::commands::task_id(9)).as_deref(), Some("c"));
}

fn worker_is_known_by_its_id_too(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = register(&mut world, "w", &["b"], &[]);
    world.start("a");
    world.start("b");
    assert_eq!(poll(&mut world, &id).as_deref(), Some("b"));
    assert_eq!(poll(&mut world, &id), None);
    let heartbeat = WorkerHeartbeatRequest { worker_id: id, ..WorkerHeartbeatRequest::default() };
    world.ask::<()>(&plain(), HEARTBEAT, &heartbeat).unwrap();
}

fn registration_of_a_living_worker_adds(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "w", &["a"], &[]);
    world.advance(59_999);
    register(&mut world, "w", &["b"], &[]);
    world.start("a");
    world.start("b");
    assert_eq!(poll(&mut world, "w").as_deref(), Some("a"));
    assert_eq!(poll(&mut world, "w").as_deref(), Some("b"));
}

fn registration_after_silence_replaces(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "w", &["a"], &[]);
    world.advance(65_000);
    register(&mut world, "w", &["b"], &[]);
    world.start("a");
    world.start("b");
    assert_eq!(poll(&mut world, "w").as_deref(), Some("b"));
    assert_eq!(poll(&mut world, "w"), None);
}

/// After a restart of the server workers go on polling without registering again.
fn silent_worker_keeps_its_kinds(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "w", &["b"], &[]);
    world.advance(3_600_000);
    world.harness.reopen();
    world.start("a");
    world.start("b");
    assert_eq!(poll(&mut world, "w").as_deref(), Some("b"));
    assert_eq!(poll(&mut world, "w"), None);
}

fn unknown_kind_does_not_block_the_queue(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "w", &["b", "c"], &[]);
    for _ in 0..50 {
        world.start("a");
    }
    world.skip(1);
    world.start("c");
    world.skip(1);
    world.start("b");
    assert_eq!(poll(&mut world, "w").as_deref(), Some("c"));
    assert_eq!(poll(&mut world, "w").as_deref(), Some("b"));
}

fn heartbeat_needs_a_registration(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    poll(&mut world, "only-polled");
    for worker in ["nobody", "only-polled", &crate::testing::commands::task_id(9)] {
        let heartbeat = WorkerHeartbeatRequest { worker_id: worker.into(), ..WorkerHeartbeatRequest::default() };
        world.refuse(&plain(), HEARTBEAT, &heartbeat, Code::NotFound, &["registered worker", worker]);
    }
    register(&mut world, "only-polled", &[], &[]);
    let heartbeat = WorkerHeartbeatRequest { worker_id: "only-polled".into(), ..WorkerHeartbeatRequest::default() };
    world.ask::<()>(&plain(), HEARTBEAT, &heartbeat).unwrap();
    let bad = WorkerHeartbeatRequest { health_info: b"fine".to_vec(), ..heartbeat };
    world.refuse(&plain(), HEARTBEAT, &bad, Code::InvalidArgument, &["health_info"]);
}

fn with_hash(name: &str, version: &str, hash: &str) -> WorkerRegistrationRequest {
    let mut request = registration(name, &["order"], &[]);
    request.workflows[0].version = version.into();
    request.workflows[0].content_hash = hash.into();
    request
}

fn other_content_is_a_conflict(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let mut ask = |request: &WorkerRegistrationRequest| -> WorkerRegistrationResponse {
        world.ask(&plain(), REGISTER, request).unwrap()
    };
    let first = ask(&with_hash("v", "", "abc"));
    assert_eq!(first.workflow_conflicts, []);
    assert_eq!(ask(&with_hash("w", "1.0.0", "abc")).workflow_conflicts, []);
    assert_eq!(ask(&with_hash("w", "2.0.0", "def")).workflow_conflicts, []);
    assert_eq!(ask(&with_hash("w", "1.0.0", "")).workflow_conflicts, []);
    ask(&with_hash("v", "1.0.0", "abc"));
    let conflicting = ask(&with_hash("w", "1.0.0", "def"));
    assert!(conflicting.success);
    assert_eq!(conflicting.workflow_conflicts.len(), 1);
    let conflict = &conflicting.workflow_conflicts[0];
    assert_eq!((conflict.kind.as_str(), &conflict.existing_worker_id), ("order", &first.worker_id));
    assert!(conflict.reason.contains("abc") && conflict.reason.contains("def"), "{}", conflict.reason);
    assert_eq!(conflicting.task_conflicts, []);
}

fn bad_registrations_are_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let good = registration("w", &["order"], &["charge"]);
    let mut nameless_workflow = good.clone();
    nameless_workflow.workflows[0].kind = String::new();
    let mut bad_schema = good.clone();
    bad_schema.tasks[0].input_schema = b"{".to_vec();
    let bad_metadata = WorkerRegistrationRequest { metadata: b"\xff".to_vec(), ..good.clone() };
    let nameless = WorkerRegistrationRequest { worker_name: String::new(), ..good.clone() };
    for (request, field) in [
        (nameless, "worker_name"),
        (nameless_workflow, "workflows[0].kind"),
        (bad_schema, "tasks[0].input_schema"),
        (bad_metadata, "metadata"),
    ] {
        world.refuse(&plain(), REGISTER, &request, Code::InvalidArgument, &[field, "expected"]);
    }
    let wordy = WorkerRegistrationRequest { host_name: "x".repeat(256), ..good.clone() };
    world.refuse(&plain(), REGISTER, &wordy, Code::ResourceExhausted, &["host_name", "255"]);
    // What others send and we have no use for is let through.
    let agents = vec![flovyn_protocol::messages::AgentCapability::default()];
    let response: WorkerRegistrationResponse =
        world.ask(&plain(), REGISTER, &WorkerRegistrationRequest { agents, ..good }).unwrap();
    assert!(response.success);
}

fn silent_workers_are_forgotten(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    poll(&mut world, "passer-by");
    register(&mut world, "registered", &["order"], &[]);
    world.advance(599_999);
    assert!(world.harness.dump().contains("passer-by"));
    world.advance(1);
    assert!(!world.harness.dump().contains("passer-by"));
    world.advance(6 * 24 * 60 * 60 * 1_000);
    let heartbeat = WorkerHeartbeatRequest { worker_id: "registered".into(), ..WorkerHeartbeatRequest::default() };
    world.ask::<()>(&plain(), HEARTBEAT, &heartbeat).unwrap();
    world.advance(7 * 24 * 60 * 60 * 1_000 - 1);
    world.ask::<()>(&plain(), HEARTBEAT, &heartbeat).unwrap();
    world.advance(7 * 24 * 60 * 60 * 1_000);
    world.refuse(&plain(), HEARTBEAT, &heartbeat, Code::NotFound, &["registered"]);
}

fn polls_seldom_write(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    poll(&mut world, "w");
    let before = world.harness.dump();
    world.advance(4_999);
    poll(&mut world, "w");
    assert_eq!(before, world.harness.dump());
    world.advance(1);
    poll(&mut world, "w");
    assert_ne!(before, world.harness.dump());
}
