use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flovyn_orchestrator::WaitKey;
use tokio::sync::oneshot;

/// Where parked requests wait.
///
/// One thing became available, so one waiter is woken: the oldest. It may be unable to take the thing (another kind,
/// a client that went away, somebody who was faster), so a wake is a [`Baton`] that runs on to the next waiter
/// unless its holder was answered. A waiter that came after the wake has seen the change in its own attempt, so the
/// baton passes those by, and its run ends.
///
/// ```text
///   wake(queue) ──> waiter 1: parks again ──> waiter 2: gone ──> waiter 3: answered ■
/// ```
///
/// No wake is lost between an attempt and the registration of its waiter: the thread that runs the attempts also
/// registers the waiters and hands out the wakes, each wake after the commit of what it announces.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the next waiter: they are numbered in the order they came.
    next: u64,
    waiters: HashMap<u64, Waiter>,
    by_key: HashMap<WaitKey, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Waiter {
    keys: Vec<WaitKey>,
    wake: oneshot::Sender<Baton>,
}

/// How far a wake goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To one waiter that is answered because of it.
    One,
    /// To every waiter.
    All,
}

impl Hub {
    /// Registers a waiter on several keys; it is woken once, by whichever comes first.
    pub(crate) fn park(self: &Arc<Self>, keys: Vec<WaitKey>) -> Parked {
        let (wake, woken) = oneshot::channel();
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        for key in &keys {
            state.by_key.entry(key.clone()).or_default().insert(number);
        }
        state.waiters.insert(number, Waiter { keys, wake });
        Parked { hub: Arc::clone(self), number, woken }
    }

    /// Tells the waiters of a key that something became available.
    pub(crate) fn wake(self: &Arc<Self>, key: WaitKey, reach: Reach) {
        let before = self.lock().next;
        let baton = Baton { run: Some(Run { hub: Arc::clone(self), key, before }) };
        if reach == Reach::All {
            while let Some(waiter) = baton.run.as_ref().and_then(Run::next_waiter) {
                // A waiter that is gone needs no wake.
                let _ = waiter.send(Baton { run: None });
            }
            baton.stop();
        }
    }

    /// How many requests are parked.
    pub(crate) fn parked(&self) -> usize {
        self.lock().waiters.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two steps of one change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, number: u64) -> Option<oneshot::Sender<Baton>> {
        let waiter = self.waiters.remove(&number)?;
        for key in &waiter.keys {
            if let Some(waiting) = self.by_key.get_mut(key) {
                waiting.remove(&number);
                if waiting.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        Some(waiter.wake)
    }
}

/// A parked request. Dropping it removes the waiter, and a baton that reached it meanwhile runs on.
#[derive(Debug)]
pub(crate) struct Parked {
    hub: Arc<Hub>,
    number: u64,
    woken: oneshot::Receiver<Baton>,
}

impl Parked {
    /// Waits for a wake.
    pub(crate) async fn woken(&mut self) -> Baton {
        // The sender is dropped unused only together with the hub.
        (&mut self.woken).await.unwrap_or(Baton { run: None })
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        // Bound, so that the sender is dropped after the lock is released.
        let _waiter = self.hub.lock().remove(self.number);
    }
}

/// A wake on its way through the waiters. Dropping it hands it on.
#[derive(Debug)]
pub(crate) struct Baton {
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    hub: Arc<Hub>,
    key: WaitKey,
    /// Waiters from this number on have seen what the wake announces.
    before: u64,
}

impl Baton {
    /// Ends the run: the holder was answered.
    pub(crate) fn stop(mut self) {
        self.run = None;
    }
}

impl Run {
    fn next_waiter(&self) -> Option<oneshot::Sender<Baton>> {
        let mut state = self.hub.lock();
        let number = *state.by_key.get(&self.key)?.first()?;
        if number >= self.before {
            return None;
        }
        state.remove(number)
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        while let Some(waiter) = run.next_waiter() {
            match waiter.send(Baton { run: Some(run) }) {
                Ok(()) => return,
                Err(mut refused) => match refused.run.take() {
                    Some(returned) => run = returned,
                    None => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use flovyn_orchestrator::{ReadyQueue, Work};
    use uuid::Uuid;

    use super::*;

    fn key() -> WaitKey {
        WaitKey::queue(&ReadyQueue { work: Work::Task, org_id: Uuid::nil(), name: "default".to_owned() })
    }

    fn baton(parked: &mut Parked) -> Option<Baton> {
        parked.woken.try_recv().ok()
    }

    #[test]
    fn one_wake_runs_until_somebody_is_answered() {
        let hub = Arc::new(Hub::default());
        let [mut first, mut second, mut third] = std::array::from_fn(|_| hub.park(vec![key()]));
        hub.wake(key(), Reach::One);
        assert!(baton(&mut second).is_none(), "the oldest is first");
        drop(baton(&mut first).unwrap());
        baton(&mut second).unwrap().stop();
        assert!(baton(&mut third).is_none(), "an answered waiter ends the run");
        assert_eq!(hub.parked(), 1);
    }

    #[test]
    fn who_came_after_the_wake_is_passed_by() {
        let hub = Arc::new(Hub::default());
        let mut early = hub.park(vec![key()]);
        hub.wake(key(), Reach::One);
        let mut late = hub.park(vec![key()]);
        drop(baton(&mut early).unwrap());
        assert!(baton(&mut late).is_none());
        assert_eq!(hub.parked(), 1);
    }

    #[test]
    fn who_went_away_hands_on() {
        let hub = Arc::new(Hub::default());
        let [gone, woken_and_gone, mut last] = std::array::from_fn(|_| hub.park(vec![key()]));
        drop(gone);
        hub.wake(key(), Reach::One);
        drop(woken_and_gone);
        assert!(baton(&mut last).is_some());
        assert_eq!(hub.parked(), 0);
    }

    #[test]
    fn two_wakes_reach_two() {
        let hub = Arc::new(Hub::default());
        let mut parked: [_; 3] = std::array::from_fn(|_| hub.park(vec![key()]));
        hub.wake(key(), Reach::One);
        hub.wake(key(), Reach::One);
        let batons: Vec<_> = parked.iter_mut().map(baton).collect();
        assert_eq!(batons.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
        batons.into_iter().flatten().for_each(Baton::stop);
    }

    #[test]
    fn all_are_reached() {
        let hub = Arc::new(Hub::default());
        let mut parked: [_; 3] = std::array::from_fn(|_| hub.park(vec![key()]));
        hub.wake(key(), Reach::All);
        assert!(parked.iter_mut().all(|parked| baton(parked).is_some()));
        assert_eq!(hub.parked(), 0);
    }

    #[test]
    fn nothing_is_left_behind() {
        let hub = Arc::new(Hub::default());
        let other = WaitKey::queue(&ReadyQueue { work: Work::Workflow, org_id: Uuid::nil(), name: "x".to_owned() });
        let parked = hub.park(vec![key(), other.clone()]);
        hub.wake(other, Reach::One);
        drop(parked);
        assert!(hub.lock().by_key.is_empty());
    }
}
