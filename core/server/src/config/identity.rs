use std::{
    fs,
    io::{ErrorKind, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConfigError, Secret};

const FILE: &str = "dev.json";

/// The organisation and keys that a development server made for itself at its first start and keeps from then on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The organisation.
    pub org_id: Uuid,
    /// Its slug.
    pub org_slug: String,
    /// For clients.
    pub api_key: Secret,
    /// For workers.
    pub worker_key: Secret,
}

impl Identity {
    /// Reads `dev.json` in the data folder, or generates and stores it.
    pub(super) fn load_or_generate(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let fail = |message: String| ConfigError::Identity { path: path.clone(), message };
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                fail(format!("line {line}, column {column} is not as written; remove the file to get new keys"))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let identity = Self::generate()?;
                identity.store(data).map_err(|error| fail(error.to_string()))?;
                Ok(identity)
            }
            Err(error) => Err(fail(error.to_string())),
        }
    }

    fn generate() -> Result<Self, ConfigError> {
        Ok(Self {
            org_id: uuid::Builder::from_random_bytes(random()?).into_uuid(),
            org_slug: "dev".to_owned(),
            api_key: generate_key("flovyn_sk_")?,
            worker_key: generate_key("flovyn_wk_")?,
        })
    }

    /// Renames a complete file into place, so that a crash leaves the old one or the new one and never a part.
    fn store(&self, data: &Path) -> std::io::Result<()> {
        fs::create_dir_all(data)?;
        let draft = data.join(format!("{FILE}.{}", std::process::id()));
        let mut file = owner_only().write(true).create(true).truncate(true).open(&draft)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, data.join(FILE))
    }
}

fn owner_only() -> fs::OpenOptions {
    #[allow(unused_mut)]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn generate_key(prefix: &str) -> Result<Secret, ConfigError> {
    let hex: String = random::<24>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::from(format!("{prefix}{hex}")))
}

fn random<const N: usize>() -> Result<[u8; N], ConfigError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(ConfigError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_same_after_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("made/when/needed");
        let first = Identity::load_or_generate(&folder).unwrap();
        let second = Identity::load_or_generate(&folder).unwrap();
        assert_eq!(first.org_id, second.org_id);
        assert_eq!(first.api_key.expose(), second.api_key.expose());
        assert_eq!(first.worker_key.expose(), second.worker_key.expose());
        assert_ne!(first.api_key.expose(), first.worker_key.expose());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.join(FILE)).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "only the owner reads keys");
        }
    }

    #[test]
    fn a_broken_file_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(FILE), "{}").unwrap();
        let message = Identity::load_or_generate(data.path()).unwrap_err().to_string();
        assert!(message.contains("remove the file to get new keys"), "{message}");
        assert_eq!(fs::read_to_string(data.path().join(FILE)).unwrap(), "{}");
    }
}
