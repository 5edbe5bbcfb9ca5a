//! Packed values, unpacked within bounds: what a length claims is not believed.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

/// The longest value there can be: browsers give a site some ten million bytes for all it keeps.
const LONGEST: u64 = 64 << 20;

/// Unpacks raw Snappy.
pub(super) fn snappy(bytes: &[u8]) -> Option<Vec<u8>> {
    // The densest of it copies 64 bytes in three.
    let length = snap::raw::decompress_len(bytes).ok()?;
    if length > bytes.len().saturating_mul(22) {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(bytes).ok()
}

/// Unpacks a Zstandard frame.
pub(super) fn zstandard(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    StreamingDecoder::new(bytes).ok()?.take(LONGEST + 1).read_to_end(&mut unpacked).ok()?;
    u64::try_from(unpacked.len()).is_ok_and(|length| length <= LONGEST).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_densest_text_is_still_unpacked_and_a_lie_about_its_length_is_not_believed() {
        let text = vec![b'a'; 1 << 20];
        let packed = snap::raw::Encoder::new().compress_vec(&text).expect("packed");
        assert_eq!(snappy(&packed), Some(text));
        assert_eq!(snappy(b"\xFF\xFF\xFF\xFF\x0Fa"), None);
        assert_eq!(snappy(b"\0"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = snappy(&bytes);
            let _ = zstandard(&bytes);
            let _ = zstandard(&[b"\x28\xB5\x2F\xFD", bytes.as_slice()].concat());
        }
    }
}
