//! What stands between HTTP and the rules: one writer, the requests that wait, and time.

mod call;
mod polls;
mod presence;
mod receipt;
mod room;
mod subscribers;
mod ticker;
mod worker;
mod writer;

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use flovyn_orchestrator::{self as orchestrator, Principal, Subscription, Wake, Warning};
use flovyn_protocol::status::{Code, Status};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

pub use self::writer::WriterStats;
pub(crate) use self::{
    call::Call, polls::Place, presence::Presence, receipt::Reply, subscribers::Subscriber, writer::Attempt,
};
use self::{
    call::{CallJob, News, Waiting},
    polls::Polls,
    subscribers::Subscribers,
    ticker::Deadlines,
    writer::{AfterCommit, Writer, stopping},
};
use crate::{
    clock,
    server::StartError,
    store::sqlite::{Committed, Store},
};

/// Answers calls.
#[derive(Debug)]
pub(crate) struct Host {
    writer: Arc<Writer>,
    polls: Arc<Polls>,
    /// The readers of streams of events.
    readers: Arc<Polls>,
    subscribers: Arc<Subscribers>,
    rules: Arc<orchestrator::Config>,
    /// True when nothing may wait any more.
    closing: watch::Sender<bool>,
    ticker: JoinHandle<()>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Host {
    /// Starts the writer and the ticker. Needs a runtime of tokio.
    pub(crate) fn start(mut store: Store, rules: orchestrator::Config) -> Result<Self, StartError> {
        store.limit_streams(rules.streams);
        let mut seed = <ChaCha20Rng as SeedableRng>::Seed::default();
        getrandom::fill(&mut seed).map_err(StartError::Random)?;
        let deadlines = Deadlines::new();
        let subscribers = Arc::new(Subscribers::default());
        let effects = Effects { deadlines: deadlines.clone(), subscribers: Arc::clone(&subscribers) };
        let (writer, thread) =
            Writer::start(store, ChaCha20Rng::from_seed(seed), effects).map_err(StartError::Thread)?;
        let (writer, rules) = (Arc::new(writer), Arc::new(rules));
        let ticker = tokio::spawn(ticker::run(Arc::clone(&writer), Arc::clone(&rules), deadlines));
        let (polls, readers) = (Arc::new(Polls::default()), Arc::new(Polls::default()));
        let closing = watch::channel(false).0;
        Ok(Self { writer, polls, readers, subscribers, rules, closing, ticker, thread: Mutex::new(Some(thread)) })
    }

    /// Answers a call, now or when what it waits for is there. Dropping the future gives up: the call waits no more,
    /// and a claim that was on its way is given back.
    pub(crate) async fn call(&self, call: Call) -> Result<Reply, Status> {
        let (key, rules, writer) = (call.caller.key, Arc::clone(&self.rules), Arc::downgrade(&self.writer));
        let (job, news) = CallJob::new(call, clock::now_ms(), rules, writer);
        self.writer.send(job);
        match news.await {
            Ok(News::Answered(result)) => result,
            Ok(News::Waiting(waiting)) => self.wait(waiting, key).await,
            Err(_) => Err(stopping()),
        }
    }

    async fn wait(&self, mut waiting: Waiting, key: usize) -> Result<Reply, Status> {
        let place = self.polls.enter(key, self.rules.limits.concurrent_polls_per_key_max);
        if place.is_some() {
            let mut closing = self.closing.subscribe();
            let deadline = clock::instant_of(waiting.deadline_ms);
            tokio::select! {
                // The answer first: at the deadline there may be one after all.
                biased;
                answered = waiting.answered() => return answered,
                () = tokio::time::sleep_until(deadline) => {}
                _ = closing.wait_for(|closing| *closing) => {}
            }
        }
        waiting.expire();
        waiting.answered().await
    }

    /// Runs a function in a transaction; its result is there once it is on disk.
    pub(crate) async fn run<T, F>(&self, function: F) -> Result<T, Status>
    where
        F: FnOnce(&orchestrator::Config, &mut Attempt<'_>) -> Result<T, Status> + Send + 'static,
        T: Send + 'static,
    {
        let rules = Arc::clone(&self.rules);
        self.writer.run(move |attempt| function(&rules, attempt)).await
    }

    pub(crate) fn writer_stats(&self) -> WriterStats {
        self.writer.stats()
    }

    pub(crate) fn parked(&self) -> usize {
        self.writer.waiting()
    }

    /// Completes when the writer has ended by itself.
    pub(crate) async fn failed(&self) {
        self.writer.ended().await;
    }

    /// A place to read a stream of events under this key, until it is dropped.
    pub(crate) fn enter_stream(&self, key: usize, max: usize) -> Result<Place, Status> {
        let refused = || {
            Status::resource_exhausted(format!(
                "a key can read {max} streams of events at once: close one of the others"
            ))
        };
        self.readers.enter(key, max).ok_or_else(refused)
    }

    /// Reads a request of SubscribeToNotifications.
    pub(crate) fn subscription(&self, body: &[u8], principal: &Principal) -> Result<Subscription, Status> {
        Subscription::read(&self.rules, body, principal)
    }

    /// Hears from now on of work in a queue, in the place of a reader.
    pub(crate) fn subscribe(&self, subscription: &Subscription, place: Place) -> Subscriber {
        self.subscribers.enter(&subscription.keys, self.closing.subscribe(), place)
    }

    /// Whether nothing may wait any more.
    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Answers what is parked, and lets nothing wait from now on.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Finishes what is queued and closes the database. Calls are refused from then on.
    pub(crate) async fn stop(&self) -> Result<(), Status> {
        self.ticker.abort();
        self.writer.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(Status::new(Code::Internal, "the thread that writes has panicked")),
        }
    }
}

/// Does what commits bring about.
struct Effects {
    deadlines: Deadlines,
    subscribers: Arc<Subscribers>,
}

impl AfterCommit for Effects {
    fn committed(&mut self, committed: Committed) {
        let Committed { earliest_due_ms, warnings, .. } = committed;
        if let Some(due_ms) = earliest_due_ms {
            self.deadlines.announce(due_ms);
        }
        for warning in warnings {
            log(&warning);
        }
    }

    fn who_hears(&self, wakes: &[Wake]) -> Vec<Arc<Notify>> {
        self.subscribers.who_hears(wakes)
    }
}

fn log(warning: &Warning) {
    tracing::warn!("{warning}");
}
