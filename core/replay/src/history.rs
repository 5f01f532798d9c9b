use alloc::{collections::VecDeque, string::String};
use core::cell::Cell;

use crate::{
    ReplayError,
    ending::Ending,
    lane::LaneId,
    machines::{ChildEnd, ChildFailure, LineId, PromiseEnd, TaskEnd, TaskFailure},
    slot::Slot,
};

/// The events that the cursor has not passed yet. It stands at the front; what it has passed is gone, payloads
/// included, so a long history does not stay in memory.
///
/// An operation that was recorded on a server without the extension settled before the events that landed in its
/// activation, although its event stands after them. Its place is told by the last `$seen` before it: after the
/// events that its activation had seen and before any later one.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    /// Operations with another place than their own, and the event after which it is.
    moved: VecDeque<(i32, Entry)>,
    /// What the last `$seen` says.
    seen: Option<i32>,
    has_commands: bool,
    last_sequence: i32,
    bytes: u64,
    /// How many at the end of `entries` and of `moved` no codec has decoded.
    undecoded: (usize, usize),
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
    Child {
        child_execution_id: String,
        name: String,
        end: ChildEnd,
    },
    Signal {
        name: String,
        value: Slot,
    },
    Cancellation {
        reason: String,
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

    /// Counts the next event, and whether a command left it.
    pub(crate) fn count(&mut self, sequence: i32, is_command: bool, bytes: usize) {
        self.last_sequence = sequence;
        self.has_commands |= is_command;
        self.bytes += bytes as u64;
    }

    /// Holds an item of the last event.
    pub(crate) fn add(&mut self, item: Item) {
        let entry = Entry { sequence: self.last_sequence, item };
        match (self.seen, &entry.item) {
            (Some(seen), Item::Operation { .. }) => {
                self.moved.push_back((seen, entry));
                self.undecoded.1 += 1;
            }
            _ => {
                self.entries.push_back(entry);
                self.undecoded.0 += 1;
            }
        }
    }

    /// Operations from here on belong after that event; `None` leaves them where they stand.
    pub(crate) fn set_seen(&mut self, sequence: Option<i32>) {
        // The start comes first whatever a history says, and what was seen once stays seen.
        self.seen = sequence.map(|sequence| sequence.max(1).max(self.moved.back().map_or(1, |(seen, _)| *seen)));
    }

    /// Operations do not have the place of their events.
    pub(crate) fn moves_operations(&self) -> bool {
        self.seen.is_some()
    }

    /// Moves the cursor over the next event.
    pub(crate) fn pass(&mut self) -> Option<Entry> {
        let next = self.entries.front().map(|entry| entry.sequence);
        let entry = match self.moved.front() {
            Some((seen, _)) if next.is_none_or(|next| *seen < next) => self.moved.pop_front()?.1,
            _ => self.entries.pop_front()?,
        };
        self.undecoded.0 = self.undecoded.0.min(self.entries.len());
        self.undecoded.1 = self.undecoded.1.min(self.moved.len());
        self.count_look();
        Some(entry)
    }

    /// Moves the cursor over the next event if that is a signal.
    pub(crate) fn pass_signal(&mut self) -> Option<Entry> {
        match self.entries.front()?.item {
            Item::Signal { .. } => self.pass(),
            _ => None,
        }
    }

    /// How many signals the cursor stands before.
    pub(crate) fn leading_signals(&self) -> u32 {
        let signals = self.entries.iter().take_while(|entry| matches!(entry.item, Item::Signal { .. }));
        // A history of 2^32 events does not fit into memory.
        u32::try_from(signals.count()).unwrap_or(u32::MAX)
    }

    /// Drops what no job will be made of any more.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.moved.clear();
        self.undecoded = (0, 0);
    }

    /// Gives memory back that a long history has taken.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.moved.shrink_to_fit();
    }

    /// The slots of the events that were added since the last call.
    pub(crate) fn undecoded(&self) -> impl Iterator<Item = &Slot> {
        let entries = self.entries.range(self.entries.len() - self.undecoded.0..);
        let moved = self.moved.range(self.moved.len() - self.undecoded.1..).map(|(_, entry)| entry);
        entries.chain(moved).flat_map(|entry| entry.item.slots())
    }

    /// The same, to be replaced; from here on they count as decoded.
    pub(crate) fn decode(&mut self) -> impl Iterator<Item = &mut Slot> {
        let (entries, moved) = core::mem::take(&mut self.undecoded);
        let (entries, moved) = (self.entries.len() - entries, self.moved.len() - moved);
        let moved = self.moved.range_mut(moved..).map(|(_, entry)| entry);
        self.entries.range_mut(entries..).chain(moved).flat_map(|entry| entry.item.slots_mut())
    }

    /// What the cursor has not passed, in the order of the events.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let (mut entries, mut moved) = (self.entries.iter().peekable(), self.moved.iter().peekable());
        core::iter::from_fn(move || {
            self.count_look();
            match (entries.peek(), moved.peek()) {
                (Some(entry), Some((_, other))) if other.sequence < entry.sequence => moved.next(),
                (None, _) => moved.next(),
                _ => return entries.next(),
            }
            .map(|(_, entry)| entry)
        })
    }

    /// How the history ends, and where, once it has.
    pub(crate) fn end(&self) -> Option<(i32, &Ending)> {
        let entry = self.entries.back()?;
        match &entry.item {
            Item::End(ending) => Some((entry.sequence, ending)),
            _ => None,
        }
    }

    /// The cursor has passed everything.
    pub(crate) fn is_passed(&self) -> bool {
        self.entries.is_empty() && self.moved.is_empty()
    }

    /// No command has left an event yet.
    pub(crate) fn has_no_commands(&self) -> bool {
        !self.has_commands
    }

    pub(crate) fn last_sequence(&self) -> i32 {
        self.last_sequence
    }

    /// The data of all events that came, passed ones included.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let entries = self.entries.iter().chain(self.moved.iter().map(|(_, entry)| entry));
        let payloads: usize = entries.flat_map(|entry| entry.item.slots()).map(|slot| slot.as_json().len()).sum();
        (self.entries.capacity() + self.moved.capacity()) * size_of::<Entry>() + payloads
    }

    pub(crate) fn looks(&self) -> u64 {
        self.looks.get()
    }

    fn count_look(&self) {
        self.looks.set(self.looks.get() + 1);
    }
}

