//! The key an app is known by. It names a project and a role, never a person.

use std::fmt;

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Publishable,
    Secret,
    Jwt,
}

impl ApiKey {
    /// True for an `sb_secret_…` key, which passes row-level security and must never ship in an app.
    pub fn is_secret(&self) -> bool {
        self.style == Style::Secret
    }

    /// The key as text, for the `apikey` header.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// The key as a bearer token. Only legacy keys are JWTs; a gateway refuses the others there.
    pub(crate) fn bearer(&self) -> Option<&str> {
        match self.style {
            Style::Jwt => Some(&self.text),
            Style::Publishable | Style::Secret => None,
        }
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
            Style::Jwt
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
        let style = match self.style {
            Style::Publishable => "publishable",
            Style::Secret => "secret",
            Style::Jwt => "legacy",
        };
        write!(out, "ApiKey({style}, hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_legacy_key_is_a_bearer_token() {
        let bearer = |text: &str| text.parse::<ApiKey>().unwrap().bearer().is_some();
        assert_eq!(
            ["sb_publishable_a", "sb_secret_a", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"].map(bearer),
            [false, false, true]
        );
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
