//! The prost messages, generated from `proto/` by `cargo run -p flovyn-proto-gen` and committed.
//!
//! The module tree follows the package names, because generated code refers to itself by them.
#![allow(missing_docs, unreachable_pub, clippy::all)]

mod flovyn {
    pub mod v1 {
        include!("generated/flovyn.v1.rs");
    }
    pub mod ext {
        pub mod v1 {
            include!("generated/flovyn.ext.v1.rs");
        }
    }
}

pub use flovyn::ext::v1 as ext;
pub use flovyn::v1::*;
