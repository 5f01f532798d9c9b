use std::collections::{BTreeMap, BTreeSet};

use flovyn_protocol::{Payload, messages::WorkflowStatus};
use flovyn_replay::{Execution, ExecutionInfo, Handle, Job, OperationError, Rejection, Resumption, Step, Submission};

use crate::{
    chance::Chance,
    code::{Code, HANDLED},
    program::Program,
    server::Server,
};

/// A program that runs on a server, activation by activation, every time from its history.
pub(crate) struct Run<'a> {
    program: &'a Program,
    pub(crate) server: Server,
    chance: Chance,
    time_ms: i64,
    /// Effects of operations so far: each call gives another result, so a repeated one would be seen.
    effects: u64,
    /// The effects that each operation has had, by name and number.
    effects_of: BTreeMap<(String, usize), BTreeSet<u64>>,
    /// The turns whose commands were applied.
    durable: Vec<String>,
    /// After each applied submission: events in the history, and turns that are durable.
    boundaries: Vec<(usize, usize)>,
    waits: bool,
    extended: bool,
    /// The execution that was suspended last, kept in memory.
    kept: Option<Activation<'a>>,
    continued: usize,
    partial: usize,
    crashed_before: usize,
    crashed_after: usize,
    finished_in_a_turn: usize,
}

/// One activation of the worker.
pub(crate) struct Activation<'a> {
    execution: Execution,
    code: Code<'a>,
    running: Vec<Handle>,
    /// Only the new events were told to it.
    is_continued: bool,
    /// No operation was run in it.
    is_pure: bool,
}

enum Next {
    Goes,
    Suspends,
    Stops,
}

impl<'a> Run<'a> {
    pub(crate) fn new(program: &'a Program, mut chance: Chance) -> Self {
        let extended = !chance.one_in(3);
        let server = Server::new(Chance::new(chance.below(usize::MAX) as u64), extended);
        let (time_ms, effects, partial, crashed_before, crashed_after) = (1000, 0, 0, 0, 0);
        let (durable, boundaries) = (Vec::new(), Vec::new());
        let (waits, finished_in_a_turn) = (false, 0);
        Self {
            program,
            server,
            chance,
            time_ms,
            effects,
            effects_of: BTreeMap::new(),
            durable,
            boundaries,
            waits,
            extended,
            kept: None,
            continued: 0,
            partial,
            crashed_before,
            crashed_after,
            finished_in_a_turn,
        }
    }

    /// The execution has ended, or waits for nothing that could still happen.
    pub(crate) fn is_over(&self) -> bool {
        self.server.ended || (self.waits && !self.server.has_pending())
    }

