use std::collections::BTreeMap;

use flovyn_protocol::{
    Payload,
    event::{Event, EventBody},
    messages::{WorkflowCommand, WorkflowEvent, WorkflowStatus, workflow_command::CommandData},
};

use crate::{chance::Chance, code::HANDLED};

/// A server with one execution: it appends what is submitted and lets pending things end when chance says so.
pub(crate) struct Server {
    pub(crate) history: Vec<WorkflowEvent>,
    pub(crate) ended: bool,
    pub(crate) landed: usize,
    pub(crate) signals: usize,
    pub(crate) cancels: usize,
    pub(crate) chance: Chance,
    pending: Vec<EventBody>,
    /// Settlements that were appended once and may come again.
    past: Vec<EventBody>,
    /// Operations that have a record, by name.
    recorded: BTreeMap<String, usize>,
    next_id: usize,
    signals_left: usize,
    cancels_left: usize,
    /// Knows our extensions.
    extended: bool,
}

impl Server {
    pub(crate) fn new(mut chance: Chance, extended: bool) -> Self {
        let (signals_left, cancels_left) = (chance.below(6), chance.below(12) / 10);
        let mut server = Self {
            history: Vec::new(),
            ended: false,
            landed: 0,
            signals: 0,
            cancels: 0,
            chance,
            pending: Vec::new(),
            past: Vec::new(),
            recorded: BTreeMap::new(),
            next_id: 0,
            signals_left,
            cancels_left,
            extended,
        };
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
        !self.pending.is_empty() || self.signals_left > 0
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
                by_server: false,
            },
            CommandData::CancelWorkflow(c) => EventBody::WorkflowCancelled { reason: c.reason },
            CommandData::ScheduleChildWorkflow(c) => {
                let (name, child_execution_id) = (c.child_execution_name, c.child_workflow_execution_id);
                self.pending.push(self.child_end(&name, &child_execution_id));
                let (kind, input) = (c.workflow_kind.unwrap(), json(&c.input));
                EventBody::ChildWorkflowInitiated { name, kind, child_execution_id, input }
            }
            CommandData::CancelTimer(c) => {
                let timer_id = c.timer_id;
                self.pending.retain(|end| *end != EventBody::TimerFired { timer_id: timer_id.clone() });
                EventBody::TimerCancelled { timer_id }
            }
            CommandData::CancelTask(c) => {
                let (task_execution_id, reason) = (c.task_execution_id, c.reason);
                self.append(EventBody::TaskCancellationRequested {
                    task_execution_id: task_execution_id.clone(),
                    reason: reason.clone(),
                });
                let before = self.pending.len();
                self.pending.retain(|end| !is_end_of(end, &task_execution_id));
                if self.pending.len() == before {
                    return;
                }
                let kind = String::new();
                EventBody::TaskCancelled { task_execution_id, kind, reason }
            }
            CommandData::RequestCancelChildWorkflow(c) => {
                // Servers without the extension may leave no event.
                if !self.extended && self.chance.one_in(2) {
                    return;
                }
                EventBody::ChildWorkflowCancellationRequested {
                    name: c.child_execution_name,
                    child_execution_id: c.child_workflow_execution_id,
                    reason: c.reason,
                }
            }
            other => panic!("not a command of the engine: {other:?}"),
        };
        self.append(event);
    }

    fn task_end(&self, id: &str, kind: &str) -> EventBody {
        let (task_execution_id, kind) = (id.to_string(), kind.to_string());
        match self.pending.len() % 3 {
            0 => EventBody::TaskFailed {
                task_execution_id,
                kind,
                error: "no".to_string(),
                error_type: None,
                stack_trace: None,
                retryable: false,
            },
            _ => EventBody::TaskCompleted { task_execution_id, kind, output: Payload::null() },
        }
    }

    fn child_end(&self, name: &str, id: &str) -> EventBody {
        let (name, child_execution_id) = (name.to_string(), id.to_string());
        match self.pending.len() % 3 {
            0 => EventBody::ChildWorkflowFailed {
                name,
                child_execution_id,
                error: "no".to_string(),
                failure_type: None,
                stack_trace: None,
            },
            1 => EventBody::ChildWorkflowCompleted { name, child_execution_id: String::new(), output: Payload::null() },
            _ => EventBody::ChildWorkflowCompleted { name, child_execution_id, output: Payload::null() },
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
        if self.signals_left > 0 && self.chance.one_in(2) {
            self.signals_left -= 1;
            let name = ["signal-0", "signal-1", HANDLED][self.chance.below(3)].to_string();
            let value = Payload::from_json(self.signals_left.to_string()).unwrap();
            self.append(EventBody::SignalReceived { name, value });
            self.signals += 1;
        }
        if self.cancels_left > 0 && self.chance.one_in(6) {
            self.cancels_left -= 1;
            let (reason, requested_by) = ("stop".to_string(), String::new());
            self.append(EventBody::CancellationRequested { reason, requested_by });
            self.cancels += 1;
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

fn is_end_of(end: &EventBody, task: &str) -> bool {
    match end {
        EventBody::TaskCompleted { task_execution_id, .. } | EventBody::TaskFailed { task_execution_id, .. } => {
            task_execution_id == task
        }
        _ => false,
    }
}
