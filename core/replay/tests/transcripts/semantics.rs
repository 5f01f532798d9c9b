//! The cases of the replay rules that must never break, as far as they need tasks, timers, promises, operations,
//! state, time and random numbers. Each shows the live run and its replay.

use crate::{
    events::{operation, scheduled, started, suspended, task_completed, task_failed, timer_fired, timer_started},
    support::{IDS, Transcript, complete, record, schedule, set_state, timer},
};
use flovyn_protocol::messages::WorkflowStatus::Completed;

/// `try { await charge } catch { await refund }`: suspending throws nothing through user code.
#[test]
fn catch_is_not_reached_by_suspending() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.task("charge");
    t.suspends(&[schedule("charge", 0)]);

    let mut t = Transcript::of([started("1"), scheduled("charge", IDS[0]), suspended(), task_failed(IDS[0], "no")]);
    t.job("start 1");
    t.task("charge");
    t.job(&format!("reject 1 task charge {} failed: no (retryable: false)", IDS[0]));
    t.task("refund");
    t.suspends(&[schedule("refund", 1)]);
}

/// `race([task, sleep])`: the lower sequence number wins, in both array orders.
#[test]
fn race_is_won_by_the_earlier_event() {
    for task_first_in_array in [true, false] {
        for task_first_in_history in [true, false] {
            let mut settlements = [task_completed("t1", "1"), timer_fired("timer-0")];
            if !task_first_in_history {
                settlements.reverse();
            }
            let [first, second] = settlements;
            let mut t = Transcript::of([
                started("1"),
                scheduled("a", "t1"),
                timer_started("timer-0"),
                suspended(),
                first,
                second,
            ]);
            t.job("start 1");
            let (task, sleep) = if task_first_in_array {
                (t.task("a"), t.timer())
            } else {
                let sleep = t.timer();
                (t.task("a"), sleep)
            };
            let winner =
                if task_first_in_history { format!("resolve {task} 1") } else { format!("resolve {sleep} null") };
            t.job(&winner);
            let result = if task_first_in_history { "\"done\"" } else { "\"late\"" };
            t.complete(result);
            t.ends(Completed, &[complete(result)]);
        }
    }
}

/// `all([sleep 1s, sleep 2s])`
#[test]
fn both_timers_start() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.timer();
    t.timer();
    t.suspends(&[timer(0), timer(1)]);
}

/// `all` over 100 tasks that complete in another order.
#[test]
fn hundred_tasks_in_order_complete_in_any() {
    const TASKS: usize = 100;
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    let ids: Vec<String> = (0..TASKS).map(|_| t.task("a")).map(|handle| format!("handle-{handle}")).collect();
    t.no_job();
    let submission = t.execution.take_submission(None).unwrap();
    assert_eq!(submission.commands.len(), TASKS);

    let mut t = Transcript::of([started("1")]);
    for id in &ids {
        t.answer([scheduled("a", id)]);
    }
    // 37 and 100 have no common divisor, so this visits each once.
    let order: Vec<usize> = (0..TASKS).map(|n| n * 37 % TASKS).collect();
    for n in &order {
        t.answer([task_completed(&ids[*n], &n.to_string())]);
    }
    t.job("start 1");
    for _ in 0..TASKS {
        t.task("a");
    }
    for n in order {
        t.job(&format!("resolve {} {n}", n + 1));
    }
    t.complete("null");
    t.ends(Completed, &[complete("null")]);
}

/// `set(..); run(..); schedule(..)` un-awaited, then return.
#[test]
fn unawaited_commands_go_out_with_the_completion() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("step", "1");
    t.run("mail");
    t.task("a");
    t.complete("null");
    t.no_job();
    t.starts([1]);
    t.finishes(1, "\"sent\"");
    t.ends(Completed, &[set_state("step", "1"), schedule("a", 0), record("mail", "\"sent\""), complete("null")]);
}

/// Two concurrent runs of different names finishing in reverse order; killed before the slower one was recorded.
#[test]
fn reverse_finish_replays_after_a_kill_in_between() {
    let mut t = Transcript::of([started("1"), operation("quick", "2")]);
    t.job("start 1");
    t.run("slow");
    t.run("quick");
    t.job("resolve 2 2");
    t.run("next");
    t.no_job();
    t.starts([1, 3]);
    t.finishes(3, "3");
    t.submits_partially(&[record("next", "3")]);
    t.answer([operation("next", "3")]);
    t.job("resolve 3 3");
    t.no_job();
    t.finishes(1, "1");
    t.submits_partially(&[record("slow", "1")]);
    t.answer([operation("slow", "1")]);
    t.job("resolve 1 1");
    t.suspends(&[]);

    let mut t = Transcript::of([started("1"), operation("quick", "2"), operation("next", "3"), operation("slow", "1")]);
    t.job("start 1");
    t.run("slow");
    t.run("quick");
    t.job("resolve 2 2");
    t.run("next");
    t.job("resolve 3 3");
    t.job("resolve 1 1");
    t.suspends(&[]);
}

/// `race([task, run a])`: the task's completion lands while `a` runs, so it is first, live and in replay.
#[test]
fn landed_completion_beats_the_operation_live_and_in_replay() {
    let mut t = Transcript::of([started("1"), scheduled("t", "t1")]);
    t.job("start 1");
    t.task("t");
    t.run("a");
    t.no_job();
    t.starts([2]);
    t.finishes(2, "2");
    t.submits_partially(&[record("a", "2")]);
    t.answer([task_completed("t1", "1"), operation("a", "2")]);
    t.job("resolve 1 1");
    t.complete("\"task\"");
    t.ends(Completed, &[complete("\"task\"")]);

    let mut t = Transcript::of([started("1"), scheduled("t", "t1"), task_completed("t1", "1"), operation("a", "2")]);
    t.job("start 1");
    t.task("t");
    t.run("a");
    t.job("resolve 1 1");
    t.complete("\"task\"");
    t.ends(Completed, &[complete("\"task\"")]);
}

/// Ten runs, killed in the seventh: the first six are not called again.
#[test]
fn killed_in_the_seventh_run() {
    let mut t = Transcript::of([
        started("1"),
        operation("step", "1"),
        operation("step", "2"),
        operation("step", "3"),
        operation("step", "4"),
        operation("step", "5"),
        operation("step", "6"),
    ]);
    t.job("start 1");
    for n in 1..=6 {
        t.run("step");
        t.job(&format!("resolve {n} {n}"));
    }
    t.run("step");
    t.no_job();
    t.starts([7]);
    t.finishes(7, "7");
    t.submits_partially(&[record("step", "7")]);
}

/// `currentTime()` before and after `sleep(1h)`, replayed a day later.
#[test]
fn times_around_a_sleep_are_the_same_a_day_later() {
    let mut t = Transcript::of([
        started("1"),
        operation("$time", "1000"),
        timer_started("timer-0"),
        suspended(),
        timer_fired("timer-0"),
        operation("$time", "3601000"),
        timer_started("timer-1"),
    ]);
    t.job("start 1");
    assert_eq!(t.execution.current_time_ms().unwrap(), 1000);
    t.timer();
    t.job("resolve 1 null");
    assert_eq!(t.execution.current_time_ms().unwrap(), 3_601_000);
    t.timer();
    t.suspends(&[]);
}
