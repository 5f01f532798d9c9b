use std::fmt::Debug;

use flovyn_protocol::Payload;
use flovyn_replay::{
    CancelEffect, CreatePromise, Execution, Handle, ROOT, ReplayError, ScheduleTask, Scope, StartChild, WorkflowFailure,
};

use super::{
    context::{Asked, Awaited, Context, Operation, digest},
    interpret::{self, Outcome},
    promises::{Failure, FailureKind, PromiseId},
};
use crate::{
    chance::mix,
    program::{
        DURATIONS_MS, PROMISE_TIMEOUTS_MS, STATE_KEYS, TASKS, TaskLimits, Version, operation_name, patch_id,
        promise_name, signal_name, state_key, task_kind,
    },
};

/// The verbs of the engine, as the function uses them.
impl Context<'_> {
    /// The function has ended.
    pub(super) fn end(&self, outcome: Outcome) {
        self.borrow_mut().has_ended = true;
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
            let TaskLimits { whole_ms, attempt_ms, silence_ms } = TASKS[usize::from(kind)];
            let is_limited = whole_ms.or(attempt_ms).or(silence_ms).is_some();
            execution.schedule_task(ScheduleTask {
                scope,
                kind: task_kind(kind),
                input: json(so_far),
                max_retries: is_limited.then_some(0),
                timeout_ms: whole_ms,
                start_to_close_timeout_ms: attempt_ms,
                heartbeat_timeout_ms: silence_ms,
                ..Default::default()
            })
        })?;
        Ok(self.new_handle(scheduled.map(|scheduled| scheduled.handle), Some(Asked::CancelTask)))
    }

    pub(super) fn timer(&self, duration: u8) -> Result<PromiseId, Failure> {
        let index = self.borrow().timers;
        self.borrow_mut().timers += 1;
        self.ask(Asked::Timer(index));
        let duration_ms = DURATIONS_MS[usize::from(duration)];
        let handle = self.call("timer", |execution, _| execution.start_timer(self.scope, duration_ms))?;
        Ok(self.new_handle(handle, Some(Asked::CancelTimer(index))))
    }

    pub(super) fn promise(&self, name: u8) -> Result<PromiseId, Failure> {
        self.ask(Asked::Promise(name));
        let timeout_ms = PROMISE_TIMEOUTS_MS[usize::from(name)];
        let (scope, name) = (self.scope, promise_name(name));
        let promise = CreatePromise { scope, name, timeout_ms, ..CreatePromise::default() };
        let handle = self.call("promise", |execution, _| execution.create_promise(promise))?;
        Ok(self.new_handle(handle, None))
    }

    pub(super) fn operation(&self, name: u8) -> Result<PromiseId, Failure> {
        let handle =
            self.call("operation", |execution, _| execution.begin_operation(self.scope, &operation_name(name)))?;
        if let Some(handle) = handle {
            let operations = &mut self.borrow_mut().operations;
            let ordinal = operations.values().filter(|operation| operation.name == name).count();
            operations.insert(handle, Operation { name, ordinal });
        }
        Ok(self.new_handle(handle, None))
    }

    pub(super) fn child(&self, function: u8, name: Option<u8>) -> Result<PromiseId, Failure> {
        let (scope, kind) = (self.scope, crate::world::kind(usize::from(function)));
        let name = name.map(|name| format!("child-{name}"));
        let started = self.call("child", |execution, so_far| {
            execution.start_child(StartChild { scope, kind, name, input: json(so_far), ..StartChild::default() })
        })?;
        self.ask(Asked::Child);
        Ok(self.new_handle(started.map(|started| started.handle), Some(Asked::CancelChild)))
    }

    pub(super) fn signal(&self, name: u8) -> Result<PromiseId, Failure> {
        let scope = self.scope;
        let awaited = self.call("signal", |execution, _| execution.wait_for_signal(scope, &signal_name(name)))?;
        let promise = self.new_handle(awaited.as_ref().map(|awaited| awaited.handle), None);
        if let Some(waits) = self.borrow_mut().handles.last_mut().filter(|waits| waits.promise == promise) {
            waits.signal = Some(name);
        }
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

    /// Whether the code takes the new way of a change. What was told stays the same by that alone: the earlier version
    /// did not ask.
    pub(super) fn takes_change(&self, id: u8) -> bool {
        let before = self.so_far();
        let takes = self.borrow().version == Version::Later && self.patched(id).is_ok_and(|patched| patched != 0);
        self.borrow_mut().so_far = before;
        takes
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
        let shared = &mut *self.borrow_mut();
        let scope = shared.execution.open_scope(self.scope, cancellable).unwrap_or(ROOT);
        if scope != ROOT && (!cancellable || shared.shielded.contains(&self.scope)) {
            shared.shielded.insert(scope);
        }
        scope
    }

    pub(super) fn cancel_scope(&self, scope: Scope) -> Result<(), Failure> {
        let handles = self.call("cancel scope", |execution, _| execution.cancel_scope(scope))?;
        for handle in handles.iter().flatten() {
            let asked = self.borrow().handles[*handle as usize - 1].to_cancel;
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
        let asked = self.borrow().handles[handle as usize - 1].to_cancel;
        let before = self.so_far();
        let mut effect = self.call("cancel", |execution, _| execution.cancel(handle, None));
        if self.borrow().is_mixed && asked == Some(Asked::CancelTask) {
            effect = effect.or(Ok(None));
            self.borrow_mut().so_far = before;
        }
        let effect = effect?.unwrap_or(CancelEffect::None);
        if effect != CancelEffect::None {
            asked.into_iter().for_each(|asked| self.ask_once(handle, asked));
        }
        if effect == CancelEffect::Rejected {
            self.cancel_all(&[handle]);
        }
        Ok(())
    }

    pub(super) fn handle_of(&self, promise: PromiseId) -> Option<Handle> {
        let index = self.borrow().handles.binary_search_by_key(&promise, |awaited| awaited.promise).ok()?;
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

    fn new_handle(&self, handle: Option<Handle>, to_cancel: Option<Asked>) -> PromiseId {
        let shared = &mut *self.borrow_mut();
        let promise = shared.promises.create();
        if let Some(handle) = handle {
            shared.handles.push(Awaited { promise, to_cancel, signal: None, scope: self.scope });
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

/// A digest as a value of the wire.
fn json(digest: u64) -> Payload {
    Payload::from_json(digest.to_string()).unwrap()
}
