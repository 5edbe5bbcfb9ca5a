//! Bytes to text, as a stream: UTF-8 with or without a mark, UTF-16, and what Windows wrote before.
//!
//! UTF-16 gives itself away, by its mark or by the zero byte beside the first character of any
//! JSON text. Everything else is UTF-8 until a byte beyond ASCII comes; the 64 KiB from there on
//! decide. A file without one valid character is Windows-1252 if it reads like it; one that is
//! UTF-8 but for some bytes is damaged, and is refused with the place of the first of them.
//!
//! What comes out is UTF-8, except that half a UTF-16 pair, which a browser may well have
//! stored, comes out as the three bytes it would have (WTF-8). `lz-string` lives on those.

use std::fmt;
use std::io::{self, BufRead, Read};
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
pub struct Older(&'static encoding_rs::Encoding);

/// Why a file cannot be read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unreadable {
    why: String,
    help: &'static str,
}

/// Reads text of any encoding as UTF-8.
pub(crate) struct Utf8<R> {
    source: R,
    encoding: Encoding,
    spelling: Spelling,
    /// What has been read and not yet understood.
    raw: Vec<u8>,
    is_at_end: bool,
    is_done: bool,
    /// What has been understood, and how much of it was handed out.
    text: Vec<u8>,
    handed: usize,
    /// How many lines, and how many bytes of the last one, have been understood.
    lines: usize,
    columns: usize,
}

/// How the bytes are understood.
enum Spelling {
    /// Only ASCII so far.
    Ascii,
    Utf8,
    Utf16 {
        unit: fn([u8; 2]) -> u16,
        high: Option<u16>,
    },
    /// The guess is ours where `is_guess`, and must prove itself to the end.
    Older {
        decoder: encoding_rs::Decoder,
        is_guess: bool,
    },
}

/// So much is read at once, and so much decides on an encoding.
const WINDOW: usize = 64 << 10;

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
const SAVE_AS_UTF8: &str = "export it again, or open it in an editor and save it as UTF-8";
const NAME_IT: &str = "name its encoding with --encoding, or open it in an editor and save it as UTF-8";

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
    fn mark(self) -> &'static [u8] {
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
    fn new(why: impl Into<String>, help: &'static str) -> Self {
        Self { why: why.into(), help }
    }

    /// What an error of [`Utf8`] says, if it is about the text and not about the disk.
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

/// What the first bytes of a file say. Plain ASCII and what is no UTF-16 counts as UTF-8:
/// [`Utf8`] knows more when it has come to the first byte beyond ASCII.
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

impl<R: Read> Utf8<R> {
    /// Begins to read; what somebody says of the encoding goes before what the file looks like.
    ///
    /// # Errors
    /// Those of the source, and an [`Unreadable`] for a file that is no text.
    pub(crate) fn new(source: R, declared: Option<Encoding>) -> io::Result<Self> {
        let mut reader = Self {
            source,
            encoding: Encoding::Utf8,
            spelling: Spelling::Ascii,
            raw: Vec::new(),
            is_at_end: false,
            is_done: false,
            text: Vec::new(),
            handed: 0,
            lines: 0,
            columns: 0,
        };
        reader.top_up()?;
        reader.encoding = match declared {
            Some(declared) => declared,
            None => detect(&reader.raw)?,
        };
        if !reader.encoding.mark().is_empty() && reader.raw.starts_with(reader.encoding.mark()) {
            reader.raw.drain(..reader.encoding.mark().len());
        }
        reader.spelling = match reader.encoding {
            Encoding::Utf8 if declared.is_none() => Spelling::Ascii,
            Encoding::Utf8 | Encoding::Utf8WithMark => Spelling::Utf8,
            Encoding::Utf16Le => Spelling::Utf16 { unit: u16::from_le_bytes, high: None },
            Encoding::Utf16Be => Spelling::Utf16 { unit: u16::from_be_bytes, high: None },
            Encoding::Windows1252 => Spelling::older(encoding_rs::WINDOWS_1252, false),
            Encoding::Other(Older(encoding)) => Spelling::older(encoding, false),
        };
        Ok(reader)
    }

