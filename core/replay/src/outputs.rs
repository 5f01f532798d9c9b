use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::mem;

use flovyn_protocol::messages::WorkflowStatus;

use crate::{
    Execution, Handle, Job, ReplayError, Staged, Step, Submission, Violation,
    codec::{self, SEEN, SIGNALS},
    draft::{Draft, Expected},
    execution::Life,
    history::{Entry, Item},
    machines::Finished,
    phase::Phase,
    signature::Signature,
    slot::Slot,
    wire,
};

/// Outputs: jobs for the code, operations to start, submissions to send.
impl Execution {
    /// Closes the turn, the driver having let it run dry, moves the cursor to the next event that the code must be
    /// told of, and opens a turn for it. `None` when nothing is left to tell; [`next_step`](Self::next_step) says
    /// what to do then.
    ///
    /// Fails with `VIOLATION` where code and history disagree, with `STALE` if the answer to a partial submission
    /// did not have all of its commands, and with `INVALID_HISTORY` without any event.
    pub fn poll_job(&mut self) -> Result<Option<Job>, ReplayError> {
        if !matches!(self.phase, Phase::Loading | Phase::Turn { .. } | Phase::Idle | Phase::Answering(_)) {
            return self.phase.refuse("poll_job");
        }
        let job = self.check_phase().and_then(|()| self.next_job());
        let job = self.stop_on_error(job)?;
        self.phase = if job.is_some() { Phase::Turn { time_ms: None } } else { Phase::Idle };
        Ok(job)
    }

    fn check_phase(&self) -> Result<(), ReplayError> {
        match &self.phase {
            Phase::Loading if self.last_sequence() == 0 => Err(ReplayError::InvalidHistory {
                sequence: 0,
                problem: String::from("expected at least WORKFLOW_STARTED before the first job, got no events"),
            }),
            Phase::Answering(expected) => expected.check_met(self.last_sequence()),
            _ => Ok(()),
        }
    }

    fn next_job(&mut self) -> Result<Option<Job>, ReplayError> {
        if let Life::Ended(_) = self.life {
            self.check_ending()?;
        }
        if !matches!(self.life, Life::Running) {
            return Ok(None);
        }
        while let Some(entry) = self.history.pass() {
            let job = self.pass(entry)?;
            if job.is_some() {
                return Ok(job);
            }
        }
        let settles = !self.info.extended && matches!(self.life, Life::Running);
        Ok(if settles { self.settle_finished() } else { None })
    }

    /// On a server without the extension an operation settles once every job of the history was given; it is
    /// recorded in the same step.
    fn settle_finished(&mut self) -> Option<Job> {
        while let Some(finished) = self.machines.operations.take_recordable() {
            self.record(&finished);
            if self.machines.handles.remove(finished.handle).is_some() {
                return Some(Job::of_operation(finished.handle, finished.result));
            }
        }
        None
    }

    /// Records the result of an operation, and before it what its place in the history needs.
    fn record(&mut self, finished: &Finished) {
        let seen = (!self.info.extended).then(|| self.last_sequence());
        let is_known = if self.info.extended { !self.history.moves_operations() } else { self.seen == seen };
        if !is_known {
            // An extended server puts the event in its place; it only has to be said that this is so again.
            let json = seen.map_or_else(|| "null".to_string(), |seen| seen.to_string());
            self.issued.push(wire::record(SEEN, json));
            match seen {
                Some(_) => self.seen = seen,
                None => self.history.set_seen(None),
            }
        }
        self.issued.push(wire::record(&finished.name, finished.result.as_json().to_string()));
    }

