//! Ids that replay must find again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flovyn_protocol::ids::{derive, parse};

const EXECUTION: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

#[test]
fn the_ids_of_an_execution_are_version_5_of_its_id_and_a_counter() {
    let execution = parse(EXECUTION).unwrap();
    // Checked with Python: uuid.uuid5(uuid.UUID(E), E + ":0") and ":1".
    assert_eq!(derive(execution, 0).to_string(), "456f3aea-8d8a-5572-875f-730ffc92c2a8");
    assert_eq!(derive(execution, 1).to_string(), "731d2ffd-8a72-52b5-a271-cccf03a659f3");
}

#[test]
fn the_spelling_of_the_execution_id_does_not_matter() {
    let spelled = parse(&EXECUTION.to_uppercase()).unwrap();
    assert_eq!(derive(spelled, 7), derive(parse(EXECUTION).unwrap(), 7));
}

#[test]
fn text_that_is_no_uuid() {
    assert_eq!(parse("order-17").unwrap_err().to_string(), r#"expected a UUID, got "order-17""#);
    assert_eq!(parse("").unwrap_err().got, "");
    assert_eq!(parse(&"é".repeat(1000)).unwrap_err().got.chars().count(), 100);
}
