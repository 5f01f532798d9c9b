use crate::{
    events::{
        completed, operation, scheduled, started, task_completed, timer_fired, timer_started, workflow_cancelled,
    },
    support::{IDS, Transcript, complete, record, schedule, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;
use flovyn_replay::Difference;

#[test]
fn new_execution_takes_the_new_way_and_says_so_once() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert!(t.execution.patched("tax").unwrap());
    assert!(t.execution.patched("tax").unwrap());
    assert!(t.execution.patched("other").unwrap());
    t.suspends(&[record("$patch:tax", "true"), record("$patch:other", "true")]);
}

#[test]
fn record_anywhere_in_the_history_decides_and_needs_no_claim() {
    let history = || [started("1"), scheduled("a", "t1"), task_completed("t1", "1"), operation("$patch:tax", "true")];
    let mut t = Transcript::of(history());
    t.job("start 1");
    assert!(t.execution.patched("tax").unwrap());
    t.task("a");
    assert!(!t.execution.is_replaying());
    t.job("resolve 1 1");
    t.suspends(&[]);

    let mut t = Transcript::of(history());
    t.job("start 1");
    t.task("a");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

/// New code on an old history, also in a loop: what was decided stays.
#[test]
fn replaying_execution_takes_the_old_way_throughout() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    assert!(!t.execution.patched("tax").unwrap());
    t.timer();
    assert!(!t.execution.is_replaying());
    assert!(!t.execution.patched("tax").unwrap());
    t.job("resolve 1 null");
    assert!(!t.execution.patched("tax").unwrap());
    t.timer();
    t.suspends(&[timer(1)]);
}

#[test]
fn execution_that_has_caught_up_takes_the_new_way() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1"), task_completed("t1", "1")]);
    t.job("start 1");
    t.task("a");
    assert!(t.execution.patched("tax").unwrap());
    t.job("resolve 1 1");
    assert!(t.execution.patched("tax").unwrap());
    t.suspends(&[record("$patch:tax", "true")]);
}

#[test]
fn ended_execution_is_replayed_the_old_way() {
    let mut t = Transcript::of([started("1"), completed("7")]);
    t.job("start 1");
    assert!(!t.execution.patched("tax").unwrap());
    t.complete("7");
    t.ends(Completed, &[]);
}

#[test]
fn continued_execution_keeps_its_decision() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    assert!(t.execution.patched("tax").unwrap());
    t.continues(
        &[schedule("a", 0), record("$patch:tax", "true")],
        [scheduled("a", IDS[0]), operation("$patch:tax", "true"), task_completed(IDS[0], "1")],
    );
    t.job("resolve 1 1");
    assert!(t.execution.patched("tax").unwrap());
    t.complete("1");
    t.ends(Completed, &[complete("1")]);
}

#[test]
fn deprecated_patch_is_recorded_so_that_a_rollback_takes_the_new_way() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.execution.deprecate_patch("tax").unwrap();
    t.execution.deprecate_patch("tax").unwrap();
    t.suspends(&[record("$patch:tax", "true")]);

    let mut t = Transcript::of([started("1"), operation("$patch:tax", "true"), scheduled("a", "t1")]);
    t.job("start 1");
    t.execution.deprecate_patch("tax").unwrap();
    assert!(t.execution.patched("tax").unwrap());
    t.task("a");
    t.suspends(&[]);
}

#[test]
fn patch_deprecated_too_early_is_a_violation() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1")]);
    t.job("start 1");
    let error = t.execution.deprecate_patch("tax").unwrap_err();
    let violation = t.stopped_by(error);
    assert_eq!(
        violation.message,
        "Patch mismatch at event 2 (TASK_SCHEDULED): expected task \"a\", got deprecated patch \"tax\""
    );
    let (expected, got) = ("task".to_string(), "patch".to_string());
    assert_eq!(violation.differences, [Difference { field: "command", expected, got }]);
    assert!(violation.hint.starts_with("This execution went the old way, before the patch."), "{}", violation.hint);
    assert!(violation.hint.contains("ctx.deprecatePatch"));
}

#[test]
fn patch_deprecated_after_the_old_way_was_taken_is_a_violation() {
    let mut t = Transcript::of([started("1"), scheduled("a", "t1")]);
    t.job("start 1");
    assert!(!t.execution.patched("tax").unwrap());
    t.task("a");
    let error = t.execution.deprecate_patch("tax").unwrap_err();
    assert_eq!(
        t.stopped_by(error).message,
        "Patch mismatch at event 2 (OPERATION_COMPLETED): expected no record of the patch, \
         got deprecated patch \"tax\""
    );
}

#[test]
fn patch_deprecated_in_an_ended_history_is_a_violation() {
    let mut t = Transcript::of([started("1"), completed("7")]);
    t.job("start 1");
    let error = t.execution.deprecate_patch("tax").unwrap_err();
    assert_eq!(
        t.stopped_by(error).message,
        "Patch mismatch at event 2 (OPERATION_COMPLETED): expected no record of the patch, \
         got deprecated patch \"tax\""
    );
}

/// Whether the code or the server has ended it cannot be seen, so the old way is taken: there it changes nothing.
#[test]
fn execution_that_ended_as_cancelled_before_the_patch_takes_the_old_way() {
    let mut t = Transcript::of([started("1"), operation("a", "1"), workflow_cancelled("enough")]);
    t.job("start 1");
    t.run("a");
    assert!(!t.execution.patched("tax").unwrap());
    t.execution.deprecate_patch("tax").unwrap();
    t.execution.deprecate_patch("other").unwrap();
    t.job("resolve 1 1");
    t.execution.complete_cancelled("enough".to_string()).unwrap();
    t.no_job();
    t.ends(flovyn_protocol::messages::WorkflowStatus::Cancelled, &[]);
}
