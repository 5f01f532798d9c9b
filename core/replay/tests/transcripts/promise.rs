use crate::{
    events::{operation, promise_created, promise_rejected, promise_resolved, promise_timeout, started},
    support::{Transcript, create_promise, record},
};
use flovyn_replay::CreatePromise;

#[test]
fn promise_is_created_by_name() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let promise = CreatePromise {
        scope: 0,
        name: "approval".to_string(),
        timeout_ms: Some(1000),
        idempotency_key: Some("order-7".to_string()),
        idempotency_key_ttl_seconds: Some(60),
    };
    assert_eq!(t.execution.create_promise(promise).unwrap(), 1);
    t.suspends(&[concat!(
        r#"{"type":"CREATE_PROMISE","promiseId":"approval","timeoutMs":1000,"#,
        r#""idempotencyKey":"order-7","idempotencyKeyTtlSeconds":60}"#
    )
    .to_string()]);
}

#[test]
fn resolved_promise_resolves_its_handle() {
    let mut t =
        Transcript::of([started("1"), promise_created("approval", "p1"), promise_resolved("approval", "p1", "null")]);
    t.job("start 1");
    t.promise("approval");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn rejected_promise_rejects_its_handle() {
    let mut t =
        Transcript::of([started("1"), promise_created("approval", "p1"), promise_rejected("approval", "p1", "no")]);
    t.job("start 1");
    t.promise("approval");
    t.job("reject 1 promise approval p1 rejected: no");
    t.suspends(&[]);
}

#[test]
fn promise_times_out_and_a_resolution_after_it_is_late() {
    let mut t = Transcript::of([
        started("1"),
        promise_created("approval", "p1"),
        promise_timeout("approval", "p1"),
        promise_resolved("approval", "p1", "1"),
    ]);
    t.job("start 1");
    t.promise("approval");
    t.job("reject 1 promise approval p1 timed out");
    t.suspends(&[]);
}

#[test]
fn same_name_twice_makes_two_promises_told_apart_by_id() {
    let mut t = Transcript::of([
        started("1"),
        promise_created("approval", "p1"),
        promise_created("approval", "p2"),
        promise_resolved("approval", "p2", "2"),
        promise_resolved("approval", "p1", "1"),
    ]);
    t.job("start 1");
    t.promise("approval");
    t.promise("approval");
    t.job("resolve 2 2");
    t.job("resolve 1 1");
    t.promise("approval");
    t.suspends(&[create_promise("approval")]);
}

#[test]
fn live_promise_learns_its_id_from_the_answer() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.promise("approval");
    t.promise("approval");
    t.run("mail");
    t.no_job();
    t.starts([3]);
    t.finishes(3, "0");
    t.submits_partially(&[create_promise("approval"), create_promise("approval"), record("mail", "0")]);
    t.answer([
        promise_created("approval", "p1"),
        promise_created("approval", "p2"),
        operation("mail", "0"),
        promise_resolved("approval", "p2", "2"),
    ]);
    t.job("resolve 3 0");
    t.job("resolve 2 2");
    t.suspends(&[]);
}
