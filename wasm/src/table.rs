//! The handle table: what lives in the core is known to JavaScript by a number.

use std::cell::RefCell;

use slab::Slab;

use crate::error::Error;

const INDEX_BITS: u32 = 20;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
const GENERATION_MAX: u32 = u32::MAX >> INDEX_BITS;

/// Things of one kind, by number.
///
/// A thing is taken out for the time of a call and put back after it. So a call that traps leaves nothing borrowed,
/// and a call made from within another one is refused instead of corrupting anything. A number holds the index of
/// its slot and a generation, so that the number of a closed thing is not soon that of another.
pub(crate) struct Table<T> {
    thing: &'static str,
    slots: RefCell<Slab<Slot<T>>>,
    generation: RefCell<u32>,
}

struct Slot<T> {
    generation: u32,
    /// Absent during a call.
    value: Option<Box<T>>,
}

impl<T> Table<T> {
    /// An empty table of things that errors call `thing`.
    pub(crate) const fn new(thing: &'static str) -> Self {
        Self { thing, slots: RefCell::new(Slab::new()), generation: RefCell::new(0) }
    }

    /// Keeps a thing and gives its number, which is never 0.
    pub(crate) fn insert(&self, value: T) -> Result<u32, Error> {
        let generation = self.next_generation();
        let index = self.slots.borrow_mut().insert(Slot { generation, value: Some(Box::new(value)) });
        match u32::try_from(index) {
            Ok(index) if index <= INDEX_MASK => Ok(generation << INDEX_BITS | index),
            _ => {
                self.slots.borrow_mut().remove(index);
                Err(Error::new("TOO_MANY_HANDLES", format!("more than {INDEX_MASK} {}s are open", self.thing)))
            }
        }
    }

    /// Runs a call on the thing with this number.
    pub(crate) fn with<R>(&self, id: u32, call: impl FnOnce(&mut T) -> Result<R, Error>) -> Result<R, Error> {
        let mut value = self.take(id)?;
        let result = call(&mut value);
        self.put(id, value)?;
        result
    }

    /// Forgets a thing; its number is unknown from now on.
    pub(crate) fn remove(&self, id: u32) -> Result<(), Error> {
        self.take(id)?;
        self.slots.borrow_mut().remove(index(id));
        Ok(())
    }

    // Kept out of `with`, of which there is a copy for every function of JavaScript.
    #[inline(never)]
    fn take(&self, id: u32) -> Result<Box<T>, Error> {
        self.slot(id, |slot| slot.value.take())?.ok_or_else(|| {
            let thing = self.thing;
            Error::new("BUSY_HANDLE", format!("the {thing} {id} is in the middle of another call"))
        })
    }

    #[inline(never)]
    fn put(&self, id: u32, value: Box<T>) -> Result<(), Error> {
        self.slot(id, |slot| slot.value = Some(value))
    }

    fn slot<R>(&self, id: u32, look: impl FnOnce(&mut Slot<T>) -> R) -> Result<R, Error> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(index(id)).filter(|slot| slot.generation == id >> INDEX_BITS);
        slot.map(look).ok_or_else(|| {
            let thing = self.thing;
            Error::new("UNKNOWN_HANDLE", format!("no {thing} is open under {id}: it was closed, or never opened"))
        })
    }

    fn next_generation(&self) -> u32 {
        let mut generation = self.generation.borrow_mut();
        *generation = if *generation == GENERATION_MAX { 1 } else { *generation + 1 };
        *generation
    }
}

fn index(id: u32) -> usize {
    (id & INDEX_MASK) as usize
}
