//! What clients ask: headers, queries and bodies to values.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, header::REFERER},
};
use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::{authenticator::Saying, flow::Challenge, reply::AuthError, settings::Settings, user::Metadata};

pub(super) const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const DEFAULT_PER_PAGE: u32 = 50;

/// The shape of answers a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiVersion {
    Initial,
    /// Errors are `code` and `message`.
    V20240101,
}

/// `POST /signup`
#[derive(Debug, Deserialize)]
pub(super) struct SignUp {
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) password: Option<String>,
    #[serde(default)]
    pub(super) data: Option<Metadata>,
    #[serde(flatten)]
    pub(super) pkce: Pkce,
}

/// `POST /otp`
#[derive(Debug, Deserialize)]
pub(super) struct Otp {
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    pub(super) create_user: Option<bool>,
    pub(super) data: Option<Metadata>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) channel: Option<String>,
    #[serde(flatten)]
    pub(super) pkce: Pkce,
}

/// `POST /recover`
#[derive(Debug, Deserialize)]
pub(super) struct Recovery {
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(flatten)]
    pub(super) pkce: Pkce,
}

/// `POST /resend`
#[derive(Debug, Deserialize)]
pub(super) struct Resend {
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    #[serde(flatten)]
    pub(super) pkce: Pkce,
}

/// `POST /verify`
#[derive(Debug, Deserialize)]
pub(super) struct Verification {
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default, deserialize_with = "filled")]
    pub(super) token: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) token_hash: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
}

/// What a request that will be finished elsewhere brings along.
#[derive(Debug, Deserialize)]
pub(super) struct Pkce {
    #[serde(default, deserialize_with = "filled")]
    code_challenge: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    code_challenge_method: Option<String>,
}

/// `POST /token?grant_type=pkce`
#[derive(Debug, Deserialize)]
pub(super) struct CodeGrant {
    #[serde(default, deserialize_with = "filled")]
    pub(super) auth_code: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) code_verifier: Option<String>,
}

/// `POST /invite` and `POST /admin/generate_link`
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) new_email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) password: Option<String>,
    pub(super) data: Option<Metadata>,
    #[serde(default, alias = "redirectTo", deserialize_with = "filled")]
    pub(super) redirect_to: Option<String>,
}

/// `POST /factors`
#[derive(Debug, Deserialize)]
pub(super) struct Enrolment {
    #[serde(default)]
    pub(super) factor_type: String,
    #[serde(default, deserialize_with = "filled")]
    pub(super) friendly_name: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) issuer: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
}

/// `POST /factors/{id}/verify`
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) challenge_id: Uuid,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) webauthn: Option<Saying>,
}

/// `PUT /admin/users/{id}/factors/{id}`
#[derive(Debug, Deserialize)]
pub(super) struct FactorChange {
    #[serde(default, deserialize_with = "filled")]
    pub(super) friendly_name: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
}

/// `POST /token?grant_type=password`
#[derive(Debug, Deserialize)]
pub(super) struct PasswordGrant {
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    #[serde(default)]
    pub(super) password: String,
}

/// `POST /token?grant_type=refresh_token`
#[derive(Debug, Deserialize)]
pub(super) struct RefreshGrant {
    #[serde(default, deserialize_with = "filled")]
    pub(super) refresh_token: Option<String>,
}

/// `POST /token?grant_type=id_token`
#[derive(Deserialize)]
pub(super) struct IdTokenGrant {
    #[serde(default, deserialize_with = "filled")]
    pub(super) id_token: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) access_token: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) nonce: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) provider: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) client_id: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) issuer: Option<String>,
    #[serde(default)]
    pub(super) link_identity: bool,
}

/// `POST /sso`
#[derive(Debug, Deserialize)]
pub(super) struct SingleSignOn {
    #[serde(default, deserialize_with = "filled")]
    pub(super) provider_id: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) domain: Option<String>,
}

/// `POST` and `PUT /admin/custom-providers`. It holds a secret, so it has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CustomProviderParams {
    pub(super) provider_type: String,
    pub(super) identifier: String,
    #[serde(deserialize_with = "filled")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) client_id: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) client_secret: Option<String>,
    pub(super) acceptable_client_ids: Option<Vec<String>>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) custom_claims_allowlist: Option<Vec<String>>,
    pub(super) pkce_enabled: Option<bool>,
    pub(super) attribute_mapping: Option<Metadata>,
    pub(super) authorization_params: Option<Metadata>,
    pub(super) enabled: Option<bool>,
    pub(super) email_optional: Option<bool>,
    #[serde(deserialize_with = "filled")]
    pub(super) issuer: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) discovery_url: Option<String>,
    pub(super) skip_nonce_check: Option<bool>,
    #[serde(deserialize_with = "filled")]
    pub(super) authorization_url: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) token_url: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) userinfo_url: Option<String>,
    #[serde(deserialize_with = "filled")]
    pub(super) jwks_uri: Option<String>,
}

/// `PUT /user`
#[derive(Debug, Deserialize)]
pub(super) struct UserChange {
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    pub(super) password: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) nonce: Option<String>,
    pub(super) data: Option<Metadata>,
    pub(super) app_metadata: Option<Metadata>,
    #[serde(flatten)]
    pub(super) pkce: Pkce,
}

