use alloc::{collections::BTreeMap, string::String};

use slab::Slab;

/// Things by their names, in the order of the names.
///
/// The compiler copies an ordered map for every type of thing, about 7 KB of wasm each. So the names are kept in one
/// type of map, and the things beside it.
#[derive(Debug)]
pub(crate) struct ByName<T> {
    places: BTreeMap<String, usize>,
    things: Slab<T>,
}

impl<T> ByName<T> {
    pub(crate) fn new() -> Self {
        Self { places: BTreeMap::new(), things: Slab::new() }
    }

    pub(crate) fn insert(&mut self, name: String, thing: T) {
        let place = self.things.insert(thing);
        if let Some(before) = self.places.insert(name, place) {
            self.things.remove(before);
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<T> {
        let place = self.places.remove(name)?;
        self.things.try_remove(place)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.things.get(*self.places.get(name)?)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self::new()
    }
}
