//! What the characters of a file are spelt in.
//!
//! UTF-16 gives itself away, by its mark or by the zero byte beside the first character of any
//! JSON text. Everything else is UTF-8 until a byte beyond ASCII comes; the 64 KiB from there on
//! decide. A file without one valid character is Windows-1252 if it reads like it; one that is
//! UTF-8 but for some bytes is damaged, and is not taken for anything else.

use std::fmt;
use std::io;
use std::str::FromStr;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

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
    /// Windows-1252, which Latin-1 is a part of.
    Windows1252,
    /// Another of before Unicode; only where somebody says so.
    Other(Older),
}

/// An encoding of before Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Older(pub(super) &'static encoding_rs::Encoding);

/// Why a file cannot be read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unreadable {
    why: String,
    help: &'static str,
}

/// How many characters that are no UTF-8 weigh more than one that is by accident.
const ACCIDENT: usize = 20;

/// Files that are no text, by how they begin, and what to do with each.
const CONTAINERS: [(&[u8], &str, &str); 10] = [
    (b"PK\x03\x04", "it is a ZIP archive", UNPACK),
    (b"\x1F\x8B", "it is packed with gzip", UNPACK),
    (b"\x28\xB5\x2F\xFD", "it is packed with zstd", UNPACK),
    (b"BZh", "it is packed with bzip2", UNPACK),
    (b"\xFD7zXZ\0", "it is packed with xz", UNPACK),
    (b"7z\xBC\xAF\x27\x1C", "it is a 7-Zip archive", UNPACK),
    (b"SQLite format 3\0", "it is a SQLite database", FROM_THE_APP),
    (b"%PDF-", "it is a PDF", FROM_THE_APP),
    (b"\x89PNG", "it is a picture", FROM_THE_APP),
    (b"\xFF\xD8\xFF", "it is a picture", FROM_THE_APP),
];

const UNPACK: &str = "unpack it, and give the file that was in it";
const FROM_THE_APP: &str = "give the file the app exported";
pub(super) const SAVE_AS_UTF8: &str = "export it again, or open it in an editor and save it as UTF-8";
pub(super) const DAMAGED: &str =
    "export it again; if all of the file is in an older encoding, name it with --encoding";
pub(super) const NAME_IT: &str =
    "name its encoding with --encoding, or open it in an editor and save it as UTF-8";

impl Encoding {
    /// The name people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8WithMark => "UTF-8 with a byte order mark",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
            Self::Other(Older(encoding)) => encoding.name(),
        }
    }

    /// The byte order mark it may open with.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 | Self::Utf8WithMark => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            Self::Windows1252 | Self::Other(_) => b"",
        }
    }
}

/// Takes the names browsers take, such as `windows-1252`, `latin1`, `utf-16le` or `shift_jis`.
impl FromStr for Encoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()).ok_or_else(|| {
            format!("unknown encoding `{name}`; known are utf-8, utf-16le, windows-1252, …")
        })?;
        Ok(match known {
            encoding if encoding == encoding_rs::UTF_8 => Self::Utf8,
            encoding if encoding == encoding_rs::UTF_16LE => Self::Utf16Le,
            encoding if encoding == encoding_rs::UTF_16BE => Self::Utf16Be,
            encoding if encoding == encoding_rs::WINDOWS_1252 => Self::Windows1252,
            encoding => Self::Other(Older(encoding)),
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Unreadable {
    pub(super) fn new(why: impl Into<String>, help: &'static str) -> Self {
        Self { why: why.into(), help }
    }

    /// What an error of the reader says, if it is about the text and not about the disk.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The same as an ending of the run; `file` is the file's name.
    pub(crate) fn failure(&self, file: &str) -> Failure {
        let message = format!("{file} cannot be read as text: {}", self.why);
        Failure::new(exit::INPUT, "export.encoding", message).help(self.help)
    }
}

impl From<Unreadable> for io::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::new(io::ErrorKind::InvalidData, unreadable)
    }
}

/// What the first bytes of a file say. Whatever is no UTF-16 counts as UTF-8 here: more is
/// known when the first byte beyond ASCII has come, see [`weigh`].
pub(crate) fn detect(head: &[u8]) -> Result<Encoding, Unreadable> {
    if let Some((_, why, help)) = CONTAINERS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(Unreadable::new(*why, help));
    }
    // JSON begins with a character of ASCII, so the zeros around it tell the size of all.
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [1..=127, 0, 0, 0, ..] | [0, 0, 0, 1..=127, ..] => {
            Err(Unreadable::new("it is UTF-32", SAVE_AS_UTF8))
        }
        [0xFF, 0xFE, ..] | [1..=127, 0, ..] => Ok(Encoding::Utf16Le),
        [0xFE, 0xFF, ..] | [0, 1..=127, ..] => Ok(Encoding::Utf16Be),
        _ if head.contains(&0) => {
            Err(Unreadable::new("it holds bytes that are zero, as no text does", FROM_THE_APP))
        }
        [0xEF, 0xBB, 0xBF, ..] => Ok(Encoding::Utf8WithMark),
        _ => Ok(Encoding::Utf8),
    }
}

/// What the file is, by the window that begins with its first byte beyond ASCII; or what it
/// may be, where somebody must say so.
pub(super) fn weigh(window: &[u8], is_at_end: bool) -> Result<Encoding, &'static str> {
    if Evidence::of(window, is_at_end).is_utf8() {
        return Ok(Encoding::Utf8);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, is_at_end);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Turkish writes few letters otherwise; where none of them stands, the text is the same.
    let is_turkish =
        window.iter().any(|byte| matches!(byte, 0x8E | 0x9E | 0xD0 | 0xDD | 0xDE | 0xF0 | 0xFD | 0xFE));
    let is_1252 = guess == encoding_rs::WINDOWS_1252 || guess == encoding_rs::WINDOWS_1254 && !is_turkish;
    if is_1252 && !window.iter().any(|byte| is_unlike_1252(*byte)) {
        return Ok(Encoding::Windows1252);
    }
    Err(guess.name())
}

/// What speaks for UTF-8 and against it.
struct Evidence {
    characters: usize,
    faults: usize,
}

impl Evidence {
    fn of(window: &[u8], is_at_end: bool) -> Self {
        let (mut characters, mut faults) = (0, 0);
        let mut chunks = window.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
            let is_cut = chunks.peek().is_none()
                && !is_at_end
                && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
            faults += usize::from(!chunk.invalid().is_empty() && !is_cut);
        }
        Self { characters, faults }
    }

    /// True also for UTF-8 that is damaged.
    fn is_utf8(&self) -> bool {
        self.faults == 0 || self.characters * ACCIDENT > self.faults
    }
}

/// Bytes that have no place in a text of Windows-1252: the five it leaves empty, and controls.
pub(super) fn is_unlike_1252(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D | 0x7F) || (byte < b' ' && !byte.is_ascii_whitespace())
}
