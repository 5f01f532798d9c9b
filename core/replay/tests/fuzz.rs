//! The properties of `tests/fuzz` on stable: over the committed corpus and over random bytes, for a second or for as
//! long as `FLOVYN_FUZZ_SECONDS` says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{env, fs, path::Path};

#[path = "../../../tests/fuzz/properties/engine_calls.rs"]
mod engine_calls;

#[test]
fn calls_on_the_engine_hold_their_property() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/engine_calls");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "the corpus is empty");
    for file in files {
        engine_calls::check(&fs::read(file).unwrap());
    }
    arbtest::arbtest(|random| {
        engine_calls::check(random.bytes(random.len())?);
        Ok(())
    })
    .budget_ms(1_000 * seconds());
}

fn seconds() -> u64 {
    env::var("FLOVYN_FUZZ_SECONDS").map_or(1, |seconds| seconds.parse().unwrap())
}
