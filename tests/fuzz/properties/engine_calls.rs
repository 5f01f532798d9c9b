//! What must hold for any sequence of calls on the engine with any history. Shared by the fuzz target and the tests on
//! stable.

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::{WorkflowCommand, WorkflowEvent, workflow_command::CommandData},
};
use flovyn_replay::{
    CreatePromise, Execution, ExecutionInfo, Handle, Job, OperationError, ReplayError, Resumption, ScheduleTask, Scope,
    StartChild, WorkflowFailure,
};

/// Nothing panics, every refusal is typed, whoever was stopped stays stopped, and the same calls give the same.
pub(crate) fn check(input: &[u8]) {
    assert_eq!(Caller::new(input).run(), Caller::new(input).run());
}

const NAMES: [&str; 4] = ["a", "b", "$time", ""];
const EXECUTION_ID: &str = "00000000-0000-4000-8000-000000000001";
/// What is checked is not worth more than that.
const CALLS_MAX: usize = 400;

/// Makes the calls that the bytes of an input say.
struct Caller<'a> {
    input: &'a [u8],
    execution: Execution,
    sequence: i32,
    handles: Handle,
    scopes: Scope,
    tasks: Vec<String>,
    children: Vec<String>,
    promises: u32,
    /// Commands that were submitted and whose events did not come.
    submitted: Vec<WorkflowCommand>,
    running: Vec<Handle>,
    stopped: Option<ReplayError>,
    log: Vec<String>,
}

