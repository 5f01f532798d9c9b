use alloc::{string::String, vec::Vec};
use core::fmt;

use rand_core::CryptoRng;
use uuid::Uuid;

use crate::store::{Key, KindSet, WaitKey, Work};

/// Time and randomness, which come from nowhere else.
pub struct Env<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// Ids, claim tokens and jitter are made of it, so it must not be guessable.
    pub rng: &'a mut dyn CryptoRng,
}

impl fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

/// Whose key a request carries. The host has checked the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Everything this principal can see belongs to this organisation.
    pub org_id: Uuid,
    /// The other name of the organisation, accepted wherever its id is.
    pub org_slug: String,
    /// For people: which key it was.
    pub id: String,
    /// What kind of key it was.
    pub kind: PrincipalKind,
}

/// The two kinds of key. Both may do everything within their organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A key of a client.
    ApiKey,
    /// A key of a worker.
    Worker,
}

/// One unary call.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The path of gRPC, for example `/flovyn.v1.WorkflowDispatch/PollWorkflow`.
    pub method: &'a str,
    /// The message, without framing.
    pub body: &'a [u8],
    /// The client announced `flovyn-ext: 1`. Fields from 1000 up are neither read nor written without it.
    pub extended: bool,
    /// The metadata `flovyn-claim`, if there is any.
    pub claim: Option<&'a str>,
    /// When the client will have given up, in milliseconds since 1970.
    pub deadline_ms: Option<i64>,
    /// Whether this is the first time that the request is tried.
    pub attempt: Attempt,
}

/// How often a request that can park has been tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was tried first, in milliseconds since 1970. How long it waits is counted from then.
    pub first_ms: i64,
    /// It has waited long enough: it is answered now, with nothing if there is nothing.
    pub expired: bool,
}

impl Attempt {
    /// The first attempt, made now.
    pub fn first(now_ms: i64) -> Self {
        Self { first_ms: now_ms, expired: false }
    }
}

/// What the host does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is answered.
    Reply {
        /// The message, without framing.
        body: Vec<u8>,
        /// What to give to [`release_undelivered`](crate::release_undelivered) if the client went away meanwhile.
        undelivered: Option<Undelivered>,
    },
    /// It waits.
    Park(Park),
}

/// A request waits until one of these keys is woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Park {
    /// Any of them.
    pub keys: Vec<WaitKey>,
    /// The kinds of work that it can take.
    pub kinds: KindSet,
    /// It is asked again with [`Attempt::expired`] then, in milliseconds since 1970.
    pub deadline_ms: i64,
}

/// A claim that is in an answer which may not reach the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    pub(crate) work: Work,
    pub(crate) key: Key,
    pub(crate) token: String,
}

impl Undelivered {
    /// The kind of work that the answer hands out.
    pub fn work(&self) -> Work {
        self.work
    }
}

/// What is left after a [`tick`](crate::tick).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When the next thing is due, in milliseconds since 1970: already past if the tick did not do all there was.
    /// `None` if nothing is.
    pub next_due_ms: Option<i64>,
}
