use alloc::{collections::VecDeque, string::String};

use crate::{
    Handle, Job, Rejection,
    by_name::ByName,
    lane::{Lane, Record},
    signature::Signature,
    slot::Slot,
};

/// The promises of an execution, which somebody outside settles.
///
/// ```text
/// created   --PROMISE_CREATED (its UUID)--> known
/// known     --PROMISE_RESOLVED--> resolved
/// known     --PROMISE_REJECTED--> rejected: PromiseRejected
/// known     --PROMISE_TIMEOUT---> rejected: PromiseTimedOut
/// ```
/// The server chooses the UUID, so a promise is `created` only until the answer to its submission. In replay a
/// command claims the event and the promise is known at once.
#[derive(Debug)]
pub(crate) struct Promises {
    pub(crate) lane: Lane<PromiseRecord>,
    created: VecDeque<Handle>,
    known: ByName<KnownPromise>,
}

#[derive(Debug)]
struct KnownPromise {
    handle: Handle,
    name: String,
}

/// A PROMISE_CREATED event.
#[derive(Debug)]
pub(crate) struct PromiseRecord {
    pub(crate) promise_id: String,
    pub(crate) name: String,
}

/// How a promise was settled.
#[derive(Debug)]
pub(crate) enum PromiseEnd {
    Resolved(Slot),
    Rejected { error: Slot },
    TimedOut,
}

impl Promises {
    pub(crate) fn create(&mut self, claimed: Option<PromiseRecord>, handle: Handle) {
        match claimed {
            Some(record) => self.know(record, handle),
            None => self.created.push_back(handle),
        }
    }

    /// The event of a live command has come. Gives its ordinal.
    pub(crate) fn record(&mut self, sequence: i32, record: PromiseRecord) -> u32 {
        let (ordinal, live) = self.lane.record(sequence, record);
        if let Some(record) = live
            && let Some(handle) = self.created.pop_front()
        {
            self.know(record, handle);
        }
        ordinal
    }

    fn know(&mut self, record: PromiseRecord, handle: Handle) {
        self.known.insert(record.promise_id, KnownPromise { handle, name: record.name });
    }

    /// Gives no job for a promise that is not pending.
    pub(crate) fn settle(&mut self, promise_id: String, end: PromiseEnd) -> Option<Job> {
        let KnownPromise { handle, name } = self.known.remove(&promise_id)?;
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

impl Default for Promises {
    fn default() -> Self {
        Self { lane: Lane::new(), created: VecDeque::new(), known: ByName::new() }
    }
}

impl Record for PromiseRecord {
    fn signature(&self) -> Signature<'_> {
        Signature::Promise { name: &self.name }
    }
}
