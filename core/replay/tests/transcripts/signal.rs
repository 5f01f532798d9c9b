use crate::{
    events::{
        cancellation, event, operation, scheduled, signal, started, suspended, task_completed, timer_fired,
        timer_started,
    },
    support::{IDS, Transcript, complete, json, record, schedule, signals, timer},
};
use flovyn_protocol::messages::WorkflowStatus::{Completed, Suspended};
use flovyn_replay::CancelEffect;

#[test]
fn first_activation_with_only_a_waiter_leaves_a_mark() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.waits("go"), 1);
    t.suspends(&[signals(0)]);
}

#[test]
fn first_activation_with_another_command_leaves_no_mark() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.waits("go");
    t.timer();
    t.suspends(&[timer(0)]);
}

#[test]
fn first_activation_that_ends_leaves_no_mark() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.complete("2");
    t.ends(Completed, &[complete("2")]);
}

#[test]
fn signals_after_the_start_are_there_in_the_first_turn() {
    let mut t = Transcript::of([started("1"), signal("a", "1"), signal("b", "2"), signal("a", "3")]);
    t.job("start 1");
    assert!(t.execution.has_signal("a").unwrap());
    assert_eq!(t.execution.pending_signal_count("a").unwrap(), 2);
    t.takes("a", "1");
    assert_eq!(t.execution.drain_signals("a").unwrap(), [json("3")]);
    assert!(!t.execution.has_signal("a").unwrap());
    assert_eq!(t.waits("a"), 2, "the handle of the signal that was taken is used up");
    t.suspends(&[signals(3)]);
}

#[test]
fn mark_begins_the_first_submission_and_only_that() {
    let mut t = Transcript::of([started("1"), signal("a", "1")]);
    assert!(!t.execution.is_first_activation(), "the code has not begun");
    t.job("start 1");
    assert!(t.execution.is_first_activation());
    t.task("charge");
    t.run("op");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "7");
    t.submits_partially(&[signals(1), schedule("charge", 0), record("op", "7")]);
    assert!(!t.execution.is_first_activation(), "what it did so far is recorded");
    t.answer([operation("$signals", "1"), scheduled("charge", IDS[0]), operation("op", "7")]);
    t.job("resolve 2 7");
    t.timer();
    t.suspends(&[timer(0)]);
}

#[test]
fn mark_comes_before_the_command_that_ends() {
    let mut t = Transcript::of([started("1"), signal("a", "1")]);
    t.job("start 1");
    t.complete("2");
    t.ends(Completed, &[signals(1), complete("2")]);
}

/// The signal `a` was there at the start, `b` landed while the first activation ran.
#[test]
fn replay_sees_in_its_first_turn_what_the_first_run_saw() {
    let history = [started("1"), signal("a", "1"), signal("b", "2"), operation("$signals", "1"), suspended()];
    let mut t = Transcript::of(history);
    t.job("start 1");
    assert!(t.execution.has_signal("a").unwrap());
    assert!(!t.execution.has_signal("b").unwrap());
    assert!(!t.execution.is_replaying(), "the mark needs no claim");
    t.waits("b");
    t.job("resolve 1 2");
    t.suspends(&[]);
}

#[test]
fn absent_mark_means_none() {
    let mut t = Transcript::of([started("1"), signal("a", "1"), timer_started("timer-0")]);
    t.job("start 1");
    assert!(!t.execution.has_signal("a").unwrap());
    t.timer();
    t.no_job();
    t.suspends(&[]);
}

