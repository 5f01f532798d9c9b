//! What tasks stream, kept in memory for those who read it: best effort, gone with the process.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    string::String,
    vec::Vec,
};
use core::mem::take;

use serde::Deserialize;
use uuid::Uuid;

use super::{Key, PageMax};

/// What one event costs besides its payload, about.
const EVENT_BYTES: usize = 64;
/// What a stream costs besides its events, about.
const STREAM_BYTES: usize = 256;
/// Of so many tasks of a stream it is known how far they came, those that streamed last; they may send something twice.
const TAKEN_MAX: usize = 1_000;
/// Numbers begin with the time, so that those of a stream that was forgotten, or of the process before, are lower.
const NUMBERS_PER_MS: i64 = 1_000;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StreamLimits {
    /// The events of one stream; the oldest go first. Default 10,000.
    pub events_max: usize,
    /// The bytes of one stream; the oldest events go first. Default 8 MiB.
    pub bytes_max: usize,
    /// The bytes of all streams; the stream that was not used for longest goes first. Default 64 MiB.
    pub all_bytes_max: usize,
    /// A stream that was neither written nor read for so long is forgotten. Default 10 minutes.
    pub idle_ms: i64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { events_max: 10_000, bytes_max: 8 * MIB, all_bytes_max: 64 * MIB, idle_ms: 10 * 60 * 1_000 }
    }
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// Given by [`Streams::push`]; rises within a stream.
    pub sequence: i64,
    /// The task that it comes from or is about; none if it is about the execution.
    pub task_id: Option<Uuid>,
    /// A number of `StreamEventType`.
    pub event_type: i32,
    /// JSON text.
    pub payload: String,
    /// When the task gave it, in milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// The streams of a server, by what they belong to: an execution with all its tasks, or a task that has none.
///
/// A store has one beside its tables. What a transaction does to it is undone with the transaction; [`settle`](Self::settle)
/// after each commit makes room.
#[derive(Debug, Default, PartialEq)]
pub struct Streams {
    streams: BTreeMap<Key, Stream>,
    by_use: BTreeSet<(i64, Key)>,
    bytes: usize,
    limits: StreamLimits,
    log: Vec<Undo>,
}

#[derive(Debug, Default, PartialEq)]
struct Stream {
    events: VecDeque<StreamRecord>,
    bytes: usize,
    last_sequence: i64,
    used_at_ms: i64,
    /// For each task, in the order of their ids, how far it came.
    taken: Vec<(Uuid, Taken)>,
}

/// How far a task has come under the claim that streamed last.
#[derive(Clone, Debug, PartialEq)]
struct Taken {
    claim_token: String,
    sequence: i32,
    at_ms: i64,
}

#[derive(Debug, PartialEq)]
enum Undo {
    Opened(Key),
    Used { key: Key, before_ms: i64 },
    Pushed { key: Key, last_sequence: i64 },
    Taken { key: Key, task: Uuid, before: Option<Taken> },
}

impl Streams {
    /// Nothing, and how much may be kept.
    pub fn new(limits: StreamLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether somebody has written or read this stream not long ago.
    pub fn is_open(&self, key: Key) -> bool {
        self.streams.contains_key(&key)
    }

    /// Keeps a stream, from now on.
    pub fn open(&mut self, key: Key, now_ms: i64) {
        if let Entry::Vacant(place) = self.streams.entry(key) {
            place.insert(Stream { bytes: STREAM_BYTES, used_at_ms: now_ms, ..Stream::default() });
            self.bytes += STREAM_BYTES;
            self.by_use.insert((now_ms, key));
            self.log.push(Undo::Opened(key));
        } else if let Some(before_ms) = self.set_used(key, now_ms) {
            self.log.push(Undo::Used { key, before_ms });
        }
    }

    /// Adds an event at the end of a stream.
    pub fn push(&mut self, key: Key, mut record: StreamRecord, now_ms: i64) {
        self.open(key, now_ms);
        let Some(stream) = self.streams.get_mut(&key) else { return };
        let last_sequence = stream.last_sequence;
        record.sequence = (last_sequence + 1).max(now_ms.saturating_mul(NUMBERS_PER_MS));
        stream.last_sequence = record.sequence;
        let bytes = bytes_of(&record);
        stream.bytes += bytes;
        self.bytes += bytes;
        stream.events.push_back(record);
        self.log.push(Undo::Pushed { key, last_sequence });
    }

    /// Notes how far a task has come under a claim, which counts from 1: whether this is further than before.
    pub fn advance(&mut self, key: Key, task: Uuid, claim_token: &str, sequence: i32, now_ms: i64) -> bool {
        self.open(key, now_ms);
        let Some(stream) = self.streams.get_mut(&key) else { return true };
        let before = stream.taken(task);
        if before.is_some_and(|taken| taken.claim_token == claim_token && taken.sequence >= sequence) {
            return false;
        }
        let before = before.cloned();
        stream.set_taken(task, Some(Taken { claim_token: claim_token.into(), sequence, at_ms: now_ms }));
        self.log.push(Undo::Taken { key, task, before });
        true
    }

    /// The events with a higher number, in order; with `task` only those of this task. The first is given however large
    /// it is.
    pub fn after(&self, key: Key, task: Option<Uuid>, sequence: i64, max: PageMax) -> Vec<StreamRecord> {
        let Some(stream) = self.streams.get(&key) else { return Vec::new() };
        let from = stream.events.partition_point(|event| event.sequence <= sequence);
        let wanted = |event: &&StreamRecord| task.is_none() || event.task_id == task;
        let mut bytes = 0;
        let fits = |event: &&StreamRecord| {
            let is_first = bytes == 0;
            bytes += bytes_of(event);
            is_first || bytes <= max.bytes
        };
        stream.events.range(from..).filter(wanted).take(max.events).take_while(fits).cloned().collect()
    }

    /// How much has been done since the last [`settle`](Self::settle), for [`roll_back_to`](Self::roll_back_to).
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    /// Undoes what was done since a mark.
    pub fn roll_back_to(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop() {
                Some(Undo::Opened(key)) => self.forget(key),
                Some(Undo::Used { key, before_ms }) => drop(self.set_used(key, before_ms)),
                Some(Undo::Pushed { key, last_sequence }) => self.undo_push(key, last_sequence),
                Some(Undo::Taken { key, task, before }) => self.undo_taken(key, task, before),
                None => return,
            }
        }
    }

