use super::{
    Act, Call, Combinator, Condition, DURATIONS_MS, Handlers, Node, PROMISE_TIMEOUTS_MS, Program, STATE_KEYS, Slot,
};
use crate::chance::Chance;

/// How deep functions are nested, and how much they may ask for: histories stay short enough to be replayed from
/// each of their prefixes.
const DEPTH: usize = 5;
const BUDGET: usize = 30;
const SLOTS: usize = 4;

impl Program {
    pub(crate) fn generate(chance: &mut Chance) -> Self {
        let mut generator = Generator { chance, budget: BUDGET };
        let body = generator.sequence(DEPTH);
        Self { functions: vec![body] }
    }
}

struct Generator<'a> {
    chance: &'a mut Chance,
    budget: usize,
}

impl Generator<'_> {
    fn node(&mut self, depth: usize) -> Node {
        if depth == 0 || self.budget == 0 {
            return self.leaf();
        }
        match self.chance.weighted(&[34, 14, 18, 8, 12, 5, 7, 8, 4]) {
            0 => Node::Call(self.call()),
            1 => Node::Act(self.act()),
            2 => self.combine(depth),
            3 => self.sequence(depth - 1),
            4 => self.attempt(depth),
            5 => self.repeat(depth),
            6 => Node::If(self.condition(), self.boxed(depth), self.boxed(depth)),
            7 => Node::Start(self.slot(), self.boxed(depth)),
            _ => self.exit(),
        }
    }

    fn leaf(&mut self) -> Node {
        match self.chance.weighted(&[6, 4, 2]) {
            0 => Node::Call(self.call()),
            1 => Node::Act(self.act()),
            _ => Node::Join(self.slot()),
        }
    }

    fn call(&mut self) -> Call {
        self.budget = self.budget.saturating_sub(1);
        match self.chance.weighted(&[5, 4, 3, 5]) {
            0 => Call::Task(self.small(3)),
            1 => Call::Timer(self.small(DURATIONS_MS.len())),
            2 => Call::Promise(self.small(PROMISE_TIMEOUTS_MS.len())),
            _ => Call::Operation(self.small(3)),
        }
    }

    fn act(&mut self) -> Act {
        self.budget = self.budget.saturating_sub(1);
        match self.chance.weighted(&[4, 2, 1, 2, 3, 2, 2]) {
            0 => Act::Set(self.key()),
            1 => Act::Clear(self.key()),
            2 => Act::ClearAll,
            3 => Act::Get(self.key()),
            4 => Act::Time,
            5 => Act::Random,
            _ => Act::Uuid,
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
        let budget = self.budget / usize::from(times);
        let rest = self.budget - budget;
        self.budget = budget;
        let body = self.boxed(depth);
        self.budget += rest.saturating_sub((budget - self.budget) * usize::from(times - 1));
        Node::Repeat(times, body)
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
        match self.chance.below(2) {
            0 => Condition::EvenSoFar,
            _ => Condition::IsSettled(self.slot()),
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

    fn slot(&mut self) -> Slot {
        self.small(SLOTS)
    }

    fn small(&mut self, bound: usize) -> u8 {
        self.chance.below(bound) as u8
    }
}
