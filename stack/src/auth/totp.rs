//! Codes that change every thirty seconds: RFC 6238 with SHA-1 and six digits, as every
//! authenticator app has it.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::{EcLevel, QrCode, render::svg};
use sha1::Sha1;

use super::reply::AuthError;

const PERIOD: i64 = 30;
/// How many periods a clock may be off.
const SKEW: i64 = 1;
/// How long a code may be accepted: longer than this nobody has to remember it.
pub(super) const LIFE: i64 = PERIOD * (2 * SKEW + 1);
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Whether this is the code of the secret at that time (Unix seconds), or about then.
pub(super) fn is_right(secret: &str, code: &str, now: i64) -> bool {
    let Some(secret) = decode(secret) else { return false };
    (-SKEW..=SKEW).any(|skew| at(&secret, now.div_euclid(PERIOD) + skew).is_some_and(|right| right == code))
}

/// The secret as people type it: base32 without padding.
pub(super) fn encode(secret: &[u8]) -> String {
    let mut text = String::new();
    for chunk in secret.chunks(5) {
        let mut bytes = [0; 8];
        bytes[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(bytes);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            text.push(char::from(LETTERS[(bits >> (35 - 5 * place)) as usize & 31]));
        }
    }
    text
}

/// What an authenticator app reads.
pub(super) fn uri(issuer: &str, account: &str, secret: &str) -> String {
    let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, account) = (escape(issuer), escape(account));
    format!(
        "otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits=6&issuer={issuer}&period={PERIOD}&secret={secret}"
    )
}

/// The same as an SVG picture.
pub(super) fn picture(uri: &str) -> Result<String, AuthError> {
    let failed = |_| AuthError::unexpected("Error generating QR Code");
    let code = QrCode::with_error_correction_level(uri, EcLevel::M).map_err(failed)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(200, 200).build())
}

fn at(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let start = usize::from(digest[19] & 15);
    let number = digest[start..start + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    Some(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes().take_while(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_secret_is_read_back(secret: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&secret)), Some(secret));
        }

        #[test]
        fn no_input_is_too_strange_to_be_wrong(secret: String, code: String, now: i64) {
            // A code has six digits, so anything else is wrong whatever the secret is.
            prop_assume!(code.len() != 6);
            prop_assert!(!is_right(&secret, &code, now));
        }
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // Appendix B of RFC 6238, the last six of its eight digits.
        let secret = encode(b"12345678901234567890");
        for (now, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert!(is_right(&secret, code, now), "{now}");
            assert!(is_right(&secret, code, now + PERIOD), "a clock may be late");
            assert!(is_right(&secret, code, now - PERIOD), "or early");
            assert!(!is_right(&secret, code, now + 2 * PERIOD), "but not by more");
        }
        assert!(!is_right("not base32!", "287082", 59));
    }

    #[test]
    fn a_secret_is_written_as_the_standard_says() {
        // Section 10 of RFC 4648, without the padding.
        for (bytes, text) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn an_app_reads_who_and_where() {
        let uri = uri("my app", "a@b.c", "ABC");
        assert!(uri.starts_with("otpauth://totp/my%20app:a%40b%2Ec?"), "{uri}");
        assert!(picture(&uri).unwrap().contains("<svg"));
    }
}
