/// The time that workflow code sees.
///
/// The wire gives one time per activation and none per event, so what the code has read is recorded, as an internal
/// operation: the first read after a job claims or makes one record.
#[derive(Debug)]
pub(crate) struct Clock {
    last_ms: i64,
}

impl Clock {
    /// What the code saw last, or the time of this activation.
    pub(crate) fn last(&self, task_time_ms: i64) -> i64 {
        if self.last_ms == i64::MIN { task_time_ms } else { self.last_ms }
    }

    /// Moves the clock to the time of a record, or of this activation, but never back.
    pub(crate) fn advance(&mut self, recorded_ms: Option<i64>, task_time_ms: i64) -> i64 {
        self.last_ms = recorded_ms.unwrap_or(self.last_ms.max(task_time_ms));
        self.last_ms
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { last_ms: i64::MIN }
    }
}
