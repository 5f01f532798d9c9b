use alloc::format;

use crate::{Execution, ReplayError, Violation, codec::PATCH_PREFIX, signature::Signature, wire};

/// Changes of workflow code that leave executions that are under way as they are.
impl Execution {
    /// Whether the code takes the new way of the change with this id. Decided once per execution, at the first call:
    /// true if the history says so, or if the code does here what it has not done before; then it is recorded. In a
    /// history that has ended nothing is new, whoever ended it: the code may have, before the change.
    pub fn patched(&mut self, id: &str) -> Result<bool, ReplayError> {
        self.check_turn("patched")?;
        if let Some(patched) = self.machines.patches.decision(id) {
            return Ok(patched);
        }
        let is_new = !self.is_replaying() && self.history.end().is_none();
        if is_new {
            self.record_patch(id);
        }
        self.machines.patches.decide(id, is_new);
        Ok(is_new)
    }

    /// The old way of the change with this id is gone from the code. The record is still made, so that code from
    /// before, that asks `patched`, takes the new way too.
    ///
    /// Fails with `VIOLATION` where the code replays an execution that took the old way.
    pub fn deprecate_patch(&mut self, id: &str) -> Result<(), ReplayError> {
        self.check_turn("deprecate_patch")?;
        let is_new = !self.is_replaying() && !self.has_own_end();
        match self.machines.patches.decision(id) {
            Some(true) => return Ok(()),
            // The code need not agree with an end that the server may have made.
            _ if is_new && self.history.end().is_some() => return Ok(()),
            None if is_new => {
                self.record_patch(id);
                self.machines.patches.decide(id, true);
                return Ok(());
            }
            _ => {}
        }
        let got = Signature::Patch { id };
        let checked = match (self.first_unclaimed(), self.history.end()) {
            (Some((sequence, expected)), _) => Err(Violation::deprecated_too_early(sequence, Some(&expected), &got)),
            (None, Some((sequence, _))) => Err(Violation::deprecated_too_early(sequence, None, &got)),
            (None, None) => Err(Violation::deprecated_too_early(self.last_sequence(), None, &got)),
        };
        self.stop_on_error(checked)
    }

    /// The history has an end that the code came to.
    fn has_own_end(&self) -> bool {
        self.history.end().is_some_and(|(_, end)| end.is_of_the_code())
    }

    fn record_patch(&mut self, id: &str) {
        // What was done is recorded by its name alone.
        self.issued.push(wire::record(&format!("{PATCH_PREFIX}{id}"), "true".into()));
    }
}
