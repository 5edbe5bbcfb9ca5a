//! Addresses of objects, for who has no session: public ones, and signed ones that end.

use std::fmt;

use serde::Deserialize;

use super::request;
use super::transform::Transform;
use crate::error::{Error, ErrorKind};

/// An address of an object. A signed one lets whoever has it in: `Debug` does not show what it is signed with.
///
/// ```
/// # fn run() -> Result<(), supabase_sdk::Error> {
/// # let client = supabase_sdk::Client::builder("https://abc.supabase.co", "sb_publishable_abc").build()?;
/// let link = client.storage().from("avatars").public_url("zoe/me 1.png")?;
/// assert_eq!(link.as_str(), "https://abc.supabase.co/storage/v1/object/public/avatars/zoe/me%201.png");
/// assert_eq!(link.saved_as("Zoé.png").as_str().split('?').nth(1), Some("download=Zo%C3%A9.png"));
/// # Ok(()) }
/// # run().unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    address: String,
    token: String,
}

/// An object, and the address of it, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// Its name in the bucket.
    pub path: String,
    /// Its address.
    pub link: Result<Link, String>,
}

/// What signing one answers.
#[derive(Deserialize)]
pub(super) struct SignedAnswer {
    #[serde(rename = "signedURL")]
    pub(super) signed_url: String,
}

/// What signing an upload answers.
#[derive(Deserialize)]
pub(super) struct SignedUploadAnswer {
    pub(super) url: String,
}

/// What signing many answers for each.
#[derive(Deserialize)]
pub(super) struct SignedEntry {
    path: String,
    error: Option<String>,
    #[serde(rename = "signedURL")]
    signed_url: Option<String>,
}

impl Link {
    pub(super) fn public(project: &str, bucket: &str, path: &str) -> Result<Self, Error> {
        let object = request::object(bucket, path)?;
        let address = format!("{project}/storage/v1/object/public/{object}");
        Ok(Self { address, token: String::new() })
    }

    /// The server gives an address that is not encoded, so that only its token is taken.
    pub(super) fn signed(
        project: &str,
        way: &str,
        bucket: &str,
        path: &str,
        given: &str,
    ) -> Result<Self, Error> {
        let token = given.rsplit_once("token=").map(|(_, token)| token.split('&').next().unwrap_or(token));
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| Error::new(ErrorKind::Protocol, "Storage signed an address, and gave no token"))?;
        let object = request::object(bucket, path)?;
        let address = format!("{project}/storage/v1/{way}/{object}?token={token}");
        Ok(Self { address, token: token.to_owned() })
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What it is signed with; empty for a public one.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The same, for a browser to save under this name instead of showing it.
    #[must_use]
    pub fn saved_as(self, name: &str) -> Self {
        self.with("download", name)
    }

    /// The same for what has been replaced: an address caches have not seen, as often as this is another one.
    #[must_use]
    pub fn cache_nonce(self, nonce: &str) -> Self {
        self.with("cacheNonce", nonce)
    }

    /// The same image in another size, where the address is a public one. What is signed stays as it was signed:
    /// see [`Files::create_signed_image_url`](super::Files::create_signed_image_url).
    #[must_use]
    pub fn transformed(mut self, transform: Transform) -> Self {
        if !self.token.is_empty() {
            return self;
        }
        self.address =
            self.address.replacen("/storage/v1/object/public/", "/storage/v1/render/image/public/", 1);
        transform.pairs().into_iter().fold(self, |link, (name, value)| link.with(&name, &value))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.address.push(if self.address.contains('?') { '&' } else { '?' });
        let pair = crate::transport::Request::get("").query(name.to_owned(), value).uri();
        self.address.push_str(pair.trim_start_matches('?'));
        self
    }
}

impl SignedEntry {
    pub(super) fn read(self, project: &str, bucket: &str) -> Result<Signed, Error> {
        let link = match (self.signed_url, self.error) {
            (Some(url), _) => Ok(Link::signed(project, "object/sign", bucket, &self.path, &url)?),
            (None, error) => Err(error.unwrap_or_else(|| "no reason given".to_owned())),
        };
        Ok(Signed { path: self.path, link })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.address)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Link({})", self.address.split('?').next().unwrap_or_default())
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_address_is_encoded_and_keeps_its_secret() {
        let link = Link::signed(
            "http://h",
            "object/sign",
            "b",
            "a b/ü.png",
            "/object/sign/b/a b/ü.png?token=s3cret",
        );
        let link = link.unwrap();
        assert_eq!(link.as_str(), "http://h/storage/v1/object/sign/b/a%20b/%C3%BC.png?token=s3cret");
        assert_eq!(link.clone().saved_as("x y").as_str().split('&').nth(1), Some("download=x%20y"));
        assert!(!format!("{link:?}").contains("s3cret"));
        assert!(Link::signed("http://h", "object/sign", "b", "a", "/object/sign/b/a?token=").is_err());
        assert!(Link::signed("http://h", "object/sign", "b", "a", "/object/sign/b/a").is_err());
    }
}
