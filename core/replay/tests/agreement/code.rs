use std::collections::{BTreeMap, BTreeSet};

use flovyn_protocol::Payload;
use flovyn_replay::{CreatePromise, Execution, Handle, Job, ReplayError, ScheduleTask, WorkflowFailure};

use crate::program::{Action, Program};

/// The workflow function: it interprets a program and writes down all that it is told and given.
pub(crate) struct Code<'a> {
    program: &'a Program,
    settled: BTreeSet<Handle>,
    ended: bool,
    /// The name of each operation, and how many of that name began before it.
    pub(crate) operations: BTreeMap<Handle, (String, usize)>,
    /// One line per turn.
    pub(crate) log: Vec<String>,
}

impl<'a> Code<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        let (operations, log) = (BTreeMap::new(), Vec::new());
        Self { program, settled: BTreeSet::new(), ended: false, operations, log }
    }

    pub(crate) fn turn(&mut self, execution: &mut Execution, job: &Job) -> Result<(), ReplayError> {
        assert!(!self.ended, "a job after the end: {job:?}");
        let (handle, told) = match job {
            Job::Start { input, .. } => (0, format!("start {input:?}")),
            Job::Resolve { handle, value } => (*handle, format!("resolve {handle} {value:?}")),
            Job::Reject { handle, rejection } => (*handle, format!("reject {handle} {rejection:?}")),
            job => panic!("nobody sends {job:?}"),
        };
        assert!(self.settled.insert(handle), "settled twice: {job:?}");
        let mut line = told;
        for action in self.program.0.get(handle as usize).into_iter().flatten() {
            line += &format!(" | {}", self.act(execution, action)?);
        }
        self.log.push(line);
        Ok(())
    }

    fn act(&mut self, execution: &mut Execution, action: &Action) -> Result<String, ReplayError> {
        Ok(match action {
            Action::Task(kind) => {
                let task = ScheduleTask { kind: format!("task-{kind}"), ..ScheduleTask::default() };
                format!("{:?}", execution.schedule_task(task)?)
            }
            Action::Timer => format!("timer {}", execution.start_timer(0, 1)?),
            Action::Promise(name) => {
                let promise = CreatePromise { name: format!("promise-{name}"), ..CreatePromise::default() };
                format!("promise {}", execution.create_promise(promise)?)
            }
            Action::Run(name) => self.run(execution, format!("run-{name}"))?,
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
            Action::IfSettled(handle, then) if self.settled.contains(handle) => self.act(execution, then)?,
            Action::IfSettled(handle, _) => format!("{handle} is pending"),
            Action::Complete | Action::Fail if self.ended => "ended".to_string(),
            Action::Complete => {
                self.ended = true;
                execution.complete(Payload::from_json(self.log.len().to_string()).unwrap())?;
                "complete".to_string()
            }
            Action::Fail => {
                self.ended = true;
                let (error, failure_type) = (format!("in turn {}", self.log.len()), "CODE_BUG".to_string());
                execution.fail(WorkflowFailure { error, stack_trace: String::new(), failure_type })?;
                "fail".to_string()
            }
        })
    }

    fn run(&mut self, execution: &mut Execution, name: String) -> Result<String, ReplayError> {
        let handle = execution.begin_operation(0, &name)?;
        let before = self.operations.values().filter(|(other, _)| *other == name).count();
        self.operations.insert(handle, (name, before));
        Ok(format!("run {handle}"))
    }
}