    /// What was done since the last time stays. Makes room for the next.
    pub fn settle(&mut self) {
        let mut touched: Vec<Key> = take(&mut self.log).iter().map(Undo::key).collect();
        touched.dedup();
        let Some(now_ms) = touched.iter().filter_map(|key| self.streams.get(key)).map(|stream| stream.used_at_ms).max()
        else {
            return;
        };
        for key in &touched {
            self.trim(*key);
        }
        while let Some((used_at_ms, oldest)) = self.by_use.first().copied() {
            let idle = now_ms.saturating_sub(used_at_ms) > self.limits.idle_ms;
            if !idle && self.bytes <= self.limits.all_bytes_max {
                return;
            }
            self.forget(oldest);
        }
    }

    fn trim(&mut self, key: Key) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        while stream.events.len() > self.limits.events_max || stream.bytes > self.limits.bytes_max {
            let Some(dropped) = stream.events.pop_front() else { return };
            stream.bytes -= bytes_of(&dropped);
            self.bytes -= bytes_of(&dropped);
        }
        while stream.taken.len() > TAKEN_MAX
            && let Some(oldest) = (0..stream.taken.len()).min_by_key(|place| stream.taken[*place].1.at_ms)
        {
            stream.taken.remove(oldest);
        }
    }

    fn set_used(&mut self, key: Key, now_ms: i64) -> Option<i64> {
        let stream = self.streams.get_mut(&key)?;
        let before_ms = core::mem::replace(&mut stream.used_at_ms, now_ms);
        if before_ms == now_ms {
            return None;
        }
        self.by_use.remove(&(before_ms, key));
        self.by_use.insert((now_ms, key));
        Some(before_ms)
    }

    fn undo_push(&mut self, key: Key, last_sequence: i64) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        stream.last_sequence = last_sequence;
        if let Some(pushed) = stream.events.pop_back() {
            stream.bytes -= bytes_of(&pushed);
            self.bytes -= bytes_of(&pushed);
        }
    }

    fn undo_taken(&mut self, key: Key, task: Uuid, before: Option<Taken>) {
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.set_taken(task, before);
        }
    }

    fn forget(&mut self, key: Key) {
        if let Some(stream) = self.streams.remove(&key) {
            self.by_use.remove(&(stream.used_at_ms, key));
            self.bytes -= stream.bytes;
        }
    }
}

impl Stream {
    fn taken(&self, task: Uuid) -> Option<&Taken> {
        let place = self.taken.binary_search_by_key(&task, |(task, _)| *task).ok()?;
        self.taken.get(place).map(|(_, taken)| taken)
    }

    fn set_taken(&mut self, task: Uuid, taken: Option<Taken>) {
        match (self.taken.binary_search_by_key(&task, |(task, _)| *task), taken) {
            (Ok(place), Some(taken)) => self.taken[place].1 = taken,
            (Ok(place), None) => drop(self.taken.remove(place)),
            (Err(place), Some(taken)) => self.taken.insert(place, (task, taken)),
            (Err(_), None) => {}
        }
    }
}

impl Undo {
    fn key(&self) -> Key {
        match self {
            Self::Opened(key) | Self::Used { key, .. } | Self::Pushed { key, .. } | Self::Taken { key, .. } => *key,
        }
    }
}

