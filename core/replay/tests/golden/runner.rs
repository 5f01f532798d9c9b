use flovyn_protocol::Payload;
use flovyn_replay::{
    Difference, Execution, Job, Rejection, ReplayError, Resumption, Step, Submission, Violation, describe,
};
use serde_json::{json, value::RawValue};

use crate::{
    calls,
    file::{Entry, ExpectedDifference, ExpectedViolation, Finished, Golden, Submitted},
};

/// Why a run stopped before its end.
enum Stop {
    /// The engine refused a call of the driver. That may be what the file expects.
    Refused(ReplayError),
    Mismatch(String),
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Self {
        Self::Refused(error)
    }
}

impl From<String> for Stop {
    fn from(mismatch: String) -> Self {
        Self::Mismatch(mismatch)
    }
}

/// Runs one history; the error says what differs.
pub(crate) fn run(golden: &Golden) -> Result<(), String> {
    let mut execution = Execution::new(golden.info()).map_err(|error| error.to_string())?;
    let mut entries = 0;
    let stopped = drive(golden, &mut execution, &mut entries);
    if entries < golden.turns.len() && !matches!(stopped, Err(Stop::Mismatch(_))) {
        let refused = if let Err(Stop::Refused(error)) = stopped { error.to_string() } else { String::new() };
        return Err(format!("expected {} turns, got {entries}: {refused}", golden.turns.len()));
    }
    match (stopped, &golden.violation, &golden.error) {
        (Ok(()), None, None) => Ok(()),
        (Ok(()), _, _) => Err("expected an error, got none".to_string()),
        (Err(Stop::Mismatch(mismatch)), _, _) => Err(mismatch),
        (Err(Stop::Refused(ReplayError::Violation(got))), Some(expected), _) if *expected == seen(&got) => {
            check_stopped(&mut execution)
        }
        (Err(Stop::Refused(got)), None, Some(expected)) if calls::is_expected(expected, &got) => {
            check_stopped(&mut execution)
        }
        (Err(Stop::Refused(got)), violation, error) => Err(format!("expected {violation:?} or {error:?}, got {got:?}")),
    }
}

/// `entries` counts those that are done with, the one that stops the run included.
fn drive(golden: &Golden, execution: &mut Execution, entries: &mut usize) -> Result<(), Stop> {
    execution.set_signal_handlers(golden.signal_handlers.iter().map(String::as_str))?;
    execution.handle_events(&golden.history())?;
    for entry in &golden.turns {
        match entry {
            Entry { job: Some(job), .. } => {
                expect("job", job.get(), &next_job(execution)?)?;
                entry.calls.iter().try_for_each(|call| calls::make(execution, call))?;
                *entries += 1;
            }
            Entry { partial: Some(partial), .. } => submit_partially(execution, partial, entries)?,
            Entry { settled: Some(settled), .. } => {
                finish(execution, Step::PollJob, settled)?;
                *entries += 1;
            }
            Entry { resume: Some(resume), .. } => continue_after(execution, resume, golden, entries)?,
            _ => return Err(Stop::Mismatch("an entry is a turn, or happens between turns".to_string())),
        }
    }
    let submission = submit(execution, Step::SubmitFinal, &golden.operations, &golden.commands)?;
    expect("status", golden.status.as_deref().unwrap_or("none"), submission.status.as_str_name())?;
    Ok(())
}

fn continue_after(
    execution: &mut Execution,
    last: &Submitted,
    golden: &Golden,
    entries: &mut usize,
) -> Result<(), Stop> {
    let submission = submit(execution, Step::SubmitFinal, &last.operations, &last.commands)?;
    expect("status", "SUSPENDED", submission.status.as_str_name())?;
    *entries += 1;
    execution.resume(Resumption { task_time_ms: last.task_time_ms, extended: golden.info().extended })?;
    Ok(execution.handle_events(&last.answer())?)
}

fn submit_partially(execution: &mut Execution, partial: &Submitted, entries: &mut usize) -> Result<(), Stop> {
    let submission = submit(execution, Step::SubmitPartial, &partial.operations, &partial.commands)?;
    expect("status", "RUNNING", submission.status.as_str_name())?;
    *entries += 1;
    Ok(execution.handle_events(&partial.answer())?)
}

/// Nothing is left to tell; operations are started and finish; then exactly these commands go out.
fn submit(
    execution: &mut Execution,
    step: Step,
    operations: &[Finished],
    commands: &[Box<RawValue>],
) -> Result<Submission, Stop> {
    finish(execution, step, operations)?;
    let submission = execution.take_submission(None)?;
    let expected: Vec<&str> = commands.iter().map(|command| command.get()).collect();
    let got: Vec<String> = submission.commands.iter().map(describe).collect();
    expect("commands", &expected.join("\n"), &got.join("\n"))?;
    Ok(submission)
}

