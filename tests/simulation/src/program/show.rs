use std::fmt::{Display, Formatter, Result};

use super::{
    Act, Call, Combinator, Condition, DURATIONS_MS, HANDLED_SIGNAL, Handlers, Node, PROMISE_TIMEOUTS_MS, Program,
};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, function) in self.functions.iter().enumerate() {
            writeln!(f, "workflow {index}:")?;
            show(f, &function.body, 1)?;
            if let Some(handler) = &function.handler {
                writeln!(f, "  handler of {}:", signal_name(HANDLED_SIGNAL))?;
                show(f, handler, 2)?;
            }
        }
        Ok(())
    }
}

/// As pseudo-code, one node per line where it has parts.
fn show(f: &mut Formatter<'_>, node: &Node, depth: usize) -> Result {
    let indent = "  ".repeat(depth);
    match node {
        Node::Call(call) => writeln!(f, "{indent}await {call}"),
        Node::Act(act) => writeln!(f, "{indent}{act}"),
        Node::Join(slot) => writeln!(f, "{indent}await branch[{slot}]"),
        Node::Return => writeln!(f, "{indent}return"),
        Node::Throw => writeln!(f, "{indent}throw"),
        Node::Start(slot, node) => block(f, &indent, &format!("branch[{slot}] = start"), &[node], depth),
        Node::Cancel(slot) => writeln!(f, "{indent}cancel branch[{slot}]"),
        Node::CancelAfter(body, until) => {
            block(f, &indent, "start in a scope", &[body], depth)?;
            block(f, &indent, "cancel it after", &[until], depth)
        }
        Node::Within(duration, node) => {
            let duration_ms = DURATIONS_MS[usize::from(*duration)];
            block(f, &indent, &format!("within {duration_ms} ms"), &[node], depth)
        }
        Node::NonCancellable(node) => block(f, &indent, "not cancellable", &[node], depth),
        Node::WhileSignal(name, node) => {
            block(f, &indent, &format!("while there is {}: drain", signal_name(*name)), &[node], depth)
        }
        Node::Combine(combinator, nodes) => block(f, &indent, &format!("await {combinator}"), nodes, depth),
        Node::Sequence(nodes) => block(f, &indent, "in order", nodes, depth),
        Node::Repeat(times, node) => block(f, &indent, &format!("repeat {times} times"), &[node], depth),
        Node::If(condition, then, otherwise) => {
            block(f, &indent, &format!("if {condition}"), &[then], depth)?;
            block(f, &indent, "else", &[otherwise], depth)
        }
        Node::Changed(id, new, old) => {
            block(f, &indent, &format!("later version, if patched {}", patch_id(*id)), &[new], depth)?;
            block(f, &indent, "else, and earlier version", &[old], depth)
        }
        Node::Try(body, handlers) => {
            block(f, &indent, "try", &[body], depth)?;
            if let Handlers::Catch(node) | Handlers::Both(node, _) = handlers {
                block(f, &indent, "catch", &[node], depth)?;
            }
            if let Handlers::Finally(node) | Handlers::Both(_, node) = handlers {
                block(f, &indent, "finally", &[node], depth)?;
            }
            Ok(())
        }
    }
}

fn block<'a>(
    f: &mut Formatter<'_>,
    indent: &str,
    head: &str,
    nodes: impl IntoIterator<Item = &'a (impl AsRef<Node> + 'a)>,
    depth: usize,
) -> Result {
    writeln!(f, "{indent}{head}:")?;
    nodes.into_iter().try_for_each(|node| show(f, node.as_ref(), depth + 1))
}

impl AsRef<Node> for Node {
    fn as_ref(&self) -> &Node {
        self
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Task(kind) => write!(f, "task {}", task_kind(*kind)),
            Self::Timer(duration) => write!(f, "timer of {} ms", DURATIONS_MS[usize::from(*duration)]),
            Self::Promise(name) => match PROMISE_TIMEOUTS_MS[usize::from(*name)] {
                Some(timeout_ms) => write!(f, "promise {} of {timeout_ms} ms", promise_name(*name)),
                None => write!(f, "promise {}", promise_name(*name)),
            },
            Self::Operation(name) => write!(f, "operation {}", operation_name(*name)),
            Self::Child(function, None) => write!(f, "child, workflow {function}"),
            Self::Child(function, Some(name)) => write!(f, "child named child-{name}, workflow {function}"),
            Self::Signal(name) => write!(f, "signal {}", signal_name(*name)),
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Set(key) => write!(f, "set {}", state_key(*key)),
            Self::Clear(key) => write!(f, "clear {}", state_key(*key)),
            Self::ClearAll => write!(f, "clear all"),
            Self::Get(key) => write!(f, "get {}", state_key(*key)),
            Self::Time => write!(f, "time"),
            Self::Random => write!(f, "random"),
            Self::Uuid => write!(f, "uuid"),
            Self::HasSignal(name) => write!(f, "has {}", signal_name(*name)),
            Self::CountSignals(name) => write!(f, "count {}", signal_name(*name)),
            Self::Drain(name) => write!(f, "drain {}", signal_name(*name)),
            Self::Patched(id) => write!(f, "patched {}", patch_id(*id)),
            Self::DeprecatePatch(id) => write!(f, "deprecate {}", patch_id(*id)),
            Self::CheckCancellation => write!(f, "check cancellation"),
        }
    }
}

impl Display for Combinator {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Race => "race",
            Self::Any => "any",
            Self::AllSettled => "allSettled",
        })
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::EvenSoFar => write!(f, "even so far"),
            Self::IsSettled(slot) => write!(f, "branch[{slot}] is settled"),
            Self::HasSignal(name) => write!(f, "there is {}", signal_name(*name)),
            Self::Patched(id) => write!(f, "patched {}", patch_id(*id)),
            Self::IsCancelled => write!(f, "cancelled"),
        }
    }
}

pub(crate) fn task_kind(kind: u8) -> String {
    format!("task-{kind}")
}

pub(crate) fn promise_name(name: u8) -> String {
    format!("promise-{name}")
}

pub(crate) fn operation_name(name: u8) -> String {
    format!("run-{name}")
}

pub(crate) fn state_key(key: u8) -> String {
    format!("key-{key}")
}

pub(crate) fn signal_name(name: u8) -> String {
    format!("signal-{name}")
}

pub(crate) fn patch_id(id: u8) -> String {
    format!("patch-{id}")
}
