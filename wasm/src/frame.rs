//! gRPC framing for the network transports: messages out, the chunks of a body in.

use flovyn_protocol::frame::{Decoder, Frame, encode};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::{error::Error, table::Table};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A message, or the trailers that end a call: status number and decoded message. */
export type Frame = [kind: 0, message: Uint8Array] | [kind: 1, grpcStatus: number, grpcMessage: string];
"#;

const MESSAGE: u8 = 0;
const TRAILERS: u8 = 1;

thread_local! {
    static DECODERS: Table<Decoder> = const { Table::new("frame decoder") };
}

/// One message in its gRPC frame.
#[wasm_bindgen(js_name = encodeFrame)]
pub fn encode_frame(message: &[u8]) -> Vec<u8> {
    encode(message)
}

/// Opens a decoder for one body. Frames of more than `maxBytes` are refused.
#[wasm_bindgen(js_name = decoderOpen)]
pub fn decoder_open(#[wasm_bindgen(js_name = maxBytes)] max_bytes: u32) -> Result<u32, Error> {
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    DECODERS.with(|table| table.insert(Decoder::new(max_bytes)))
}

/// Takes the next chunk of the body, cut anywhere, and gives the frames that are complete now.
///
/// Frames before a fault are given; the next call then throws `INVALID_FRAME`.
#[wasm_bindgen(js_name = decoderPush, unchecked_return_type = "Frame[]")]
pub fn decoder_push(decoder: u32, chunk: &[u8]) -> Result<Array, Error> {
    with(decoder, |decoder| {
        decoder.push(chunk);
        let frames = Array::new();
        loop {
            match decoder.poll_frame() {
                Ok(Some(frame)) => frames.push(&to_tuple(frame)),
                Ok(None) => return Ok(frames),
                Err(_) if frames.length() > 0 => return Ok(frames),
                Err(error) => return Err(error.into()),
            };
        }
    })
}

/// Closes the decoder. Throws `INVALID_FRAME` if the body was cut within a frame.
#[wasm_bindgen(js_name = decoderFinish)]
pub fn decoder_finish(decoder: u32) -> Result<(), Error> {
    let finished = with(decoder, |decoder| decoder.finish().map_err(Error::from));
    DECODERS.with(|table| table.remove(decoder))?;
    finished
}

fn with<R>(decoder: u32, call: impl FnOnce(&mut Decoder) -> Result<R, Error>) -> Result<R, Error> {
    DECODERS.with(|table| table.with(decoder, call))
}

fn to_tuple(frame: Frame) -> JsValue {
    match frame {
        Frame::Message(bytes) => Array::of2(&MESSAGE.into(), &Uint8Array::from(bytes.as_slice())).into(),
        Frame::Trailers(trailers) => {
            let status = trailers.status();
            Array::of3(&TRAILERS.into(), &status.code.number().into(), &status.message.into()).into()
        }
    }
}