/// `POST /admin/users` and `PUT /admin/users/{id}`
#[derive(Debug, Deserialize)]
pub(super) struct AdminUser {
    #[serde(default, deserialize_with = "filled")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) role: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) phone: Option<String>,
    pub(super) password: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) password_hash: Option<String>,
    #[serde(default)]
    pub(super) email_confirm: Option<bool>,
    #[serde(default)]
    pub(super) phone_confirm: Option<bool>,
    pub(super) user_metadata: Option<Metadata>,
    pub(super) app_metadata: Option<Metadata>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) ban_duration: Option<String>,
}

/// `DELETE /admin/users/{id}`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Deletion {
    #[serde(default)]
    pub(super) should_soft_delete: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) number: u32,
    pub(super) size: u32,
}

/// Which sessions a sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Global,
    Local,
    Others,
}

impl ApiVersion {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let named = headers.get(API_VERSION).and_then(|value| value.to_str().ok());
        // Versions are dates: a later one has what this one has.
        if named.is_some_and(|version| version >= "2024-01-01") { Self::V20240101 } else { Self::Initial }
    }
}

impl Pkce {
    pub(super) fn challenge(&self) -> Result<Option<Challenge>, AuthError> {
        Challenge::of(self.code_challenge.as_deref(), self.code_challenge_method.as_deref())
    }
}

impl AdminUser {
    pub(super) fn id(&self) -> Result<Option<Uuid>, AuthError> {
        let Some(id) = &self.id else { return Ok(None) };
        match Uuid::parse_str(id) {
            Ok(id) if id.is_nil() => {
                Err(AuthError::bad_request("validation_failed", "ID cannot be a nil uuid"))
            }
            Ok(id) => Ok(Some(id)),
            Err(_) => {
                Err(AuthError::bad_request("validation_failed", "ID must conform to the uuid v4 format"))
            }
        }
    }

    pub(super) fn ban(&self) -> Result<Option<TimeDelta>, AuthError> {
        let Some(written) = &self.ban_duration else { return Ok(None) };
        duration(written).map(Some).ok_or_else(|| {
            AuthError::bad_request("validation_failed", format!("invalid format for ban duration: {written}"))
        })
    }
}

impl Page {
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, AuthError> {
        let number = |name, default| match value(query, name) {
            None | Some("") => Ok(default),
            Some(written) => written.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                let message = format!("Bad Pagination Parameters: {name} is not a positive number");
                AuthError::bad_request("validation_failed", message)
            }),
        };
        Ok(Self { number: number("page", 1)?, size: number("per_page", DEFAULT_PER_PAGE)? })
    }
}

impl Scope {
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, AuthError> {
        match value(query, "scope").unwrap_or_default() {
            "" | "global" => Ok(Self::Global),
            "local" => Ok(Self::Local),
            "others" => Ok(Self::Others),
            other => Err(AuthError::bad_request(
                "validation_failed",
                format!("Unsupported logout scope {other:?}"),
            )),
        }
    }
}

/// Reads a JSON body.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, AuthError> {
    // An object first: a struct would also take a list for its fields in order.
    let fields: Result<Metadata, _> = serde_json::from_slice(body);
    fields.and_then(|fields| T::deserialize(Value::Object(fields))).map_err(|error| {
        // Category and place only: the text itself may hold a password.
        let message = format!(
            "Could not parse request body as JSON: {:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        );
        AuthError::bad_request("bad_json", message)
    })
}

/// The first value of a name in a query.
pub(super) fn value<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Where a link is to lead in the end: as asked, or where it was asked from, or the site itself.
/// Any place will do; the hosted service has a list of them.
pub(super) fn redirect_to(query: &[(String, String)], headers: &HeaderMap, settings: &Settings) -> String {
    let asked = value(query, "redirect_to").filter(|asked| !asked.is_empty());
    let from = || headers.get(REFERER).and_then(|from| from.to_str().ok());
    asked.or_else(from).unwrap_or(&settings.site_url).to_owned()
}

/// A length of time as Go writes it (`1h30m`), or `none`.
fn duration(written: &str) -> Option<TimeDelta> {
    if written == "none" {
        return Some(TimeDelta::zero());
    }
    let mut rest = written;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    TimeDelta::try_milliseconds((seconds * 1e3) as i64)
}

/// An empty text says as little as none.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_as_go_writes_it() {
        for (written, seconds) in [("24h", 86_400), ("1h30m", 5_400), ("1.5s", 1), ("none", 0)] {
            assert_eq!(duration(written).unwrap().num_seconds(), seconds, "{written}");
        }
        for wrong in ["", "5", "h", "1x", "1h-", "9e99h", "forever"] {
            assert_eq!(duration(wrong).filter(|_| !wrong.is_empty()), None, "{wrong}");
        }
    }

    #[test]
    fn a_page_is_a_positive_number() {
        let asked = |name: &str, value: &str| Page::of(&[(name.to_owned(), value.to_owned())]);
        assert_eq!(Page::of(&[]).unwrap(), Page { number: 1, size: 50 });
        assert_eq!(asked("page", "3").unwrap(), Page { number: 3, size: 50 });
        for wrong in ["0", "-1", "x"] {
            assert!(asked("per_page", wrong).is_err());
        }
    }

    #[test]
    fn a_later_version_has_what_an_earlier_one_has() {
        for (written, version) in [
            (None, ApiVersion::Initial),
            (Some("2023-01-01"), ApiVersion::Initial),
            (Some("2024-01-01"), ApiVersion::V20240101),
            (Some("2025-06-30"), ApiVersion::V20240101),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(written) = written {
                headers.insert(API_VERSION, written.parse().unwrap());
            }
            assert_eq!(ApiVersion::of(&headers), version);
        }
    }
}
