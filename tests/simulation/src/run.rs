//! One run: a program, a seed for all that happens, and the faults that are allowed.

use crate::{
    clients::{self, Queries},
    faults::{Allowed, Fault},
    program::{HANDLED_SIGNAL, Program, QUEUED_SIGNALS, Version},
    replica,
    report::Tally,
    tasks::TaskWorkers,
    transcript::Transcript,
    worker::{Manner, POLL, Worker},
    world::World,
};

/// How long anything may go wrong.
const STEPS: usize = 400;
/// How many signals are sent while things go wrong.
const SIGNALS_MAX: usize = 4;
/// How many steps may follow each other then without anything new in a history.
const IDLE_STEPS_MAX: usize = 1_000;
/// No program makes more events.
const EVENTS_MAX: usize = 5_000;

/// Runs a program to its end. It panics if anything is not as it must be.
pub(crate) fn run(program: &Program, seed: u64, allowed: Allowed, transcript: &Transcript) -> Outcome {
    let mut run = Run::new(World::new(program, seed, allowed, transcript.clone()));
    for _ in 0..STEPS {
        if run.world.has_ended() {
            break;
        }
        run.step();
    }
    run.calm_down();
    run.check()
}

/// What happened in a run.
pub(crate) struct Outcome {
    pub(crate) verbs: Tally,
    pub(crate) faults: Tally,
    pub(crate) news: Tally,
    /// How many things went wrong.
    pub(crate) injected: usize,
    pub(crate) events: usize,
}

/// What kinds of workers a run has.
#[derive(Clone, Copy)]
enum Kinds {
    Extended,
    Plain,
    Mixed,
}

impl Kinds {
    fn manner(self, world: &mut World<'_>) -> Manner {
        let extended = match self {
            Self::Extended => true,
            Self::Plain => false,
            Self::Mixed => world.chance.one_in(2),
        };
        Manner { extended, keeps: world.chance.one_in(2), answers: extended && world.chance.one_in(2) }
    }
}

struct Run<'p> {
    world: World<'p>,
    workers: Vec<Worker<'p>>,
    tasks: TaskWorkers,
    queries: Queries,
    /// The replica of the whole history knows our extension.
    extended: bool,
    /// How many signals were sent before all was calm.
    signals: usize,
}

impl<'p> Run<'p> {
    fn new(mut world: World<'p>) -> Self {
        let count = 2 + world.chance.below(2);
        let kinds = *world.chance.pick(&[Kinds::Extended, Kinds::Extended, Kinds::Plain, Kinds::Mixed]);
        world.is_mixed = matches!(kinds, Kinds::Mixed);
        let workers = (0..count).map(|number| Worker::new(number, kinds.manner(&mut world))).collect();
        Self {
            world,
            workers,
            tasks: TaskWorkers::default(),
            queries: Queries::default(),
            extended: !matches!(kinds, Kinds::Plain),
            signals: 0,
        }
    }

    /// One thing happens.
    fn step(&mut self) {
        match self.world.chance.weighted(&[60, 14, 12, 7, 3, 2, 1, 1, 6]) {
            0 => {
                let index = self.world.chance.below(self.workers.len());
                self.step_worker(index);
            }
            1 => {
                self.world.deliver();
            }
            2 => {
                self.tasks.step(&mut self.world);
            }
            3 => {
                self.settle_promise();
            }
            4 => self.signal_any(),
            5 => self.cancel_any(),
            6 => self.upgrade(),
            7 => self.queries.ask(&mut self.world),
            _ => self.pass_time(),
        }
        self.wake();
    }

    fn step_worker(&mut self, index: usize) -> bool {
        let (world, worker) = (&mut self.world, &mut self.workers[index]);
        if worker.has_lost_claim(world) || worker.is_busy() && world.faults.strikes(Fault::Crash, 40) {
            worker.crash(world);
            return true;
        }
        if worker.is_busy() && world.faults.strikes(Fault::Hang, 60) {
            let ms = world.server.config.lease_ms + 1;
            world.note(|| "no worker does anything for a while".to_string());
            self.advance(ms, false);
            return true;
        }
        worker.step(world)
    }

    /// Whoever waits for what has come asks again.
    fn wake(&mut self) {
        let keys = std::mem::take(&mut self.world.server.wakes);
        if !keys.is_empty() {
            self.workers.iter_mut().for_each(|worker| worker.wake(&keys));
            self.queries.wake(&mut self.world, &keys);
        }
    }

    fn settle_promise(&mut self) -> bool {
        let world = &mut self.world;
        let pending = world.lives.iter().filter(|life| !life.ended);
        let pending: Vec<String> = pending.flat_map(|life| life.pending_promises.iter().cloned()).collect();
        if pending.is_empty() {
            return false;
        }
        let promise_id = world.chance.pick(&pending).clone();
        let again = world.faults.strikes(Fault::PromiseDoubled, 3);
        for _ in 0..1 + usize::from(again) {
            clients::settle(world, &promise_id);
        }
        true
    }

