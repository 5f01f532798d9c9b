use crate::{
    events::{
        cancellation, child_initiated, completed, operation, promise_created, promise_resolved, scheduled, signal,
        started, task_cancellation, task_cancelled, task_completed, task_failed, timer_cancelled, timer_fired,
        timer_started, workflow_cancelled,
    },
    support::{
        IDS, Transcript, cancel_child, cancel_task, cancel_timer, cancel_workflow, complete, record, schedule, timer,
    },
};
use flovyn_protocol::messages::WorkflowStatus::{Cancelled, Completed};
use flovyn_replay::{CancelEffect, CreatePromise, ScheduleTask, Step};

#[test]
fn request_rejects_everything_pending_in_creation_order_in_one_job() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        timer_started("timer-0"),
        promise_created("p", "p1"),
        child_initiated("mail-1", "mail", "c1"),
        scheduled("b", "t2"),
        task_completed("t2", "1"),
        cancellation("stop"),
        task_completed("t1", "2"),
        timer_fired("timer-0"),
        promise_resolved("p", "p1", "3"),
        signal("s", "4"),
    ]);
    t.job("start 1");
    t.waits("s");
    t.task("a");
    t.timer();
    t.promise("p");
    t.child("mail");
    t.task("b");
    t.run("op");
    assert!(!t.execution.is_cancellation_requested());
    t.job("resolve 6 1");
    t.job("cancel [1, 2, 3, 4, 5, 7] stop");
    assert!(t.execution.is_cancellation_requested());
    assert_eq!(t.execution.cancellation_reason(), Some("stop"));
    t.no_job();
    t.starts([7]);
}

#[test]
fn second_request_gives_nothing() {
    let history = [started("1"), timer_started("timer-0"), cancellation("one"), cancellation("two")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.timer();
    t.job("cancel [1] one");
    t.timer();
    t.no_job();
    assert_eq!(t.execution.cancellation_reason(), Some("one"));
    t.suspends(&[timer(1)]);
}

#[test]
fn work_begun_after_the_request_runs_normally() {
    let mut t = Transcript::of([
        started("1"),
        timer_started("timer-0"),
        cancellation("stop"),
        scheduled("refund", "t1"),
        task_completed("t1", "7"),
    ]);
    t.job("start 1");
    t.timer();
    t.job("cancel [1] stop");
    t.task("refund");
    t.job("resolve 2 7");
    t.execution.complete_cancelled("stop".to_string()).unwrap();
    t.ends(Cancelled, &[cancel_workflow("stop")]);
}

#[test]
fn cancelled_execution_carries_all_its_commands() {
    let mut t = Transcript::of([started("1"), cancellation("stop")]);
    t.job("start 1");
    t.task("a");
    t.job("cancel [1] stop");
    t.timer();
    t.execution.complete_cancelled("by \"us\"".to_string()).unwrap();
    t.ends(Cancelled, &[schedule("a", 0), timer(0), cancel_workflow("by \\\"us\\\"")]);
}

#[test]
fn value_completes_all_the_same() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), cancellation("stop")]);
    t.job("start 1");
    t.timer();
    t.job("cancel [1] stop");
    t.complete("7");
    t.ends(Completed, &[complete("7")]);
}

#[test]
fn end_as_cancelled_is_confirmed_whatever_its_reason() {
    let history = [started("1"), timer_started("timer-0"), cancellation("stop"), workflow_cancelled("grace is over")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.timer();
    t.job("cancel [1] stop");
    t.execution.complete_cancelled("stop".to_string()).unwrap();
    t.ends(Cancelled, &[]);
}

#[test]
fn no_request_is_told_after_the_end() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), cancellation("stop")]);
    t.job("start 1");
    t.timer();
    t.complete("7");
    t.no_job();
    assert!(!t.execution.is_cancellation_requested());
    t.ends(Completed, &[complete("7")]);
}

