//! Who gets what, and when.

use alloc::{format, string::ToString as _, vec};

use flovyn_protocol::messages::{
    PollRequest, PollResponse, PollTaskRequest, PollTaskResponse, StartWorkflowRequest, WorkflowStatus,
};

use crate::{
    Code, Park,
    testing::{
        Harness,
        commands::{operation, suspend, task},
        suite::{tests, workers::register},
        world::{Client, Reply, START_MS, World, extended, plain},
    },
};

tests!(
    oldest_comes_first,
    priority_counts_as_age,
    equals_come_in_order,
    queues_are_separate,
    long_poll_parks_for_its_timeout,
    plain_poll_parks_briefly,
    expired_poll_is_answered_empty,
    poll_of_a_client_that_gave_up_takes_nothing,
    answer_holds_all_that_a_worker_needs,
    answer_holds_the_first_page,
    plain_answer_has_no_extension,
    claimed_execution_is_not_offered_again,
    task_polls_park_and_wake,
    every_piece_of_work_wakes_once,
    wakes_tell_who_can_take_them,
    another_registration_wakes_the_polls_of_its_worker,
);

const POLL: &str = "v1.WorkflowDispatch/PollWorkflow";
const POLL_TASK: &str = "v1.TaskExecution/PollTask";

fn start(world: &mut World<'_>, queue: &str, priority_seconds: i32) -> alloc::string::String {
    let request = StartWorkflowRequest {
        workflow_kind: "order".into(),
        queue: queue.into(),
        priority_seconds,
        ..StartWorkflowRequest::default()
    };
    world.start_with(request).workflow_execution_id
}

fn oldest_comes_first(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.suspended(vec![task(1)]);
    world.skip(1);
    let second = world.start("order");
    world.skip(1);
    // The first one is ready again after the second was made, and is still the older one.
    let claimed = world.poll_task(&extended());
    super::tasks::complete_task(&mut world, &claimed, "1");
    assert_eq!(world.poll(&extended()).id, first);
    assert_eq!(world.poll(&extended()).id, second);
    assert!(world.try_poll(&extended()).is_none());
}

fn priority_counts_as_age(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let normal = start(&mut world, "", 0);
    world.skip(5_000);
    let low = start(&mut world, "", -1);
    let high = start(&mut world, "", 6);
    let same = start(&mut world, "", 4);
    let order: [_; 4] = core::array::from_fn(|_| world.poll(&extended()).id);
    assert_eq!(order, [high, normal, same, low]);
}

fn equals_come_in_order(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let started: [_; 5] = core::array::from_fn(|_| world.start("order"));
    let polled: [_; 5] = core::array::from_fn(|_| world.poll(&extended()).id);
    assert_eq!(started, polled);
}

fn queues_are_separate(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let fast = start(&mut world, "fast", 0);
    let default = start(&mut world, "", 0);
    let poll = |world: &mut World<'_>, queue: &str| {
        world.poll_with(&extended(), &PollRequest { queue: queue.into(), ..PollRequest::default() }).map(|got| got.id)
    };
    assert_eq!(poll(&mut world, "slow"), None);
    assert_eq!(poll(&mut world, "fast"), Some(fast));
    assert_eq!(poll(&mut world, "default"), Some(default));
    assert_eq!(poll(&mut world, ""), None);
}

fn parked(world: &mut World<'_>, client: &Client, timeout_seconds: i64, long_poll: bool) -> Park {
    let request = PollRequest { timeout_seconds, long_poll, ..PollRequest::default() };
    match world.call::<PollResponse>(client, POLL, &request).unwrap() {
        Reply::Parked(park) => park,
        other => panic!("{other:?}"),
    }
}

