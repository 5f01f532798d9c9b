mod activation;
mod polls;

use std::collections::BTreeMap;

use flovyn_orchestrator::{Attempt, Code, Park};
use flovyn_protocol::messages::{
    GetEventsRequest, GetEventsResponse, PollResponse, QueryTask, SubmitWorkflowCommandsRequest, WorkflowEvent,
    WorkflowStatus,
    ext::{ReleaseClaimRequest, RenewClaimRequest, RenewClaimResponse},
};
use flovyn_replay::{ReplayError, Resumption, Step, Submission};

use activation::Activation;

use crate::{
    faults::Fault,
    network::{Answered, Flight},
    replica::{self, Known},
    server::{Caller, EXTENDED, PLAIN},
    workflow::Workflow,
    world::World,
};

pub(crate) const POLL: &str = "/flovyn.v1.WorkflowDispatch/PollWorkflow";

/// A process that runs workflows. Each step of it is one thing that could be its last.
pub(crate) struct Worker<'p> {
    number: usize,
    /// How often it was killed; a new process has a new name.
    deaths: usize,
    manner: Manner,
    /// It has said what it runs.
    is_registered: bool,
    /// The executions that it keeps to go on with.
    kept: BTreeMap<usize, Kept<'p>>,
    state: State<'p>,
    asks_anew: Option<Attempt>,
}

/// What a worker knows to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// It knows our extension.
    pub(crate) extended: bool,
    /// It keeps suspended executions.
    pub(crate) keeps: bool,
    /// It answers queries.
    pub(crate) answers: bool,
}

struct Kept<'p> {
    workflow: Workflow<'p>,
    /// The claim under which it was suspended.
    claim: usize,
}