    fn pass_time(&mut self) {
        let ms = match self.world.chance.below(3) {
            0 => self.world.chance.below(3_000) as i64,
            1 => self.until_next_due_ms().unwrap_or(0).min(20_000),
            _ => self.until_next_due_ms().filter(|_| !self.is_anybody_busy()).unwrap_or(10),
        };
        self.advance(ms, true);
    }

    /// Time passes. Workers whose claims live by signs of life give such signs, unless they hang.
    fn advance(&mut self, ms: i64, lively: bool) {
        let world = &mut self.world;
        world.note(|| format!("{ms} ms pass"));
        if lively {
            self.workers.iter().for_each(|worker| worker.show_life(world));
        }
        world.advance(ms);
        self.queries.expire(world);
        for worker in &mut self.workers {
            if worker.has_lost_claim(world) {
                worker.crash(world);
            }
        }
    }

    fn signal_any(&mut self) {
        if self.signals >= SIGNALS_MAX {
            return;
        }
        self.signals += 1;
        let name = self.world.chance.below(usize::from(HANDLED_SIGNAL) + 1) as u8;
        if self.world.is_named && self.world.chance.one_in(3) {
            clients::signal_with_start(&mut self.world, name);
        } else if let Some(life) = self.any_life() {
            clients::signal(&mut self.world, life, name);
        }
    }

    fn cancel_any(&mut self) {
        let Some(life) = self.any_life() else { return };
        if self.world.faults.strikes(Fault::CancelRequested, 14) {
            clients::cancel(&mut self.world, life);
        }
    }

    fn upgrade(&mut self) {
        let world = &mut self.world;
        if world.version == Version::Earlier && world.faults.strikes(Fault::Upgrade, 3) {
            world.note(|| "all workers get the later version of the code".to_string());
            self.workers.iter_mut().for_each(|worker| worker.crash(world));
            world.version = Version::Later;
        }
    }

    /// One that has not ended.
    fn any_life(&mut self) -> Option<usize> {
        let lives = self.living();
        if lives.is_empty() { None } else { Some(*self.world.chance.pick(&lives)) }
    }

    fn living(&self) -> Vec<usize> {
        (0..self.world.lives.len()).filter(|life| !self.world.lives[*life].ended).collect()
    }

    fn is_anybody_busy(&self) -> bool {
        self.workers.iter().any(Worker::is_busy)
    }

    fn until_next_due_ms(&mut self) -> Option<i64> {
        let waits = self.workers.iter().filter_map(Worker::waits_until_ms).min();
        let due = [self.world.server.tick(), waits, self.queries.wait_until_ms()].into_iter().flatten().min()?;
        self.world.observe();
        Some((due - self.world.server.now_ms).max(0))
    }

    /// From here on nothing goes wrong, and everything that the executions wait for comes.
    fn calm_down(&mut self) {
        self.world.note(|| "nothing goes wrong from here on".to_string());
        self.world.faults.calm = true;
        let (mut idle, mut events) = (0, 0);
        while !self.world.has_ended() {
            idle = if self.events() > events { 0 } else { idle + 1 };
            events = self.events();
            assert!(
                idle < IDLE_STEPS_MAX && events < EVENTS_MAX,
                "the execution does not end, though all that it waits for has come"
            );
            if !self.advance_work() {
                self.check_parked();
                if !self.settle_promise() {
                    self.wait_or_signal();
                }
            }
            self.wake();
        }
    }

    /// Nothing but time and signals is left to wait for. Most waits are for time.
    fn wait_or_signal(&mut self) {
        if self.world.chance.one_in(3) {
            for life in self.living() {
                if !self.world.server.is_claimed(&self.world.lives[life].id) {
                    (0..QUEUED_SIGNALS).for_each(|name| clients::signal(&mut self.world, life, name));
                }
            }
        }
        let due_ms = self.world.server.tick();
        self.world.observe();
        let ms = due_ms.map_or(0, |due_ms| due_ms - self.world.server.now_ms);
        self.advance(ms.max(1), true);
    }

    fn events(&self) -> usize {
        self.world.lives.iter().map(|life| life.events.len()).sum()
    }

    fn advance_work(&mut self) -> bool {
        let mut goes = false;
        for index in 0..self.workers.len() {
            goes |= self.step_worker(index);
        }
        goes |= self.world.deliver();
        goes |= self.tasks.step(&mut self.world);
        goes
    }

    /// Nobody waits at the server for what it has, and no execution waits for what has come.
    fn check_parked(&mut self) {
        self.wake();
        for life in self.living() {
            let life = &self.world.lives[life];
            let is_forgotten = life.has_news() && self.world.server.is_waiting(&life.id);
            assert!(!is_forgotten, "an execution waits though something came after event {}", life.seen);
        }
        for worker in &self.workers {
            if let Some((caller, request)) = worker.parked_poll() {
                let answer = self.world.server.would_answer(caller, POLL, &request);
                assert_eq!(answer.len(), 0, "a poll waits though there is work for it");
            }
        }
    }

    fn check(self) -> Outcome {
        let events = self.events();
        let world = self.world;
        let mut verbs = Tally::default();
        for life in 0..world.lives.len() {
            replica::check_end(&world, life, self.extended, &mut verbs);
        }
        Outcome { verbs, injected: world.faults.injected, faults: world.faults.tally, news: world.news, events }
    }
}
