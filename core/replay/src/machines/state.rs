use alloc::string::String;

use flovyn_protocol::Payload;

use crate::{
    by_name::ByName,
    lane::{Lane, Record},
    signature::{Change, Signature},
};

/// The key/value state of an execution.
///
/// Its values are those that the code gives on this run, in replay too: they follow from the code, and the events
/// are only there to be claimed.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) lane: Lane<StateRecord>,
    pub(crate) values: ByName<Payload>,
}

/// A STATE_SET or STATE_CLEARED event.
#[derive(Debug)]
pub(crate) struct StateRecord {
    pub(crate) key: String,
    pub(crate) change: Change,
}

impl Default for State {
    fn default() -> Self {
        Self { lane: Lane::new(), values: ByName::new() }
    }
}

impl Record for StateRecord {
    fn signature(&self) -> Signature<'_> {
        Signature::State { key: &self.key, change: self.change }
    }
}