enum State<'p> {
    Idle,
    /// Its poll waits at the server.
    Parked(Park, Attempt),
    /// It has a query.
    Answering(QueryTask),
    /// Events are to be fetched.
    Loading(Activation<'p>),
    Running(Activation<'p>),
    /// A submission is under way; it is kept to be sent again.
    Sending(Activation<'p>, Box<SubmitWorkflowCommandsRequest>, u64),
}

impl<'p> Worker<'p> {
    pub(crate) fn new(number: usize, manner: Manner) -> Self {
        let kept = BTreeMap::new();
        Self { number, deaths: 0, manner, is_registered: false, kept, state: State::Idle, asks_anew: None }
    }

    fn name(&self) -> String {
        format!("worker-{}-{}", self.number, self.deaths)
    }

    fn caller(&self) -> Caller<'static> {
        if self.manner.extended { EXTENDED } else { PLAIN }
    }

    /// It has an execution.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle | State::Parked(..))
    }

    /// A worker without our extension cannot be told from the one that has its claim now. It has to be dead then.
    pub(crate) fn has_lost_claim(&self, world: &mut World<'p>) -> bool {
        let (State::Loading(activation) | State::Running(activation) | State::Sending(activation, ..)) = &self.state
        else {
            return false;
        };
        let life = &world.lives[activation.life];
        // The last submission ends the claim.
        let may_have_ended = matches!(self.state, State::Sending(..));
        let is_another = life.claims != activation.claim;
        !self.manner.extended
            && (is_another || !may_have_ended && world.server.is_current(&life.id, None) == Some(false))
    }

    /// It is alive though it does not call.
    pub(crate) fn show_life(&self, world: &mut World<'p>) {
        if self.is_busy() && !self.manner.extended {
            world.server.sign_of_life(&self.name());
        }
    }

    /// Does one thing; `false` if there is nothing to do.
    pub(crate) fn step(&mut self, world: &mut World<'p>) -> bool {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => self.poll(world),
            State::Parked(park, attempt) => self.wait(world, park, attempt),
            State::Loading(activation) | State::Running(activation) if self.parks(world, &activation) => true,
            State::Loading(activation) => {
                self.load(world, activation);
                true
            }
            State::Running(activation) => {
                self.run(world, activation);
                true
            }
            State::Answering(query) => {
                self.answer(world, query);
                true
            }
            State::Sending(activation, request, flight) => self.receive(world, activation, request, flight),
        }
    }

    /// It is killed, and starts again with nothing in its memory.
    pub(crate) fn crash(&mut self, world: &mut World<'p>) {
        world.note(|| format!("{} is killed", self.name()));
        if let State::Sending(_, _, flight) = self.state {
            world.network.abandon(flight);
        }
        self.deaths += 1;
        self.is_registered = false;
        self.kept.clear();
        self.state = State::Idle;
        self.asks_anew = None;
    }

    /// Goes on with an execution that it keeps, or begins with its history.
    fn open(&mut self, world: &mut World<'p>, response: PollResponse) {
        let claim = world.claim(&response);
        let described = response.workflow_execution.unwrap_or_default();
        let life = world.life(&described.id);
        let (task_time_ms, extended) = (described.workflow_task_time_millis, self.manner.extended);
        world.note(|| format!("{} claims execution {life} at event {}", self.name(), described.current_sequence));
        let kept = self.kept.remove(&life).filter(|_| !world.faults.strikes(Fault::Evicted, 3));
        let kept_after = kept.as_ref().map(|kept| kept.claim);
        let workflow = match kept {
            Some(Kept { workflow, .. }) => {
                world.note(|| format!("{} has kept it", self.name()));
                workflow.engine(|engine| engine.resume(Resumption { task_time_ms, extended })).unwrap();
                workflow
            }
            None => replica::open(world, Known { life, held: 0, first: None, task_time_ms, extended }),
        };
        let token = extended.then_some(response.claim_token);
        let running = Vec::new();
        let activation = Activation { life, workflow, token, claim, task_time_ms, running, kept_after, first: None };
        // The answer may begin where the worker does not stand.
        let fits = extended && response.after_sequence as usize <= activation.held();
        let events = if fits { &*response.events } else { &[] };
        self.take_in(world, activation, events, response.has_more_events || !fits);
    }

    fn load(&mut self, world: &mut World<'p>, activation: Activation<'p>) {
        let request = GetEventsRequest {
            workflow_execution_id: world.lives[activation.life].id.clone(),
            after_sequence: activation.held() as i32,
            ..GetEventsRequest::default()
        };
        let page: GetEventsResponse =
            world.server.ask(self.caller(), "/flovyn.v1.WorkflowDispatch/GetEvents", &request).unwrap();
        self.take_in(world, activation, &page.events, page.has_more);
    }

    fn take_in(&mut self, world: &World<'p>, mut activation: Activation<'p>, events: &[WorkflowEvent], more: bool) {
        match activation.workflow.engine(|engine| engine.handle_events(events)) {
            Err(ReplayError::Stale { .. }) if activation.is_outdated(world) => self.begin_again(world, activation),
            taken if self.goes_on(world, &activation, &taken) => {
                if !more {
                    activation.first.get_or_insert(activation.held());
                }
                self.state = if more { State::Loading(activation) } else { State::Running(activation) };
            }
            _ => {}
        }
    }

    /// Somebody else had the execution after it was kept.
    fn begin_again(&mut self, world: &World<'p>, activation: Activation<'p>) {
        world.note(|| format!("{} has kept what is outdated, and begins again", self.name()));
        let Activation { life, task_time_ms, .. } = activation;
        let known = Known { life, held: 0, first: None, task_time_ms, extended: self.manner.extended };
        let workflow = replica::open(world, known);
        self.state = State::Loading(Activation { workflow, kept_after: None, first: None, ..activation });
    }

    /// Nothing may go wrong in the engine but that somebody else has the execution meanwhile.
    fn goes_on(&self, world: &World<'p>, activation: &Activation<'p>, result: &Result<(), ReplayError>) -> bool {
        activation.workflow.take_notes().into_iter().for_each(|note| world.note(|| format!("  {note}")));
        match result {
            Ok(()) => true,
            Err(ReplayError::Stale { .. }) if !activation.is_last_claim(world) => false,
            // The server has ended it meanwhile.
            Err(ReplayError::Stale { .. }) if world.lives[activation.life].is_ended_by_server() => false,
            Err(error) => panic!("{} fails: {error}", self.name()),
        }
    }

    fn run(&mut self, world: &mut World<'p>, mut activation: Activation<'p>) {
        if activation.token.is_some() && world.chance.one_in(25) && !self.renew(world, &activation) {
            return;
        }
        if world.chance.one_in(5) {
            activation.finish_one(world, &self.name());
        }
        match activation.workflow.engine(|engine| engine.poll_job()) {
            Ok(Some(job)) => {
                activation.check_effect(world, &job);
                world.note(|| format!("{} goes on:", self.name()));
                let turn = activation.workflow.turn(job);
                if self.goes_on(world, &activation, &turn) {
                    self.state = State::Running(activation);
                }
            }
            Ok(None) => self.act(world, activation),
            Err(ReplayError::Stale { .. }) if activation.is_outdated(world) => self.begin_again(world, activation),
            Err(error) => {
                self.goes_on(world, &activation, &Err(error));
            }
        }
    }

    /// No job is left.
    fn act(&mut self, world: &mut World<'p>, mut activation: Activation<'p>) {
        activation.start_operations(world);
        match activation.workflow.engine(|engine| engine.next_step()) {
            Step::StartOperations => panic!("an operation was not given to be started"),
            Step::PollJob => self.state = State::Running(activation),
            Step::AwaitOperation if activation.looks(world) => self.state = State::Loading(activation),
            Step::AwaitOperation => {
                activation.finish_one(world, &self.name());
                self.state = State::Running(activation);
            }
            Step::SubmitPartial | Step::SubmitFinal => self.submit(world, activation),
        }
    }

    fn submit(&mut self, world: &mut World<'p>, mut activation: Activation<'p>) {
        while world.chance.one_in(3) && activation.finish_one(world, &self.name()) {}
        let held = activation.held();
        let submission = activation.workflow.engine(|engine| engine.take_submission(None)).unwrap();
        world.note(|| format!("{} submits {}", self.name(), replica::show(&submission)));
        let (life, task_time_ms, extended) = (activation.life, activation.task_time_ms, self.manner.extended);
        let first = activation.first.filter(|_| !world.lives[life].has_commands(held));
        let known = Known { life, held, first, task_time_ms, extended };
        replica::check_submission(world, known, &submission, &activation.workflow.log());
        let Submission { commands, status, submission_number, after_sequence } = submission;
        let request = SubmitWorkflowCommandsRequest {
            workflow_execution_id: world.lives[life].id.clone(),
            commands,
            status: status.into(),
            submission_number,
            after_sequence,
            poll: (extended && world.chance.one_in(2)).then(|| self.poll_request()),
        };
        self.send(world, activation, Box::new(request));
    }

    fn send(&mut self, world: &mut World<'p>, activation: Activation<'p>, request: Box<SubmitWorkflowCommandsRequest>) {
        let flight = world.network.send(Flight {
            worker: self.name(),
            life: activation.life,
            request: (*request).clone(),
            token: activation.token.clone(),
            claim: activation.claim,
            held: activation.held(),
            log: activation.workflow.log(),
            version: world.version,
        });
        self.state = State::Sending(activation, request, flight);
    }

    fn receive(
        &mut self,
        world: &mut World<'p>,
        mut activation: Activation<'p>,
        request: Box<SubmitWorkflowCommandsRequest>,
        flight: u64,
    ) -> bool {
        match world.network.take_answer(flight) {
            None => {
                // An operation may finish while the submission is under way.
                let finished = request.status() == WorkflowStatus::Running
                    && world.chance.one_in(4)
                    && activation.finish_one(world, &self.name());
                self.state = State::Sending(activation, request, flight);
                return finished;
            }
            // Only what is numbered is sent again.
            Some(Answered::Lost) if self.manner.extended => self.send(world, activation, request),
            Some(Answered::Lost) => {}
            Some(Answered::Refused(status)) => assert_eq!(status.code, Code::FailedPrecondition, "{status}"),
            Some(Answered::Accepted(response)) if request.status() == WorkflowStatus::Running => {
                self.take_in(world, activation, &response.events, response.has_more_events);
            }
            Some(Answered::Accepted(response)) => {
                if self.manner.keeps && request.status() == WorkflowStatus::Suspended {
                    let Activation { life, workflow, claim, .. } = activation;
                    self.kept.insert(life, Kept { workflow, claim });
                }
                if let Some(next) = response.next {
                    self.begin(world, next);
                }
            }
        }
        true
    }

    /// It cannot go on, and says so, to be offered the execution again later.
    fn parks(&self, world: &mut World<'p>, activation: &Activation<'p>) -> bool {
        let Some(token) = activation.token.as_deref() else { return false };
        if !world.faults.strikes(Fault::Parked, 60) {
            return false;
        }
        let retry_after_ms = *world.chance.pick(&[0, 300, 20_000]);
        world.note(|| format!("{} gives execution {} back for {retry_after_ms} ms", self.name(), activation.life));
        let life = &mut world.lives[activation.life];
        let is_current =
            activation.claim == life.claims && world.server.is_current(&life.id, Some(token)) == Some(true);
        let workflow_execution_id = life.id.clone();
        let request = ReleaseClaimRequest { workflow_execution_id, retry_after_ms, ..ReleaseClaimRequest::default() };
        let caller = Caller { claim: Some(token), ..EXTENDED };
        let released = world.server.ask::<()>(caller, "/flovyn.ext.v1.Extensions/ReleaseClaim", &request);
        assert_eq!(released.is_ok(), is_current, "a claim can be given back as long as it is current: {released:?}");
        if is_current {
            life.claimed = false;
        }
        true
    }

    /// Whether the claim is still its own.
    fn renew(&self, world: &mut World<'p>, activation: &Activation<'p>) -> bool {
        let request = RenewClaimRequest {
            workflow_execution_id: world.lives[activation.life].id.clone(),
            ..RenewClaimRequest::default()
        };
        let caller = Caller { claim: activation.token.as_deref(), ..EXTENDED };
        let renewed = world.server.ask::<RenewClaimResponse>(caller, "/flovyn.ext.v1.Extensions/RenewClaim", &request);
        world.note(|| format!("{} renews its claim: {}", self.name(), renewed.is_ok()));
        renewed.is_ok()
    }
}