/// The mark of none is what tells the second activation from the first.
#[test]
fn signal_after_a_first_activation_that_only_waited() {
    let history = [started("1"), operation("$signals", "0"), suspended(), signal("go", "7")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    assert!(!t.execution.is_first_activation());
    assert!(!t.execution.has_signal("go").unwrap());
    t.waits("go");
    t.job("resolve 1 7");
    t.suspends(&[]);
}

#[test]
fn landed_signal_beside_the_mark_of_none() {
    let history = [started("1"), signal("go", "7"), operation("$signals", "0"), suspended()];
    let mut t = Transcript::of(history);
    t.job("start 1");
    assert!(!t.execution.has_signal("go").unwrap());
    t.waits("go");
    t.job("resolve 1 7");
    t.suspends(&[]);
}

#[test]
fn only_signals_directly_after_the_start_are_there() {
    let mut t = Transcript::of([started("1"), signal("a", "1"), cancellation("stop"), signal("a", "2")]);
    t.job("start 1");
    assert_eq!(t.execution.pending_signal_count("a").unwrap(), 1);
    t.job("cancel [] stop");
    assert_eq!(t.execution.pending_signal_count("a").unwrap(), 1);
    t.no_job();
    t.suspends(&[signals(1)]);
}

#[test]
fn skipped_events_between_start_and_signal_do_not_matter() {
    let unknown = event("SOMETHING_NEW", "?");
    let mut t = Transcript::of([started("1"), suspended(), signal("a", "1"), unknown, signal("a", "2")]);
    t.job("start 1");
    assert_eq!(t.execution.pending_signal_count("a").unwrap(), 2);
    t.suspends(&[signals(2)]);
}

#[test]
fn signal_is_seen_when_the_cursor_reaches_it() {
    let mut t = Transcript::of([
        started("1"),
        scheduled("a", "t1"),
        signal("s", "1"),
        task_completed("t1", "2"),
        signal("s", "3"),
    ]);
    t.job("start 1");
    t.task("a");
    assert!(!t.execution.has_signal("s").unwrap());
    t.job("resolve 1 2");
    assert_eq!(t.execution.drain_signals("s").unwrap(), [json("1")]);
    assert_eq!(t.execution.drain_signals("s").unwrap(), []);
    t.waits("s");
    t.job("resolve 2 3");
    t.suspends(&[]);
}

#[test]
fn waiters_are_served_in_line_and_names_are_apart() {
    let mut t = Transcript::of([
        started("1"),
        operation("$signals", "0"),
        signal("a", "1"),
        signal("b", "2"),
        signal("a", "3"),
        signal("a", "4"),
    ]);
    t.job("start 1");
    assert_eq!([t.waits("a"), t.waits("a"), t.waits("b")], [1, 2, 3]);
    t.job("resolve 1 1");
    t.job("resolve 3 2");
    t.job("resolve 2 3");
    t.no_job();
    t.suspends(&[]);
}

/// `race([waitForSignal, sleep])`: the loser of a native race is still in line and takes the next signal.
#[test]
fn losing_waiter_of_a_race_stays_in_line() {
    let history = [started("1"), timer_started("timer-0"), timer_fired("timer-0"), signal("s", "1"), signal("s", "2")];
    let mut t = Transcript::of(history.clone());
    t.job("start 1");
    t.waits("s");
    t.timer();
    t.job("resolve 2 null");
    assert_eq!(t.waits("s"), 3);
    t.job("resolve 1 1");
    t.job("resolve 3 2");
    t.suspends(&[]);

    let mut t = Transcript::of(history);
    t.job("start 1");
    t.waits("s");
    t.timer();
    t.job("resolve 2 null");
    assert_eq!(t.cancel(1), CancelEffect::Rejected);
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.waits("s");
    t.job("resolve 3 1");
    t.no_job();
    t.suspends(&[]);
}

#[test]
fn cancelled_waiter_in_the_middle_of_the_line_is_passed_over() {
    let history = [started("1"), operation("$signals", "0"), signal("s", "1"), signal("s", "2")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    assert_eq!([t.waits("s"), t.waits("s"), t.waits("s")], [1, 2, 3]);
    assert_eq!(t.cancel(2), CancelEffect::Rejected);
    t.job("resolve 1 1");
    t.job("resolve 3 2");
    t.suspends(&[]);
}

#[test]
fn handlers_get_signals_in_turns_of_their_own() {
    let history = [started("1"), signal("h", "1"), signal("q", "2"), operation("$signals", "2"), signal("h", "3")];
    let mut t = Transcript::open(true);
    t.execution.set_signal_handlers(["h"]).unwrap();
    t.answer(history);
    t.job("start 1 signal h 1");
    assert!(!t.execution.has_signal("h").unwrap());
    assert!(t.execution.has_signal("q").unwrap());
    t.waits("h");
    t.job("signal h 3");
    t.timer();
    t.suspends(&[timer(0)]);
}

#[test]
fn handlers_of_the_first_turn_run_in_order_and_are_marked() {
    let mut t = Transcript::open(true);
    t.execution.set_signal_handlers(["a", "b"]).unwrap();
    t.answer([started("1"), signal("b", "1"), signal("a", "2"), signal("b", "3")]);
    t.job("start 1 signal b 1 signal a 2 signal b 3");
    t.suspends(&[signals(3)]);
}

#[test]
fn handlers_are_known_before_the_first_job() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.set_signal_handlers(["a"]).unwrap_err().code(), "OUT_OF_ORDER");
}

