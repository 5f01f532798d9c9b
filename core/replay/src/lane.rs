use alloc::{collections::VecDeque, string::String};

use crate::signature::{Change, Signature};

/// A command event, as far as a command is compared with it or takes something from it.
#[derive(Debug)]
pub(crate) enum Record {
    Task { kind: String, task_execution_id: String },
    Timer { timer_id: String },
    Promise { name: String, promise_id: String },
    Child { name: String, kind: String, child_execution_id: String },
    State { key: String, change: Change },
    Time { time_ms: i64 },
    TimerCancellation { timer_id: String },
    TaskCancellation { task_execution_id: String },
    ChildCancellation { name: String },
}

/// Which lane a command event belongs to. Operations have a line per name instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneId {
    Task,
    Timer,
    Promise,
    Child,
    State,
    Time,
    TimerCancellation,
    TaskCancellation,
    ChildCancellation,
}

/// The commands of each type and the events of that type: the n-th claims the n-th. Types are independent.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: [Lane; 9],
    unclaimed: usize,
}

/// Either events wait for commands (replay) or commands for their events (live), never both.
#[derive(Debug, Default)]
struct Lane {
    unclaimed: VecDeque<(i32, Record)>,
    /// Commands whose events have not come.
    ahead: u32,
}

impl Lanes {
    /// Takes the next event in; gives its lane, and the record back where a live command already stands for it.
    pub(crate) fn record(&mut self, sequence: i32, record: Record) -> (LaneId, Option<Record>) {
        let id = record.lane();
        let lane = &mut self.lanes[id as usize];
        if lane.ahead > 0 {
            lane.ahead -= 1;
            return (id, Some(record));
        }
        lane.unclaimed.push_back((sequence, record));
        self.unclaimed += 1;
        (id, None)
    }

    /// Takes the next command in; gives the event that it claims.
    pub(crate) fn issue(&mut self, id: LaneId) -> Option<Record> {
        let claimed = self.take(id, 0);
        if claimed.is_none() {
            self.lanes[id as usize].ahead += 1;
        }
        claimed
    }

    /// Whether commands of this lane wait for their events.
    pub(crate) fn is_ahead(&self, id: LaneId) -> bool {
        self.lanes[id as usize].ahead > 0
    }

    /// Takes an unclaimed event out, by its place among those of the lane.
    pub(crate) fn take(&mut self, id: LaneId, place: usize) -> Option<Record> {
        let (_, record) = self.lanes[id as usize].unclaimed.remove(place)?;
        self.unclaimed -= 1;
        Some(record)
    }

    /// The event that the next command will claim, and its sequence number.
    pub(crate) fn front(&self, id: LaneId) -> Option<(i32, Signature<'_>)> {
        self.unclaimed_of(id).next()
    }

    /// The unclaimed events of a lane, the oldest first.
    pub(crate) fn unclaimed_of(&self, id: LaneId) -> impl Iterator<Item = (i32, Signature<'_>)> {
        self.lanes[id as usize].unclaimed.iter().map(|(sequence, record)| (*sequence, record.signature()))
    }

    /// What an event says, if no command has claimed it.
    pub(crate) fn find(&self, id: LaneId, sequence: i32) -> Option<Signature<'_>> {
        let unclaimed = &self.lanes[id as usize].unclaimed;
        let place = unclaimed.binary_search_by_key(&sequence, |(sequence, _)| *sequence).ok()?;
        unclaimed.get(place).map(|(_, record)| record.signature())
    }

    /// How many events of all lanes no command has claimed.
    pub(crate) fn unclaimed(&self) -> usize {
        self.unclaimed
    }

    /// Gives memory back that a long history has taken.
    pub(crate) fn shrink(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.unclaimed.shrink_to_fit());
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.unclaimed.capacity() * size_of::<(i32, Record)>()).sum()
    }
}

impl Record {
    /// What is compared.
    pub(crate) fn signature(&self) -> Signature<'_> {
        match self {
            Self::Task { kind, .. } => Signature::Task { kind },
            Self::Timer { timer_id } => Signature::Timer { id: timer_id },
            Self::Promise { name, .. } => Signature::Promise { name },
            Self::Child { name, kind, .. } => Signature::Child { name, kind },
            Self::State { key, change } => Signature::State { key, change: *change },
            Self::Time { .. } => Signature::TIME,
            Self::TimerCancellation { timer_id } => Signature::TimerCancellation { id: timer_id },
            Self::TaskCancellation { task_execution_id } => Signature::TaskCancellation { id: task_execution_id },
            Self::ChildCancellation { name } => Signature::ChildCancellation { name },
        }
    }

    fn lane(&self) -> LaneId {
        match self {
            Self::Task { .. } => LaneId::Task,
            Self::Timer { .. } => LaneId::Timer,
            Self::Promise { .. } => LaneId::Promise,
            Self::Child { .. } => LaneId::Child,
            Self::State { .. } => LaneId::State,
            Self::Time { .. } => LaneId::Time,
            Self::TimerCancellation { .. } => LaneId::TimerCancellation,
            Self::TaskCancellation { .. } => LaneId::TaskCancellation,
            Self::ChildCancellation { .. } => LaneId::ChildCancellation,
        }
    }
}
