//! Bytes to text: UTF-8 with or without a mark, and UTF-16.
//!
//! Nothing is guessed. UTF-16 gives itself away, by its mark or by the zero byte beside
//! the first character of any JSON text; everything else has to be valid UTF-8.

use std::borrow::Cow;

use super::Repairs;
use crate::exit::{self, Failure};

/// How the file spelt its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 that opens with a byte order mark.
    Utf8WithMark,
    /// UTF-16, the low byte first, as PowerShell writes it.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// The name people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8WithMark => "UTF-8 with a byte order mark",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }
}

/// Reads the bytes of `file` as text.
pub(super) fn decode<'a>(
    file: &str,
    bytes: &'a [u8],
    repairs: &mut Repairs,
) -> Result<(Encoding, Cow<'a, str>), Failure> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(refuse(file, "it is UTF-32")),
        [0xFF, 0xFE, rest @ ..] => {
            utf16(file, rest, u16::from_le_bytes, repairs).map(|text| (Encoding::Utf16Le, text))
        }
        [0xFE, 0xFF, rest @ ..] => {
            utf16(file, rest, u16::from_be_bytes, repairs).map(|text| (Encoding::Utf16Be, text))
        }
        [b'{' | b'[' | b'"', 0, ..] => {
            utf16(file, bytes, u16::from_le_bytes, repairs).map(|text| (Encoding::Utf16Le, text))
        }
        [0, b'{' | b'[' | b'"', ..] => {
            utf16(file, bytes, u16::from_be_bytes, repairs).map(|text| (Encoding::Utf16Be, text))
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(file, rest).map(|text| (Encoding::Utf8WithMark, text)),
        _ => utf8(file, bytes).map(|text| (Encoding::Utf8, text)),
    }
}

fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, Failure> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        let why = match error.error_len() {
            None => format!("it ends in the middle of a character (line {line}, column {column})"),
            Some(_) => format!(
                "the byte at line {line}, column {column} is no UTF-8; the file looks like Latin-1 or Windows-1252"
            ),
        };
        refuse(file, &why).because(error)
    })
}

fn utf16(
    file: &str,
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
    repairs: &mut Repairs,
) -> Result<Cow<'static, str>, Failure> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refuse(file, "it is UTF-16 and ends in the middle of a character"));
    }
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).map(|character| {
        character.unwrap_or_else(|_| {
            repairs.lone_surrogates += 1;
            char::REPLACEMENT_CHARACTER
        })
    });
    Ok(Cow::Owned(text.collect()))
}

fn refuse(file: &str, why: &str) -> Failure {
    Failure::new(exit::INPUT, "export.encoding", format!("{file} cannot be read as text: {why}"))
        .help("export it again, or open it in an editor and save it as UTF-8")
}
