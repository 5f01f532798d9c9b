//! The workflow function on top of the engine: it interprets a program.

mod context;
mod interpret;
mod promises;
mod verbs;

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{self, Poll, Waker},
};

use flovyn_replay::{Execution, Handle, Job, ReplayError};

pub(crate) use context::{Asked, Operation};
use context::{Context, digest};

use crate::{
    program::{Function, HANDLED_SIGNAL, Node, Version, signal_name},
    report::Tally,
};

/// One function that runs: it is told jobs and uses the verbs of its execution.
pub(crate) struct Workflow<'p> {
    context: Context<'p>,
    function: &'p Function,
    branches: Vec<Branch<'p>>,
}

/// A concurrent part of a function. As in JavaScript it goes on whether or not anybody waits for it.
type Branch<'p> = Pin<Box<dyn Future<Output = ()> + 'p>>;

impl<'p> Workflow<'p> {
    pub(crate) fn new(mut execution: Execution, version: Version, function: &'p Function) -> Self {
        if function.handler.is_some() {
            execution.set_signal_handlers([signal_name(HANDLED_SIGNAL).as_str()]).unwrap();
        }
        Self { context: Context::new(execution, version), function, branches: Vec::new() }
    }

    /// It does not look whether a task could be asked to stop: not all of its workers can.
    pub(crate) fn with_mixed_workers(self) -> Self {
        self.context.borrow_mut().is_mixed = true;
        self
    }

    /// Writes down all that it is told and asks for.
    pub(crate) fn with_notes(self) -> Self {
        self.context.borrow_mut().notes = Some(Vec::new());
        self
    }

    /// Counts the verbs and combinators that it comes by.
    pub(crate) fn with_tally(self) -> Self {
        self.context.borrow_mut().tally = Some(Tally::default());
        self
    }

    /// What the driver asks of the engine.
    pub(crate) fn engine<T>(&self, call: impl FnOnce(&mut Execution) -> T) -> T {
        call(&mut self.context.borrow_mut().execution)
    }

    /// Tells the function one thing and lets it run until nothing in it can move.
    pub(crate) fn turn(&mut self, job: Job) -> Result<(), ReplayError> {
        self.context.begin_turn(&job);
        match job {
            Job::Start { signals, .. } => {
                signals.iter().for_each(|_| self.handle_signal());
                self.start();
            }
            Job::Resolve { handle, value } => {
                self.context.check_signalled(handle);
                self.context.settle(handle, Ok(digest(value.as_json())));
            }
            Job::Reject { handle, rejection } => self.context.reject(handle, &rejection),
            Job::Signal { .. } => self.handle_signal(),
            Job::Cancel { handles, .. } => {
                self.context.check_cancelled(&handles);
                self.context.cancel_all(&handles);
            }
        }
        self.run_dry();
        self.context.end_turn()
    }

    fn start(&mut self) {
        let (context, function) = (self.context.clone(), &self.function.body);
        self.context.begin_branch(async move {
            let outcome = interpret::run(context.clone(), function).await;
            context.end(outcome);
        });
    }

    fn handle_signal(&mut self) {
        let handler: &'p Node = self.function.handler.as_ref().expect("a signal came for a handler that there is not");
        self.context.tally("handler");
        let context = self.context.of_branch(self.context.new_promise());
        self.context.begin_branch(async move {
            let _ = interpret::run(context, handler).await;
        });
    }

    fn run_dry(&mut self) {
        let mut waker = task::Context::from_waker(Waker::noop());
        loop {
            self.branches.append(&mut self.context.borrow_mut().begun);
            self.context.borrow_mut().progress = false;
            self.branches.retain_mut(|branch| branch.as_mut().poll(&mut waker) == Poll::Pending);
            let context = self.context.borrow();
            if !context.progress && context.begun.is_empty() {
                return;
            }
        }
    }

    /// The operation under a handle.
    pub(crate) fn operation(&self, handle: Handle) -> Operation {
        self.context.borrow().operations[&handle]
    }

    /// The operation under a handle, which may be that of something else.
    pub(crate) fn find_operation(&self, handle: Handle) -> Option<Operation> {
        self.context.borrow().operations.get(&handle).copied()
    }

    /// The function has ended; it is told nothing more.
    pub(crate) fn has_ended(&self) -> bool {
        self.context.borrow().has_ended
    }

    /// One digest for each turn so far: of the job and of all that its verbs gave.
    pub(crate) fn log(&self) -> Vec<u64> {
        self.context.borrow().log.clone()
    }

    /// Every command that it asked for, in order.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        mem::take(&mut self.context.borrow_mut().asked)
    }

    /// The notes since the last call, if they are taken.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        self.context.borrow_mut().notes.as_mut().map(mem::take).unwrap_or_default()
    }

    pub(crate) fn take_tally(&self) -> Tally {
        self.context.borrow_mut().tally.take().unwrap_or_default()
    }
}
