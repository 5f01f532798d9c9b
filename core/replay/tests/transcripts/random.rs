use crate::{
    events::{scheduled, started, task_completed},
    support::{ID, IDS, Transcript, schedule},
};
use flovyn_replay::{Execution, ExecutionInfo};

/// xorshift64 over the low half of [`ID`], computed elsewhere.
const STREAM: [f64; 3] = [0.292_772_412_319_657_06, 0.637_501_831_626_045_6, 0.182_273_079_366_339_74];

#[test]
fn stream_follows_from_the_execution_id() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    for expected in STREAM {
        assert_eq!(t.execution.random().unwrap(), expected);
    }
    t.suspends(&[crate::support::signals(0)]);
}

#[test]
fn replay_gives_the_same_values_around_a_task() {
    let mut t = Transcript::of([started("1"), scheduled("a", IDS[0]), task_completed(IDS[0], "1")]);
    t.job("start 1");
    assert_eq!(t.execution.random().unwrap(), STREAM[0]);
    t.task("a");
    assert_eq!(t.execution.random_uuid().unwrap(), IDS[1]);
    t.job("resolve 1 1");
    assert_eq!(t.execution.random().unwrap(), STREAM[1]);
    assert_eq!(t.execution.random_uuid().unwrap(), IDS[2]);
    t.suspends(&[]);
}

#[test]
fn uuids_share_one_counter_with_tasks() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.random_uuid().unwrap(), IDS[0]);
    t.task("a");
    assert_eq!(t.execution.random_uuid().unwrap(), IDS[2]);
    t.timer();
    t.task("b");
    t.suspends(&[schedule("a", 1), crate::support::timer(0), schedule("b", 3)]);
}

#[test]
fn execution_id_must_be_a_uuid_and_its_spelling_does_not_matter() {
    let info = |execution_id: &str| ExecutionInfo {
        execution_id: execution_id.to_string(),
        kind: "order".to_string(),
        task_time_ms: 0,
        extended: true,
        tolerant: false,
    };
    let error = Execution::new(info("order-7")).unwrap_err();
    assert_eq!(error.code(), "INVALID_ARGUMENT");
    assert_eq!(error.to_string(), "execution_id: expected a UUID, got \"order-7\"");

    let mut t = Transcript { execution: Execution::new(info(&ID.to_uppercase())).unwrap() };
    t.answer([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.random_uuid().unwrap(), IDS[0]);
    assert_eq!((t.execution.execution_id(), t.execution.kind()), (ID.to_uppercase().as_str(), "order"));
    t.suspends(&[crate::support::signals(0)]);
}
