//! Regenerates core/protocol/src/generated from core/protocol/proto.
//!
//! `cargo run -p flovyn-proto-gen` writes; with `--check` it writes nothing and fails if a committed file differs.

use std::{error::Error, fs, path::Path, process::ExitCode};

const PACKAGES: [&str; 2] = ["flovyn.v1", "flovyn.ext.v1"];

fn main() -> ExitCode {
    let check = std::env::args().any(|arg| arg == "--check");
    match run(check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proto-gen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(check: bool) -> Result<(), Box<dyn Error>> {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/protocol");
    let scratch = std::env::temp_dir().join(format!("flovyn-proto-gen-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let generated = generate(&protocol.join("proto"), &scratch);
    let outcome = generated.and_then(|()| publish(&scratch, &protocol.join("src/generated"), check));
    fs::remove_dir_all(&scratch)?;
    outcome
}

fn generate(proto: &Path, into: &Path) -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(["flovyn.proto", "flovyn_ext.proto"], [proto])?;
    // Maps become BTreeMap: HashMap needs std, and its order would differ from run to run.
    prost_build::Config::new().btree_map(["."]).out_dir(into).compile_fds(descriptors)?;
    Ok(())
}

fn publish(from: &Path, to: &Path, check: bool) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for package in PACKAGES {
        let name = format!("{package}.rs");
        let fresh = fs::read_to_string(from.join(&name))?;
        let committed = to.join(&name);
        if !check {
            fs::write(&committed, fresh)?;
        } else if fs::read_to_string(&committed).unwrap_or_default() != fresh {
            return Err(format!(
                "core/protocol/src/generated/{name} differs from what the .proto files give: run `cargo run -p flovyn-proto-gen`"
            )
            .into());
        }
    }
    Ok(())
}
