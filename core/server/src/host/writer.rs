use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use flovyn_orchestrator::{Env, Tx};
use flovyn_protocol::status::{Code, Status};
use rand_chacha::ChaCha20Rng;
use tokio::sync::{mpsc, oneshot};

use crate::{
    clock,
    store::sqlite::{Committed, Store},
};

/// One commit holds at most this many requests.
const GROUP_MAX: usize = 512;
/// A group is closed after this time even if more requests wait, so that the first is not kept from its answer.
const GROUP_TIME_MAX: Duration = Duration::from_millis(5);

/// The one thread that touches the database.
///
/// Requests queue up while a commit is on its way to the disk, and all that have are one transaction: each runs in a
/// savepoint of its own, so that one that fails leaves no trace, and none is answered before the commit.
///
/// ```text
///   BEGIN │ SAVEPOINT a RELEASE │ SAVEPOINT b ROLLBACK │ SAVEPOINT c RELEASE │ COMMIT (one fsync) │ answers a, b, c
/// ```
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Message>,
    counts: Arc<Counts>,
}

enum Message {
    Run(Box<dyn Job>),
    Stop,
}

/// What the writer has done since it started.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    commits: AtomicU64,
}

/// How well commits are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterStats {
    /// Requests run, the server's own included.
    pub requests: u64,
    /// Transactions committed.
    pub commits: u64,
}

/// What the writer tells after each commit. It runs on the writer's thread, before the answers go out.
pub(crate) trait AfterCommit: Send + 'static {
    /// The wakes and deadlines of a commit.
    fn committed(&mut self, committed: Committed);
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
        let worker = Worker { store, rng, after, counts: Arc::clone(&counts) };
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

    pub(crate) fn stats(&self) -> WriterStats {
        WriterStats {
            requests: self.counts.requests.load(Ordering::Relaxed),
            commits: self.counts.commits.load(Ordering::Relaxed),
        }
    }

    /// Lets the thread end once everything queued so far has run.
    pub(crate) fn stop(&self) {
        let _ = self.queue.send(Message::Stop);
    }

    /// Completes when the writer's thread has ended.
    pub(crate) async fn ended(&self) {
        self.queue.closed().await;
    }

    fn send(&self, job: impl Job + 'static) {
        // A job that cannot be queued is dropped, and its answer with it.
        let _ = self.queue.send(Message::Run(Box::new(job)));
    }
}

fn stopping() -> Status {
    Status::new(Code::Unavailable, "the server is shutting down: try again")
}

/// What a function has while it runs in a transaction.
pub(crate) struct Attempt<'a> {
    /// Time and randomness.
    pub(crate) env: Env<'a>,
    /// The transaction.
    pub(crate) tx: &'a mut dyn Tx,
}

trait Job: Send {
    fn run(&mut self, attempt: &mut Attempt<'_>) -> Result<(), ()>;
    fn refuse(&mut self, status: Status);
    fn finish(self: Box<Self>);
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
    fn run(&mut self, attempt: &mut Attempt<'_>) -> Result<(), ()> {
        let result = self.function.take().map_or_else(|| Err(stopping()), |function| function(attempt));
        let outcome = result.as_ref().map(drop).map_err(drop);
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

type Requests = mpsc::UnboundedReceiver<Message>;

struct Worker<A> {
    store: Store,
    rng: ChaCha20Rng,
    after: A,
    counts: Arc<Counts>,
}

impl<A: AfterCommit> Worker<A> {
    fn run(mut self, mut requests: Requests) {
        while let Some(Message::Run(first)) = requests.blocking_recv() {
            let stop = self.run_group(first, &mut requests);
            if stop {
                break;
            }
        }
        if let Err(error) = self.store.close() {
            tracing::error!(%error, "cannot close the database");
        }
    }

    /// Runs, commits and answers a group. True if it was the last.
    fn run_group(&mut self, first: Box<dyn Job>, requests: &mut Requests) -> bool {
        let started = Instant::now();
        let begun = self.store.begin();
        let mut group = Vec::new();
        let mut next = Some(Message::Run(first));
        let mut stop = false;
        while let Some(message) = next.take() {
            let Message::Run(mut job) = message else {
                stop = true;
                break;
            };
            if begun.is_ok() {
                self.run_job(job.as_mut());
            }
            group.push(job);
            if group.len() < GROUP_MAX && started.elapsed() < GROUP_TIME_MAX {
                next = requests.try_recv().ok();
            }
        }
        let result = begun.and_then(|()| self.store.commit());
        self.end_group(result, &mut group);
        for job in group {
            job.finish();
        }
        stop
    }

    fn run_job(&mut self, job: &mut dyn Job) {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let Self { store, rng, .. } = self;
        let attempted = store.attempt(|tx| {
            let mut attempt = Attempt { env: Env { now_ms: clock::now_ms(), rng }, tx };
            // A panic is a bug in the rules. The savepoint undoes what the request did, so the others go on.
            panic::catch_unwind(AssertUnwindSafe(|| job.run(&mut attempt))).unwrap_or_else(|_| {
                job.refuse(Status::internal("the server broke one of its own rules; nothing was stored"));
                Err(())
            })
        });
        if let Err(status) = attempted {
            job.refuse(status);
        }
    }

    fn end_group(&mut self, result: Result<Committed, Status>, group: &mut [Box<dyn Job>]) {
        match result {
            Ok(committed) => {
                self.counts.commits.fetch_add(1, Ordering::Relaxed);
                self.after.committed(committed);
            }
            Err(status) => {
                tracing::error!(requests = group.len(), "a group of requests was not stored: {}", status.message);
                for job in group {
                    job.refuse(status.clone());
                }
            }
        }
    }
}