    /// How the file spells its characters; settled for good when all of it has been read.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn top_up(&mut self) -> io::Result<()> {
        while !self.is_at_end && self.raw.len() < WINDOW {
            let missing = WINDOW - self.raw.len();
            let read = self.source.by_ref().take(missing as u64).read_to_end(&mut self.raw)?;
            self.is_at_end = read < missing;
        }
        Ok(())
    }

    /// Understands some of what has been read. The first byte beyond ASCII waits until it leads the window.
    fn understand(&mut self) -> Result<(), Unreadable> {
        self.text.clear();
        self.handed = 0;
        let used = match &mut self.spelling {
            Spelling::Ascii => match self.raw.iter().position(|byte| !byte.is_ascii()) {
                None => self.raw.len(),
                Some(0) => {
                    self.settle()?;
                    0
                }
                Some(ascii) => ascii,
            },
            Spelling::Utf8 => self.valid()?,
            Spelling::Utf16 { unit, high } => {
                let (pairs, odd) = self.raw.as_chunks::<2>();
                pairs.iter().for_each(|pair| push_unit(&mut self.text, high, unit(*pair)));
                if self.is_at_end {
                    if !odd.is_empty() {
                        let why = "it is UTF-16 and ends in the middle of a character";
                        return Err(Unreadable::new(why, SAVE_AS_UTF8));
                    }
                    high.take().into_iter().for_each(|high| push_half(&mut self.text, high));
                }
                pairs.len() * 2
            }
            Spelling::Older { decoder, is_guess } => {
                if let Some(at) = self.raw.iter().position(|byte| *is_guess && is_unlike_1252(*byte)) {
                    let place = place(self.lines, self.columns, self.raw.get(..at).unwrap_or_default());
                    let why = format!("the byte at {place} is neither UTF-8 nor Windows-1252");
                    return Err(Unreadable::new(why, NAME_IT));
                }
                decode_older(decoder, &self.raw, self.is_at_end, &mut self.text);
                self.raw.len()
            }
        };
        let understood = self.raw.get(..used).unwrap_or_default();
        (self.lines, self.columns) = advance(self.lines, self.columns, understood);
        match self.spelling {
            // The text is the bytes.
            Spelling::Ascii | Spelling::Utf8 => self.text.extend_from_slice(understood),
            Spelling::Utf16 { .. } | Spelling::Older { .. } => {}
        }
        self.raw.drain(..used);
        self.is_done = self.is_at_end && self.raw.is_empty();
        Ok(())
    }

    /// How many bytes are whole characters of UTF-8.
    fn valid(&self) -> Result<usize, Unreadable> {
        let Err(error) = std::str::from_utf8(&self.raw) else { return Ok(self.raw.len()) };
        let valid = error.valid_up_to();
        match error.error_len() {
            None if !self.is_at_end => return Ok(valid),
            // What comes before the fault is handed out first.
            _ if valid > 0 => return Ok(valid),
            _ => {}
        }
        let place = place(self.lines, self.columns, &[]);
        Err(match error.error_len() {
            None => Unreadable::new(format!("it ends in the middle of a character ({place})"), SAVE_AS_UTF8),
            Some(_) => {
                let why = format!("the byte at {place} is no UTF-8, and the rest of the file is");
                Unreadable::new(
                    why,
                    "export it again; if it was put together from two files, give them one by one",
                )
            }
        })
    }

    /// Decides what the file is, by the window that begins with its first byte beyond ASCII.
    fn settle(&mut self) -> Result<(), Unreadable> {
        self.spelling = Spelling::Utf8;
        let evidence = Evidence::of(&self.raw, self.is_at_end);
        if evidence.is_utf8() {
            return Ok(());
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&self.raw, self.is_at_end);
        let guess = detector.guess(None, Utf8Detection::Deny);
        if guess != encoding_rs::WINDOWS_1252 || self.raw.iter().any(|byte| is_unlike_1252(*byte)) {
            let place = place(self.lines, self.columns, &[]);
            let why = format!("the byte at {place} is no UTF-8; the file may be {}", guess.name());
            return Err(Unreadable::new(why, NAME_IT));
        }
        self.encoding = Encoding::Windows1252;
        self.spelling = Spelling::older(guess, true);
        Ok(())
    }
}