impl Item {
    fn slots(&self) -> impl Iterator<Item = &Slot> {
        let (slot, stack_trace) = match self {
            Self::Start { input: slot }
            | Self::Operation { result: slot, .. }
            | Self::Task { end: TaskEnd::Completed(slot), .. }
            | Self::Promise { end: PromiseEnd::Resolved(slot) | PromiseEnd::Rejected { error: slot }, .. }
            | Self::Child { end: ChildEnd::Completed(slot), .. }
            | Self::Signal { value: slot, .. }
            | Self::End(Ending::Completed(slot) | Ending::Failed { error: slot, .. }) => (Some(slot), None),
            Self::Task { end: TaskEnd::Failed(failure), .. } => {
                let TaskFailure { error, stack_trace, .. } = &**failure;
                (Some(error), stack_trace.as_ref())
            }
            Self::Child { end: ChildEnd::Failed(failure), .. } => {
                let ChildFailure { error, stack_trace, .. } = &**failure;
                (Some(error), stack_trace.as_ref())
            }
            _ => (None, None),
        };
        slot.into_iter().chain(stack_trace)
    }

    fn slots_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        let (slot, stack_trace) = match self {
            Self::Start { input: slot }
            | Self::Operation { result: slot, .. }
            | Self::Task { end: TaskEnd::Completed(slot), .. }
            | Self::Promise { end: PromiseEnd::Resolved(slot) | PromiseEnd::Rejected { error: slot }, .. }
            | Self::Child { end: ChildEnd::Completed(slot), .. }
            | Self::Signal { value: slot, .. }
            | Self::End(Ending::Completed(slot) | Ending::Failed { error: slot, .. }) => (Some(slot), None),
            Self::Task { end: TaskEnd::Failed(failure), .. } => {
                let TaskFailure { error, stack_trace, .. } = &mut **failure;
                (Some(error), stack_trace.as_mut())
            }
            Self::Child { end: ChildEnd::Failed(failure), .. } => {
                let ChildFailure { error, stack_trace, .. } = &mut **failure;
                (Some(error), stack_trace.as_mut())
            }
            _ => (None, None),
        };
        slot.into_iter().chain(stack_trace)
    }
}