    pub(crate) fn counts(&self) -> [(&'static str, usize); 10] {
        [
            ("turns", self.durable.len()),
            ("partial", self.partial),
            ("landed", self.server.landed),
            ("signals", self.server.signals),
            ("cancels", self.server.cancels),
            ("continued", self.continued),
            ("crash before", self.crashed_before),
            ("crash after", self.crashed_after),
            ("finished in a turn", self.finished_in_a_turn),
            ("completed", usize::from(self.server.ended)),
        ]
    }

    /// Claims the execution and drives it until it waits, ends or the worker is killed.
    pub(crate) fn activation(&mut self) {
        self.time_ms += 1000;
        self.waits = false;
        let kept = self.kept.take();
        let mut activation = match kept {
            Some(kept) if !self.chance.one_in(3) => self.go_on(kept),
            _ => self.open(self.server.history.len()),
        };
        let next = loop {
            match self.step(&mut activation) {
                Next::Goes => {}
                next => break next,
            }
        };
        let log = &activation.code.log;
        let agreed = log.len().min(self.durable.len());
        assert_eq!(log[..agreed], self.durable[..agreed], "the replay took another way");
        if let Next::Suspends = next {
            self.kept = Some(activation);
        }
    }

    /// Continues an execution that was kept, with the new events.
    fn go_on(&mut self, mut kept: Activation<'a>) -> Activation<'a> {
        let resumption = Resumption { task_time_ms: self.time_ms, extended: self.extended };
        kept.execution.resume(resumption).unwrap();
        let held = kept.execution.last_sequence() as usize;
        let page = 1 + self.chance.below(5);
        for page in self.server.history[held..].chunks(page) {
            kept.execution.handle_events(page).unwrap();
        }
        self.continued += 1;
        Activation { is_continued: true, is_pure: true, ..kept }
    }

    fn open(&mut self, events: usize) -> Activation<'a> {
        let execution_id = "11111111-2222-4333-8444-555555555555".to_string();
        let (kind, task_time_ms) = ("random".to_string(), self.time_ms);
        let info = ExecutionInfo { execution_id, kind, task_time_ms, extended: self.extended, tolerant: false };
        let mut execution = Execution::new(info).unwrap();
        execution.set_signal_handlers([HANDLED]).unwrap();
        let page = 1 + self.chance.below(10);
        for page in self.server.history[..events].chunks(page) {
            execution.handle_events(page).unwrap();
        }
        Activation { execution, code: Code::new(self.program), running: Vec::new(), is_continued: false, is_pure: true }
    }

    fn step(&mut self, activation: &mut Activation<'_>) -> Next {
        self.run_dry(activation);
        while let Some(handle) = activation.execution.poll_operation() {
            let operation = &activation.code.operations[&handle];
            assert!(!self.server.is_recorded(operation), "{operation:?} has a record and is executed again");
            activation.running.push(handle);
            activation.is_pure = false;
        }
        match activation.execution.next_step() {
            Step::StartOperations => panic!("everything was started"),
            Step::PollJob => {}
            Step::AwaitOperation => self.finish_one(activation),
            Step::SubmitPartial | Step::SubmitFinal => return self.submit(activation),
        }
        Next::Goes
    }

    fn run_dry(&mut self, activation: &mut Activation<'_>) {
        while let Some(job) = activation.execution.poll_job().unwrap() {
            self.check_effect(activation, &job);
            activation.code.turn(&mut activation.execution, &job).unwrap();
            if !activation.running.is_empty() && self.chance.one_in(2) {
                self.finish_one(activation);
                self.finished_in_a_turn += 1;
            }
        }
    }

    /// What settles an operation is what that very operation gave, in this activation or in an earlier one.
    fn check_effect(&self, activation: &Activation<'_>, job: &Job) {
        let (handle, effect) = match job {
            Job::Resolve { handle, value } => (handle, value.as_json().to_string()),
            Job::Reject { handle, rejection: Rejection::OperationFailed(error) } => (handle, error.message.clone()),
            _ => return,
        };
        let Some(operation) = activation.code.operations.get(handle) else { return };
        let effect = effect.trim_start_matches("effect ").parse().unwrap();
        assert!(self.effects_of[operation].contains(&effect), "{operation:?} did not give {effect}");
    }

    fn finish_one(&mut self, activation: &mut Activation<'_>) {
        let Some(handle) = self.chance.take(&mut activation.running) else { return };
        self.effects += 1;
        let operation = activation.code.operations[&handle].clone();
        self.effects_of.entry(operation).or_default().insert(self.effects);
        let result = if self.chance.one_in(4) {
            let (name, message) = ("Error".to_string(), format!("effect {}", self.effects));
            Err(OperationError { name, message, stack: None, retryable: None })
        } else {
            Ok(Payload::from_json(self.effects.to_string()).unwrap())
        };
        activation.execution.handle_operation_result(handle, result).unwrap();
    }

    fn submit(&mut self, activation: &mut Activation<'_>) -> Next {
        while self.chance.one_in(3) {
            self.finish_one(activation);
        }
        if activation.execution.next_step() == Step::PollJob {
            return Next::Goes;
        }
        let held = activation.execution.last_sequence() as usize;
        let submission = activation.execution.take_submission(None).unwrap();
        if activation.is_continued && activation.is_pure {
            self.check_replay_submits(held, &submission);
        }
        self.server.maybe_land();
        if self.chance.one_in(8) {
            self.crashed_before += 1;
            return Next::Stops;
        }
        self.apply(activation, &submission, held);
        if self.chance.one_in(8) {
            self.crashed_after += 1;
            return Next::Stops;
        }
        if submission.status != WorkflowStatus::Running {
            self.waits = submission.status == WorkflowStatus::Suspended && !self.has_news(&submission, held);
            return if submission.status == WorkflowStatus::Suspended { Next::Suspends } else { Next::Stops };
        }
        self.partial += 1;
        while self.chance.one_in(3) {
            self.finish_one(activation);
        }
        self.server.maybe_land();
        let page = 1 + self.chance.below(5);
        for page in self.server.history[held..].chunks(page) {
            activation.execution.handle_events(page).unwrap();
        }
        Next::Goes
    }

    /// A fresh replay of what a continued execution held submits the same.
    fn check_replay_submits(&mut self, held: usize, expected: &Submission) {
        let mut activation = self.open(held);
        while let Some(job) = activation.execution.poll_job().unwrap() {
            activation.code.turn(&mut activation.execution, &job).unwrap();
        }
        assert_eq!(activation.execution.poll_operation(), None);
        let submission = activation.execution.take_submission(None).unwrap();
        assert_eq!(submission, *expected, "continued and replayed differ");
    }

    fn apply(&mut self, activation: &Activation<'_>, submission: &Submission, held: usize) {
        assert_eq!(submission.after_sequence as usize, if self.extended { held } else { 0 });
        self.server.apply(&submission.commands, submission.status);
        let log = &activation.code.log;
        assert!(log.starts_with(&self.durable), "the replay took another way");
        self.durable.clone_from(log);
        self.boundaries.push((self.server.history.len(), log.len()));
    }

    /// Something landed that this activation has not seen.
    fn has_news(&self, submission: &Submission, held: usize) -> bool {
        let own = submission.commands.len() + 1;
        self.server.history.len() > held + own
    }

    /// A fresh execution, a day later, goes through the whole history, asks for nothing new and ends the same.
    pub(crate) fn check_full_replay(&mut self) {
        self.time_ms += 86_400_000;
        let mut activation = self.open(self.server.history.len());
        while let Some(job) = activation.execution.poll_job().unwrap() {
            activation.code.turn(&mut activation.execution, &job).unwrap();
        }
        assert!(activation.code.log.starts_with(&self.durable), "the replay took another way");
        assert!(!activation.execution.is_replaying());
        if self.server.ended {
            assert_eq!(activation.code.log, self.durable);
            assert_eq!(activation.execution.poll_operation(), None);
            let submission = activation.execution.take_submission(None).unwrap();
            assert_eq!(submission.commands, vec![], "everything is claimed");
        }
    }

    /// The same for what the history was after each submission: no violation, and the same turns.
    pub(crate) fn check_every_prefix(&mut self) {
        for (events, turns) in self.boundaries.clone() {
            let mut activation = self.open(events);
            while let Some(job) = activation.execution.poll_job().unwrap() {
                activation.code.turn(&mut activation.execution, &job).unwrap();
            }
            assert_eq!(activation.code.log[..turns], self.durable[..turns], "the replay took another way");
        }
    }
}
