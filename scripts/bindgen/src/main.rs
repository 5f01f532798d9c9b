//! Makes the JavaScript glue of the built wasm.
//!
//! `flovyn-bindgen <input.wasm> <output folder>` writes `core.js`, `core.d.ts` and `core_bg.wasm`: one glue for all
//! runtimes, which finds no wasm by itself (no default module path), because each runtime loads it in its own way.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use wasm_bindgen_cli_support::Bindgen;

const USAGE: &str = "usage: flovyn-bindgen <input.wasm> <output folder>";
const NAME: &str = "core";

/// What wasm-bindgen makes and we do not need: types of the raw exports behind the glue.
const SURPLUS: &str = "core_bg.wasm.d.ts";

const RESET_IN_GLUE: &str = "export function __wbg_reset_state";
const RESET_IN_TYPES: &str = "export function __wbg_reset_state(): void;";

const RESET_EXPORT: &str = "
export { __wbg_reset_state as resetInstance };
";

const RESET_TYPES: &str = "
/**
 * Replaces the instance by a fresh one of the same module, after a trap. Everything that lived in the old one is
 * gone: no id that it gave out may be used again.
 */
export function resetInstance(): void;
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(wasm), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(USAGE.into());
    };
    generate(&wasm, &folder)?;
    export_reset(&folder)?;
    fs::remove_file(folder.join(SURPLUS))?;
    Ok(())
}

fn generate(wasm: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(NAME)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .reset_state_function(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .map_err(|error| format!("{error:#}"))?;
    Ok(())
}

/// Gives the reset function of wasm-bindgen a documented name. It is experimental there, so it may change its shape
/// with a version: then this fails instead of writing a glue without it.
fn export_reset(folder: &Path) -> Result<(), Box<dyn Error>> {
    let glue = folder.join(format!("{NAME}.js"));
    let text = fs::read_to_string(&glue)?;
    expect_once(&text, RESET_IN_GLUE, &glue)?;
    fs::write(&glue, text + RESET_EXPORT)?;

    let types = folder.join(format!("{NAME}.d.ts"));
    let text = fs::read_to_string(&types)?;
    expect_once(&text, RESET_IN_TYPES, &types)?;
    fs::write(&types, text.replace(RESET_IN_TYPES, RESET_TYPES.trim()))?;
    Ok(())
}

fn expect_once(text: &str, expected: &str, file: &Path) -> Result<(), String> {
    match text.matches(expected).count() {
        1 => Ok(()),
        count => Err(format!("expected `{expected}` once in {}, found it {count} times", file.display())),
    }
}
