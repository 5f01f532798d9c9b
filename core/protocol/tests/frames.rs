//! gRPC framing: what goes in comes out whatever the chunks, and nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flovyn_protocol::{
    frame::{Decoder, Frame, FrameError, encode},
    status::Code,
};
use proptest::{collection::vec, prelude::*, sample::Index};

const MAX_BYTES: usize = 1024;

#[test]
fn a_frame_is_flag_length_and_message() {
    assert_eq!(encode(b"abc"), [0, 0, 0, 0, 3, b'a', b'b', b'c']);
    assert_eq!(encode(b""), [0, 0, 0, 0, 0]);
}

#[test]
fn an_answer_byte_by_byte() {
    let mut decoder = Decoder::new(MAX_BYTES);
    let body = [encode(b"hello"), trailers("grpc-status:0\r\ngrpc-message:fine\r\n")].concat();
    let mut frames = Vec::new();
    for byte in body {
        decoder.push(&[byte]);
        frames.extend(decoder.poll_frame().unwrap());
    }
    let [Frame::Message(message), Frame::Trailers(trailers)] = frames.as_slice() else { panic!("got {frames:?}") };
    assert_eq!(message, b"hello");
    assert_eq!(trailers.status().code, Code::Ok);
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [("grpc-status", "0"), ("grpc-message", "fine")]);
    assert_eq!(decoder.finish(), Ok(()));
}

#[test]
fn several_frames_in_one_chunk() {
    let mut decoder = Decoder::new(MAX_BYTES);
    decoder.push(&[encode(b"a"), encode(b""), encode(b"b")].concat());
    assert_eq!(drain(&mut decoder), Ok(vec![message(b"a"), message(b""), message(b"b")]));
    assert_eq!(decoder.finish(), Ok(()));
}

#[test]
fn a_compressed_frame_is_refused_before_its_body_came() {
    for flag in [0x01, 0x81] {
        let mut decoder = Decoder::new(MAX_BYTES);
        decoder.push(&[flag]);
        assert_eq!(decoder.poll_frame(), Err(FrameError::Compressed { flag }));
    }
}

#[test]
fn html_is_no_frame_and_the_error_stays() {
    let mut decoder = Decoder::new(MAX_BYTES);
    decoder.push(b"<html>");
    let refused = Err(FrameError::UnknownFlag { flag: b'<' });
    assert_eq!(decoder.poll_frame(), refused);
    decoder.push(&encode(b"good"));
    assert_eq!(decoder.poll_frame(), refused);
    assert_eq!(decoder.finish().map(|()| None), refused);
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_header() {
    let mut decoder = Decoder::new(4);
    decoder.push(&encode(b"1234"));
    assert_eq!(decoder.poll_frame(), Ok(Some(message(b"1234"))));
    decoder.push(&[0, 0, 0, 0, 5]);
    assert_eq!(decoder.poll_frame(), Err(FrameError::TooLarge { bytes: 5, max_bytes: 4 }));
}

#[test]
fn the_largest_length_with_the_largest_limit_waits_for_bytes() {
    let mut decoder = Decoder::new(usize::MAX);
    decoder.push(&[0, 0xff, 0xff, 0xff, 0xff, 1]);
    assert_eq!(decoder.poll_frame(), Ok(None));
    assert_eq!(decoder.finish(), Err(FrameError::Truncated { expected: 4_294_967_300, got: 6 }));
}

#[test]
fn nothing_may_follow_the_trailers() {
    let mut decoder = Decoder::new(MAX_BYTES);
    decoder.push(&[trailers("grpc-status: 0\r\n"), vec![0, 0]].concat());
    assert!(matches!(decoder.poll_frame(), Ok(Some(Frame::Trailers(_)))));
    assert_eq!(decoder.poll_frame(), Err(FrameError::AfterTrailers { bytes: 2 }));
}

#[test]
fn trailers_that_are_no_lines_of_name_and_value() {
    let mut decoder = Decoder::new(MAX_BYTES);
    decoder.push(&trailers("nonsense\r\n"));
    let error = decoder.poll_frame().unwrap_err();
    assert_eq!(error.to_string(), "expected trailers as lines of `name: value`, got \"nonsense\"");
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(messages in vec(vec(any::<u8>(), 0..40), 0..8), cuts in vec(any::<Index>(), 0..12)) {
        let body: Vec<u8> = messages.iter().flat_map(|message| encode(message)).collect();
        let mut decoder = Decoder::new(MAX_BYTES);
        let mut frames = Vec::new();
        for chunk in chunks(&body, &cuts) {
            decoder.push(chunk);
            frames.extend(drain(&mut decoder).unwrap());
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
        prop_assert_eq!(frames, messages.iter().map(|bytes| message(bytes)).collect::<Vec<_>>());
    }

    #[test]
    fn a_cut_body_is_an_error_at_the_end(bytes in vec(any::<u8>(), 0..40), cut in any::<Index>()) {
        let body = encode(&bytes);
        let cut = cut.index(body.len() - 1) + 1;
        let mut decoder = Decoder::new(MAX_BYTES);
        decoder.push(&body[..cut]);
        let frames = drain(&mut decoder).unwrap();
        match cut == body.len() {
            true => prop_assert_eq!((frames.len(), decoder.finish()), (1, Ok(()))),
            false => {
                let expected = if cut < 5 { 5 } else { body.len() };
                prop_assert_eq!(frames, vec![]);
                prop_assert_eq!(decoder.finish(), Err(FrameError::Truncated { expected, got: cut }));
            }
        }
    }
}

fn message(bytes: &[u8]) -> Frame {
    Frame::Message(bytes.to_vec())
}

fn trailers(block: &str) -> Vec<u8> {
    let mut frame = encode(block.as_bytes());
    frame[0] = 0x80;
    frame
}

fn drain(decoder: &mut Decoder) -> Result<Vec<Frame>, FrameError> {
    std::iter::from_fn(|| decoder.poll_frame().transpose()).collect()
}

fn chunks<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    borders.extend([0, body.len()]);
    borders.sort_unstable();
    borders.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}
