//! SubscribeToNotifications, the one call that is answered by more than one message.

use std::{convert::Infallible, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use flovyn_orchestrator::Subscription;
use flovyn_protocol::{
    frame,
    status::{Code, Status},
};
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::Instant;

use super::{response, too_late, wire::Wire};
use crate::{clock, host::Subscriber};

/// The path of the call.
pub(super) const METHOD: &str = "/flovyn.v1.WorkflowDispatch/SubscribeToNotifications";

/// The messages of a subscription and, at its end, why it ended: the time of the caller is over, or the server stops.
pub(super) fn body(wire: Wire, subscription: Subscription, subscriber: Subscriber, timeout: Option<Duration>) -> Body {
    let until = timeout.map(|timeout| (Instant::now() + timeout, timeout));
    let running = Running { wire, subscription, subscriber, until };
    let frames = stream::unfold(Some(running), |running| async {
        let mut running = running?;
        Some(match running.next().await {
            Ok(event) => (Ok::<_, Infallible>(Frame::data(event)), Some(running)),
            Err(status) => (Ok(response::trailers(running.wire, &status)), None),
        })
    });
    Body::new(StreamBody::new(frames))
}

struct Running {
    wire: Wire,
    subscription: Subscription,
    subscriber: Subscriber,
    /// When the caller will have given up, and how long that is after its call.
    until: Option<(Instant, Duration)>,
}

impl Running {
    /// The next message, framed.
    async fn next(&mut self) -> Result<Bytes, Status> {
        let heard = match self.until {
            None => self.subscriber.next().await,
            Some((deadline, timeout)) => {
                tokio::time::timeout_at(deadline, self.subscriber.next()).await.map_err(|_| too_late(timeout))?
            }
        };
        match heard {
            true => Ok(frame::encode(&self.subscription.event(clock::now_ms())).into()),
            false => Err(Status::new(Code::Unavailable, "the server is shutting down: subscribe again")),
        }
    }
}
