use alloc::{collections::VecDeque, string::String};

use flovyn_protocol::Payload;

use crate::{Handle, Job, by_name::ByName, handles::Handles};

/// The signals of an execution.
///
/// ```text
///            the cursor reaches it
/// SIGNAL_RECEIVED --its name has a handler--> a job for the handler
///                 --somebody waits in line--> resolves the first waiter
///                 --else--------------------> queued --wait_for_signal, drain_signals--> taken
/// ```
#[derive(Debug, Default)]
pub(crate) struct Signals {
    lines: ByName<Line>,
    queued_bytes: usize,
    /// How many the first turn saw, as the history tells.
    pub(crate) recorded: u32,
}

/// One name. A line with waiters has no queue, and the other way round.
#[derive(Debug, Default)]
struct Line {
    has_handler: bool,
    queue: VecDeque<Payload>,
    /// In line, so their handles ascend.
    waiters: VecDeque<Handle>,
}

impl Signals {
    pub(crate) fn set_handler(&mut self, name: &str) {
        self.line(name).has_handler = true;
    }

    pub(crate) fn receive(&mut self, handles: &mut Handles, name: String, value: Payload) -> Option<Job> {
        let line = self.line(&name);
        if line.has_handler {
            return Some(Job::Signal { name, value });
        }
        if let Some(handle) = line.waiters.pop_front() {
            handles.remove(handle);
            return Some(Job::Resolve { handle, value });
        }
        let bytes = value.as_json().len();
        line.queue.push_back(value);
        self.queued_bytes += bytes;
        None
    }

    /// The oldest one queued; without any the handle stands in line.
    pub(crate) fn take_or_wait(&mut self, name: &str, handle: Handle) -> Option<Payload> {
        let line = self.line(name);
        let Some(value) = line.queue.pop_front() else {
            line.waiters.push_back(handle);
            return None;
        };
        self.queued_bytes -= value.as_json().len();
        Some(value)
    }

    pub(crate) fn drain(&mut self, name: &str) -> VecDeque<Payload> {
        let queue = self.lines.get_mut(name).map(|line| core::mem::take(&mut line.queue)).unwrap_or_default();
        self.queued_bytes -= queue.iter().map(|value| value.as_json().len()).sum::<usize>();
        queue
    }

    pub(crate) fn queued(&self, name: &str) -> usize {
        self.lines.get(name).map_or(0, |line| line.queue.len())
    }

    /// Takes a waiter out of the line.
    pub(crate) fn forget(&mut self, name: &str, handle: Handle) {
        if let Some(line) = self.lines.get_mut(name)
            && let Ok(place) = line.waiters.binary_search(&handle)
        {
            line.waiters.remove(place);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lines.memory_bytes() + self.queued_bytes
    }

    fn line(&mut self, name: &str) -> &mut Line {
        self.lines.get_or_insert(name, Line::default)
    }
}
