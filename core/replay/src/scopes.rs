use alloc::{vec, vec::Vec};

use crate::Handle;

/// The number of a scope: a part of the workflow that can be cancelled by itself.
pub type Scope = u32;

/// The scope of the whole workflow.
pub const ROOT: Scope = 0;

/// The scopes that workflow code has opened; a scope has a higher number than those it is in.
#[derive(Debug, Default)]
pub(crate) struct Scopes(Vec<Opened>);

#[derive(Debug)]
struct Opened {
    parent: Scope,
    /// Is cancelled with its parent.
    cancellable: bool,
    /// No handle of the scope is older.
    first_handle: Handle,
}

/// The scopes that are cancelled together.
#[derive(Debug)]
pub(crate) struct Reach {
    outermost: Scope,
    /// By number, from the outermost on.
    reached: Vec<bool>,
    /// No handle of any of them is older.
    pub(crate) first_handle: Handle,
}

impl Scopes {
    pub(crate) fn open(&mut self, parent: Scope, cancellable: bool, first_handle: Handle) -> Scope {
        self.0.push(Opened { parent, cancellable, first_handle });
        self.newest()
    }

    pub(crate) fn exists(&self, scope: Scope) -> bool {
        scope <= self.newest()
    }

    /// A scope and those in it that are cancelled with it.
    pub(crate) fn reach(&self, scope: Scope) -> Reach {
        let inner = self.0.get(scope as usize..).unwrap_or_default();
        let mut reached = vec![true];
        for opened in inner {
            let parent = opened.parent.checked_sub(scope).and_then(|place| reached.get(place as usize));
            reached.push(opened.cancellable && parent.is_some_and(|reached| *reached));
        }
        let own = (scope as usize).checked_sub(1).and_then(|place| self.0.get(place));
        Reach { outermost: scope, reached, first_handle: own.map_or(0, |opened| opened.first_handle) }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Opened>()
    }

    fn newest(&self) -> Scope {
        // Every scope is a call of the workflow: there are never 2^32.
        u32::try_from(self.0.len()).unwrap_or(Scope::MAX)
    }
}

impl Reach {
    pub(crate) fn contains(&self, scope: Scope) -> bool {
        let place = scope.checked_sub(self.outermost);
        place.and_then(|place| self.reached.get(place as usize)).is_some_and(|reached| *reached)
    }
}
