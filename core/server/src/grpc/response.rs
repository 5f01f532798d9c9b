use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use flovyn_protocol::{
    frame, metadata,
    status::{Code, Status},
};
use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::wire::Wire;
use crate::host::Reply;

const GRPC_STATUS: &str = "grpc-status";
const GRPC_MESSAGE: &str = "grpc-message";
const OK: HeaderValue = HeaderValue::from_static("0");
/// A trailer frame of gRPC-Web that says OK.
const WEB_TRAILERS: &[u8] = b"\x80\0\0\0\x0fgrpc-status:0\r\n";
/// What gRPC wants escaped in `grpc-message`, besides everything that is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// The response of a call. A failed one has no body: its status is in the headers.
pub(super) fn respond(
    wire: Wire,
    extended: bool,
    result: Result<axum::body::Body, Status>,
) -> Response<axum::body::Body> {
    let mut response = match result {
        Ok(body) => Response::new(body),
        Err(status) => {
            let mut response = Response::new(axum::body::Body::empty());
            write_status(&status, response.headers_mut());
            response
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, wire.content_type());
    if extended {
        response.headers_mut().insert(metadata::EXT, HeaderValue::from_static(metadata::EXT_VERSION));
    }
    response
}

/// The body of a call that is answered by one message.
pub(super) fn body(wire: Wire, reply: Reply) -> axum::body::Body {
    axum::body::Body::new(ReplyBody::new(wire, reply))
}

/// The end of a call that was answered by any number of messages.
pub(super) fn trailers(wire: Wire, status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    write_status(status, &mut trailers);
    match wire {
        Wire::Grpc => Frame::trailers(trailers),
        Wire::GrpcWeb => Frame::data(web_trailers(&trailers)),
    }
}

/// A trailer frame of gRPC-Web.
fn web_trailers(trailers: &HeaderMap) -> Bytes {
    let mut lines = Vec::new();
    for (name, value) in trailers {
        lines.extend([name.as_str().as_bytes(), b":", value.as_bytes(), b"\r\n"].concat());
    }
    let length = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    [&[0x80], length.to_be_bytes().as_slice(), &lines].concat().into()
}

fn write_status(status: &Status, headers: &mut HeaderMap) {
    headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(status.code.number())));
    let message = utf8_percent_encode(&status.message, ESCAPED).to_string();
    if let Ok(message) = HeaderValue::try_from(message)
        && status.code != Code::Ok
    {
        headers.insert(GRPC_MESSAGE, message);
    }
}

/// One message and the trailers. When it is dropped before all of it was taken, so is the [`Reply`]'s receipt, and a
/// claim in it is given back.
struct ReplyBody {
    frame: Option<Bytes>,
    trailers: Option<HeaderMap>,
    reply: Option<Reply>,
}

impl ReplyBody {
    fn new(wire: Wire, mut reply: Reply) -> Self {
        let mut frame = frame::encode(&std::mem::take(&mut reply.message));
        let trailers = match wire {
            Wire::Grpc => Some(HeaderMap::from_iter([(http::HeaderName::from_static(GRPC_STATUS), OK)])),
            Wire::GrpcWeb => {
                frame.extend_from_slice(WEB_TRAILERS);
                None
            }
        };
        Self { frame: Some(frame.into()), trailers, reply: Some(reply) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let next = this.frame.take().map(Frame::data).or_else(|| this.trailers.take().map(Frame::trailers));
        if this.is_end_stream()
            && let Some(reply) = this.reply.take()
        {
            reply.delivered();
        }
        Poll::Ready(next.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.frame.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.frame.as_ref().map_or(0, Bytes::len) as u64)
    }
}
