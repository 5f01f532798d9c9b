use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use flovyn_orchestrator::{KindSet, WaitKey, Wake, Work};

/// Where parked requests wait, on the thread that runs them: nothing falls between an attempt and its waiting.
#[derive(Debug)]
pub(super) struct WaitingRoom<T> {
    /// The number of the next waiter: they are numbered in the order they came.
    next: u64,
    waiters: HashMap<u64, Waiter<T>>,
    by_key: HashMap<WaitKey, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Waiter<T> {
    keys: Vec<WaitKey>,
    /// What it can take.
    kinds: KindSet,
    request: T,
}

impl<T> WaitingRoom<T> {
    pub(super) fn new() -> Self {
        Self { next: 0, waiters: HashMap::new(), by_key: HashMap::new() }
    }

    /// A number for a request that waits for the first time.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Lets a request wait on several keys, under its number.
    pub(super) fn enter(&mut self, number: u64, keys: Vec<WaitKey>, kinds: KindSet, request: T) {
        for key in &keys {
            self.by_key.entry(key.clone()).or_default().insert(number);
        }
        self.waiters.insert(number, Waiter { keys, kinds, request });
    }

    /// Takes a request out, if it is here.
    pub(super) fn leave(&mut self, number: u64) -> Option<T> {
        let waiter = self.waiters.remove(&number)?;
        for key in &waiter.keys {
            if let Some(waiting) = self.by_key.get_mut(key) {
                waiting.remove(&number);
                if waiting.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        Some(waiter.request)
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// A wake that has just been given.
    pub(super) fn wake(&self, wake: Wake) -> Run {
        Run { wake, end: self.next, asked: 0, asked_first: None }
    }

    /// The oldest of these that waits on a key and can take one of these kinds.
    fn oldest(&self, key: &WaitKey, numbers: Range<u64>, kinds: KindSet) -> Option<u64> {
        let can_take = |number: &&u64| self.waiters.get(number).is_some_and(|waiter| waiter.kinds.meets(kinds));
        self.by_key.get(key)?.range(numbers).find(can_take).copied()
    }
}

/// A wake on its way through the waiters.
///
/// One thing became available, so one waiter is asked again: the one that should have it first, else the oldest. It
/// may be unable to take it (a client that went away, its time over), so the wake runs on until somebody took it. Who
/// does not do this kind of work is not asked at all.
/// A waiter that came after the wake has seen the change in its own attempt and is passed by, so the run ends.
///
/// ```text
///   wake(queue) ──> waiter 1: waits on ──> waiter 2: gone ──> waiter 3: takes it ■
/// ```
#[derive(Debug)]
pub(super) struct Run {
    wake: Wake,
    /// Waiters from this number on have seen what the wake announces.
    end: u64,
    /// Waiters below this number were asked.
    asked: u64,
    /// One that was asked out of turn.
    asked_first: Option<u64>,
}

impl Run {
    /// The waiter that is asked next.
    pub(super) fn next<T>(&mut self, room: &WaitingRoom<T>) -> Option<u64> {
        if let Some(first) = self.wake.first.take()
            && let Some(number) = room.oldest(&first, 0..self.end, self.wake.kinds)
        {
            self.asked_first = Some(number);
            return Some(number);
        }
        loop {
            let number = room.oldest(&self.wake.key, self.asked..self.end, self.wake.kinds)?;
            self.asked = number + 1;
            if self.asked_first != Some(number) {
                return Some(number);
            }
        }
    }

    /// The wake, to be sent on its way again.
    pub(super) fn into_wake(self) -> Wake {
        self.wake
    }

    /// Whether the run ends with a waiter that was answered and took this.
    pub(super) fn ends_with(&self, took: Option<Work>) -> bool {
        took.is_some_and(|work| self.wake.key.announces(work))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use flovyn_orchestrator::{Key, ReadyQueue};
    use uuid::Uuid;

    use super::*;

    fn queue() -> ReadyQueue {
        ReadyQueue { work: Work::Workflow, org_id: Uuid::nil(), name: "default".to_owned() }
    }

    fn key() -> WaitKey {
        WaitKey::queue(&queue())
    }

    /// A room with these waiters, each known by its place.
    fn room(waiters: &[&[WaitKey]]) -> WaitingRoom<usize> {
        let mut room = WaitingRoom::new();
        for (place, keys) in waiters.iter().enumerate() {
            let number = room.number();
            room.enter(number, keys.to_vec(), KindSet::ANY, place);
        }
        room
    }

    #[test]
    fn a_wake_runs_from_the_oldest_on() {
        let mut room = room(&[&[key()], &[key()], &[key()]]);
        let mut run = room.wake(key().into());
        assert_eq!(
            [Some(Work::Workflow), Some(Work::Query), None].map(|took| run.ends_with(took)),
            [true, false, false]
        );
        assert_eq!(run.next(&room), Some(0));
        room.leave(1);
        assert_eq!([run.next(&room), run.next(&room)], [Some(2), None]);
    }

    #[test]
    fn who_came_after_the_wake_is_passed_by() {
        let mut room = room(&[&[key()]]);
        let mut run = room.wake(key().into());
        let late = room.number();
        room.enter(late, vec![key()], KindSet::ANY, 1);
        assert_eq!([run.next(&room), run.next(&room)], [Some(0), None]);
    }

    #[test]
    fn who_waits_on_is_not_asked_twice() {
        let mut room = room(&[&[key()], &[key()]]);
        let mut run = room.wake(key().into());
        let number = run.next(&room).unwrap();
        let request = room.leave(number).unwrap();
        room.enter(number, vec![key()], KindSet::ANY, request);
        assert_eq!([run.next(&room), run.next(&room)], [Some(1), None]);
    }

    #[test]
    fn who_should_have_it_comes_first_and_once() {
        let mine = WaitKey::worker(&queue(), "mine");
        let room = room(&[&[key()], &[mine.clone(), key()], &[mine.clone(), key()]]);
        let mut run = room.wake(Wake { first: Some(mine), ..key().into() });
        let order: Vec<_> = std::iter::from_fn(|| run.next(&room)).collect();
        assert_eq!(order, [1, 0, 2]);
        let gone = WaitKey::worker(&queue(), "gone");
        let mut run = room.wake(Wake { first: Some(gone), ..key().into() });
        assert_eq!(run.next(&room), Some(0), "nobody waits for a worker that is not here");
    }

    #[test]
    fn who_cannot_take_it_is_not_asked() {
        let mut room = WaitingRoom::new();
        let mine = WaitKey::worker(&queue(), "mine");
        for (place, kinds) in [KindSet::of("refund"), KindSet::of("order"), KindSet::ANY].into_iter().enumerate() {
            let number = room.number();
            room.enter(number, vec![key(), mine.clone()], kinds, place);
        }
        for first in [None, Some(mine)] {
            let mut run = room.wake(Wake { first, kinds: KindSet::of("order"), ..key().into() });
            let order: Vec<_> = std::iter::from_fn(|| run.next(&room)).collect();
            assert_eq!(order, [1, 2]);
        }
    }

    #[test]
    fn ends_of_executions_reach_all() {
        let end = WaitKey::execution(Key { org_id: Uuid::nil(), id: Uuid::nil() });
        let room = room(&[std::slice::from_ref(&end), &[key()], std::slice::from_ref(&end)]);
        let mut run = room.wake(end.into());
        assert!(!run.ends_with(Some(Work::Workflow)) && !run.ends_with(None));
        let order: Vec<_> = std::iter::from_fn(|| run.next(&room)).collect();
        assert_eq!(order, [0, 2]);
    }

    #[test]
    fn nothing_is_left_behind() {
        let other = WaitKey::execution(Key { org_id: Uuid::nil(), id: Uuid::nil() });
        let mut room = room(&[&[key(), other]]);
        assert_eq!((room.leave(0), room.leave(0)), (Some(0), None));
        assert!(room.by_key.is_empty() && room.len() == 0);
    }
}
