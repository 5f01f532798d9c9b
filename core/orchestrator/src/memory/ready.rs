use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
};

use uuid::Uuid;

use crate::store::{Key, ReadyEntry, ReadyQueue, Work};

/// The ready queues. Each is kept by kind, so that a worker finds its first without passing what others do.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReadyQueues {
    queues: BTreeMap<ReadyQueue, BTreeMap<String, BTreeMap<Place, Uuid>>>,
    places: BTreeMap<(Work, Key), (ReadyEntry, Place)>,
    /// Orders what is otherwise equal by when it was put.
    pub(super) next: u64,
}

/// The order in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank_ms: i64,
    put: u64,
}

/// How a change is undone.
#[derive(Debug)]
pub(super) enum ReadyChange {
    Put(Work, Key),
    Removed(Removed),
}

#[derive(Debug)]
pub(super) struct Removed {
    entry: ReadyEntry,
    place: Place,
}

impl ReadyQueues {
    pub(super) fn put(&mut self, entry: &ReadyEntry) -> ReadyChange {
        let place = Place { rank_ms: entry.rank_ms, put: self.next };
        self.next += 1;
        self.insert(entry.clone(), place);
        ReadyChange::Put(entry.queue.work, entry.key())
    }

    pub(super) fn take(&mut self, queue: &ReadyQueue, kinds: Option<&BTreeSet<String>>) -> Option<(Key, ReadyChange)> {
        let by_kind = self.queues.get(queue)?;
        let id = match kinds {
            None => by_kind.values().filter_map(BTreeMap::first_key_value).min()?.1,
            Some(kinds) => {
                let firsts = kinds.iter().filter_map(|kind| by_kind.get(kind)?.first_key_value());
                firsts.min()?.1
            }
        };
        let key = Key { org_id: queue.org_id, id: *id };
        Some((key, self.remove(queue.work, key)?))
    }

    pub(super) fn remove(&mut self, work: Work, key: Key) -> Option<ReadyChange> {
        self.detach(work, key).map(ReadyChange::Removed)
    }

    pub(super) fn undo(&mut self, change: ReadyChange) {
        match change {
            ReadyChange::Put(work, key) => drop(self.detach(work, key)),
            ReadyChange::Removed(Removed { entry, place }) => self.insert(entry, place),
        }
    }

    fn insert(&mut self, entry: ReadyEntry, place: Place) {
        let by_kind = self.queues.entry(entry.queue.clone()).or_default();
        by_kind.entry(entry.kind.clone()).or_default().insert(place, entry.id);
        self.places.insert((entry.queue.work, entry.key()), (entry, place));
    }

    fn detach(&mut self, work: Work, key: Key) -> Option<Removed> {
        let (entry, place) = self.places.remove(&(work, key))?;
        if let Some(by_kind) = self.queues.get_mut(&entry.queue) {
            if let Some(first) = by_kind.get_mut(&entry.kind) {
                first.remove(&place);
                if first.is_empty() {
                    by_kind.remove(&entry.kind);
                }
            }
            if by_kind.is_empty() {
                self.queues.remove(&entry.queue);
            }
        }
        Some(Removed { entry, place })
    }
}
