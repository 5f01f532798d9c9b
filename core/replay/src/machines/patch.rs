use alloc::string::{String, ToString};

use crate::by_name::ByName;

/// What is decided of the changes that workflow code marks with `patched`.
///
/// A decision is made once per id, at the first call. It is true if the history has a record of the patch, wherever
/// it stands; such records are read when the history is loaded and need no claiming, so code that no longer mentions
/// the id passes over them.
#[derive(Debug, Default)]
pub(crate) struct Patches {
    decided: ByName<bool>,
}

impl Patches {
    /// The history has a record of the patch.
    pub(crate) fn record(&mut self, id: String) {
        self.decided.insert(id, true);
    }

    pub(crate) fn decide(&mut self, id: &str, patched: bool) {
        self.decided.insert(id.to_string(), patched);
    }

    pub(crate) fn decision(&self, id: &str) -> Option<bool> {
        self.decided.get(id).copied()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.decided.memory_bytes()
    }
}
