use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flovyn_orchestrator as orchestrator;
use uuid::Uuid;

use super::Host;

/// The workers that are remembered for one connection; more than that on one is a proxy, whose connections say nothing.
const WORKERS_MAX: usize = 64;

/// The workers without our extension that polled over one connection. As long as it is open they are alive, even if
/// they are too busy with a task to call, and they keep their claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    workers: Arc<Mutex<BTreeSet<(Uuid, String)>>>,
}

impl Presence {
    /// Remembers who polled.
    pub(crate) fn note(&self, org_id: Uuid, worker: &str) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if workers.len() < WORKERS_MAX {
            workers.insert((org_id, worker.to_owned()));
        }
    }

    fn workers(&self) -> Vec<(Uuid, String)> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Host {
    /// Tells the rules again and again who is present. It never completes: drop it when the connection ends.
    pub(crate) async fn keep_alive(&self, presence: Presence) {
        // Three signs in the time after which a worker without any is taken for gone.
        let third = u64::try_from(self.rules.workers.offline_after_ms / 3).unwrap_or(0).max(1);
        loop {
            tokio::time::sleep(Duration::from_millis(third)).await;
            for (org_id, worker) in presence.workers() {
                let sign = self.run(move |rules, attempt| {
                    orchestrator::handle_sign_of_life(rules, org_id, &worker, &mut attempt.env, attempt.tx)
                });
                if let Err(status) = sign.await {
                    tracing::warn!("cannot note that a worker is alive: {}", status.message);
                }
            }
        }
    }
}
