use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use flovyn_protocol::{
    event::{Event, EventBody},
    messages::WorkflowEvent,
};

/// A history that was checked.
pub(super) struct Checked {
    pub(super) ended: bool,
    /// It holds events that only our clients know.
    pub(super) extended: bool,
    /// The numbers of the events that came from outside.
    pub(super) landed: Vec<i32>,
    /// Its children, and whether it has heard how they ended.
    pub(super) children: BTreeMap<String, bool>,
}

/// Checks one history by itself: numbers, the order of things, and that each happens once.
pub(super) fn history(events: &[WorkflowEvent]) -> Checked {
    let mut state = State::default();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(usize::try_from(event.sequence_number).unwrap(), index + 1, "a gap");
        assert!(!state.ended, "{} after the end", event.event_type);
        let event = Event::parse(event).unwrap();
        assert_eq!(matches!(event.body, EventBody::WorkflowStarted { .. }), index == 0);
        if state.apply(event.body) {
            state.landed.push(event.sequence);
        }
    }
    assert!(!events.is_empty());
    Checked { ended: state.ended, extended: state.extended, landed: state.landed, children: state.children }
}

#[derive(Default)]
struct State {
    tasks: BTreeMap<String, bool>,
    cancelled_tasks: BTreeSet<String>,
    timers: BTreeSet<String>,
    promises: BTreeMap<String, bool>,
    children: BTreeMap<String, bool>,
    cancelling: bool,
    extended: bool,
    ended: bool,
    landed: Vec<i32>,
}

impl State {
    /// Whether the event came from outside.
    fn apply(&mut self, body: EventBody) -> bool {
        match body {
            EventBody::TaskScheduled { task_execution_id, .. } => {
                assert!(self.tasks.insert(task_execution_id, false).is_none(), "a task twice");
            }
            // For plain clients TASK_FAILED follows it.
            EventBody::TaskCancelled { task_execution_id, .. } => {
                assert_eq!(self.tasks.get(&task_execution_id), Some(&false), "cancelled after its end");
                self.cancelled_tasks.insert(task_execution_id.clone());
                self.tasks.insert(task_execution_id, true);
                return true;
            }
            EventBody::TaskFailed { task_execution_id, error, .. }
                if self.cancelled_tasks.remove(&task_execution_id) =>
            {
                assert_eq!(error, "cancelled");
                return true;
            }
            EventBody::TaskCompleted { task_execution_id, .. } | EventBody::TaskFailed { task_execution_id, .. } => {
                assert_eq!(self.tasks.insert(task_execution_id, true), Some(false), "a result of no task or twice");
                return true;
            }
            EventBody::TimerStarted { timer_id, .. } => assert!(self.timers.insert(timer_id), "a pending timer again"),
            EventBody::TimerFired { timer_id } => {
                assert!(self.timers.remove(&timer_id), "fired and not pending");
                return true;
            }
            EventBody::TimerCancelled { timer_id } => {
                self.timers.remove(&timer_id);
            }
            EventBody::PromiseCreated { promise_id, .. } => {
                assert!(self.promises.insert(promise_id, false).is_none(), "a promise twice");
            }
            EventBody::PromiseResolved { promise_id, .. }
            | EventBody::PromiseRejected { promise_id, .. }
            | EventBody::PromiseTimeout { promise_id, .. } => {
                assert_eq!(self.promises.insert(promise_id, true), Some(false), "settled and not pending");
                return true;
            }
            EventBody::ChildWorkflowInitiated { child_execution_id, .. } => {
                assert!(self.children.insert(child_execution_id, false).is_none(), "a child twice");
            }
            EventBody::ChildWorkflowStarted { child_execution_id, .. } => {
                assert_eq!(self.children.get(&child_execution_id), Some(&false), "started and not asked for");
            }
            EventBody::ChildWorkflowCompleted { child_execution_id, .. }
            | EventBody::ChildWorkflowFailed { child_execution_id, .. } => {
                assert_eq!(self.children.insert(child_execution_id, true), Some(false), "an end of no child or twice");
                return true;
            }
            EventBody::SignalReceived { .. } => return true,
            EventBody::TaskCancellationRequested { .. } | EventBody::ChildWorkflowCancellationRequested { .. } => {
                self.extended = true;
            }
            EventBody::CancellationRequested { .. } => {
                assert!(!self.cancelling, "asked twice to end");
                self.cancelling = true;
                return true;
            }
            EventBody::WorkflowCompleted { .. }
            | EventBody::WorkflowExecutionFailed { .. }
            | EventBody::WorkflowCancelled { .. } => self.ended = true,
            EventBody::Unknown { event_type, .. } => panic!("an event of type {event_type}"),
            _ => {}
        }
        false
    }
}
