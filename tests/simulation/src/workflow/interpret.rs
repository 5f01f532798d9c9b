use std::{future::Future, pin::Pin};

use super::{
    context::Context,
    promises::{Failure, FailureKind, PromiseId, Settled},
};
use crate::program::{Act, Call, Combinator, Condition, Handlers, Node};

/// Why a branch goes no further.
pub(crate) enum Exit {
    Failed(Failure),
    Returned(u64),
}

pub(crate) type Outcome = Result<u64, Exit>;

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What a branch or a function gives to whoever waits for it.
pub(crate) fn settled(outcome: Outcome) -> Settled {
    match outcome {
        Ok(value) | Err(Exit::Returned(value)) => Ok(value),
        Err(Exit::Failed(failure)) => Err(failure),
    }
}

pub(crate) fn run<'p>(context: Context<'p>, node: &'p Node) -> Pin<Box<dyn Future<Output = Outcome> + 'p>> {
    Box::pin(async move {
        match node {
            Node::Call(call) => {
                let promise = request(&context, *call)?;
                Ok(context.wait(promise).await?)
            }
            Node::Act(action) => act(&context, *action),
            Node::Start(slot, node) => {
                context.tally("start");
                let promise = begin(&context, node);
                context.remember(*slot, promise);
                Ok(0)
            }
            Node::Join(slot) => match context.remembered(*slot).filter(|promise| context.may_wait_for(*promise)) {
                Some(promise) => Ok(context.wait(promise).await?),
                None => Ok(0),
            },
            Node::Cancel(slot) => {
                if let Some(promise) = context.remembered(*slot) {
                    context.cancel(promise)?;
                }
                Ok(0)
            }
            Node::CancelAfter(body, until) => cancel_after(&context, body, until).await,
            Node::Within(duration, node) => within(&context, *duration, node).await,
            Node::NonCancellable(node) => {
                context.tally("nonCancellable");
                let scope = context.open_scope(false);
                run(context.of_scope(scope), node).await
            }
            Node::WhileSignal(name, node) => {
                context.tally("while signal");
                let mut value = 0;
                for _ in 0..ROUNDS_MAX {
                    if context.count_signals(*name)? == 0 {
                        break;
                    }
                    context.drain(*name)?;
                    value = run(context.clone(), node).await?;
                }
                Ok(value)
            }
            Node::Combine(combinator, nodes) => combine(&context, *combinator, nodes).await,
            Node::Sequence(nodes) => {
                let mut value = 0;
                for node in nodes {
                    value = run(context.clone(), node).await?;
                }
                Ok(value)
            }
            Node::Try(body, handlers) => attempt(&context, body, handlers).await,
            Node::Repeat(times, node) => {
                context.tally("repeat");
                let mut value = 0;
                for _ in 0..*times {
                    value = run(context.clone(), node).await?;
                }
                Ok(value)
            }
            Node::If(condition, then, otherwise) => {
                context.tally("if");
                let node = if holds(&context, *condition)? { then } else { otherwise };
                run(context.clone(), node).await
            }
            Node::Changed(id, new, old) => {
                context.tally("changed");
                let node = if context.takes_change(*id) { new } else { old };
                run(context.clone(), node).await
            }
            Node::Return => {
                context.tally("return");
                Err(Exit::Returned(context.so_far()))
            }
            Node::Throw => {
                context.tally("throw");
                Err(Exit::Failed(Failure { kind: FailureKind::Thrown, digest: context.so_far() }))
            }
        }
    })
}

/// A loop over signals ends after this many rounds, however many come.
const ROUNDS_MAX: usize = 3;

async fn cancel_after<'p>(context: &Context<'p>, body: &'p Node, until: &'p Node) -> Outcome {
    context.tally("cancel after");
    let scope = context.open_scope(true);
    let body = begin(&context.of_scope(scope), body);
    let outcome = run(context.clone(), until).await;
    context.cancel_scope(scope)?;
    let cancelled = context.wait(body).await;
    outcome?;
    Ok(cancelled?)
}

async fn within<'p>(context: &Context<'p>, duration: u8, node: &'p Node) -> Outcome {
    context.tally("within");
    let timer = context.timer(duration)?;
    let scope = context.open_scope(true);
    let body = begin(&context.of_scope(scope), node);
    let both = [body, timer];
    let settled = context.wait_until(move |promises| promises.first(&both, |_| true)).await;
    if context.is_settled(body) {
        context.cancel(timer)?;
        return Ok(settled?);
    }
    context.cancel_scope(scope)?;
    // The timer may have been cancelled, too.
    settled?;
    Err(Exit::Failed(Failure { kind: FailureKind::TimedOut, digest: context.so_far() }))
}

