use std::path::{Path, PathBuf};

use super::ConfigError;

/// The SQLite file: DATABASE_URL if given, else `flovyn.db` in the data folder.
pub(super) fn locate(url: Option<&str>, data: &Path) -> Result<PathBuf, ConfigError> {
    let Some(url) = url else { return Ok(data.join("flovyn.db")) };
    let path = match url.split_once(':') {
        Some(("sqlite", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some((scheme, rest)) if rest.starts_with("//") => return Err(unsupported(format!("a {scheme}: URL"))),
        _ => url,
    };
    // Parameters such as `?mode=rwc` say what we do anyway.
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    match path {
        "" => Err(unsupported("an empty path".to_owned())),
        ":memory:" => Err(unsupported(":memory:, which would lose what was answered OK".to_owned())),
        path => Ok(path.into()),
    }
}

/// The URL itself is not quoted: it may hold a password.
fn unsupported(got: String) -> ConfigError {
    ConfigError::Value {
        what: "DATABASE_URL".to_owned(),
        expected: "the path of an SQLite file, `sqlite:<path>` or `sqlite://<path>`",
        got,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls() {
        let data = Path::new("d");
        assert_eq!(locate(None, data).unwrap(), Path::new("d/flovyn.db"));
        for (url, path) in [
            ("x.db", "x.db"),
            ("/a/x.db", "/a/x.db"),
            ("sqlite:x.db", "x.db"),
            ("sqlite://x.db?mode=rwc", "x.db"),
            ("sqlite:///a/x.db", "/a/x.db"),
        ] {
            assert_eq!(locate(Some(url), data).unwrap(), Path::new(path), "{url}");
        }
        for url in ["postgres://u:hunter2@h/db", "sqlite:", "sqlite::memory:"] {
            let message = locate(Some(url), data).unwrap_err().to_string();
            assert!(message.starts_with("DATABASE_URL: expected") && !message.contains("hunter2"), "{message}");
        }
    }
}
