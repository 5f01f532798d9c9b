use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

/// The two ways in which a gRPC call travels. They differ in where the trailers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// HTTP/2 with trailers.
    Grpc,
    /// Any HTTP; the trailers are the last frame of the body.
    GrpcWeb,
}

/// What the content type of a request says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// A gRPC call that we can read.
    Call(Wire),
    /// A gRPC call in a format that we do not offer: text, JSON, thrift.
    OtherFormat,
    /// Something else.
    NoGrpc,
}

impl Wire {
    pub(super) fn recognise(headers: &HeaderMap) -> Recognised {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/grpc" | "application/grpc+proto" => Recognised::Call(Self::Grpc),
            "application/grpc-web" | "application/grpc-web+proto" => Recognised::Call(Self::GrpcWeb),
            other if other.starts_with("application/grpc") => Recognised::OtherFormat,
            _ => Recognised::NoGrpc,
        }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Grpc => "application/grpc",
            Self::GrpcWeb => "application/grpc-web+proto",
        })
    }
}