fn bytes_of(record: &StreamRecord) -> usize {
    record.payload.len() + EVENT_BYTES
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const KEY: Key = Key { org_id: Uuid::nil(), id: Uuid::from_u128(1) };
    const OTHER: Key = Key { org_id: Uuid::nil(), id: Uuid::from_u128(2) };

    fn event(payload: &str) -> StreamRecord {
        StreamRecord { sequence: 0, task_id: None, event_type: 1, payload: payload.into(), timestamp_ms: 0 }
    }

    const MAX: PageMax = PageMax { events: 100, bytes: 1_000 };

    fn payloads(streams: &Streams, after: i64) -> Vec<String> {
        streams.after(KEY, None, after, MAX).into_iter().map(|event| event.payload).collect()
    }

    #[test]
    fn numbers_rise_also_within_a_millisecond_and_after_the_stream_was_forgotten() {
        let mut streams = Streams::default();
        for payload in ["a", "b"] {
            streams.push(KEY, event(payload), 7);
        }
        let numbers: Vec<_> = streams.after(KEY, None, 0, MAX).iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, vec![7_000, 7_001]);
        streams.forget(KEY);
        streams.push(KEY, event("c"), 8);
        assert_eq!(payloads(&streams, 7_001), vec!["c"]);
    }

    #[test]
    fn the_oldest_events_and_the_streams_not_used_for_longest_go_first() {
        let all_bytes_max = 2 * STREAM_BYTES + 3 * (EVENT_BYTES + 1);
        let limits = StreamLimits { events_max: 2, bytes_max: 1_000, all_bytes_max, idle_ms: 100 };
        let mut streams = Streams::new(limits);
        for payload in ["a", "b", "c"] {
            streams.push(KEY, event(payload), 1);
        }
        streams.settle();
        assert_eq!(payloads(&streams, 0), vec!["b", "c"]);
        streams.push(OTHER, event("x"), 2);
        streams.settle();
        streams.push(OTHER, event("y"), 3);
        streams.settle();
        assert!(!streams.is_open(KEY));
        assert_eq!(streams.after(OTHER, None, 0, MAX).len(), 2);
        streams.open(KEY, 104);
        streams.settle();
        assert!(!streams.is_open(OTHER));
        assert_eq!(streams.bytes, STREAM_BYTES);
    }

    #[test]
    fn streams_without_events_are_not_for_nothing() {
        let mut streams = Streams::new(StreamLimits { all_bytes_max: STREAM_BYTES, ..StreamLimits::default() });
        streams.open(KEY, 1);
        streams.settle();
        streams.open(OTHER, 2);
        streams.settle();
        assert_eq!((streams.is_open(KEY), streams.is_open(OTHER)), (false, true));
    }

    #[test]
    fn what_is_read_at_once_is_bounded_in_bytes_and_moves_on() {
        let mut streams = Streams::default();
        let large = "x".repeat(2_000);
        for payload in [&large, "a", "b", &large, "c"] {
            streams.push(KEY, event(payload), 7);
        }
        let (mut after, mut lengths) = (0, Vec::new());
        while let page @ [.., last] = &streams.after(KEY, None, after, MAX)[..] {
            after = last.sequence;
            lengths.push(page.len());
        }
        assert_eq!(lengths, [1, 2, 1, 1]);
    }

    #[test]
    fn what_is_undone_leaves_no_trace() {
        let mut streams = Streams::default();
        streams.push(KEY, event("a"), 1);
        assert!(streams.advance(KEY, Uuid::from_u128(9), "a", 1, 1));
        streams.settle();
        let mark = streams.mark();
        streams.push(KEY, event("b"), 2);
        streams.push(OTHER, event("x"), 2);
        assert!(streams.advance(KEY, Uuid::from_u128(9), "a", 2, 3));
        streams.roll_back_to(mark);
        let mut expected = Streams::default();
        expected.push(KEY, event("a"), 1);
        assert!(expected.advance(KEY, Uuid::from_u128(9), "a", 1, 1));
        expected.settle();
        assert_eq!(streams, expected);
    }

    #[test]
    fn what_is_sent_twice_under_a_claim_is_taken_once() {
        let mut streams = Streams::default();
        let task = Uuid::from_u128(9);
        let taken = [("a", 1), ("a", 2), ("a", 2), ("a", 1), ("b", 1), ("b", 1), ("b", 3)];
        let new: Vec<_> = taken.iter().map(|(claim, n)| streams.advance(KEY, task, claim, *n, 1)).collect();
        assert_eq!(new, vec![true, true, false, false, true, false, true]);
    }

    #[test]
    fn how_far_tasks_came_is_known_of_those_that_streamed_last() {
        let mut streams = Streams::default();
        // The ids of tasks that code schedules come in no order.
        let task = |number: i64| Uuid::from_u128(u128::MAX - u128::from(number.unsigned_abs()));
        let many = 1 + i64::try_from(TAKEN_MAX).unwrap_or_default();
        for number in 1..=many {
            assert!(streams.advance(KEY, task(number), "a", 1, number));
        }
        streams.settle();
        assert_eq!(streams.streams[&KEY].taken.len(), TAKEN_MAX);
        assert!(!streams.advance(KEY, task(many), "a", 1, many));
        assert!(!streams.advance(KEY, task(2), "a", 1, many));
        assert!(streams.advance(KEY, task(1), "a", 1, many));
    }
}
