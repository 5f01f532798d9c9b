use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flovyn_protocol::Payload;
use flovyn_replay::{
    CancelEffect, CreatePromise, Execution, Handle, Job, ReplayError, ScheduleTask, Scope, StartChild, WorkflowFailure,
};

use crate::program::{Action, Program};

/// The workflow function: it interprets a program and writes down all that it is told and given.
pub(crate) struct Code<'a> {
    program: &'a Program,
    settled: BTreeSet<Handle>,
    /// Settled in this turn; what the program does then is still to come.
    reacting: VecDeque<Handle>,
    scope: Scope,
    scopes: Scope,
    ended: bool,
    /// The name of each operation, and how many of that name began before it.
    pub(crate) operations: BTreeMap<Handle, (String, usize)>,
    /// One line per turn.
    pub(crate) log: Vec<String>,
}

/// Signals of this name have a handler.
pub(crate) const HANDLED: &str = "signal-handled";

impl<'a> Code<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self {
            program,
            settled: BTreeSet::new(),
            reacting: VecDeque::new(),
            scope: 0,
            scopes: 0,
            ended: false,
            operations: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn turn(&mut self, execution: &mut Execution, job: &Job) -> Result<(), ReplayError> {
        assert!(!self.ended, "a job after the end: {job:?}");
        let mut line = format!("{job:?}");
        match job {
            Job::Start { .. } => self.settle(0),
            Job::Resolve { handle, .. } | Job::Reject { handle, .. } => self.settle(*handle),
            Job::Signal { .. } => line += &format!(" | {:?}", execution.set_state("handled", Payload::null())?),
            Job::Cancel { handles, .. } => handles.iter().for_each(|handle| self.settle(*handle)),
        }
        while let Some(handle) = self.reacting.pop_front() {
            for action in self.program.0.get(handle as usize).into_iter().flatten() {
                line += &format!(" | {}", self.act(execution, action)?);
            }
        }
        self.log.push(line);
        Ok(())
    }

    fn settle(&mut self, handle: Handle) {
        assert!(self.settled.insert(handle), "settled twice: {handle}");
        self.reacting.push_back(handle);
    }

    fn act(&mut self, execution: &mut Execution, action: &Action) -> Result<String, ReplayError> {
        let scope = self.scope;
        Ok(match action {
            Action::Task(kind) => {
                let task = ScheduleTask { scope, kind: format!("task-{kind}"), ..ScheduleTask::default() };
                format!("{:?}", execution.schedule_task(task)?)
            }
            Action::Timer => format!("timer {}", execution.start_timer(scope, 1)?),
            Action::Promise(name) => {
                let promise = CreatePromise { scope, name: format!("promise-{name}"), ..CreatePromise::default() };
                format!("promise {}", execution.create_promise(promise)?)
            }
            Action::Child(kind) => {
                let child = StartChild { scope, kind: format!("child-{kind}"), ..StartChild::default() };
                format!("{:?}", execution.start_child(child)?)
            }
            Action::Run(name) => self.run(execution, format!("run-{name}"))?,
            Action::Wait(name) => {
                let awaited = execution.wait_for_signal(scope, &format!("signal-{name}"))?;
                if awaited.value.is_some() {
                    self.settle(awaited.handle);
                }
                format!("{awaited:?}")
            }
            Action::Drain(name) => format!("{:?}", execution.drain_signals(&format!("signal-{name}"))?),
            Action::Set(key) => {
                let value = Payload::from_json(self.log.len().to_string()).unwrap();
                execution.set_state(&format!("key-{key}"), value)?;
                format!("state {:?}", execution.state_keys()?)
            }
            Action::Clear(key) => {
                execution.clear_state(&format!("key-{key}"))?;
                format!("state {:?}", execution.state_keys()?)
            }
            Action::ClearAll => {
                execution.clear_all_state()?;
                "state []".to_string()
            }
            Action::Time => format!("time {}", execution.current_time_ms()?),
            Action::Random => format!("random {}", execution.random()?),
            Action::Uuid => format!("uuid {}", execution.random_uuid()?),
            Action::Patched(id) => format!("patched {}", execution.patched(&format!("patch-{id}"))?),
            Action::OpenScope { cancellable } => {
                self.scope = execution.open_scope(scope, *cancellable)?;
                self.scopes = self.scope;
                format!("scope {}", self.scope)
            }
            Action::Enter(number) => {
                self.scope = number % (self.scopes + 1);
                format!("enter {}", self.scope)
            }
            Action::CancelScope(number) => {
                let handles = execution.cancel_scope(number % (self.scopes + 1))?;
                handles.iter().for_each(|handle| self.settle(*handle));
                format!("cancelled {handles:?}")
            }
            Action::Cancel(handle) => self.cancel(execution, *handle)?,
            Action::IfSettled(handle, then) if self.settled.contains(handle) => self.act(execution, then)?,
            Action::IfSettled(handle, _) => format!("{handle} is pending"),
            Action::IfSignal(name, then) if execution.has_signal(&format!("signal-{name}"))? => {
                self.act(execution, then)?
            }
            Action::IfSignal(name, _) => format!("no signal {name}"),
            Action::Complete | Action::Fail | Action::CompleteCancelled if self.ended => "ended".to_string(),
            Action::Complete => {
                self.ended = true;
                execution.complete(Payload::from_json(self.log.len().to_string()).unwrap())?;
                "complete".to_string()
            }
            Action::CompleteCancelled => {
                self.ended = true;
                execution.complete_cancelled(format!("in turn {}", self.log.len()))?;
                "cancelled".to_string()
            }
            Action::Fail => {
                self.ended = true;
                let (error, failure_type) = (format!("in turn {}", self.log.len()), "CODE_BUG".to_string());
                execution.fail(WorkflowFailure { error, stack_trace: String::new(), failure_type })?;
                "fail".to_string()
            }
        })
    }

    fn cancel(&mut self, execution: &mut Execution, handle: Handle) -> Result<String, ReplayError> {
        match execution.cancel(handle, None) {
            Ok(CancelEffect::Rejected) => {
                self.settle(handle);
                Ok(format!("rejected {handle}"))
            }
            Err(ReplayError::Unsupported { .. }) => Ok(format!("cannot cancel {handle}")),
            effect => Ok(format!("{:?} {handle}", effect?)),
        }
    }

    fn run(&mut self, execution: &mut Execution, name: String) -> Result<String, ReplayError> {
        let handle = execution.begin_operation(self.scope, &name)?;
        let before = self.operations.values().filter(|(other, _)| *other == name).count();
        self.operations.insert(handle, (name, before));
        Ok(format!("run {handle}"))
    }
}
