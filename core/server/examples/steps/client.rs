use prost::Message;
use tonic::{
    Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

/// Native gRPC with our extensions.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
}

impl Client {
    pub(crate) async fn connect(url: &str) -> Self {
        Self { channel: Endpoint::from_shared(url.to_owned()).unwrap().connect().await.unwrap() }
    }

    pub(crate) async fn call<T: Message + Default + 'static>(
        &self,
        method: &'static str,
        message: impl Message + 'static,
        claim: &str,
    ) -> Result<T, Status> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("flovyn-ext", MetadataValue::from_static("1"));
        if !claim.is_empty() {
            metadata.insert("flovyn-claim", claim.parse().unwrap());
        }
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = PathAndQuery::from_static(method);
        grpc.unary(request, path, ProstCodec::default()).await.map(tonic::Response::into_inner)
    }
}
