//! Signals: what is sent to an execution by whoever knows its id or its name.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{
    SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse, SignalWorkflowRequest, SignalWorkflowResponse,
    StartWorkflowRequest, WorkflowStatus,
};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{complete, fail, task, timer},
        suite::tests,
        world::{World, extended, plain},
    },
};

tests!(
    signal_is_an_event_and_wakes,
    signal_without_a_name_or_value,
    signal_while_an_activation_runs_wakes_it_again,
    signal_before_the_first_activation_is_in_its_history,
    signal_to_an_unknown_execution,
    late_signal_is_answered_and_means_nothing,
    late_signal_is_refused_if_so_configured,
    signals_are_limited,
    signal_that_does_not_fit_is_refused,
    signal_with_start_starts_once,
    signal_with_start_after_the_end_starts_another,
    names_of_signal_with_start_are_idempotency_keys,
    signal_with_start_needs_a_name_and_a_kind,
);

pub(super) const SIGNAL: &str = "v1.WorkflowDispatch/SignalWorkflow";
pub(super) const SIGNAL_WITH_START: &str = "v1.WorkflowDispatch/SignalWithStartWorkflow";

pub(super) fn signal(id: &str, name: &str, value: &str) -> SignalWorkflowRequest {
    SignalWorkflowRequest {
        workflow_execution_id: id.into(),
        signal_name: name.into(),
        signal_value: value.into(),
        ..SignalWorkflowRequest::default()
    }
}

/// Sends a signal and gives the number of its event.
pub(super) fn send(world: &mut World<'_>, id: &str, name: &str, value: &str) -> i64 {
    let response: SignalWorkflowResponse = world.ask(&plain(), SIGNAL, &signal(id, name, value)).unwrap();
    response.signal_event_sequence
}

fn with_start(workflow_id: &str, value: &str) -> SignalWithStartWorkflowRequest {
    SignalWithStartWorkflowRequest {
        workflow_id: workflow_id.into(),
        workflow_kind: "order".into(),
        workflow_input: b"[7]".to_vec(),
        signal_name: "paid".into(),
        signal_value: value.into(),
        ..SignalWithStartWorkflowRequest::default()
    }
}

fn send_with_start(world: &mut World<'_>, workflow_id: &str, value: &str) -> SignalWithStartWorkflowResponse {
    world.ask(&plain(), SIGNAL_WITH_START, &with_start(workflow_id, value)).unwrap()
}

fn signal_is_an_event_and_wakes(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![timer("t", 60_000)]);
    world.take_wakes();
    assert_eq!(send(&mut world, &id, "paid", r#"{"z":1,"a":2.0}"#), 4);
    assert_eq!(world.types(&id)[3..], [String::from("SIGNAL_RECEIVED")]);
    assert_eq!(world.data(&id, 4), r#"{"signalName":"paid","signalValue":{"z":1,"a":2.0}}"#);
    assert_eq!((world.status(&id).as_str(), world.take_wakes().len()), ("PENDING", 1));
    // The second finds it awake.
    assert_eq!(send(&mut world, &id, "paid", "2"), 5);
    assert_eq!(world.take_wakes().len(), 0);
    world.poll(&extended());
    assert!(world.try_poll(&extended()).is_none());
}

fn signal_without_a_name_or_value(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    send(&mut world, &id, "", "");
    assert_eq!(world.data(&id, 2), r#"{"signalName":"__default__","signalValue":null}"#);
    world.refuse(&plain(), SIGNAL, &signal(&id, "paid", "{"), Code::InvalidArgument, &["signal_value"]);
    let long = "x".repeat(256);
    world.refuse(&plain(), SIGNAL, &signal(&id, &long, "1"), Code::ResourceExhausted, &["signal_name", "255"]);
}

fn signal_while_an_activation_runs_wakes_it_again(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for client in [extended(), plain()] {
        let id = world.start("order");
        let claimed = world.poll(&client);
        send(&mut world, &id, "paid", "1");
        assert_eq!(world.status(&id), "RUNNING");
        let submitter = if client.extended { client.with_claim(&claimed.token) } else { client };
        let request = crate::testing::world::submission(&id, 1, vec![], WorkflowStatus::Suspended);
        world.submit_with(&submitter, &request).unwrap();
        assert_eq!(world.status(&id), "PENDING");
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    }
}

fn signal_before_the_first_activation_is_in_its_history(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    assert_eq!(send(&mut world, &id, "paid", "1"), 2);
    let claimed = world.poll(&extended());
    let types: vec::Vec<_> = claimed.message.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]);
    world.submit(&claimed, vec![], WorkflowStatus::Suspended);
    assert_eq!(world.status(&id), "WAITING");
}

fn signal_to_an_unknown_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let absent = super::super::commands::task_id(9);
    world.refuse(&plain(), SIGNAL, &signal(&absent, "paid", "1"), Code::NotFound, &[&absent]);
    let says = ["workflow_execution_id", "expected a UUID"];
    world.refuse(&plain(), SIGNAL, &signal("x", "paid", "1"), Code::InvalidArgument, &says);
}

fn late_signal_is_answered_and_means_nothing(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    let before = world.harness.dump();
    assert_eq!(send(&mut world, &id, "paid", "1"), 2);
    assert_eq!(before, world.harness.dump());
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "WORKFLOW_COMPLETED"]);
}

