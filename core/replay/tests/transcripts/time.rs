use crate::{
    events::{operation, started, task_completed, timer_fired, timer_started},
    support::{TASK_TIME_MS, Transcript, record, timer},
};

#[test]
fn first_read_of_a_turn_is_recorded_and_later_ones_are_the_same() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), TASK_TIME_MS);
    t.timer();
    assert_eq!(t.execution.current_time_ms().unwrap(), TASK_TIME_MS);
    t.suspends(&[record("$time", "5000"), timer(0)]);
}

#[test]
fn replay_reads_the_recorded_times() {
    let mut t = Transcript::of([
        started("1"),
        operation("$time", "1000"),
        timer_started("timer-0"),
        timer_fired("timer-0"),
        operation("$time", "4601"),
    ]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), 4601);
    assert_eq!(t.execution.current_time_ms().unwrap(), 4601);
    t.suspends(&[]);
}

#[test]
fn each_turn_has_its_own_record() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), TASK_TIME_MS);
    t.suspends(&[record("$time", "5000")]);
}

#[test]
fn time_never_goes_back() {
    let mut t =
        Transcript::of([started("1"), operation("$time", "9000"), timer_started("timer-0"), timer_fired("timer-0")]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), 9000);
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), 9000, "the task time is 5000");
    t.suspends(&[record("$time", "9000")]);
}

#[test]
fn unread_time_in_the_history_is_a_violation() {
    let mut t = Transcript::of([started("1"), operation("$time", "1000")]);
    t.job("start 1");
    t.timer_is_not_claimed();
}

impl Transcript {
    fn timer_is_not_claimed(mut self) {
        let error = self.execution.start_timer(0, 1).unwrap_err();
        let violation = self.stopped_by(error);
        assert_eq!(
            violation.message,
            "Operation name mismatch at event 2 (OPERATION_COMPLETED): expected operation \"$time\", got timer \"timer-0\""
        );
    }
}

#[test]
fn time_read_before_recorded_commands_is_a_violation() {
    let mut t = Transcript::of([started("1"), timer_started("timer-0"), task_completed("t", "1")]);
    t.job("start 1");
    let error = t.execution.current_time_ms().unwrap_err();
    let violation = t.stopped_by(error);
    assert_eq!(
        violation.message,
        "Timer mismatch at event 2 (TIMER_STARTED): expected timer \"timer-0\", got operation \"$time\""
    );
}

#[test]
fn recorded_time_that_is_no_number_is_an_invalid_history() {
    let mut t = Transcript::open(true);
    let error = t.try_answer([started("1"), operation("$time", "\"now\"")]).unwrap_err();
    assert_eq!(error.code(), "INVALID_HISTORY");
    assert_eq!(error.to_string(), "event 2: expected a whole number as the result of \"$time\", got \"now\"");
}
