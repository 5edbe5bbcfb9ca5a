//! A file that lies in a text: `data:image/png;base64,…` (RFC 2397).

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use percent_encoding::percent_decode_str;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataUrl {
    /// Its type, without parameters, in small letters.
    pub(crate) kind: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Apps cut the padding off, or leave bits where none should be.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// True for a text that means to be a file.
pub(crate) fn is_data_url(text: &str) -> bool {
    text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data:"))
}

impl DataUrl {
    /// Reads one; nothing where the text is damaged.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (head, data) = text.get(5..).filter(|_| is_data_url(text))?.split_once(',')?;
        let mut parts = head.split(';');
        let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_base64 = parts.any(|part| part.trim().eq_ignore_ascii_case("base64"));
        let bytes = if is_base64 {
            let plain: String = data.chars().filter(|character| !character.is_ascii_whitespace()).collect();
            let plain = percent_decode_str(&plain).collect::<Vec<u8>>();
            LENIENT.decode(&plain).or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(&plain)).ok()?
        } else {
            percent_decode_str(data).collect()
        };
        let kind = if kind.is_empty() { "text/plain".to_owned() } else { kind };
        Some(Self { kind, bytes })
    }

    /// The ending of a file of this type.
    pub(crate) fn extension(&self) -> String {
        let known = match self.kind.as_str() {
            "image/jpeg" | "image/jpg" => "jpg",
            "image/svg+xml" => "svg",
            "text/plain" => "txt",
            "audio/mpeg" => "mp3",
            "video/quicktime" => "mov",
            "image/x-icon" | "image/vnd.microsoft.icon" => "ico",
            other => other.split('/').nth(1).unwrap_or_default(),
        };
        let plain = known.len() <= 8 && known.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if plain && !known.is_empty() { known.to_owned() } else { "bin".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_read_however_it_is_spelt() {
        let read = |text: &str| DataUrl::read(text).map(|url| (url.extension(), url.bytes));
        assert_eq!(read("data:image/png;base64,aGk="), Some(("png".to_owned(), b"hi".to_vec())));
        assert_eq!(read("DATA:image/JPEG;name=a.jpg;base64,aG k"), Some(("jpg".to_owned(), b"hi".to_vec())));
        assert_eq!(read("data:image/svg+xml,%3Csvg/%3E"), Some(("svg".to_owned(), b"<svg/>".to_vec())));
        assert_eq!(read("data:,x"), Some(("txt".to_owned(), b"x".to_vec())));
        assert_eq!(read("data:application/x-very-long-name;base64,"), Some(("bin".to_owned(), Vec::new())));
        assert_eq!(read("data:image/png;base64,???"), None);
        assert_eq!(read("https://example.com/a.png"), None);
        assert!(!is_data_url("dätä:"));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let text = format!("data:image/webp;base64,{}", general_purpose::STANDARD.encode(&bytes));
            prop_assert_eq!(DataUrl::read(&text).map(|url| url.bytes), Some(bytes));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = DataUrl::read(&text);
            let _ = DataUrl::read(&format!("data:{text}"));
        }
    }
}