    /// The function has ended, and its last turn has run dry. What the history holds beyond must agree.
    fn check_ending(&mut self) -> Result<(), ReplayError> {
        let Life::Ended(outcome) = &self.life else { return Ok(()) };
        if let Some((sequence, expected)) = self.first_unclaimed().filter(|_| !self.info.tolerant) {
            return Err(Violation::ended_early(sequence, &expected, &outcome.ending()?));
        }
        if let Some((sequence, end)) = self.history.end() {
            let got = outcome.ending()?;
            if !end.is_confirmed_by(&got) {
                return Err(Violation::other_outcome(sequence, end, &got));
            }
            match end.is_of_the_code() {
                true => self.life = Life::Confirmed(outcome.status()),
                false => self.end_by_server(end.status()),
            }
        }
        self.history.clear();
        Ok(())
    }

    /// Whatever the code was about to do, it did not come to it.
    fn end_by_server(&mut self, status: WorkflowStatus) {
        if !self.info.tolerant {
            self.issued.clear();
        }
        self.life = Life::Confirmed(status);
    }

    /// Moves the cursor over one event.
    fn pass(&mut self, Entry { sequence, item }: Entry) -> Result<Option<Job>, ReplayError> {
        Ok(match item {
            Item::Start { input } => Some(self.start(input)),
            Item::Command { lane } => match self.machines.lanes.find(lane, sequence) {
                Some(_) if self.info.tolerant => self.pass_unclaimed(sequence, Some(lane)),
                Some(expected) => return Err(self.unclaimed(sequence, &expected, false)),
                None => None,
            },
            Item::Operation { line, ordinal, .. } if !self.machines.operations.is_claimed(line, ordinal) => {
                if !self.info.tolerant {
                    let expected = self.machines.operations.signature(line);
                    return Err(self.unclaimed(sequence, &expected, true));
                }
                self.pass_unclaimed(sequence, None)
            }
            Item::Cancellation { reason } => self.request_cancellation(reason),
            Item::End(ending) if ending.is_of_the_code() => return Err(Violation::still_waiting(sequence, &ending)),
            Item::End(ending) => {
                self.end_by_server(ending.status());
                None
            }
            Item::Operation { line, ordinal, result } => {
                if self.keeps_commands() {
                    let name = self.machines.operations.name(line).to_string();
                    self.issue(false, || wire::record(&name, result.as_json().to_string()));
                }
                self.machines.settle(Item::Operation { line, ordinal, result })
            }
            item => self.machines.settle(item),
        })
    }

    /// The function is called. Signals that were there from the beginning are told in the same turn.
    fn start(&mut self, input: Slot) -> Job {
        let count = if self.history.has_no_commands() && self.history.end().is_none() {
            *self.first_signals.insert(self.history.leading_signals())
        } else {
            self.machines.signals.recorded
        };
        let mut signals = Vec::new();
        for _ in 0..count {
            let Some(Entry { item, .. }) = self.history.pass_signal() else { break };
            if let Some(Job::Signal { name, value }) = self.machines.settle(item) {
                signals.push((name, value));
            }
        }
        Job::Start { input: input.into_payload(), signals }
    }

    /// The cursor has reached an event that no command has claimed.
    fn unclaimed(&self, sequence: i32, expected: &Signature<'_>, waiting_too: bool) -> ReplayError {
        Violation::no_command(sequence, expected, self.machines.operations.suspect(waiting_too))
    }

    /// The next operation that the code has begun, that the history does not have and that was not started yet:
    /// call its function now. Gives one only when no job is left.
    pub fn poll_operation(&mut self) -> Option<Handle> {
        match self.phase {
            Phase::Idle if !matches!(self.life, Life::Confirmed(_)) => self.machines.operations.start_next(),
            _ => None,
        }
    }

    /// What the driver does when [`poll_job`](Self::poll_job) gave no job.
    pub fn next_step(&self) -> Step {
        let operations = &self.machines.operations;
        if matches!(self.life, Life::Confirmed(_)) {
            Step::SubmitFinal
        } else if operations.has_unstarted() {
            Step::StartOperations
        } else if operations.has_recordable() && matches!(self.life, Life::Running) {
            if self.info.extended { Step::SubmitPartial } else { Step::PollJob }
        } else if operations.has_running() {
            Step::AwaitOperation
        } else {
            Step::SubmitFinal
        }
    }

