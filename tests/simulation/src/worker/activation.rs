use flovyn_protocol::Payload;
use flovyn_replay::{Handle, Job, OperationError, Rejection};

use crate::{news, program::operation_name, workflow::Workflow, world::World};

/// What a worker has claimed, and where it stands in it.
pub(super) struct Activation<'p> {
    pub(super) life: usize,
    pub(super) workflow: Workflow<'p>,
    pub(super) token: Option<String>,
    /// Which claim of the execution this is.
    pub(super) claim: usize,
    pub(super) task_time_ms: i64,
    pub(super) running: Vec<Handle>,
    /// The claim after which it was kept, if it goes on from there.
    pub(super) kept_after: Option<usize>,
    /// The events that were held at the first job.
    pub(super) first: Option<usize>,
}

impl Activation<'_> {
    pub(super) fn held(&self) -> usize {
        self.workflow.engine(|engine| engine.last_sequence()) as usize
    }

    /// Whether it looks for what has happened while its operations run.
    pub(super) fn looks(&self, world: &mut World<'_>) -> bool {
        let has_news = world.lives[self.life].events.len() > self.held();
        if self.workflow.has_ended() || !world.chance.one_in(if has_news { 2 } else { 6 }) {
            return false;
        }
        if has_news {
            world.news.count(news::FOUND);
        }
        true
    }

    /// It was kept, and somebody else has gone on with the execution since.
    pub(super) fn is_outdated(&self, world: &World<'_>) -> bool {
        self.kept_after.is_some_and(|claim| world.lives[self.life].last_applied != claim)
    }

    /// Nobody has claimed the execution since.
    pub(super) fn is_last_claim(&self, world: &World<'_>) -> bool {
        world.lives[self.life].claims == self.claim
    }

    /// An operation that has a record is not run again.
    pub(super) fn start_operations(&mut self, world: &World<'_>) {
        let known = if self.is_last_claim(world) { world.lives[self.life].events.len() } else { self.held() };
        while let Some(handle) = self.workflow.engine(|engine| engine.poll_operation()) {
            let operation = self.workflow.operation(handle);
            let records = world.lives[self.life].records(&operation_name(operation.name), known);
            assert!(records <= operation.ordinal, "{operation:?} has a record and runs again");
            self.running.push(handle);
        }
    }

    pub(super) fn finish_one(&mut self, world: &mut World<'_>, worker: &str) -> bool {
        let Some(handle) = world.chance.take(&mut self.running) else { return false };
        let operation = self.workflow.operation(handle);
        let effect = world.new_effect();
        world.lives[self.life].effects.entry(operation).or_default().insert(effect);
        let result = if world.chance.one_in(4) {
            let (name, message) = ("Error".to_string(), effect.to_string());
            Err(OperationError { name, message, stack: None, retryable: None })
        } else {
            Ok(Payload::from_json(effect.to_string()).unwrap())
        };
        world.note(|| format!("{worker}: {operation:?} gives {effect}"));
        self.workflow.engine(|engine| engine.handle_operation_result(handle, result)).unwrap();
        true
    }

    /// What settles an operation is what that very operation gave, in this activation or in an earlier one.
    pub(super) fn check_effect(&self, world: &World<'_>, job: &Job) {
        let (handle, effect) = match job {
            Job::Resolve { handle, value } => (handle, value.as_json()),
            Job::Reject { handle, rejection: Rejection::OperationFailed(error) } => (handle, error.message.as_str()),
            _ => return,
        };
        let Some(operation) = self.workflow.find_operation(*handle) else { return };
        let effects = &world.lives[self.life].effects;
        let known = effects.get(&operation).is_some_and(|effects| effect.parse().is_ok_and(|e| effects.contains(&e)));
        assert!(known, "{operation:?} did not give {effect}");
    }
}
