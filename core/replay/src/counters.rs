use alloc::string::{String, ToString};

use flovyn_protocol::ids;
use uuid::Uuid;

use crate::Handle;

/// What is counted per execution, and advances on replayed calls exactly as on new ones.
#[derive(Debug)]
pub(crate) struct Counters {
    execution_id: Uuid,
    /// One counter for the ids of tasks and children and for the UUIDs that the code asks for.
    next_id: u64,
    last_handle: Handle,
}

impl Counters {
    pub(crate) fn new(execution_id: Uuid) -> Self {
        Self { execution_id, next_id: 0, last_handle: 0 }
    }

    pub(crate) fn next_id(&mut self) -> String {
        let id = ids::derive(self.execution_id, self.next_id);
        self.next_id += 1;
        id.to_string()
    }

    pub(crate) fn last_handle(&self) -> Handle {
        self.last_handle
    }

    pub(crate) fn next_handle(&mut self) -> Handle {
        self.last_handle += 1;
        self.last_handle
    }
}
