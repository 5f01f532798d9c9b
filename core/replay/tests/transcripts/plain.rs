//! Operations on a server without the extension: they settle first and are recorded in the same step, and `$seen`
//! says how much of the history had been told by then.

use crate::{
    events::{
        cancellation, child_cancellation, child_initiated, completed, operation, scheduled, signal, started, suspended,
        task_completed, timer_fired, timer_started,
    },
    support::{IDS, Transcript, complete, json, record, schedule, signals},
};
use flovyn_protocol::messages::{WorkflowEvent, WorkflowStatus::Completed};
use flovyn_replay::{CancelEffect, Resumption, Step};

fn plain<const N: usize>(events: [WorkflowEvent; N]) -> Transcript {
    let mut t = Transcript::open(false);
    t.answer(events);
    t
}

impl Transcript {
    /// The operation finishes, and is settled by the next poll.
    fn finishes_plainly(&mut self, handle: u32, result: &str) {
        self.finishes(handle, result);
        assert_eq!(self.execution.next_step(), Step::PollJob);
        assert_eq!(self.execution.take_submission(None).unwrap_err().code(), "OUT_OF_ORDER");
        self.job(&format!("resolve {handle} {result}"));
    }
}

#[test]
fn first_activation_that_only_waits_is_not_the_first_again() {
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.waits("go");
    assert!(t.execution.is_first_activation());
    t.suspends(&[signals(0)]);
    let mut t = plain([started("1"), operation("$signals", "0"), suspended()]);
    t.job("start 1");
    t.waits("go");
    assert!(!t.execution.is_first_activation());
    t.suspends(&[]);
}

#[test]
fn operation_settles_first_and_is_recorded_with_what_it_had_seen() {
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.task("a");
    t.run("op");
    t.no_job();
    t.starts([2]);
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes_plainly(2, "7");
    t.task("b");
    t.suspends(&[schedule("a", 0), record("$seen", "1"), record("op", "7"), schedule("b", 1)]);
}

#[test]
fn one_mark_is_enough_for_a_submission() {
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.run("x");
    t.run("y");
    t.no_job();
    t.starts([1, 2]);
    t.finishes(2, "20");
    t.finishes(1, "10");
    t.job("resolve 2 20");
    t.job("resolve 1 10");
    t.complete("null");
    t.ends(Completed, &[record("$seen", "1"), record("y", "20"), record("x", "10"), complete("null")]);
}

#[test]
fn later_events_need_another_mark() {
    let mut t = plain([started("1"), timer_started("timer-0")]);
    t.job("start 1");
    t.timer();
    t.run("x");
    t.run("y");
    t.no_job();
    t.starts([2, 3]);
    t.finishes_plainly(2, "10");
    t.no_job();
    t.answer([timer_fired("timer-0")]);
    t.job("resolve 1 null");
    t.no_job();
    t.finishes_plainly(3, "20");
    t.suspends(&[record("$seen", "2"), record("x", "10"), record("$seen", "3"), record("y", "20")]);
}

/// `await run('a'); if (hasSignal('s'))`: the signal landed while `a` ran, and its event stands before the record.
#[test]
fn what_landed_in_the_activation_is_told_after_the_operation() {
    let history = [started("1"), signal("s", "1"), operation("$seen", "1"), operation("a", "7"), suspended()];
    let mut t = plain(history);
    t.job("start 1");
    t.run("a");
    t.job("resolve 1 7");
    assert!(!t.execution.has_signal("s").unwrap(), "as in the first run");
    t.waits("s");
    t.job("resolve 2 1");
    t.suspends(&[]);
}

