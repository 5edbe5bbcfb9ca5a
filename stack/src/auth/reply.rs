//! What clients are told: accounts, sessions and refusals as JSON.

use std::borrow::Cow;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Json, Response},
};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    factor::{Factor, FactorReply},
    request::{API_VERSION, ApiVersion},
    session::ACCESS_SECONDS,
    user::{Identity, Metadata, Profile},
};

const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// Why a request is refused: a status, a code to decide by and a sentence to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    reasons: &'static [&'static str],
    retry_after: Option<u64>,
    /// What OAuth calls it, for a refusal in OAuth's own words.
    oauth: Option<String>,
}

/// Somebody signed in.
#[derive(Debug, Serialize)]
pub(super) struct SessionReply<'a> {
    pub(super) access_token: String,
    token_type: &'static str,
    expires_in: i64,
    expires_at: i64,
    refresh_token: &'a str,
    user: UserReply<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_refresh_token: Option<&'a str>,
}

/// Somebody, as they and the admins see them.
#[derive(Debug, Serialize)]
pub(super) struct UserReply<'a> {
    id: Uuid,
    aud: &'a str,
    role: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    email_confirmed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    invited_at: Option<DateTime<Utc>>,
    phone: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    phone_confirmed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    confirmation_sent_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    confirmed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    recovery_sent_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    email_change_sent_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    phone_change_sent_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    reauthentication_sent_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    last_sign_in_at: Option<DateTime<Utc>>,
    app_metadata: &'a Metadata,
    user_metadata: &'a Metadata,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    factors: Vec<FactorReply<'a>>,
    identities: Vec<IdentityReply<'a>>,
    #[serde(serialize_with = "time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    updated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    banned_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    deleted_at: Option<DateTime<Utc>>,
    is_anonymous: bool,
}

#[derive(Debug, Serialize)]
struct IdentityReply<'a> {
    identity_id: Uuid,
    id: &'a str,
    user_id: Uuid,
    identity_data: &'a Metadata,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    last_sign_in_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    updated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> SessionReply<'a> {
    pub(super) fn new(
        access_token: String,
        expires_at: i64,
        refresh_token: &'a str,
        profile: &'a Profile,
    ) -> Self {
        Self {
            access_token,
            token_type: "bearer",
            expires_in: ACCESS_SECONDS,
            expires_at,
            refresh_token,
            user: UserReply::new(profile),
            provider_token: None,
            provider_refresh_token: None,
        }
    }

    /// With what a provider gave, if it led there.
    pub(super) fn with_provider(self, access_token: Option<&'a str>, refresh_token: Option<&'a str>) -> Self {
        Self { provider_token: access_token, provider_refresh_token: refresh_token, ..self }
    }
}

impl<'a> UserReply<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        let Profile { user, identities, factors } = profile;
        let confirmed = [user.email_confirmed_at, user.phone_confirmed_at];
        Self {
            id: user.id,
            aud: &user.aud,
            role: &user.role,
            email: user.email.as_deref().unwrap_or_default(),
            email_confirmed_at: user.email_confirmed_at,
            invited_at: user.invited_at,
            phone: user.phone.as_deref().unwrap_or_default(),
            phone_confirmed_at: user.phone_confirmed_at,
            confirmation_sent_at: user.confirmation_sent_at,
            confirmed_at: confirmed.into_iter().flatten().min(),
            recovery_sent_at: user.recovery_sent_at,
            new_email: user.email_change.as_deref(),
            email_change_sent_at: user.email_change_sent_at,
            new_phone: user.phone_change.as_deref(),
            phone_change_sent_at: user.phone_change_sent_at,
            reauthentication_sent_at: user.reauthentication_sent_at,
            last_sign_in_at: user.last_sign_in_at,
            app_metadata: &user.app_metadata,
            user_metadata: &user.user_metadata,
            factors: factors.iter().map(Factor::reply).collect(),
            identities: identities.iter().map(IdentityReply::new).collect(),
            created_at: Some(user.created_at),
            updated_at: Some(user.updated_at),
            banned_until: user.banned_until,
            deleted_at: user.deleted_at,
            is_anonymous: user.is_anonymous,
        }
    }
}

impl<'a> IdentityReply<'a> {
    fn new(identity: &'a Identity) -> Self {
        Self {
            identity_id: identity.id,
            id: &identity.provider_id,
            user_id: identity.user_id,
            identity_data: &identity.identity_data,
            provider: &identity.provider,
            last_sign_in_at: identity.last_sign_in_at,
            created_at: Some(identity.created_at),
            updated_at: Some(identity.updated_at),
            email: identity.email.as_deref(),
        }
    }
}

