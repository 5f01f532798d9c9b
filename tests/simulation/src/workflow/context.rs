use std::{
    cell::{Ref, RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    future::Future,
    rc::Rc,
    task::{self, Poll, Waker},
};

use flovyn_replay::{Execution, Handle, Job, ROOT, Rejection, ReplayError, Scope};

use super::{
    Branch,
    promises::{Failure, FailureKind, PromiseId, Promises, Settled, Wait},
};
use crate::{
    chance::mix,
    program::{Slot, Version},
    report::Tally,
};

/// What a function holds on to: the verbs of its execution and the promises of their handles.
#[derive(Clone)]
pub(crate) struct Context<'p> {
    shared: Rc<RefCell<Shared<'p>>>,
    /// The branch that has it.
    branch: PromiseId,
    /// The scope of what it asks for.
    pub(super) scope: Scope,
}

pub(crate) struct Shared<'p> {
    pub(super) execution: Execution,
    pub(super) version: Version,
    pub(super) promises: Promises,
    /// What is known of each handle; they are numbered from 1.
    pub(super) handles: Vec<Awaited>,
    /// The scopes that are not cancelled with the execution.
    pub(super) shielded: BTreeSet<Scope>,
    pub(super) slots: BTreeMap<Slot, PromiseId>,
    pub(super) begun: Vec<Branch<'p>>,
    pub(super) progress: bool,
    /// A digest of all that the function was told and given. Commands carry it, so that whoever was told something
    /// else asks for something else.
    pub(super) so_far: u64,
    pub(super) log: Vec<u64>,
    pub(super) asked: Vec<Asked>,
    pub(super) has_read_time: bool,
    pub(super) has_ended: bool,
    pub(super) is_mixed: bool,
    pub(super) operations: BTreeMap<Handle, Operation>,
    pub(super) timers: u32,
    /// Of these the end was asked for.
    pub(super) cancelled: BTreeSet<Handle>,
    pub(super) patches: BTreeSet<u8>,
    pub(super) fatal: Option<ReplayError>,
    pub(super) notes: Option<Vec<String>>,
    pub(super) tally: Option<Tally>,
}

/// What stands behind a handle.
pub(crate) struct Awaited {
    pub(super) promise: PromiseId,
    /// What is asked for to cancel it.
    pub(super) to_cancel: Option<Asked>,
    /// The signal that it waits for.
    pub(super) signal: Option<u8>,
    pub(super) scope: Scope,
}

/// A command that must be an event of the history; operations have their own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Task(u8),
    Timer(u32),
    Promise(u8),
    Set(u8),
    Clear(u8),
    Time,
    Child,
    CancelTimer(u32),
    CancelTask,
    CancelChild,
    Patch(u8),
}

/// An operation by its name, and how many of that name were begun before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) name: u8,
    pub(crate) ordinal: usize,
}

