use crate::{chance::Chance, report::Tally};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A worker is killed; its memory is gone.
    Crash,
    /// A worker hangs for longer than its lease.
    Hang,
    /// A submission does not arrive.
    RequestLost,
    /// The answer to a submission does not arrive.
    AnswerLost,
    /// A submission arrives twice.
    RequestDoubled,
    /// The answer to a poll does not arrive; the server notices.
    PollUndelivered,
    /// The answer to a poll does not arrive, and the server does not notice.
    PollLost,
    /// An attempt of a task fails.
    TaskFails,
    /// A task worker is killed.
    TaskCrash,
    /// A task worker hangs for longer than the attempt may take, and goes on then.
    TaskHangs,
    /// A task is completed again after it has ended.
    TaskDoubled,
    /// A promise is settled again.
    PromiseDoubled,
    /// An execution is asked to end.
    CancelRequested,
    /// A worker drops an execution that it kept.
    Evicted,
    /// A worker cannot go on with an execution, and gives its claim back.
    Parked,
    /// Every worker is replaced by one that runs the later version of the code.
    Upgrade,
}

pub(crate) const FAULTS: [Fault; 16] = [
    Fault::Crash,
    Fault::Hang,
    Fault::RequestLost,
    Fault::AnswerLost,
    Fault::RequestDoubled,
    Fault::PollUndelivered,
    Fault::PollLost,
    Fault::TaskFails,
    Fault::TaskCrash,
    Fault::TaskHangs,
    Fault::TaskDoubled,
    Fault::PromiseDoubled,
    Fault::CancelRequested,
    Fault::Evicted,
    Fault::Parked,
    Fault::Upgrade,
];

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::RequestLost => "request lost",
            Self::AnswerLost => "answer lost",
            Self::RequestDoubled => "request doubled",
            Self::PollUndelivered => "poll undelivered",
            Self::PollLost => "poll lost",
            Self::TaskFails => "task fails",
            Self::TaskCrash => "task crash",
            Self::TaskHangs => "task hangs",
            Self::TaskDoubled => "task doubled",
            Self::PromiseDoubled => "promise doubled",
            Self::CancelRequested => "cancel requested",
            Self::Evicted => "evicted",
            Self::Parked => "parked",
            Self::Upgrade => "upgrade",
        }
    }
}

/// Which faults a run may have: all of them, or fewer when a failure is being shrunk.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    pub(crate) kinds: Vec<Fault>,
    /// Only the first so many.
    pub(crate) count: usize,
}

impl Allowed {
    pub(crate) fn all() -> Self {
        Self { kinds: FAULTS.to_vec(), count: usize::MAX }
    }
}

/// Decides what goes wrong. It has a stream of choices of its own, so that what is not allowed changes nothing else.
pub(crate) struct Faults {
    allowed: Allowed,
    chance: Chance,
    pub(crate) injected: usize,
    pub(crate) tally: Tally,
    pub(crate) calm: bool,
}

impl Faults {
    pub(crate) fn new(allowed: Allowed, chance: Chance) -> Self {
        Self { allowed, chance, injected: 0, tally: Tally::default(), calm: false }
    }

    /// Whether this goes wrong now, once in so many times.
    pub(crate) fn strikes(&mut self, fault: Fault, once_in: usize) -> bool {
        if !self.chance.one_in(once_in) || self.calm || self.injected >= self.allowed.count {
            return false;
        }
        if !self.allowed.kinds.contains(&fault) {
            return false;
        }
        self.injected += 1;
        self.tally.count(fault.name());
        true
    }
}