/// The task completes, its continuation runs an operation, and the request to cancel is in the same batch.
#[test]
fn cancelled_operation_is_run_recorded_and_gives_no_job() {
    let history = || [started("1"), scheduled("a", "t1"), task_completed("t1", "1"), cancellation("stop")];
    let mut t = Transcript::of(history());
    t.job("start 1");
    t.task("a");
    t.job("resolve 1 1");
    t.run("charge");
    t.job("cancel [2] stop");
    t.no_job();
    t.starts([2]);
    assert_eq!(t.execution.next_step(), Step::AwaitOperation, "it is waited for");
    t.finishes(2, "7");
    t.submits_partially(&[record("charge", "7")]);
    t.answer([operation("charge", "7")]);
    t.suspends(&[]);

    let mut t = Transcript::of(history());
    t.answer([operation("charge", "7"), scheduled("refund", "t2"), task_completed("t2", "8")]);
    t.job("start 1");
    t.task("a");
    t.job("resolve 1 1");
    t.run("charge");
    t.job("cancel [2] stop");
    t.task("refund");
    t.job("resolve 3 8");
    t.suspends(&[]);
}

#[test]
fn timer_is_cancelled_with_a_command_and_at_once() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    assert_eq!(t.cancel(1), CancelEffect::Rejected);
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.suspends(&[timer(0), cancel_timer("timer-0")]);
}

#[test]
fn settled_and_unknown_handles_are_not_cancelled() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    assert_eq!([t.cancel(1), t.cancel(0), t.cancel(9)], [CancelEffect::None; 3]);
    t.suspends(&[]);
}

/// The timer fires (landed) while the batch cancels it, then another timer is cancelled.
#[test]
fn timer_that_landed_while_it_was_cancelled() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    t.timer();
    t.run("op");
    t.no_job();
    t.starts([3]);
    t.finishes(3, "1");
    t.submits_partially(&[timer(0), timer(1), record("op", "1")]);
    t.answer([timer_started("timer-0"), timer_started("timer-1"), operation("op", "1")]);
    t.job("resolve 3 1");
    assert_eq!(t.cancel(1), CancelEffect::Rejected);
    t.continues(&[cancel_timer("timer-0")], [timer_fired("timer-0"), timer_cancelled("timer-0")]);
    t.no_job();
    t.suspends(&[]);

    let mut t = Transcript::of([
        started("1"),
        timer_started("timer-0"),
        timer_started("timer-1"),
        operation("op", "1"),
        timer_fired("timer-0"),
        timer_cancelled("timer-0"),
        signal("go", "2"),
        timer_cancelled("timer-1"),
    ]);
    t.job("start 1");
    t.timer();
    t.timer();
    t.run("op");
    t.job("resolve 3 1");
    assert_eq!(t.cancel(1), CancelEffect::Rejected);
    t.waits("go");
    t.job("resolve 4 2");
    assert_eq!(t.cancel(2), CancelEffect::Rejected);
    t.suspends(&[]);
}

#[test]
fn promise_and_operation_are_cancelled_without_a_command() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.promise("p");
    t.run("op");
    assert_eq!([t.cancel(1), t.cancel(2)], [CancelEffect::Rejected; 2]);
    t.no_job();
    t.starts([2]);
    t.finishes(2, "1");
    t.submits_partially(&[crate::support::create_promise("p"), record("op", "1")]);
    t.answer([promise_created("p", "p1"), operation("op", "1"), promise_resolved("p", "p1", "2")]);
    t.no_job();
    t.suspends(&[]);
}

/// The cancelled promise still has its place among the ids that come back.
#[test]
fn promise_after_a_cancelled_one_of_its_batch_gets_its_own_id() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.promise("p");
    t.promise("p");
    t.cancel(1);
    t.continues(
        &[crate::support::create_promise("p"), crate::support::create_promise("p")],
        [promise_created("p", "p1"), promise_created("p", "p2"), promise_resolved("p", "p1", "1")],
    );
    t.no_job();
    t.continues(&[], [promise_resolved("p", "p2", "2")]);
    t.job("resolve 2 2");
    t.suspends(&[]);
}

