//! Workflows as data.

mod generate;
mod show;
mod shrink;

pub(crate) use show::{operation_name, patch_id, promise_name, signal_name, state_key, task_kind};

/// The function of the root execution, and those of its children, which start only later ones of the list.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) functions: Vec<Function>,
}

/// A workflow function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) body: Node,
    /// What the handler of [`HANDLED_SIGNAL`] does, if there is one.
    pub(crate) handler: Option<Node>,
}

/// A workflow function, or a part of one. Each gives a value, fails, or ends the branch that it is in.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Asks for something and waits for it.
    Call(Call),
    /// Asks for something that is there at once.
    Act(Act),
    /// Begins a branch and does not wait for it.
    Start(Slot, Box<Node>),
    /// Waits for a branch that was begun, if it was.
    Join(Slot),
    /// Cancels the handle of a branch that is no more than a call.
    Cancel(Slot),
    /// Begins the first in a scope of its own, does the second, and cancels the scope.
    CancelAfter(Box<Node>, Box<Node>),
    /// Does it in a scope of its own, for at most as long as the timer of this number.
    Within(u8, Box<Node>),
    /// Does it in a scope that is not cancelled with the one around it.
    NonCancellable(Box<Node>),
    /// Goes on as long as a signal is queued, and takes all there are each time.
    WhileSignal(u8, Box<Node>),
    /// Waits for several branches.
    Combine(Combinator, Vec<Node>),
    Sequence(Vec<Node>),
    Try(Box<Node>, Handlers),
    Repeat(u8, Box<Node>),
    If(Condition, Box<Node>, Box<Node>),
    /// A change of the code: the later version does the first where the execution was not there before, the earlier one
    /// does the second.
    Changed(u8, Box<Node>, Box<Node>),
    Return,
    Throw,
}

/// Where a branch is remembered that nobody waits for yet.
pub(crate) type Slot = u8;

/// What is asked of the world; the numbers are kinds, names and durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Task(u8),
    Timer(u8),
    Promise(u8),
    Operation(u8),
    /// A child that runs the function of this number; by hand it is given one of two names.
    Child(u8, Option<u8>),
    Signal(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Set(u8),
    Clear(u8),
    ClearAll,
    Get(u8),
    Time,
    Random,
    Uuid,
    HasSignal(u8),
    CountSignals(u8),
    Drain(u8),
    Patched(u8),
    DeprecatePatch(u8),
    /// Fails if the execution was asked to end.
    CheckCancellation,
}

/// As in JavaScript: the losers go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combinator {
    All,
    Race,
    Any,
    AllSettled,
}

#[derive(Clone, Debug)]
pub(crate) enum Handlers {
    Catch(Box<Node>),
    Finally(Box<Node>),
    Both(Box<Node>, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// What the function was told so far makes an even number.
    EvenSoFar,
    /// The branch has ended.
    IsSettled(Slot),
    HasSignal(u8),
    Patched(u8),
    IsCancelled,
}

/// How long timers take, by their number.
pub(crate) const DURATIONS_MS: [i64; 6] = [0, 50, 1_000, 20_000, 90_000, 3_600_000];

/// What a task and its attempts may take, in milliseconds; `None` is for ever.
pub(crate) struct TaskLimits {
    pub(crate) whole_ms: Option<i64>,
    pub(crate) attempt_ms: Option<i64>,
    pub(crate) silence_ms: Option<i64>,
}

const UNLIMITED: TaskLimits = TaskLimits { whole_ms: None, attempt_ms: None, silence_ms: None };

/// The limits of tasks, by their kind. Those with limits are tried once.
pub(crate) const TASKS: [TaskLimits; 6] = [
    UNLIMITED,
    UNLIMITED,
    UNLIMITED,
    TaskLimits { whole_ms: Some(20_000), ..UNLIMITED },
    TaskLimits { attempt_ms: Some(5_000), ..UNLIMITED },
    TaskLimits { silence_ms: Some(2_000), ..UNLIMITED },
];

/// How long promises wait, by their number; `None` is for ever.
pub(crate) const PROMISE_TIMEOUTS_MS: [Option<i64>; 4] = [None, None, Some(5_000), Some(120_000)];

/// The version of the code of all functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Earlier,
    Later,
}

/// How many keys of state there are.
pub(crate) const STATE_KEYS: u8 = 3;

/// The signals that are queued; the next one is for handlers.
pub(crate) const QUEUED_SIGNALS: u8 = 2;
pub(crate) const HANDLED_SIGNAL: u8 = QUEUED_SIGNALS;

impl Program {
    /// How many nodes there are.
    pub(crate) fn size(&self) -> usize {
        self.functions.iter().map(Function::size).sum()
    }
}

impl Function {
    fn size(&self) -> usize {
        self.body.size() + self.handler.as_ref().map_or(0, Node::size)
    }
}

impl Node {
    pub(crate) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Start(_, node)
            | Self::Repeat(_, node)
            | Self::Within(_, node)
            | Self::NonCancellable(node)
            | Self::WhileSignal(_, node) => vec![node],
            Self::CancelAfter(body, until) => vec![body, until],
            Self::Combine(_, nodes) | Self::Sequence(nodes) => nodes.iter().collect(),
            Self::Try(body, Handlers::Catch(node) | Handlers::Finally(node)) => vec![body, node],
            Self::Try(body, Handlers::Both(catch, finally)) => vec![body, catch, finally],
            Self::If(_, then, otherwise) | Self::Changed(_, then, otherwise) => vec![then, otherwise],
            _ => Vec::new(),
        }
    }

    fn size(&self) -> usize {
        1 + self.children().into_iter().map(Self::size).sum::<usize>()
    }
}
