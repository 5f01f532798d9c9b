use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::context::Context as Workflow;

/// What a function can wait for: a handle of the engine, or a branch of its own.
pub(crate) type PromiseId = usize;

/// A value by its digest.
pub(crate) type Settled = Result<u64, Failure>;

/// What a function can catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) digest: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// A handle was rejected.
    Rejected,
    /// All branches of an `any` have failed.
    Aggregate,
    /// What waited was cancelled.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// The function threw it.
    Thrown,
    /// The engine did not take the call.
    Refused,
}

/// All promises of a function.
#[derive(Default)]
pub(crate) struct Promises(Vec<Option<(usize, Settled)>>, usize);

impl Promises {
    pub(crate) fn create(&mut self) -> PromiseId {
        self.0.push(None);
        self.0.len() - 1
    }

    /// Settles it unless it is settled; says whether it was not.
    pub(crate) fn settle(&mut self, id: PromiseId, settled: Settled) -> bool {
        if self.0[id].is_some() {
            return false;
        }
        self.1 += 1;
        self.0[id] = Some((self.1, settled));
        true
    }

    pub(crate) fn get(&self, id: PromiseId) -> Option<Settled> {
        self.0[id].map(|(_, settled)| settled)
    }

    /// The one of these that was settled first and is as wanted.
    pub(crate) fn first(&self, ids: &[PromiseId], wanted: fn(&Settled) -> bool) -> Option<Settled> {
        let settled = ids.iter().filter_map(|id| self.0[*id]).filter(|(_, settled)| wanted(settled));
        settled.min_by_key(|(order, _)| *order).map(|(_, settled)| settled)
    }
}

/// Waits until a function of the promises gives something.
pub(crate) struct Wait<'p, F> {
    pub(crate) context: Workflow<'p>,
    pub(crate) until: F,
}

impl<F: Fn(&Promises) -> Option<Settled> + Unpin> Future for Wait<'_, F> {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Settled> {
        (self.until)(&self.context.borrow().promises).map_or(Poll::Pending, Poll::Ready)
    }
}
