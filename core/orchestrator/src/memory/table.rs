use alloc::collections::BTreeMap;
use core::ops::RangeBounds;

/// A map whose changes can be undone.
#[derive(Debug, PartialEq)]
pub(super) struct Table<K, V>(BTreeMap<K, V>);

/// What was there before a change.
#[derive(Debug)]
pub(super) struct Change<K, V> {
    key: K,
    before: Option<V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn put(&mut self, key: K, value: V) -> Change<K, V> {
        let before = self.0.insert(key.clone(), value);
        Change { key, before }
    }

    /// `None` if there was nothing to remove.
    pub(super) fn remove(&mut self, key: &K) -> Option<Change<K, V>> {
        self.0.remove_entry(key).map(|(key, value)| Change { key, before: Some(value) })
    }

    pub(super) fn undo(&mut self, change: Change<K, V>) {
        match change.before {
            Some(value) => self.0.insert(change.key, value),
            None => self.0.remove(&change.key),
        };
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The first entry of a range.
    pub(super) fn first_in(&self, range: impl RangeBounds<K>) -> Option<(&K, &V)> {
        self.0.range(range).next()
    }
}
