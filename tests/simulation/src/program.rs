//! Workflows as data.

mod generate;
mod show;
mod shrink;

pub(crate) use show::{operation_name, promise_name, state_key, task_kind};

/// The function of the root execution, and those of its children, which start only later ones of the list.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) functions: Vec<Node>,
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
    /// Waits for several branches.
    Combine(Combinator, Vec<Node>),
    Sequence(Vec<Node>),
    Try(Box<Node>, Handlers),
    Repeat(u8, Box<Node>),
    If(Condition, Box<Node>, Box<Node>),
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
}

/// How long timers take, by their number.
pub(crate) const DURATIONS_MS: [i64; 6] = [0, 50, 1_000, 20_000, 90_000, 3_600_000];

/// How long promises wait, by their number; `None` is for ever.
pub(crate) const PROMISE_TIMEOUTS_MS: [Option<i64>; 4] = [None, None, Some(5_000), Some(120_000)];

/// How many keys of state there are.
pub(crate) const STATE_KEYS: u8 = 3;

impl Program {
    /// How many nodes there are.
    pub(crate) fn size(&self) -> usize {
        self.functions.iter().map(Node::size).sum()
    }
}

impl Node {
    pub(crate) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Start(_, node) | Self::Repeat(_, node) => vec![node],
            Self::Combine(_, nodes) | Self::Sequence(nodes) => nodes.iter().collect(),
            Self::Try(body, Handlers::Catch(node) | Handlers::Finally(node)) => vec![body, node],
            Self::Try(body, Handlers::Both(catch, finally)) => vec![body, catch, finally],
            Self::If(_, then, otherwise) => vec![then, otherwise],
            _ => Vec::new(),
        }
    }

    fn size(&self) -> usize {
        1 + self.children().into_iter().map(Self::size).sum::<usize>()
    }
}