/// Begins a branch: a call is no more than its handle.
fn begin<'p>(context: &Context<'p>, node: &'p Node) -> PromiseId {
    if let Node::Call(call) = node
        && let Ok(promise) = request(context, *call)
    {
        return promise;
    }
    let promise = context.new_promise();
    let branch = context.of_branch(promise);
    context.begin_branch(async move {
        let outcome = run(branch.clone(), node).await;
        branch.settle_promise(promise, settled(outcome));
    });
    promise
}

fn request(context: &Context<'_>, call: Call) -> Result<PromiseId, Failure> {
    match call {
        Call::Task(kind) => context.task(kind),
        Call::Timer(duration) => context.timer(duration),
        Call::Promise(name) => context.promise(name),
        Call::Operation(name) => context.operation(name),
        Call::Child(function, name) => context.child(function, name),
        Call::Signal(name) => context.signal(name),
    }
}

fn act(context: &Context<'_>, act: Act) -> Outcome {
    Ok(match act {
        Act::Set(key) => context.set(key),
        Act::Clear(key) => context.clear(key),
        Act::ClearAll => context.clear_all(),
        Act::Get(key) => context.get(key),
        Act::Time => context.time(),
        Act::Random => context.random(),
        Act::Uuid => context.uuid(),
        Act::HasSignal(name) => context.has_signal(name),
        Act::CountSignals(name) => context.count_signals(name),
        Act::Drain(name) => context.drain(name),
        Act::Patched(id) => context.patched(id),
        Act::DeprecatePatch(id) => context.deprecate_patch(id),
        Act::CheckCancellation if context.is_cancelled() => {
            Err(Failure { kind: FailureKind::Cancelled, digest: context.so_far() })
        }
        Act::CheckCancellation => Ok(0),
    }?)
}

fn holds(context: &Context<'_>, condition: Condition) -> Result<bool, Failure> {
    Ok(match condition {
        Condition::EvenSoFar => context.so_far().is_multiple_of(2),
        Condition::IsSettled(slot) => context.remembered(slot).is_some_and(|promise| context.is_settled(promise)),
        Condition::HasSignal(name) => context.has_signal(name)? != 0,
        Condition::Patched(id) => context.patched(id)? != 0,
        Condition::IsCancelled => context.is_cancelled(),
    })
}

async fn combine<'p>(context: &Context<'p>, combinator: Combinator, nodes: &'p [Node]) -> Outcome {
    context.tally(match combinator {
        Combinator::All => "all",
        Combinator::Race => "race",
        Combinator::Any => "any",
        Combinator::AllSettled => "allSettled",
    });
    let ids: Vec<PromiseId> = nodes.iter().map(|node| begin(context, node)).collect();
    let value = context.wait_until(move |promises| {
        let all = || ids.iter().map(|id| promises.get(*id)).collect::<Option<Vec<_>>>();
        match combinator {
            Combinator::Race => promises.first(&ids, |_| true),
            Combinator::All => promises.first(&ids, Result::is_err).or_else(|| all().map(|all| Ok(fold(&all)))),
            Combinator::AllSettled => all().map(|all| Ok(fold(&all))),
            Combinator::Any => promises
                .first(&ids, Result::is_ok)
                .or_else(|| all().map(|all| Err(Failure { kind: FailureKind::Aggregate, digest: fold(&all) }))),
        }
    });
    Ok(value.await?)
}

/// One digest of many.
fn fold(settled: &[Settled]) -> u64 {
    settled.iter().fold(0, |all, one| {
        let digest = match one {
            Ok(value) => *value,
            Err(failure) => !failure.digest,
        };
        crate::chance::mix(all ^ digest)
    })
}

async fn attempt<'p>(context: &Context<'p>, body: &'p Node, handlers: &'p Handlers) -> Outcome {
    let (catch, finally) = match handlers {
        Handlers::Catch(catch) => (Some(catch), None),
        Handlers::Finally(finally) => (None, Some(finally)),
        Handlers::Both(catch, finally) => (Some(catch), Some(finally)),
    };
    let mut outcome = run(context.clone(), body).await;
    if let (Err(Exit::Failed(_)), Some(catch)) = (&outcome, catch) {
        context.tally("catch");
        outcome = run(context.clone(), catch).await;
    }
    if let Some(finally) = finally {
        context.tally("finally");
        run(context.clone(), finally).await?;
    }
    outcome
}