/// The same for a completion: `race([task, run a])`.
#[test]
fn operation_wins_against_a_task_that_landed() {
    let mut t = plain([
        started("1"),
        scheduled("t", "t1"),
        task_completed("t1", "1"),
        operation("$seen", "2"),
        operation("a", "7"),
        timer_started("timer-0"),
    ]);
    t.job("start 1");
    t.task("t");
    t.run("a");
    t.job("resolve 2 7");
    t.timer();
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn operations_of_one_mark_keep_their_order() {
    let mut t = plain([
        started("1"),
        timer_started("timer-0"),
        timer_fired("timer-0"),
        operation("$seen", "1"),
        operation("a", "1"),
        operation("b", "2"),
    ]);
    t.job("start 1");
    t.timer();
    t.run("b");
    t.run("a");
    t.job("resolve 3 1");
    t.job("resolve 2 2");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn two_activations_with_a_mark_each() {
    let mut t = plain([
        started("1"),
        timer_started("timer-0"),
        operation("$seen", "1"),
        operation("a", "1"),
        signal("s", "2"),
        timer_fired("timer-0"),
        operation("$seen", "5"),
        operation("b", "3"),
    ]);
    t.job("start 1");
    t.timer();
    t.run("a");
    t.job("resolve 2 1");
    t.waits("s");
    t.job("resolve 3 2");
    t.run("b");
    t.job("resolve 4 3");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn operation_without_a_mark_is_told_at_its_own_place() {
    let history = [started("1"), timer_started("timer-0"), timer_fired("timer-0"), operation("a", "7")];
    let mut t = plain(history);
    t.job("start 1");
    t.timer();
    t.run("a");
    t.job("resolve 1 null");
    t.job("resolve 2 7");
    t.suspends(&[]);
}

#[test]
fn extended_server_takes_the_marks_of_a_plain_one_back() {
    let history = || {
        [started("1"), operation("$seen", "1"), operation("a", "7"), timer_started("timer-0"), timer_fired("timer-0")]
    };
    let mut t = Transcript::of(history());
    t.job("start 1");
    t.run("a");
    t.job("resolve 1 7");
    t.timer();
    t.run("b");
    t.job("resolve 2 null");
    t.no_job();
    t.starts([3]);
    t.finishes(3, "8");
    t.submits_partially(&[record("$seen", "null"), record("b", "8")]);
    t.answer([signal("s", "1"), operation("$seen", "null"), operation("b", "8")]);
    assert!(!t.execution.is_replaying());
    t.job("resolve 3 8");
    assert!(t.execution.has_signal("s").unwrap());
    t.run("c");
    t.no_job();
    t.starts([4]);
    t.finishes(4, "9");
    t.submits_partially(&[record("c", "9")]);

    let mut t = Transcript::of(history());
    t.answer([signal("s", "1"), operation("$seen", "null"), operation("b", "8")]);
    t.job("start 1");
    t.run("a");
    t.job("resolve 1 7");
    t.timer();
    t.run("b");
    t.job("resolve 2 null");
    t.job("resolve 3 8");
    assert!(t.execution.has_signal("s").unwrap());
    t.suspends(&[]);
}

#[test]
fn failed_operation_settles_first_too() {
    let thrown = r#"{"__type":"OperationError","value":{"name":"Error","message":"no"}}"#;
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.run("a");
    t.no_job();
    t.starts([1]);
    t.throws(1, "no");
    t.job("reject 1 operation failed: Error: no");
    t.suspends(&[record("$seen", "1"), record("a", thrown)]);
}

#[test]
fn cancelled_operation_is_recorded_and_gives_no_job() {
    let mut t = plain([started("1"), scheduled("t", "t1"), cancellation("stop")]);
    t.job("start 1");
    t.task("t");
    t.run("a");
    t.job("cancel [1, 2] stop");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "7");
    assert_eq!(t.execution.next_step(), Step::PollJob);
    t.no_job();
    t.suspends(&[record("$seen", "3"), record("a", "7")]);
}

#[test]
fn operations_after_the_end_are_recorded_in_finish_order() {
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.complete("null");
    t.no_job();
    t.starts([1, 2]);
    t.finishes(2, "2");
    assert_eq!(t.execution.next_step(), Step::AwaitOperation);
    t.finishes(1, "1");
    t.ends(Completed, &[record("$seen", "1"), record("b", "2"), record("a", "1"), complete("null")]);

    let history = [started("1"), operation("$seen", "1"), operation("b", "2"), operation("a", "1"), completed("null")];
    let mut t = plain(history);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.complete("null");
    t.ends(Completed, &[]);
}

#[test]
fn continued_execution_does_not_settle_them_again() {
    let mut t = plain([started("1")]);
    t.job("start 1");
    t.run("a");
    t.waits("s");
    t.no_job();
    t.starts([1]);
    t.finishes_plainly(1, "7");
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(Resumption { task_time_ms: 9000, extended: false }).unwrap();
    t.answer([signal("s", "1"), operation("$seen", "1"), operation("a", "7"), suspended()]);
    t.job("resolve 2 1");
    t.run("a");
    t.no_job();
    t.starts([3]);
    t.finishes_plainly(3, "8");
    t.suspends(&[record("$seen", "5"), record("a", "8")]);
}

#[test]
fn added_operation_before_a_moved_one_is_a_violation() {
    let history = [started("1"), scheduled("t", IDS[0]), operation("$seen", "1"), operation("a", "7")];
    let mut t = plain(history);
    t.job("start 1");
    t.task("t");
    t.run("added");
    let violation = t.violates();
    assert_eq!(
        violation.message,
        "Operation name mismatch at event 4 (OPERATION_COMPLETED): expected operation \"a\", got operation \"added\""
    );
    assert_eq!(violation.handle, Some(2));
}

#[test]
fn command_before_a_moved_operation_is_a_violation_that_names_the_oldest_event() {
    let history = [started("1"), scheduled("t", IDS[0]), operation("$seen", "1"), operation("a", "7")];
    let mut t = plain(history);
    t.job("start 1");
    let error = t.execution.set_state("k", json("1")).unwrap_err();
    assert_eq!(t.stopped_by(error).event_sequence, 2);
}

#[test]
fn marks_of_a_broken_history_cannot_move_an_operation_before_the_start() {
    let mut t = plain([started("1"), operation("$seen", "-5"), operation("a", "7"), timer_started("timer-0")]);
    t.job("start 1");
    t.run("a");
    t.timer();
    t.job("resolve 1 7");
    t.suspends(&[]);

    let mut t = Transcript::open(false);
    let error = t.try_answer([started("1"), operation("$seen", "true")]).unwrap_err();
    assert_eq!(error.to_string(), "event 2: expected a whole number as the result of \"$seen\", got true");
}

#[test]
fn mark_that_goes_back_changes_no_order() {
    let mut t = plain([
        started("1"),
        timer_started("timer-0"),
        timer_fired("timer-0"),
        operation("$seen", "3"),
        operation("a", "1"),
        operation("$seen", "1"),
        operation("b", "2"),
    ]);
    t.job("start 1");
    t.timer();
    t.run("a");
    t.run("b");
    t.job("resolve 1 null");
    t.job("resolve 2 1");
    t.job("resolve 3 2");
    t.suspends(&[]);
}

#[test]
fn payloads_of_moved_operations_are_decoded_like_the_others() {
    let mut t = plain([
        started("1"),
        timer_started("timer-0"),
        operation("$seen", "1"),
        operation("a", "\"enc-2\""),
        signal("s", "\"enc-3\""),
    ]);
    assert_eq!(t.execution.encoded_payloads(), ["1", "\"enc-3\"", "\"enc-2\""]);
    t.execution.handle_decoded_payloads(vec!["\"one\"".into(), "\"three\"".into(), "\"two\"".into()]).unwrap();
    assert_eq!(t.execution.encoded_payloads(), Vec::<&str>::new());
    t.job("start \"one\"");
    t.timer();
    t.run("a");
    t.job("resolve 2 \"two\"");
    t.waits("s");
    t.job("resolve 3 \"three\"");
    t.suspends(&[]);
}

#[test]
fn oldest_unclaimed_event_is_named_whether_it_was_moved_or_not() {
    let mut t = plain([started("1"), operation("$seen", "1"), operation("a", "7"), scheduled("t", IDS[0])]);
    t.job("start 1");
    let error = t.execution.set_state("k", json("1")).unwrap_err();
    assert_eq!(t.stopped_by(error).event_sequence, 3);

    let mut t = plain([started("1"), operation("$seen", "1"), operation("a", "7")]);
    t.job("start 1");
    t.complete("null");
    assert_eq!(
        t.violates().message,
        "Operation name mismatch at event 3 (OPERATION_COMPLETED): expected operation \"a\", \
         got the end of the workflow (completed with null)"
    );
}

#[test]
fn event_of_a_cancelled_child_is_passed_where_a_plain_server_leaves_one() {
    let mut t = plain([
        started("1"),
        child_initiated("mail-1", "mail", "c1"),
        child_cancellation("mail-1"),
        operation("$cancel:mail-1", "true"),
        suspended(),
    ]);
    t.job("start 1");
    let child = t.child("mail").handle;
    assert_eq!(t.cancel(child), CancelEffect::Requested);
    t.suspends(&[]);
}
