use flovyn_protocol::{Payload, messages::RetryPolicy};
use flovyn_replay::{
    CancelEffect, CreatePromise, Execution, ReplayError, ScheduleTask, Scope, StartChild, WorkflowFailure,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{json, value::RawValue};

use crate::file::{Call, ExpectedError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TaskArguments {
    #[serde(default)]
    scope: Scope,
    kind: String,
    input: Box<RawValue>,
    queue: Option<String>,
    max_retries: Option<i32>,
    timeout_ms: Option<i64>,
    priority_seconds: Option<i32>,
    idempotency_key: Option<String>,
    idempotency_key_ttl_seconds: Option<i64>,
    retry_policy: Option<RetryArguments>,
    start_to_close_timeout_ms: Option<i64>,
    heartbeat_timeout_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetryArguments {
    initial_delay_ms: i64,
    max_delay_ms: i64,
    multiplier_milli: i32,
    non_retryable_errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PromiseArguments {
    #[serde(default)]
    scope: Scope,
    name: String,
    timeout_ms: Option<i64>,
    idempotency_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChildArguments {
    #[serde(default)]
    scope: Scope,
    kind: String,
    name: Option<String>,
    input: Box<RawValue>,
    queue: Option<String>,
    priority_seconds: Option<i32>,
}

/// An argument of the root scope, or `[scope, argument]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scoped<T> {
    In(Scope, T),
    Root(T),
}

impl<T> Scoped<T> {
    fn parts(self) -> (Scope, T) {
        match self {
            Self::In(scope, argument) => (scope, argument),
            Self::Root(argument) => (0, argument),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FailArguments {
    error: String,
    stack_trace: String,
    failure_type: String,
}

/// What a verb gave, as compact JSON; nothing for a key that is not set.
type Returned = Result<Option<String>, ReplayError>;

/// Makes one call and compares what comes of it.
pub(crate) fn make(execution: &mut Execution, call: &Call) -> Result<(), String> {
    let is_verb = |name: &&String| !matches!(name.as_str(), "returns" | "throws" | "absent");
    let verb = call.keys().find(is_verb).ok_or("a call needs a verb")?;
    let returned = invoke(execution, verb, &call[verb])?;
    if let Some(expected) = call.get("throws") {
        return check_thrown(verb, &parse(expected)?, returned);
    }
    let returned = returned.map_err(|error| format!("{verb}: {error}"))?;
    match call.get("returns").map(|expected| expected.get()) {
        Some(expected) if returned.as_deref() != Some(expected) => {
            Err(format!("{verb}: expected {expected}, got {returned:?}"))
        }
        None if call.contains_key("absent") && returned.is_some() => {
            Err(format!("{verb}: expected nothing, got {returned:?}"))
        }
        _ => Ok(()),
    }
}

fn check_thrown(verb: &str, expected: &ExpectedError, returned: Returned) -> Result<(), String> {
    match returned {
        Err(error) if is_expected(expected, &error) => Ok(()),
        returned => Err(format!("{verb}: expected {expected:?}, got {returned:?}")),
    }
}

pub(crate) fn is_expected(expected: &ExpectedError, error: &ReplayError) -> bool {
    expected.code == error.code() && expected.message.as_ref().is_none_or(|message| *message == error.to_string())
}

fn invoke(execution: &mut Execution, verb: &str, arguments: &RawValue) -> Result<Returned, String> {
    Ok(match verb {
        "scheduleTask" => schedule_task(execution, parse(arguments)?),
        "startTimer" => {
            let (scope, duration_ms) = parse::<Scoped<i64>>(arguments)?.parts();
            execution.start_timer(scope, duration_ms).map(some)
        }
        "createPromise" => create_promise(execution, parse(arguments)?),
        "beginOperation" => {
            let (scope, name) = parse::<Scoped<String>>(arguments)?.parts();
            execution.begin_operation(scope, &name).map(some)
        }
        "startChild" => start_child(execution, parse(arguments)?),
        "waitForSignal" => {
            let (scope, name) = parse::<Scoped<String>>(arguments)?.parts();
            execution.wait_for_signal(scope, &name).map(|waiter| match waiter.value {
                Some(value) => Some(format!("[{},{}]", waiter.handle, value.as_json())),
                None => Some(format!("[{}]", waiter.handle)),
            })
        }
        "hasSignal" => execution.has_signal(&parse::<String>(arguments)?).map(some),
        "pendingSignalCount" => execution.pending_signal_count(&parse::<String>(arguments)?).map(some),
        "drainSignals" => execution.drain_signals(&parse::<String>(arguments)?).map(|values| {
            let values: Vec<&str> = values.iter().map(Payload::as_json).collect();
            Some(format!("[{}]", values.join(",")))
        }),
        "openScope" => {
            let (parent, cancellable) = parse(arguments)?;
            execution.open_scope(parent, cancellable).map(some)
        }
        "cancelScope" => execution.cancel_scope(parse(arguments)?).map(|handles| Some(json!(handles).to_string())),
        "cancelHandle" => execution.cancel(parse(arguments)?, None).map(|effect| match effect {
            CancelEffect::None => some(0),
            CancelEffect::Rejected => some(1),
            CancelEffect::Requested => some(2),
        }),
        "patched" => execution.patched(&parse::<String>(arguments)?).map(some),
        "deprecatePatch" => execution.deprecate_patch(&parse::<String>(arguments)?).map(none),
        "describeCommands" => {
            let commands: Vec<String> = execution.commands().iter().map(flovyn_replay::describe).collect();
            Ok(Some(format!("[{}]", commands.join(","))))
        }
        "isCancellationRequested" => Ok(some(execution.is_cancellation_requested())),
        "completeCancelled" => execution.complete_cancelled(parse(arguments)?).map(none),
        "setState" => {
            let (key, value): (String, Box<RawValue>) = parse(arguments)?;
            execution.set_state(&key, payload(&value)).map(none)
        }
        "clearState" => execution.clear_state(&parse::<String>(arguments)?).map(none),
        "clearAllState" => execution.clear_all_state().map(none),
        "getState" => {
            let value = execution.state(&parse::<String>(arguments)?);
            value.map(|value| value.map(|value| value.as_json().to_string()))
        }
        "stateKeys" => execution.state_keys().map(|keys| Some(json!(keys).to_string())),
        "currentTimeMs" => execution.current_time_ms().map(some),
        "random" => execution.random().map(some),
        "randomUuid" => execution.random_uuid().map(|id| Some(json!(id).to_string())),
        "isReplaying" => Ok(some(execution.is_replaying())),
        "complete" => execution.complete(payload(arguments)).map(none),
        "fail" => fail(execution, parse(arguments)?),
        verb => return Err(format!("unknown verb {verb}")),
    })
}

fn schedule_task(execution: &mut Execution, arguments: TaskArguments) -> Returned {
    let policy = |policy: RetryArguments| RetryPolicy {
        initial_delay_ms: policy.initial_delay_ms,
        max_delay_ms: policy.max_delay_ms,
        multiplier_milli: policy.multiplier_milli,
        non_retryable_errors: policy.non_retryable_errors,
    };
    let scheduled = execution.schedule_task(ScheduleTask {
        scope: arguments.scope,
        kind: arguments.kind,
        input: payload(&arguments.input),
        queue: arguments.queue,
        max_retries: arguments.max_retries,
        timeout_ms: arguments.timeout_ms,
        priority_seconds: arguments.priority_seconds,
        idempotency_key: arguments.idempotency_key,
        idempotency_key_ttl_seconds: arguments.idempotency_key_ttl_seconds,
        retry_policy: arguments.retry_policy.map(policy),
        start_to_close_timeout_ms: arguments.start_to_close_timeout_ms,
        heartbeat_timeout_ms: arguments.heartbeat_timeout_ms,
    })?;
    Ok(Some(json!([scheduled.handle, scheduled.task_execution_id]).to_string()))
}

fn create_promise(execution: &mut Execution, arguments: PromiseArguments) -> Returned {
    let PromiseArguments { scope, name, timeout_ms, idempotency_key } = arguments;
    let promise = CreatePromise { scope, name, timeout_ms, idempotency_key, idempotency_key_ttl_seconds: None };
    execution.create_promise(promise).map(some)
}

fn start_child(execution: &mut Execution, arguments: ChildArguments) -> Returned {
    let started = execution.start_child(StartChild {
        scope: arguments.scope,
        kind: arguments.kind,
        name: arguments.name,
        input: payload(&arguments.input),
        queue: arguments.queue,
        priority_seconds: arguments.priority_seconds,
    })?;
    Ok(Some(json!([started.handle, started.child_execution_id, started.name]).to_string()))
}

fn fail(execution: &mut Execution, arguments: FailArguments) -> Returned {
    let FailArguments { error, stack_trace, failure_type } = arguments;
    execution.fail(WorkflowFailure { error, stack_trace, failure_type }).map(none)
}

fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn none((): ()) -> Option<String> {
    None
}

pub(crate) fn payload(json: &RawValue) -> Payload {
    Payload::from_json(json.get().to_string()).unwrap()
}

fn parse<T: DeserializeOwned>(json: &RawValue) -> Result<T, String> {
    serde_json::from_str(json.get()).map_err(|error| format!("{json}: {error}"))
}
