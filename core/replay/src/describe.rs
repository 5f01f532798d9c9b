use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{
    Payload,
    json::quote,
    messages::{
        CreatePromiseCommand, RetryPolicy, ScheduleChildWorkflowCommand, ScheduleTaskCommand, WorkflowCommand,
        workflow_command::CommandData,
    },
};

/// A command as one line of JSON, for people and for golden files: the name of its type, then its fields in the
/// order of the contract, camelCase, absent ones left out and payloads as the JSON that they are.
pub fn describe(command: &WorkflowCommand) -> String {
    let line = Line::new(command.command_type().as_str_name());
    let Some(data) = &command.command_data else { return line.finish() };
    match data {
        CommandData::RecordOperation(c) => line.text("operationName", &c.operation_name).payload("result", &c.result),
        CommandData::SetState(c) => line.text("key", &c.key).payload("value", &c.value),
        CommandData::ClearState(c) => line.text("key", &c.key),
        CommandData::ScheduleTask(c) => schedule_task(line, c),
        CommandData::CompleteWorkflow(c) => line.payload("output", &c.output),
        CommandData::FailWorkflow(c) => {
            line.text("error", &c.error).text("stackTrace", &c.stack_trace).text("failureType", &c.failure_type)
        }
        CommandData::SuspendWorkflow(c) => line.text("reason", &c.reason),
        CommandData::CancelWorkflow(c) => line.text("reason", &c.reason),
        CommandData::CreatePromise(c) => create_promise(line, c),
        CommandData::ResolvePromise(c) => line.text("promiseId", &c.promise_id).payload("value", &c.value),
        CommandData::ScheduleChildWorkflow(c) => schedule_child(line, c),
        CommandData::StartTimer(c) => line.text("timerId", &c.timer_id).number("durationMs", c.duration_ms),
        CommandData::CancelTimer(c) => line.text("timerId", &c.timer_id),
        CommandData::RequestCancelChildWorkflow(c) => line
            .text("childExecutionName", &c.child_execution_name)
            .text("childWorkflowExecutionId", &c.child_workflow_execution_id)
            .text("reason", &c.reason),
        CommandData::CancelTask(c) => line.text("taskExecutionId", &c.task_execution_id).text("reason", &c.reason),
    }
    .finish()
}

fn schedule_task(line: Line, c: &ScheduleTaskCommand) -> Line {
    line.text("kind", &c.kind)
        .payload("input", &c.input)
        .text("taskExecutionId", &c.task_execution_id)
        .maybe_number("maxRetries", c.max_retries.map(i64::from))
        .maybe_number("timeoutMs", c.timeout_ms)
        .maybe_text("queue", c.queue.as_deref())
        .maybe_number("prioritySeconds", c.priority_seconds.map(i64::from))
        .maybe_text("idempotencyKey", c.idempotency_key.as_deref())
        .maybe_number("idempotencyKeyTtlSeconds", c.idempotency_key_ttl_seconds)
        .maybe("retryPolicy", c.retry_policy.as_ref().map(retry_policy))
        .maybe_number("startToCloseTimeoutMs", (c.start_to_close_timeout_ms > 0).then_some(c.start_to_close_timeout_ms))
        .maybe_number("heartbeatTimeoutMs", (c.heartbeat_timeout_ms > 0).then_some(c.heartbeat_timeout_ms))
}

fn retry_policy(policy: &RetryPolicy) -> String {
    Line(String::from("{"))
        .number("initialDelayMs", policy.initial_delay_ms)
        .number("maxDelayMs", policy.max_delay_ms)
        .number("multiplierMilli", policy.multiplier_milli.into())
        .raw("nonRetryableErrors", &texts(&policy.non_retryable_errors))
        .finish()
}

fn texts(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    format!("[{}]", quoted.join(","))
}

fn create_promise(line: Line, c: &CreatePromiseCommand) -> Line {
    line.text("promiseId", &c.promise_id)
        .maybe_number("timeoutMs", c.timeout_ms)
        .maybe_text("idempotencyKey", c.idempotency_key.as_deref())
        .maybe_number("idempotencyKeyTtlSeconds", c.idempotency_key_ttl_seconds)
}

fn schedule_child(line: Line, c: &ScheduleChildWorkflowCommand) -> Line {
    line.text("childExecutionName", &c.child_execution_name)
        .maybe_text("workflowKind", c.workflow_kind.as_deref())
        .maybe_text("workflowDefinitionId", c.workflow_definition_id.as_deref())
        .text("childWorkflowExecutionId", &c.child_workflow_execution_id)
        .payload("input", &c.input)
        .text("queue", &c.queue)
        .number("prioritySeconds", c.priority_seconds.into())
}

/// One JSON object, written field by field so that payloads go in as the text they are.
struct Line(String);

impl Line {
    fn new(command_type: &str) -> Self {
        Self(String::from("{")).text("type", command_type)
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, &quote(value))
    }

    fn maybe_text(self, name: &str, value: Option<&str>) -> Self {
        self.maybe(name, value.map(quote))
    }

    fn number(self, name: &str, value: i64) -> Self {
        self.raw(name, &value.to_string())
    }

    fn maybe_number(self, name: &str, value: Option<i64>) -> Self {
        self.maybe(name, value.map(|value| value.to_string()))
    }

    /// Bytes that are not JSON, which no engine makes, are shown as text.
    fn payload(self, name: &str, bytes: &[u8]) -> Self {
        match Payload::from_bytes(bytes) {
            Ok(payload) => self.raw(name, payload.as_json()),
            Err(_) => self.text(name, &String::from_utf8_lossy(bytes)),
        }
    }

    fn maybe(self, name: &str, json: Option<String>) -> Self {
        match json {
            Some(json) => self.raw(name, &json),
            None => self,
        }
    }

    fn raw(mut self, name: &str, json: &str) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        self.0.push_str(&format!("{comma}\"{name}\":{json}"));
        self
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
