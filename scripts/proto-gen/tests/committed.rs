//! The committed generated code is what the .proto files give.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn the_committed_code_is_what_the_proto_files_give() {
    let output = Command::new(env!("CARGO_BIN_EXE_flovyn-proto-gen")).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
