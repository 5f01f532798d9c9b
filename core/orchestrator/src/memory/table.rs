use alloc::{boxed::Box, collections::BTreeMap};
use core::{any::Any, cmp::Ordering, fmt, marker::PhantomData, ops::RangeBounds};

/// An ordered map whose changes can be undone.
///
/// The compiler copies an ordered map for every pair of types, about 10 KB of wasm each. So all tables share one map,
/// of keys and rows whose types are known only here, where every key is a `K` and every row a `V`.
pub(super) struct Table<K, V> {
    rows: BTreeMap<Box<dyn ErasedKey>, Row>,
    types: PhantomData<(K, V)>,
}

/// A row of some type.
type Row = Box<dyn Any + Send + Sync>;

/// What was there before a change.
#[derive(Debug)]
pub(super) struct Change<K, V> {
    key: K,
    pub(super) before: Option<V>,
}

/// What a key or a row can be.
pub(super) trait Stored: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Stored for T {}

impl<K: Stored + Ord + Clone, V: Stored> Table<K, V> {
    pub(super) fn put(&mut self, key: K, value: V) -> Change<K, V> {
        let before = self.rows.insert(Box::new(key.clone()), Box::new(value));
        Change { key, before: before.and_then(to_row) }
    }

    /// `None` if there was nothing to remove.
    pub(super) fn remove(&mut self, key: &K) -> Option<Change<K, V>> {
        let before = self.rows.remove(erase(key))?;
        Some(Change { key: key.clone(), before: to_row(before) })
    }

    pub(super) fn undo(&mut self, change: Change<K, V>) {
        match change.before {
            Some(value) => self.rows.insert(Box::new(change.key), Box::new(value)),
            None => self.rows.remove(erase(&change.key)),
        };
    }

    /// The row of a key, which is made if there is none. It is always there: every row is a `V`.
    pub(super) fn get_or_default(&mut self, key: K) -> Option<&mut V>
    where
        V: Default,
    {
        self.rows.entry(Box::new(key)).or_insert_with(|| Box::new(V::default())).downcast_mut()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(erase(key)).and_then(as_row)
    }

    /// The entries of a range, in order.
    pub(super) fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        let bounds = (range.start_bound().map(erase), range.end_bound().map(erase));
        self.rows.range::<dyn ErasedKey, _>(bounds).filter_map(|(key, row)| Some((as_key(key)?, as_row(row)?)))
    }

    /// The first entry of a range.
    pub(super) fn first_in(&self, range: impl RangeBounds<K>) -> Option<(&K, &V)> {
        self.range(range).next()
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), types: PhantomData }
    }
}

impl<K: Stored + Ord + Clone, V: Stored + PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.range(..).eq(other.range(..))
    }
}

impl<K: Stored + Ord + Clone + fmt::Debug, V: Stored + fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.range(..)).finish()
    }
}

/// A key of some type. Keys of one map are all of the same.
trait ErasedKey: Any + Send + Sync {
    fn compare(&self, other: &dyn ErasedKey) -> Ordering;
}

impl<K: Stored + Ord> ErasedKey for K {
    fn compare(&self, other: &dyn ErasedKey) -> Ordering {
        let other: &dyn Any = other;
        other.downcast_ref().map_or(Ordering::Less, |other| self.cmp(other))
    }
}

impl Ord for dyn ErasedKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

impl PartialOrd for dyn ErasedKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn ErasedKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn ErasedKey {}

fn erase<K: Stored + Ord>(key: &K) -> &dyn ErasedKey {
    key
}

// The box is looked through first: it is itself a key of some type.
#[allow(clippy::borrowed_box, reason = "this is how the map gives them")]
fn as_key<K: 'static>(key: &Box<dyn ErasedKey>) -> Option<&K> {
    let key: &dyn Any = &**key;
    key.downcast_ref()
}

fn as_row<V: 'static>(row: &Row) -> Option<&V> {
    row.downcast_ref()
}

fn to_row<V: 'static>(row: Row) -> Option<V> {
    row.downcast().ok().map(|row| *row)
}
