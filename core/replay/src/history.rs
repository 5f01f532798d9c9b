use alloc::{collections::VecDeque, string::String};
use core::cell::Cell;

use crate::{
    ReplayError,
    ending::Ending,
    machines::{LaneId, LineId, PromiseEnd, TaskEnd},
    slot::Slot,
};

/// The events that the cursor has not passed yet. It stands at the front; what it has passed is gone, payloads
/// included, so a long history does not stay in memory.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    last_sequence: i32,
    undecoded: usize,
    looks: Cell<u64>,
}

/// An event that the cursor will stop at. Those that replay skips have none.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) sequence: i32,
    pub(crate) item: Item,
}

/// What an event means to the cursor.
#[derive(Debug)]
pub(crate) enum Item {
    Start {
        input: Slot,
    },
    /// A command event: it must have been claimed, and gives no job.
    Command {
        lane: LaneId,
        ordinal: u32,
    },
    /// Must have been claimed, and gives a job.
    Operation {
        line: LineId,
        ordinal: u32,
        result: Slot,
    },
    Task {
        task_execution_id: String,
        end: TaskEnd,
    },
    Timer {
        timer_id: String,
    },
    Promise {
        promise_id: String,
        end: PromiseEnd,
    },
    End(Ending),
}

impl History {
    /// Says whether an event is the next one; one that is held already is not.
    pub(crate) fn is_next(&self, sequence: i32) -> Result<bool, ReplayError> {
        let expected = self.last_sequence + 1;
        if sequence > expected {
            return Err(ReplayError::HistoryGap { expected, got: sequence });
        }
        Ok(sequence == expected)
    }

    /// Holds the next event: its item, or only its number where replay has no use for it.
    pub(crate) fn add(&mut self, sequence: i32, item: Option<Item>) {
        self.last_sequence = sequence;
        if let Some(item) = item {
            self.entries.push_back(Entry { sequence, item });
            self.undecoded += 1;
        }
    }

    /// Moves the cursor over the next event.
    pub(crate) fn pass(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.undecoded = self.undecoded.min(self.entries.len());
        self.count_look();
        Some(entry)
    }

    /// Drops what no job will be made of any more.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.undecoded = 0;
    }

    /// The slots of the events that were added since the last call.
    pub(crate) fn undecoded(&self) -> impl Iterator<Item = &Slot> {
        let decoded = self.entries.len() - self.undecoded;
        self.entries.range(decoded..).filter_map(|entry| entry.item.slot())
    }

    /// The same, to be replaced; from here on they count as decoded.
    pub(crate) fn decode(&mut self) -> impl Iterator<Item = &mut Slot> {
        let decoded = self.entries.len() - core::mem::take(&mut self.undecoded);
        self.entries.range_mut(decoded..).filter_map(|entry| entry.item.slot_mut())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().inspect(|_| self.count_look())
    }

    /// How the history ends, and where, once it has.
    pub(crate) fn end(&self) -> Option<(i32, &Ending)> {
        let entry = self.entries.back()?;
        match &entry.item {
            Item::End(ending) => Some((entry.sequence, ending)),
            _ => None,
        }
    }

    pub(crate) fn last_sequence(&self) -> i32 {
        self.last_sequence
    }

    pub(crate) fn looks(&self) -> u64 {
        self.looks.get()
    }

    fn count_look(&self) {
        self.looks.set(self.looks.get() + 1);
    }
}

impl Item {
    fn slot(&self) -> Option<&Slot> {
        match self {
            Self::Start { input: slot }
            | Self::Operation { result: slot, .. }
            | Self::Task { end: TaskEnd::Completed(slot) | TaskEnd::Failed { error: slot, .. }, .. }
            | Self::Promise { end: PromiseEnd::Resolved(slot) | PromiseEnd::Rejected { error: slot }, .. }
            | Self::End(Ending::Completed(slot) | Ending::Failed { error: slot, .. }) => Some(slot),
            _ => None,
        }
    }

    fn slot_mut(&mut self) -> Option<&mut Slot> {
        match self {
            Self::Start { input: slot }
            | Self::Operation { result: slot, .. }
            | Self::Task { end: TaskEnd::Completed(slot) | TaskEnd::Failed { error: slot, .. }, .. }
            | Self::Promise { end: PromiseEnd::Resolved(slot) | PromiseEnd::Rejected { error: slot }, .. }
            | Self::End(Ending::Completed(slot) | Ending::Failed { error: slot, .. }) => Some(slot),
            _ => None,
        }
    }
}
