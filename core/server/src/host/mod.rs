//! What stands between HTTP and the rules: one writer, the requests that wait, and time.

mod hub;
mod polls;
mod presence;
mod receipt;
mod ticker;
mod writer;

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use flovyn_orchestrator::{self as orchestrator, Answer, Request, WaitKey, Warning};
use flovyn_protocol::status::{Code, Status};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::{sync::watch, task::JoinHandle};

pub use self::writer::WriterStats;
use self::{
    hub::{Baton, Hub, Parked, Reach},
    polls::Polls,
    receipt::Receipt,
    ticker::Deadlines,
    writer::{AfterCommit, Writer},
};
pub(crate) use self::{presence::Presence, receipt::Reply, writer::Attempt};
use crate::{
    auth::Caller,
    clock,
    server::StartError,
    store::sqlite::{Committed, Store},
};

/// Answers calls.
#[derive(Debug)]
pub(crate) struct Host {
    writer: Arc<Writer>,
    hub: Arc<Hub>,
    polls: Arc<Polls>,
    rules: Arc<orchestrator::Config>,
    /// True when nothing may wait any more.
    closing: watch::Sender<bool>,
    ticker: JoinHandle<()>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// One unary call, as it came.
#[derive(Debug)]
pub(crate) struct Call {
    /// The path of gRPC.
    pub(crate) method: String,
    /// The message.
    pub(crate) body: Vec<u8>,
    /// The client announced that it knows our extensions.
    pub(crate) extended: bool,
    /// The token of the claim under which the call is made.
    pub(crate) claim: Option<String>,
    /// When the client will have given up, in milliseconds since 1970.
    pub(crate) deadline_ms: Option<i64>,
    /// Who calls.
    pub(crate) caller: Caller,
}

/// What became of one attempt.
enum Outcome {
    Replied(Reply),
    Parked(Parked, i64),
}

impl Host {
    /// Starts the writer and the ticker. Needs a runtime of tokio.
    pub(crate) fn start(store: Store, rules: orchestrator::Config) -> Result<Self, StartError> {
        let mut seed = <ChaCha20Rng as SeedableRng>::Seed::default();
        getrandom::fill(&mut seed).map_err(StartError::Random)?;
        let (hub, deadlines) = (Arc::new(Hub::default()), Deadlines::new());
        let effects = Effects { hub: Arc::clone(&hub), deadlines: deadlines.clone() };
        let (writer, thread) =
            Writer::start(store, ChaCha20Rng::from_seed(seed), effects).map_err(StartError::Thread)?;
        let (writer, rules) = (Arc::new(writer), Arc::new(rules));
        let ticker = tokio::spawn(ticker::run(Arc::clone(&writer), Arc::clone(&rules), deadlines));
        let (polls, closing) = (Arc::new(Polls::default()), watch::channel(false).0);
        Ok(Self { writer, hub, polls, rules, closing, ticker, thread: Mutex::new(Some(thread)) })
    }

    /// Answers a call, now or when what it waits for is there. Dropping the future gives up: the call waits no more,
    /// and a claim that was on its way is given back.
    pub(crate) async fn call(&self, call: Call) -> Result<Reply, Status> {
        let call = Arc::new(call);
        let first_ms = clock::now_ms();
        let (mut expired, mut baton, mut place) = (false, None, None);
        loop {
            let outcome = self.attempt(&call, orchestrator::Attempt { first_ms, expired }).await?;
            let (mut parked, deadline_ms) = match outcome {
                Outcome::Replied(reply) => {
                    if let Some(baton) = baton {
                        Baton::stop(baton);
                    }
                    return Ok(reply);
                }
                Outcome::Parked(..) if expired => {
                    return Err(Status::internal("the server broke one of its own rules: it parked an expired poll"));
                }
                Outcome::Parked(parked, deadline_ms) => (parked, deadline_ms),
            };
            // Whoever could not take what woke it lets the next one try.
            drop(baton.take());
            if place.is_none() {
                place = self.polls.enter(call.caller.key, self.rules.limits.concurrent_polls_per_key_max);
            }
            if place.is_none() {
                expired = true;
                continue;
            }
            let mut closing = self.closing.subscribe();
            tokio::select! {
                // A wake first: at the deadline there may be work after all.
                biased;
                woken = parked.woken() => baton = Some(woken),
                () = tokio::time::sleep_until(clock::instant_of(deadline_ms)) => expired = true,
                _ = closing.wait_for(|closing| *closing) => expired = true,
            }
        }
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
        self.hub.parked()
    }

    /// Completes when the writer has ended by itself.
    pub(crate) async fn failed(&self) {
        self.writer.ended().await;
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

    async fn attempt(&self, call: &Arc<Call>, attempt: orchestrator::Attempt) -> Result<Outcome, Status> {
        let (call, hub) = (Arc::clone(call), Arc::clone(&self.hub));
        let (rules, writer) = (Arc::clone(&self.rules), Arc::downgrade(&self.writer));
        let handle = move |transaction: &mut Attempt<'_>| {
            let request = Request {
                method: &call.method,
                body: &call.body,
                extended: call.extended,
                claim: call.claim.as_deref(),
                deadline_ms: call.deadline_ms,
                attempt,
            };
            let Attempt { env, tx } = transaction;
            Ok(match orchestrator::handle(&rules, &request, &call.caller.principal, env, *tx)? {
                Answer::Reply { body, undelivered } => {
                    let receipt = undelivered.map(|undelivered| Receipt::new(writer, rules, undelivered));
                    Outcome::Replied(Reply::new(body, receipt))
                }
                // On this thread: the wakes of this commit and of later ones find the waiter registered.
                Answer::Park(park) => Outcome::Parked(hub.park(park.keys), park.deadline_ms),
            })
        };
        self.writer.run(handle).await
    }
}

/// Does what commits bring about.
struct Effects {
    hub: Arc<Hub>,
    deadlines: Deadlines,
}

impl AfterCommit for Effects {
    fn committed(&mut self, committed: Committed) {
        let Committed { wakes, earliest_due_ms, warnings } = committed;
        for key in wakes {
            let reach = reach(&key);
            self.hub.wake(key, reach);
        }
        if let Some(due_ms) = earliest_due_ms {
            self.deadlines.announce(due_ms);
        }
        for warning in warnings {
            log(&warning);
        }
    }
}

fn reach(key: &WaitKey) -> Reach {
    if key.is_queue() { Reach::One } else { Reach::All }
}

fn log(warning: &Warning) {
    tracing::warn!("{warning}");
}
