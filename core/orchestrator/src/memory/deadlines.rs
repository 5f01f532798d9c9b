use alloc::{string::String, vec::Vec};

use uuid::Uuid;

use super::table::Table;
use crate::store::{Deadline, DeadlineKey, Key};

/// The deadlines, by key and by time.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Deadlines {
    by_key: Table<DeadlineKey, Place>,
    by_time: Table<Place, DeadlineKey>,
    /// Orders what is otherwise equal by when it was put.
    pub(super) next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    due_ms: i64,
    put: u64,
}

/// What was there before a change.
#[derive(Debug)]
pub(super) struct DeadlineChange {
    key: DeadlineKey,
    before: Option<Place>,
}

impl Deadlines {
    pub(super) fn get(&self, key: &DeadlineKey) -> Option<i64> {
        self.by_key.get(key).map(|place| place.due_ms)
    }

    pub(super) fn put(&mut self, deadline: &Deadline) -> DeadlineChange {
        let place = Place { due_ms: deadline.due_ms, put: self.next };
        self.next += 1;
        self.set(deadline.key.clone(), Some(place))
    }

    /// `None` if there was nothing to remove.
    pub(super) fn remove(&mut self, key: &DeadlineKey) -> Option<DeadlineChange> {
        self.by_key.get(key).is_some().then(|| self.set(key.clone(), None))
    }

    pub(super) fn undo(&mut self, change: DeadlineChange) {
        self.set(change.key, change.before);
    }

    fn set(&mut self, key: DeadlineKey, place: Option<Place>) -> DeadlineChange {
        let before = match place {
            Some(place) => self.by_key.put(key.clone(), place).before,
            None => self.by_key.remove(&key).and_then(|change| change.before),
        };
        if let Some(before) = before {
            self.by_time.remove(&before);
        }
        if let Some(place) = place {
            self.by_time.put(place, key.clone());
        }
        DeadlineChange { key, before }
    }

    /// The keys of the timers and promises of an execution.
    pub(super) fn of_execution(&self, execution: Key) -> Vec<DeadlineKey> {
        let timers = DeadlineKey::Timer { execution, timer_id: String::new() };
        let promises = DeadlineKey::Promise { execution, promise_id: Uuid::nil() };
        [timers, promises].into_iter().flat_map(|first| self.following(first, execution)).collect()
    }

    fn following(&self, first: DeadlineKey, execution: Key) -> impl Iterator<Item = DeadlineKey> + '_ {
        let kind = first.kind();
        self.by_key
            .range(first..)
            .map(|(key, _)| key)
            .take_while(move |key| key.kind() == kind && key.execution() == Some(execution))
            .cloned()
    }

    pub(super) fn due(&self, now_ms: i64, max: usize) -> Vec<Deadline> {
        self.by_time
            .range(..)
            .take_while(|(place, _)| place.due_ms <= now_ms)
            .take(max)
            .map(|(place, key)| Deadline { key: key.clone(), due_ms: place.due_ms })
            .collect()
    }

    pub(super) fn next_due_ms(&self) -> Option<i64> {
        self.by_time.first_in(..).map(|(place, _)| place.due_ms)
    }
}
