use std::collections::BTreeMap;

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::{WorkflowCommand, WorkflowEvent, WorkflowStatus, workflow_command::CommandData},
};

use crate::chance::Chance;

/// A server with one execution: it appends what is submitted and lets pending things end when chance says so.
pub(crate) struct Server {
    pub(crate) history: Vec<WorkflowEvent>,
    pub(crate) ended: bool,
    pub(crate) landed: usize,
    pub(crate) chance: Chance,
    pending: Vec<EventBody>,
    /// Settlements that were appended once and may come again.
    past: Vec<EventBody>,
    /// Operations that have a record, by name.
    recorded: BTreeMap<String, usize>,
    next_id: usize,
}

impl Server {
    pub(crate) fn new(chance: Chance) -> Self {
        let (history, pending, past, recorded) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        let mut server = Self { history, ended: false, landed: 0, chance, pending, past, recorded, next_id: 0 };
        server.append(EventBody::WorkflowStarted {
            input: Payload::null(),
            kind: "random".to_string(),
            version: None,
            metadata: None,
            parent_workflow_execution_id: None,
        });
        server
    }

    pub(crate) fn is_recorded(&self, (name, before): &(String, usize)) -> bool {
        self.recorded.get(name).is_some_and(|count| before < count)
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(crate) fn apply(&mut self, commands: &[WorkflowCommand], status: WorkflowStatus) {
        for command in commands {
            self.apply_one(command.command_data.clone().unwrap());
        }
        match status {
            WorkflowStatus::Running => {}
            WorkflowStatus::Suspended => self.append(EventBody::WorkflowSuspended { reason: None }),
            _ => self.ended = true,
        }
    }

    fn apply_one(&mut self, command: CommandData) {
        let json = |bytes: &[u8]| Payload::from_bytes(bytes).unwrap();
        let event = match command {
            CommandData::ScheduleTask(c) => {
                let (task_execution_id, kind) = (c.task_execution_id, c.kind);
                self.pending.push(self.task_end(&task_execution_id, &kind));
                let (input, queue) = (json(&c.input), String::new());
                EventBody::TaskScheduled { kind, task_execution_id, input, queue, max_retries: None, timeout_ms: None }
            }
            CommandData::StartTimer(c) => {
                self.pending.push(EventBody::TimerFired { timer_id: c.timer_id.clone() });
                EventBody::TimerStarted { timer_id: c.timer_id, duration_ms: c.duration_ms, fire_at_ms: 0 }
            }
            CommandData::CreatePromise(c) => {
                self.next_id += 1;
                let (promise_id, name) = (format!("promise-id-{}", self.next_id), c.promise_id);
                self.pending.push(self.promise_end(&promise_id, &name));
                EventBody::PromiseCreated { promise_id, name, timeout_ms: None, idempotency_key: None }
            }
            CommandData::RecordOperation(c) => {
                *self.recorded.entry(c.operation_name.clone()).or_default() += 1;
                EventBody::OperationCompleted { name: c.operation_name, result: json(&c.result) }
            }
            CommandData::SetState(c) => EventBody::StateSet { key: c.key, value: json(&c.value) },
            CommandData::ClearState(c) => EventBody::StateCleared { key: c.key },
            CommandData::CompleteWorkflow(c) => EventBody::WorkflowCompleted { output: json(&c.output) },
            CommandData::FailWorkflow(c) => EventBody::WorkflowExecutionFailed {
                error: c.error,
                stack_trace: c.stack_trace,
                failure_type: c.failure_type,
            },
            other => panic!("not a command of the engine: {other:?}"),
        };
        self.append(event);
    }

    fn task_end(&self, id: &str, kind: &str) -> EventBody {
        let (task_execution_id, kind) = (id.to_string(), kind.to_string());
        match self.pending.len() % 3 {
            0 => EventBody::TaskFailed { task_execution_id, kind, error: "no".to_string(), retryable: false },
            _ => EventBody::TaskCompleted { task_execution_id, kind, output: Payload::null() },
        }
    }

    fn promise_end(&self, id: &str, name: &str) -> EventBody {
        let (promise_id, name) = (id.to_string(), name.to_string());
        match self.pending.len() % 3 {
            0 => EventBody::PromiseTimeout { promise_id, name },
            1 => EventBody::PromiseRejected { promise_id, name, error: "no".to_string() },
            _ => EventBody::PromiseResolved { promise_id, name, value: Payload::null() },
        }
    }

    /// While a worker has the execution, some of what is pending may end, and some of what has ended may be told
    /// again.
    pub(crate) fn maybe_land(&mut self) {
        while !self.ended && self.chance.one_in(3) {
            self.settle_one();
        }
    }

    /// Between activations at least one thing must happen, or nobody would wake.
    pub(crate) fn something_happens(&mut self) {
        if !self.ended {
            self.settle_one();
        }
        self.maybe_land();
    }

    fn settle_one(&mut self) {
        if self.chance.one_in(8) {
            self.append(EventBody::Unknown { event_type: "SOMETHING_NEW".to_string(), data: b"?".to_vec() });
        }
        if self.chance.one_in(8)
            && let Some(again) = self.past.last().cloned()
        {
            self.append(again);
        }
        if let Some(event) = self.chance.take(&mut self.pending) {
            self.past.push(event.clone());
            self.append(event);
            self.landed += 1;
        }
    }

    fn append(&mut self, body: EventBody) {
        let sequence = self.history.len() as i32 + 1;
        self.history.push(Event { sequence, body }.to_message());
    }
}