fn long_poll_parks_for_its_timeout(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let park = parked(&mut world, &extended(), 30, true);
    assert_eq!(park.deadline_ms, START_MS + 30_000);
    let key = format!("workflows/{}/default", plain().principal.org_id);
    assert_eq!(park.keys.iter().map(|key| key.as_str()).collect::<alloc::vec::Vec<_>>(), [key.as_str()]);
    assert!(park.keys[0].is_queue());
    assert_eq!(parked(&mut world, &extended(), 3_600, true).deadline_ms, START_MS + 60_000);
    world.start("order");
    assert_eq!(world.take_wakes(), [key]);
    // Asked again after a wake that somebody else was faster at, it waits no longer than it said.
    world.poll(&extended());
    world.skip(10_000);
    let park = parked(&mut world, &extended().again(START_MS, false), 30, true);
    assert_eq!(park.deadline_ms, START_MS + 30_000);
}

fn plain_poll_parks_briefly(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    assert_eq!(parked(&mut world, &plain(), 30, false).deadline_ms, START_MS + 50);
    assert_eq!(parked(&mut world, &plain(), 30, true).deadline_ms, START_MS + 50);
    assert_eq!(parked(&mut world, &extended(), 30, false).deadline_ms, START_MS + 50);
}

fn expired_poll_is_answered_empty(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = PollRequest { timeout_seconds: 1, long_poll: true, ..PollRequest::default() };
    let late = extended().again(START_MS, true);
    world.skip(1_000);
    let Reply::Now(message, None) = world.call::<PollResponse>(&late, POLL, &request).unwrap() else { panic!() };
    assert_eq!(message, PollResponse::default());
    // The last attempt still takes what is there.
    let id = world.start("order");
    assert_eq!(world.poll_with(&late, &request).unwrap().id, id);
    let request = PollRequest { timeout_seconds: -1, ..PollRequest::default() };
    world.refuse(&extended(), POLL, &request, Code::InvalidArgument, &["timeout_seconds", "-1"]);
}

fn poll_of_a_client_that_gave_up_takes_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let gone = Client { deadline_ms: Some(START_MS), ..extended() };
    let reply = world.call::<PollResponse>(&gone, POLL, &PollRequest::default()).unwrap();
    assert!(matches!(reply, Reply::Now(_, None)));
    assert_eq!(world.poll(&extended()).id, id);
}

fn answer_holds_all_that_a_worker_needs(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = StartWorkflowRequest {
        workflow_kind: "order".into(),
        input: b"[1]".to_vec(),
        priority_seconds: 2,
        workflow_version: Some("3".into()),
        ..StartWorkflowRequest::default()
    };
    let id = world.start_with(request).workflow_execution_id;
    world.skip(7);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.message.lease_ms, 60_000);
    assert_eq!(claimed.token.len(), 32);
    assert_eq!(claimed.message.events.len(), 1);
    assert!(!claimed.message.has_more_events);
    let execution = claimed.message.workflow_execution.unwrap();
    assert_eq!((execution.id.as_str(), execution.kind.as_str(), execution.queue.as_str()), (&*id, "order", "default"));
    assert_eq!(execution.org_id, plain().principal.org_id.to_string());
    assert_eq!((execution.input.as_slice(), execution.priority_ms), (&b"[1]"[..], 2_000));
    assert_eq!((execution.created_at_ms, execution.workflow_task_time_millis), (START_MS, START_MS + 7));
    assert_eq!((execution.current_sequence, execution.workflow_version.as_deref()), (1, Some("3")));
    assert_eq!(world.status(&id), "RUNNING");
    assert_eq!(world.describe(&id).worker_id, "worker");
}

fn answer_holds_the_first_page(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let operations = (0..5).map(|n| operation(&format!("op-{n}"), "1")).collect();
    world.submit(&claimed, operations, WorkflowStatus::Running);
    world.config.polls.page_events_max = 4;
    world.advance(60_000);
    let claimed = world.poll(&extended());
    assert_eq!((claimed.id.as_str(), claimed.message.events.len()), (&*id, 4));
    assert!(claimed.message.has_more_events);
    assert_eq!(claimed.message.workflow_execution.unwrap().current_sequence, 6);
}

fn plain_answer_has_no_extension(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&plain());
    let bare = PollResponse { workflow_execution: claimed.message.workflow_execution.clone(), ..Default::default() };
    assert_eq!(claimed.message, bare);
    let done = super::super::world::submission(&id, 0, vec![task(1), suspend("")], WorkflowStatus::Suspended);
    assert_eq!(world.submit_with(&plain(), &done).unwrap(), Default::default());
    let claimed = world.poll_task(&plain());
    assert_eq!(claimed.message, PollTaskResponse { task: claimed.message.task.clone(), ..Default::default() });
}

