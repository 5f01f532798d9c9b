#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/engine_calls.rs"]
mod property;

fuzz_target!(|input: &[u8]| property::check(input));
