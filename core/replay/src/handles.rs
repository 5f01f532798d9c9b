use alloc::{string::String, vec::Vec};

use crate::{Handle, Scope};

/// The handles that are not settled yet, in creation order, and what each waits for.
///
/// Handles ascend, so a sorted list finds them; the places of settled ones are swept once they are the greater part.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    places: Vec<(Handle, Option<Pending>)>,
    pending: usize,
}

/// A handle that is not settled yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) scope: Scope,
    pub(crate) awaited: Awaited,
}

/// What settles a handle.
#[derive(Debug)]
pub(crate) enum Awaited {
    /// `asked` once its cancellation was asked for.
    Task {
        task_execution_id: String,
        kind: String,
        asked: bool,
    },
    Timer {
        timer_id: String,
    },
    /// The id is empty until the server has chosen it.
    Promise {
        promise_id: String,
        name: String,
    },
    /// `asked` once its cancellation was asked for.
    Child {
        child_execution_id: String,
        name: String,
        kind: String,
        asked: bool,
    },
    Operation,
    Signal {
        name: String,
    },
}

impl Handles {
    pub(crate) fn insert(&mut self, handle: Handle, scope: Scope, awaited: Awaited) {
        self.places.push((handle, Some(Pending { scope, awaited })));
        self.pending += 1;
    }

    /// What a handle waited for; it is settled from now on. `None` if it was before.
    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Awaited> {
        let place = self.find(handle)?;
        let pending = self.places[place].1.take()?;
        self.pending -= 1;
        if self.places.len() > 16 + 2 * self.pending {
            self.places.retain(|(_, pending)| pending.is_some());
            self.places.shrink_to(2 * self.pending);
        }
        Some(pending.awaited)
    }

    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut Awaited> {
        let place = self.find(handle)?;
        self.places[place].1.as_mut().map(|pending| &mut pending.awaited)
    }

    /// The pending handles from this one on and their scopes, in creation order.
    pub(crate) fn scopes_from(&self, first: Handle) -> impl Iterator<Item = (Handle, Scope)> {
        let start = self.places.partition_point(|(handle, _)| *handle < first);
        self.places[start..].iter().filter_map(|(handle, pending)| Some((*handle, pending.as_ref()?.scope)))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        // Each waits for something with an id of 36 bytes and a name, both of which the machines have once more.
        const STRINGS: usize = 200;
        self.places.capacity() * size_of::<(Handle, Option<Pending>)>() + self.pending * STRINGS
    }

    fn find(&self, handle: Handle) -> Option<usize> {
        self.places.binary_search_by_key(&handle, |(handle, _)| *handle).ok()
    }
}
