//! The key an app is known by. It names a project and a role, never a person.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, ErrorKind};

/// A project's API key, of either style: `sb_publishable_…`/`sb_secret_…`, or a legacy JWT.
///
/// ```
/// let key: supabase_sdk::ApiKey = "sb_publishable_abc".parse()?;
/// assert!(!key.is_secret());
/// assert_eq!(format!("{key:?}"), "ApiKey(publishable, hidden)");
/// # Ok::<(), supabase_sdk::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: String,
    style: Style,
}

#[derive(Clone, PartialEq, Eq)]
enum Style {
    Publishable,
    Secret,
    Jwt { role: String },
}

/// The role a token claims, read without asking whether the claim is true: only for words.
pub(crate) fn claimed_role(token: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claims {
        role: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    Some(serde_json::from_slice::<Claims>(&payload).ok()?.role)
}

impl ApiKey {
    /// True for an `sb_secret_…` or a legacy `service_role` key, which passes row-level security and must
    /// never ship in an app.
    pub fn is_secret(&self) -> bool {
        self.role() == "service_role"
    }

    /// The database role of requests that carry the key alone.
    pub fn role(&self) -> &str {
        match &self.style {
            Style::Publishable => "anon",
            Style::Secret => "service_role",
            Style::Jwt { role } => role,
        }
    }

    /// The key as text, for the `apikey` header.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// True for a legacy key, the only style that is a bearer token as well; a gateway refuses the others
    /// there.
    pub(crate) fn is_jwt(&self) -> bool {
        matches!(self.style, Style::Jwt { .. })
    }
}

impl std::str::FromStr for ApiKey {
    type Err = Error;

    /// Reads a key.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the text is neither an `sb_…` key nor a JWT.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let style = if text.starts_with("sb_publishable_") {
            Style::Publishable
        } else if text.starts_with("sb_secret_") {
            Style::Secret
        } else if text.starts_with("eyJ") && text.matches('.').count() == 2 {
            Style::Jwt { role: claimed_role(text).unwrap_or_else(|| "anon".to_owned()) }
        } else {
            return Err(Error::new(
                ErrorKind::Config,
                "the API key is neither sb_publishable_…, sb_secret_… nor a JWT; copy it from the project's API settings",
            ));
        };
        if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::Config,
                "the API key holds a space or an unprintable character",
            ));
        }
        Ok(Self { text: text.to_owned(), style })
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = match &self.style {
            Style::Publishable => "publishable",
            Style::Secret => "secret",
            Style::Jwt { .. } => "legacy",
        };
        write!(out, "ApiKey({style}, hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_style_and_its_role() {
        let read = |text: &str| {
            let key: ApiKey = text.parse().unwrap();
            (key.is_jwt(), key.is_secret(), key.role().to_owned())
        };
        // {"role":"service_role"} and no role at all.
        let legacy = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln";
        assert_eq!(read(legacy), (true, true, "service_role".to_owned()));
        assert_eq!(read("eyJhbGciOiJIUzI1NiJ9.e30.c2ln"), (true, false, "anon".to_owned()));
        assert_eq!(read("sb_publishable_a"), (false, false, "anon".to_owned()));
        assert_eq!(read("sb_secret_a"), (false, true, "service_role".to_owned()));
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "hunter2", "sb_other_x", "sb_secret_a\nb"] {
            let error = text.parse::<ApiKey>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }
}
