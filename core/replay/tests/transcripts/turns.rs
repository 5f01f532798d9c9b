use crate::{
    events::{started, timer_fired, timer_started},
    support::{Transcript, complete, json, numbered, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;
use flovyn_replay::{CreatePromise, ReplayError, ScheduleTask, WorkflowFailure};

/// Every verb, by the name that its refusal gives.
fn refusals(t: &mut Transcript) -> Vec<(&'static str, ReplayError)> {
    let failure = WorkflowFailure { error: String::new(), stack_trace: String::new(), failure_type: String::new() };
    vec![
        ("schedule_task", t.execution.schedule_task(ScheduleTask::default()).unwrap_err()),
        ("start_timer", t.execution.start_timer(0, 1).unwrap_err()),
        ("create_promise", t.execution.create_promise(CreatePromise::default()).unwrap_err()),
        ("begin_operation", t.execution.begin_operation(0, "a").unwrap_err()),
        ("set_state", t.execution.set_state("a", json("1")).unwrap_err()),
        ("clear_state", t.execution.clear_state("a").unwrap_err()),
        ("clear_all_state", t.execution.clear_all_state().unwrap_err()),
        ("state", t.execution.state("a").unwrap_err()),
        ("state_keys", t.execution.state_keys().unwrap_err()),
        ("current_time_ms", t.execution.current_time_ms().unwrap_err()),
        ("random", t.execution.random().unwrap_err()),
        ("random_uuid", t.execution.random_uuid().unwrap_err()),
        ("complete", t.execution.complete(json("1")).unwrap_err()),
        ("fail", t.execution.fail(failure).unwrap_err()),
    ]
}

fn assert_refused_outside_a_turn(t: &mut Transcript) {
    for (call, error) in refusals(t) {
        assert_eq!(error.code(), "NOT_IN_TURN");
        let text = error.to_string();
        assert!(text.starts_with(&format!("{call} was called outside a turn")), "{text}");
        assert!(text.contains("ctx.run"), "{text}");
    }
}

#[test]
fn verbs_need_a_turn() {
    let mut t = Transcript::of([started("1")]);
    assert_refused_outside_a_turn(&mut t);
    t.job("start 1");
    t.timer();
    t.no_job();
    assert_refused_outside_a_turn(&mut t);
    t.suspends(&[timer(0)]);
}

#[test]
fn refused_verb_changes_nothing() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    assert_refused_outside_a_turn(&mut t);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    t.complete("1");
    t.no_job();
    assert_refused_outside_a_turn(&mut t);
    t.ends(Completed, &[complete("1")]);
}

#[test]
fn driver_methods_have_their_order() {
    let mut t = Transcript::open(true);
    let text = t.execution.take_submission(None).unwrap_err().to_string();
    assert_eq!(text, "take_submission: the execution has not started: call poll_job first");
    t.answer([started("1")]);
    t.job("start 1");
    let text = t.execution.handle_events(&numbered(2, [timer_started("timer-0")])).unwrap_err().to_string();
    assert_eq!(text, "handle_events: a turn is open: call poll_job first");
    let text = t.execution.stage_submission().unwrap_err().to_string();
    assert_eq!(text, "stage_submission: a turn is open: call poll_job first");
    let text = t.execution.handle_decoded_payloads(vec![]).unwrap_err().to_string();
    assert_eq!(text, "handle_decoded_payloads: a turn is open: call poll_job first");
    t.no_job();
    t.execution.stage_submission().unwrap();
    let text = t.execution.poll_job().unwrap_err().to_string();
    assert_eq!(text, "poll_job: a submission is staged: call take_submission first");
    t.execution.take_submission(None).unwrap();
    let text = t.execution.poll_job().unwrap_err().to_string();
    assert_eq!(
        text,
        "poll_job: the last submission of this activation was taken: resume it, or open the next activation"
    );
    let text = t.try_answer([timer_started("timer-0")]).unwrap_err().to_string();
    assert_eq!(
        text,
        "handle_events: the last submission of this activation was taken: resume it, or open the next activation"
    );
}

#[test]
fn one_job_at_a_time_and_polling_again_is_harmless() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    assert!(t.execution.is_replaying());
    t.job("start 1");
    t.timer();
    assert!(!t.execution.is_replaying());
    t.job("resolve 1 null");
    t.no_job();
    t.no_job();
    t.suspends(&[]);
}
