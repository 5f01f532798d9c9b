use super::{
    Act, Call, Combinator, Condition, DURATIONS_MS, Function, Handlers, Node, PROMISE_TIMEOUTS_MS, Program,
    QUEUED_SIGNALS, STATE_KEYS, Slot, TASKS,
};
use crate::chance::Chance;

/// How deep functions are nested, and how much the first one may ask for: histories stay short enough to be replayed
/// from each of their prefixes.
const DEPTH: usize = 5;
const BUDGET: usize = 26;
const CHILD_BUDGET: usize = 6;
const HANDLER_BUDGET: usize = 2;
const SLOTS: usize = 4;
/// Changes have other patches than those that the code asks for in both versions.
const CHANGES: u8 = 2;
const CHILDREN_MAX: usize = 2;

impl Program {
    pub(crate) fn generate(chance: &mut Chance) -> Self {
        let count = 1 + chance.below(CHILDREN_MAX + 1);
        let functions = (0..count).map(|index| Function::generate(chance, index, count)).collect();
        Self { functions }
    }
}

impl Function {
    fn generate(chance: &mut Chance, index: usize, count: usize) -> Self {
        let budget = if index == 0 { BUDGET } else { CHILD_BUDGET };
        let depth = if index == 0 { DEPTH } else { 3 };
        let mut generator = Generator { chance, budget, later: index + 1..count };
        let body = generator.sequence(depth);
        generator.budget = HANDLER_BUDGET;
        let handler = generator.chance.one_in(3).then(|| generator.node(2));
        Self { body, handler }
    }
}

struct Generator<'a> {
    chance: &'a mut Chance,
    budget: usize,
    /// The functions that may be children.
    later: std::ops::Range<usize>,
}

