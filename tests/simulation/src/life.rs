use std::collections::{BTreeMap, BTreeSet};

use flovyn_protocol::{
    event::{Event, EventBody},
    messages::{WorkflowCommand, WorkflowEvent, workflow_command::CommandData},
};

use crate::{news::is_timed_out, program::Version, server::Server, workflow::Operation};

/// One execution, as somebody sees it who reads its history all the time.
pub(crate) struct Life {
    pub(crate) id: String,
    pub(crate) function: usize,
    pub(crate) events: Vec<WorkflowEvent>,
    pub(crate) bodies: Vec<EventBody>,
    /// The turns of the workers whose submissions were applied.
    pub(crate) log: Vec<u64>,
    /// The version of the code that took those turns.
    pub(crate) version: Version,
    /// How often it was claimed; the last claim is the current one.
    pub(crate) claims: usize,
    /// A worker has it, as far as anybody knows.
    pub(crate) claimed: bool,
    pub(crate) ended: bool,
    pub(crate) state: BTreeMap<String, String>,
    pending_tasks: BTreeSet<String>,
    pending_timers: BTreeSet<String>,
    pub(crate) pending_promises: BTreeSet<String>,
    pending_children: BTreeSet<String>,
    cancelled_tasks: BTreeSet<String>,
    asked_tasks: BTreeSet<String>,
    /// The claim whose submission was applied last.
    pub(crate) last_applied: usize,
    /// The events that the worker held then.
    pub(crate) seen: usize,
    /// It was asked to end because its time was over.
    pub(crate) is_late: bool,
    /// Its code has ended it, not the server.
    pub(crate) ended_by_code: bool,
    /// What each operation gave, in whatever activation it ran.
    pub(crate) effects: BTreeMap<Operation, BTreeSet<u64>>,
}

impl Life {
    pub(crate) fn new(id: String, function: usize) -> Self {
        Self {
            id,
            function,
            events: Vec::new(),
            bodies: Vec::new(),
            log: Vec::new(),
            version: Version::Earlier,
            claims: 0,
            claimed: false,
            ended: false,
            state: BTreeMap::new(),
            pending_tasks: BTreeSet::new(),
            pending_timers: BTreeSet::new(),
            pending_promises: BTreeSet::new(),
            pending_children: BTreeSet::new(),
            cancelled_tasks: BTreeSet::new(),
            asked_tasks: BTreeSet::new(),
            last_applied: 0,
            seen: 0,
            is_late: false,
            ended_by_code: false,
            effects: BTreeMap::new(),
        }
    }

    pub(crate) fn is_ended_by_server(&self) -> bool {
        self.ended && !self.ended_by_code
    }

    /// Reads what is new in the history and checks it by itself: numbers, the order of things, and that each happens
    /// once. Gives the number of the first new event.
    pub(crate) fn observe(&mut self, server: &mut Server) -> usize {
        let known = self.events.len();
        for message in server.events(&self.id, known) {
            assert_eq!(message.sequence_number as usize, self.events.len() + 1, "the history has a gap");
            assert!(!self.ended, "{} after the end", message.event_type);
            let body = Event::parse(&message).unwrap().body;
            assert_eq!(matches!(body, EventBody::WorkflowStarted { .. }), self.events.is_empty());
            self.check(&body);
            self.events.push(message);
            self.bodies.push(body);
        }
        known
    }

    fn check(&mut self, body: &EventBody) {
        match body {
            EventBody::StateSet { key, value } => drop(self.state.insert(key.clone(), value.as_json().to_string())),
            EventBody::StateCleared { key } => drop(self.state.remove(key)),
            EventBody::TaskScheduled { task_execution_id: id, .. } => {
                assert!(self.pending_tasks.insert(id.clone()), "task {id} twice");
            }
            // Where a client without our extension waits, the end is told once more in words that it knows.
            EventBody::TaskFailed { task_execution_id: id, .. } if self.cancelled_tasks.remove(id) => {}
            EventBody::TaskCompleted { task_execution_id: id, .. }
            | EventBody::TaskFailed { task_execution_id: id, .. } => {
                assert!(self.pending_tasks.remove(id), "task {id} ended and was not pending");
            }
            EventBody::TaskCancelled { task_execution_id: id, .. } => {
                assert!(self.pending_tasks.remove(id), "task {id} ended and was not pending");
                self.cancelled_tasks.insert(id.clone());
            }
            EventBody::TaskCancellationRequested { task_execution_id: id, .. } => {
                assert!(self.asked_tasks.insert(id.clone()), "task {id} is asked to stop twice");
            }
            EventBody::ChildWorkflowInitiated { child_execution_id: id, .. } => {
                assert!(self.pending_children.insert(id.clone()), "child {id} twice");
            }
            EventBody::ChildWorkflowCompleted { child_execution_id: id, .. }
            | EventBody::ChildWorkflowFailed { child_execution_id: id, .. } => {
                assert!(self.pending_children.remove(id), "child {id} ended and was not pending");
            }
            EventBody::TimerStarted { timer_id, .. } => {
                assert!(self.pending_timers.insert(timer_id.clone()), "{timer_id} twice");
            }
            EventBody::TimerFired { timer_id } => {
                assert!(self.pending_timers.remove(timer_id), "{timer_id} fired and was not pending");
            }
            EventBody::TimerCancelled { timer_id } => {
                self.pending_timers.remove(timer_id);
            }
            EventBody::PromiseCreated { promise_id: id, .. } => {
                assert!(self.pending_promises.insert(id.clone()), "promise {id} twice");
            }
            EventBody::PromiseResolved { promise_id: id, .. }
            | EventBody::PromiseRejected { promise_id: id, .. }
            | EventBody::PromiseTimeout { promise_id: id, .. } => {
                assert!(self.pending_promises.remove(id), "promise {id} was settled and was not pending");
            }
            EventBody::WorkflowCompleted { .. }
            | EventBody::WorkflowExecutionFailed { .. }
            | EventBody::WorkflowCancelled { .. } => self.ended = true,
            EventBody::CancellationRequested { requested_by, .. } => self.is_late = requested_by == "timeout",
            EventBody::Unknown { event_type, .. } => panic!("an event of type {event_type}"),
            _ => {}
        }
    }

