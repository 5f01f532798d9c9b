//! Trailer blocks and the status in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flovyn_protocol::{
    status::{Code, Status},
    trailer::{Trailers, decode_message},
};

fn status(block: &str) -> Status {
    Trailers::parse(block.as_bytes()).unwrap().status()
}

#[test]
fn a_status_with_an_encoded_message() {
    let block = "grpc-status: 3\r\ngrpc-message: no%20such%20thing%3A%20%C3%BC\r\n";
    assert_eq!(status(block), Status::invalid_argument("no such thing: ü"));
}

#[test]
fn names_in_any_case_and_lines_of_any_end() {
    assert_eq!(status("Grpc-Status:5\nGrpc-Message:gone"), Status::not_found("gone"));
}

#[test]
fn a_missing_or_unreadable_status_is_unknown() {
    assert_eq!(status("").code, Code::Unknown);
    assert_eq!(status("grpc-message: hello\r\n").code, Code::Unknown);
    assert_eq!(status("grpc-status: ok\r\n").to_string(), r#"UNKNOWN: expected a number as grpc-status, got "ok""#);
    assert_eq!(status("grpc-status: 99\r\n").code, Code::Unknown);
}

#[test]
fn a_message_that_is_no_valid_encoding_stays() {
    assert_eq!(decode_message("100% sure %zz"), "100% sure %zz");
    assert_eq!(decode_message("%ff"), "\u{fffd}");
}

#[test]
fn a_value_may_hold_colons() {
    let trailers = Trailers::parse(b"x-time: 10:30\r\n").unwrap();
    assert_eq!(trailers.get("X-Time"), Some("10:30"));
    assert_eq!(trailers.get("grpc-status"), None);
}

#[test]
fn a_line_that_is_no_entry() {
    assert_eq!(Trailers::parse(b"a: b\r\n: c\r\n").unwrap_err().got, ": c");
    assert_eq!(Trailers::parse(&[0xff, b'x']).unwrap_err().got, "\u{fffd}x");
}

#[test]
fn every_code_has_its_number_and_name() {
    for (number, code) in (0_u8..).zip(Code::ALL) {
        assert_eq!(code.number(), number);
        assert_eq!(Code::from_number(number.into()), code);
    }
    assert_eq!(Code::from_number(17), Code::Unknown);
    let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), 17);
}