#[test]
fn task_is_asked_to_stop_and_its_event_settles_it() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.continues(
        &[schedule("a", 0), cancel_task(IDS[0])],
        [scheduled("a", IDS[0]), task_cancellation(IDS[0]), task_cancelled(IDS[0]), task_failed(IDS[0], "cancelled")],
    );
    t.job(&format!("reject 1 task a {} cancelled: asked", IDS[0]));
    t.no_job();
    t.suspends(&[]);
}

#[test]
fn task_that_had_completed_is_not_cancelled() {
    let mut t =
        Transcript::of([started("1"), scheduled("a", "t1"), task_completed("t1", "7"), task_cancellation("t1")]);
    t.job("start 1");
    t.task("a");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    t.job("resolve 1 7");
    t.suspends(&[]);
}

#[test]
fn task_cannot_be_cancelled_on_a_plain_server() {
    let mut t = Transcript::open(false);
    t.answer([started("1")]);
    t.job("start 1");
    t.task("a");
    let error = t.execution.cancel(1, None).unwrap_err();
    assert_eq!(error.code(), "UNSUPPORTED");
    assert!(error.to_string().starts_with("unsupported: cancelling a task on a server that has not announced"));
    t.suspends(&[schedule("a", 0)]);
}

#[test]
fn task_cancellation_in_the_history_is_replayed_on_a_plain_server() {
    let mut t = Transcript::open(false);
    t.answer([started("1"), scheduled("a", "t1"), task_cancellation("t1"), task_cancelled("t1")]);
    t.job("start 1");
    t.task("a");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    t.job("reject 1 task a t1 cancelled: asked");
    t.suspends(&[]);
}

#[test]
fn request_rejects_a_task_that_was_asked_to_stop() {
    let mut t = Transcript::of([started("1"), cancellation("stop")]);
    t.job("start 1");
    t.task("a");
    t.cancel(1);
    t.job("cancel [1] stop");
    t.suspends(&[schedule("a", 0), cancel_task(IDS[0])]);
}

#[test]
fn scope_is_cancelled_with_those_in_it_and_its_things_are_told() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let outside = t.timer();
    let scope = t.execution.open_scope(0, true).unwrap();
    assert_eq!(scope, 1);
    let inner = t.execution.open_scope(scope, true).unwrap();
    let shielded = t.execution.open_scope(inner, false).unwrap();
    let deep = t.execution.open_scope(shielded, true).unwrap();
    assert_eq!((inner, shielded, deep), (2, 3, 4));

    let in_inner = t.execution.start_timer(inner, 1000).unwrap();
    let kept = [t.execution.start_timer(shielded, 1000).unwrap(), t.execution.start_timer(deep, 1000).unwrap()];
    let task = ScheduleTask { scope, kind: "a".to_string(), ..ScheduleTask::default() };
    let in_scope = t.execution.schedule_task(task).unwrap().handle;
    let child = flovyn_replay::StartChild { scope, kind: "mail".to_string(), ..Default::default() };
    let child = t.execution.start_child(child).unwrap().handle;
    let promise = CreatePromise { scope, name: "p".to_string(), ..CreatePromise::default() };
    let promise = t.execution.create_promise(promise).unwrap();
    let waiter = t.execution.wait_for_signal(scope, "s").unwrap().handle;
    let run = t.execution.begin_operation(scope, "op").unwrap();
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [in_inner, in_scope, child, promise, waiter, run]);
    assert!(t.execution.cancel_scope(scope).unwrap().is_empty());
    assert_eq!([t.cancel(in_inner), t.cancel(in_scope)], [CancelEffect::None; 2]);

    let later = t.execution.start_timer(scope, 1000).unwrap();
    assert_eq!(t.execution.cancel_scope(shielded).unwrap(), kept);
    assert_eq!([t.cancel(outside), t.cancel(later)], [CancelEffect::Rejected; 2]);
    t.no_job();
    t.starts([run]);
    t.finishes(run, "1");
    t.submits_partially(&[
        timer(0),
        timer(1),
        timer(2),
        timer(3),
        schedule("a", 0),
        crate::support::start_child("mail-1", "mail", 1),
        crate::support::create_promise("p"),
        cancel_timer("timer-1"),
        cancel_task(IDS[0]),
        cancel_child("mail-1", IDS[1]),
        timer(4),
        cancel_timer("timer-2"),
        cancel_timer("timer-3"),
        cancel_timer("timer-0"),
        cancel_timer("timer-4"),
        record("op", "1"),
    ]);
}

