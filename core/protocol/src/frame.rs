//! The framing of gRPC and gRPC-Web: five bytes of flag and length, then a message or, in gRPC-Web, the trailers.
//!
//! ```text
//!   +------+-----------------+----------------+
//!   | flag | length, 4 bytes | length bytes   |   0x00 message   0x80 trailers   0x01 compressed (refused)
//!   +------+-----------------+----------------+
//! ```
//!
//! A body arrives in chunks that respect no border: push them as they come, poll until nothing is left, and ask at
//! the end of the body whether a frame was cut.

use alloc::vec::Vec;

use crate::trailer::{TrailerError, Trailers};

const HEADER_BYTES: usize = 5;
const MESSAGE: u8 = 0x00;
const COMPRESSED: u8 = 0x01;
const TRAILERS: u8 = 0x80;

/// One message in its frame.
///
/// A message of 4 GiB or more has no frame: its length field does not hold it. The payload limits of
/// [`crate::limits`] are far below that.
pub fn encode(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(HEADER_BYTES + message.len());
    frame.push(MESSAGE);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The bytes of one message.
    Message(Vec<u8>),
    /// The end of the call. Nothing may follow.
    Trailers(Trailers),
}

/// Bytes that are no sequence of frames. The decoder gives the same error from then on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The sender compressed a message although we announce no compression.
    #[error("expected an uncompressed frame, got one with the compressed flag (0x{flag:02x})")]
    Compressed {
        /// The first byte of the frame.
        flag: u8,
    },
    /// The first byte of a frame says nothing we know: most likely this is no gRPC at all.
    #[error("expected a frame flag of 0x00 or 0x80, got 0x{flag:02x}: is this a gRPC endpoint?")]
    UnknownFlag {
        /// The first byte of the frame.
        flag: u8,
    },
    /// A frame announces more bytes than allowed.
    #[error("expected a frame of at most {max_bytes} bytes, got one of {bytes} bytes")]
    TooLarge {
        /// What the frame announces.
        bytes: u32,
        /// What the decoder was opened with.
        max_bytes: usize,
    },
    /// The trailer frame does not hold trailers.
    #[error(transparent)]
    Trailers(#[from] TrailerError),
    /// Bytes after the trailer frame.
    #[error("expected the end of the body after the trailers, got {bytes} more bytes")]
    AfterTrailers {
        /// How many were there when it was noticed.
        bytes: usize,
    },
    /// The body ended inside a frame.
    #[error("the body ended inside a frame: expected {expected} bytes, got {got}; the connection was cut")]
    Truncated {
        /// The size of the frame, or of its header when that is not complete.
        expected: usize,
        /// How much of it is there.
        got: usize,
    },
}

/// Cuts the bytes of a body into frames.
///
/// It holds no more than one incomplete frame and the chunk pushed last, as long as it is polled dry after each push.
#[derive(Debug)]
pub struct Decoder {
    max_bytes: usize,
    buffer: Vec<u8>,
    /// How much of `buffer` was given out.
    consumed: usize,
    ended: bool,
    failed: Option<FrameError>,
}

impl Decoder {
    /// A decoder that refuses frames of more than `max_bytes` (without the header) before it buffers them.
    pub fn new(max_bytes: usize) -> Self {
        // So that the size of a frame with its header always fits.
        let max_bytes = max_bytes.min(usize::MAX - HEADER_BYTES);
        Self { max_bytes, buffer: Vec::new(), consumed: 0, ended: false, failed: None }
    }

    /// Takes the next bytes of the body, any number of them.
    pub fn push(&mut self, chunk: &[u8]) {
        // Moving the rest once per push, not once per frame, keeps the cost linear.
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        if self.failed.is_none() {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// The next complete frame, `None` while more bytes are needed for it.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.next_frame().map_err(|error| self.fail(error))
    }

    /// The end of the body, after polling dry: an error if bytes of an incomplete frame are left.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let got = self.rest().len();
        if got == 0 {
            return Ok(());
        }
        let error = match self.header() {
            Ok(header) => {
                let expected = header.map_or(HEADER_BYTES, |header| HEADER_BYTES + header.length);
                FrameError::Truncated { expected, got }
            }
            Err(error) => error,
        };
        Err(self.fail(error))
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(header) = self.header()? else { return Ok(None) };
        let Some(body) = self.rest().get(HEADER_BYTES..HEADER_BYTES + header.length) else { return Ok(None) };
        let frame = match header.trailers {
            true => Frame::Trailers(Trailers::parse(body)?),
            false => Frame::Message(body.to_vec()),
        };
        self.consumed += HEADER_BYTES + header.length;
        self.ended = header.trailers;
        Ok(Some(frame))
    }

    /// The checked header of the next frame; a wrong flag is found by its first byte already.
    fn header(&self) -> Result<Option<Header>, FrameError> {
        let rest = self.rest();
        let Some(&flag) = rest.first() else { return Ok(None) };
        if self.ended {
            return Err(FrameError::AfterTrailers { bytes: rest.len() });
        }
        let trailers = check_flag(flag)?;
        let Some(&[_, a, b, c, d]) = rest.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let bytes = u32::from_be_bytes([a, b, c, d]);
        match usize::try_from(bytes) {
            Ok(length) if length <= self.max_bytes => Ok(Some(Header { trailers, length })),
            _ => Err(FrameError::TooLarge { bytes, max_bytes: self.max_bytes }),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.consumed..).unwrap_or_default()
    }

    fn fail(&mut self, error: FrameError) -> FrameError {
        self.buffer = Vec::new();
        self.consumed = 0;
        self.failed.insert(error).clone()
    }
}

struct Header {
    trailers: bool,
    length: usize,
}

/// Whether the frame holds trailers.
fn check_flag(flag: u8) -> Result<bool, FrameError> {
    match flag {
        MESSAGE => Ok(false),
        TRAILERS => Ok(true),
        _ if flag & !TRAILERS == COMPRESSED => Err(FrameError::Compressed { flag }),
        _ => Err(FrameError::UnknownFlag { flag }),
    }
}
