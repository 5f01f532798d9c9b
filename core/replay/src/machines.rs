//! The things that workflow code can ask for, one file each: what a command claims or makes, and what settles it.

mod child;
mod clock;
mod operation;
mod patch;
mod promise;
mod signal;
mod state;
mod task;
mod timer;

pub(crate) use child::{ChildEnd, ChildFailure, Children};
pub(crate) use clock::Clock;
pub(crate) use operation::{Finished, LineId, Operations};
pub(crate) use patch::Patches;
pub(crate) use promise::{PromiseEnd, Promises};
pub(crate) use signal::Signals;
pub(crate) use state::State;
pub(crate) use task::{TaskEnd, TaskFailure, Tasks};
pub(crate) use timer::Timers;

use crate::{
    Handle, Job,
    handles::{Awaited, Handles},
    history::Item,
    lane::Lanes,
    scopes::Scopes,
};

/// All machines of an execution.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    pub(crate) lanes: Lanes,
    pub(crate) handles: Handles,
    pub(crate) scopes: Scopes,
    pub(crate) tasks: Tasks,
    pub(crate) timers: Timers,
    pub(crate) promises: Promises,
    pub(crate) children: Children,
    pub(crate) operations: Operations,
    pub(crate) signals: Signals,
    pub(crate) state: State,
    pub(crate) clock: Clock,
    pub(crate) patches: Patches,
}

impl Machines {
    /// How many command events no command has claimed yet: while there are any, the execution is replaying.
    pub(crate) fn unclaimed(&self) -> usize {
        self.lanes.unclaimed() + self.operations.unclaimed()
    }

    /// What the code is told when the cursor passes an event that settles something.
    pub(crate) fn settle(&mut self, item: Item) -> Option<Job> {
        match item {
            Item::Task { task_execution_id, end } => self.tasks.settle(&mut self.handles, task_execution_id, end),
            Item::Timer { timer_id } => self.timers.fire(&mut self.handles, &timer_id),
            Item::Promise { promise_id, end } => self.promises.settle(&mut self.handles, promise_id, end),
            Item::Child { child_execution_id, name, end } => {
                self.children.settle(&mut self.handles, &child_execution_id, &name, end)
            }
            Item::Operation { line, result, .. } => {
                let handle = self.operations.settle(line)?;
                self.handles.remove(handle)?;
                Some(Job::of_operation(handle, result.into_payload()))
            }
            Item::Signal { name, value } => self.signals.receive(&mut self.handles, name, value.into_payload()),
            Item::Start { .. } | Item::Command { .. } | Item::Cancellation { .. } | Item::End(_) => None,
        }
    }

    /// Takes a handle out of the pending ones, so that nothing settles it any more. What it waited for goes on.
    pub(crate) fn forget(&mut self, handle: Handle) -> Option<Awaited> {
        let awaited = self.handles.remove(handle)?;
        match &awaited {
            Awaited::Task { task_execution_id, .. } => drop(self.tasks.0.remove(task_execution_id)),
            Awaited::Timer { timer_id } => drop(self.timers.started.remove(timer_id)),
            Awaited::Promise { promise_id, .. } => drop(self.promises.known.remove(promise_id)),
            Awaited::Child { child_execution_id, name, .. } => {
                self.children.forget(child_execution_id, name, handle);
            }
            Awaited::Signal { name } => self.signals.forget(name, handle),
            Awaited::Operation => {}
        }
        Some(awaited)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lanes.memory_bytes()
            + self.handles.memory_bytes()
            + self.scopes.memory_bytes()
            + self.tasks.0.memory_bytes()
            + self.timers.started.memory_bytes()
            + self.promises.known.memory_bytes()
            + self.children.memory_bytes()
            + self.operations.memory_bytes()
            + self.signals.memory_bytes()
            + self.state.memory_bytes()
            + self.patches.memory_bytes()
    }
}
