//! How Firefox keeps localStorage: a SQLite file for each site, and before 2019 one for all.

use super::Text;
use super::compressed::snappy;

/// A value in a site's own file: how it is packed, then how it is spelt.
pub(super) fn value(packing: i64, spelling: i64, bytes: &[u8]) -> Result<Text, &'static str> {
    let unpacked = match packing {
        0 => None,
        1 => Some(snappy(bytes).ok_or("it holds a value that cannot be unpacked")?),
        _ => return Err("it holds a value packed in a way this program does not know"),
    };
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    match spelling {
        0 => Text::from_utf16le(bytes).ok_or("it holds a text that ends in the middle of a character"),
        1 => Ok(Text::from_utf8(bytes)),
        _ => Err("it holds a text that is spelt in no known way"),
    }
}

/// The site behind a key of the old file, such as `elpmaxe.ppa.:https:443`, and what else keeps it apart.
pub(super) fn origin(key: &str, attributes: &str) -> String {
    let mut parts = key.rsplitn(3, ':');
    let (Some(port), Some(scheme), Some(host)) = (parts.next(), parts.next(), parts.next()) else {
        return format!("{key}{attributes}");
    };
    let host: String = host.chars().rev().collect();
    let host = host.strip_prefix('.').unwrap_or(&host);
    let port = match (scheme, port) {
        ("https", "443") | ("http", "80") | (_, "-1") => String::new(),
        _ => format!(":{port}"),
    };
    format!("{scheme}://{host}{port}{attributes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_backwards() {
        for (key, attributes, expected) in [
            ("elpmaxe.ppa.:https:443", "", "https://app.example"),
            ("tsohlacol.:http:5173", "", "http://localhost:5173"),
            ("elpmaxe.ppa.:http:80", "^userContextId=2", "http://app.example^userContextId=2"),
            ("]1::[.:http:8080", "", "http://[::1]:8080"),
            ("odd", "", "odd"),
        ] {
            assert_eq!(origin(key, attributes), expected);
        }
    }

    #[test]
    fn a_value_is_unpacked_before_it_is_spelt_out() {
        let wide: Vec<u8> = "é€".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let packed = |bytes: &[u8]| snap::raw::Encoder::new().compress_vec(bytes).expect("packed");
        for (packing, spelling, bytes) in [
            (0, 1, "é€".as_bytes().to_vec()),
            (0, 0, wide.clone()),
            (1, 1, packed("é€".as_bytes())),
            (1, 0, packed(&wide)),
        ] {
            assert_eq!(value(packing, spelling, &bytes), Ok(Text::from("é€")), "{packing} {spelling}");
        }
        for (packing, spelling, bytes) in [(2, 1, &b"v"[..]), (0, 2, b"v"), (1, 1, b"\x09v"), (0, 0, b"v")] {
            assert!(value(packing, spelling, bytes).is_err(), "{packing} {spelling}");
        }
    }
}
