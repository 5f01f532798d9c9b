//! Lists of tasks, workers and definitions.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    CancelTaskRequest, PollTaskRequest, SubmitTaskRequest, SubmitTaskResponse, SubscriptionRequest, TaskCapability,
    WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
};
use prost::Message as _;
use uuid::Uuid;

use super::tests;
use crate::{
    Code, Config, Subscription, TaskFilter, Work,
    testing::{
        Harness,
        commands::task,
        suite::tasks::complete_task,
        world::{World, extended, plain, stranger},
    },
};

tests!(
    tasks_of_no_execution_are_listed,
    tasks_are_listed_by_status_kind_and_queue,
    workers_are_listed_by_name,
    workers_are_online_until_they_are_silent,
    definitions_are_listed_with_their_schemas,
    subscriptions_name_a_queue,
);

fn submit(world: &mut World<'_>, kind: &str, queue: &str) -> String {
    world.skip(1);
    let request = SubmitTaskRequest { kind: kind.into(), queue: queue.into(), ..SubmitTaskRequest::default() };
    let response: SubmitTaskResponse = world.ask(&extended(), "v1.TaskExecution/SubmitTask", &request).unwrap();
    response.task_execution_id
}

fn list(world: &mut World<'_>, org_id: Uuid, filter: &TaskFilter, limit: usize, offset: usize) -> (Vec<String>, i64) {
    let mut found = (Vec::new(), 0);
    world
        .harness
        .transaction(&mut |tx| {
            let list = tx.standalone_tasks(org_id, filter, limit, offset)?;
            found = (list.tasks.iter().map(|task| task.key.id.to_string()).collect(), list.total);
            Ok(())
        })
        .unwrap();
    found
}

fn own(world: &mut World<'_>, filter: &TaskFilter) -> Vec<String> {
    let (ids, total) = list(world, plain().principal.org_id, filter, 10, 0);
    assert_eq!(total, ids.len() as i64, "{filter:?}");
    ids
}

fn tasks_of_no_execution_are_listed(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let ids: Vec<_> = (0..3).map(|_| submit(&mut world, "charge", "")).collect();
    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    let (org_id, all) = (plain().principal.org_id, TaskFilter::default());
    assert_eq!(list(&mut world, org_id, &all, 10, 0), (newest_first.clone(), 3));
    assert_eq!(list(&mut world, org_id, &all, 1, 1), (newest_first[1..2].to_vec(), 3));
    assert_eq!(list(&mut world, org_id, &all, 0, 0), (vec![], 3));
    assert_eq!(list(&mut world, stranger().principal.org_id, &all, 10, 0), (vec![], 0));
}

