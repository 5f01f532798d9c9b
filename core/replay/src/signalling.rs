use alloc::vec::Vec;

use flovyn_protocol::Payload;

use crate::{AwaitedSignal, Execution, ReplayError, Scope, handles::Awaited};

/// Signals, as workflow code asks for them. What it sees is what had been delivered at that point of the first run.
impl Execution {
    /// Takes the oldest signal of that name that is queued; without one the handle stands in line for the next.
    pub fn wait_for_signal(&mut self, scope: Scope, name: &str) -> Result<AwaitedSignal, ReplayError> {
        self.check_verb("wait_for_signal", scope)?;
        let handle = self.new_handle(scope, Awaited::Signal { name: name.into() });
        let value = self.machines.signals.take_or_wait(name, handle);
        if value.is_some() {
            self.machines.handles.remove(handle);
        }
        Ok(AwaitedSignal { handle, value })
    }

    /// Whether a signal of that name is queued.
    pub fn has_signal(&self, name: &str) -> Result<bool, ReplayError> {
        self.check_turn("has_signal")?;
        Ok(self.machines.signals.queued(name) > 0)
    }

    /// How many signals of that name are queued.
    pub fn pending_signal_count(&self, name: &str) -> Result<usize, ReplayError> {
        self.check_turn("pending_signal_count")?;
        Ok(self.machines.signals.queued(name))
    }

    /// Takes all signals of that name that are queued, the oldest first.
    pub fn drain_signals(&mut self, name: &str) -> Result<Vec<Payload>, ReplayError> {
        self.check_turn("drain_signals")?;
        Ok(self.machines.signals.drain(name).into())
    }
}
