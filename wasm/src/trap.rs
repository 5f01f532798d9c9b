//! Traps on demand, to test what the SDK does after one. Only with the feature `trap-test`.

/// The kind of task, and the method, that trap.
const NAME: &str = "trap-test";

/// Traps as a bug in the core would, if `name` asks for it.
#[allow(clippy::panic, reason = "this is the one place where a panic is wanted")]
pub(crate) fn trap_if_asked(name: &str) {
    if name == NAME {
        panic!("{NAME} was called");
    }
}
