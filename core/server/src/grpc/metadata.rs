use std::time::Duration;

use flovyn_protocol::{metadata, status::Status};
use http::HeaderMap;

/// What the metadata of a call says, apart from who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The caller knows our extensions.
    pub(super) extended: bool,
    /// The token of the claim under which the call is made.
    pub(super) claim: Option<String>,
    /// How long the caller waits for the answer.
    pub(super) timeout: Option<Duration>,
}

impl Metadata {
    /// With `extensions` off, what is ours in the metadata is not read.
    pub(super) fn read(headers: &HeaderMap, extensions: bool) -> Result<Self, Status> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(encoding) = text("grpc-encoding").filter(|encoding| *encoding != "identity") {
            return Err(Status::unimplemented(format!(
                "expected an uncompressed request (grpc-encoding: identity), got {encoding:?}"
            )));
        }
        let claim = match headers.get(metadata::CLAIM) {
            Some(value) if extensions => Some(value.to_str().map_err(|_| unreadable(metadata::CLAIM))?.to_owned()),
            _ => None,
        };
        let timeout = match headers.get("grpc-timeout") {
            Some(value) => Some(parse_timeout(value.to_str().map_err(|_| unreadable("grpc-timeout"))?)?),
            None => None,
        };
        Ok(Self { extended: extensions && is_extended(headers), claim, timeout })
    }
}

/// Whether the caller announced that it knows our extensions.
pub(super) fn is_extended(headers: &HeaderMap) -> bool {
    headers.get(metadata::EXT).is_some_and(|value| value.as_bytes() == metadata::EXT_VERSION.as_bytes())
}

/// Reads the form of gRPC: at most eight digits and a unit.
fn parse_timeout(text: &str) -> Result<Duration, Status> {
    let wrong = || {
        Status::invalid_argument(format!(
            "expected grpc-timeout as up to 8 digits and one of H M S m u n, got {:?}",
            text.chars().take(20).collect::<String>()
        ))
    };
    let (digits, unit) = text.split_at_checked(text.len().wrapping_sub(1)).ok_or_else(wrong)?;
    let digits_only = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount: u64 = digits.parse().ok().filter(|_| digits_only).ok_or_else(wrong)?;
    Ok(match unit {
        "H" => Duration::from_secs(amount * 60 * 60),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return Err(wrong()),
    })
}

fn unreadable(name: &str) -> Status {
    Status::invalid_argument(format!("expected visible ASCII in metadata `{name}`"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn timeouts() {
        for (text, duration) in [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("250m", Duration::from_millis(250)),
            ("99999999u", Duration::from_micros(99_999_999)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(parse_timeout(text).unwrap(), duration, "{text}");
        }
        for text in ["", "S", "1", "1s", "123456789S", "-1S", "+1S", "1 S", "1.5S", "1é"] {
            parse_timeout(text).unwrap_err();
        }
    }
}