    /// Fixes the commands of the next submission, a partial one while the code still waits and operations have
    /// finished, and lists their payloads for a codec. Calling it again gives the same.
    ///
    /// Fails with `OUT_OF_ORDER` while [`next_step`](Self::next_step) is not to submit.
    pub fn stage_submission(&mut self) -> Result<Staged, ReplayError> {
        let mut draft = self.take_draft("stage_submission")?;
        let staged = Staged { status: draft.status, payloads: codec::texts(&mut draft.commands) };
        self.phase = Phase::Staged(draft);
        Ok(staged)
    }

    /// Gives the next submission, with the payloads as they were listed by
    /// [`stage_submission`](Self::stage_submission) or, where `encoded` is given, as a codec encoded them. Without a
    /// codec nothing needs to be staged.
    ///
    /// Fails with `OUT_OF_ORDER` while [`next_step`](Self::next_step) is not to submit, and with
    /// `INVALID_ARGUMENT` if the number of payloads differs or one is not JSON.
    pub fn take_submission(&mut self, encoded: Option<Vec<String>>) -> Result<Submission, ReplayError> {
        let mut draft = self.take_draft("take_submission")?;
        if let Some(Err(error)) = encoded.map(|encoded| codec::fill(&mut draft.commands, encoded)) {
            self.phase = Phase::Staged(draft);
            return Err(error);
        }
        draft.number();
        let expected = Expected::of(&draft.commands, self.info.extended);
        self.phase = match draft.status {
            WorkflowStatus::Running => Phase::Answering(expected),
            WorkflowStatus::Suspended => Phase::Closed(Some(expected)),
            _ => Phase::Closed(None),
        };
        self.submissions += 1;
        self.history.shrink();
        self.machines.lanes.shrink();
        (self.first_signals, self.seen) = (None, None);
        let extended = self.info.extended;
        Ok(Submission {
            commands: draft.commands,
            status: draft.status,
            submission_number: if extended { self.submissions } else { 0 },
            after_sequence: if extended { self.last_sequence() } else { 0 },
        })
    }

    fn take_draft(&mut self, call: &'static str) -> Result<Draft, ReplayError> {
        match (mem::replace(&mut self.phase, Phase::Idle), self.next_step()) {
            (Phase::Staged(draft), _) => Ok(draft),
            (Phase::Idle, Step::SubmitPartial | Step::SubmitFinal) => Ok(self.draft()),
            (Phase::Idle, _) => {
                let problem = "operations have to be started or settled, or are running: ask next_step";
                Err(ReplayError::OutOfOrder { call, problem })
            }
            (phase, _) => {
                self.phase = phase;
                self.phase.refuse(call)
            }
        }
    }

    fn draft(&mut self) -> Draft {
        let partial = self.next_step() == Step::SubmitPartial;
        while let Some(finished) = self.machines.operations.take_recordable() {
            self.record(&finished);
        }
        let mut commands = mem::take(&mut self.issued);
        let status = match &self.life {
            Life::Running if partial => WorkflowStatus::Running,
            Life::Running => WorkflowStatus::Suspended,
            Life::Confirmed(status) => *status,
            Life::Ended(outcome) => outcome.status(),
        };
        // A first activation that leaves no command event would be taken for the first again.
        let count = self.first_signals.unwrap_or_default();
        let needs_mark = commands.is_empty() && status == WorkflowStatus::Suspended;
        if self.first_signals.is_some() && (count > 0 || needs_mark) {
            commands.insert(0, wire::record(SIGNALS, count.to_string()));
        }
        if let Life::Ended(outcome) = &self.life {
            commands.push(outcome.command());
        }
        Draft { commands, status }
    }
}
