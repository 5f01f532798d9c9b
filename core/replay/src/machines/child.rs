use alloc::{boxed::Box, format, string::String, vec::Vec};

use crate::{
    Handle, Job, Rejection,
    by_name::ByName,
    handles::{Awaited, Handles},
    slot::Slot,
};

/// The child workflows of an execution.
///
/// ```text
/// started --CHILD_WORKFLOW_COMPLETED--> resolved
/// started --CHILD_WORKFLOW_FAILED, CHILD_WORKFLOW_CANCELLED--> rejected: ChildFailed
/// started --its scope is cancelled--> forgotten
/// ```
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_id: ByName<Handle>,
    /// Every name that was ever given, with the pending children of that name in creation order.
    by_name: ByName<Vec<Handle>>,
    /// The next number of a default name, by kind.
    next_number: ByName<u32>,
    /// The children whose cancellation was asked for, and no command is to be issued or to claim an event.
    asked: ByName<bool>,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) enum ChildEnd {
    Completed(Slot),
    Failed(Box<ChildFailure>),
}

/// What is known of a failed child.
#[derive(Debug)]
pub(crate) struct ChildFailure {
    pub(crate) error: Slot,
    pub(crate) failure_type: Option<String>,
    pub(crate) stack_trace: Option<Slot>,
}

impl Children {
    /// `<kind>-<n>`: the next n of that kind whose name was not given by hand.
    pub(crate) fn default_name(&mut self, kind: &str) -> String {
        let mut number = self.next_number.get(kind).copied().unwrap_or(1);
        let name = loop {
            let name = format!("{kind}-{number}");
            number += 1;
            if !self.has_name(&name) {
                break name;
            }
        };
        self.next_number.insert(kind.into(), number);
        name
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.by_name.get(name).is_some()
    }

    /// The cancellation of a child was asked for, and no command of it is left.
    pub(crate) fn asked(&mut self, name: &str) {
        self.asked.insert(name.into(), true);
    }

    pub(crate) fn is_asked(&self, name: &str) -> bool {
        self.asked.get(name).is_some()
    }

    pub(crate) fn start(&mut self, id: String, name: &str, handle: Handle) {
        // Servers of others may leave the id out.
        if !id.is_empty() {
            self.by_id.insert(id, handle);
        }
        match self.by_name.get_mut(name) {
            Some(handles) => handles.push(handle),
            None => self.by_name.insert(name.into(), alloc::vec![handle]),
        }
    }

    /// Gives no job for a child that is not pending. One that is not known by its id is the oldest of its name.
    pub(crate) fn settle(&mut self, handles: &mut Handles, id: &str, name: &str, end: ChildEnd) -> Option<Job> {
        let by_name = || self.by_name.get(name)?.first();
        let handle = *self.by_id.get(id).or_else(by_name)?;
        let Awaited::Child { child_execution_id, name, kind, .. } = handles.remove(handle)? else { return None };
        self.forget(&child_execution_id, &name, handle);
        let rejection = match end {
            ChildEnd::Completed(output) => return Some(Job::Resolve { handle, value: output.into_payload() }),
            ChildEnd::Failed(failure) => Rejection::ChildFailed {
                child_execution_id,
                name,
                kind,
                message: failure.error.into_text(),
                failure_type: failure.failure_type,
                stack_trace: failure.stack_trace.map(Slot::into_text),
            },
        };
        Some(Job::Reject { handle, rejection })
    }

    pub(crate) fn forget(&mut self, id: &str, name: &str, handle: Handle) {
        self.by_id.remove(id);
        if let Some(handles) = self.by_name.get_mut(name) {
            handles.retain(|other| *other != handle);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.by_id.memory_bytes()
            + self.by_name.memory_bytes()
            + self.next_number.memory_bytes()
            + self.asked.memory_bytes()
    }
}
