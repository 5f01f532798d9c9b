use crate::{
    events::{operation, scheduled, started, suspended, task_completed, timer_fired, timer_started},
    support::{ID, IDS, Transcript, complete, numbered, record, schedule, timer},
};
use flovyn_protocol::messages::WorkflowStatus::{Completed, Suspended};
use flovyn_replay::Step;

#[test]
fn submissions_are_numbered_and_say_what_is_held() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    t.run("b");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "2");
    let first = t.submits_partially(&[schedule("a", 0), record("b", "2")]);
    assert_eq!((first.submission_number, first.after_sequence), (1, 1));
    let numbers: Vec<i32> = first.commands.iter().map(|command| command.sequence_number).collect();
    assert_eq!(numbers, [1, 2]);
    t.answer([scheduled("a", IDS[0]), operation("b", "2")]);
    t.job("resolve 2 2");
    t.no_job();
    let last = t.execution.take_submission(None).unwrap();
    assert_eq!((last.submission_number, last.after_sequence), (2, 3));
    assert_eq!((last.status, last.commands.len()), (Suspended, 0));
}

#[test]
fn plain_server_is_told_no_numbers() {
    let mut t = Transcript::open(false);
    t.answer([started("1")]);
    t.job("start 1");
    t.timer();
    t.no_job();
    let submission = t.execution.take_submission(None).unwrap();
    assert_eq!((submission.submission_number, submission.after_sequence), (0, 0));
}

#[test]
fn landed_events_come_before_the_record() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1")]);
    t.job("start 1");
    t.task("a");
    t.run("b");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "2");
    t.submits_partially(&[record("b", "2")]);
    t.answer([task_completed("t1", "1"), operation("b", "2")]);
    t.job("resolve 1 1");
    t.job("resolve 2 2");
    t.suspends(&[]);
}

#[test]
fn events_after_the_record_come_after_it_and_pages_follow() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1")]);
    t.job("start 1");
    t.task("a");
    t.run("b");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "2");
    t.submits_partially(&[record("b", "2")]);
    let answer = numbered(3, [suspended(), operation("b", "2"), task_completed("t1", "1")]);
    t.execution.handle_events(&answer[..1]).unwrap();
    t.execution.handle_events(&answer[1..2]).unwrap();
    t.execution.handle_events(&answer).unwrap();
    t.job("resolve 2 2");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

#[test]
fn operations_that_finish_under_way_share_the_next_submission() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    for name in ["a", "b", "c"] {
        t.run(name);
    }
    t.no_job();
    t.starts([1, 2, 3]);
    t.finishes(1, "1");
    t.submits_partially(&[record("a", "1")]);
    t.finishes(3, "3");
    t.finishes(2, "2");
    t.answer([operation("a", "1")]);
    t.job("resolve 1 1");
    t.no_job();
    t.submits_partially(&[record("c", "3"), record("b", "2")]);
    t.answer([operation("c", "3"), operation("b", "2")]);
    t.job("resolve 3 3");
    t.job("resolve 2 2");
    t.suspends(&[]);
}

#[test]
fn operations_that_finish_together_share_a_submission() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.run("b");
    t.no_job();
    t.starts([1, 2]);
    t.finishes(2, "2");
    t.finishes(1, "1");
    t.submits_partially(&[record("b", "2"), record("a", "1")]);
    t.answer([operation("b", "2"), operation("a", "1")]);
    t.job("resolve 2 2");
    t.complete("2");
    t.ends(Completed, &[complete("2")]);
}

#[test]
fn next_job_needs_the_answer() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "1");
    t.submits_partially(&[record("a", "1")]);
    assert_eq!(t.execution.take_submission(None).unwrap_err().code(), "OUT_OF_ORDER");
    let error = t.execution.poll_job().unwrap_err();
    assert_eq!(error.code(), "STALE");
    assert_eq!(
        error.to_string(),
        "event 1: expected {\"type\":\"RECORD_OPERATION\",\"operationName\":\"a\",\"result\":1}, \
         got the end of the answer: drop this execution and replay its complete history"
    );
}

#[test]
fn replay_of_what_was_answered_calls_nothing_again() {
    let mut t = Transcript::of([
        started("1"),
        timer_started("timer-0"),
        operation("a", "1"),
        timer_fired("timer-0"),
        operation("b", "2"),
    ]);
    t.job("start 1");
    t.timer();
    t.run("a");
    t.job("resolve 2 1");
    t.run("b");
    t.job("resolve 1 null");
    t.job("resolve 3 2");
    assert!(!t.execution.is_replaying());
    t.timer();
    t.suspends(&[timer(1)]);
}

#[test]
fn submission_waits_for_operations_to_be_started_and_to_finish() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.run("a");
    t.no_job();
    assert_eq!(t.execution.next_step(), Step::StartOperations);
    let error = t.execution.stage_submission().unwrap_err();
    assert_eq!(
        error.to_string(),
        "stage_submission: operations have to be started or settled, or are running: ask next_step"
    );
    t.starts([1]);
    assert_eq!(t.execution.take_submission(None).unwrap_err().code(), "OUT_OF_ORDER");
    t.finishes(1, "1");
    t.submits_partially(&[record("a", "1")]);
    assert_eq!(t.execution.execution_id(), ID);
}
