//! ListWorkflows, and the tasks of an execution.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    StartWorkflowRequest, WorkflowStatus,
    ext::{ListWorkflowsRequest, ListWorkflowsResponse},
};
use uuid::Uuid;

use crate::{
    Code, Key,
    testing::{
        Harness,
        commands::{cancelled, child, complete, fail, task, task_id},
        suite::tests,
        world::{World, extended, plain, stranger},
    },
};

tests!(
    newest_come_first_in_pages,
    filters_are_combined,
    list_says_what_needs_no_history,
    wrong_requests_are_refused,
    other_organisations_are_not_listed,
    tasks_of_an_execution,
    children_of_an_execution,
    ends_are_listed_by_status,
);

const LIST: &str = "ext.v1.Extensions/ListWorkflows";

fn list(world: &mut World<'_>, request: &ListWorkflowsRequest) -> (Vec<String>, i64) {
    let response: ListWorkflowsResponse = world.ask(&extended(), LIST, request).unwrap();
    (response.workflows.into_iter().map(|workflow| workflow.workflow_execution_id).collect(), response.total)
}

fn newest_come_first_in_pages(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let mut ids: Vec<_> = (0..5)
        .map(|_| {
            world.skip(1);
            world.start("order")
        })
        .collect();
    ids.reverse();
    assert_eq!(list(&mut world, &ListWorkflowsRequest::default()), (ids.clone(), 5));
    let page = |limit, offset| ListWorkflowsRequest { limit, offset, ..ListWorkflowsRequest::default() };
    assert_eq!(list(&mut world, &page(2, 0)), (ids[..2].to_vec(), 5));
    assert_eq!(list(&mut world, &page(2, 3)), (ids[3..].to_vec(), 5));
    assert_eq!(list(&mut world, &page(2, 5)), (vec![], 5));
    world.skip(1);
    // At one time the higher id comes first, in every store.
    let [a, b] = [world.start("order"), world.start("order")];
    let (higher, lower) = if a > b { (a, b) } else { (b, a) };
    assert_eq!(list(&mut world, &page(2, 0)).0, [higher, lower]);
}

fn filters_are_combined(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let start = |world: &mut World<'_>, kind: &str, queue: &str| {
        world.skip(1);
        let request =
            StartWorkflowRequest { workflow_kind: kind.into(), queue: queue.into(), ..StartWorkflowRequest::default() };
        world.start_with(request).workflow_execution_id
    };
    let done = start(&mut world, "order", "");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    let order = start(&mut world, "order", "");
    let refund = start(&mut world, "refund", "");
    let fast = start(&mut world, "order", "fast");
    let request = |status: &str, kind: &str, queue: &str| ListWorkflowsRequest {
        status: status.into(),
        kind: kind.into(),
        queue: queue.into(),
        ..ListWorkflowsRequest::default()
    };
    for (request, expected) in [
        (request("PENDING", "", ""), vec![&fast, &refund, &order]),
        (request("COMPLETED", "", ""), vec![&done]),
        (request("FAILED", "", ""), vec![]),
        (request("", "order", ""), vec![&fast, &order, &done]),
        (request("", "", "default"), vec![&refund, &order, &done]),
        (request("PENDING", "order", "default"), vec![&order]),
    ] {
        let (ids, total) = list(&mut world, &request);
        assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{request:?}");
        assert_eq!(total, expected.len() as i64);
    }
}

fn list_says_what_needs_no_history(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![task(1)]);
    let mut described = world.describe(&id);
    (described.input, described.metadata) = Default::default();
    let response: ListWorkflowsResponse = world.ask(&extended(), LIST, &ListWorkflowsRequest::default()).unwrap();
    assert_eq!(response.workflows, [described]);
}

fn wrong_requests_are_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let good = ListWorkflowsRequest::default;
    for (request, says) in [
        (ListWorkflowsRequest { status: "DONE".into(), ..good() }, ["status", "WAITING", "DONE"]),
        (ListWorkflowsRequest { limit: 1_001, ..good() }, ["limit", "1000", "1001"]),
        (ListWorkflowsRequest { limit: -1, ..good() }, ["limit", "0 or more", "-1"]),
        (ListWorkflowsRequest { offset: -2, ..good() }, ["offset", "0 or more", "-2"]),
    ] {
        world.refuse(&extended(), LIST, &request, Code::InvalidArgument, &says);
    }
}

fn other_organisations_are_not_listed(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1)]);
    let response: ListWorkflowsResponse = world.ask(&stranger(), LIST, &ListWorkflowsRequest::default()).unwrap();
    assert_eq!(response, ListWorkflowsResponse::default());
}

fn tasks_of_an_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let org_id = plain().principal.org_id;
    let id = Uuid::try_parse(&world.suspended(vec![task(2), task(1)])).unwrap();
    world.suspended(vec![task(3)]);
    world
        .harness
        .transaction(&mut |tx| {
            let tasks = tx.execution_tasks(Key { org_id, id }, 10, 0)?;
            let ids: Vec<_> = tasks.iter().map(|task| task.key.id.as_u128()).collect();
            assert_eq!(ids, [1, 2]);
            assert_eq!(tx.execution_tasks(Key { org_id, id }, 1, 0)?, tasks[..1]);
            assert_eq!(tx.execution_tasks(Key { org_id, id }, 1, 1)?, tasks[1..]);
            assert!(tx.execution_tasks(Key { org_id: stranger().principal.org_id, id }, 10, 0)?.is_empty());
            Ok(())
        })
        .unwrap();
}

fn children_of_an_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let org_id = plain().principal.org_id;
    let id = Uuid::try_parse(&world.suspended(vec![child(2), child(1)])).unwrap();
    world.skip(1);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![child(3)], WorkflowStatus::Suspended);
    let of = |world: &mut World<'_>, key: Key, limit: usize, offset: usize| {
        let mut ids = Vec::new();
        let found = &mut ids;
        let read = &mut |tx: &mut dyn crate::Lists| {
            let children = tx.children(key, limit, offset)?;
            found.extend(children.iter().map(|child| child.key.id.to_string()));
            Ok(())
        };
        world.harness.transaction(read).unwrap();
        ids
    };
    let (key, [one, two, three]) = (Key { org_id, id }, [1, 2, 3].map(task_id));
    assert_eq!(of(&mut world, key, 10, 0), [one.clone(), two.clone()]);
    assert_eq!(of(&mut world, key, 1, 0), core::slice::from_ref(&one));
    assert_eq!(of(&mut world, key, 10, 1), [two]);
    let child = Uuid::try_parse(&claimed.id).unwrap();
    assert_eq!(of(&mut world, Key { org_id, id: child }, 10, 0), [three]);
    assert_eq!(of(&mut world, Key { org_id: stranger().principal.org_id, id }, 10, 0), Vec::<String>::new());
}

fn ends_are_listed_by_status(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let mut expected = Vec::new();
    for (command, status, name) in [
        (complete("1"), WorkflowStatus::Completed, "COMPLETED"),
        (fail("no"), WorkflowStatus::Failed, "FAILED"),
        (cancelled("no"), WorkflowStatus::Cancelled, "CANCELLED"),
    ] {
        let id = world.start("order");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![command], status);
        expected.push((name, id));
    }
    expected.push(("WAITING", world.suspended(vec![task(1)])));
    world.harness.reopen();
    for (status, id) in expected {
        let request = ListWorkflowsRequest { status: status.into(), ..ListWorkflowsRequest::default() };
        assert_eq!(list(&mut world, &request), (vec![id], 1), "{status}");
    }
}
