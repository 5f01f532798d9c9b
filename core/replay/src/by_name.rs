use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};

use slab::Slab;

/// Things by their names, in the order of the names.
///
/// The compiler copies an ordered map for every type of thing, about 7 KB of wasm each. So the names are kept in one
/// type of map, and the things beside it.
#[derive(Debug)]
pub(crate) struct ByName<T> {
    places: Places,
    things: Slab<T>,
}

/// The part that is the same for every type of thing.
#[derive(Debug, Default)]
struct Places {
    map: BTreeMap<String, usize>,
    name_bytes: usize,
}

impl Places {
    // Kept out of the copies that the compiler makes for each type of thing.
    #[inline(never)]
    fn insert(&mut self, name: String, place: usize) -> Option<usize> {
        let bytes = name.len();
        let before = self.map.insert(name, place);
        if before.is_none() {
            self.name_bytes += bytes;
        }
        before
    }

    #[inline(never)]
    fn remove(&mut self, name: &str) -> Option<usize> {
        let place = self.map.remove(name)?;
        self.name_bytes -= name.len();
        Some(place)
    }

    #[inline(never)]
    fn get(&self, name: &str) -> Option<usize> {
        self.map.get(name).copied()
    }
}

impl<T> ByName<T> {
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
        self.things.get(self.places.get(name)?)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.things.get_mut(self.places.get(name)?)
    }

    pub(crate) fn get_or_insert(&mut self, name: &str, thing: fn() -> T) -> &mut T {
        let place = match self.places.get(name) {
            Some(place) => place,
            None => {
                let place = self.things.insert(thing());
                self.places.insert(name.to_string(), place);
                place
            }
        };
        &mut self.things[place]
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.map.keys().map(String::as_str)
    }

    /// Without what the things hold outside of themselves.
    pub(crate) fn memory_bytes(&self) -> usize {
        let entries = self.places.map.len() * (size_of::<String>() + size_of::<usize>());
        self.places.name_bytes + entries + self.things.capacity() * size_of::<T>()
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { places: Places::default(), things: Slab::new() }
    }
}
