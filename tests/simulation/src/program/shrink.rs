use super::{Function, Handlers, Node, Program};

impl Program {
    /// Programs that are smaller by one step, those that lose most first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut programs = Vec::new();
        for (index, function) in self.functions.iter().enumerate() {
            for function in function.smaller() {
                let mut functions = self.functions.clone();
                functions[index] = function;
                programs.push(Self { functions });
            }
        }
        programs.sort_by_key(Self::size);
        programs
    }
}

impl Function {
    fn smaller(&self) -> Vec<Self> {
        let with_body = |body| Self { body, handler: self.handler.clone() };
        let with_handler = |handler| Self { body: self.body.clone(), handler };
        let mut functions: Vec<Self> = self.body.smaller().into_iter().map(with_body).collect();
        if let Some(handler) = &self.handler {
            functions.push(with_handler(None));
            functions.extend(handler.smaller().into_iter().map(|handler| with_handler(Some(handler))));
        }
        functions
    }
}

impl Node {
    fn smaller(&self) -> Vec<Self> {
        let mut nodes: Vec<Self> = self.children().into_iter().cloned().collect();
        match self {
            Self::Start(slot, node) => {
                nodes.extend(node.smaller().into_iter().map(|node| Self::Start(*slot, Box::new(node))));
            }
            Self::Repeat(times, node) => {
                nodes.extend((2..*times).map(|fewer| Self::Repeat(fewer, node.clone())));
                nodes.extend(node.smaller().into_iter().map(|node| Self::Repeat(*times, Box::new(node))));
            }
            Self::Changed(id, new, old) => {
                let smaller = |node: &Self| node.smaller().into_iter().map(Box::new);
                nodes.extend(smaller(new).map(|new| Self::Changed(*id, new, old.clone())));
                nodes.extend(smaller(old).map(|old| Self::Changed(*id, new.clone(), old)));
            }
            Self::Within(duration, node) => {
                nodes.extend(node.smaller().into_iter().map(|node| Self::Within(*duration, Box::new(node))));
            }
            Self::NonCancellable(node) => {
                nodes.extend(node.smaller().into_iter().map(|node| Self::NonCancellable(Box::new(node))));
            }
            Self::WhileSignal(name, node) => {
                nodes.extend(node.smaller().into_iter().map(|node| Self::WhileSignal(*name, Box::new(node))));
            }
            Self::CancelAfter(body, until) => {
                let smaller = |node: &Self| node.smaller().into_iter().map(Box::new);
                nodes.extend(smaller(body).map(|body| Self::CancelAfter(body, until.clone())));
                nodes.extend(smaller(until).map(|until| Self::CancelAfter(body.clone(), until)));
            }
            Self::Combine(combinator, list) => {
                nodes.extend(shorter(list).map(|list| Self::Combine(*combinator, list)));
            }
            Self::Sequence(list) => nodes.extend(shorter(list).map(Self::Sequence)),
            Self::Try(body, handlers) => {
                let bodies = body.smaller().into_iter();
                nodes.extend(bodies.map(|body| Self::Try(Box::new(body), handlers.clone())));
                nodes.extend(handlers.smaller().into_iter().map(|handlers| Self::Try(body.clone(), handlers)));
            }
            Self::If(condition, then, otherwise) => {
                let smaller = |node: &Self| node.smaller().into_iter().map(Box::new);
                nodes.extend(smaller(then).map(|then| Self::If(*condition, then, otherwise.clone())));
                nodes.extend(smaller(otherwise).map(|otherwise| Self::If(*condition, then.clone(), otherwise)));
            }
            _ => {}
        }
        nodes
    }
}

/// Lists without one of the nodes, then with a smaller one in its place. None of them is empty.
fn shorter(list: &[Node]) -> impl Iterator<Item = Vec<Node>> {
    let without = (0..list.len()).filter(|_| list.len() > 1).map(|index| {
        let mut shorter = list.to_vec();
        shorter.remove(index);
        shorter
    });
    let replaced = list.iter().enumerate().flat_map(move |(index, node)| {
        node.smaller().into_iter().map(move |node| {
            let mut changed = list.to_vec();
            changed[index] = node;
            changed
        })
    });
    without.chain(replaced)
}

impl Handlers {
    fn smaller(&self) -> Vec<Self> {
        let smaller = |node: &Node| node.smaller().into_iter().map(Box::new);
        match self {
            Self::Catch(node) => smaller(node).map(Self::Catch).collect(),
            Self::Finally(node) => smaller(node).map(Self::Finally).collect(),
            Self::Both(catch, finally) => {
                let mut handlers = vec![Self::Catch(catch.clone()), Self::Finally(finally.clone())];
                handlers.extend(smaller(catch).map(|catch| Self::Both(catch, finally.clone())));
                handlers.extend(smaller(finally).map(|finally| Self::Both(catch.clone(), finally)));
                handlers
            }
        }
    }
}
