use flovyn_protocol::{
    Payload,
    messages::{WorkflowEvent, WorkflowStatus},
};
use flovyn_replay::{
    AwaitedSignal, CancelEffect, CreatePromise, Execution, ExecutionInfo, Handle, Job, OperationError, Rejection,
    ReplayError, Resumption, ScheduleTask, StartChild, StartedChild, Step, Submission, Violation, WorkflowFailure,
    describe,
};

pub(crate) const ID: &str = "11111111-2222-4333-8444-555555555555";
/// The ids that an execution of [`ID`] makes, in order.
pub(crate) const IDS: [&str; 4] = [
    "9c38c57e-9617-5583-a190-acc434e94b9e",
    "55d478c5-f221-5a63-93c9-45efcf46d88f",
    "3957a17f-efe1-5a82-9803-0a21ff2ee26e",
    "57408fa0-391d-52a6-8a00-074aed196848",
];
pub(crate) const TASK_TIME_MS: i64 = 5000;

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_json(text.to_string()).unwrap()
}

/// An execution, and what is said to it and by it, line by line.
pub(crate) struct Transcript {
    pub(crate) execution: Execution,
}

impl Transcript {
    /// An extended server holds this history.
    pub(crate) fn of<const N: usize>(events: [WorkflowEvent; N]) -> Self {
        let mut transcript = Self::open(true);
        transcript.execution.handle_events(&numbered(1, events)).unwrap();
        transcript
    }

    pub(crate) fn open(extended: bool) -> Self {
        let (execution_id, kind) = (ID.to_string(), "order".to_string());
        let info = ExecutionInfo { execution_id, kind, task_time_ms: TASK_TIME_MS, extended, tolerant: false };
        Self { execution: Execution::new(info).unwrap() }
    }

    /// The code is told this, and a turn begins.
    pub(crate) fn job(&mut self, expected: &str) {
        let job = self.execution.poll_job().unwrap();
        assert_eq!(job.as_ref().map(line), Some(expected.to_string()));
    }

    /// The code has nothing more to be told.
    pub(crate) fn no_job(&mut self) {
        assert_eq!(self.execution.poll_job().unwrap(), None);
    }

    pub(crate) fn task(&mut self, kind: &str) -> Handle {
        let task = ScheduleTask { kind: kind.to_string(), ..ScheduleTask::default() };
        self.execution.schedule_task(task).unwrap().handle
    }

    pub(crate) fn try_task(&mut self, kind: &str) -> ReplayError {
        let task = ScheduleTask { kind: kind.to_string(), ..ScheduleTask::default() };
        self.execution.schedule_task(task).unwrap_err()
    }

    pub(crate) fn timer(&mut self) -> Handle {
        self.execution.start_timer(0, 1000).unwrap()
    }

    pub(crate) fn promise(&mut self, name: &str) -> Handle {
        let promise = CreatePromise { name: name.to_string(), ..CreatePromise::default() };
        self.execution.create_promise(promise).unwrap()
    }

    pub(crate) fn run(&mut self, name: &str) -> Handle {
        self.execution.begin_operation(0, name).unwrap()
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.execution.set_state(key, json(value)).unwrap();
    }

    pub(crate) fn complete(&mut self, output: &str) {
        self.execution.complete(json(output)).unwrap();
    }

    pub(crate) fn fail(&mut self, error: &str) {
        let (stack_trace, failure_type) = ("at line 1".to_string(), "CODE_BUG".to_string());
        self.execution.fail(WorkflowFailure { error: error.to_string(), stack_trace, failure_type }).unwrap();
    }

    /// The driver starts these operations, and no others.
    pub(crate) fn starts<const N: usize>(&mut self, handles: [Handle; N]) {
        assert_eq!(self.execution.next_step(), Step::StartOperations);
        for handle in handles {
            assert_eq!(self.execution.poll_operation(), Some(handle));
        }
        assert_eq!(self.execution.poll_operation(), None, "and nothing more is started");
    }

    pub(crate) fn finishes(&mut self, handle: Handle, result: &str) {
        self.execution.handle_operation_result(handle, Ok(json(result))).unwrap();
    }

    pub(crate) fn throws(&mut self, handle: Handle, message: &str) {
        let (name, message) = ("Error".to_string(), message.to_string());
        let error = OperationError { name, message, stack: None, retryable: None };
        self.execution.handle_operation_result(handle, Err(error)).unwrap();
    }

    /// The handle that waits for the next signal of that name.
    pub(crate) fn waits(&mut self, name: &str) -> Handle {
        let AwaitedSignal { handle, value } = self.execution.wait_for_signal(0, name).unwrap();
        assert_eq!(value, None);
        handle
    }

