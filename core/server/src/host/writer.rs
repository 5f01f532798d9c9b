use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use flovyn_orchestrator::{self as orchestrator, Env, Lists, Park, Wake};
use flovyn_protocol::status::{Code, Status};
use rand_chacha::ChaCha20Rng;
use tokio::sync::{Notify, mpsc, oneshot};

use super::worker::Worker;
use crate::store::sqlite::{Committed, Store};

/// The one thread that touches the database: what others see of it.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Message>,
    counts: Arc<Counts>,
}

/// What the thread is told.
pub(super) enum Message {
    /// Run this.
    Run(Box<dyn Job>),
    /// Run for the last time what waits under this number.
    Expire(u64),
    /// Forget what waits under this number.
    GiveUp(u64),
    /// Run nothing that comes after this.
    Stop,
}

/// What the writer has done since it started.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) commits: AtomicU64,
    /// How many wait now.
    pub(super) waiting: AtomicUsize,
}

/// How well commits are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterStats {
    /// Attempts at requests, the server's own included.
    pub requests: u64,
    /// Transactions committed.
    pub commits: u64,
}

/// What the writer tells after each commit. It runs on the writer's thread, before the answers go out.
pub(crate) trait AfterCommit: Send + 'static {
    /// The deadlines and warnings of a commit.
    fn committed(&mut self, committed: Committed);
    /// Who else is told of these wakes after the commit, besides those that wait. It runs before.
    fn who_hears(&self, _wakes: &[Wake]) -> Vec<Arc<Notify>> {
        Vec::new()
    }
}

impl Writer {
    /// Starts the thread. It ends, the database closed, when every [`Writer`] is dropped and the queue is empty.
    pub(crate) fn start(
        store: Store,
        rng: ChaCha20Rng,
        after: impl AfterCommit,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (queue, requests) = mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let worker = Worker::new(store, rng, after, Arc::clone(&counts));
        let thread = thread::Builder::new().name("flovyn-writer".to_owned()).spawn(move || worker.run(requests))?;
        Ok((Self { queue, counts }, thread))
    }

    /// Runs a function in a transaction and gives its result once that is on disk. The function runs even if the
    /// future is dropped; its result is dropped then.
    pub(crate) async fn run<T, F>(&self, function: F) -> Result<T, Status>
    where
        F: FnOnce(&mut Attempt<'_>) -> Result<T, Status> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Work { function: Some(function), result: None, reply });
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Runs a function in a transaction, waiting for nothing.
    pub(crate) fn run_detached<F>(&self, function: F)
    where
        F: FnOnce(&mut Attempt<'_>) -> Result<(), Status> + Send + 'static,
    {
        self.send(Work { function: Some(function), result: None, reply: oneshot::channel().0 });
    }

    /// Queues a job.
    pub(super) fn send(&self, job: impl Job + 'static) {
        // A job that cannot be queued is dropped, and its answer with it.
        let _ = self.queue.send(Message::Run(Box::new(job)));
    }

    /// Asks for the last time what waits under this number.
    pub(super) fn expire(&self, number: u64) {
        let _ = self.queue.send(Message::Expire(number));
    }

    /// Forgets what waits under this number.
    pub(super) fn give_up(&self, number: u64) {
        let _ = self.queue.send(Message::GiveUp(number));
    }

    pub(crate) fn stats(&self) -> WriterStats {
        WriterStats {
            requests: self.counts.requests.load(Ordering::Relaxed),
            commits: self.counts.commits.load(Ordering::Relaxed),
        }
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        self.counts.waiting.load(Ordering::Relaxed)
    }

    /// Lets the thread end once everything queued so far has run.
    pub(crate) fn stop(&self) {
        let _ = self.queue.send(Message::Stop);
    }

    /// Completes when the writer's thread has ended.
    pub(crate) async fn ended(&self) {
        self.queue.closed().await;
    }
}

pub(super) fn stopping() -> Status {
    Status::new(Code::Unavailable, "the server is shutting down: try again")
}

/// What a function has while it runs in a transaction.
pub(crate) struct Attempt<'a> {
    /// Time and randomness.
    pub(crate) env: Env<'a>,
    /// The transaction.
    pub(crate) tx: &'a mut dyn Lists,
}

/// Something that runs in a transaction.
pub(super) trait Job: Send {
    /// Tries it. Nothing that it did may be kept if it is refused.
    fn run(&mut self, attempt: &mut Attempt<'_>, expired: bool) -> Outcome;
    /// It waits under this number, until a time in milliseconds since 1970.
    fn waits(&mut self, _number: u64, _deadline_ms: i64) {}
    /// Whether nobody wants its result any more.
    fn is_given_up(&self) -> bool {
        false
    }
    /// Replaces its result.
    fn refuse(&mut self, status: Status);
    /// Tells its result.
    fn finish(self: Box<Self>);
}

/// What became of an attempt at a job.
pub(super) enum Outcome {
    Done {
        /// What its answer hands out.
        took: Option<orchestrator::Work>,
    },
    Refused,
    Waits(Park),
}

struct Work<T, F> {
    function: Option<F>,
    result: Option<Result<T, Status>>,
    reply: oneshot::Sender<Result<T, Status>>,
}

impl<T, F> Job for Work<T, F>
where
    F: FnOnce(&mut Attempt<'_>) -> Result<T, Status> + Send,
    T: Send,
{
    fn run(&mut self, attempt: &mut Attempt<'_>, _: bool) -> Outcome {
        let result = self.function.take().map_or_else(|| Err(stopping()), |function| function(attempt));
        let outcome = if result.is_ok() { Outcome::Done { took: None } } else { Outcome::Refused };
        self.result = Some(result);
        outcome
    }

    fn refuse(&mut self, status: Status) {
        self.result = Some(Err(status));
    }

    fn finish(self: Box<Self>) {
        if let Some(result) = self.result {
            // Nobody may be waiting any more; what the result holds notices that by being dropped.
            let _ = self.reply.send(result);
        }
    }
}
