//! Replicas: fresh executions that go through a history again.

use flovyn_protocol::{
    Payload,
    event::EventBody,
    messages::{WorkflowCommand, WorkflowEvent, workflow_command::CommandData},
};
use flovyn_replay::{Execution, ExecutionInfo, Handle, ReplayError, Submission};

use crate::{
    life::{Life, is_of_the_code},
    program::{Version, operation_name, patch_id, promise_name, state_key, task_kind},
    report::Tally,
    workflow::{Asked, Operation, Workflow},
    world::{World, kind},
};

const DAY_MS: i64 = 86_400_000;

/// What a worker knew of an execution when it made a submission.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) life: usize,
    /// The events that it held.
    pub(crate) held: usize,
    /// Those of them that it held when it began, if nothing had been submitted then: no record says so yet.
    pub(crate) first: Option<usize>,
    pub(crate) task_time_ms: i64,
    pub(crate) extended: bool,
}

/// An execution that holds no events yet.
pub(crate) fn open<'p>(world: &World<'p>, known: Known) -> Workflow<'p> {
    let Known { life, task_time_ms, extended, .. } = known;
    let Life { id, function, .. } = &world.lives[life];
    let info =
        ExecutionInfo { execution_id: id.clone(), kind: kind(*function), task_time_ms, extended, tolerant: false };
    let workflow = Workflow::new(Execution::new(info).unwrap(), world.version, &world.program.functions[*function]);
    let workflow = if world.is_mixed { workflow.with_mixed_workers() } else { workflow };
    if world.transcript.is_kept() { workflow.with_notes() } else { workflow }
}

/// Whoever replays what the worker held, and is given the results that the worker's operations had, makes the same
/// submission. So a worker that goes on from its cache does as one that does not, and one that takes over does as the
/// one that was killed.
pub(crate) fn check_submission(world: &World<'_>, known: Known, submission: &Submission, log: &[u64]) {
    let replica = Replica::of(world, known);
    let (workflow, ours) = replica.submit(&submission.commands);
    let agrees = ours.as_ref().is_ok_and(|ours| {
        ours.commands == submission.commands && ours.status == submission.status && workflow.log() == log
    });
    if agrees {
        return;
    }
    world.note(|| format!("  the replica that replays {} events:", known.held));
    workflow.take_notes().into_iter().for_each(|note| world.note(|| format!("    {note}")));
    match ours {
        Ok(ours) => panic!(
            "a replica submits something else:\n  the worker:  {}\n  the replica: {}",
            show(submission),
            show(&ours)
        ),
        Err(error) => panic!("a replica of what the worker holds fails: {error}"),
    }
}

/// The last event is the end: a replica asks for nothing but what the history has, in its order, and ends the same.
pub(crate) fn check_end(world: &World<'_>, life: usize, extended: bool, tally: &mut Tally) {
    let Life { events, bodies, log, version, ended_by_code, .. } = &world.lives[life];
    let task_time_ms = world.server.now_ms + DAY_MS;
    let known = Known { life, held: events.len(), first: None, task_time_ms, extended };
    let mut replica = Replica::of(world, known);
    replica.workflow = replica.workflow.with_tally();
    let (workflow, ours) = replica.submit(&[]);
    let problem = match ours {
        // It may go further than any worker did whose submission arrived.
        Ok(ours) if !ended_by_code && ours.commands.is_empty() => None,
        Err(error) => Some(format!("fails: {error}")),
        Ok(ours) if !ours.commands.is_empty() => Some(format!("asks for more: {}", show(&ours))),
        Ok(_) if *version == world.version && workflow.log() != *log => Some("is told other things".to_string()),
        Ok(_) => check_order(world, &workflow.take_asked(), bodies, extended),
    };
    if let Some(problem) = problem {
        world.note(|| "  the replica of the whole history:".to_string());
        workflow.take_notes().into_iter().for_each(|note| world.note(|| format!("    {note}")));
        panic!("a replica of the whole history {problem}");
    }
    tally.add(&workflow.take_tally());
}

/// All that the code asked for is in the history, once and in that order, and nothing else is.
fn check_order(world: &World<'_>, asked: &[Asked], bodies: &[EventBody], extended: bool) -> Option<String> {
    // Without the extension nobody can ask for the end of a task; with it later, it may be asked for or not.
    // The earlier version may have asked for a patch in a place that the later one does not come by.
    let counts = |asked: &&Asked| match asked {
        Asked::CancelTask => extended && !world.is_mixed,
        Asked::Patch(_) => world.version == Version::Earlier,
        _ => true,
    };
    let asked: Vec<&Asked> = asked.iter().filter(counts).collect();
    let found = bodies.iter().filter(|body| is_of_the_code(body)).filter_map(Found::of);
    let counts = |found: &Found<'_>| match found {
        Found::CancelTask => !world.is_mixed,
        Found::Patch(_) => world.version == Version::Earlier,
        _ => true,
    };
    let found: Vec<Found<'_>> = found.filter(counts).collect();
    let differs = (0..asked.len().max(found.len())).find(|index| match (asked.get(*index), found.get(*index)) {
        (Some(asked), Some(found)) => !found.is(**asked),
        _ => true,
    })?;
    Some(format!("asked for {:?} where the history has {:?}", asked.get(differs), found.get(differs)))
}

