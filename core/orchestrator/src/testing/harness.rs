use alloc::{format, string::String, vec::Vec};

use crate::{
    Lists, Status, Wake, Warning,
    memory::{Committed, MemoryStore},
};

/// A function that runs in a transaction.
pub type InTransaction<'a> = dyn FnMut(&mut dyn Lists) -> Result<(), Status> + 'a;

/// A store under test. It is empty at first.
pub trait Harness {
    /// Runs a function in a transaction. What it did is kept if it gives `Ok`, and leaves no trace if not.
    ///
    /// # Errors
    /// Those of the function and of the store.
    fn transaction(&mut self, function: &mut InTransaction<'_>) -> Result<(Vec<Wake>, Vec<Warning>), Status>;

    /// Everything that is stored, as text: the same text if and only if the same is stored.
    fn dump(&mut self) -> String;

    /// Closes the store and opens it again, if it is one that can: what was committed is still there.
    fn reopen(&mut self) {}
}

/// The memory store under test.
#[derive(Debug, Default)]
pub struct MemoryHarness {
    store: MemoryStore,
}

impl Harness for MemoryHarness {
    fn transaction(&mut self, function: &mut InTransaction<'_>) -> Result<(Vec<Wake>, Vec<Warning>), Status> {
        let Committed { wakes, warnings, .. } = self.store.transaction(|tx| function(tx))?;
        Ok((wakes, warnings))
    }

    fn dump(&mut self) -> String {
        format!("{:#?}", self.store)
    }
}