fn tasks_are_listed_by_status_kind_and_queue(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let done = submit(&mut world, "charge", "");
    let claimed = world.poll_task(&extended());
    complete_task(&mut world, &claimed, "1");
    let cancelled = submit(&mut world, "charge", "");
    let request = CancelTaskRequest { task_execution_id: cancelled.clone() };
    world.ask::<()>(&extended(), "v1.TaskExecution/CancelTask", &request).unwrap();
    let fast = submit(&mut world, "ship", "fast");
    let poll = PollTaskRequest { queue: "fast".into(), ..PollTaskRequest::default() };
    world.poll_task_with(&extended(), &poll).unwrap();
    let waiting = submit(&mut world, "ship", "");
    let filter = |status: &str, kind: &str, queue: &str| {
        let given = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        TaskFilter { status: given(status), kind: given(kind), queue: given(queue) }
    };
    for (filter, expected) in [
        (filter("COMPLETED", "", ""), vec![&done]),
        (filter("CANCELLED", "", ""), vec![&cancelled]),
        (filter("FAILED", "", ""), vec![]),
        (filter("RUNNING", "", ""), vec![&fast]),
        (filter("PENDING", "", ""), vec![&waiting]),
        (filter("", "charge", ""), vec![&cancelled, &done]),
        (filter("", "ship", "default"), vec![&waiting]),
        (filter("PENDING", "charge", ""), vec![]),
    ] {
        assert_eq!(own(&mut world, &filter).iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

fn register(world: &mut World<'_>, request: &WorkerRegistrationRequest) {
    let response: WorkerRegistrationResponse =
        world.ask(&plain(), "v1.WorkerLifecycle/RegisterWorker", request).unwrap();
    assert!(response.success);
}

fn named(name: &str) -> WorkerRegistrationRequest {
    WorkerRegistrationRequest { worker_name: name.into(), ..WorkerRegistrationRequest::default() }
}

fn workers_are_listed_by_name(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for name in ["b", "a"] {
        register(&mut world, &named(name));
    }
    world.poll_task_with(&extended(), &PollTaskRequest { worker_id: "c".into(), ..PollTaskRequest::default() });
    let (own, other) = (plain().principal.org_id, stranger().principal.org_id);
    let mut names = |org_id, limit, offset| -> Vec<(String, bool)> {
        let mut found = Vec::new();
        world
            .harness
            .transaction(&mut |tx| {
                found = tx.workers(org_id, limit, offset)?;
                Ok(())
            })
            .unwrap();
        found.into_iter().map(|worker| (worker.name, worker.registration.is_some())).collect()
    };
    let all = [("a".into(), true), ("b".into(), true), ("c".into(), false)];
    assert_eq!(names(own, 10, 0), all);
    assert_eq!(names(own, 1, 1), all[1..2]);
    assert_eq!(names(other, 10, 0), []);
}

fn workers_are_online_until_they_are_silent(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, &named("a"));
    let (config, org_id, now_ms) = (world.config.clone(), plain().principal.org_id, world.now_ms);
    world
        .harness
        .transaction(&mut |tx| {
            let worker = tx.worker_by_name(org_id, "a")?.unwrap();
            // The time without a sign of life, and by how much the note of the last one can be too old.
            assert_eq!(config.workers.offline_at_ms(&worker), now_ms + 60_000 + 5_000);
            Ok(())
        })
        .unwrap();
}

fn definitions_are_listed_with_their_schemas(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let workflow = |kind: &str, version: &str, schema: &[u8]| WorkflowCapability {
        kind: kind.into(),
        version: version.into(),
        content_hash: "abc".into(),
        input_schema: schema.into(),
        ..WorkflowCapability::default()
    };
    let schema = br#"{"z":1.0,"a":2}"#;
    let charge = TaskCapability { kind: "charge".into(), output_schema: schema.into(), ..TaskCapability::default() };
    register(
        &mut world,
        &WorkerRegistrationRequest {
            workflows: vec![workflow("order", "2", b""), workflow("order", "1", schema), workflow("a", "", b"")],
            tasks: vec![charge],
            ..named("w")
        },
    );
    let own = plain().principal.org_id;
    let mut find = |org_id, work, limit, offset| {
        let mut found = Vec::new();
        world
            .harness
            .transaction(&mut |tx| {
                found = tx.definitions(org_id, work, limit, offset)?;
                Ok(())
            })
            .unwrap();
        found
    };
    let workflows = find(own, Work::Workflow, 10, 0);
    let shown: Vec<_> = workflows.iter().map(|one| (one.kind.as_str(), one.version.as_str())).collect();
    assert_eq!(shown, [("a", "1.0.0"), ("order", "1"), ("order", "2")]);
    assert_eq!(
        (workflows[1].input_schema.as_json(), workflows[1].content_hash.as_str()),
        (r#"{"z":1.0,"a":2}"#, "abc")
    );
    assert_eq!(find(own, Work::Workflow, 1, 1), workflows[1..2]);
    let tasks = find(own, Work::Task, 10, 0);
    assert_eq!(tasks.iter().map(|one| one.output_schema.as_json()).collect::<Vec<_>>(), [r#"{"z":1.0,"a":2}"#]);
    assert_eq!(find(stranger().principal.org_id, Work::Workflow, 10, 0), []);
}

fn subscriptions_name_a_queue(_: &mut dyn Harness) {
    let (config, principal) = (Config::default(), plain().principal);
    let read = |request: &SubscriptionRequest| Subscription::read(&config, &request.encode_to_vec(), &principal);
    let request = |org_id: &str, queue: &str| SubscriptionRequest {
        org_id: org_id.into(),
        queue: queue.into(),
        ..SubscriptionRequest::default()
    };
    let keys = |subscription: Subscription| subscription.keys.map(|key| key.to_string());
    let org_id = principal.org_id.to_string();
    let expected = ["workflows", "tasks"].map(|work| alloc::format!("{work}/{org_id}/default"));
    for org in ["", "first", &org_id] {
        assert_eq!(read(&request(org, "")).map(keys), Ok(expected.clone()), "{org:?}");
    }
    let foreign = read(&request(&stranger().principal.org_id.to_string(), "")).unwrap_err();
    assert_eq!(foreign.code, Code::PermissionDenied);
    let long = read(&request("", &"x".repeat(256))).unwrap_err();
    assert_eq!(long.code, Code::ResourceExhausted);
    let unreadable = Subscription::read(&config, b"\xff", &principal).unwrap_err();
    assert_eq!(unreadable.code, Code::InvalidArgument);
}