/// A command event.
#[derive(Debug)]
enum Found<'a> {
    Task(&'a str),
    Timer(&'a str),
    Promise(&'a str),
    Set(&'a str),
    Clear(&'a str),
    Time,
    Child,
    CancelTimer(&'a str),
    CancelTask,
    CancelChild,
    Patch(&'a str),
}

impl<'a> Found<'a> {
    fn of(body: &'a EventBody) -> Option<Self> {
        Some(match body {
            EventBody::TaskScheduled { kind, .. } => Self::Task(kind),
            EventBody::TimerStarted { timer_id, .. } => Self::Timer(timer_id),
            EventBody::PromiseCreated { name, .. } => Self::Promise(name),
            EventBody::StateSet { key, .. } => Self::Set(key),
            EventBody::StateCleared { key } => Self::Clear(key),
            EventBody::OperationCompleted { name, .. } if name == "$time" => Self::Time,
            EventBody::OperationCompleted { name, .. } if name.starts_with("$cancel:") => Self::CancelChild,
            EventBody::OperationCompleted { name, .. } => Self::Patch(name.strip_prefix("$patch:")?),
            EventBody::ChildWorkflowInitiated { .. } => Self::Child,
            EventBody::TimerCancelled { timer_id } => Self::CancelTimer(timer_id),
            EventBody::TaskCancellationRequested { .. } => Self::CancelTask,
            EventBody::ChildWorkflowCancellationRequested { .. } => Self::CancelChild,
            _ => return None,
        })
    }

    fn is(&self, asked: Asked) -> bool {
        match (self, asked) {
            (Self::Task(found), Asked::Task(kind)) => *found == task_kind(kind),
            (Self::Timer(found), Asked::Timer(index)) => *found == format!("timer-{index}"),
            (Self::Promise(found), Asked::Promise(name)) => *found == promise_name(name),
            (Self::Set(found), Asked::Set(key)) | (Self::Clear(found), Asked::Clear(key)) => *found == state_key(key),
            (Self::CancelTimer(found), Asked::CancelTimer(index)) => *found == format!("timer-{index}"),
            (Self::Patch(found), Asked::Patch(id)) => *found == patch_id(id),
            (Self::Time, Asked::Time)
            | (Self::Child, Asked::Child)
            | (Self::CancelTask, Asked::CancelTask)
            | (Self::CancelChild, Asked::CancelChild) => true,
            _ => false,
        }
    }
}

struct Replica<'w, 'p> {
    workflow: Workflow<'p>,
    known: Known,
    /// The events that it holds.
    held: usize,
    events: &'w [WorkflowEvent],
    started: Vec<(Handle, Operation)>,
}

impl<'w, 'p> Replica<'w, 'p> {
    fn of(world: &'w World<'p>, known: Known) -> Self {
        let events = &world.lives[known.life].events;
        Self { workflow: open(world, known), known, held: 0, events, started: Vec::new() }
    }

    /// Goes on until it submits. Its operations are not run: they give what these records say, in their order.
    fn submit(mut self, records: &[WorkflowCommand]) -> (Workflow<'p>, Result<Submission, ReplayError>) {
        let submission = self.run(records);
        let submission = submission.and_then(|()| self.workflow.engine(|engine| engine.take_submission(None)));
        (self.workflow, submission)
    }

    fn run(&mut self, records: &[WorkflowCommand]) -> Result<(), ReplayError> {
        let Known { held, first, extended, .. } = self.known;
        if let Some(first) = first {
            self.hold(first)?;
        }
        if extended {
            self.hold(held)?;
        }
        for command in records {
            let Some(CommandData::RecordOperation(record)) = &command.command_data else { continue };
            match record.operation_name.as_str() {
                // A worker without the extension says what it held when the operation settled.
                "$seen" if !extended => self.hold(number(&record.result))?,
                name if name.starts_with('$') => {}
                name => self.settle(name, &record.result)?,
            }
        }
        self.hold(held)
    }

    /// Takes in what is missing of so many events.
    fn hold(&mut self, count: usize) -> Result<(), ReplayError> {
        let events = self.events.get(self.held..count).unwrap_or_default();
        self.held = self.held.max(count);
        // Nothing more is told to a function that has ended.
        if !events.is_empty() && !self.workflow.has_ended() {
            self.workflow.engine(|engine| engine.handle_events(events))?;
        }
        self.run_dry()
    }

    fn settle(&mut self, name: &str, result: &[u8]) -> Result<(), ReplayError> {
        let index = self.started.iter().position(|(_, operation)| operation_name(operation.name) == name);
        let Some(index) = index else { panic!("a replica has not started operation {name}, which the worker records") };
        let (handle, _) = self.started.remove(index);
        let result = Ok(Payload::from_bytes(result).unwrap());
        self.workflow.engine(|engine| engine.handle_operation_result(handle, result))?;
        self.run_dry()
    }

    fn run_dry(&mut self) -> Result<(), ReplayError> {
        while let Some(job) = self.workflow.engine(|engine| engine.poll_job())? {
            self.workflow.turn(job)?;
        }
        while let Some(handle) = self.workflow.engine(|engine| engine.poll_operation()) {
            self.started.push((handle, self.workflow.operation(handle)));
        }
        Ok(())
    }
}

fn number(json: &[u8]) -> usize {
    String::from_utf8_lossy(json).parse().unwrap()
}

pub(crate) fn show(submission: &Submission) -> String {
    let commands: Vec<String> = submission.commands.iter().map(flovyn_replay::describe).collect();
    format!("{:?} [{}]", submission.status, commands.join(", "))
}
