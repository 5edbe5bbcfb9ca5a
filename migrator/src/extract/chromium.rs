//! How Chromium and its kin keep localStorage: in LevelDB, and since 2026 in SQLite.
//!
//! Either way a key and a value open with a byte that says how they are spelt. In LevelDB the
//! key of an entry is `_<site>\0<key>`; what else is there counts and dates, and is passed over.

use std::collections::BTreeMap;

use super::compressed::{snappy, zstandard};
use super::{Area, Text};

/// The only arrangement there has been, of either database.
pub(super) const VERSION: &[u8] = b"1";

/// Why a database of another is refused.
pub(super) const UNKNOWN: &str = "it is arranged in a way this program does not know";

/// The areas in the entries of a LevelDB.
pub(super) fn areas(entries: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Vec<Area>, &'static str> {
    match entries.get(b"VERSION".as_slice()).map(Vec::as_slice) {
        Some(VERSION) => {}
        None if entries.is_empty() => {}
        None => return Err("it is no database of a browser's localStorage"),
        Some(_) => return Err(UNKNOWN),
    }
    let mut areas: BTreeMap<String, BTreeMap<Text, Text>> = BTreeMap::new();
    for (name, value) in entries {
        let Some((site, key)) = name.strip_prefix(b"_").and_then(|name| split_at_nul(name)) else { continue };
        let (Some(key), Some(value)) = (text(key), text(&value)) else {
            return Err("it holds a text that is spelt in no known way");
        };
        areas.entry(origin(site)).or_default().insert(key, value);
    }
    Ok(areas.into_iter().map(|(origin, entries)| Area { origin, entries }).collect())
}

/// The site a storage key is about. Where pages inside pages are kept apart, the key says inside which.
pub(super) fn origin(key: &[u8]) -> String {
    let key = String::from_utf8_lossy(key);
    key.strip_suffix('/').unwrap_or(&key).to_owned()
}

/// A value in a row of SQLite, by the code of its packing.
pub(super) fn value(packing: i64, bytes: &[u8]) -> Result<Text, &'static str> {
    let unpacked = match packing {
        0 => None,
        1 => Some(zstandard(bytes).ok_or("it holds a value that cannot be unpacked")?),
        2 => Some(snappy(bytes).ok_or("it holds a value that cannot be unpacked")?),
        _ => return Err("it holds a value packed in a way this program does not know"),
    };
    text(unpacked.as_deref().unwrap_or(bytes)).ok_or("it holds a text that is spelt in no known way")
}

/// A text behind the byte that says how it is spelt.
pub(super) fn text(bytes: &[u8]) -> Option<Text> {
    match bytes {
        [0, rest @ ..] => Text::from_utf16le(rest),
        [1, rest @ ..] => Some(Text::from_latin1(rest)),
        _ => None,
    }
}

fn split_at_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&[u8], &[u8])]) -> BTreeMap<Vec<u8>, Vec<u8>> {
        pairs.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    #[test]
    fn entries_of_many_sites_are_told_apart() {
        let areas = areas(entries(&[
            (b"VERSION", b"1"),
            (b"META:https://a.example", b"\x08"),
            (b"_https://a.example\0\x01caf\xE9", b"\x00\xAC\x20"),
            (b"_https://a.example\0\x01", b"\x01"),
            (b"_https://a.example/^0https://b.example\0\x01k", b"\x01v"),
        ]));
        let areas = areas.expect("readable");
        let shown: Vec<_> = areas.iter().map(|area| (area.origin.as_str(), area.to_json())).collect();
        let expected = [
            ("https://a.example", r#"{"":"","café":"€"}"#.to_owned()),
            ("https://a.example/^0https://b.example", r#"{"k":"v"}"#.to_owned()),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (packing, bytes, part) in [
            (3, &b"\x01v"[..], "does not know"),
            (1, b"\x01v", "unpacked"),
            (2, b"\x09v", "unpacked"),
            (0, b"\x02v", "spelt"),
            (0, b"", "spelt"),
        ] {
            assert!(value(packing, bytes).is_err_and(|why| why.contains(part)), "{packing} {bytes:?}");
        }
        for (pairs, part) in [
            (vec![(&b"VERSION"[..], &b"2"[..])], "arranged"),
            (vec![(b"version", b"1"), (b"map-1-k", b"v")], "no database"),
            (vec![(b"VERSION", b"1"), (b"_https://a.example\0\x05k", b"\x01v")], "spelt"),
        ] {
            assert!(areas(entries(&pairs)).is_err_and(|why| why.contains(part)), "{part}");
        }
    }
}
