use alloc::{format, string::String};

use flovyn_protocol::Payload;

use crate::{
    Handle, Job,
    by_name::ByName,
    lane::{Lane, Record},
    signature::Signature,
};

/// The timers of an execution.
///
/// ```text
/// started --TIMER_FIRED--> resolved with null
/// ```
#[derive(Debug)]
pub(crate) struct Timers {
    pub(crate) lane: Lane<TimerRecord>,
    started: ByName<Handle>,
    next_id: u32,
}

/// A TIMER_STARTED event.
#[derive(Debug)]
pub(crate) struct TimerRecord {
    pub(crate) timer_id: String,
}

impl Timers {
    pub(crate) fn next_id(&mut self) -> String {
        let id = format!("timer-{}", self.next_id);
        self.next_id += 1;
        id
    }

    pub(crate) fn start(&mut self, timer_id: String, handle: Handle) {
        self.started.insert(timer_id, handle);
    }

    /// Gives no job for a timer that is not pending.
    pub(crate) fn fire(&mut self, timer_id: &str) -> Option<Job> {
        let handle = self.started.remove(timer_id)?;
        Some(Job::Resolve { handle, value: Payload::null() })
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self { lane: Lane::new(), started: ByName::new(), next_id: 0 }
    }
}

impl Record for TimerRecord {
    fn signature(&self) -> Signature<'_> {
        Signature::Timer { id: &self.timer_id }
    }
}
