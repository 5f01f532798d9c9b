use std::{
    cell::{Ref, RefCell, RefMut},
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    rc::Rc,
    task::{self, Poll, Waker},
};

use flovyn_protocol::Payload;
use flovyn_replay::{CreatePromise, Execution, Handle, Job, Rejection, ReplayError, ScheduleTask, WorkflowFailure};

use super::{
    Branch,
    interpret::{self, Outcome},
    promises::{Failure, FailureKind, PromiseId, Promises, Settled, Wait},
};
use crate::{
    chance::mix,
    program::{
        DURATIONS_MS, PROMISE_TIMEOUTS_MS, STATE_KEYS, Slot, operation_name, promise_name, state_key, task_kind,
    },
    report::Tally,
};

/// What a function holds on to: the verbs of its execution and the promises of their handles.
#[derive(Clone)]
pub(crate) struct Context<'p> {
    shared: Rc<RefCell<Shared<'p>>>,
    /// The branch that has it.
    branch: PromiseId,
}

pub(crate) struct Shared<'p> {
    pub(super) execution: Execution,
    pub(super) promises: Promises,
    /// The promise of each handle; handles are numbered from 1.
    handles: Vec<PromiseId>,
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
            fatal: None,
            notes: None,
            tally: None,
        }));
        Self { shared, branch }
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
        let promise = self.borrow().handles[handle as usize - 1];
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

    /// A branch waits for handles and for branches that were begun after it, so that none waits for itself.
    pub(super) fn may_wait_for(&self, promise: PromiseId) -> bool {
        promise > self.branch || self.borrow().handles.contains(&promise)
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
        let scheduled = self.call("task", |execution, so_far| {
            execution.schedule_task(ScheduleTask { kind: task_kind(kind), input: json(so_far), ..Default::default() })
        })?;
        Ok(self.promise_of(scheduled.map(|scheduled| scheduled.handle)))
    }

    pub(super) fn timer(&self, duration: u8) -> Result<PromiseId, Failure> {
        let index = self.borrow().timers;
        self.borrow_mut().timers += 1;
        self.ask(Asked::Timer(index));
        let duration_ms = DURATIONS_MS[usize::from(duration)];
        let handle = self.call("timer", |execution, _| execution.start_timer(0, duration_ms))?;
        Ok(self.promise_of(handle))
    }

    pub(super) fn promise(&self, name: u8) -> Result<PromiseId, Failure> {
        self.ask(Asked::Promise(name));
        let timeout_ms = PROMISE_TIMEOUTS_MS[usize::from(name)];
        let promise = CreatePromise { name: promise_name(name), timeout_ms, ..CreatePromise::default() };
        let handle = self.call("promise", |execution, _| execution.create_promise(promise))?;
        Ok(self.promise_of(handle))
    }

    pub(super) fn operation(&self, name: u8) -> Result<PromiseId, Failure> {
        let handle = self.call("operation", |execution, _| execution.begin_operation(0, &operation_name(name)))?;
        if let Some(handle) = handle {
            let operations = &mut self.borrow_mut().operations;
            let ordinal = operations.values().filter(|operation| operation.name == name).count();
            operations.insert(handle, Operation { name, ordinal });
        }
        Ok(self.promise_of(handle))
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

    fn promise_of(&self, handle: Option<Handle>) -> PromiseId {
        let shared = &mut *self.borrow_mut();
        let promise = shared.promises.create();
        if let Some(handle) = handle {
            shared.handles.push(promise);
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
