//! The keys of an issuer, and whether a token was signed with one of them.
//!
//! RS256 and ES256, which is what issuers use. A key names its kind; a token that names another is
//! not checked with it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    EncodedPoint,
    ecdsa::{Signature, VerifyingKey, signature::Verifier as _},
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::Value;

use super::user::Metadata;

/// The keys of one issuer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct KeySet {
    /// Any JSON: a key of a kind we do not know says nothing about the others.
    keys: Vec<Value>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token is signed in a way that is not checked")]
    Algorithm,
    #[error("no key of the issuer made this signature")]
    Signature,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is expired")]
    Expired,
    #[error("the token is not valid yet")]
    Early,
    #[error("the token was made with another access token")]
    AccessToken,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kty")]
enum Key {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String, kid: Option<String> },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String, kid: Option<String> },
}

impl KeySet {
    /// The claims of a token that one of these keys has signed. Whether they hold is another question.
    pub(super) fn open(&self, token: &str) -> Result<Metadata, Doubt> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Doubt::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Doubt::Malformed)?;
        let header: Header = decode(header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Doubt::Malformed)?;
        if !["RS256", "ES256"].contains(&header.alg.as_str()) {
            return Err(Doubt::Algorithm);
        }
        let mut keys = self.keys.iter().filter_map(|key| Key::deserialize(key).ok());
        let made = |key: Key| {
            let fits = header.kid.is_none() || key.id().is_none() || key.id() == header.kid.as_deref();
            fits && key.has_signed(&header.alg, signed.as_bytes(), &signature)
        };
        if keys.any(made) { decode(payload) } else { Err(Doubt::Signature) }
    }
}

impl Key {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Rsa { kid, .. } | Self::Ec { kid, .. } => kid.as_deref(),
        }
    }

    fn has_signed(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Rsa { n, e, .. }, "RS256") => has_signed_rsa(n, e, signed, signature),
            (Self::Ec { crv, x, y, .. }, "ES256") if crv == "P-256" => has_signed_ec(x, y, signed, signature),
            _ => false, // a key of one kind makes no signature of the other
        }
    }
}

fn has_signed_rsa(n: &str, e: &str, signed: &[u8], signature: &[u8]) -> bool {
    let (Ok(n), Ok(e)) = (URL_SAFE_NO_PAD.decode(n), URL_SAFE_NO_PAD.decode(e)) else { return false };
    RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
}

fn has_signed_ec(x: &str, y: &str, signed: &[u8], signature: &[u8]) -> bool {
    let coordinate =
        |text| URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let (Some(x), Some(y)) = (coordinate(x), coordinate(y)) else { return false };
    let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_encoded_point(&point), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify(signed, &signature).is_ok()
}

fn decode<T: for<'de> Deserialize<'de>>(segment: &str) -> Result<T, Doubt> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).map_err(|_| Doubt::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Doubt::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::jwt::Keyring;

    /// The token of appendix A.2 of RFC 7515, and its key.
    const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

    fn set(keys: &Value) -> KeySet {
        KeySet::deserialize(json!({"keys": keys})).unwrap()
    }

    #[test]
    fn an_rsa_key_opens_what_it_has_signed() {
        let rsa = json!({"kty": "RSA", "n": N, "e": "AQAB"});
        assert_eq!(set(&json!([{"kty": "oct", "k": "x"}, rsa])).open(RS256).unwrap()["iss"], "joe");
        let (signed, _) = RS256.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 256]));
        assert_eq!(set(&json!([rsa])).open(&forged), Err(Doubt::Signature));
    }

    #[test]
    fn an_elliptic_key_opens_what_it_has_signed_and_nothing_else() {
        let (ours, other) = (Keyring::of("ours").unwrap(), Keyring::of("another's").unwrap());
        let token = ours.sign_es256(&json!({"sub": "ana"}));
        assert_eq!(set(&json!([other.public_key(), ours.public_key()])).open(&token).unwrap()["sub"], "ana");
        assert_eq!(set(&json!([other.public_key()])).open(&token), Err(Doubt::Signature));
        let mut renamed = other.public_key();
        renamed["kid"] = ours.public_key()["kid"].clone();
        assert_eq!(set(&json!([renamed])).open(&token), Err(Doubt::Signature));
        let secret = ours.sign_hs256(&json!({"sub": "ana"}));
        assert_eq!(set(&json!([ours.public_key()])).open(&secret), Err(Doubt::Algorithm));
    }

    proptest! {
        #[test]
        fn no_text_is_a_token_by_chance(text in ".{0,60}", header in "[A-Za-z0-9_-]{0,20}") {
            let keys = set(&json!([Keyring::of("ours").unwrap().public_key(), {"kty": "RSA", "n": N, "e": "AQAB"}]));
            prop_assert!(keys.open(&text).is_err());
            let token = [header.as_str(); 3].join(".");
            prop_assert!(keys.open(&token).is_err());
        }
    }
}
