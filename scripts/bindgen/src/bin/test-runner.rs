//! The runner of wasm-bindgen, in the version that our lock file pins: cargo starts it with a test program in wasm.
//!
//! It is named to cargo by `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER`; `scripts/test-wasm.mjs` does that.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
