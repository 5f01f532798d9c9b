use alloc::{string::String, vec::Vec};
use core::mem;

use flovyn_protocol::messages::WorkflowStatus;

use crate::{
    Execution, Handle, Job, ReplayError, Staged, Step, Submission, Violation, codec,
    draft::{Draft, Expected},
    execution::Life,
    history::{Entry, Item},
    machines::LaneId,
    phase::Phase,
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
        Ok(None)
    }

    /// The function has ended, and its last turn has run dry. What the history holds beyond must agree.
    fn check_ending(&mut self) -> Result<(), ReplayError> {
        let Life::Ended(outcome) = &self.life else { return Ok(()) };
        if let Some((sequence, expected)) = self.first_unclaimed() {
            return Err(Violation::ended_early(sequence, &expected, &outcome.ending()?));
        }
        if let Some((sequence, end)) = self.history.end() {
            let got = outcome.ending()?;
            if *end != got {
                return Err(Violation::other_outcome(sequence, end, &got));
            }
            self.life = Life::Confirmed(outcome.status());
        }
        self.history.clear();
        Ok(())
    }

    /// Moves the cursor over one event.
    fn pass(&mut self, Entry { sequence, item }: Entry) -> Result<Option<Job>, ReplayError> {
        Ok(match item {
            Item::Start { input } => Some(Job::Start { input: input.into_payload() }),
            Item::Command { lane, ordinal } => self.pass_command(lane, ordinal)?,
            Item::Operation { line, ordinal, .. } if !self.machines.operations.is_claimed(line, ordinal) => {
                let operations = &self.machines.operations;
                let suspect = operations.suspect(true);
                return Err(Violation::no_command(sequence, &operations.signature(line), suspect.as_ref()));
            }
            Item::Operation { line, result, .. } => {
                let handle = self.machines.operations.settle(line);
                handle.map(|handle| Job::of_operation(handle, result.into_payload()))
            }
            Item::Task { task_execution_id, end } => self.machines.tasks.settle(task_execution_id, end),
            Item::Timer { timer_id } => self.machines.timers.fire(&timer_id),
            Item::Promise { promise_id, end } => self.machines.promises.settle(promise_id, end),
            Item::End(ending) => return Err(Violation::still_waiting(sequence, &ending)),
        })
    }

    fn pass_command(&self, lane: LaneId, ordinal: u32) -> Result<Option<Job>, ReplayError> {
        match self.machines.front(lane) {
            Some((sequence, expected)) if !self.machines.is_claimed(lane, ordinal) => {
                let suspect = self.machines.operations.suspect(false);
                Err(Violation::no_command(sequence, &expected, suspect.as_ref()))
            }
            _ => Ok(None),
        }
    }

    /// The next operation that the code has begun, that the history does not have and that was not started yet:
    /// call its function now. Gives one only when no job is left.
    pub fn poll_operation(&mut self) -> Option<Handle> {
        match self.phase {
            Phase::Idle => self.machines.operations.start_next(),
            _ => None,
        }
    }

    /// What the driver does when [`poll_job`](Self::poll_job) gave no job.
    pub fn next_step(&self) -> Step {
        let operations = &self.machines.operations;
        if operations.has_unstarted() {
            Step::StartOperations
        } else if operations.has_recordable() && matches!(self.life, Life::Running) {
            Step::SubmitPartial
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
        self.phase = match draft.status {
            WorkflowStatus::Running => Phase::Answering(Expected::of(&draft.commands)),
            _ => Phase::Closed,
        };
        self.submissions += 1;
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
                let problem = "operations have to be started, or are running: ask next_step";
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
        let mut commands = mem::take(&mut self.issued);
        let finished = self.machines.operations.take_recordable();
        commands.extend(finished.map(|operation| wire::record_operation(operation.name, &operation.result)));
        let status = match &self.life {
            Life::Running if partial => WorkflowStatus::Running,
            Life::Running => WorkflowStatus::Suspended,
            Life::Confirmed(status) => *status,
            Life::Ended(outcome) => {
                commands.push(outcome.command());
                outcome.status()
            }
        };
        Draft { commands, status }
    }
}
