use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    CancelEffect, Execution, Handle, Job, ROOT, ReplayError, Scope, codec::CANCEL_PREFIX, handles::Awaited,
    lane::LaneId, signature::Signature, wire,
};

/// What a task or child is told that its workflow cancels without a reason.
const REASON: &str = "cancelled by the workflow";

/// Cancellation: of the whole execution from outside, of a scope and of a handle by the code.
impl Execution {
    /// Opens a scope inside another one. It is cancelled with that one unless it is not `cancellable`.
    pub fn open_scope(&mut self, parent: Scope, cancellable: bool) -> Result<Scope, ReplayError> {
        self.check_verb("open_scope", parent)?;
        Ok(self.machines.scopes.open(parent, cancellable, self.counters.last_handle()))
    }

    /// Cancels what a scope waits for, the scopes inside it included: gives the handles to reject now, in creation
    /// order. Their timers, tasks and children are told to stop; operations run on and are recorded, and those that
    /// run are to be told. What the scope begins after that is not cancelled.
    pub fn cancel_scope(&mut self, scope: Scope) -> Result<Vec<Handle>, ReplayError> {
        self.check_verb("cancel_scope", scope)?;
        let handles = self.reached(scope);
        for handle in &handles {
            match self.machines.forget(*handle) {
                Some(Awaited::Timer { timer_id }) => self.cancel_timer(timer_id)?,
                Some(Awaited::Task { task_execution_id, asked: false, .. }) => {
                    self.cancel_task(task_execution_id, None)?;
                }
                Some(Awaited::Child { name, child_execution_id, asked: false, .. }) => {
                    self.cancel_child(name, child_execution_id, None)?;
                }
                _ => {}
            }
        }
        Ok(handles)
    }

    /// Cancels one handle; the effect says what is to be done with it. There is at most one cancel command for each;
    /// a task or child is told the reason.
    ///
    /// Fails with `UNSUPPORTED` for a task on a server without the extension, and in a replay where it did so then.
    pub fn cancel(&mut self, handle: Handle, reason: Option<&str>) -> Result<CancelEffect, ReplayError> {
        self.check_turn("cancel")?;
        match self.machines.handles.get_mut(handle) {
            None => return Ok(CancelEffect::None),
            Some(Awaited::Task { asked: true, .. } | Awaited::Child { asked: true, .. }) => {
                return Ok(CancelEffect::None);
            }
            Some(Awaited::Task { task_execution_id, .. }) => {
                let id = task_execution_id.clone();
                return self.cancel_task_of(handle, id, reason);
            }
            Some(Awaited::Child { name, child_execution_id, asked, .. }) => {
                *asked = true;
                let (name, id) = (name.clone(), child_execution_id.clone());
                self.cancel_child(name, id, reason)?;
                return Ok(CancelEffect::Requested);
            }
            Some(_) => {}
        }
        if let Some(Awaited::Timer { timer_id }) = self.machines.forget(handle) {
            self.cancel_timer(timer_id)?;
        }
        Ok(CancelEffect::Rejected)
    }

    /// Somebody has asked that the execution ends as cancelled.
    pub fn is_cancellation_requested(&self) -> bool {
        self.cancellation.is_some()
    }

    /// What was said with that request.
    pub fn cancellation_reason(&self) -> Option<&str> {
        self.cancellation.as_deref()
    }

    /// The request has come, at the cursor: a second one says nothing new.
    pub(crate) fn request_cancellation(&mut self, reason: String) -> Option<Job> {
        if self.cancellation.is_some() {
            return None;
        }
        let handles = self.reached(ROOT);
        for handle in &handles {
            self.machines.forget(*handle);
        }
        self.cancellation = Some(reason.clone());
        Some(Job::Cancel { reason, handles })
    }

    /// The pending handles that are cancelled with a scope.
    fn reached(&self, scope: Scope) -> Vec<Handle> {
        let reach = self.machines.scopes.reach(scope);
        let pending = self.machines.handles.scopes_from(reach.first_handle);
        pending.filter(|(_, scope)| reach.contains(*scope)).map(|(handle, _)| handle).collect()
    }

    fn cancel_timer(&mut self, timer_id: String) -> Result<(), ReplayError> {
        let claimed = self.claim(LaneId::TimerCancellation, &Signature::TimerCancellation { id: &timer_id })?;
        self.issue(claimed.is_none(), || wire::cancel_timer(timer_id));
        Ok(())
    }

    fn cancel_task_of(
        &mut self,
        handle: Handle,
        id: String,
        reason: Option<&str>,
    ) -> Result<CancelEffect, ReplayError> {
        let has_asked = self.cancel_task(id, reason)?;
        match self.machines.handles.get_mut(handle) {
            Some(Awaited::Task { asked, .. }) if has_asked => {
                *asked = true;
                Ok(CancelEffect::Requested)
            }
            // Where the code was before and there is no event, this is what it was told then.
            _ => {
                let what = "cancelling a task on a server that has not announced flovyn-ext, or had not when the code \
                            was here first; cancel the workflow, or stop waiting for the task";
                Err(ReplayError::Unsupported { what: what.to_string() })
            }
        }
    }

    /// Asks that a task stops, where somebody can be asked; says whether.
    ///
    /// Parts of a history may be written on servers that do not know the request. So its event is found by the task
    /// and not by its place, and where the code was before and there is none, nobody was asked.
    fn cancel_task(&mut self, id: String, reason: Option<&str>) -> Result<bool, ReplayError> {
        let got = Signature::TaskCancellation { id: &id };
        if self.info.tolerant {
            // Another SDK leaves no event of the request.
            self.claim(LaneId::TaskCancellation, &got)?;
            self.issue(false, || wire::cancel_task(id, reason.unwrap_or(REASON)));
            return Ok(true);
        }
        let place = self.machines.lanes.unclaimed_of(LaneId::TaskCancellation).position(|(_, event)| event == got);
        if let Some(place) = place {
            self.machines.lanes.take(LaneId::TaskCancellation, place);
            return Ok(true);
        }
        if !self.info.extended || self.is_replaying() || self.history.end().is_some() {
            return Ok(false);
        }
        self.machines.lanes.issue(LaneId::TaskCancellation);
        self.issue(true, || wire::cancel_task(id, reason.unwrap_or(REASON)));
        Ok(true)
    }

    /// A server without the extension may leave no event of the request, so a record of our own is made there.
    fn cancel_child(&mut self, name: String, id: String, reason: Option<&str>) -> Result<(), ReplayError> {
        let got = Signature::ChildCancellation { name: &name };
        if self.machines.children.is_asked(&name) {
            // Where the extension is known now, an event that came before the record was taken for a command's.
            if self.machines.lanes.front(LaneId::ChildCancellation).is_some_and(|(_, event)| event == got) {
                self.machines.lanes.take(LaneId::ChildCancellation, 0);
            }
            return Ok(());
        }
        if self.info.extended || self.info.tolerant {
            let claimed = self.claim(LaneId::ChildCancellation, &got)?;
            self.issue(claimed.is_none(), || wire::cancel_child(name, id, reason.unwrap_or(REASON)));
            return Ok(());
        }
        let checked = self.check_new(&got);
        self.stop_on_error(checked)?;
        self.machines.children.asked(&name);
        let record = wire::record(&format!("{CANCEL_PREFIX}{name}"), "true".into());
        self.issued.push(wire::cancel_child(name, id, reason.unwrap_or(REASON)));
        self.issued.push(record);
        Ok(())
    }
}
