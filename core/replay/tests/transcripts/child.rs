use crate::{
    events::{
        child_cancellation, child_completed, child_failed, child_initiated, child_started, event, operation, scheduled,
        started,
    },
    support::{IDS, Transcript, cancel_child, json, record, schedule, start_child},
};
use flovyn_replay::{CancelEffect, Resumption, StartChild};

#[test]
fn child_is_started_with_a_derived_id_and_a_default_name() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("a");
    let child = t.child("mail");
    assert_eq!((child.handle, child.child_execution_id.as_str(), child.name.as_str()), (2, IDS[1], "mail-1"));
    t.suspends(&[schedule("a", 0), start_child("mail-1", "mail", 1)]);
}

#[test]
fn options_are_sent_and_are_not_compared() {
    let child = || StartChild {
        scope: 0,
        kind: "mail".to_string(),
        name: Some("first".to_string()),
        input: json("[1]"),
        queue: Some("slow".to_string()),
        priority_seconds: Some(4),
    };
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.start_child(child()).unwrap().name, "first");
    t.suspends(&[format!(
        concat!(
            r#"{{"type":"SCHEDULE_CHILD_WORKFLOW","childExecutionName":"first","workflowKind":"mail","#,
            r#""childWorkflowExecutionId":"{}","input":[1],"queue":"slow","prioritySeconds":4}}"#
        ),
        IDS[0]
    )]);

    let mut t = Transcript::of([started("1"), child_initiated("first", "mail", "c1")]);
    t.job("start 1");
    assert_eq!(t.execution.start_child(child()).unwrap().child_execution_id, "c1");
    t.suspends(&[]);
}

#[test]
fn ends_settle_by_id() {
    let mut t = Transcript::of([
        started("1"),
        child_initiated("mail-1", "mail", "c1"),
        child_initiated("mail-2", "mail", "c2"),
        child_started("mail-1", "c1"),
        child_failed("mail-2", "c2", "no"),
        child_completed("mail-1", "c1", "7"),
        child_completed("mail-1", "c1", "8"),
    ]);
    t.job("start 1");
    t.child("mail");
    t.child("mail");
    t.job("reject 2 child mail-2 of kind mail c2 failed: no");
    t.job("resolve 1 7");
    t.no_job();
    t.suspends(&[]);
}