/// The digest of a text.
pub(crate) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl<'p> Context<'p> {
    pub(super) fn new(execution: Execution, version: Version) -> Self {
        let mut promises = Promises::default();
        let branch = promises.create();
        let shared = Rc::new(RefCell::new(Shared {
            execution,
            version,
            promises,
            handles: Vec::new(),
            shielded: BTreeSet::new(),
            slots: BTreeMap::new(),
            begun: Vec::new(),
            progress: false,
            so_far: 0,
            log: Vec::new(),
            asked: Vec::new(),
            has_read_time: false,
            has_ended: false,
            is_mixed: false,
            operations: BTreeMap::new(),
            timers: 0,
            cancelled: BTreeSet::new(),
            patches: BTreeSet::new(),
            fatal: None,
            notes: None,
            tally: None,
        }));
        Self { shared, branch, scope: ROOT }
    }

    pub(super) fn borrow(&self) -> Ref<'_, Shared<'p>> {
        self.shared.borrow()
    }

    pub(super) fn borrow_mut(&self) -> RefMut<'_, Shared<'p>> {
        self.shared.borrow_mut()
    }

    pub(super) fn begin_turn(&self, job: &Job) {
        let shared = &mut *self.borrow_mut();
        shared.has_read_time = false;
        let told = format!("{job:?}");
        shared.so_far = mix(shared.so_far ^ digest(&told));
        shared.note(|| format!("told {told}"));
    }

    pub(super) fn end_turn(&self) -> Result<(), ReplayError> {
        let mut shared = self.borrow_mut();
        let so_far = shared.so_far;
        shared.log.push(so_far);
        shared.fatal.take().map_or(Ok(()), Err)
    }

    /// Settles the promise of a handle.
    pub(super) fn settle(&self, handle: Handle, settled: Settled) {
        let promise = self.promise_of(handle);
        assert!(self.settle_promise(promise, settled), "handle {handle} is settled twice");
    }

    /// A request that the execution ends rejects all that waits and is not shielded, in creation order.
    pub(super) fn check_cancelled(&self, handles: &[Handle]) {
        let shared = self.borrow();
        let pending = (1..).zip(&shared.handles).filter(|(_, awaited)| {
            shared.promises.get(awaited.promise).is_none() && !shared.shielded.contains(&awaited.scope)
        });
        assert!(pending.map(|(handle, _)| handle).eq(handles.iter().copied()), "a cancel request rejects {handles:?}");
    }

    /// A signal goes to the one that waits the longest for it.
    pub(super) fn check_signalled(&self, handle: Handle) {
        let shared = self.borrow();
        let (older, this) = shared.handles.split_at(handle as usize - 1);
        let Some(name) = this.first().and_then(|awaited| awaited.signal) else { return };
        let waits = |awaited: &Awaited| shared.promises.get(awaited.promise).is_none();
        let is_first = !older.iter().any(|awaited| awaited.signal == Some(name) && waits(awaited));
        assert!(is_first, "a signal goes to handle {handle}, and an older one waits for it");
    }

    /// The promise of a handle.
    fn promise_of(&self, handle: Handle) -> PromiseId {
        self.borrow().handles[handle as usize - 1].promise
    }

    pub(super) fn reject(&self, handle: Handle, rejection: &Rejection) {
        let digest = digest(&format!("{rejection:?}"));
        self.settle(handle, Err(Failure { kind: FailureKind::Rejected, digest }));
    }

    pub(super) fn new_promise(&self) -> PromiseId {
        self.borrow_mut().promises.create()
    }

    pub(super) fn settle_promise(&self, promise: PromiseId, settled: Settled) -> bool {
        let shared = &mut *self.borrow_mut();
        shared.progress = true;
        shared.promises.settle(promise, settled)
    }

    pub(super) fn is_settled(&self, promise: PromiseId) -> bool {
        self.borrow().promises.get(promise).is_some()
    }

    pub(super) fn wait(&self, promise: PromiseId) -> impl Future<Output = Settled> + 'p {
        self.wait_until(move |promises| promises.get(promise))
    }

    pub(super) fn wait_until<F>(&self, until: F) -> Wait<'p, F>
    where
        F: Fn(&Promises) -> Option<Settled> + Unpin,
    {
        Wait { context: self.clone(), until }
    }

    /// The same in another branch.
    pub(super) fn of_branch(&self, branch: PromiseId) -> Self {
        Self { branch, ..self.clone() }
    }

    /// The same in another scope.
    pub(super) fn of_scope(&self, scope: Scope) -> Self {
        Self { scope, ..self.clone() }
    }

    /// A branch waits for handles and for branches that were begun after it, so that none waits for itself.
    pub(super) fn may_wait_for(&self, promise: PromiseId) -> bool {
        promise > self.branch || self.handle_of(promise).is_some()
    }

    /// Begins a branch, which runs at once until it waits.
    pub(super) fn begin_branch(&self, branch: impl Future<Output = ()> + 'p) {
        let mut branch: Branch<'p> = Box::pin(branch);
        if branch.as_mut().poll(&mut task::Context::from_waker(Waker::noop())) == Poll::Pending {
            self.borrow_mut().begun.push(branch);
        }
    }

    pub(super) fn remember(&self, slot: Slot, promise: PromiseId) {
        self.borrow_mut().slots.insert(slot, promise);
    }

    pub(super) fn remembered(&self, slot: Slot) -> Option<PromiseId> {
        self.borrow().slots.get(&slot).copied()
    }

    pub(super) fn so_far(&self) -> u64 {
        self.borrow().so_far
    }

    pub(super) fn tally(&self, what: &'static str) {
        if let Some(tally) = &mut self.borrow_mut().tally {
            tally.count(what);
        }
    }
}

impl Shared<'_> {
    pub(super) fn note(&mut self, note: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.notes {
            notes.push(note());
        }
    }
}
