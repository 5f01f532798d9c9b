//! SubscribeToNotifications: who wants to hear that a queue got work.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::messages::{SubscriptionRequest, WorkAvailableEvent};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    Config, Principal, Status, border, organisation,
    store::{ReadyQueue, WaitKey, Work},
};

/// What somebody wants to hear of. The host, which sees the wakes, tells it after their commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// A wake of any of these is work in the queue.
    pub keys: [WaitKey; 2],
    org_id: Uuid,
    queue: String,
}

impl Subscription {
    /// Reads and checks a request of SubscribeToNotifications.
    ///
    /// # Errors
    /// The status that the client gets.
    pub fn read(config: &Config, body: &[u8], principal: &Principal) -> Result<Self, Status> {
        let request = SubscriptionRequest::decode(body).map_err(|error| {
            Status::invalid_argument(format!("SubscribeToNotifications: the message cannot be read: {error}"))
        })?;
        let org_id = organisation::check(&request, principal)?;
        border::at_most("worker_id", request.worker_id.len(), config.limits.name_bytes_max)?;
        let queue = border::queue(&config.limits, request.queue)?;
        let keys =
            [Work::Workflow, Work::Task].map(|work| WaitKey::queue(&ReadyQueue { work, org_id, name: queue.clone() }));
        Ok(Self { keys, org_id, queue })
    }

    /// The message that says that there is work.
    pub fn event(&self, now_ms: i64) -> Vec<u8> {
        WorkAvailableEvent { org_id: self.org_id.to_string(), queue: self.queue.clone(), timestamp_ms: now_ms }
            .encode_to_vec()
    }
}