#[test]
fn ends_without_an_id_settle_by_name() {
    let completed = event("CHILD_WORKFLOW_COMPLETED", r#"{"childExecutionName":"b","result":7}"#);
    let cancelled = event("CHILD_WORKFLOW_CANCELLED", r#"{"childExecutionName":"a"}"#);
    let history = [
        started("1"),
        event("CHILD_WORKFLOW_INITIATED", r#"{"childExecutionName":"a","workflowKind":"mail"}"#),
        child_initiated("b", "mail", "c2"),
        completed.clone(),
        completed,
        cancelled,
    ];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.named_child("mail", "a").unwrap();
    t.named_child("mail", "b").unwrap();
    t.job("resolve 2 7");
    t.job("reject 1 child a of kind mail  failed: cancelled");
    t.suspends(&[]);
}

#[test]
fn null_is_a_result() {
    let history = [started("1"), child_initiated("mail-1", "mail", "c1"), child_completed("mail-1", "c1", "null")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.child("mail");
    t.job("resolve 1 null");
    t.suspends(&[]);
}

#[test]
fn default_names_pass_over_those_given_by_hand_and_count_per_kind() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.named_child("other", "mail-2").unwrap();
    assert_eq!(t.child("mail").name, "mail-1");
    assert_eq!(t.child("mail").name, "mail-3");
    assert_eq!(t.child("print").name, "print-1");
}

#[test]
fn name_given_twice_is_refused_and_changes_nothing() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.child("mail");
    for name in ["mail-1", "mail-1"] {
        let error = t.named_child("mail", name).unwrap_err();
        assert_eq!(error.code(), "INVALID_ARGUMENT");
        assert_eq!(
            error.to_string(),
            "name: expected a name that no other child of this execution has, got \"mail-1\" again"
        );
    }
    let second = t.child("mail");
    assert_eq!((second.handle, second.child_execution_id.as_str()), (2, IDS[1]), "no id was used up");
    t.suspends(&[start_child("mail-1", "mail", 0), start_child("mail-2", "mail", 1)]);
}

#[test]
fn name_of_a_child_that_has_ended_is_still_taken() {
    let history = [started("1"), child_initiated("a", "mail", "c1"), child_completed("a", "c1", "7")];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.named_child("mail", "a").unwrap();
    t.job("resolve 1 7");
    assert_eq!(t.named_child("mail", "a").unwrap_err().code(), "INVALID_ARGUMENT");
}

#[test]
fn cancel_is_asked_for_once_and_its_end_settles() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.child("mail");
    assert_eq!(t.execution.cancel(1, Some("too late")).unwrap(), CancelEffect::Requested);
    assert_eq!(t.cancel(1), CancelEffect::None);
    let asked = cancel_child("mail-1", IDS[0]).replace("cancelled by the workflow", "too late");
    t.continues(
        &[start_child("mail-1", "mail", 0), asked],
        [
            child_initiated("mail-1", "mail", IDS[0]),
            child_cancellation("mail-1"),
            child_failed("mail-1", IDS[0], "cancelled"),
        ],
    );
    t.job(&format!("reject 1 child mail-1 of kind mail {} failed: cancelled", IDS[0]));
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.suspends(&[]);
}

#[test]
fn cancel_claims_its_event_in_replay() {
    let history = [
        started("1"),
        child_initiated("mail-1", "mail", "c1"),
        child_cancellation("mail-1"),
        child_completed("mail-1", "c1", "7"),
    ];
    let mut t = Transcript::of(history);
    t.job("start 1");
    t.child("mail");
    assert!(t.execution.is_replaying());
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    assert!(!t.execution.is_replaying());
    t.job("resolve 1 7");
    t.suspends(&[]);
}

/// A server that knows only the contract may leave no event of the request: our own record stands for it.
#[test]
fn plain_server_may_leave_no_event_of_a_cancel() {
    let child = || child_initiated("mail-1", "mail", "c1");
    let mut t = Transcript::open(false);
    t.answer([started("1"), child()]);
    t.job("start 1");
    t.child("mail");
    assert_eq!(t.cancel(1), CancelEffect::Requested);
    assert_eq!(t.cancel(1), CancelEffect::None);
    t.suspends(&[cancel_child("mail-1", "c1"), record("$cancel:mail-1", "true")]);

    let (event, recorded) = (|| child_cancellation("mail-1"), || operation("$cancel:mail-1", "true"));
    for traces in [vec![recorded()], vec![recorded(), event()], vec![event(), recorded()]] {
        for extended in [true, false] {
            let mut t = Transcript::open(extended);
            t.answer([started("1"), child()]);
            for trace in &traces {
                t.answer([trace.clone()]);
            }
            t.answer([scheduled("a", "t1"), child_failed("mail-1", "c1", "cancelled")]);
            t.job("start 1");
            t.child("mail");
            assert_eq!(t.cancel(1), CancelEffect::Requested);
            t.task("a");
            t.job("reject 1 child mail-1 of kind mail c1 failed: cancelled");
            t.suspends(&[]);
        }
    }
}

/// The server with the extension left events, one without it others, and whichever comes next replays both.
#[test]
fn cancels_replay_whatever_server_the_history_was_written_on() {
    for extended in [true, false] {
        let mut t = Transcript::open(extended);
        t.answer([
            started("1"),
            child_initiated("one", "mail", "c1"),
            child_initiated("two", "mail", "c2"),
            child_cancellation("one"),
            operation("$cancel:one", "true"),
            child_cancellation("two"),
            scheduled("a", "t1"),
        ]);
        t.job("start 1");
        t.named_child("mail", "one").unwrap();
        t.named_child("mail", "two").unwrap();
        assert_eq!([1, 2].map(|handle| t.cancel(handle)), [CancelEffect::Requested; 2]);
        t.task("a");
        assert!(!t.execution.is_replaying());
        t.suspends(&[]);
    }
}

#[test]
fn event_of_a_cancel_is_awaited_though_the_server_has_lost_the_extension() {
    let mut t = Transcript::of([started("1"), child_initiated("mail-1", "mail", "c1")]);
    t.job("start 1");
    t.child("mail");
    t.cancel(1);
    t.no_job();
    t.execution.take_submission(None).unwrap();
    t.execution.resume(Resumption { task_time_ms: 6000, extended: false }).unwrap();
    t.answer([child_cancellation("mail-1")]);
    t.suspends(&[]);
}

#[test]
fn cancel_that_a_plain_server_was_not_told_of_is_a_violation_in_replay() {
    let mut t = Transcript::open(false);
    t.answer([started("1"), child_initiated("mail-1", "mail", "c1"), scheduled("a", "t1")]);
    t.job("start 1");
    t.child("mail");
    let error = t.execution.cancel(1, None).unwrap_err();
    assert_eq!(t.stopped_by(error).got, "cancellation of child workflow \"mail-1\"");
}
