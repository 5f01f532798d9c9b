use core::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a thing, within the organisation that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The organisation.
    pub org_id: Uuid,
    /// The thing.
    pub id: Uuid,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org_id, self.id)
    }
}
