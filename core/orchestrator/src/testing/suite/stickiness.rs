//! Workers that keep executions in memory are given those first, and nobody waits for it.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use flovyn_protocol::messages::{
    PollRequest, PollResponse, WorkerRegistrationRequest, WorkerRegistrationResponse, WorkflowCapability,
    WorkflowStatus,
};

use crate::testing::{
    Harness,
    commands::timer,
    suite::tests,
    world::{Reply, World, extended, plain},
};

tests!(
    last_worker_is_woken_first,
    who_keeps_nothing_is_woken_in_turn,
    own_executions_come_first,
    what_has_waited_long_comes_before_own_executions,
    others_need_not_wait_for_the_last_worker,
    only_kinds_that_the_worker_runs,
    own_executions_come_in_order,
);

fn keeping(worker: &str) -> PollRequest {
    PollRequest {
        worker_id: worker.into(),
        timeout_seconds: 30,
        long_poll: true,
        continues_executions: true,
        ..PollRequest::default()
    }
}

fn polled(world: &mut World<'_>, worker: &str) -> String {
    world.poll_with(&extended(), &keeping(worker)).unwrap().id
}

/// Executions, the oldest first, that wait for a timer of 10 ms each and were suspended by these workers.
fn suspended_by<const N: usize>(world: &mut World<'_>, workers: [&str; N]) -> [String; N] {
    workers.map(|worker| {
        let id = world.start("order");
        let claimed = world.poll_with(&extended(), &keeping(worker)).unwrap();
        assert_eq!(claimed.id, id);
        world.submit(&claimed, vec![timer("t", 10)], WorkflowStatus::Suspended);
        id
    })
}

fn parked_keys(world: &mut World<'_>, poll: &PollRequest) -> Vec<String> {
    match world.call::<PollResponse>(&extended(), "v1.WorkflowDispatch/PollWorkflow", poll).unwrap() {
        Reply::Parked(park) => park.keys.iter().map(ToString::to_string).collect(),
        Reply::Now(message, _) => panic!("not parked: {message:?}"),
    }
}

fn last_worker_is_woken_first(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    suspended_by(&mut world, ["a"]);
    let queue = format!("workflows/{}/default", plain().principal.org_id);
    let mine = parked_keys(&mut world, &keeping("a"));
    assert_eq!(mine[1], queue);
    assert_eq!(parked_keys(&mut world, &keeping("b"))[1], queue);
    assert_ne!(parked_keys(&mut world, &keeping("b"))[0], mine[0]);
    world.take_wakes();
    world.preferred.clear();
    world.advance(10);
    assert_eq!(world.take_wakes(), [queue]);
    assert_eq!(world.preferred.iter().map(ToString::to_string).collect::<Vec<_>>(), mine[..1]);
}

fn who_keeps_nothing_is_woken_in_turn(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let queue = [format!("workflows/{}/default", plain().principal.org_id)];
    let forgetful = PollRequest { continues_executions: false, ..keeping("a") };
    assert_eq!(parked_keys(&mut world, &forgetful)[..1], queue);
    assert_eq!(parked_keys(&mut world, &keeping("")), queue);
    world.start("order");
    assert!(world.preferred.is_empty(), "a new execution was with nobody");
}

fn own_executions_come_first(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [of_a, of_b] = suspended_by(&mut world, ["a", "b"]);
    world.advance(10);
    assert_eq!(polled(&mut world, "b"), of_b);
    assert_eq!(polled(&mut world, "a"), of_a);
}

fn what_has_waited_long_comes_before_own_executions(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [of_a, of_b] = suspended_by(&mut world, ["a", "b"]);
    world.advance(10);
    world.skip(1_999);
    let claimed = world.poll_with(&extended(), &keeping("b")).unwrap();
    assert_eq!(claimed.id, of_b);
    // Ready again, later than the other.
    world.release_undelivered(&claimed.undelivered);
    world.skip(1);
    assert_eq!([polled(&mut world, "b"), polled(&mut world, "b")], [of_a, of_b]);
}

fn others_need_not_wait_for_the_last_worker(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [of_a] = suspended_by(&mut world, ["a"]);
    world.advance(10);
    assert_eq!(polled(&mut world, "b"), of_a);
    // Of a worker that keeps nothing, the order of the queue is all there is.
    let [first, second] = suspended_by(&mut world, ["a", "b"]);
    world.advance(10);
    let forgetful = PollRequest { continues_executions: false, ..keeping("b") };
    let order = [&forgetful, &forgetful].map(|poll| world.poll_with(&extended(), poll).unwrap().id);
    assert_eq!(order, [first, second]);
}

fn only_kinds_that_the_worker_runs(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [of_a, of_b] = suspended_by(&mut world, ["a", "b"]);
    let request = WorkerRegistrationRequest {
        worker_name: "b".into(),
        workflows: vec![WorkflowCapability { kind: "refund".into(), ..WorkflowCapability::default() }],
        ..WorkerRegistrationRequest::default()
    };
    let _: WorkerRegistrationResponse = world.ask(&extended(), "v1.WorkerLifecycle/RegisterWorker", &request).unwrap();
    world.advance(10);
    let refund = world.start("refund");
    assert_eq!(polled(&mut world, "b"), refund);
    assert!(world.poll_with(&extended(), &keeping("b")).is_none());
    assert_eq!([polled(&mut world, "a"), polled(&mut world, "a")], [of_a, of_b]);
}

fn own_executions_come_in_order(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let [_, first, _, second] = suspended_by(&mut world, ["a", "b", "a", "b"]);
    world.advance(10);
    assert_eq!([polled(&mut world, "b"), polled(&mut world, "b")], [first, second]);
    world.harness.reopen();
    assert!(world.poll_with(&extended(), &keeping("b")).is_some(), "and then what is left");
}