impl<'a> Caller<'a> {
    fn new(input: &'a [u8]) -> Self {
        let flags = input.first().copied().unwrap_or_default();
        let info = ExecutionInfo {
            execution_id: EXECUTION_ID.to_string(),
            kind: "a".to_string(),
            task_time_ms: 1,
            extended: flags & 1 == 0,
            tolerant: flags & 2 != 0,
        };
        let mut execution = Execution::new(info).unwrap();
        if flags & 4 != 0 {
            execution.set_signal_handlers(["a"]).unwrap();
        }
        Self {
            input: input.get(1..).unwrap_or_default(),
            execution,
            sequence: 0,
            handles: 0,
            scopes: 0,
            tasks: Vec::new(),
            children: Vec::new(),
            promises: 0,
            submitted: Vec::new(),
            running: Vec::new(),
            stopped: None,
            log: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<String> {
        for _ in 0..CALLS_MAX {
            if self.input.is_empty() {
                break;
            }
            self.call();
            let (memory, history) = (self.execution.memory_bytes(), self.execution.history_bytes());
            self.log.push(format!("{memory} {history} {:?}", self.execution.next_step()));
        }
        self.log
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self.input.split_first().unwrap_or((&0, &[]));
        self.input = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    fn name(&mut self) -> String {
        let index = self.below(NAMES.len());
        NAMES[index].to_string()
    }

    fn handle(&mut self) -> Handle {
        Handle::from(self.byte()) % (self.handles + 2)
    }

    fn scope(&mut self) -> Scope {
        Scope::from(self.byte()) % (self.scopes + 2)
    }

    fn payload(&mut self) -> Payload {
        Payload::from_json(
            ["null", "1", "{\"__type\":\"OperationError\",\"value\":{}}", "[]"][self.below(4)].to_string(),
        )
        .unwrap()
    }

    fn call(&mut self) {
        match self.byte() % 32 {
            0..=4 => self.events(),
            5..=9 => self.poll_job(),
            10 => self.echo(),
            11 => self.submit(),
            12 => {
                let started = self.execution.poll_operation();
                self.running.extend(started);
                self.log.push(format!("{started:?}"));
            }
            13 => self.finish(),
            14 => self.resume(),
            15 => {
                let result = self.execution.stage_submission();
                self.note(&result);
            }
            16 => self.decode(),
            _ => self.verb(),
        }
    }

    fn verb(&mut self) {
        let (scope, name) = (self.scope(), self.name());
        match self.byte() % 20 {
            0 => {
                let result =
                    self.execution.schedule_task(ScheduleTask { scope, kind: name, ..ScheduleTask::default() });
                if let Some(scheduled) = self.note(&result) {
                    self.handles = scheduled.handle;
                    self.tasks.push(scheduled.task_execution_id.clone());
                }
            }
            1 => {
                let result = self.execution.start_timer(scope, 1);
                self.note_handle(&result);
            }
            2 => {
                let result = self.execution.create_promise(CreatePromise { scope, name, ..CreatePromise::default() });
                self.note_handle(&result);
            }
            3 => {
                let result = self.execution.begin_operation(scope, &name);
                self.note_handle(&result);
            }
            4 => {
                let named = self.byte() & 1 == 0;
                let (kind, name) = (name.clone(), named.then_some(name));
                let result = self.execution.start_child(StartChild { scope, kind, name, ..StartChild::default() });
                if let Some(started) = self.note(&result) {
                    self.handles = started.handle;
                    self.children.push(started.child_execution_id.clone());
                }
            }
            5 => {
                let result = self.execution.wait_for_signal(scope, &name);
                if let Some(awaited) = self.note(&result) {
                    self.handles = awaited.handle;
                }
            }
            6 => {
                let result = self.execution.open_scope(scope, name == "a");
                if let Some(scope) = self.note(&result) {
                    self.scopes = *scope;
                }
            }
            7 => {
                let result = self.execution.cancel_scope(scope);
                self.note(&result);
            }
            8 => {
                let handle = self.handle();
                let result = self.execution.cancel(handle, None);
                self.note(&result);
            }
            9 => {
                let payload = self.payload();
                let result = self.execution.set_state(&name, payload);
                self.note(&result);
            }
            10 => {
                let result = self.execution.clear_state(&name);
                self.note(&result);
            }
            11 => {
                let result = self.execution.clear_all_state();
                self.note(&result);
            }
            12 => {
                let result = self.execution.current_time_ms();
                self.note(&result);
            }
            13 => {
                let result = self.execution.random();
                self.note(&result);
                let result = self.execution.random_uuid();
                self.note(&result);
            }
            14 => {
                let result = self.execution.patched(&name);
                self.note(&result);
            }
            15 => {
                let result = self.execution.deprecate_patch(&name);
                self.note(&result);
            }
            16 => {
                let result = self.execution.drain_signals(&name);
                self.note(&result);
            }
            17 => {
                let payload = self.payload();
                let result = self.execution.complete(payload);
                self.note(&result);
            }
            18 => {
                let failure = WorkflowFailure { error: name.clone(), stack_trace: name, failure_type: String::new() };
                let result = self.execution.fail(failure);
                self.note(&result);
            }
            _ => {
                let result = self.execution.complete_cancelled(name);
                self.note(&result);
            }
        }
    }

    fn poll_job(&mut self) {
        let result = self.execution.poll_job();
        if let (Some(stopped), Ok(job)) = (&self.stopped, &result) {
            panic!("{job:?} is given after {stopped}");
        }
        if let Some(Some(Job::Resolve { handle, .. } | Job::Reject { handle, .. })) = self.note(&result) {
            assert!((1..=self.handles).contains(handle), "nobody was given handle {handle}");
        }
    }

    fn submit(&mut self) {
        let result = self.execution.take_submission(None);
        if let Some(submission) = self.note(&result) {
            let numbers = submission.commands.iter().map(|command| command.sequence_number);
            assert!(numbers.eq(1..=submission.commands.len() as i32), "commands are numbered from 1");
            self.submitted.clone_from(&submission.commands);
        }
    }

    fn finish(&mut self) {
        let index = self.below(self.running.len());
        let handle = if self.running.is_empty() { self.handle() } else { self.running.remove(index) };
        let error = OperationError { name: "E".into(), message: String::new(), stack: None, retryable: None };
        let result = if self.byte() & 1 == 0 { Ok(self.payload()) } else { Err(error) };
        let result = self.execution.handle_operation_result(handle, result);
        self.note(&result);
    }

    fn resume(&mut self) {
        let extended = self.byte() & 1 == 0;
        let result = self.execution.resume(Resumption { task_time_ms: 2, extended });
        self.note(&result);
    }

    fn decode(&mut self) {
        let count = self.execution.encoded_payloads().len() + self.below(2);
        let result = self.execution.handle_decoded_payloads(vec!["2".to_string(); count]);
        self.note(&result);
    }

    /// The events of the commands that were submitted.
    fn echo(&mut self) {
        for command in std::mem::take(&mut self.submitted) {
            let promise_id = format!("p-{}", self.promises);
            let body = command.command_data.and_then(|data| event_of(data, promise_id));
            if let Some(body) = body {
                self.promises += u32::from(matches!(body, EventBody::PromiseCreated { .. }));
                self.hand_over(&body);
            }
        }
    }

    fn events(&mut self) {
        let body = self.body();
        self.hand_over(&body);
    }

    fn hand_over(&mut self, body: &EventBody) {
        let mut message = Event { sequence: self.sequence + 1, body: body.clone() }.to_message();
        if self.byte() == 7 {
            message.sequence_number += i32::from(self.byte()) - 4;
        }
        self.take_in(message);
    }

    fn take_in(&mut self, message: WorkflowEvent) {
        let result = self.execution.handle_events(&[message]);
        self.note(&result);
        self.sequence = self.execution.last_sequence();
    }

    fn body(&mut self) -> EventBody {
        if self.sequence == 0 && self.byte() != 7 {
            let (input, kind) = (self.payload(), self.name());
            return EventBody::WorkflowStarted {
                input,
                kind,
                version: None,
                metadata: None,
                parent_workflow_execution_id: None,
            };
        }
        let name = self.name();
        let (task, child) = (self.below(self.tasks.len()), self.below(self.children.len()));
        let task_execution_id = self.tasks.get(task).cloned().unwrap_or_default();
        let child_execution_id = self.children.get(child).cloned().unwrap_or_default();
        let number = self.below(4);
        let (timer_id, promise_id) = (format!("timer-{number}"), format!("p-{number}"));
        match self.byte() % 27 {
            0 => EventBody::TaskCompleted { task_execution_id, kind: name, output: self.payload() },
            1 => EventBody::TaskFailed {
                task_execution_id,
                kind: name,
                error: String::new(),
                error_type: None,
                stack_trace: Some(String::new()),
                retryable: false,
            },
            2 => EventBody::TaskCancelled { task_execution_id, kind: name, reason: String::new() },
            3 => EventBody::TimerFired { timer_id },
            4 => EventBody::PromiseResolved { promise_id, name, value: self.payload() },
            5 => EventBody::PromiseRejected { promise_id, name, error: String::new() },
            6 => EventBody::PromiseTimeout { promise_id, name },
            7 => EventBody::ChildWorkflowCompleted { name, child_execution_id, output: self.payload() },
            8 => EventBody::ChildWorkflowFailed {
                name,
                child_execution_id,
                error: String::new(),
                failure_type: None,
                stack_trace: None,
            },
            9 | 10 => EventBody::SignalReceived { name, value: self.payload() },
            11 => EventBody::CancellationRequested { reason: name, requested_by: String::new() },
            12 => EventBody::OperationCompleted { name, result: self.payload() },
            13 => self.internal(),
            14 => EventBody::TaskScheduled {
                kind: name,
                task_execution_id: format!("t-{number}"),
                input: Payload::null(),
                queue: String::new(),
                max_retries: None,
                timeout_ms: None,
            },
            15 => EventBody::TimerStarted { timer_id, duration_ms: 1, fire_at_ms: 1 },
            16 => EventBody::PromiseCreated { promise_id, name, timeout_ms: None, idempotency_key: None },
            17 => EventBody::StateSet { key: name, value: self.payload() },
            18 => EventBody::StateCleared { key: name },
            19 => EventBody::TimerCancelled { timer_id },
            20 => EventBody::TaskCancellationRequested { task_execution_id, reason: String::new() },
            21 => {
                let (kind, child_execution_id) = (name.clone(), format!("c-{number}"));
                EventBody::ChildWorkflowInitiated { name, kind, child_execution_id, input: Payload::null() }
            }
            22 => EventBody::ChildWorkflowCancellationRequested { name, child_execution_id, reason: String::new() },
            23 => EventBody::WorkflowSuspended { reason: None },
            24 => EventBody::WorkflowCompleted { output: self.payload() },
            25 => EventBody::WorkflowCancelled { reason: name },
            _ => EventBody::Unknown { event_type: "OF_A_LATER_VERSION".to_string(), data: vec![self.byte()] },
        }
    }

    /// A record of the engine's own, with any result.
    fn internal(&mut self) -> EventBody {
        let name = ["$time", "$seen", "$signals", "$patch:a", "$later"][self.below(5)].to_string();
        let result = ["0", "1", "3", "-1", "null", "\"x\"", "99999999999"][self.below(7)].to_string();
        EventBody::OperationCompleted { name, result: Payload::from_json(result).unwrap() }
    }

    fn note_handle(&mut self, result: &Result<Handle, ReplayError>) {
        if let Some(handle) = self.note(result) {
            self.handles = *handle;
        }
    }

    /// A refusal says what it is; a fatal one is the last.
    fn note<'r, T: std::fmt::Debug>(&mut self, result: &'r Result<T, ReplayError>) -> Option<&'r T> {
        self.log.push(format!("{result:?}"));
        let error = match result {
            Ok(given) => return Some(given),
            Err(error) => error,
        };
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
        let is_fatal = matches!(
            error,
            ReplayError::Violation(_)
                | ReplayError::Stale { .. }
                | ReplayError::HistoryGap { .. }
                | ReplayError::InvalidHistory { .. }
        );
        if is_fatal {
            let stopped = self.stopped.get_or_insert(error.clone());
            assert_eq!(stopped, error, "the first fatal error is the one that counts");
        }
        None
    }
}

/// What a server makes of a command.
fn event_of(data: CommandData, promise_id: String) -> Option<EventBody> {
    let json = |bytes: &[u8]| Payload::from_bytes(bytes).unwrap();
    Some(match data {
        CommandData::RecordOperation(c) => {
            EventBody::OperationCompleted { name: c.operation_name, result: json(&c.result) }
        }
        CommandData::SetState(c) => EventBody::StateSet { key: c.key, value: json(&c.value) },
        CommandData::ClearState(c) => EventBody::StateCleared { key: c.key },
        CommandData::ScheduleTask(c) => EventBody::TaskScheduled {
            kind: c.kind,
            task_execution_id: c.task_execution_id,
            input: json(&c.input),
            queue: String::new(),
            max_retries: None,
            timeout_ms: None,
        },
        CommandData::StartTimer(c) => {
            EventBody::TimerStarted { timer_id: c.timer_id, duration_ms: c.duration_ms, fire_at_ms: 0 }
        }
        CommandData::CancelTimer(c) => EventBody::TimerCancelled { timer_id: c.timer_id },
        CommandData::CreatePromise(c) => {
            EventBody::PromiseCreated { promise_id, name: c.promise_id, timeout_ms: None, idempotency_key: None }
        }
        CommandData::ScheduleChildWorkflow(c) => EventBody::ChildWorkflowInitiated {
            name: c.child_execution_name,
            kind: c.workflow_kind.unwrap_or_default(),
            child_execution_id: c.child_workflow_execution_id,
            input: json(&c.input),
        },
        CommandData::RequestCancelChildWorkflow(c) => EventBody::ChildWorkflowCancellationRequested {
            name: c.child_execution_name,
            child_execution_id: c.child_workflow_execution_id,
            reason: c.reason,
        },
        CommandData::CancelTask(c) => {
            EventBody::TaskCancellationRequested { task_execution_id: c.task_execution_id, reason: c.reason }
        }
        CommandData::CompleteWorkflow(c) => EventBody::WorkflowCompleted { output: json(&c.output) },
        CommandData::FailWorkflow(c) => EventBody::WorkflowExecutionFailed {
            error: c.error,
            stack_trace: c.stack_trace,
            failure_type: c.failure_type,
            by_server: false,
        },
        CommandData::CancelWorkflow(c) => EventBody::WorkflowCancelled { reason: c.reason },
        CommandData::SuspendWorkflow(_) | CommandData::ResolvePromise(_) => return None,
    })
}