#[test]
fn no_signal_is_told_after_the_end() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), signal("h", "1")]);
    t.job("start 1");
    t.timer();
    t.waits("h");
    t.complete("2");
    t.ends(Completed, &[complete("2")]);
}

/// Three turns of `while (hasSignal) drain; await task; await waitForSignal`, live and replayed.
#[test]
fn loop_over_signals_takes_the_same_way_in_replay() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert!(!t.execution.has_signal("s").unwrap());
    t.task("a");
    t.continues(&[schedule("a", 0)], [scheduled("a", IDS[0]), signal("s", "1"), task_completed(IDS[0], "2")]);
    t.job("resolve 1 2");
    t.takes("s", "1");
    assert!(!t.execution.has_signal("s").unwrap());
    t.task("a");
    t.continues(&[schedule("a", 1)], [scheduled("a", IDS[1]), task_completed(IDS[1], "3"), signal("s", "4")]);
    t.job("resolve 3 3");
    t.waits("s");
    t.job("resolve 4 4");
    t.suspends(&[]);

    let mut t = Transcript::of([
        started("1"),
        scheduled("a", IDS[0]),
        signal("s", "1"),
        task_completed(IDS[0], "2"),
        scheduled("a", IDS[1]),
        task_completed(IDS[1], "3"),
        signal("s", "4"),
    ]);
    t.job("start 1");
    assert!(!t.execution.has_signal("s").unwrap());
    t.task("a");
    t.job("resolve 1 2");
    t.takes("s", "1");
    assert!(!t.execution.has_signal("s").unwrap());
    t.task("a");
    t.job("resolve 3 3");
    t.waits("s");
    t.job("resolve 4 4");
    t.suspends(&[]);
}

/// `run(a).then(() => schedule(late)); waitForSignal().then(() => schedule(sig)); return`: the signal landed.
#[test]
fn neither_operation_nor_signal_moves_a_function_that_has_returned() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.waits("s");
    t.complete("null");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "7");
    t.ends(Completed, &[record("a", "7"), complete("null")]);

    let ended = event("WORKFLOW_COMPLETED", r#"{"output":null}"#);
    let mut t = Transcript::of([started("1"), signal("s", "1"), operation("a", "7"), ended]);
    t.job("start 1");
    t.run("a");
    t.waits("s");
    t.complete("null");
    t.ends(Completed, &[]);
}

/// `await run('a'); if (hasSignal('s'))`, the signal landing while `a` runs.
#[test]
fn signal_that_lands_while_an_operation_runs_comes_before_its_record() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "7");
    t.submits_partially(&[record("a", "7")]);
    t.answer([signal("s", "1"), operation("a", "7")]);
    t.job("resolve 1 7");
    assert!(t.execution.has_signal("s").unwrap());

    let mut t = Transcript::of([started("1"), signal("s", "1"), operation("a", "7")]);
    t.job("start 1");
    assert!(!t.execution.has_signal("s").unwrap());
    t.run("a");
    t.job("resolve 1 7");
    assert!(t.execution.has_signal("s").unwrap());
    t.suspends(&[]);
}

#[test]
fn signal_without_name_or_value_has_defaults() {
    let history = [started("1"), operation("$signals", "0"), event("SIGNAL_RECEIVED", "{}")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.waits("__default__");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn mark_that_is_no_number_is_an_invalid_history() {
    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), operation("$signals", "-1")]).unwrap_err();
    assert_eq!(error.to_string(), "event 2: expected a whole number as the result of \"$signals\", got -1");
}

#[test]
fn mark_of_more_signals_than_there_are_takes_those_that_are_there() {
    let mut t = Transcript::of([started("1"), signal("s", "1"), operation("$signals", "9")]);
    t.job("start 1");
    assert_eq!(t.execution.pending_signal_count("s").unwrap(), 1);
    t.ends(Suspended, &[]);
}