    /// A queued signal of that name is taken.
    pub(crate) fn takes(&mut self, name: &str, value: &str) {
        assert_eq!(self.execution.wait_for_signal(0, name).unwrap().value, Some(json(value)));
    }

    pub(crate) fn child(&mut self, kind: &str) -> StartedChild {
        self.execution.start_child(StartChild { kind: kind.to_string(), ..StartChild::default() }).unwrap()
    }

    pub(crate) fn named_child(&mut self, kind: &str, name: &str) -> Result<StartedChild, ReplayError> {
        let (kind, name) = (kind.to_string(), Some(name.to_string()));
        self.execution.start_child(StartChild { kind, name, ..StartChild::default() })
    }

    pub(crate) fn cancel(&mut self, handle: Handle) -> CancelEffect {
        self.execution.cancel(handle, None).unwrap()
    }

    /// Nothing is left to tell, the execution suspends with exactly these commands, and these events come after them.
    pub(crate) fn continues<const N: usize>(&mut self, commands: &[String], events: [WorkflowEvent; N]) {
        self.no_job();
        assert_eq!(self.execution.next_step(), Step::SubmitFinal);
        let submission = self.execution.take_submission(None).unwrap();
        assert_eq!(lines(&submission), commands);
        assert_eq!(submission.status, WorkflowStatus::Suspended);
        self.execution.resume(Resumption { task_time_ms: TASK_TIME_MS + 1000, extended: true }).unwrap();
        self.answer(events);
    }

    /// A partial submission carries exactly these commands.
    pub(crate) fn submits_partially(&mut self, commands: &[String]) -> Submission {
        assert_eq!(self.execution.next_step(), Step::SubmitPartial);
        let submission = self.execution.take_submission(None).unwrap();
        assert_eq!(lines(&submission), commands);
        assert_eq!(submission.status, WorkflowStatus::Running);
        submission
    }

    /// These events come back, or in, and are numbered on from the last one held.
    pub(crate) fn answer<const N: usize>(&mut self, events: [WorkflowEvent; N]) {
        self.try_answer(events).unwrap();
    }

    pub(crate) fn try_answer<const N: usize>(&mut self, events: [WorkflowEvent; N]) -> Result<(), ReplayError> {
        let first = self.execution.last_sequence() + 1;
        self.execution.handle_events(&numbered(first, events))
    }

    /// Nothing is left to tell, the last submission carries exactly these commands, and nothing more comes out.
    pub(crate) fn ends(mut self, status: WorkflowStatus, commands: &[String]) {
        self.no_job();
        assert_eq!(self.execution.poll_operation(), None, "and nothing more is started");
        assert_eq!(self.execution.next_step(), Step::SubmitFinal);
        let submission = self.execution.take_submission(None).unwrap();
        assert_eq!(lines(&submission), commands);
        assert_eq!(submission.status, status);
        assert!(!self.execution.is_replaying());
        self.nothing_more();
    }

    pub(crate) fn suspends(self, commands: &[String]) {
        self.ends(WorkflowStatus::Suspended, commands);
    }

    fn nothing_more(mut self) {
        assert_eq!(self.execution.poll_job().unwrap_err().code(), "OUT_OF_ORDER");
        assert_eq!(self.execution.poll_operation(), None);
        assert_eq!(self.execution.take_submission(None).unwrap_err().code(), "OUT_OF_ORDER");
    }

    /// The next poll finds a violation, and nothing more comes out.
    pub(crate) fn violates(mut self) -> Violation {
        let error = self.execution.poll_job().unwrap_err();
        self.stopped_by(error)
    }

    /// A verb found a violation, and nothing more comes out.
    pub(crate) fn stopped_by(mut self, error: ReplayError) -> Violation {
        assert_eq!(self.execution.poll_job(), Err(error.clone()));
        assert_eq!(self.execution.poll_operation(), None, "no operation is executed");
        assert_eq!(self.execution.stage_submission(), Err(error.clone()));
        assert_eq!(self.execution.take_submission(None), Err(error.clone()));
        assert_eq!(self.execution.random().unwrap_err().code(), "POISONED");
        match error {
            ReplayError::Violation(violation) => *violation,
            error => panic!("expected a violation, got {error}"),
        }
    }
}

pub(crate) fn numbered(first: i32, events: impl IntoIterator<Item = WorkflowEvent>) -> Vec<WorkflowEvent> {
    let numbered = (first..).zip(events);
    numbered.map(|(sequence_number, event)| WorkflowEvent { sequence_number, ..event }).collect()
}

pub(crate) fn lines(submission: &Submission) -> Vec<String> {
    submission.commands.iter().map(describe).collect()
}

