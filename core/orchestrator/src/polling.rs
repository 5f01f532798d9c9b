//! What polls for executions and polls for tasks have in common.

use alloc::{format, string::String};

use prost::Message;

use crate::{
    Answer, Park, Status, Undelivered, border,
    context::{Caller, Ctx, reply},
    queries,
    store::{Key, KindSet, Preference, ReadyQueue, WaitKey, Work, WorkerRecord},
    workers,
};

/// Somebody asks for work.
pub(crate) struct Poll {
    /// As the worker calls itself; may be empty.
    pub(crate) worker: String,
    pub(crate) queue: ReadyQueue,
    pub(crate) timeout_seconds: i64,
    pub(crate) long_poll: bool,
    /// It keeps executions in memory.
    pub(crate) continues_executions: bool,
    /// It may be given a query instead.
    pub(crate) answers_queries: bool,
}

impl Poll {
    pub(crate) fn check(&self, ctx: &Ctx<'_>) -> Result<(), Status> {
        border::at_most("worker_id", self.worker.len(), ctx.config.limits.name_bytes_max)?;
        border::not_negative("timeout_seconds", self.timeout_seconds)?;
        Ok(())
    }

    /// Notes that the worker is alive.
    pub(crate) fn note(&self, ctx: &mut Ctx<'_>, caller: &Caller<'_>) -> Result<Option<WorkerRecord>, Status> {
        workers::note(ctx, caller.org_id, &self.worker)
    }

    /// Takes the first thing that this worker can do.
    pub(crate) fn take(
        &self,
        ctx: &mut Ctx<'_>,
        caller: &Caller<'_>,
        worker: Option<&WorkerRecord>,
    ) -> Result<Option<Key>, Status> {
        if caller.has_given_up(ctx) {
            return Ok(None);
        }
        let kinds = worker.and_then(|worker| workers::kinds(worker, self.queue.work));
        let since_ms = ctx.now_ms.saturating_sub(ctx.config.polls.sticky_ms);
        let preference = self.keeper().map(|worker| Preference { worker, since_ms });
        Ok(ctx.tx.take_ready(&self.queue, kinds, preference)?)
    }

    /// The worker, if it keeps executions in memory.
    fn keeper(&self) -> Option<&str> {
        Some(self.worker.as_str()).filter(|worker| self.continues_executions && !worker.is_empty())
    }

    /// There is nothing to do: waits, or answers so.
    pub(crate) fn park(
        &self,
        ctx: &Ctx<'_>,
        caller: &Caller<'_>,
        worker: Option<&WorkerRecord>,
        nothing: &impl Message,
    ) -> Answer {
        let polls = &ctx.config.polls;
        let wait_ms = if caller.extended && self.long_poll {
            self.timeout_seconds.saturating_mul(1_000).min(polls.long_wait_ms_max)
        } else {
            polls.plain_wait_ms
        };
        let mine = self.keeper().map(|worker| WaitKey::worker(&self.queue, worker));
        let queries = self.answers_queries.then(|| queries::queue(self.queue.org_id, self.queue.name.clone()));
        let queries = queries.as_ref().map(WaitKey::queue);
        // What it can take is what its worker has registered now.
        let registration = worker.map(|worker| WaitKey::registration(worker.key));
        let keys = mine.into_iter().chain([WaitKey::queue(&self.queue)]).chain(queries).chain(registration).collect();
        match caller.park(ctx, wait_ms, keys) {
            Some(Answer::Park(park)) => Answer::Park(Park { kinds: self.kinds(worker), ..park }),
            Some(answer) => answer,
            None => reply(nothing),
        }
    }

    /// All that [`take`](Self::take), and with it a query, can give this worker.
    fn kinds(&self, worker: Option<&WorkerRecord>) -> KindSet {
        let of = |work| workers::kinds(worker?, work).map(|kinds| kinds.iter().map(String::as_str).collect());
        let queries = if self.answers_queries { of(Work::Query) } else { None };
        of(self.queue.work).unwrap_or(KindSet::ANY).and(queries.unwrap_or(KindSet::NONE))
    }
}

/// What was in the queue must be ready.
pub(crate) fn check_ready(ready: bool, key: Key) -> Result<(), Status> {
    if ready {
        return Ok(());
    }
    Err(Status::internal(format!("{} was in a queue and is not ready", key.id)))
}

/// An answer with a claim in it.
pub(crate) fn hand_out(message: &impl Message, claim: Undelivered) -> Answer {
    Answer::Reply { body: message.encode_to_vec(), undelivered: Some(claim) }
}
