use std::{
    cell::{Ref, RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    future::Future,
    rc::Rc,
    task::{self, Poll, Waker},
};

use flovyn_protocol::Payload;
use flovyn_replay::{
    CancelEffect, CreatePromise, Execution, Handle, Job, ROOT, Rejection, ReplayError, ScheduleTask, Scope, StartChild,
    WorkflowFailure,
};

use super::{
    Branch,
    interpret::{self, Outcome},
    promises::{Failure, FailureKind, PromiseId, Promises, Settled, Wait},
};
use crate::{
    chance::mix,
    program::{
        DURATIONS_MS, PROMISE_TIMEOUTS_MS, STATE_KEYS, Slot, operation_name, patch_id, promise_name, signal_name,
        state_key, task_kind,
    },
    report::Tally,
};

/// What a function holds on to: the verbs of its execution and the promises of their handles.
#[derive(Clone)]
pub(crate) struct Context<'p> {
    shared: Rc<RefCell<Shared<'p>>>,
    /// The branch that has it.
    branch: PromiseId,
    /// The scope of what it asks for.
    scope: Scope,
}

pub(crate) struct Shared<'p> {
    pub(super) execution: Execution,
    pub(super) promises: Promises,
    /// The promise of each handle and what is asked for to cancel it; handles are numbered from 1.
    handles: Vec<(PromiseId, Option<Asked>)>,
    slots: BTreeMap<Slot, PromiseId>,
    pub(super) begun: Vec<Branch<'p>>,
    pub(super) progress: bool,
    /// A digest of all that the function was told and given. Commands carry it, so that whoever was told something
    /// else asks for something else.
    so_far: u64,
    pub(super) log: Vec<u64>,
    pub(super) asked: Vec<Asked>,
    has_read_time: bool,
    pub(super) operations: BTreeMap<Handle, Operation>,
    timers: u32,
    /// Of these the end was asked for.
    cancelled: BTreeSet<Handle>,
    patches: BTreeSet<u8>,
    fatal: Option<ReplayError>,
    pub(super) notes: Option<Vec<String>>,
    pub(super) tally: Option<Tally>,
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
    pub(super) fn new(execution: Execution) -> Self {
        let mut promises = Promises::default();
        let branch = promises.create();
        let shared = Rc::new(RefCell::new(Shared {
            execution,
            promises,
            handles: Vec::new(),
            slots: BTreeMap::new(),
            begun: Vec::new(),
            progress: false,
            so_far: 0,
            log: Vec::new(),
            asked: Vec::new(),
            has_read_time: false,
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
        let (promise, _) = self.borrow().handles[handle as usize - 1];
        assert!(self.settle_promise(promise, settled), "handle {handle} is settled twice");
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

    /// The function has ended.
    pub(super) fn end(&self, outcome: Outcome) {
        let result = match interpret::settled(outcome) {
            Ok(value) => self.call("complete", |execution, _| execution.complete(json(value))),
            Err(Failure { kind: FailureKind::Cancelled, digest }) => {
                self.call("end as cancelled", |execution, _| execution.complete_cancelled(digest.to_string()))
            }
            Err(failure) => {
                let failure = WorkflowFailure {
                    error: format!("{:?} {}", failure.kind, failure.digest),
                    stack_trace: String::new(),
                    failure_type: "CODE_BUG".to_string(),
                };
                self.call("fail", |execution, _| execution.fail(failure))
            }
        };
        assert!(result.is_ok(), "the end was refused");
    }

    pub(super) fn task(&self, kind: u8) -> Result<PromiseId, Failure> {
        self.ask(Asked::Task(kind));
        let scope = self.scope;
        let scheduled = self.call("task", |execution, so_far| {
            let (kind, input) = (task_kind(kind), json(so_far));
            execution.schedule_task(ScheduleTask { scope, kind, input, ..Default::default() })
        })?;
        Ok(self.promise_of(scheduled.map(|scheduled| scheduled.handle), Some(Asked::CancelTask)))
    }

    pub(super) fn timer(&self, duration: u8) -> Result<PromiseId, Failure> {
        let index = self.borrow().timers;
        self.borrow_mut().timers += 1;
        self.ask(Asked::Timer(index));
        let duration_ms = DURATIONS_MS[usize::from(duration)];
        let handle = self.call("timer", |execution, _| execution.start_timer(self.scope, duration_ms))?;
        Ok(self.promise_of(handle, Some(Asked::CancelTimer(index))))
    }

    pub(super) fn promise(&self, name: u8) -> Result<PromiseId, Failure> {
        self.ask(Asked::Promise(name));
        let timeout_ms = PROMISE_TIMEOUTS_MS[usize::from(name)];
        let (scope, name) = (self.scope, promise_name(name));
        let promise = CreatePromise { scope, name, timeout_ms, ..CreatePromise::default() };
        let handle = self.call("promise", |execution, _| execution.create_promise(promise))?;
        Ok(self.promise_of(handle, None))
    }

    pub(super) fn operation(&self, name: u8) -> Result<PromiseId, Failure> {
        let handle =
            self.call("operation", |execution, _| execution.begin_operation(self.scope, &operation_name(name)))?;
        if let Some(handle) = handle {
            let operations = &mut self.borrow_mut().operations;
            let ordinal = operations.values().filter(|operation| operation.name == name).count();
            operations.insert(handle, Operation { name, ordinal });
        }
        Ok(self.promise_of(handle, None))
    }

    pub(super) fn child(&self, function: u8, name: Option<u8>) -> Result<PromiseId, Failure> {
        let (scope, kind) = (self.scope, crate::world::kind(usize::from(function)));
        let name = name.map(|name| format!("child-{name}"));
        let started = self.call("child", |execution, so_far| {
            execution.start_child(StartChild { scope, kind, name, input: json(so_far), ..StartChild::default() })
        })?;
        self.ask(Asked::Child);
        Ok(self.promise_of(started.map(|started| started.handle), Some(Asked::CancelChild)))
    }

    pub(super) fn signal(&self, name: u8) -> Result<PromiseId, Failure> {
        let scope = self.scope;
        let awaited = self.call("signal", |execution, _| execution.wait_for_signal(scope, &signal_name(name)))?;
        let promise = self.promise_of(awaited.as_ref().map(|awaited| awaited.handle), None);
        if let Some(value) = awaited.and_then(|awaited| awaited.value) {
            self.settle_promise(promise, Ok(digest(value.as_json())));
        }
        Ok(promise)
    }

    pub(super) fn has_signal(&self, name: u8) -> Result<u64, Failure> {
        let has = self.call("has signal", |execution, _| execution.has_signal(&signal_name(name)))?;
        Ok(u64::from(has.unwrap_or_default()))
    }

    pub(super) fn count_signals(&self, name: u8) -> Result<u64, Failure> {
        let count = self.call("count signals", |execution, _| execution.pending_signal_count(&signal_name(name)))?;
        Ok(count.unwrap_or_default() as u64)
    }

    pub(super) fn drain(&self, name: u8) -> Result<u64, Failure> {
        let drained = self.call("drain", |execution, _| execution.drain_signals(&signal_name(name)))?;
        Ok(drained.unwrap_or_default().iter().fold(0, |all, value| mix(all ^ digest(value.as_json()))))
    }

    pub(super) fn patched(&self, id: u8) -> Result<u64, Failure> {
        let patched = self.call("patched", |execution, _| execution.patched(&patch_id(id)))?;
        let patched = patched.unwrap_or_default();
        if patched {
            self.ask_patch(id);
        }
        Ok(u64::from(patched))
    }

    pub(super) fn deprecate_patch(&self, id: u8) -> Result<u64, Failure> {
        self.call("deprecate patch", |execution, _| execution.deprecate_patch(&patch_id(id)))?;
        self.ask_patch(id);
        Ok(0)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.tally("is cancelled");
        self.borrow().execution.is_cancellation_requested()
    }

    pub(super) fn open_scope(&self, cancellable: bool) -> Scope {
        self.borrow_mut().execution.open_scope(self.scope, cancellable).unwrap_or(ROOT)
    }

    pub(super) fn cancel_scope(&self, scope: Scope) -> Result<(), Failure> {
        let handles = self.call("cancel scope", |execution, _| execution.cancel_scope(scope))?;
        for handle in handles.iter().flatten() {
            let (_, asked) = self.borrow().handles[*handle as usize - 1];
            asked.into_iter().for_each(|asked| self.ask_once(*handle, asked));
        }
        self.cancel_all(&handles.unwrap_or_default());
        Ok(())
    }

    /// Rejects these handles as cancelled.
    pub(super) fn cancel_all(&self, handles: &[Handle]) {
        for handle in handles {
            self.settle(*handle, Err(Failure { kind: FailureKind::Cancelled, digest: 0 }));
        }
    }

    /// Cancels what a promise stands for, if that is a handle.
    pub(super) fn cancel(&self, promise: PromiseId) -> Result<(), Failure> {
        let Some(handle) = self.handle_of(promise) else { return Ok(()) };
        let (_, asked) = self.borrow().handles[handle as usize - 1];
        let effect = self.call("cancel", |execution, _| execution.cancel(handle, None))?.unwrap_or(CancelEffect::None);
        if effect != CancelEffect::None {
            asked.into_iter().for_each(|asked| self.ask_once(handle, asked));
        }
        if effect == CancelEffect::Rejected {
            self.cancel_all(&[handle]);
        }
        Ok(())
    }

    fn handle_of(&self, promise: PromiseId) -> Option<Handle> {
        let index = self.borrow().handles.binary_search_by_key(&promise, |(promise, _)| *promise).ok()?;
        Some(index as Handle + 1)
    }

    /// Of each handle the end is asked for once.
    fn ask_once(&self, handle: Handle, asked: Asked) {
        if self.borrow_mut().cancelled.insert(handle) {
            self.ask(asked);
        }
    }

    fn ask_patch(&self, id: u8) {
        if self.borrow_mut().patches.insert(id) {
            self.ask(Asked::Patch(id));
        }
    }

    pub(super) fn set(&self, key: u8) -> Result<u64, Failure> {
        self.ask(Asked::Set(key));
        self.call("set", |execution, so_far| execution.set_state(&state_key(key), json(so_far)))?;
        Ok(self.so_far())
    }

    pub(super) fn clear(&self, key: u8) -> Result<u64, Failure> {
        self.ask(Asked::Clear(key));
        self.call("clear", |execution, _| execution.clear_state(&state_key(key)))?;
        Ok(0)
    }

    pub(super) fn clear_all(&self) -> Result<u64, Failure> {
        for key in 0..STATE_KEYS {
            if self.borrow().execution.state(&state_key(key)).is_ok_and(|value| value.is_some()) {
                self.ask(Asked::Clear(key));
            }
        }
        self.call("clear all", |execution, _| execution.clear_all_state())?;
        Ok(0)
    }

    pub(super) fn get(&self, key: u8) -> Result<u64, Failure> {
        let value = self.call("get", |execution, _| execution.state(&state_key(key)).map(|value| value.cloned()))?;
        Ok(value.flatten().map_or(0, |value| digest(value.as_json())))
    }

    pub(super) fn time(&self) -> Result<u64, Failure> {
        if !self.borrow().has_read_time {
            self.ask(Asked::Time);
            self.borrow_mut().has_read_time = true;
        }
        Ok(self.call("time", |execution, _| execution.current_time_ms())?.unwrap_or_default() as u64)
    }

    pub(super) fn random(&self) -> Result<u64, Failure> {
        Ok(self.call("random", |execution, _| execution.random())?.unwrap_or_default().to_bits())
    }

    pub(super) fn uuid(&self) -> Result<u64, Failure> {
        Ok(digest(&self.call("uuid", |execution, _| execution.random_uuid())?.unwrap_or_default()))
    }

    fn ask(&self, asked: Asked) {
        self.borrow_mut().asked.push(asked);
    }

    fn promise_of(&self, handle: Option<Handle>, to_cancel: Option<Asked>) -> PromiseId {
        let shared = &mut *self.borrow_mut();
        let promise = shared.promises.create();
        if let Some(handle) = handle {
            shared.handles.push((promise, to_cancel));
            assert_eq!(shared.handles.len(), handle as usize, "handles are numbered from 1 in creation order");
        }
        promise
    }

    /// Calls a verb. What it gives becomes part of all that follows; a refusal can be caught; after a fatal error
    /// nothing is given any more.
    fn call<T: Debug>(
        &self,
        verb: &'static str,
        call: impl FnOnce(&mut Execution, u64) -> Result<T, ReplayError>,
    ) -> Result<Option<T>, Failure> {
        self.tally(verb);
        let shared = &mut *self.borrow_mut();
        let so_far = shared.so_far;
        match call(&mut shared.execution, so_far) {
            Ok(given) => {
                let text = format!("{given:?}");
                shared.so_far = mix(so_far ^ digest(&text));
                shared.note(|| format!("  {verb} gives {text}"));
                Ok(Some(given))
            }
            Err(ReplayError::InvalidArgument { .. } | ReplayError::Unsupported { .. }) => {
                shared.note(|| format!("  {verb} is refused"));
                Err(Failure { kind: FailureKind::Refused, digest: 0 })
            }
            Err(error) => {
                shared.note(|| format!("  {verb} fails: {error}"));
                shared.fatal.get_or_insert(error);
                Ok(None)
            }
        }
    }
}

impl Shared<'_> {
    fn note(&mut self, note: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.notes {
            notes.push(note());
        }
    }
}

/// A digest as a value of the wire.
fn json(digest: u64) -> Payload {
    Payload::from_json(digest.to_string()).unwrap()
}
