use std::{sync::Arc, time::Duration};

use flovyn_orchestrator as orchestrator;
use flovyn_protocol::status::Status;
use tokio::{sync::watch, time::Instant};

use super::writer::Writer;
use crate::clock;

/// The longest sleep, so that a step of the system's clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// The pause after a tick that failed, so that a full disk is not asked again at once.
const RETRY: Duration = Duration::from_secs(1);

/// The earliest deadline that commits announced since the ticker last looked, in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    earliest: Arc<watch::Sender<Option<i64>>>,
}

impl Deadlines {
    pub(crate) fn new() -> Self {
        Self { earliest: Arc::new(watch::channel(None).0) }
    }

    /// Something is due at this time. The ticker wakes up earlier if it meant to sleep for longer.
    pub(crate) fn announce(&self, due_ms: i64) {
        self.earliest.send_if_modified(|earliest| {
            let sooner = earliest.is_none_or(|known| due_ms < known);
            if sooner {
                *earliest = Some(due_ms);
            }
            sooner
        });
    }

    fn take(&self) -> Option<i64> {
        let mut taken = None;
        self.earliest.send_if_modified(|earliest| {
            taken = earliest.take();
            false
        });
        taken
    }
}

/// Fires what is due, as it becomes due: there is no interval at which it looks.
pub(crate) async fn run(writer: Arc<Writer>, rules: Arc<orchestrator::Config>, deadlines: Deadlines) {
    let mut announced = deadlines.earliest.subscribe();
    // What became due while the server was down fires now.
    let mut due_ms = Some(clock::now_ms());
    loop {
        sleep_until(due_ms, &mut announced).await;
        due_ms = earlier(due_ms, deadlines.take());
        if due_ms.is_none_or(|due_ms| due_ms > clock::now_ms()) {
            continue;
        }
        // Commits before the tick are seen by it, commits after it are announced: none falls between.
        due_ms = match tick(&writer, &rules).await {
            Ok(next_due_ms) => next_due_ms,
            Err(status) => {
                tracing::error!("cannot fire what is due: {}", status.message);
                tokio::time::sleep(RETRY).await;
                Some(clock::now_ms())
            }
        };
    }
}

async fn tick(writer: &Writer, rules: &Arc<orchestrator::Config>) -> Result<Option<i64>, Status> {
    let rules = Arc::clone(rules);
    let tick = writer.run(move |attempt| orchestrator::tick(&rules, &mut attempt.env, attempt.tx)).await?;
    Ok(tick.next_due_ms)
}

async fn sleep_until(due_ms: Option<i64>, announced: &mut watch::Receiver<Option<i64>>) {
    let latest = Instant::now() + SLEEP_MAX;
    let until = due_ms.map_or(latest, |due_ms| clock::instant_of(due_ms).min(latest));
    tokio::select! {
        () = tokio::time::sleep_until(until) => {}
        changed = announced.changed() => if changed.is_err() {
            tokio::time::sleep_until(until).await;
        }
    }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}
