use std::sync::{Arc, Weak};

use flovyn_orchestrator::{self as orchestrator, Undelivered};

use super::writer::Writer;

/// The answer of a call, on its way to the client.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The message.
    pub(crate) message: Vec<u8>,
    receipt: Option<Receipt>,
}

impl Reply {
    pub(super) fn new(message: Vec<u8>, receipt: Option<Receipt>) -> Self {
        Self { message, receipt }
    }

    /// Everything was handed to the connection. A reply that is dropped without this did not arrive.
    pub(crate) fn delivered(mut self) {
        if let Some(receipt) = &mut self.receipt {
            receipt.undelivered = None;
        }
    }
}

/// Gives the claim in an answer back when it is dropped, wherever on its way that happens: in the queue of the writer,
/// in a future that a deadline ends, in the body of a response.
#[derive(Debug)]
pub(super) struct Receipt {
    /// Weak, so that an answer nobody fetches does not keep the database open.
    writer: Weak<Writer>,
    rules: Arc<orchestrator::Config>,
    undelivered: Option<Undelivered>,
}

impl Receipt {
    pub(super) fn new(writer: Weak<Writer>, rules: Arc<orchestrator::Config>, undelivered: Undelivered) -> Self {
        Self { writer, rules, undelivered: Some(undelivered) }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let (Some(undelivered), Some(writer)) = (self.undelivered.take(), self.writer.upgrade()) else { return };
        let rules = Arc::clone(&self.rules);
        tracing::debug!("an answer did not reach its client: giving the claim back");
        writer.run_detached(move |attempt| {
            orchestrator::release_undelivered(&rules, &undelivered, &mut attempt.env, attempt.tx)
        });
    }
}
