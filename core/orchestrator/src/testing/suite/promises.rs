//! Promises: settled once, by whoever finds them.

use alloc::{format, string::String, vec};

use flovyn_protocol::messages::{CreatePromiseCommand, RejectPromiseRequest, ResolvePromiseRequest, WorkflowStatus};

use crate::{
    Code,
    testing::{
        Harness,
        commands::{child, complete, operation, promise, promise_with, resolve_promise, task_id, timer},
        suite::tests,
        world::{Client, SUBMIT, World, extended, plain, submission},
    },
};

tests!(
    resolved_by_id,
    rejected_by_name,
    resolved_by_idempotency_key,
    first_outcome_wins,
    oldest_pending_one_is_meant_by_name,
    name_can_hold_colons,
    unknown_promise_is_not_found,
    promise_times_out,
    promise_of_no_time_times_out,
    settled_promise_does_not_time_out,
    ended_execution_has_no_promises,
    idempotency_key_of_a_pending_promise_is_taken,
    idempotency_key_moves_on,
    idempotency_key_outlives_a_day,
    resolved_by_a_command_of_another_execution,
    resolved_by_the_last_command_of_another_execution,
    child_that_cannot_hold_what_its_parent_resolves,
    two_executions_resolve_each_other,
    command_needs_a_promise,
);

const RESOLVE: &str = "v1.WorkflowDispatch/ResolvePromise";
const REJECT: &str = "v1.WorkflowDispatch/RejectPromise";

fn resolution(promise_id: &str, value: &str) -> ResolvePromiseRequest {
    ResolvePromiseRequest { promise_id: promise_id.into(), value: value.into() }
}

fn resolve(world: &mut World<'_>, promise_id: &str, value: &str) {
    world.ask::<()>(&extended(), RESOLVE, &resolution(promise_id, value)).unwrap();
}

fn reject(world: &mut World<'_>, promise_id: &str, error: &str) {
    let request = RejectPromiseRequest { promise_id: promise_id.into(), error: error.into() };
    world.ask::<()>(&plain(), REJECT, &request).unwrap();
}

/// The UUID in a PROMISE_CREATED.
fn promise_id(world: &mut World<'_>, id: &str, sequence: usize) -> String {
    let data = world.data(id, sequence);
    data.strip_prefix(r#"{"promiseId":""#).unwrap()[..36].into()
}

fn with_key(name: &str, key: &str) -> CreatePromiseCommand {
    CreatePromiseCommand { promise_id: name.into(), idempotency_key: Some(key.into()), ..Default::default() }
}

pub(super) fn with_timeout(name: &str, timeout_ms: i64) -> CreatePromiseCommand {
    CreatePromiseCommand { promise_id: name.into(), timeout_ms: Some(timeout_ms), ..Default::default() }
}

fn resolved_by_id(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("approval")]);
    let promise_id = promise_id(&mut world, &id, 2);
    assert_eq!(world.data(&id, 2), format!(r#"{{"promiseId":"{promise_id}","promiseName":"approval"}}"#));
    resolve(&mut world, &promise_id, "{\"ok\":true}");
    assert_eq!(
        world.data(&id, 4),
        format!(r#"{{"promiseId":"{promise_id}","promiseName":"approval","value":{{"ok":true}}}}"#)
    );
    assert_eq!(world.types(&id)[3..], [String::from("PROMISE_RESOLVED")]);
    assert_eq!(world.status(&id), "PENDING");
}

fn rejected_by_name(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("approval")]);
    let promise_id = promise_id(&mut world, &id, 2);
    reject(&mut world, &format!("{id}:approval"), "no");
    assert_eq!(world.data(&id, 4), format!(r#"{{"promiseId":"{promise_id}","promiseName":"approval","error":"no"}}"#));
    assert_eq!(world.types(&id)[3..], [String::from("PROMISE_REJECTED")]);
}

fn resolved_by_idempotency_key(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let key_like_a_uuid = crate::testing::commands::task_id(77);
    let commands = vec![
        promise_with(with_key("a", "order-7")),
        promise_with(with_key("b", "x:y")),
        promise_with(with_key("c", &key_like_a_uuid)),
    ];
    let id = world.suspended(commands);
    assert!(world.data(&id, 2).ends_with(r#""promiseName":"a","idempotencyKey":"order-7"}"#));
    for key in ["order-7", "x:y", &key_like_a_uuid] {
        resolve(&mut world, key, "1");
    }
    assert_eq!(world.types(&id)[5..], ["PROMISE_RESOLVED"; 3].map(String::from));
}

fn first_outcome_wins(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise_with(CreatePromiseCommand { timeout_ms: Some(50), ..with_key("p", "k") })]);
    let promise_id = promise_id(&mut world, &id, 2);
    resolve(&mut world, &promise_id, "1");
    let types = world.types(&id);
    resolve(&mut world, &promise_id, "2");
    reject(&mut world, &format!("{id}:p"), "no");
    resolve(&mut world, "k", "3");
    world.advance(1_000);
    assert_eq!(world.types(&id), types);
    assert!(world.data(&id, 4).ends_with(r#""value":1}"#));
}

fn oldest_pending_one_is_meant_by_name(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p"), operation("o", "1"), promise("p"), promise("p")]);
    let ids = [2, 4, 5].map(|sequence| promise_id(&mut world, &id, sequence));
    resolve(&mut world, &ids[1], "0");
    for value in ["1", "2"] {
        resolve(&mut world, &format!("{id}:p"), value);
    }
    assert!(world.data(&id, 8).contains(&ids[0]));
    assert!(world.data(&id, 9).contains(&ids[2]));
    // None is left, and saying it again is no error.
    resolve(&mut world, &format!("{id}:p"), "3");
    assert_eq!(world.types(&id).len(), 9);
}

fn name_can_hold_colons(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("a:b:c")]);
    resolve(&mut world, &format!("{id}:a:b:c"), "1");
    assert_eq!(world.types(&id).last().unwrap(), "PROMISE_RESOLVED");
}

fn unknown_promise_is_not_found(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise("p")]);
    let other = crate::testing::commands::task_id(5);
    for unknown in [other.as_str(), "key", &format!("{id}:q"), &format!("{other}:p"), ":", &id] {
        world.refuse(&extended(), RESOLVE, &resolution(unknown, "1"), Code::NotFound, &["no promise", unknown]);
    }
    world.refuse(&extended(), RESOLVE, &resolution("", "1"), Code::InvalidArgument, &["promise_id"]);
    world.refuse(&extended(), RESOLVE, &resolution("p", "{"), Code::InvalidArgument, &["value"]);
    let request = RejectPromiseRequest { promise_id: "x".repeat(1_000_000), error: String::new() };
    world.refuse(&extended(), REJECT, &request, Code::NotFound, &["no promise"]);
}

