use std::{
    collections::VecDeque,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use flovyn_orchestrator::{Env, Park, Wake};
use flovyn_protocol::status::Status;
use rand_chacha::ChaCha20Rng;
use tokio::sync::{Notify, mpsc};

use super::{
    room::{Run, WaitingRoom},
    writer::{AfterCommit, Attempt, Counts, Job, Message, Outcome},
};
use crate::{
    clock,
    store::sqlite::{Committed, Store},
};

/// One commit holds at most this many attempts.
const GROUP_MAX: usize = 512;
/// A group is closed after this time even if more requests wait, so that the first is not kept from its answer.
const GROUP_TIME_MAX: Duration = Duration::from_millis(5);

/// What runs on the writer's thread.
///
/// Requests queue up while a commit is on its way to the disk, and all that have are one transaction: each runs in a
/// savepoint of its own, so that one that fails leaves no trace, and none is answered before the commit. What a request
/// wakes runs right after it, before any other: in the same transaction, so that a poll that waited for work is
/// answered by the commit that made the work.
///
/// ```text
///   BEGIN │ SAVEPOINT a RELEASE │ who waited for a │ SAVEPOINT b ROLLBACK │ ... │ COMMIT (one fsync) │ answers
/// ```
pub(super) struct Worker<A> {
    store: Store,
    rng: ChaCha20Rng,
    after: A,
    counts: Arc<Counts>,
    room: WaitingRoom<Box<dyn Job>>,
    /// Wakes on their way, the oldest first.
    runs: VecDeque<Run>,
    group: Group,
    group_time_max: Duration,
    stopped: bool,
}

/// What the attempts of a group have led to. It is true once the group is committed.
#[derive(Default)]
struct Group {
    /// They have a result.
    ended: Vec<Box<dyn Job>>,
    /// They wait under these numbers.
    parked: Vec<u64>,
    /// Somebody took what these announced.
    taken: Vec<Wake>,
    /// They are told that something was announced.
    heard: Vec<Arc<Notify>>,
}

pub(super) type Requests = mpsc::UnboundedReceiver<Message>;

/// An attempt to make.
struct Next {
    job: Box<dyn Job>,
    /// Its number, if it has waited.
    number: Option<u64>,
    expired: bool,
    /// The first of the runs asks it.
    woken: bool,
}

impl<A: AfterCommit> Worker<A> {
    pub(super) fn new(store: Store, rng: ChaCha20Rng, after: A, counts: Arc<Counts>) -> Self {
        let (room, runs) = (WaitingRoom::new(), VecDeque::new());
        let (group, group_time_max) = (Group::default(), GROUP_TIME_MAX);
        Self { store, rng, after, counts, room, runs, group, group_time_max, stopped: false }
    }

    pub(super) fn run(mut self, mut requests: Requests) {
        while let Some(first) = self.wait(&mut requests) {
            self.run_group(first, &mut requests);
        }
        if let Err(error) = self.store.close() {
            tracing::error!(%error, "cannot close the database");
        }
    }

    /// The next attempt, when there is one; `None` at the end.
    fn wait(&mut self, requests: &mut Requests) -> Option<Next> {
        loop {
            if let Some(next) = self.next(requests) {
                return Some(next);
            }
            if self.stopped {
                return None;
            }
            let message = requests.blocking_recv()?;
            if let Some(next) = self.take_in(message) {
                return Some(next);
            }
        }
    }

    /// The next attempt, if there is one now.
    fn next(&mut self, requests: &mut Requests) -> Option<Next> {
        loop {
            if let Some(woken) = self.woken() {
                return Some(woken);
            }
            if self.stopped {
                return None;
            }
            let message = requests.try_recv().ok()?;
            if let Some(next) = self.take_in(message) {
                return Some(next);
            }
        }
    }

    fn take_in(&mut self, message: Message) -> Option<Next> {
        match message {
            Message::Run(job) => Some(Next { job, number: None, expired: false, woken: false }),
            Message::Expire(number) => {
                let job = self.leave(number)?;
                Some(Next { job, number: Some(number), expired: true, woken: false })
            }
            Message::GiveUp(number) => {
                self.leave(number);
                None
            }
            Message::Stop => {
                self.stopped = true;
                None
            }
        }
    }

    fn woken(&mut self) -> Option<Next> {
        while let Some(run) = self.runs.front_mut() {
            let Some(number) = run.next(&self.room) else {
                self.runs.pop_front();
                continue;
            };
            if let Some(job) = self.leave(number).filter(|job| !job.is_given_up()) {
                return Some(Next { job, number: Some(number), expired: false, woken: true });
            }
        }
        None
    }

    fn leave(&mut self, number: u64) -> Option<Box<dyn Job>> {
        let job = self.room.leave(number);
        self.counts.waiting.store(self.room.len(), Ordering::Relaxed);
        job
    }

    /// Runs, commits and answers a group.
    fn run_group(&mut self, first: Next, requests: &mut Requests) {
        let started = Instant::now();
        let begun = self.store.begin();
        let mut attempts = 0;
        let mut next = Some(first);
        while let Some(attempt) = next.take() {
            match begun {
                Ok(()) => self.attempt(attempt),
                Err(_) => self.group.ended.push(attempt.job),
            }
            attempts += 1;
            if attempts < GROUP_MAX && started.elapsed() < self.group_time_max {
                next = self.next(requests);
            }
        }
        let result = begun.and_then(|()| self.store.commit());
        for job in self.end_group(result) {
            job.finish();
        }
    }

    /// Runs a job: it has a result then, or waits.
    fn attempt(&mut self, next: Next) {
        let Next { mut job, number, expired, woken } = next;
        match self.run_job(job.as_mut(), expired) {
            Outcome::Waits(Park { keys, kinds, deadline_ms }) => {
                let number = number.unwrap_or_else(|| {
                    let number = self.room.number();
                    job.waits(number, deadline_ms);
                    number
                });
                self.room.enter(number, keys, kinds, job);
                self.group.parked.push(number);
                self.counts.waiting.store(self.room.len(), Ordering::Relaxed);
                self.start_runs();
            }
            Outcome::Done { took } => {
                if woken && self.runs.front().is_some_and(|run| run.ends_with(took)) {
                    self.group.taken.extend(self.runs.pop_front().map(Run::into_wake));
                }
                self.start_runs();
                self.group.ended.push(job);
            }
            Outcome::Refused => self.group.ended.push(job),
        }
    }

    fn start_runs(&mut self) {
        let wakes = self.store.take_wakes();
        self.group.heard.extend(self.after.who_hears(&wakes));
        self.runs.extend(wakes.into_iter().map(|wake| self.room.wake(wake)));
    }

    fn run_job(&mut self, job: &mut dyn Job, expired: bool) -> Outcome {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let Self { store, rng, .. } = self;
        let attempted = store.attempt(|tx| {
            let mut attempt = Attempt { env: Env { now_ms: clock::now_ms(), rng }, tx };
            // A panic is a bug in the rules. The savepoint undoes what the request did, so the others go on.
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| job.run(&mut attempt, expired)));
            match outcome {
                Ok(Outcome::Refused) => Err(()),
                Ok(outcome) => Ok(outcome),
                Err(_) => {
                    job.refuse(Status::internal("the server broke one of its own rules; nothing was stored"));
                    Err(())
                }
            }
        });
        match attempted {
            Ok(result) => result.unwrap_or(Outcome::Refused),
            Err(status) => {
                job.refuse(status);
                Outcome::Refused
            }
        }
    }

    /// Gives the jobs that have a result.
    fn end_group(&mut self, result: Result<Committed, Status>) -> Vec<Box<dyn Job>> {
        let Group { mut ended, parked, taken, heard } = std::mem::take(&mut self.group);
        match result {
            Ok(committed) => {
                self.counts.commits.fetch_add(1, Ordering::Relaxed);
                self.after.committed(committed);
                heard.iter().for_each(|heard| heard.notify_one());
            }
            Err(status) => {
                // What they wait for may be lost with the group, and what was taken is there again.
                ended.extend(parked.into_iter().filter_map(|number| self.leave(number)));
                self.runs.extend(taken.into_iter().map(|wake| self.room.wake(wake)));
                tracing::error!(requests = ended.len(), "a group of requests was not stored: {}", status.message);
                for job in &mut ended {
                    job.refuse(status.clone());
                }
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests;
