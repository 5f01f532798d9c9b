//! What is refused for its size or number: every limit in one place.

use serde::Deserialize;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The limits of a server. All can be configured; a request over one gets RESOURCE_EXHAUSTED or INVALID_ARGUMENT
/// before anything is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// One payload: an input, output, result, state value. Default 2 MiB.
    pub payload_bytes_max: usize,
    /// The history of one execution. Default 50,000.
    pub history_events_max: usize,
    /// The event data of one history together. Default 50 MiB.
    pub history_bytes_max: usize,
    /// The same for executions run by clients without our extension, which read a history in one message of at most
    /// 4 MiB. Default 4 MiB less 64 KiB, left for the framing of the message.
    pub plain_history_bytes_max: usize,
    /// The commands of one submission. Default 10,000.
    pub commands_per_submit_max: usize,
    /// A kind, queue, key or any other name. Default 255 bytes.
    pub name_bytes_max: usize,
    /// The signals that one execution receives. Default 10,000.
    pub signals_per_execution_max: usize,
    /// The keys in the metadata of an execution. Default 50.
    pub metadata_keys_max: usize,
    /// The keys and values of the metadata together. Default 64 KiB.
    pub metadata_bytes_max: usize,
    /// How long an idempotency key is kept when the request does not say. Default 1 day.
    pub idempotency_ttl_seconds_default: i64,
    /// How long an idempotency key can be kept. Default 30 days.
    pub idempotency_ttl_seconds_max: i64,
    /// Requests that wait at the same time under one API key or worker key. One more is answered at once: a poll, or who
    /// awaits a result, with nothing; a query from the state, or refused. Default 10,000.
    pub concurrent_polls_per_key_max: usize,
    /// The reason given with ReleaseClaim. Default 2,048 bytes.
    pub park_reason_bytes_max: usize,
    /// The reason for which an execution or task is to be cancelled. Default 2,048 bytes.
    pub cancel_reason_bytes_max: usize,
    /// The events or log lines that one call brings besides the first. Default 1,000.
    pub reports_per_call_max: usize,
    /// The payload of one event that a task streams, and the details of its progress. Default 256 KiB.
    pub stream_payload_bytes_max: usize,
    /// One line that a task logs. Default 16 KiB.
    pub log_message_bytes_max: usize,
    /// The lines that one task logs. Default 1,000.
    pub task_logs_max: usize,
    /// The attempts at one task that are kept, the last ones. Default 1,000.
    pub task_attempts_max: usize,
    /// The error of an attempt, as it is kept with the attempt; what is longer is cut. Default 4 KiB.
    pub attempt_error_bytes_max: usize,
    /// The keys of the state of one task. Default 1,000.
    pub task_state_keys_max: usize,
    /// The keys and values of the state of one task together. Default 2 MiB.
    pub task_state_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 2 * MIB,
            history_events_max: 50_000,
            history_bytes_max: 50 * MIB,
            plain_history_bytes_max: 4 * MIB - 64 * KIB,
            commands_per_submit_max: 10_000,
            name_bytes_max: 255,
            signals_per_execution_max: 10_000,
            metadata_keys_max: 50,
            metadata_bytes_max: 64 * KIB,
            idempotency_ttl_seconds_default: DAY_SECONDS,
            idempotency_ttl_seconds_max: 30 * DAY_SECONDS,
            concurrent_polls_per_key_max: 10_000,
            park_reason_bytes_max: 2_048,
            cancel_reason_bytes_max: 2_048,
            reports_per_call_max: 1_000,
            stream_payload_bytes_max: 256 * KIB,
            log_message_bytes_max: 16 * KIB,
            task_logs_max: 1_000,
            task_attempts_max: 1_000,
            attempt_error_bytes_max: 4 * KIB,
            task_state_keys_max: 1_000,
            task_state_bytes_max: 2 * MIB,
        }
    }
}
