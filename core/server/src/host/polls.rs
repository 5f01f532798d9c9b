use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts the requests that are parked under each key.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    waiting: Mutex<HashMap<usize, usize>>,
}

impl Polls {
    /// A place to wait under this key, until it is dropped; `None` when `max` are taken.
    pub(crate) fn enter(self: &Arc<Self>, key: usize, max: usize) -> Option<Place> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(key).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Place { polls: Arc::clone(self), key })
    }
}

/// A place taken in [`Polls`].
#[derive(Debug)]
pub(crate) struct Place {
    polls: Arc<Polls>,
    key: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.polls.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.key) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bounded_by_key() {
        let polls = Arc::new(Polls::default());
        let first = polls.enter(1, 2).unwrap();
        let _second = polls.enter(1, 2).unwrap();
        assert!(polls.enter(1, 2).is_none());
        let _other = polls.enter(2, 2).unwrap();
        drop(first);
        assert!(polls.enter(1, 2).is_some());
    }
}
