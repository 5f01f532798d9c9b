use std::{net::SocketAddr, time::Duration};

use prost::Message;
use tonic::{
    Request, Response, Status, Streaming,
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
        let request = self.request(message, claim);
        let mut grpc = self.grpc().await?;
        grpc.unary(request, PathAndQuery::from_static(method), ProstCodec::default()).await
    }

    /// A call that is answered by any number of messages.
    pub(crate) async fn stream<T: Message + Default + 'static>(
        &self,
        method: &'static str,
        message: impl Message + 'static,
        timeout: Option<Duration>,
    ) -> Result<Streaming<T>, Status> {
        let mut request = self.request(message, None);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        let mut grpc = self.grpc().await?;
        let answer = grpc.server_streaming(request, PathAndQuery::from_static(method), ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }

    async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(grpc)
    }

    fn request<M>(&self, message: M, claim: Option<&str>) -> Request<M> {
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
        request
    }
}
