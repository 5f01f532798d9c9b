//! What becomes of wakes and of jobs that wait, told by jobs that do as each test says.
#![allow(clippy::unwrap_used)]
use std::{path::Path, sync::Mutex};

use flovyn_orchestrator::{IdempotencyKey, IdempotencyRecord, IdempotencySpace, KindSet, ReadyQueue, WaitKey, Work};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const NEVER_MS: i64 = i64::MAX;

/// What happened, in order.
type Log = Arc<Mutex<Vec<String>>>;
type Attempts = Box<dyn FnMut(&mut Attempt<'_>) -> Outcome + Send>;

struct Step {
    name: &'static str,
    attempts: Attempts,
    log: Log,
    refused: bool,
}

impl Step {
    fn say(&self, what: &str) {
        self.log.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

impl Job for Step {
    fn run(&mut self, attempt: &mut Attempt<'_>, _: bool) -> Outcome {
        (self.attempts)(attempt)
    }

    fn waits(&mut self, _: u64, _: i64) {
        self.say("waits");
    }

    fn refuse(&mut self, _: Status) {
        self.refused = true;
    }

    fn finish(self: Box<Self>) {
        self.say(if self.refused { "is refused" } else { "is answered" });
    }
}

struct Nothing;

impl AfterCommit for Nothing {
    fn committed(&mut self, _: Committed) {}
}

/// A writer without its thread: what was sent runs, as one group, when the test says so.
struct Script {
    log: Log,
    messages: mpsc::UnboundedSender<Message>,
    requests: Requests,
    worker: Worker<Nothing>,
    _data: TempDir,
}

impl Script {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("flovyn.db");
        drop(Store::open(&file).unwrap());
        break_commits(&file);
        let (messages, requests) = mpsc::unbounded_channel();
        let rng = rand_core::SeedableRng::seed_from_u64(1);
        let mut worker = Worker::new(Store::open(&file).unwrap(), rng, Nothing, Arc::default());
        worker.group_time_max = Duration::MAX;
        Self { log: Log::default(), messages, requests, worker, _data: data }
    }

    fn send(&self, name: &'static str, attempts: impl FnMut(&mut Attempt<'_>) -> Outcome + Send + 'static) {
        let job = Step { name, attempts: Box::new(attempts), log: Arc::clone(&self.log), refused: false };
        assert!(self.messages.send(Message::Run(Box::new(job))).is_ok());
    }

    /// Waits on the queue, and is answered so when it is asked again.
    fn poll(&self, name: &'static str, took: Option<Work>) {
        let mut waited = false;
        self.send(name, move |_| if std::mem::replace(&mut waited, true) { Outcome::Done { took } } else { waits() });
    }

    /// Runs what was sent, and whatever it wakes, and says what happened.
    fn run(&mut self) -> Vec<String> {
        while let Some(next) = self.worker.next(&mut self.requests) {
            self.worker.run_group(next, &mut self.requests);
        }
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

/// Lets every commit fail that stores an idempotency key.
fn break_commits(file: &Path) {
    let sql = "CREATE TABLE absent (id INTEGER PRIMARY KEY);
               CREATE TABLE broken (id INTEGER REFERENCES absent (id) DEFERRABLE INITIALLY DEFERRED);
               CREATE TRIGGER breaks AFTER INSERT ON idempotency BEGIN INSERT INTO broken VALUES (1); END";
    let connection = Connection::open(file).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

fn key() -> WaitKey {
    WaitKey::queue(&ReadyQueue { work: Work::Workflow, org_id: Uuid::nil(), name: "default".to_owned() })
}

fn waits() -> Outcome {
    Outcome::Waits(Park { keys: vec![key()], kinds: KindSet::ANY, deadline_ms: NEVER_MS })
}

fn wakes(attempt: &mut Attempt<'_>) -> Outcome {
    attempt.tx.wake(key().into());
    Outcome::Done { took: None }
}

/// The commit of its group fails.
fn breaks(attempt: &mut Attempt<'_>) -> Outcome {
    let key = IdempotencyKey { org_id: Uuid::nil(), space: IdempotencySpace::Promise, text: String::new() };
    attempt.tx.put_idempotency(&IdempotencyRecord { key, target_id: Uuid::nil(), expires_at_ms: 0 }).unwrap();
    Outcome::Done { took: None }
}

#[test]
fn a_wake_ends_with_who_took_what_it_announces() {
    let mut script = Script::new();
    script.poll("a", Some(Work::Workflow));
    script.poll("b", Some(Work::Workflow));
    script.send("work", wakes);
    assert_eq!(script.run(), ["a waits", "b waits", "work is answered", "a is answered"]);
}

#[test]
fn a_wake_passes_by_who_took_nothing_or_something_else() {
    for took in [None, Some(Work::Query)] {
        let mut script = Script::new();
        script.poll("a", took);
        script.poll("b", Some(Work::Workflow));
        script.poll("c", Some(Work::Workflow));
        script.send("work", wakes);
        let said = script.run();
        assert_eq!(said[3..], ["work is answered", "a is answered", "b is answered"], "a took {took:?}");
    }
}

#[test]
fn who_waits_because_of_what_was_not_stored_is_refused() {
    let mut script = Script::new();
    script.poll("before", None);
    assert_eq!(script.run(), ["before waits"]);
    script.poll("within", None);
    script.send("broken", breaks);
    assert_eq!(script.run(), ["within waits", "broken is refused", "within is refused"]);
    script.send("work", wakes);
    assert_eq!(script.run(), ["work is answered", "before is answered"]);
}

#[test]
fn what_was_taken_in_a_group_that_was_not_stored_is_offered_again() {
    let mut script = Script::new();
    let mut attempts = 0;
    script.send("a", move |attempt| {
        attempts += 1;
        match attempts {
            1 => waits(),
            _ => {
                breaks(attempt);
                Outcome::Done { took: Some(Work::Workflow) }
            }
        }
    });
    script.poll("b", Some(Work::Workflow));
    script.poll("c", Some(Work::Workflow));
    assert_eq!(script.run(), ["a waits", "b waits", "c waits"]);
    script.send("work", wakes);
    assert_eq!(script.run(), ["work is refused", "a is refused", "b is answered"]);
}
