use crate::{
    lane::{Lane, Record},
    signature::Signature,
};

/// The time that workflow code sees.
///
/// The wire gives one time per activation and none per event, so what the code has read is recorded, as an internal
/// operation: the first read after a job claims or makes one record.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) lane: Lane<TimeRecord>,
    last_ms: i64,
}

/// An OPERATION_COMPLETED event of [`Clock::OPERATION`].
#[derive(Debug)]
pub(crate) struct TimeRecord {
    pub(crate) time_ms: i64,
}

impl Clock {
    /// The name of the internal operation.
    pub(crate) const OPERATION: &'static str = "$time";

    /// Moves the clock to the time of a record, or of this activation, but never back.
    pub(crate) fn advance(&mut self, claimed: Option<TimeRecord>, task_time_ms: i64) -> i64 {
        self.last_ms = match claimed {
            Some(record) => record.time_ms,
            None => self.last_ms.max(task_time_ms),
        };
        self.last_ms
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { lane: Lane::new(), last_ms: i64::MIN }
    }
}

impl Record for TimeRecord {
    fn signature(&self) -> Signature<'_> {
        Signature::Operation { name: Clock::OPERATION }
    }
}
