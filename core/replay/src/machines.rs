//! The things that workflow code can ask for, one file each: what a command claims or makes, and what settles it.

mod clock;
mod operation;
mod promise;
mod state;
mod task;
mod timer;

pub(crate) use clock::{Clock, TimeRecord};
pub(crate) use operation::{LineId, Operations};
pub(crate) use promise::{PromiseEnd, PromiseRecord, Promises};
pub(crate) use state::{State, StateRecord};
pub(crate) use task::{TaskEnd, TaskRecord, Tasks};
pub(crate) use timer::{TimerRecord, Timers};

use crate::signature::Signature;

/// All machines of an execution.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    pub(crate) tasks: Tasks,
    pub(crate) timers: Timers,
    pub(crate) promises: Promises,
    pub(crate) operations: Operations,
    pub(crate) state: State,
    pub(crate) clock: Clock,
}

/// Which lane a command event belongs to. Operations have a line per name instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneId {
    Task,
    Timer,
    Promise,
    State,
    Clock,
}

impl Machines {
    /// How many command events no command has claimed yet: while there are any, the execution is replaying.
    pub(crate) fn unclaimed(&self) -> usize {
        self.tasks.lane.unclaimed()
            + self.timers.lane.unclaimed()
            + self.promises.lane.unclaimed()
            + self.state.lane.unclaimed()
            + self.clock.lane.unclaimed()
            + self.operations.unclaimed()
    }

    pub(crate) fn is_claimed(&self, lane: LaneId, ordinal: u32) -> bool {
        match lane {
            LaneId::Task => self.tasks.lane.is_claimed(ordinal),
            LaneId::Timer => self.timers.lane.is_claimed(ordinal),
            LaneId::Promise => self.promises.lane.is_claimed(ordinal),
            LaneId::State => self.state.lane.is_claimed(ordinal),
            LaneId::Clock => self.clock.lane.is_claimed(ordinal),
        }
    }

    /// The oldest unclaimed event of a lane.
    pub(crate) fn front(&self, lane: LaneId) -> Option<(i32, Signature<'_>)> {
        match lane {
            LaneId::Task => self.tasks.lane.front(),
            LaneId::Timer => self.timers.lane.front(),
            LaneId::Promise => self.promises.lane.front(),
            LaneId::State => self.state.lane.front(),
            LaneId::Clock => self.clock.lane.front(),
        }
    }
}