impl<R: Read> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.handed == self.text.len() && !self.is_done {
            self.top_up()?;
            self.understand()?;
        }
        Ok(self.text.get(self.handed..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.handed = self.handed.saturating_add(bytes).min(self.text.len());
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R> fmt::Debug for Utf8<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf8").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

impl Spelling {
    fn older(encoding: &'static encoding_rs::Encoding, is_guess: bool) -> Self {
        Self::Older { decoder: encoding.new_decoder_without_bom_handling(), is_guess }
    }
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
fn is_unlike_1252(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D | 0x7F) || (byte < b' ' && !byte.is_ascii_whitespace())
}

fn decode_older(decoder: &mut encoding_rs::Decoder, mut bytes: &[u8], is_last: bool, text: &mut Vec<u8>) {
    loop {
        let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(WINDOW);
        let before = text.len();
        text.resize(before + room, 0);
        let space = text.get_mut(before..).unwrap_or_default();
        let (result, read, written, _) = decoder.decode_to_utf8(bytes, space, is_last);
        text.truncate(before + written);
        bytes = bytes.get(read..).unwrap_or_default();
        if result == encoding_rs::CoderResult::InputEmpty {
            return;
        }
    }
}

fn push_unit(text: &mut Vec<u8>, high: &mut Option<u16>, unit: u16) {
    match (high.take(), unit) {
        (Some(before), 0xDC00..0xE000) => {
            let pair = char::decode_utf16([before, unit]).next().and_then(Result::ok);
            pair.into_iter().for_each(|character| push_character(text, character));
            return;
        }
        (Some(before), _) => push_half(text, before),
        (None, _) => {}
    }
    match unit {
        0xD800..0xDC00 => *high = Some(unit),
        _ => match char::from_u32(u32::from(unit)) {
            Some(character) => push_character(text, character),
            None => push_half(text, unit),
        },
    }
}

fn push_character(text: &mut Vec<u8>, character: char) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Half a pair, as the three bytes UTF-8 would give it.
fn push_half(text: &mut Vec<u8>, half: u16) {
    let low_six = |bits: u16| u8::try_from(bits & 0x3F).unwrap_or_default() | 0x80;
    text.extend([0xED, low_six(half >> 6), low_six(half)]);
}

fn advance(lines: usize, columns: usize, bytes: &[u8]) -> (usize, usize) {
    match bytes.iter().rposition(|byte| *byte == b'\n') {
        None => (lines, columns + bytes.len()),
        Some(last) => (lines + bytes.iter().filter(|byte| **byte == b'\n').count(), bytes.len() - last - 1),
    }
}

fn place(lines: usize, columns: usize, before: &[u8]) -> String {
    let (lines, columns) = advance(lines, columns, before);
    format!("line {}, column {}", lines + 1, columns + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out a few bytes at a time, as a pipe does.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(buffer.get_mut(..length).unwrap_or_default())
        }
    }

    fn read_as(bytes: &[u8], declared: Option<Encoding>) -> Result<(Encoding, Vec<u8>), String> {
        let mut text = Vec::new();
        let all = Utf8::new(Drops(bytes, 7), declared).and_then(|mut reader| {
            reader.read_to_end(&mut text)?;
            Ok(reader.encoding())
        });
        all.map(|encoding| (encoding, text)).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn reads(bytes: &[u8], encoding: Encoding, text: &str) {
        let read = read_as(bytes, None).expect("it is text");
        assert_eq!((read.0, String::from_utf8_lossy(&read.1).as_ref()), (encoding, text));
    }

    #[track_caller]
    fn refuses(bytes: &[u8], says: &str) {
        let why = read_as(bytes, None).expect_err(says);
        assert!(why.contains(says), "{why}");
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_file_is_read_as_what_it_is() {
        reads(b"", Encoding::Utf8, "");
        reads(b"[1]", Encoding::Utf8, "[1]");
        reads("[\"é🙂\"]".as_bytes(), Encoding::Utf8, "[\"é🙂\"]");
        reads("\u{FEFF}[\"é\"]".as_bytes(), Encoding::Utf8WithMark, "[\"é\"]");
        for json in ["[\"é🙂\"]", "\r\n{\"a\":1}", "12"] {
            reads(&utf16(json, u16::to_le_bytes), Encoding::Utf16Le, json);
            reads(&utf16(json, u16::to_be_bytes), Encoding::Utf16Be, json);
            let marked = format!("\u{FEFF}{json}");
            reads(&utf16(&marked, u16::to_le_bytes), Encoding::Utf16Le, json);
            reads(&utf16(&marked, u16::to_be_bytes), Encoding::Utf16Be, json);
        }
        reads(b"{\"nom\":\"Lef\xE8vre\"}", Encoding::Windows1252, "{\"nom\":\"Lefèvre\"}");
        reads(
            b"{\"prix\":\"12 \x80\",\"d\":\"l\x92\xE9t\xE9\"}",
            Encoding::Windows1252,
            "{\"prix\":\"12 €\",\"d\":\"l’été\"}",
        );
    }

    #[test]
    fn the_first_byte_beyond_ascii_may_come_late() {
        let late = |end: &[u8]| [&b"[\""[..], &b"x".repeat(3 * WINDOW - 1), end].concat();
        let ascii = "x".repeat(3 * WINDOW - 1);
        reads(&late(b"\xE8vre, caf\xE9\"]"), Encoding::Windows1252, &format!("[\"{ascii}èvre, café\"]"));
        reads(&late("èvre".as_bytes()), Encoding::Utf8, &format!("[\"{ascii}èvre"));
    }

    #[test]
    fn a_damaged_file_is_not_taken_for_an_old_one() {
        let text = "{\"a\":\"Été à Orléans\",\n\"b\":\"caf".as_bytes();
        let damaged = [text, b"\xE9\"}"].concat();
        refuses(&damaged, "the byte at line 2, column 9 is no UTF-8");
        // So far from the first character that nobody has looked at it before.
        let far = ["é".repeat(WINDOW).as_bytes(), b"\n\xE9"].concat();
        refuses(&far, "line 2, column 1");
        refuses(text.get(..text.len() - 21).unwrap_or_default(), "in the middle of a character");
    }

    #[test]
    fn what_is_no_text_of_ours_is_named() {
        for (bytes, says) in [
            (&b"\xFF\xFE\0\0"[..], "UTF-32"),
            (b"{\0\0\0", "UTF-32"),
            (b"\0\0\0{", "UTF-32"),
            (b"\xFF\xFE[", "UTF-16"),
            (b"PK\x03\x04\x14", "ZIP"),
            (b"\x1F\x8B\x08", "gzip"),
            (b"SQLite format 3\0", "SQLite"),
            (b"{\"a\":1}\0\0", "zero"),
            (
                b"{\"a\":\"\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0! \xCA\xE0\xEA \xE4\xE5\xEB\xE0?\"}",
                "windows-1251",
            ),
            (b"{\"a\":\"\x83\x65\x83\x58\x83\x67\x82\xF0\x93\xFA\x96\x7B\x8C\xEA\"}", "Shift_JIS"),
        ] {
            refuses(bytes, says);
        }
    }

    #[test]
    fn what_somebody_says_goes_first() {
        let cyrillic = b"[\"\xCC\xE8\xF0\"]";
        for (name, bytes, text) in [
            ("windows-1251", &cyrillic[..], "[\"Мир\"]"),
            ("latin1", b"[\"\xC3\xA9\"]", "[\"Ã©\"]"),
            ("Shift_JIS", b"[\"\x83\x65\"]", "[\"テ\"]"),
            ("utf-16le", &utf16("é", u16::to_le_bytes), "é"),
        ] {
            let declared: Encoding = name.parse().expect(name);
            assert_eq!(read_as(bytes, Some(declared)), Ok((declared, text.as_bytes().to_vec())), "{name}");
        }
        let why = read_as(cyrillic, Some(Encoding::Utf8)).expect_err("it is not");
        assert!(why.contains("line 1, column 3"), "{why}");
        assert!("utf-32".parse::<Encoding>().is_err());
    }

    #[test]
    fn half_a_pair_keeps_its_value() {
        let units =
            [b'[' as u16, 0xD83D, 0xDE42, 0xD8A0, b'x' as u16, 0xDC01, 0xD800, 0xD83D, 0xDE42, 0xDBFF];
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let text = b"[\xF0\x9F\x99\x82\xED\xA2\xA0x\xED\xB0\x81\xED\xA0\x80\xF0\x9F\x99\x82\xED\xAF\xBF";
        assert_eq!(read_as(&bytes, None), Ok((Encoding::Utf16Le, text.to_vec())));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_as(&bytes, None);
            let _ = read_as(&bytes, Some(Encoding::Windows1252));
        }

        #[test]
        fn a_text_is_the_same_in_every_encoding(inner in "[^\\p{C}]{0,60}") {
            let text = format!("[\"{inner}\"]");
            let read = |bytes: &[u8]| read_as(bytes, None).map(|(_, text)| text);
            let expected = Ok(text.clone().into_bytes());
            prop_assert_eq!(&read(text.as_bytes()), &expected);
            prop_assert_eq!(&read(&utf16(&text, u16::to_le_bytes)), &expected);
            prop_assert_eq!(&read(&utf16(&text, u16::to_be_bytes)), &expected);
        }

        #[test]
        fn french_in_windows_1252_is_read(words in prop::collection::vec("[a-zéèêàçùîïôœ’«»€ ]{3,12}", 1..30)) {
            let text = format!("[\"{}\"]", words.join(" "));
            let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
            // An accident may make valid UTF-8 of a word; then nobody can tell.
            if std::str::from_utf8(&bytes).is_err() {
                let read = read_as(&bytes, None);
                prop_assert!(read.is_err() || read == Ok((Encoding::Windows1252, text.into_bytes())));
            }
        }
    }
}
