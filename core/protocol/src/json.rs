//! JSON text, taken apart without making a tree of it.
//!
//! serde_json checks once that a text is JSON; after that only the places where its parts begin and end are looked
//! for. Reading parts through serde_json's `Deserializer` would link its numbers, a tenth of the wasm, for a few
//! strings and whole numbers.

use alloc::{borrow::Cow, string::String};

use serde::de::IgnoredAny;

use crate::{Payload, PayloadError};

const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// One JSON value as the text that it is, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Checks that `text` is one JSON value. Nesting costs no stack.
    pub fn parse(text: &'a [u8]) -> Result<Self, PayloadError> {
        let text = core::str::from_utf8(text).map_err(PayloadError::new)?;
        serde_json::from_str::<IgnoredAny>(text).map_err(PayloadError::new)?;
        Ok(Self(text.trim_matches(WHITE_SPACE)))
    }

    /// The text itself.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The characters of a string. `None` for anything else, and for a string that holds half a surrogate pair, which
    /// is no text.
    pub fn to_str(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') { unescape(inner).map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
    }

    /// A number that is written as a whole one and fits.
    pub fn to_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// A boolean.
    pub fn to_bool(self) -> Option<bool> {
        self.0.parse().ok()
    }

    /// The names and values of an object, in order; `None` for anything else. Names are JSON strings.
    pub fn members(self) -> Option<impl Iterator<Item = (Json<'a>, Json<'a>)>> {
        let mut parts = Parts(self.0.strip_prefix('{')?);
        Some(core::iter::from_fn(move || Some((parts.next()?, parts.next()?))))
    }

    /// The values of an array, in order; `None` for anything else.
    pub fn elements(self) -> Option<impl Iterator<Item = Json<'a>>> {
        Some(Parts(self.0.strip_prefix('[')?))
    }
}

impl<'a> From<&'a Payload> for Json<'a> {
    fn from(payload: &'a Payload) -> Self {
        Self(payload.as_json())
    }
}

/// A text as a JSON string.
pub fn quote(text: &str) -> String {
    // Writing a string into memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// The values left of an array or, names and values in turn, of an object. What separates them is passed over, which
/// is enough because the whole was checked.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let rest = self.0.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
        let (value, rest) = rest.split_at_checked(value_len(rest.as_bytes()))?;
        self.0 = rest;
        (!value.is_empty()).then_some(Json(value))
    }
}

/// The length of the value that checked JSON begins with; 0 at the end of an array or an object.
fn value_len(json: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at += string_len(json.get(at..).unwrap_or_default()),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => at += 1,
        }
        if depth == 0 && matches!(json.get(at - 1), Some(b'"' | b'}' | b']')) {
            return at;
        }
    }
    at
}

/// The length of the string that checked JSON begins with, quotes included.
fn string_len(json: &[u8]) -> usize {
    let mut escaped = true;
    let end = json.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        // The opening quote is passed over as if it were escaped.
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 1)
}

fn unescape(escaped: &str) -> Option<String> {
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (char, after) = unescape_one(escape)?;
        text.push(char);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// The character that an escape stands for, and what follows it.
fn unescape_one(escape: &str) -> Option<(char, &str)> {
    let mut chars = escape.chars();
    let char = match chars.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unescape_utf16(chars.as_str()),
        itself => itself,
    };
    Some((char, chars.as_str()))
}

fn unescape_utf16(digits: &str) -> Option<(char, &str)> {
    let (high, after) = code_unit(digits)?;
    if let Some(char) = char::from_u32(high) {
        return Some((char, after));
    }
    let (low, after) = code_unit(after.strip_prefix("\\u")?)?;
    let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    let char = char::decode_utf16(units).next()?.ok()?;
    Some((char, after))
}

fn code_unit(digits: &str) -> Option<(u32, &str)> {
    let (digits, after) = digits.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}
