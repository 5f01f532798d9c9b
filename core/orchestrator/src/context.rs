use alloc::{string::String, vec::Vec};

use prost::Message;
use rand_core::CryptoRng;
use uuid::Uuid;

use crate::{
    Config, Env, Status,
    api::{Answer, Attempt, Park},
    store::{Key, KindSet, Tx, WaitKey},
};

/// What every rule has.
pub(crate) struct Ctx<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now_ms: i64,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) tx: &'a mut dyn Tx,
}

impl<'a> Ctx<'a> {
    pub(crate) fn new(config: &'a Config, env: &'a mut Env<'_>, tx: &'a mut dyn Tx) -> Self {
        Self { config, now_ms: env.now_ms, rng: &mut *env.rng, tx }
    }

    /// A new id: a UUID of version 7. It begins with the time, so that what is made at one time lies side by side in a
    /// database and a commit writes few pages.
    pub(crate) fn new_id(&mut self) -> Uuid {
        let mut bytes = [0; 10];
        self.rng.fill_bytes(&mut bytes);
        let now_ms = u64::try_from(self.now_ms).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now_ms, &bytes).into_uuid()
    }
}

/// Who calls, and all that a request says beside its message. Only the organisation check makes one.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) org_id: Uuid,
    /// Which key it was, for people.
    pub(crate) principal_id: &'a str,
    pub(crate) extended: bool,
    pub(crate) claim: Option<&'a str>,
    pub(crate) deadline_ms: Option<i64>,
    pub(crate) attempt: Attempt,
}

impl Caller<'_> {
    pub(crate) fn key(&self, id: Uuid) -> Key {
        Key { org_id: self.org_id, id }
    }

    /// Waits on these keys for at most `wait_ms`, counted from the first attempt; `nothing` is the answer if that
    /// time is over.
    pub(crate) fn park_or(&self, ctx: &Ctx<'_>, wait_ms: i64, keys: Vec<WaitKey>, nothing: &impl Message) -> Answer {
        self.park(ctx, wait_ms, keys).unwrap_or_else(|| reply(nothing))
    }

    /// Waits on these keys for at most `wait_ms`, counted from the first attempt; `None` if that time is over.
    pub(crate) fn park(&self, ctx: &Ctx<'_>, wait_ms: i64, keys: Vec<WaitKey>) -> Option<Answer> {
        let waited_out_ms = self.attempt.first_ms.saturating_add(wait_ms);
        let deadline_ms = self.deadline_ms.map_or(waited_out_ms, |given_up_ms| waited_out_ms.min(given_up_ms));
        if self.attempt.expired || ctx.now_ms >= deadline_ms {
            return None;
        }
        Some(Answer::Park(Park { keys, kinds: KindSet::ANY, deadline_ms }))
    }

    /// Whether the client has given up: nothing may be handed out to it.
    pub(crate) fn has_given_up(&self, ctx: &Ctx<'_>) -> bool {
        self.deadline_ms.is_some_and(|given_up_ms| ctx.now_ms >= given_up_ms)
    }
}

/// An answer that hands out nothing.
pub(crate) fn reply(message: &impl Message) -> Answer {
    Answer::Reply { body: message.encode_to_vec(), undelivered: None }
}

/// `google.protobuf.Empty`.
pub(crate) fn reply_empty() -> Answer {
    Answer::Reply { body: Vec::new(), undelivered: None }
}

pub(crate) fn not_found(what: &str, id: impl core::fmt::Display) -> Status {
    let message: String = alloc::format!("no {what} {id} in this organisation");
    Status::not_found(message)
}
