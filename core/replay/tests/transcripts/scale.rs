//! Cost grows with the number of events and not with its square, counted in looks at events and not in time.

use crate::{
    events::{cancellation, operation, scheduled, signal, started, task_completed, timer_fired, timer_started},
    support::{Transcript, numbered},
};

/// A history of `tasks` tasks, one after the other.
fn replay_sequential(tasks: usize) -> u64 {
    let one = |n: usize| [scheduled("step", &format!("task-{n}")), task_completed(&format!("task-{n}"), "1")];
    let events = numbered(1, std::iter::once(started("1")).chain((0..tasks).flat_map(one)));
    let mut t = Transcript::open(true);
    for page in events.chunks(1000) {
        t.execution.handle_events(page).unwrap();
    }
    t.job("start 1");
    for n in 1..=tasks {
        t.task("step");
        t.job(&format!("resolve {n} 1"));
    }
    let looks = t.execution.event_looks();
    t.suspends(&[]);
    looks
}

#[test]
fn ten_thousand_sequential_tasks_are_looked_at_once_each() {
    assert_eq!(replay_sequential(1000), 2001);
    assert_eq!(replay_sequential(10_000), 20_001);
}

#[test]
fn ten_thousand_parallel_tasks_are_looked_at_once_each() {
    const TASKS: usize = 10_000;
    let scheduled = (0..TASKS).map(|n| scheduled("step", &format!("task-{n}")));
    let completed = (0..TASKS).rev().map(|n| task_completed(&format!("task-{n}"), "1"));
    let events = numbered(1, std::iter::once(started("1")).chain(scheduled).chain(completed));
    let mut t = Transcript::open(true);
    t.execution.handle_events(&events).unwrap();
    t.job("start 1");
    for _ in 0..TASKS {
        t.task("step");
    }
    for n in (1..=TASKS).rev() {
        t.job(&format!("resolve {n} 1"));
    }
    assert_eq!(t.execution.event_looks(), 1 + 2 * TASKS as u64);
    t.suspends(&[]);
}

#[test]
fn new_commands_beside_many_landed_events_look_at_none() {
    const TIMERS: usize = 1000;
    let started_timers = (0..TIMERS).map(|n| timer_started(&format!("timer-{n}")));
    let fired = (0..TIMERS).map(|n| timer_fired(&format!("timer-{n}")));
    let events = numbered(1, std::iter::once(started("1")).chain(started_timers).chain(fired));
    let mut t = Transcript::open(true);
    t.execution.handle_events(&events).unwrap();
    t.job("start 1");
    for _ in 0..TIMERS {
        t.timer();
    }
    for n in 1..=TIMERS {
        t.job(&format!("resolve {n} null"));
        t.task("new");
    }
    assert_eq!(t.execution.event_looks(), 1 + 2 * TIMERS as u64);
}

#[test]
fn a_thousand_live_operations_of_one_name_are_looked_at_once_each() {
    const RUNS: u32 = 1000;
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    for _ in 0..RUNS {
        t.run("x");
    }
    t.no_job();
    while t.execution.poll_operation().is_some() {}
    for handle in (1..=RUNS).rev() {
        t.finishes(handle, "1");
    }
    assert_eq!(t.execution.take_submission(None).unwrap().commands.len(), RUNS as usize);
    let answer = numbered(2, (0..RUNS).map(|_| operation("x", "1")));
    t.execution.handle_events(&answer).unwrap();
    for handle in 1..=RUNS {
        t.job(&format!("resolve {handle} 1"));
    }
    assert_eq!(t.execution.event_looks(), u64::from(RUNS) + 1);
    t.suspends(&[]);
}

/// A replay of ten thousand events, then one more signal: only that is looked at, and nothing of the past is held.
#[test]
fn continued_execution_looks_at_new_events_only() {
    const TASKS: usize = 5000;
    let one = |n: usize| [scheduled("step", &format!("task-{n}")), task_completed(&format!("task-{n}"), "1")];
    let events = numbered(1, std::iter::once(started("1")).chain((0..TASKS).flat_map(one)));
    let mut t = Transcript::open(true);
    t.execution.handle_events(&events).unwrap();
    t.job("start 1");
    let at_start = t.execution.memory_bytes();
    for n in 1..=TASKS {
        t.task("step");
        t.job(&format!("resolve {n} 1"));
    }
    t.waits("s");
    t.continues(&[], [signal("s", "1")]);
    let looks = t.execution.event_looks();
    t.job(&format!("resolve {} 1", TASKS + 1));
    t.waits("s");
    t.continues(&[], [signal("s", "2")]);
    t.job(&format!("resolve {} 2", TASKS + 2));
    assert_eq!(t.execution.event_looks(), looks + 2);
    assert!(t.execution.memory_bytes() * 4 < at_start, "{} of {at_start}", t.execution.memory_bytes());
}

#[test]
fn settled_handles_are_not_held() {
    let held_after = |rounds: u32| {
        let mut t = Transcript::of([started("1")]);
        t.job("start 1");
        let pending = t.timer();
        for _ in 0..rounds {
            for handle in [t.timer(), t.waits("s")] {
                t.cancel(handle);
            }
        }
        assert_eq!(t.execution.cancel_scope(0).unwrap(), [pending]);
        t.execution.memory_bytes()
    };
    assert!(held_after(10_000) < 2 * held_after(100), "{} and {}", held_after(10_000), held_after(100));
}

#[test]
fn ten_thousand_handles_are_cancelled_at_once() {
    const HANDLES: u32 = 10_000;
    let mut t = Transcript::of([started("1"), cancellation("stop")]);
    t.job("start 1");
    for _ in 0..HANDLES / 2 {
        t.timer();
        t.waits("s");
    }
    let all: Vec<u32> = (1..=HANDLES).collect();
    t.job(&format!("cancel {all:?} stop"));
    assert_eq!(t.execution.event_looks(), 2);
}
