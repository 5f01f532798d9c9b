//! What must hold for any bytes that claim to be gRPC frames. Shared by the fuzz target and the tests on stable.

use core::mem::{Discriminant, discriminant};

use flovyn_protocol::frame::{Decoder, Frame, FrameError};

const MAX_BYTES: usize = 64;

/// The first byte is the size of the chunks, the rest the body: no chunking changes what is read or refused.
pub(crate) fn check(input: &[u8]) {
    let Some((&size, body)) = input.split_first() else { return };
    let whole = read([body].into_iter());
    let chunked = read(body.chunks(usize::from(size).max(1)));
    assert_eq!(whole, chunked, "chunks of {size} bytes");
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Discriminant<FrameError>>) {
    let mut decoder = Decoder::new(MAX_BYTES);
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        while let Ok(Some(frame)) = decoder.poll_frame() {
            if let Frame::Trailers(trailers) = &frame {
                assert!(!trailers.status().to_string().is_empty());
            }
            frames.push(frame);
        }
    }
    (frames, decoder.finish().err().map(|error| discriminant(&error)))
}
