//! Reads the fields of requests. What is in a message is trusted from here on.

use alloc::{collections::BTreeMap, format, string::String};

use flovyn_protocol::{Payload, ids, limits::Limits};
use uuid::Uuid;

use crate::{Config, Status};

/// Keys of metadata with this prefix are the server's own.
const RESERVED_METADATA: &str = "_flovyn_";

/// The queue that is meant when none is named.
pub(crate) const DEFAULT_QUEUE: &str = "default";

/// So much of what was given instead of a known word is told back.
const SHOWN_BYTES_MAX: usize = 64;

pub(crate) fn id(field: &str, text: &str) -> Result<Uuid, Status> {
    ids::parse(text).map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
}

/// A kind, key or any other name: not empty, not too long.
pub(crate) fn name(limits: &Limits, field: &str, text: &str) -> Result<(), Status> {
    if text.is_empty() {
        return Err(Status::invalid_argument(format!("{field}: expected a name, got nothing")));
    }
    at_most(field, text.len(), limits.name_bytes_max)
}

/// A queue; none means the default one.
pub(crate) fn queue(limits: &Limits, text: String) -> Result<String, Status> {
    at_most("queue", text.len(), limits.name_bytes_max)?;
    Ok(if text.is_empty() { DEFAULT_QUEUE.into() } else { text })
}

/// The queue of something that an execution makes; `None` means that of the execution.
pub(crate) fn inherited_queue(limits: &Limits, text: String) -> Result<Option<String>, Status> {
    at_most("queue", text.len(), limits.name_bytes_max)?;
    Ok(Some(text).filter(|queue| !queue.is_empty() && queue != DEFAULT_QUEUE))
}

/// One JSON value; empty bytes are null.
pub(crate) fn payload(limits: &Limits, field: &str, bytes: &[u8]) -> Result<Payload, Status> {
    at_most(field, bytes.len(), limits.payload_bytes_max)?;
    Payload::from_bytes(bytes).map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
}

/// Text that may be as long as a payload: errors and stacks.
pub(crate) fn long_text(limits: &Limits, field: &str, text: &str) -> Result<(), Status> {
    at_most(field, text.len(), limits.payload_bytes_max)
}

/// Why something is to be cancelled.
pub(crate) fn cancel_reason(limits: &Limits, text: &str) -> Result<(), Status> {
    at_most("reason", text.len(), limits.cancel_reason_bytes_max)
}

pub(crate) fn at_most(field: &str, bytes: usize, max: usize) -> Result<(), Status> {
    if bytes > max {
        return Err(Status::resource_exhausted(format!(
            "{field}: expected at most {max} bytes, got {bytes}: store large data elsewhere and send a reference"
        )));
    }
    Ok(())
}

/// How many things one call may bring.
pub(crate) fn count(field: &str, count: usize, max: usize) -> Result<(), Status> {
    if count > max {
        return Err(Status::resource_exhausted(format!(
            "{field}: expected at most {max}, got {count}: make more calls"
        )));
    }
    Ok(())
}

/// One of a few words.
pub(crate) fn one_of(field: &str, text: &str, words: &[&str]) -> Result<(), Status> {
    if words.contains(&text) {
        return Ok(());
    }
    let (words, got) = (words.join(", "), &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]);
    Err(Status::invalid_argument(format!("{field}: expected one of {words}, got {got:?}")))
}

pub(crate) fn not_negative(field: &str, number: i64) -> Result<i64, Status> {
    if number < 0 {
        return Err(Status::invalid_argument(format!("{field}: expected 0 or more, got {number}")));
    }
    Ok(number)
}

/// What people attach to an execution or task.
pub(crate) fn metadata(limits: &Limits, metadata: &BTreeMap<String, String>) -> Result<(), Status> {
    if metadata.len() > limits.metadata_keys_max {
        return Err(Status::resource_exhausted(format!(
            "metadata: expected at most {} keys, got {}",
            limits.metadata_keys_max,
            metadata.len()
        )));
    }
    if let Some(key) = metadata.keys().find(|key| key.starts_with(RESERVED_METADATA)) {
        return Err(Status::invalid_argument(format!(
            "metadata: keys beginning with {RESERVED_METADATA} are the server's own, got {key:?}"
        )));
    }
    at_most("metadata", metadata.iter().map(|(key, value)| key.len() + value.len()).sum(), limits.metadata_bytes_max)
}

/// How long an idempotency key lives, in milliseconds.
pub(crate) fn ttl_ms(config: &Config, seconds: Option<i64>, default_seconds: i64) -> Result<i64, Status> {
    let max = config.limits.idempotency_ttl_seconds_max;
    let seconds = seconds.unwrap_or(default_seconds);
    if seconds < 1 || seconds > max {
        return Err(Status::invalid_argument(format!(
            "idempotency_key_ttl_seconds: expected 1 to {max}, got {seconds}"
        )));
    }
    Ok(seconds.saturating_mul(1_000))
}

/// A field of the contract that means something this server does not do.
pub(crate) fn not_offered(field: &str, value: &str, instead: &str) -> Result<(), Status> {
    if value.is_empty() {
        return Ok(());
    }
    Err(Status::unimplemented(format!("{field} is not offered by this server: {instead}")))
}