fn promise_times_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise_with(with_timeout("p", 500))]);
    let promise_id = promise_id(&mut world, &id, 2);
    assert!(world.data(&id, 2).ends_with(r#""timeoutMs":500}"#));
    world.advance(499);
    assert_eq!(world.types(&id).len(), 3);
    world.advance(1);
    assert_eq!(world.data(&id, 4), format!(r#"{{"promiseId":"{promise_id}","promiseName":"p"}}"#));
    assert_eq!(world.types(&id)[3..], [String::from("PROMISE_TIMEOUT")]);
    assert_eq!(world.status(&id), "PENDING");
    resolve(&mut world, &promise_id, "1");
    assert_eq!(world.types(&id).len(), 4);
}

fn promise_of_no_time_times_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let immediate = world.suspended(vec![promise_with(with_timeout("p", 0))]);
    world.tick();
    assert_eq!(world.types(&immediate).last().unwrap(), "PROMISE_TIMEOUT");
}

fn settled_promise_does_not_time_out(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise_with(with_timeout("p", 500)), promise_with(with_timeout("q", 500))]);
    resolve(&mut world, &format!("{id}:p"), "1");
    world.advance(500);
    assert_eq!(world.types(&id)[4..], ["PROMISE_RESOLVED", "PROMISE_TIMEOUT"].map(String::from));
    assert!(world.data(&id, 6).contains(r#""promiseName":"q""#));
}

fn ended_execution_has_no_promises(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.suspended(vec![promise_with(with_timeout("p", 500)), timer("t", 0)]);
    let claimed = world.poll(&extended());
    world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
    world.advance(1_000);
    resolve(&mut world, &format!("{id}:p"), "1");
    assert_eq!(world.types(&id).last().unwrap(), "WORKFLOW_COMPLETED");
}

fn idempotency_key_of_a_pending_promise_is_taken(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    world.suspended(vec![promise_with(with_key("p", "k"))]);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let commands = vec![promise_with(with_key("p", "k"))];
    let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
    let client = extended().with_claim(&claimed.token);
    world.refuse(&client, SUBMIT, &request, Code::InvalidArgument, &["commands[0] CREATE_PROMISE", "\"k\""]);
}

fn idempotency_key_moves_on(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.suspended(vec![promise_with(with_key("p", "k"))]);
    resolve(&mut world, "k", "1");
    let claimed = world.poll(&extended());
    assert_eq!(claimed.id, first);
    world.submit(&claimed, vec![promise_with(with_key("p", "k"))], WorkflowStatus::Suspended);
    resolve(&mut world, "k", "2");
    let values = world.types(&first).into_iter().filter(|name| name == "PROMISE_RESOLVED").count();
    assert_eq!(values, 2);
}

/// People answer when they answer; only who starts something asks again within a day.
fn idempotency_key_outlives_a_day(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let short = CreatePromiseCommand { idempotency_key_ttl_seconds: Some(5), ..with_key("q", "short") };
    let id = world.suspended(vec![promise_with(with_key("p", "k")), promise_with(short)]);
    world.advance(5_000);
    world.refuse(&extended(), RESOLVE, &resolution("short", "1"), Code::NotFound, &["short"]);
    world.advance(29 * 24 * 60 * 60 * 1_000);
    resolve(&mut world, "k", "1");
    resolve(&mut world, &format!("{id}:q"), "1");
    assert_eq!(world.types(&id)[4..], ["PROMISE_RESOLVED"; 2].map(String::from));
}

fn resolved_by_a_command_of_another_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let waiting = world.suspended(vec![promise("p"), promise("q")]);
    let q = promise_id(&mut world, &waiting, 3);
    let commands = vec![resolve_promise(&format!("{waiting}:p"), "1"), resolve_promise(&q, "2")];
    let resolving = world.suspended(commands);
    assert_eq!(world.types(&waiting)[4..], ["PROMISE_RESOLVED"; 2].map(String::from));
    assert_eq!((world.status(&waiting).as_str(), world.status(&resolving).as_str()), ("PENDING", "WAITING"));
}

fn resolved_by_the_last_command_of_another_execution(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let waiting = world.suspended(vec![promise("p")]);
    let resolving = world.start("order");
    let claimed = world.poll(&extended());
    let commands = vec![resolve_promise(&format!("{waiting}:p"), "1"), complete("1")];
    world.submit(&claimed, commands, WorkflowStatus::Completed);
    assert_eq!(world.types(&waiting).last().unwrap(), "PROMISE_RESOLVED");
    assert_eq!((world.status(&waiting).as_str(), world.status(&resolving).as_str()), ("PENDING", "COMPLETED"));
}

/// The child ends by it, and tells the execution that is just submitting.
fn child_that_cannot_hold_what_its_parent_resolves(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    for (number, end) in [(5, None), (6, Some(complete("1")))] {
        let parent = world.suspended(vec![child(number), timer("t", 1)]);
        let claimed = world.poll(&extended());
        assert_eq!(claimed.id, task_id(number));
        let mut commands = vec![promise("p")];
        commands.extend((0..20).map(|_| operation("o", "1")));
        world.submit(&claimed, commands, WorkflowStatus::Suspended);
        world.advance(1);
        world.config.limits.history_events_max = 23;
        let claimed = world.poll(&extended());
        let mut commands = vec![resolve_promise(&format!("{}:p", task_id(number)), "1")];
        commands.extend(end.clone());
        let status = if end.is_some() { WorkflowStatus::Completed } else { WorkflowStatus::Suspended };
        world.submit(&claimed, commands, status);
        assert_eq!(world.status(&task_id(number)), "FAILED");
        let types = world.types(&parent).split_off(6);
        if end.is_some() {
            assert_eq!((types, world.status(&parent).as_str()), (vec!["WORKFLOW_COMPLETED".into()], "COMPLETED"));
        } else {
            let heard = ["WORKFLOW_SUSPENDED", "CHILD_WORKFLOW_FAILED"].map(String::from);
            assert_eq!((types.as_slice(), world.status(&parent).as_str()), (&heard[..], "PENDING"));
            let claimed = world.poll(&extended());
            world.submit(&claimed, vec![complete("1")], WorkflowStatus::Completed);
        }
        world.config.limits.history_events_max = 50_000;
    }
}

fn two_executions_resolve_each_other(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let first = world.suspended(vec![promise("p"), timer("t", 0)]);
    let claimed = world.poll(&extended());
    let second = world.start("order");
    let of_second = world.poll(&extended());
    let request = submission(
        &second,
        1,
        vec![promise("p"), resolve_promise(&format!("{first}:p"), "1")],
        WorkflowStatus::Running,
    );
    let client = extended().with_claim(&of_second.token);
    world.submit_with(&client, &request).unwrap();
    world.submit(&claimed, vec![resolve_promise(&format!("{second}:p"), "2")], WorkflowStatus::Suspended);
    world.submit_with(&client, &submission(&second, 2, vec![], WorkflowStatus::Suspended)).unwrap();
    for id in [&first, &second] {
        assert_eq!(world.types(id).iter().filter(|name| *name == "PROMISE_RESOLVED").count(), 1);
        assert_eq!(world.status(id), "PENDING");
    }
}

fn command_needs_a_promise(harness: &mut dyn Harness) {
    let mut world = World::new(harness);
    let id = world.start("order");
    let claimed = world.poll(&extended());
    let client: Client = extended().with_claim(&claimed.token);
    let commands = vec![promise("p"), resolve_promise("q", "1")];
    let request = submission(&id, 1, commands, WorkflowStatus::Suspended);
    world.refuse(&client, SUBMIT, &request, Code::NotFound, &["commands[1] RESOLVE_PROMISE", "\"q\""]);
}