impl Generator<'_> {
    fn node(&mut self, depth: usize) -> Node {
        if depth == 0 || self.budget == 0 {
            return self.leaf();
        }
        match self.chance.weighted(&[34, 16, 18, 8, 12, 5, 7, 9, 4, 4, 12, 6]) {
            0 => Node::Call(self.call()),
            1 => Node::Act(self.act()),
            2 => self.combine(depth),
            3 => self.sequence(depth - 1),
            4 => self.attempt(depth),
            5 => self.repeat(depth),
            6 => Node::If(self.condition(), self.boxed(depth), self.boxed(depth)),
            7 => Node::Start(self.slot(), self.boxed(depth)),
            8 => self.exit(),
            9 => Node::Cancel(self.slot()),
            10 => self.scope(depth),
            _ => Node::Changed(CHANGES + self.small(3), self.boxed(depth), self.boxed(depth)),
        }
    }

    fn leaf(&mut self) -> Node {
        match self.chance.weighted(&[6, 4, 2, 2]) {
            0 => Node::Call(self.call()),
            1 => Node::Act(self.act()),
            2 => Node::Join(self.slot()),
            _ => Node::Cancel(self.slot()),
        }
    }

    fn call(&mut self) -> Call {
        self.budget = self.budget.saturating_sub(1);
        match self.chance.weighted(&[5, 4, 3, 5, 2, 3]) {
            0 => self.task(),
            1 => Call::Timer(self.small(DURATIONS_MS.len())),
            2 => Call::Promise(self.small(PROMISE_TIMEOUTS_MS.len())),
            4 if !self.later.is_empty() => self.child(),
            5 => Call::Signal(self.signal()),
            _ => Call::Operation(self.small(3)),
        }
    }

    fn task(&mut self) -> Call {
        Call::Task(self.small(TASKS.len()))
    }

    fn child(&mut self) -> Call {
        self.budget = self.budget.saturating_sub(3);
        let function = self.later.start + self.chance.below(self.later.len());
        let name = self.chance.one_in(3).then(|| self.small(2));
        Call::Child(function as u8, name)
    }

    fn act(&mut self) -> Act {
        self.budget = self.budget.saturating_sub(1);
        match self.chance.weighted(&[4, 2, 2, 2, 3, 2, 2, 2, 1, 2, 2, 2, 1]) {
            0 => Act::Set(self.key()),
            1 => Act::Clear(self.key()),
            2 => Act::ClearAll,
            3 => Act::Get(self.key()),
            4 => Act::Time,
            5 => Act::Random,
            6 => Act::Uuid,
            7 => Act::HasSignal(self.signal()),
            8 => Act::CountSignals(self.signal()),
            9 => Act::Drain(self.signal()),
            10 => Act::Patched(self.small(2)),
            11 => Act::DeprecatePatch(self.small(2)),
            _ => Act::CheckCancellation,
        }
    }

    fn combine(&mut self, depth: usize) -> Node {
        let combinators = [Combinator::All, Combinator::Race, Combinator::Any, Combinator::AllSettled];
        let combinator = *self.chance.pick(&combinators);
        let count = 2 + self.chance.below(3);
        Node::Combine(combinator, self.list(count, depth - 1))
    }

    fn sequence(&mut self, depth: usize) -> Node {
        let count = 3 + self.chance.below(4);
        Node::Sequence(self.list(count, depth))
    }

    /// At least one, and no more than the budget lasts for.
    fn list(&mut self, count: usize, depth: usize) -> Vec<Node> {
        let mut nodes = vec![self.node(depth)];
        while nodes.len() < count && self.budget > 0 {
            nodes.push(self.node(depth));
        }
        nodes
    }

    /// What is repeated counts as often as it is.
    fn repeat(&mut self, depth: usize) -> Node {
        let times = 2 + self.small(2);
        let body = self.repeated(usize::from(times), depth);
        Node::Repeat(times, body)
    }

    fn repeated(&mut self, times: usize, depth: usize) -> Box<Node> {
        let budget = self.budget / times;
        let rest = self.budget - budget;
        self.budget = budget;
        let body = self.boxed(depth);
        self.budget += rest.saturating_sub((budget - self.budget) * (times - 1));
        body
    }

    fn scope(&mut self, depth: usize) -> Node {
        match self.chance.below(5) {
            0 => Node::CancelAfter(self.boxed(depth), self.boxed(depth)),
            1 => Node::Within(self.small(DURATIONS_MS.len()), self.boxed(depth)),
            2 => Node::NonCancellable(self.boxed(depth)),
            3 => Node::WhileSignal(self.signal(), self.repeated(2, depth)),
            _ => self.cancelled_call(depth),
        }
    }

    /// A handle that is cancelled a little later, if it still waits.
    fn cancelled_call(&mut self, depth: usize) -> Node {
        let slot = self.slot();
        let call = Node::Call(if self.chance.one_in(2) { self.task() } else { self.call() });
        Node::Sequence(vec![
            Node::Start(slot, Box::new(call)),
            self.node(depth - 1),
            Node::Cancel(slot),
            Node::Join(slot),
        ])
    }

    fn attempt(&mut self, depth: usize) -> Node {
        let body = self.boxed(depth);
        let handlers = match self.chance.below(3) {
            0 => Handlers::Catch(self.boxed(depth)),
            1 => Handlers::Finally(self.boxed(depth)),
            _ => Handlers::Both(self.boxed(depth), self.boxed(depth)),
        };
        Node::Try(body, handlers)
    }

    fn condition(&mut self) -> Condition {
        match self.chance.below(5) {
            0 => Condition::EvenSoFar,
            1 => Condition::IsSettled(self.slot()),
            2 => Condition::HasSignal(self.signal()),
            3 => Condition::Patched(self.small(2)),
            _ => Condition::IsCancelled,
        }
    }

    fn exit(&mut self) -> Node {
        if self.chance.one_in(3) { Node::Throw } else { Node::Return }
    }

    fn boxed(&mut self, depth: usize) -> Box<Node> {
        Box::new(self.node(depth - 1))
    }

    fn key(&mut self) -> u8 {
        self.small(usize::from(STATE_KEYS))
    }

    fn signal(&mut self) -> u8 {
        self.small(usize::from(QUEUED_SIGNALS))
    }

    fn slot(&mut self) -> Slot {
        self.small(SLOTS)
    }

    fn small(&mut self, bound: usize) -> u8 {
        self.chance.below(bound) as u8
    }
}
