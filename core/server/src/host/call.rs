use std::sync::{Arc, Weak};

use flovyn_orchestrator::{self as orchestrator, Answer, Request, Undelivered};
use flovyn_protocol::status::Status;
use tokio::sync::oneshot;

use super::{
    receipt::{Receipt, Reply},
    writer::{Attempt, Job, Outcome, Writer, stopping},
};
use crate::auth::Caller;

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

/// What becomes of a call: the first news of it.
pub(super) enum News {
    Answered(Result<Reply, Status>),
    Waiting(Waiting),
}

/// A call that waits. Dropping this gives it up.
pub(super) struct Waiting {
    number: u64,
    /// It is asked for the last time then, in milliseconds since 1970.
    pub(super) deadline_ms: i64,
    /// `None` once it came.
    answer: Option<oneshot::Receiver<Result<Reply, Status>>>,
    writer: Weak<Writer>,
}

impl Waiting {
    /// Completes with the answer. It may be dropped and called again until then.
    pub(super) async fn answered(&mut self) -> Result<Reply, Status> {
        let Some(answer) = &mut self.answer else { return Err(stopping()) };
        let answered = answer.await;
        self.answer = None;
        answered.unwrap_or_else(|_| Err(stopping()))
    }

    /// It has waited long enough: it is answered now, with nothing if there is nothing.
    pub(super) fn expire(&self) {
        if let Some(writer) = self.writer.upgrade() {
            writer.expire(self.number);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.answer.is_some()
            && let Some(writer) = self.writer.upgrade()
        {
            writer.give_up(self.number);
        }
    }
}

/// A call on the writer's thread, from its first attempt to its answer.
pub(super) struct CallJob {
    call: Call,
    first_ms: i64,
    rules: Arc<orchestrator::Config>,
    writer: Weak<Writer>,
    result: Option<Result<Reply, Status>>,
    reply: ReplyTo,
}

/// Who hears of the call next.
enum ReplyTo {
    First(oneshot::Sender<News>),
    Waiting(oneshot::Sender<Result<Reply, Status>>),
}

impl CallJob {
    pub(super) fn new(
        call: Call,
        first_ms: i64,
        rules: Arc<orchestrator::Config>,
        writer: Weak<Writer>,
    ) -> (Self, oneshot::Receiver<News>) {
        let (news, first) = oneshot::channel();
        (Self { call, first_ms, rules, writer, result: None, reply: ReplyTo::First(news) }, first)
    }

    fn handle(&self, attempt: &mut Attempt<'_>, expired: bool) -> Result<Answer, Status> {
        let call = &self.call;
        let request = Request {
            method: &call.method,
            body: &call.body,
            extended: call.extended,
            claim: call.claim.as_deref(),
            deadline_ms: call.deadline_ms,
            attempt: orchestrator::Attempt { first_ms: self.first_ms, expired },
        };
        orchestrator::handle(&self.rules, &request, &call.caller.principal, &mut attempt.env, attempt.tx)
    }
}

impl Job for CallJob {
    fn run(&mut self, attempt: &mut Attempt<'_>, expired: bool) -> Outcome {
        let mut took = None;
        let result = match self.handle(attempt, expired) {
            Ok(Answer::Park(_)) if expired => {
                Err(Status::internal("the server broke one of its own rules: it parked an expired poll"))
            }
            Ok(Answer::Park(park)) => return Outcome::Waits(park),
            Ok(Answer::Reply { body, undelivered }) => {
                took = undelivered.as_ref().map(Undelivered::work);
                let receipt = undelivered
                    .map(|undelivered| Receipt::new(Weak::clone(&self.writer), Arc::clone(&self.rules), undelivered));
                Ok(Reply::new(body, receipt))
            }
            Err(status) => Err(status),
        };
        let outcome = if result.is_ok() { Outcome::Done { took } } else { Outcome::Refused };
        self.result = Some(result);
        outcome
    }

    fn waits(&mut self, number: u64, deadline_ms: i64) {
        let (reply, answer) = oneshot::channel();
        match std::mem::replace(&mut self.reply, ReplyTo::Waiting(reply)) {
            ReplyTo::First(news) => {
                let waiting = Waiting { number, deadline_ms, answer: Some(answer), writer: Weak::clone(&self.writer) };
                // If the caller is gone, this is dropped and gives the call up.
                let _ = news.send(News::Waiting(waiting));
            }
            waited_before => self.reply = waited_before,
        }
    }

    fn is_given_up(&self) -> bool {
        match &self.reply {
            ReplyTo::First(news) => news.is_closed(),
            ReplyTo::Waiting(reply) => reply.is_closed(),
        }
    }

    fn refuse(&mut self, status: Status) {
        self.result = Some(Err(status));
    }

    fn finish(self: Box<Self>) {
        let Some(result) = self.result else { return };
        // Whoever called may be gone; a claim in the result notices that by being dropped.
        match self.reply {
            ReplyTo::First(news) => drop(news.send(News::Answered(result))),
            ReplyTo::Waiting(reply) => drop(reply.send(result)),
        }
    }
}