/// Nothing is left to tell; operations are started and finish; then this is the next step.
fn finish(execution: &mut Execution, step: Step, operations: &[Finished]) -> Result<(), Stop> {
    if let Some(job) = execution.poll_job()? {
        return Err(Stop::Mismatch(format!("expected no job, got {}", job_json(&job))));
    }
    while execution.poll_operation().is_some() {}
    for finished in operations {
        let result = match (&finished.result, &finished.error) {
            (Some(result), None) => Ok(calls::payload(result)),
            (None, Some(error)) => Err(error.clone()),
            // A result of null is read as none.
            _ => Ok(Payload::null()),
        };
        execution.handle_operation_result(finished.handle, result)?;
    }
    expect("step", &format!("{step:?}"), &format!("{:?}", execution.next_step()))
}

/// After a fatal error no job, no operation and no submission come out.
fn check_stopped(execution: &mut Execution) -> Result<(), String> {
    match (execution.poll_job(), execution.poll_operation(), execution.take_submission(None)) {
        (Err(_), None, Err(_)) => Ok(()),
        more => Err(format!("expected nothing more, got {more:?}")),
    }
}

fn expect(what: &str, expected: &str, got: &str) -> Result<(), Stop> {
    if expected == got { Ok(()) } else { Err(Stop::Mismatch(format!("{what}: expected {expected}, got {got}"))) }
}

fn next_job(execution: &mut Execution) -> Result<String, ReplayError> {
    Ok(execution.poll_job()?.map_or_else(|| "no job".to_string(), |job| job_json(&job)))
}

fn job_json(job: &Job) -> String {
    match job {
        Job::Start { input, signals } if signals.is_empty() => format!(r#"{{"start":{}}}"#, input.as_json()),
        Job::Start { input, signals } => {
            let signals: Vec<String> = signals.iter().map(|(name, value)| signal_json(name, value)).collect();
            format!(r#"{{"start":{},"signals":[{}]}}"#, input.as_json(), signals.join(","))
        }
        Job::Signal { name, value } => format!(r#"{{"signal":{}}}"#, signal_json(name, value)),
        Job::Cancel { reason, handles } => format!(r#"{{"cancel":{}}}"#, json!([reason, handles])),
        Job::Resolve { handle, value } => format!(r#"{{"resolve":[{handle},{}]}}"#, value.as_json()),
        Job::Reject { handle, rejection } => format!(r#"{{"reject":[{handle},{}]}}"#, rejection_json(rejection)),
    }
}

fn signal_json(name: &str, value: &Payload) -> String {
    format!("[{},{}]", json!(name), value.as_json())
}

/// As the wasm bindings write it.
fn rejection_json(rejection: &Rejection) -> String {
    let fields = match rejection {
        Rejection::TaskFailed { task_execution_id: id, kind, message, error_type, stack_trace, retryable } => {
            let mut fields = vec![
                ("code", json!("TASK_FAILED")),
                ("message", json!(message)),
                ("taskExecutionId", json!(id)),
                ("kind", json!(kind)),
            ];
            fields.extend(error_type.iter().map(|error_type| ("errorType", json!(error_type))));
            fields.extend(stack_trace.iter().map(|stack_trace| ("stackTrace", json!(stack_trace))));
            fields.push(("retryable", json!(retryable)));
            fields
        }
        Rejection::TaskCancelled { task_execution_id: id, kind, reason } => vec![
            ("code", json!("TASK_CANCELLED")),
            ("message", json!(reason)),
            ("taskExecutionId", json!(id)),
            ("kind", json!(kind)),
        ],
        Rejection::PromiseRejected { promise_id, name, message } => vec![
            ("code", json!("PROMISE_REJECTED")),
            ("message", json!(message)),
            ("promiseId", json!(promise_id)),
            ("name", json!(name)),
        ],
        Rejection::PromiseTimedOut { promise_id, name } => {
            vec![("code", json!("PROMISE_TIMED_OUT")), ("promiseId", json!(promise_id)), ("name", json!(name))]
        }
        Rejection::ChildFailed { child_execution_id, name, kind, message, failure_type, stack_trace } => {
            let mut fields = vec![
                ("code", json!("CHILD_FAILED")),
                ("message", json!(message)),
                ("childExecutionId", json!(child_execution_id)),
                ("name", json!(name)),
                ("kind", json!(kind)),
            ];
            fields.extend(failure_type.iter().map(|failure_type| ("failureType", json!(failure_type))));
            fields.extend(stack_trace.iter().map(|stack_trace| ("stackTrace", json!(stack_trace))));
            fields
        }
        Rejection::OperationFailed(error) => {
            let mut fields = vec![
                ("code", json!("OPERATION_FAILED")),
                ("name", json!(error.name)),
                ("message", json!(error.message)),
            ];
            fields.extend(error.stack.iter().map(|stack| ("stack", json!(stack))));
            fields.extend(error.retryable.iter().map(|retryable| ("retryable", json!(retryable))));
            fields
        }
    };
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

fn seen(violation: &Violation) -> ExpectedViolation {
    let difference = |difference: &Difference| ExpectedDifference {
        field: difference.field.to_string(),
        expected: difference.expected.clone(),
        got: difference.got.clone(),
    };
    ExpectedViolation {
        event_sequence: violation.event_sequence,
        event: violation.event.clone(),
        expected: violation.expected.clone(),
        got: violation.got.clone(),
        differences: violation.differences.iter().map(difference).collect(),
        message: violation.message.clone(),
    }
}
