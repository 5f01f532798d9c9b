use flovyn_wasm::{decoder_finish, decoder_open, decoder_push, encode_frame};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{self, text, thrown};

const MAX_BYTES: u32 = 1024;
const TRAILERS: &[u8] = b"grpc-status: 5\r\ngrpc-message: no execution %C3%BC\r\n";

#[wasm_bindgen_test]
fn a_frame_is_a_flag_a_length_and_the_message() {
    assert_eq!(encode_frame(b"abc"), [0, 0, 0, 0, 3, b'a', b'b', b'c']);
    assert_eq!(encode_frame(b""), [0; 5]);
}

#[wasm_bindgen_test]
fn chunks_may_be_cut_anywhere() {
    let body = body();
    for size in 1..=body.len() {
        let decoder = decoder_open(MAX_BYTES).unwrap();
        let frames = Array::new();
        for chunk in body.chunks(size) {
            for frame in decoder_push(decoder, chunk).unwrap().iter() {
                frames.push(&frame);
            }
        }
        decoder_finish(decoder).unwrap();

        assert_eq!(frames.length(), 3, "in chunks of {size} bytes");
        assert_eq!(message(&frames.get(0)), b"first");
        assert_eq!(message(&frames.get(1)), b"");
        assert_eq!(trailers(&frames.get(2)), (5, "no execution \u{fc}".to_owned()));
    }
}

#[wasm_bindgen_test]
fn a_body_that_ends_within_a_frame_is_refused_at_its_end() {
    let body = body();
    for end in [1, 4, 5, 9, body.len() - 1] {
        let decoder = decoder_open(MAX_BYTES).unwrap();
        decoder_push(decoder, &body[..end]).unwrap();
        let error = thrown(decoder_finish(decoder));
        assert_eq!(text(&error, "code"), "INVALID_FRAME", "cut after {end} bytes");
        // It is closed all the same.
        assert_eq!(text(&thrown(decoder_finish(decoder)), "code"), "UNKNOWN_HANDLE");
    }
}

#[wasm_bindgen_test]
fn what_comes_before_a_fault_is_given() {
    let compressed = [1, 0, 0, 0, 1, 0];
    let decoder = decoder_open(MAX_BYTES).unwrap();
    let frames = decoder_push(decoder, &[encode_frame(b"good").as_slice(), &compressed].concat()).unwrap();
    assert_eq!(frames.length(), 1);
    assert_eq!(message(&frames.get(0)), b"good");
    assert_eq!(text(&thrown(decoder_push(decoder, &[])), "code"), "INVALID_FRAME");
}

#[wasm_bindgen_test]
fn a_frame_that_is_too_long_is_refused_by_its_length_alone() {
    let decoder = decoder_open(MAX_BYTES).unwrap();
    let error = thrown(decoder_push(decoder, &[0, 0, 0, 4, 1]));
    assert_eq!(text(&error, "code"), "INVALID_FRAME");
    assert!(text(&error, "message").contains("1024"), "{error:?}");
}

/// Two messages, the second one empty, and trailers.
fn body() -> Vec<u8> {
    let length = u8::try_from(TRAILERS.len()).unwrap();
    [&encode_frame(b"first"), &encode_frame(b""), [0x80, 0, 0, 0, length].as_slice(), TRAILERS].concat()
}

fn message(frame: &JsValue) -> Vec<u8> {
    let frame = Array::from(frame);
    assert_eq!((frame.length(), frame.get(0).as_f64()), (2, Some(0.0)), "{frame:?} is no message");
    Uint8Array::new(&frame.get(1)).to_vec()
}

fn trailers(frame: &JsValue) -> (u8, String) {
    let frame = Array::from(frame);
    assert_eq!((frame.length(), frame.get(0).as_f64()), (3, Some(1.0)), "{frame:?} are no trailers");
    let status = serde_json::from_value(support::json(&frame.get(1))).unwrap();
    (status, frame.get(2).as_string().unwrap())
}
