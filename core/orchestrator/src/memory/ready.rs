use alloc::{collections::BTreeSet, string::String};

use uuid::Uuid;

use super::table::Table;
use crate::store::{Key, Preference, ReadyEntry, ReadyQueue, Work};

/// The ready queues. Each is also kept by kind, so that a worker finds its first without passing what others do.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReadyQueues {
    by_queue: Table<(ReadyQueue, Place), Uuid>,
    by_kind: Table<(ReadyQueue, String, Place), Uuid>,
    /// What workers have in memory, by worker.
    by_worker: Table<(ReadyQueue, String, Place), Uuid>,
    places: Table<(Work, Key), (ReadyEntry, Place)>,
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

    pub(super) fn take(
        &mut self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        preference: Option<Preference<'_>>,
    ) -> Option<(Key, ReadyChange)> {
        let first = match kinds {
            None => self.first(queue)?,
            Some(kinds) => kinds.iter().filter_map(|kind| self.first_of_kind(queue, kind)).min()?.1,
        };
        let preferred = preference.and_then(|preference| self.preferred(queue, kinds, preference, first));
        let key = Key { org_id: queue.org_id, id: preferred.unwrap_or(first) };
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

    fn first(&self, queue: &ReadyQueue) -> Option<Uuid> {
        let range = (queue.clone(), Place::FIRST)..=(queue.clone(), Place::LAST);
        self.by_queue.first_in(range).map(|(_, id)| *id)
    }

    fn first_of_kind(&self, queue: &ReadyQueue, kind: &str) -> Option<(Place, Uuid)> {
        let bound = |place| (queue.clone(), String::from(kind), place);
        let found = self.by_kind.first_in(bound(Place::FIRST)..=bound(Place::LAST));
        found.map(|((_, _, place), id)| (*place, *id))
    }

    fn preferred(
        &self,
        queue: &ReadyQueue,
        kinds: Option<&BTreeSet<String>>,
        Preference { worker, since_ms }: Preference<'_>,
        first: Uuid,
    ) -> Option<Uuid> {
        let entry = |id| Some(&self.places.get(&(queue.work, Key { org_id: queue.org_id, id }))?.0);
        if entry(first)?.ready_at_ms <= since_ms {
            return None;
        }
        let bound = |place| (queue.clone(), String::from(worker), place);
        let held = self.by_worker.range(bound(Place::FIRST)..=bound(Place::LAST)).map(|(_, id)| *id);
        let is_wanted = |kind| kinds.is_none_or(|kinds| kinds.contains(kind));
        held.filter_map(entry).find(|entry| is_wanted(&entry.kind)).map(|entry| entry.id)
    }

    fn insert(&mut self, entry: ReadyEntry, place: Place) {
        self.by_queue.put((entry.queue.clone(), place), entry.id);
        self.by_kind.put((entry.queue.clone(), entry.kind.clone(), place), entry.id);
        if let Some(worker) = &entry.worker {
            self.by_worker.put((entry.queue.clone(), worker.clone(), place), entry.id);
        }
        self.places.put((entry.queue.work, entry.key()), (entry, place));
    }

    fn detach(&mut self, work: Work, key: Key) -> Option<Removed> {
        let (entry, place) = self.places.remove(&(work, key))?.before?;
        self.by_queue.remove(&(entry.queue.clone(), place));
        self.by_kind.remove(&(entry.queue.clone(), entry.kind.clone(), place));
        if let Some(worker) = &entry.worker {
            self.by_worker.remove(&(entry.queue.clone(), worker.clone(), place));
        }
        Some(Removed { entry, place })
    }
}

impl Place {
    const FIRST: Self = Self { rank_ms: i64::MIN, put: 0 };
    const LAST: Self = Self { rank_ms: i64::MAX, put: u64::MAX };
}
