use std::net::SocketAddr;

use prost::Message;
use tonic::{
    Request, Response, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

/// A client of tonic: native gRPC over HTTP/2 in clear text.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
    extended: bool,
    pub(crate) key: Option<String>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, extended: bool) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self { channel: endpoint.connect().await.unwrap(), extended, key: None }
    }

    pub(crate) async fn call<T: Message + Default + 'static>(
        &self,
        method: &'static str,
        message: impl Message + 'static,
    ) -> Result<T, Status> {
        self.call_with(method, message, None).await.map(Response::into_inner)
    }

    /// A call under a claim.
    pub(crate) async fn call_with<T: Message + Default + 'static>(
        &self,
        method: &'static str,
        message: impl Message + 'static,
        claim: Option<&str>,
    ) -> Result<Response<T>, Status> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        if self.extended {
            metadata.insert("flovyn-ext", MetadataValue::from_static("1"));
        }
        if let Some(key) = &self.key {
            metadata.insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        if let Some(claim) = claim {
            metadata.insert("flovyn-claim", claim.parse().unwrap());
        }
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.unary(request, PathAndQuery::from_static(method), ProstCodec::default()).await
    }
}
