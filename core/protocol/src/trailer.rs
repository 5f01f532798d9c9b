//! Trailers: the header lines that end a gRPC call, in gRPC-Web inside the last frame of the body.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use percent_encoding::percent_decode_str;

use crate::status::{Code, Status};

/// The entries of a trailer block, names in lower case, in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    entries: Vec<(String, String)>,
}

/// A trailer block that is not a list of `name: value` lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected trailers as lines of `name: value`, got {got:?}")]
pub struct TrailerError {
    /// The first line that is none, shortened to 100 characters.
    pub got: String,
}

impl Trailers {
    /// Reads a trailer block. Lines end in CRLF; a lone LF and a missing last line end are accepted too.
    pub fn parse(block: &[u8]) -> Result<Self, TrailerError> {
        let text = core::str::from_utf8(block).map_err(|_| refused(&String::from_utf8_lossy(block)))?;
        let entries = text.lines().filter(|line| !line.is_empty()).map(parse_line).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The first value under a name, which is compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The names and values, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How the call ended, from `grpc-status` and the percent-decoded `grpc-message`.
    ///
    /// Without a readable `grpc-status` the call is not known to have succeeded: [`Code::Unknown`].
    pub fn status(&self) -> Status {
        let Some(code) = self.get("grpc-status") else {
            return Status::new(Code::Unknown, "the trailers of the answer hold no grpc-status");
        };
        let Ok(number) = code.parse() else {
            return Status::new(Code::Unknown, alloc::format!("expected a number as grpc-status, got {code:?}"));
        };
        let message = self.get("grpc-message").unwrap_or_default();
        Status::new(Code::from_number(number), decode_message(message))
    }
}

/// Undoes the percent-encoding of `grpc-message`. What is no valid encoding stays as it is, as gRPC wants it.
pub fn decode_message(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

fn parse_line(line: &str) -> Result<(String, String), TrailerError> {
    let (name, value) = line.split_once(':').ok_or_else(|| refused(line))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(refused(line));
    }
    Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
}

fn refused(line: &str) -> TrailerError {
    TrailerError { got: line.chars().take(100).collect() }
}
