use flovyn_protocol::{
    frame::{Decoder, Frame, FrameError},
    status::Status,
};
use http_body::Body as _;
use http_body_util::BodyExt as _;

/// Reads the one message of a unary request.
pub(super) async fn read_message(mut body: axum::body::Body, bytes_max: usize) -> Result<Vec<u8>, Status> {
    refuse_announced_size(&body, bytes_max)?;
    let mut decoder = Decoder::new(bytes_max);
    let mut message = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::invalid_argument("the request ended before its body was complete"))?;
        let Ok(chunk) = frame.into_data() else { continue };
        decoder.push(&chunk);
        while let Some(frame) = decoder.poll_frame().map_err(refused)? {
            if message.replace(only_message(frame)?).is_some() {
                return Err(Status::invalid_argument("expected one message in the request, got more"));
            }
        }
    }
    decoder.finish().map_err(refused)?;
    message.ok_or_else(|| Status::invalid_argument("expected one message in the request, got none"))
}

fn refuse_announced_size(body: &axum::body::Body, bytes_max: usize) -> Result<(), Status> {
    let announced = body.size_hint().lower();
    match usize::try_from(announced) {
        Ok(announced) if announced <= bytes_max.saturating_add(5) => Ok(()),
        _ => Err(Status::resource_exhausted(format!(
            "expected a request of at most {bytes_max} bytes, got one of {announced} bytes"
        ))),
    }
}

fn only_message(frame: Frame) -> Result<Vec<u8>, Status> {
    match frame {
        Frame::Message(message) => Ok(message),
        Frame::Trailers(_) => Err(Status::invalid_argument("expected a message in the request, got trailers")),
    }
}

fn refused(error: FrameError) -> Status {
    match error {
        FrameError::TooLarge { bytes, max_bytes } => Status::resource_exhausted(format!(
            "expected a request of at most {max_bytes} bytes, got one of {bytes} bytes"
        )),
        FrameError::Compressed { .. } => {
            Status::unimplemented("expected an uncompressed message (grpc-encoding: identity), got a compressed one")
        }
        FrameError::UnknownFlag { flag } => Status::invalid_argument(format!(
            "the request is no gRPC message: expected a frame flag of 0x00, got 0x{flag:02x}"
        )),
        FrameError::Truncated { expected, got } => Status::invalid_argument(format!(
            "the request ended inside a message: expected {expected} bytes, got {got}"
        )),
        other => Status::invalid_argument(format!("the request is no gRPC message: {other}")),
    }
}
