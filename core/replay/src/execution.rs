use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::{ids, messages::WorkflowCommand, messages::WorkflowStatus};

use crate::{
    ReplayError, Violation, counters::Counters, ending::Outcome, history::History, history::Item, machines::Machines,
    phase::Phase, random::Random, signature::Signature, tolerance::Tolerance,
};

/// What is known of an execution before its first event is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionInfo {
    /// A UUID: ids and random numbers are derived from it.
    pub execution_id: String,
    /// The kind of workflow.
    pub kind: String,
    /// The time of this activation, in milliseconds since 1970.
    pub task_time_ms: i64,
    /// The server announced our extensions.
    pub extended: bool,
    /// The history may have been written by another SDK: what such a one does differently is no violation. Meant for
    /// replays that check code against histories; see [`commands`](Execution::commands).
    pub tolerant: bool,
}

/// One workflow execution during one activation. The crate's documentation says how it is driven.
#[derive(Debug)]
pub struct Execution {
    pub(crate) info: ExecutionInfo,
    pub(crate) phase: Phase,
    pub(crate) life: Life,
    pub(crate) history: History,
    pub(crate) machines: Machines,
    pub(crate) counters: Counters,
    pub(crate) random: Random,
    /// New commands since the last submission, in the order in which they were issued.
    pub(crate) issued: Vec<WorkflowCommand>,
    pub(crate) submissions: i32,
    /// In the first activation until its first submission: how many signals its first turn saw.
    pub(crate) first_signals: Option<u32>,
    /// What this submission has recorded as `$seen`.
    pub(crate) seen: Option<i32>,
    /// Why the execution was asked to end as cancelled, once it was.
    pub(crate) cancellation: Option<String>,
    pub(crate) tolerance: Tolerance,
}

/// The life of the workflow function.
///
/// ```text
/// Running --complete, fail--> Ended --the turn closes, the history has the same ending--> Confirmed
/// Running, Ended --the server has ended the execution--> Confirmed
/// ```
#[derive(Debug)]
pub(crate) enum Life {
    Running,
    Ended(Outcome),
    Confirmed(WorkflowStatus),
}

impl Execution {
    /// Opens an execution that holds no events yet.
    ///
    /// Fails with `INVALID_ARGUMENT` if the execution id is no UUID.
    pub fn new(info: ExecutionInfo) -> Result<Self, ReplayError> {
        let id = ids::parse(&info.execution_id)
            .map_err(|error| ReplayError::InvalidArgument { argument: "execution_id", problem: error.to_string() })?;
        Ok(Self {
            info,
            phase: Phase::Loading,
            life: Life::Running,
            history: History::default(),
            machines: Machines::default(),
            counters: Counters::new(id),
            random: Random::new(id),
            issued: Vec::new(),
            submissions: 0,
            first_signals: None,
            seen: None,
            cancellation: None,
            tolerance: Tolerance::default(),
        })
    }

    /// Some command event of the history is still unclaimed: what the code does now, it did before. For logs.
    pub fn is_replaying(&self) -> bool {
        if self.info.tolerant { !self.history.is_passed() } else { self.machines.unclaimed() > 0 }
    }

    /// Whether the function was called for the first time and nothing was submitted since: nothing of what it does was
    /// seen before, by this worker or by another.
    pub fn is_first_activation(&self) -> bool {
        self.first_signals.is_some()
    }

    /// The number of the last event held, 0 before the first.
    pub fn last_sequence(&self) -> i32 {
        self.history.last_sequence()
    }

    /// The id given to [`new`](Self::new).
    pub fn execution_id(&self) -> &str {
        &self.info.execution_id
    }

    /// The kind given to [`new`](Self::new).
    pub fn kind(&self) -> &str {
        &self.info.kind
    }

    /// About how much memory the execution holds, in bytes: for the bound of a cache.
    pub fn memory_bytes(&self) -> usize {
        let expected = match &self.phase {
            Phase::Closed(Some(expected)) | Phase::Answering(expected) => expected.memory_bytes(),
            _ => 0,
        };
        size_of::<Self>() + self.history.memory_bytes() + self.machines.memory_bytes() + expected
    }

    /// How many bytes of event data the history has.
    pub fn history_bytes(&self) -> u64 {
        self.history.bytes()
    }

    /// How often an event was looked at so far: a measure of work that does not depend on the machine. It grows with
    /// the number of events and not with its square.
    pub fn event_looks(&self) -> u64 {
        self.history.looks()
    }

    /// The one door for fatal errors: from here on the driver gets the same error from every call, and workflow
    /// code, which may have caught it, gets `Poisoned`.
    pub(crate) fn stop_on_error<T>(&mut self, result: Result<T, ReplayError>) -> Result<T, ReplayError> {
        if let Err(error) = &result {
            self.phase = Phase::Failed(error.clone());
            self.history.clear();
            self.issued.clear();
        }
        result
    }

    /// The oldest command event that no command has claimed. Only violations look for it.
    pub(crate) fn first_unclaimed(&self) -> Option<(i32, Signature<'_>)> {
        self.history.entries().find_map(|entry| match &entry.item {
            Item::Command { lane } => {
                self.machines.lanes.find(*lane, entry.sequence).map(|signature| (entry.sequence, signature))
            }
            Item::Operation { line, ordinal, .. } if !self.machines.operations.is_claimed(*line, *ordinal) => {
                Some((entry.sequence, self.machines.operations.signature(*line)))
            }
            _ => None,
        })
    }

    /// A new command is a violation while events are unclaimed.
    pub(crate) fn check_new(&self, got: &Signature<'_>) -> Result<(), ReplayError> {
        if self.info.tolerant || !self.is_replaying() {
            return self.check_not_ended(got);
        }
        match self.first_unclaimed() {
            Some((sequence, expected)) => Err(Violation::added(sequence, &expected, got)),
            None => Ok(()),
        }
    }

    /// Nothing may be new in the history of an execution that its own code has ended.
    pub(crate) fn check_not_ended(&self, got: &Signature<'_>) -> Result<(), ReplayError> {
        match self.history.end() {
            Some((sequence, end)) if end.is_of_the_code() && !self.info.tolerant => {
                Err(Violation::after_end(sequence, end, got))
            }
            _ => Ok(()),
        }
    }
}
