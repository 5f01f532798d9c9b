use alloc::{collections::VecDeque, vec::Vec};

use flovyn_protocol::messages::WorkflowCommand;

use crate::{
    Execution, ReplayError, Violation,
    lane::{LaneId, Record},
    signature::{Change, Signature},
};

/// Matching with a history that another SDK has written.
///
/// Such a one may write events where this engine writes none, and none where it writes one; what it means is the
/// same. So event types are still matched in order, and what the code does must still be there, except that
/// - events at the end may be unclaimed: its code may have been ahead of what this one waits for;
/// - commands may have no event: they are only counted;
/// - ids of timers differ, and cancelled timers may be told of twice, in any order, or not at all;
/// - a key is cleared again that is clear, and keys that are cleared together come in any order;
/// - the time is not recorded.
#[derive(Debug, Default)]
pub(crate) struct Tolerance {
    /// Events that the cursor has passed unclaimed, the oldest first. Operations have no lane.
    skipped: VecDeque<(i32, Option<LaneId>)>,
    /// All commands so far, claimed and new, where they are kept.
    commands: Vec<WorkflowCommand>,
    /// Whether they are kept although the execution is not tolerant.
    keeps_commands: bool,
}

impl Execution {
    /// From now on [`commands`](Self::commands) has every command, also where the execution is not tolerant.
    pub fn keep_commands(&mut self) {
        self.tolerance.keeps_commands = true;
    }

    /// All commands that the code has issued so far in an execution that is `tolerant`, or that keeps them: those that
    /// claimed an event as well as new ones, and without the engine's own. An operation is there once its record was
    /// told, or, in one that is tolerant, without a result when it began and has none.
    pub fn commands(&self) -> &[WorkflowCommand] {
        &self.tolerance.commands
    }

    pub(crate) fn keeps_commands(&self) -> bool {
        self.info.tolerant || self.tolerance.keeps_commands
    }

    /// Sends a command if it is new, and notes it where all are wanted.
    pub(crate) fn issue(&mut self, is_new: bool, command: impl FnOnce() -> WorkflowCommand) {
        if !is_new && !self.keeps_commands() {
            return;
        }
        let command = command();
        if self.keeps_commands() {
            self.tolerance.commands.push(command.clone());
        }
        if is_new {
            self.issued.push(command);
        }
    }

    /// The history does not say what time the code saw here, and will not be told.
    pub(crate) fn is_missing_time(&self) -> bool {
        let has_record = self.machines.lanes.front(LaneId::Time).is_some();
        self.info.tolerant && !has_record && (self.is_replaying() || self.history.end().is_some())
    }

    /// The cursor passes an event that no command has claimed. A later event must not be claimed then, unless this one
    /// was before.
    pub(crate) fn pass_unclaimed<T>(&mut self, sequence: i32, lane: Option<LaneId>) -> Option<T> {
        let signature = lane.and_then(|lane| self.machines.lanes.find(lane, sequence));
        if !signature.is_some_and(|signature| self.says_nothing(&signature)) {
            self.tolerance.skipped.push_back((sequence, lane));
        }
        None
    }

    pub(crate) fn claim_tolerantly(
        &mut self,
        lane: LaneId,
        got: &Signature<'_>,
    ) -> Result<Option<Record>, ReplayError> {
        self.drop_repeated_clears(lane, got);
        let Some((place, sequence)) = self.place_of(lane, got) else {
            return match self.machines.lanes.front(lane) {
                Some((sequence, expected)) if lane != LaneId::TimerCancellation => {
                    Err(Violation::other_command(sequence, &expected, got, false))
                }
                _ => Ok(None),
            };
        };
        let record = self.machines.lanes.take(lane, place);
        self.check_skipped(sequence, got)?;
        Ok(record)
    }

    /// Nothing may be claimed after an event that was passed unclaimed and still is.
    pub(crate) fn check_skipped(&mut self, sequence: i32, got: &Signature<'_>) -> Result<(), ReplayError> {
        let lanes = &self.machines.lanes;
        self.tolerance.skipped.retain(|(sequence, lane)| lane.is_none_or(|lane| lanes.find(lane, *sequence).is_some()));
        match self.tolerance.skipped.front() {
            Some((skipped, Some(lane))) if *skipped < sequence => match lanes.find(*lane, *skipped) {
                Some(expected) => Err(Violation::added(*skipped, &expected, got)),
                None => Ok(()),
            },
            Some((skipped, None)) if *skipped < sequence => Err(Violation::skipped_operation(*skipped, got)),
            _ => Ok(()),
        }
    }

    /// Where the event stands that a command claims: mostly at the front of its lane.
    fn place_of(&self, lane: LaneId, got: &Signature<'_>) -> Option<(usize, i32)> {
        let mut unclaimed = self.machines.lanes.unclaimed_of(lane).enumerate();
        let (place, (sequence, _)) = match (lane, got) {
            (LaneId::Timer, _) => unclaimed.next(),
            (LaneId::TimerCancellation, _) => unclaimed.find(|(_, (_, expected))| expected == got),
            (_, Signature::State { change: Change::Clear, .. }) => {
                unclaimed.take_while(|(_, (_, expected))| is_clear(expected)).find(|(_, (_, expected))| expected == got)
            }
            _ => unclaimed.next().filter(|(_, (_, expected))| expected == got),
        }?;
        Some((place, sequence))
    }

    /// Takes events out that clear keys which are clear, up to the one that the command claims.
    fn drop_repeated_clears(&mut self, lane: LaneId, got: &Signature<'_>) {
        let is_repeated = |execution: &Self| match execution.machines.lanes.front(lane) {
            Some((_, expected)) => expected != *got && is_clear(&expected) && execution.says_nothing(&expected),
            None => false,
        };
        while is_repeated(self) {
            self.machines.lanes.take(lane, 0);
        }
    }

    /// Whether an event may be there that no command stands for.
    fn says_nothing(&self, expected: &Signature<'_>) -> bool {
        match expected {
            Signature::TimerCancellation { .. } => true,
            Signature::State { key, change: Change::Clear } => self.machines.state.get(key).is_none(),
            _ => false,
        }
    }
}

fn is_clear(signature: &Signature<'_>) -> bool {
    matches!(signature, Signature::State { change: Change::Clear, .. })
}
