use crate::{
    events::{started, state_cleared, state_set, timer_fired, timer_started},
    support::{Transcript, clear_state, json, set_state, timer},
};

#[test]
fn changes_are_commands_in_order_and_reads_see_them() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("b", "1");
    t.set("a", "[2]");
    t.set("b", "3");
    assert_eq!(t.execution.state("b").unwrap(), Some(&json("3")));
    assert_eq!(t.execution.state("c").unwrap(), None);
    assert_eq!(t.execution.state_keys().unwrap(), ["a", "b"]);
    t.execution.clear_state("b").unwrap();
    assert_eq!(t.execution.state("b").unwrap(), None);
    t.suspends(&[set_state("b", "1"), set_state("a", "[2]"), set_state("b", "3"), clear_state("b")]);
}

#[test]
fn clear_all_is_one_command_per_key_in_key_order() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.set("b", "1");
    t.set("a", "2");
    t.execution.clear_all_state().unwrap();
    assert!(t.execution.state_keys().unwrap().is_empty());
    t.execution.clear_all_state().unwrap();
    t.suspends(&[set_state("b", "1"), set_state("a", "2"), clear_state("a"), clear_state("b")]);
}

#[test]
fn clearing_an_absent_key_is_a_command_too() {
    let mut t = Transcript::of([started("1")]);
    t.job("start 1");
    t.execution.clear_state("a").unwrap();
    t.suspends(&[clear_state("a")]);
}

#[test]
fn set_after_clear_is_claimed_on_every_replay() {
    for _ in 0..2 {
        let mut t = Transcript::of([
            started("1"),
            state_set("a", "1"),
            state_cleared("a"),
            state_set("a", "2"),
            timer_started("timer-0"),
            timer_fired("timer-0"),
        ]);
        t.job("start 1");
        t.set("a", "1");
        t.execution.clear_state("a").unwrap();
        t.set("a", "2");
        t.timer();
        t.job("resolve 1 null");
        assert_eq!(t.execution.state("a").unwrap(), Some(&json("2")));
        t.suspends(&[]);
    }
}

#[test]
fn replay_keeps_what_the_code_sets_now() {
    let mut t = Transcript::of([started("1"), state_set("a", "1")]);
    t.job("start 1");
    t.set("a", "100");
    assert_eq!(t.execution.state("a").unwrap(), Some(&json("100")));
    t.suspends(&[]);
}

#[test]
fn clear_all_is_claimed_key_by_key() {
    let mut t = Transcript::of([
        started("1"),
        state_set("b", "1"),
        state_set("a", "1"),
        state_cleared("a"),
        state_cleared("b"),
    ]);
    t.job("start 1");
    t.set("b", "1");
    t.set("a", "1");
    t.execution.clear_all_state().unwrap();
    t.timer();
    t.suspends(&[timer(0)]);
}