    /// What the state has under a key, as JSON.
    pub(crate) fn state_value(&self, key: &str) -> String {
        self.state.get(key).cloned().unwrap_or_else(|| "null".to_string())
    }

    /// Something came from outside that no worker has seen yet.
    pub(crate) fn has_news(&self) -> bool {
        let is_skipped = |body: &EventBody| {
            matches!(body, EventBody::WorkflowSuspended { .. } | EventBody::ChildWorkflowStarted { .. })
        };
        self.bodies[self.seen..].iter().any(|body| !is_of_the_code(body) && !is_skipped(body))
    }

    /// Whether a command has left one of the first events.
    pub(crate) fn has_commands(&self, held: usize) -> bool {
        self.bodies[..held].iter().any(is_of_the_code)
    }

    /// How many operations of that name have a record among the first events.
    pub(crate) fn records(&self, operation_name: &str, held: usize) -> usize {
        let is_record =
            |body: &&EventBody| matches!(body, EventBody::OperationCompleted { name, .. } if name == operation_name);
        self.bodies[..held].iter().filter(is_record).count()
    }
}

/// Checks that exactly these commands have become events, each once and in this order, beside what came from outside.
pub(crate) fn check_applied(commands: &[WorkflowCommand], events: &[EventBody], extended: bool, is_late: bool) {
    let mut events = events.iter().filter(|body| is_of_the_code(body));
    for command in commands {
        let Some(data) = &command.command_data else { continue };
        // Not every client knows this event, so it is not made for those.
        if matches!(data, CommandData::RequestCancelChildWorkflow(_)) && !extended {
            continue;
        }
        match events.next() {
            // An execution that ends as cancelled, and was because its time was over, has timed out.
            Some(event) if is_late && matches!(data, CommandData::CancelWorkflow(_)) => assert!(is_timed_out(event)),
            Some(event) => assert!(is_event_of(data, event), "expected the event of {data:?}, got {event:?}"),
            None => assert!(matches!(data, CommandData::SuspendWorkflow(_)), "a command was lost: {data:?}"),
        }
    }
    assert_eq!(events.next(), None, "an event of no command");
}

/// Commands make these, and nothing else does.
pub(crate) fn is_of_the_code(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::OperationCompleted { .. }
            | EventBody::StateSet { .. }
            | EventBody::StateCleared { .. }
            | EventBody::TaskScheduled { .. }
            | EventBody::PromiseCreated { .. }
            | EventBody::TimerStarted { .. }
            | EventBody::TimerCancelled { .. }
            | EventBody::TaskCancellationRequested { .. }
            | EventBody::ChildWorkflowInitiated { .. }
            | EventBody::ChildWorkflowCancellationRequested { .. }
            | EventBody::WorkflowCompleted { .. }
            | EventBody::WorkflowExecutionFailed { .. }
            | EventBody::WorkflowCancelled { .. }
    )
}

fn is_event_of(data: &CommandData, event: &EventBody) -> bool {
    match (data, event) {
        (CommandData::RecordOperation(c), EventBody::OperationCompleted { name, result }) => {
            c.operation_name == *name && c.result == result.as_json().as_bytes()
        }
        (CommandData::SetState(c), EventBody::StateSet { key, value }) => {
            c.key == *key && c.value == value.as_json().as_bytes()
        }
        (CommandData::ClearState(c), EventBody::StateCleared { key }) => c.key == *key,
        (CommandData::ScheduleTask(c), EventBody::TaskScheduled { kind, task_execution_id, input, .. }) => {
            c.kind == *kind && c.task_execution_id == *task_execution_id && c.input == input.as_json().as_bytes()
        }
        (CommandData::StartTimer(c), EventBody::TimerStarted { timer_id, duration_ms, .. }) => {
            c.timer_id == *timer_id && c.duration_ms == *duration_ms
        }
        (CommandData::CancelTimer(c), EventBody::TimerCancelled { timer_id }) => c.timer_id == *timer_id,
        (CommandData::CancelTask(c), EventBody::TaskCancellationRequested { task_execution_id, .. }) => {
            c.task_execution_id == *task_execution_id
        }
        (CommandData::ScheduleChildWorkflow(c), EventBody::ChildWorkflowInitiated { name, child_execution_id, .. }) => {
            c.child_execution_name == *name && c.child_workflow_execution_id == *child_execution_id
        }
        (
            CommandData::RequestCancelChildWorkflow(c),
            EventBody::ChildWorkflowCancellationRequested { child_execution_id, .. },
        ) => c.child_workflow_execution_id == *child_execution_id,
        (CommandData::CancelWorkflow(c), EventBody::WorkflowCancelled { reason }) => c.reason == *reason,
        (CommandData::CreatePromise(c), EventBody::PromiseCreated { name, .. }) => c.promise_id == *name,
        (CommandData::CompleteWorkflow(c), EventBody::WorkflowCompleted { output }) => {
            c.output == output.as_json().as_bytes()
        }
        (CommandData::FailWorkflow(c), EventBody::WorkflowExecutionFailed { error, .. }) => c.error == *error,
        _ => false,
    }
}
