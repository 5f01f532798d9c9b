//! The properties of `tests/fuzz` on stable: over the committed corpus and over random bytes, for a second each or for
//! as long as `FLOVYN_FUZZ_SECONDS` says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, fs, path::Path};

#[path = "../../../tests/fuzz/properties/event_payloads.rs"]
mod event_payloads;
#[path = "../../../tests/fuzz/properties/frames.rs"]
mod frames;

#[test]
fn frames_hold_their_property() {
    over_corpus("frames", frames::check);
    over_random_bytes(frames::check);
}

#[test]
fn event_payloads_hold_their_property() {
    over_corpus("event_payloads", event_payloads::check);
    over_random_bytes(event_payloads::check);
}

fn over_corpus(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    for file in files {
        property(&fs::read(file).unwrap());
    }
}

fn over_random_bytes(property: fn(&[u8])) {
    arbtest::arbtest(|random| {
        property(random.arbitrary()?);
        Ok(())
    })
    .budget_ms(1_000 * seconds());
}

fn seconds() -> u64 {
    env::var("FLOVYN_FUZZ_SECONDS").map_or(1, |seconds| seconds.parse().unwrap())
}
