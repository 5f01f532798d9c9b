use alloc::string::String;

use flovyn_protocol::status::{Code, Status};

/// A store could not do its part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another transaction got in the way: the host runs the request again.
    #[error("another transaction got in the way: {0}")]
    Conflict(String),
    /// The store cannot be used now.
    #[error("the store cannot be used now: {0}")]
    Unavailable(String),
    /// What is stored cannot be understood.
    #[error("what is stored cannot be understood: {0}")]
    Corrupt(String),
}

/// Details of a store are for the logs of the host; a client learns only whether trying again makes sense.
impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::new(Code::Aborted, "another request got in the way: try again"),
            StoreError::Unavailable(_) => Self::new(Code::Unavailable, "the store cannot be used now: try again"),
            StoreError::Corrupt(_) => Self::internal("what is stored cannot be understood: see the server's log"),
        }
    }
}
