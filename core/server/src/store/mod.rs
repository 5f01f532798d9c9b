//! Where everything is kept: one store per database.

pub(crate) mod sqlite;
