use flovyn_protocol::limits::Limits;
use serde::Deserialize;

use crate::store::{StreamLimits, WorkerRecord};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What can be configured of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// What is refused for its size or number.
    pub limits: Limits,
    /// A claim of a client with our extension ends this long after it was given or renewed. Default 60 s.
    pub lease_ms: i64,
    /// An execution that was asked to end as cancelled is ended if no submission has seen the request after this long;
    /// one that has timed out is ended after this long in any case. Default 30 s.
    pub cancel_grace_ms: i64,
    /// Polls and pages.
    pub polls: PollConfig,
    /// Queries.
    pub queries: QueryConfig,
    /// Retries of tasks.
    pub tasks: TaskConfig,
    /// Signals.
    pub signals: SignalConfig,
    /// What tasks stream, for those who read it.
    pub streams: StreamLimits,
    /// Signs of life.
    pub workers: WorkerConfig,
    /// The longest `retry_after_ms` of ReleaseClaim. Default 1 day.
    pub retry_after_ms_max: i64,
    /// One tick does at most this many things, so that it does not keep requests waiting. Default 200.
    pub tick_deadlines_max: usize,
}

/// Polls and pages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PollConfig {
    /// A poll without `long_poll` waits this long. Default 50 ms: some clients poll on the thread that runs everything.
    pub plain_wait_ms: i64,
    /// A long poll, and AwaitResult, wait at most this long. Default 60 s.
    pub long_wait_ms_max: i64,
    /// A worker that keeps executions in memory is given those before others, unless the first in the queue has been
    /// ready for this long. Nothing waits for a worker that does not poll. Default 2 s; 0 keeps the order of the queue.
    pub sticky_ms: i64,
    /// The most events in one page. Default 1,000.
    pub page_events_max: usize,
    /// The most bytes of events in one page; an event that is larger is a page of its own. Default 1 MiB.
    pub page_bytes_max: usize,
}

/// Queries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct QueryConfig {
    /// A query that a worker has taken fails if it is not answered this long after it was asked. Default 10 s.
    pub wait_ms: i64,
    /// A query that no worker has taken after this time is answered from the state. Default 2 s.
    pub take_ms: i64,
    /// Queries of one organisation that are on their way to workers. Default 1,000.
    pub pending_max: usize,
    /// The state of an execution, keys and values together, that is given to a worker with a query, or to a client
    /// whole. Default 4 MiB less 64 KiB: what clients read in one message.
    pub state_bytes_max: usize,
}

/// Retries of tasks that do not bring a policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TaskConfig {
    /// Retries after the first attempt. Default 3.
    pub max_retries: i32,
    /// The delay before the first retry; 0 retries at once. Default 1 s. Files of other servers call it
    /// `default_backoff`.
    #[serde(alias = "default_backoff")]
    pub initial_delay_ms: i64,
    /// No delay is longer. Default 60 s.
    pub max_delay_ms: i64,
    /// The growth of the delay from retry to retry, in thousandths. Default 2,000: it doubles.
    pub multiplier_milli: i32,
    /// A delay is shortened by a random part of it, at most this many thousandths. Default 200.
    pub jitter_milli: i32,
}

/// Signals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SignalConfig {
    /// A signal to an execution that has ended is answered like any other, and means nothing; otherwise it is refused.
    /// Default true: clients race with the end.
    pub accept_terminal: bool,
}

/// Signs of life.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WorkerConfig {
    /// A worker is OFFLINE after this time without a sign of life. Default 60 s.
    pub offline_after_ms: i64,
    /// A sign of life is noted only if the last note is older than this, so that a poll need not write. Default 5 s.
    pub note_after_ms: i64,
    /// A claim of a client without our extension ends after this time, however alive its worker is. Default 10 min.
    pub plain_claim_ms_max: i64,
    /// A worker that has been silent for this long is forgotten. Default 7 days.
    pub forget_after_ms: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            lease_ms: MINUTE_MS,
            cancel_grace_ms: 30 * SECOND_MS,
            polls: PollConfig::default(),
            queries: QueryConfig::default(),
            tasks: TaskConfig::default(),
            signals: SignalConfig::default(),
            streams: StreamLimits::default(),
            workers: WorkerConfig::default(),
            retry_after_ms_max: DAY_MS,
            tick_deadlines_max: 200,
        }
    }
}

impl Default for PollConfig {
    fn default() -> Self {
        Self {
            plain_wait_ms: 50,
            sticky_ms: 2 * SECOND_MS,
            long_wait_ms_max: MINUTE_MS,
            page_events_max: 1_000,
            page_bytes_max: 1024 * 1024,
        }
    }
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            wait_ms: 10 * SECOND_MS,
            take_ms: 2 * SECOND_MS,
            pending_max: 1_000,
            state_bytes_max: (4 * 1024 - 64) * 1024,
        }
    }
}

impl Default for TaskConfig {
    fn default() -> Self {
        Self {
            max_retries: 3,
            initial_delay_ms: SECOND_MS,
            max_delay_ms: MINUTE_MS,
            multiplier_milli: 2_000,
            jitter_milli: 200,
        }
    }
}

impl Default for SignalConfig {
    fn default() -> Self {
        Self { accept_terminal: true }
    }
}

impl WorkerConfig {
    /// When a worker is OFFLINE unless it shows itself before, in milliseconds since 1970. The last note can be older
    /// than the last sign of life.
    pub fn offline_at_ms(&self, worker: &WorkerRecord) -> i64 {
        worker.last_seen_ms.saturating_add(self.offline_after_ms).saturating_add(self.note_after_ms)
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            offline_after_ms: MINUTE_MS,
            note_after_ms: 5 * SECOND_MS,
            plain_claim_ms_max: 10 * MINUTE_MS,
            forget_after_ms: 7 * DAY_MS,
        }
    }
}