impl IntoResponse for UserReply<'_> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl IntoResponse for SessionReply<'_> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl AuthError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), reasons: &[], retry_after: None, oauth: None }
    }

    /// A refusal in OAuth's own words: what is wrong, and a sentence. It has no code of ours.
    pub(super) fn oauth(error: impl Into<String>, description: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::BAD_REQUEST, "", description.into());
        Self { oauth: Some(error.into()), ..refusal }
    }

    /// The same with the first half of its sentence.
    pub(super) fn within(self, before: &str) -> Self {
        Self { message: format!("{before}{}", self.message).into(), ..self }
    }

    /// The same under another code.
    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A value that makes no sense.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request("validation_failed", message)
    }

    pub(super) fn too_many(code: &'static str, message: String, seconds: u64) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        Self { retry_after: Some(seconds), ..error }
    }

    /// A code that is unknown, used up or too old: nobody is told which.
    pub(super) fn otp_expired(message: &'static str) -> Self {
        Self::forbidden("otp_expired", message)
    }

    pub(super) fn insufficient_aal(status: StatusCode, message: &'static str) -> Self {
        Self::new(status, "insufficient_aal", message)
    }

    pub(super) fn phone_exists() -> Self {
        Self::unprocessable("phone_exists", "A user with this phone number has already been registered")
    }

    /// How a browser is told about it: error, code and description.
    pub(super) fn told(&self) -> Vec<(&'static str, &str)> {
        let error = match (&self.oauth, self.status, self.code) {
            (Some(error), _, _) => error,
            (None, _, "provider_email_needs_verification") => "access_denied",
            (None, StatusCode::BAD_REQUEST, _) => "invalid_request",
            (None, StatusCode::UNAUTHORIZED, _) => "unauthorized_client",
            (None, StatusCode::FORBIDDEN, _) => "access_denied",
            (None, StatusCode::SERVICE_UNAVAILABLE, _) => "temporarily_unavailable",
            (None, _, _) => "server_error",
        };
        let mut told = vec![("error", error), ("error_description", self.message.as_ref())];
        if self.oauth.is_none() {
            told.insert(1, ("error_code", self.code));
        }
        told
    }

    pub(super) fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no_authorization", message)
    }

    pub(super) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(super) fn not_found(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn unprocessable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(super) fn invalid_credentials() -> Self {
        Self::bad_request("invalid_credentials", "Invalid login credentials")
    }

    pub(super) fn email_exists() -> Self {
        Self::unprocessable("email_exists", "A user with this email address has already been registered")
    }

    pub(super) fn weak_password(message: String) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", message);
        Self { reasons: &["length"], ..error }
    }

    /// Something of ours went wrong.
    pub(super) fn unexpected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", message)
    }

    /// The database refused, or is not there. Its own words may hold what a row holds: the hosted
    /// service keeps them to itself, and here the code has to be enough.
    pub(super) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| {
            let reason = match error.as_database_error().and_then(|error| error.code()) {
                Some(code) => format!("SQLSTATE {code}"),
                None => "the database can not be reached".to_owned(),
            };
            let message = format!("{doing}: {reason}");
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_failure", message)
        }
    }

    pub(super) fn not_imitated(what: &str) -> Self {
        let message = format!("The local stack does not imitate {what}: use a hosted project for it");
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
    }

    fn body(&self, version: ApiVersion) -> Value {
        let Self { status, code, message, reasons, retry_after: _, oauth } = self;
        if let Some(error) = oauth {
            return json!({"error": error, "error_description": message});
        }
        let mut body = match version {
            ApiVersion::Initial => json!({"code": status.as_u16(), "error_code": code, "msg": message}),
            ApiVersion::V20240101 => json!({"code": code, "message": message}),
        };
        if !reasons.is_empty() {
            body["weak_password"] = json!({"reasons": reasons});
        }
        body
    }
}

impl From<sqlx::Error> for AuthError {
    fn from(error: sqlx::Error) -> Self {
        Self::database("Database error querying schema")(error)
    }
}

/// Only the status: the shape of the body is settled by [`ApiVersion::render`], which finds the
/// error itself among the extensions.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl ApiVersion {
    /// Gives a refusal the shape the client expects.
    pub(super) fn render(self, mut response: Response) -> Response {
        let Some(error) = response.extensions_mut().remove::<AuthError>() else { return response };
        let mut response = (error.status, Json(error.body(self))).into_response();
        let headers = response.headers_mut();
        if error.oauth.is_none() {
            headers.insert(ERROR_CODE, HeaderValue::from_static(error.code));
        }
        if let Some(seconds) = error.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self {
            Self::Initial => {}
            Self::V20240101 => {
                headers.insert(API_VERSION, HeaderValue::from_static("2024-01-01"));
            }
        }
        response
    }
}

/// As exactly as it is known, and no zeros for the rest.
fn time<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_shape_its_client_knows() {
        let error = AuthError::invalid_credentials();
        assert_eq!(
            error.body(ApiVersion::V20240101),
            json!({"code": "invalid_credentials", "message": "Invalid login credentials"})
        );
        assert_eq!(
            error.body(ApiVersion::Initial),
            json!({"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"})
        );
    }

    #[test]
    fn a_refusal_in_oauths_words_has_no_code_of_ours() {
        let error = AuthError::oauth("access_denied", "They said no");
        let body = json!({"error": "access_denied", "error_description": "They said no"});
        assert_eq!(error.body(ApiVersion::V20240101), body);
        assert_eq!(error.told(), [("error", "access_denied"), ("error_description", "They said no")]);
    }

    #[test]
    fn a_weak_password_says_what_is_weak_about_it() {
        let body = AuthError::weak_password("too short".to_owned()).body(ApiVersion::V20240101);
        assert_eq!(body["weak_password"], json!({"reasons": ["length"]}));
    }
}