fn late_signal_is_refused_if_so_configured(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.signals.accept_terminal = false;
    let id = world.start("order");
    send(&mut world, &id, "paid", "1");
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![fail("x")], WorkflowStatus::Failed);
    world.refuse(&plain(), SIGNAL, &signal(&id, "paid", "1"), Code::FailedPrecondition, &[&id, "ended", "FAILED"]);
}

fn signals_are_limited(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.signals_per_execution_max = 3;
    let first = send_with_start(&mut world, "k", "1");
    let id = first.workflow_execution_id;
    send(&mut world, &id, "a", "1");
    send(&mut world, &id, "b", "1");
    world.refuse(&plain(), SIGNAL, &signal(&id, "a", "1"), Code::ResourceExhausted, &[&id, "3 signals"]);
    world.refuse(&plain(), SIGNAL_WITH_START, &with_start("k", "1"), Code::ResourceExhausted, &["3 signals"]);
    assert_eq!(world.types(&id).len(), 4);
    // Another execution has its own count.
    let other = world.start("order");
    send(&mut world, &other, "a", "1");
}

/// Whoever sends hears of it, so the execution need not end for it.
fn signal_that_does_not_fit_is_refused(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.config.limits.history_events_max = 4;
    let id = world.suspended(vec![]);
    send(&mut world, &id, "paid", "1");
    world.refuse(&plain(), SIGNAL, &signal(&id, "paid", "1"), Code::ResourceExhausted, &["4 events"]);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    assert_eq!(world.status(&id), "COMPLETED");
}

fn signal_with_start_starts_once(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = send_with_start(&mut world, "k", "1");
    let id = first.workflow_execution_id;
    assert_eq!((first.workflow_created, first.signal_event_sequence), (true, 2));
    assert_eq!(world.take_wakes().len(), 1);
    assert_eq!(world.types(&id), ["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]);
    assert_eq!(world.data(&id, 1), r#"{"input":[7],"kind":"order"}"#);
    assert_eq!(world.data(&id, 2), r#"{"signalName":"paid","signalValue":1}"#);
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, id);
    world.submit(&claimed, vec![task(1)], WorkflowStatus::Suspended);
    let second = send_with_start(&mut world, "k", "2");
    assert_eq!((second.workflow_execution_id.as_str(), second.workflow_created), (id.as_str(), false));
    assert_eq!(second.signal_event_sequence, 5);
    assert_eq!(world.status(&id), "PENDING");
    assert_ne!(send_with_start(&mut world, "other", "2").workflow_execution_id, id);
}

fn signal_with_start_after_the_end_starts_another(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let mut last = String::new();
    for (command, status) in [(complete("1"), WorkflowStatus::Completed), (fail("x"), WorkflowStatus::Failed)] {
        let started = send_with_start(&mut world, "k", "1");
        assert!(started.workflow_created && started.workflow_execution_id != last);
        last = started.workflow_execution_id;
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![command], status);
    }
}

fn names_of_signal_with_start_are_idempotency_keys(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let keyed = StartWorkflowRequest {
        workflow_kind: "order".into(),
        idempotency_key: Some("k".into()),
        ..StartWorkflowRequest::default()
    };
    let started = world.start_with(keyed.clone());
    let signalled = send_with_start(&mut world, "k", "1");
    assert_eq!(signalled.workflow_execution_id, started.workflow_execution_id);
    assert!(!signalled.workflow_created);
    let signalled = send_with_start(&mut world, "other", "1");
    let started = world.start_with(StartWorkflowRequest { idempotency_key: Some("other".into()), ..keyed.clone() });
    assert_eq!(started.workflow_execution_id, signalled.workflow_execution_id);
    assert!(!started.idempotency_key_new);
    // The key is kept for a day, whoever made it, and for as long as its run lives.
    world.advance(24 * 3_600_000);
    assert!(!send_with_start(&mut world, "other", "1").workflow_created);
    assert!(!world.start_with(keyed.clone()).idempotency_key_new);
    for _ in 0..2 {
        let claimed = world.poll(&extended());
        world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    }
    assert!(send_with_start(&mut world, "other", "1").workflow_created);
    assert!(world.start_with(keyed).idempotency_key_new);
}

fn signal_with_start_needs_a_name_and_a_kind(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let nameless = with_start("", "1");
    let kindless = SignalWithStartWorkflowRequest { workflow_kind: String::new(), ..with_start("k", "1") };
    let broken = SignalWithStartWorkflowRequest { workflow_input: b"{".to_vec(), ..with_start("k", "1") };
    let too_long = SignalWithStartWorkflowRequest { idempotency_key_ttl_seconds: Some(0), ..with_start("k", "1") };
    for (request, field) in [
        (nameless, "workflow_id"),
        (kindless, "workflow_kind"),
        (broken, "input"),
        (with_start("k", "["), "signal_value"),
        (too_long, "idempotency_key_ttl_seconds"),
    ] {
        world.refuse(&plain(), SIGNAL_WITH_START, &request, Code::InvalidArgument, &[field]);
    }
    let long = with_start(&"x".repeat(256), "1");
    world.refuse(&plain(), SIGNAL_WITH_START, &long, Code::ResourceExhausted, &["workflow_id"]);
    let method = format!("/flovyn.{SIGNAL_WITH_START}");
    assert_eq!(world.raw(&plain(), &method, &[]).unwrap_err().code, Code::InvalidArgument);
}
