//! Timers and the tick.

use alloc::{format, string::String, vec, vec::Vec};

use flovyn_protocol::messages::WorkflowStatus;
use uuid::Uuid;

use crate::{
    Execution, Key,
    testing::{
        Harness,
        commands::{cancel_timer, complete, promise_with, timer},
        suite::{promises::with_timeout, tests},
        world::{World, extended, plain},
    },
};

tests!(
    fires_once_and_in_time,
    fire_in_the_order_of_their_times,
    equal_times_fire_in_the_order_of_their_start,
    cancelled_timer_does_not_fire,
    unknown_timer_can_be_cancelled,
    far_away_timer_is_kept,
    ended_execution_has_no_timers,
    one_tick_does_a_bounded_part,
    tick_tells_when_to_come_again,
    what_fails_is_put_off_and_holds_up_nothing_else,
);

fn fires_once_and_in_time(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 1_000)]);
    world.advance(999);
    assert_eq!(world.types(&id).len(), 3);
    world.advance(1);
    assert_eq!(world.data(&id, 4), r#"{"timerId":"t"}"#);
    world.advance(3_600_000);
    assert_eq!(world.types(&id)[3..], [String::from("TIMER_FIRED")]);
}

fn fired(world: &mut World<'_>, id: &str) -> Vec<String> {
    let events = world.events(id);
    let fired = events.into_iter().filter(|event| event.event_type == "TIMER_FIRED");
    fired.map(|event| String::from_utf8(event.event_data).unwrap()).collect()
}

fn expected(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!(r#"{{"timerId":"{id}"}}"#)).collect()
}

fn fire_in_the_order_of_their_times(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("c", 30), timer("a", 10), timer("b", 20)]);
    // All at once, by a server that slept.
    world.skip(1_000);
    world.tick();
    assert_eq!(fired(&mut world, &id), expected(&["a", "b", "c"]));
}

fn equal_times_fire_in_the_order_of_their_start(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let ids: Vec<_> = (0..12).map(|n| format!("timer-{n}")).collect();
    let id = world.suspended(ids.iter().map(|id| timer(id, 10)).collect());
    world.advance(10);
    let names: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(fired(&mut world, &id), expected(&names));
}

fn cancelled_timer_does_not_fire(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 1_000), timer("u", 10)]);
    world.advance(10);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancel_timer("t")], WorkflowStatus::Suspended);
    world.advance(3_600_000);
    assert_eq!(fired(&mut world, &id), expected(&["u"]));
}

fn unknown_timer_can_be_cancelled(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![cancel_timer("never"), timer("t", 10)]);
    assert_eq!(world.types(&id)[1], "TIMER_CANCELLED");
    world.advance(10);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![cancel_timer("t"), cancel_timer("t")], WorkflowStatus::Suspended);
    assert_eq!(world.types(&id).iter().filter(|name| *name == "TIMER_CANCELLED").count(), 3);
}

fn far_away_timer_is_kept(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", i64::MAX), timer("u", 30 * 24 * 60 * 60 * 1_000)]);
    world.advance(30 * 24 * 60 * 60 * 1_000);
    assert_eq!(fired(&mut world, &id), expected(&["u"]));
}

fn ended_execution_has_no_timers(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let commands = vec![timer("t", 10), timer("v", 20), complete("1")];
    world.submit(&claimed, commands, WorkflowStatus::Completed);
    let other = world.suspended(vec![timer("t", 30)]);
    world.advance(60);
    assert_eq!(world.types(&id).last().unwrap(), "WORKFLOW_COMPLETED");
    assert_eq!(fired(&mut world, &other), expected(&["t"]));
}

fn one_tick_does_a_bounded_part(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.tick_deadlines_max = 3;
    let id = world.suspended((0..10).map(|n| timer(&format!("timer-{n}"), 10)).collect());
    world.skip(10);
    assert!(world.tick_once().unwrap() <= world.now_ms);
    assert_eq!(fired(&mut world, &id).len(), 3);
    world.tick();
    assert_eq!(fired(&mut world, &id).len(), 10);
}

fn tick_tells_when_to_come_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    assert_eq!(world.tick(), None);
    world.suspended(vec![timer("t", 50), timer("u", 70)]);
    let now_ms = world.now_ms;
    assert_eq!(world.tick(), Some(now_ms + 50));
    world.advance(50);
    assert_eq!(world.tick(), Some(now_ms + 70));
}

/// Makes a history that cannot go on, or mends it.
fn set_sequence(world: &mut World<'_>, id: &str, sequence: i32) {
    let key = Key { org_id: plain().principal.org_id, id: Uuid::try_parse(id).unwrap() };
    world
        .harness
        .transaction(&mut |tx| {
            let execution = tx.execution(key)?.unwrap();
            tx.put_execution(&Execution { current_sequence: sequence, ..execution })?;
            Ok(())
        })
        .unwrap();
}

fn what_fails_is_put_off_and_holds_up_nothing_else(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let commands = || vec![timer("t", 10), promise_with(with_timeout("p", 10))];
    let (broken, whole) = (world.suspended(commands()), world.suspended(commands()));
    set_sequence(&mut world, &broken, 2);
    world.advance(10);
    assert_eq!(world.types(&whole)[4..], ["TIMER_FIRED", "PROMISE_TIMEOUT"].map(String::from));
    let warnings: Vec<_> = world.warnings.drain(..).map(|warning| format!("{warning}")).collect();
    assert_eq!(warnings.len(), 2);
    for warning in &warnings {
        assert!(warning.contains(&broken) && warning.contains("again in 60000 ms"), "{warning}");
    }
    assert_eq!(world.events(&broken).len(), 4);
    set_sequence(&mut world, &broken, 4);
    world.advance(59_999);
    assert_eq!(world.events(&broken).len(), 4);
    // The promise is still pending: what failed has left no trace.
    world.advance(1);
    assert_eq!(world.types(&broken)[4..], ["TIMER_FIRED", "PROMISE_TIMEOUT"].map(String::from));
    assert_eq!((world.status(&broken).as_str(), world.warnings.len()), ("PENDING", 0));
}
