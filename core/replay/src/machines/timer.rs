use alloc::{format, string::String};

use flovyn_protocol::Payload;

use crate::{Handle, Job, by_name::ByName, handles::Handles};

/// The timers of an execution, by their ids.
///
/// ```text
/// started --TIMER_FIRED--> resolved with null
/// started --cancelled, or its scope is--> forgotten
/// ```
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub(crate) started: ByName<Handle>,
    next_id: u32,
}

impl Timers {
    pub(crate) fn next_id(&mut self) -> String {
        let id = format!("timer-{}", self.next_id);
        self.next_id += 1;
        id
    }

    /// Gives no job for a timer that is not pending.
    pub(crate) fn fire(&mut self, handles: &mut Handles, timer_id: &str) -> Option<Job> {
        let handle = self.started.remove(timer_id)?;
        handles.remove(handle)?;
        Some(Job::Resolve { handle, value: Payload::null() })
    }
}
