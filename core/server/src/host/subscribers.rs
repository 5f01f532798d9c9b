use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use flovyn_orchestrator::{WaitKey, Wake};
use tokio::sync::{Notify, watch};

use super::polls::Place;

/// Who wants to hear that a queue got work. Nobody takes it from others by hearing of it.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    /// How many there are, so that who wakes need not look when there is none.
    count: AtomicUsize,
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    /// The number of the next one.
    next: u64,
    by_key: HashMap<WaitKey, BTreeMap<u64, Arc<Notify>>>,
}

impl Subscribers {
    pub(super) fn enter(
        self: &Arc<Self>,
        keys: &[WaitKey],
        closing: watch::Receiver<bool>,
        place: Place,
    ) -> Subscriber {
        let heard = Arc::new(Notify::new());
        let mut registered = self.lock();
        let number = registered.next;
        registered.next += 1;
        for key in keys {
            registered.by_key.entry(key.clone()).or_default().insert(number, Arc::clone(&heard));
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Subscriber { subscribers: Arc::clone(self), keys: keys.to_vec(), number, heard, closing, _place: place }
    }

    /// Who is to be told of these wakes, once they are on disk.
    pub(super) fn who_hears(&self, wakes: &[Wake]) -> Vec<Arc<Notify>> {
        if wakes.is_empty() || self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let registered = self.lock();
        let of_key = |wake: &Wake| registered.by_key.get(&wake.key).into_iter().flat_map(BTreeMap::values);
        wakes.iter().flat_map(of_key).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of [`Subscribers`], until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscriber {
    subscribers: Arc<Subscribers>,
    keys: Vec<WaitKey>,
    number: u64,
    heard: Arc<Notify>,
    closing: watch::Receiver<bool>,
    _place: Place,
}

impl Subscriber {
    /// Completes when there was work since the last time, however much of it: true; or when the server stops: false.
    pub(crate) async fn next(&mut self) -> bool {
        let Self { heard, closing, .. } = self;
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => false,
            () = heard.notified() => true,
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut registered = self.subscribers.lock();
        for key in &self.keys {
            if let Some(of_key) = registered.by_key.get_mut(key) {
                of_key.remove(&self.number);
                if of_key.is_empty() {
                    registered.by_key.remove(key);
                }
            }
        }
        self.subscribers.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use flovyn_orchestrator::{ReadyQueue, Work};
    use uuid::Uuid;

    use super::{super::polls::Polls, *};

    fn key(name: &str) -> WaitKey {
        WaitKey::queue(&ReadyQueue { work: Work::Task, org_id: Uuid::nil(), name: name.to_owned() })
    }

    #[tokio::test]
    async fn who_subscribed_hears_once_of_all_that_came_meanwhile() {
        let (subscribers, polls) = (Arc::new(Subscribers::default()), Arc::new(Polls::default()));
        let (close, closing) = watch::channel(false);
        assert!(subscribers.who_hears(&[key("a").into()]).is_empty());
        let mut subscriber = subscribers.enter(&[key("a"), key("b")], closing, polls.enter(1, 1).unwrap());
        assert!(subscribers.who_hears(&[key("c").into()]).is_empty());
        for heard in subscribers.who_hears(&[key("a").into(), key("c").into(), key("b").into()]) {
            heard.notify_one();
        }
        assert!(subscriber.next().await);
        close.send_replace(true);
        assert!(!subscriber.next().await, "it heard of both at once");
        drop(subscriber);
        assert!(subscribers.who_hears(&[key("a").into()]).is_empty());
        assert!(subscribers.lock().by_key.is_empty());
        assert!(polls.enter(1, 1).is_some(), "its place is free again");
    }
}
