use alloc::{collections::VecDeque, string::String};

use crate::{
    Handle, Job, Rejection,
    by_name::ByName,
    handles::{Awaited, Handles},
    slot::Slot,
};

/// The promises of an execution, which somebody outside settles.
///
/// ```text
/// created   --PROMISE_CREATED (its UUID)--> known
/// known     --PROMISE_RESOLVED--> resolved
/// known     --PROMISE_REJECTED--> rejected: PromiseRejected
/// known     --PROMISE_TIMEOUT---> rejected: PromiseTimedOut
/// created, known --cancelled, or its scope is--> forgotten
/// ```
/// The server chooses the UUID, so a promise is `created` only until the answer to its submission. In replay a
/// command claims the event and the promise is known at once.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// In command order, those that were cancelled since among them.
    created: VecDeque<Handle>,
    pub(crate) known: ByName<Handle>,
}

/// How a promise was settled.
#[derive(Debug)]
pub(crate) enum PromiseEnd {
    Resolved(Slot),
    Rejected { error: Slot },
    TimedOut,
}

impl Promises {
    /// A command without an event: its id comes with the answer.
    pub(crate) fn create(&mut self, handle: Handle) {
        self.created.push_back(handle);
    }

    /// The event of the oldest command without one has come.
    pub(crate) fn created(&mut self, handles: &mut Handles, id: String) {
        let Some(handle) = self.created.pop_front() else { return };
        if let Some(Awaited::Promise { promise_id, .. }) = handles.get_mut(handle) {
            promise_id.clone_from(&id);
            self.known.insert(id, handle);
        }
    }

    /// Gives no job for a promise that is not pending.
    pub(crate) fn settle(&mut self, handles: &mut Handles, promise_id: String, end: PromiseEnd) -> Option<Job> {
        let handle = self.known.remove(&promise_id)?;
        let Awaited::Promise { name, .. } = handles.remove(handle)? else { return None };
        let rejection = match end {
            PromiseEnd::Resolved(value) => return Some(Job::Resolve { handle, value: value.into_payload() }),
            PromiseEnd::Rejected { error } => {
                Rejection::PromiseRejected { promise_id, name, message: error.into_text() }
            }
            PromiseEnd::TimedOut => Rejection::PromiseTimedOut { promise_id, name },
        };
        Some(Job::Reject { handle, rejection })
    }
}
