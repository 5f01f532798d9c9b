use alloc::string::ToString;

use flovyn_protocol::Payload;

use crate::by_name::ByName;

/// The key/value state of an execution.
///
/// Its values are those that the code gives on this run, in replay too: they follow from the code, and the events
/// are only there to be claimed.
#[derive(Debug, Default)]
pub(crate) struct State {
    values: ByName<Payload>,
    value_bytes: usize,
}

impl State {
    pub(crate) fn set(&mut self, key: &str, value: Payload) {
        self.clear(key);
        self.value_bytes += value.as_json().len();
        self.values.insert(key.to_string(), value);
    }

    pub(crate) fn clear(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.value_bytes -= value.as_json().len();
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Payload> {
        self.values.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.names()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.values.memory_bytes() + self.value_bytes
    }
}