#[test]
fn scope_does_not_ask_twice() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let scope = t.execution.open_scope(0, true).unwrap();
    let task = ScheduleTask { scope, kind: "a".to_string(), ..ScheduleTask::default() };
    t.execution.schedule_task(task).unwrap();
    t.cancel(1);
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [1]);
    t.suspends(&[schedule("a", 0), cancel_task(IDS[0])]);
}

#[test]
fn scope_leaves_tasks_alone_on_a_plain_server() {
    let mut t = Transcript::open(false);
    t.answer([started("1")]);
    t.job("start 1");
    let scope = t.execution.open_scope(0, true).unwrap();
    let task = ScheduleTask { scope, kind: "a".to_string(), ..ScheduleTask::default() };
    t.execution.schedule_task(task).unwrap();
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [1]);
    t.suspends(&[schedule("a", 0)]);
}

#[test]
fn request_spares_what_is_not_cancellable() {
    let mut t = Transcript::of([started("1"), cancellation("stop")]);
    t.job("start 1");
    let cancellable = t.execution.open_scope(0, true).unwrap();
    let shielded = t.execution.open_scope(0, false).unwrap();
    let first = t.execution.start_timer(cancellable, 1000).unwrap();
    t.execution.start_timer(shielded, 1000).unwrap();
    let third = t.timer();
    t.job(&format!("cancel [{first}, {third}] stop"));
    t.suspends(&[timer(0), timer(1), timer(2)]);
}

#[test]
fn cancelled_scope_replays_without_a_command() {
    let mut t = Transcript::of([
        started("1"),
        timer_started("timer-0"),
        timer_started("timer-1"),
        timer_fired("timer-0"),
        timer_cancelled("timer-1"),
        scheduled("a", "t1"),
        task_completed("t1", "7"),
    ]);
    t.job("start 1");
    t.timer();
    let scope = t.execution.open_scope(0, true).unwrap();
    t.execution.start_timer(scope, 1000).unwrap();
    t.job("resolve 1 null");
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [2]);
    t.task("a");
    t.job("resolve 3 7");
    t.suspends(&[]);
}

#[test]
fn scope_that_was_not_opened_is_refused() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let error = t.execution.start_timer(1, 1000).unwrap_err();
    assert_eq!(error.to_string(), "scope: expected the number of a scope that was opened, got 1");
    for error in [
        t.execution.open_scope(1, true).unwrap_err(),
        t.execution.cancel_scope(1).unwrap_err(),
        t.execution.begin_operation(1, "a").unwrap_err(),
        t.execution.wait_for_signal(1, "a").unwrap_err(),
    ] {
        assert_eq!(error.code(), "INVALID_ARGUMENT");
    }
    t.timer();
    t.suspends(&[timer(0)]);
}

#[test]
fn late_request_after_the_end_of_a_history_says_nothing() {
    let mut t = Transcript::of([started("1"), completed("7"), cancellation("stop"), signal("s", "1")]);
    t.job("start 1");
    t.complete("7");
    t.ends(Completed, &[]);
}

#[test]
fn scope_that_was_cancelled_on_a_plain_server_asks_no_task_again() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        timer_started("timer-0"),
        timer_fired("timer-0"),
        scheduled("b", "t2"),
        task_completed("t1", "1"),
    ]);
    t.job("start 1");
    let scope = t.execution.open_scope(0, true).unwrap();
    let task = ScheduleTask { scope, kind: "a".to_string(), ..ScheduleTask::default() };
    let handle = t.execution.schedule_task(task).unwrap().handle;
    t.timer();
    t.job("resolve 2 null");
    assert_eq!(t.execution.cancel_scope(scope).unwrap(), [handle]);
    t.task("b");
    t.suspends(&[]);
}