fn claimed_execution_is_not_offered_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.start("order");
    world.poll(&extended());
    assert!(world.try_poll(&extended()).is_none());
    assert!(world.try_poll(&plain()).is_none());
}

fn task_polls_park_and_wake(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let request = PollTaskRequest { timeout_seconds: 20, long_poll: true, ..PollTaskRequest::default() };
    let Reply::Parked(park) = world.call::<PollTaskResponse>(&extended(), POLL_TASK, &request).unwrap() else {
        panic!("not parked")
    };
    assert_eq!(park.deadline_ms, START_MS + 20_000);
    world.suspended(vec![task(1)]);
    assert!(world.wakes.contains(&park.keys[0]));
    assert!(world.poll_task_with(&extended(), &request).is_some());
    let Reply::Now(message, None) =
        world.call::<PollTaskResponse>(&extended().again(0, true), POLL_TASK, &request).unwrap()
    else {
        panic!("parked")
    };
    assert_eq!(message, PollTaskResponse::default());
}

fn every_piece_of_work_wakes_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![task(1), task(2), task(3)]);
    let tasks = world.take_wakes().into_iter().filter(|key| key.starts_with("tasks/")).count();
    assert_eq!(tasks, 3);
}

/// What a poll of this worker that finds nothing waits for.
fn parked_of(world: &mut World<'_>, worker: &str) -> Park {
    let request =
        PollRequest { worker_id: worker.into(), timeout_seconds: 30, long_poll: true, ..PollRequest::default() };
    match world.call::<PollResponse>(&extended(), POLL, &request).unwrap() {
        Reply::Parked(park) => park,
        other => panic!("{other:?}"),
    }
}

fn parked_task(world: &mut World<'_>, worker: &str) -> Park {
    let request = PollTaskRequest {
        worker_id: worker.into(),
        timeout_seconds: 30,
        long_poll: true,
        ..PollTaskRequest::default()
    };
    match world.call::<PollTaskResponse>(&extended(), POLL_TASK, &request).unwrap() {
        Reply::Parked(park) => park,
        other => panic!("{other:?}"),
    }
}

fn wakes_tell_who_can_take_them(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "orders", &["order"], &["charge"]);
    register(&mut world, "refunds", &["refund"], &["ship"]);
    register(&mut world, "nothing", &[], &[]);
    let workers = ["orders", "refunds", "nothing", "unregistered", ""];
    let parks = workers.map(|worker| parked_of(&mut world, worker).kinds);
    let tasks = workers.map(|worker| parked_task(&mut world, worker).kinds);
    let id = world.start("order");
    assert_eq!(parks.map(|kinds| kinds.meets(world.woken_kinds)), [true, false, false, true, true]);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, id);
    // A task of the kind "charge".
    world.submit(&claimed, vec![task(1)], WorkflowStatus::Suspended);
    assert_eq!(tasks.map(|kinds| kinds.meets(world.woken_kinds)), [true, false, false, true, true]);
}

fn another_registration_wakes_the_polls_of_its_worker(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    register(&mut world, "shared", &["order"], &["charge"]);
    let other = parked_of(&mut world, "other's");
    world.start("refund");
    let parks = [parked_of(&mut world, "shared"), parked_task(&mut world, "shared")];
    world.take_wakes();
    // Another process of the same name, which does more.
    register(&mut world, "shared", &["refund"], &[]);
    let woken = world.wakes.clone();
    assert!(woken.iter().all(|key| !key.is_queue()), "all of its polls are asked: {woken:?}");
    assert!(parks.iter().all(|park| park.keys.iter().any(|key| woken.contains(key))));
    assert!(!other.keys.iter().any(|key| woken.contains(key)));
    let request = PollRequest { worker_id: "shared".into(), ..PollRequest::default() };
    assert!(world.poll_with(&extended(), &request).is_some());
}
