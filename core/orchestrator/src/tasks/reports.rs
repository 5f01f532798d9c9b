//! What an attempt tells while it runs: how far it has come, and what it logs.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::messages::{LogLine, LogMessageRequest, ReportProgressRequest};

use super::{load, proven};
use crate::{
    Answer, Status, border, claims,
    context::{Caller, Ctx, reply_empty},
    store::{ClaimHolder, TaskLog, TaskProgress, TaskRecord, TaskState},
    streams,
};

const LEVELS: [&str; 4] = ["DEBUG", "INFO", "WARN", "ERROR"];

/// The task whose current attempt the caller is at; `None` if that attempt is over, as far as can be told without a
/// token.
pub(crate) fn attempt_of(ctx: &mut Ctx<'_>, caller: &Caller<'_>, id: &str) -> Result<Option<TaskRecord>, Status> {
    let mut task = load(ctx, caller, id)?;
    match (caller.claim, &task.state) {
        (Some(token), _) => proven(&mut task, token).map(drop)?,
        (None, TaskState::Running(claim)) if claim.holder == ClaimHolder::Plain => {}
        (None, TaskState::Running(_)) if caller.extended => return Err(claims::missing()),
        (None, _) => return Ok(None),
    }
    Ok(Some(task))
}

/// ReportProgress: kept with the task, and told to those who read its stream.
pub(crate) fn progress(
    ctx: &mut Ctx<'_>,
    caller: &Caller<'_>,
    request: ReportProgressRequest,
) -> Result<Answer, Status> {
    if !(0.0..=1.0).contains(&request.progress) {
        let got = match request.progress {
            less if less < 0.0 => "a lower one",
            more if more > 1.0 => "a higher one",
            _ => "none",
        };
        return Err(Status::invalid_argument(format!("progress: expected a number from 0 to 1, got {got}")));
    }
    border::at_most("details", request.details.len(), ctx.config.limits.stream_payload_bytes_max)?;
    let Some(mut task) = attempt_of(ctx, caller, &request.task_execution_id)? else { return Ok(reply_empty()) };
    let value = in_millionths(request.progress);
    streams::progressed(ctx, &task, &value, &request.details)?;
    task.progress = Some(TaskProgress { value, details: request.details });
    task.updated_at_ms = ctx.now_ms;
    ctx.tx.put_task(&task)?;
    Ok(reply_empty())
}

/// A number from 0 to 1 as JSON, to a millionth. What the language has for that weighs 7 KB in the wasm.
fn in_millionths(number: f64) -> String {
    // From 0 to 1,000,000, as was checked.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millionths = (number * 1e6 + 0.5) as u32;
    let digits = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    digits.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// LogMessage: kept with the task.
pub(crate) fn log(ctx: &mut Ctx<'_>, caller: &Caller<'_>, request: LogMessageRequest) -> Result<Answer, Status> {
    let LogMessageRequest { task_execution_id, level, message, more } = request;
    let more = if caller.extended { more } else { Vec::new() };
    let limits = &ctx.config.limits;
    border::count("more", more.len(), limits.reports_per_call_max)?;
    let lines: Vec<_> = [LogLine { level, message }].into_iter().chain(more).collect();
    for LogLine { level, message } in &lines {
        border::one_of("level", level, &LEVELS)?;
        border::at_most("message", message.len(), limits.log_message_bytes_max)?;
    }
    let Some(mut task) = attempt_of(ctx, caller, &task_execution_id)? else { return Ok(reply_empty()) };
    let logs_after = usize::try_from(task.logs).unwrap_or(0) + lines.len();
    if logs_after > limits.task_logs_max {
        return Err(Status::resource_exhausted(format!(
            "a task can log {} lines, it would have logged {logs_after}: log less, or elsewhere",
            limits.task_logs_max
        )));
    }
    for LogLine { level, message } in lines {
        let log = TaskLog { attempt: task.execution_count, level, message, timestamp_ms: ctx.now_ms };
        task.logs = task.logs.saturating_add(1);
        ctx.tx.append_task_log(task.key, task.logs, &log)?;
    }
    ctx.tx.put_task(&task)?;
    Ok(reply_empty())
}