fn line(job: &Job) -> String {
    match job {
        Job::Start { input, signals } => {
            let signals = signals.iter().map(|(name, value)| format!(" signal {name} {value:?}"));
            format!("start {input:?}{}", signals.collect::<String>())
        }
        Job::Signal { name, value } => format!("signal {name} {value:?}"),
        Job::Cancel { reason, handles } => format!("cancel {handles:?} {reason}"),
        Job::Resolve { handle, value } => format!("resolve {handle} {value:?}"),
        Job::Reject { handle, rejection } => format!("reject {handle} {}", reason(rejection)),
    }
}

fn reason(rejection: &Rejection) -> String {
    match rejection {
        Rejection::TaskFailed { task_execution_id, kind, message, error_type, stack_trace, retryable } => {
            let thrown = match (error_type, stack_trace) {
                (None, None) => String::new(),
                (error_type, stack_trace) => {
                    format!(", {} {}", error_type.as_deref().unwrap_or("-"), stack_trace.as_deref().unwrap_or("-"))
                }
            };
            format!("task {kind} {task_execution_id} failed: {message} (retryable: {retryable}{thrown})")
        }
        Rejection::TaskCancelled { task_execution_id, kind, reason } => {
            format!("task {kind} {task_execution_id} cancelled: {reason}")
        }
        Rejection::PromiseRejected { promise_id, name, message } => {
            format!("promise {name} {promise_id} rejected: {message}")
        }
        Rejection::PromiseTimedOut { promise_id, name } => format!("promise {name} {promise_id} timed out"),
        Rejection::ChildFailed { child_execution_id, name, kind, message, failure_type, stack_trace } => {
            let thrown = match (failure_type, stack_trace) {
                (None, None) => String::new(),
                (failure_type, stack_trace) => {
                    format!(" ({} {})", failure_type.as_deref().unwrap_or("-"), stack_trace.as_deref().unwrap_or("-"))
                }
            };
            format!("child {name} of kind {kind} {child_execution_id} failed: {message}{thrown}")
        }
        Rejection::OperationFailed(error) => format!("operation failed: {}: {}", error.name, error.message),
    }
}

pub(crate) fn schedule(kind: &str, counter: usize) -> String {
    format!(r#"{{"type":"SCHEDULE_TASK","kind":"{kind}","input":null,"taskExecutionId":"{}"}}"#, IDS[counter])
}

pub(crate) fn timer(index: u32) -> String {
    format!(r#"{{"type":"START_TIMER","timerId":"timer-{index}","durationMs":1000}}"#)
}

pub(crate) fn record(name: &str, result: &str) -> String {
    format!(r#"{{"type":"RECORD_OPERATION","operationName":"{name}","result":{result}}}"#)
}

/// What a first activation without any other command leaves.
pub(crate) fn signals(count: u32) -> String {
    record("$signals", &count.to_string())
}

pub(crate) fn complete(output: &str) -> String {
    format!(r#"{{"type":"COMPLETE_WORKFLOW","output":{output}}}"#)
}

pub(crate) fn set_state(key: &str, value: &str) -> String {
    format!(r#"{{"type":"SET_STATE","key":"{key}","value":{value}}}"#)
}

pub(crate) fn clear_state(key: &str) -> String {
    format!(r#"{{"type":"CLEAR_STATE","key":"{key}"}}"#)
}

pub(crate) fn create_promise(name: &str) -> String {
    format!(r#"{{"type":"CREATE_PROMISE","promiseId":"{name}"}}"#)
}

pub(crate) fn start_child(name: &str, kind: &str, counter: usize) -> String {
    format!(
        concat!(
            r#"{{"type":"SCHEDULE_CHILD_WORKFLOW","childExecutionName":"{}","workflowKind":"{}","#,
            r#""childWorkflowExecutionId":"{}","input":null,"queue":"","prioritySeconds":0}}"#
        ),
        name, kind, IDS[counter]
    )
}

pub(crate) fn cancel_timer(id: &str) -> String {
    format!(r#"{{"type":"CANCEL_TIMER","timerId":"{id}"}}"#)
}

pub(crate) fn cancel_task(id: &str) -> String {
    format!(r#"{{"type":"CANCEL_TASK","taskExecutionId":"{id}","reason":"cancelled by the workflow"}}"#)
}

pub(crate) fn cancel_child(name: &str, id: &str) -> String {
    format!(
        concat!(
            r#"{{"type":"REQUEST_CANCEL_CHILD_WORKFLOW","childExecutionName":"{}","#,
            r#""childWorkflowExecutionId":"{}","reason":"cancelled by the workflow"}}"#
        ),
        name, id
    )
}

pub(crate) fn cancel_workflow(reason: &str) -> String {
    format!(r#"{{"type":"CANCEL_WORKFLOW","reason":"{reason}"}}"#)
}
