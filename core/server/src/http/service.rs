use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;

use crate::host::Presence;

/// What one connection serves: the router, and who is present on this connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionService {
    router: TowerToHyperService<Router>,
    presence: Presence,
}

impl ConnectionService {
    pub(super) fn new(router: Router, presence: Presence) -> Self {
        Self { router: TowerToHyperService::new(router), presence }
    }
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = <TowerToHyperService<Router> as Service<Request<Body>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Body>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Body>>>::Future;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.presence.clone());
        self.router.call(request)
    }
}
