//! The gRPC metadata keys of the contract, in lower case as they travel.

/// Announces that the sender knows our extensions; its value is [`EXT_VERSION`].
pub const EXT: &str = "flovyn-ext";

/// The version of the extensions that this code speaks.
pub const EXT_VERSION: &str = "1";

/// Carries the token of a claim back to the server that gave it.
pub const CLAIM: &str = "flovyn-claim";

/// Carries `Bearer <key>`.
pub const AUTHORIZATION: &str = "authorization";
