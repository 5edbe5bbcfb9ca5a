//! Why a request is refused, in the words of the hosted service.
//!
//! The hosted service says almost every refusal with HTTP status 400, and which one it means in the body.

use std::{borrow::Cow, io};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Json, Response},
};
use serde_json::json;

use crate::jwt::JwtError;

/// A refusal: the status it means, a code to decide by, an older code and a sentence to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StorageError {
    status: u16,
    code: &'static str,
    error: &'static str,
    message: Cow<'static, str>,
}

impl StorageError {
    fn new(
        status: u16,
        code: &'static str,
        error: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, error, message: message.into() }
    }

    pub(super) fn no_such_bucket() -> Self {
        Self::new(404, "NoSuchBucket", "Bucket not found", "Bucket not found")
    }

    pub(super) fn no_such_key() -> Self {
        Self::new(404, "NoSuchKey", "not_found", "Object not found")
    }

    pub(super) fn invalid_key(key: &str) -> Self {
        Self::new(400, "InvalidKey", "InvalidKey", format!("Invalid key: {key}"))
    }

    pub(super) fn invalid_bucket_name() -> Self {
        Self::new(400, "InvalidBucketName", "Invalid Input", "Bucket name invalid")
    }

    pub(super) fn key_already_exists() -> Self {
        Self::new(409, "KeyAlreadyExists", "Duplicate", "The resource already exists")
    }

    pub(super) fn bucket_already_exists() -> Self {
        Self::new(409, "BucketAlreadyExists", "Duplicate", "The resource already exists")
    }

    pub(super) fn bucket_not_empty() -> Self {
        Self::new(409, "ResourceNotEmpty", "ResourceNotEmpty", "The bucket you tried to delete is not empty")
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "EntityTooLarge", "Payload too large", "The object exceeded the maximum allowed size")
    }

    pub(super) fn limit_too_large() -> Self {
        Self::new(
            413,
            "EntityTooLarge",
            "Payload too large",
            "The object exceeded the maximum allowed size: a bucket's limit is at most the project's",
        )
    }

    pub(super) fn mime_type(mime: &str) -> Self {
        Self::new(415, "InvalidMimeType", "invalid_mime_type", format!("mime type {mime} is not supported"))
    }

    pub(super) fn no_content() -> Self {
        Self::new(400, "InvalidRequest", "InvalidRequest", "No content provided")
    }

    pub(super) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "InvalidRequest", "Error", message)
    }

    pub(super) fn range() -> Self {
        Self::new(416, "InvalidRange", "invalid_range", "The requested range is not satisfiable")
    }

    /// An image that can not be transformed.
    pub(super) fn image(message: &'static str) -> Self {
        Self::new(422, "InvalidRequest", "ImageProcessingError", message)
    }

    pub(super) fn invalid_signature() -> Self {
        Self::new(400, "InvalidSignature", "InvalidSignature", "Invalid signature")
    }

    /// A token in an address is not believed.
    pub(super) fn invalid_jwt(reason: JwtError) -> Self {
        Self::new(400, "InvalidJWT", "InvalidJWT", words(reason))
    }

    /// The token of who asks is not believed.
    pub(super) fn unauthorized(reason: JwtError) -> Self {
        Self::new(403, "AccessDenied", "Unauthorized", words(reason))
    }

    pub(super) fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(403, "AccessDenied", "Unauthorized", message)
    }

    pub(super) fn not_imitated(what: &str) -> Self {
        let message = format!("The local stack does not imitate {what}: use a hosted project for it");
        Self::new(501, "NotSupported", "not_implemented", message)
    }

    /// The status it means and its sentence, for who is told them as they are.
    pub(super) fn meant(self) -> (u16, Cow<'static, str>) {
        (self.status, self.message)
    }

    fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(500, "InternalError", "Internal", message)
    }
}

/// As the hosted service's library for tokens says it.
fn words(reason: JwtError) -> &'static str {
    match reason {
        JwtError::Expired => "\"exp\" claim timestamp check failed",
        JwtError::Signature | JwtError::Algorithm => "signature verification failed",
        JwtError::Segments | JwtError::Encoding => "Invalid Compact JWS",
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let Some(error) = error.as_database_error() else {
            return Self::internal("the database can not be reached");
        };
        let code = error.code().unwrap_or_default();
        match &*code {
            "42501" if error.message().contains("row-level security") => {
                Self::denied("new row violates row-level security policy")
            }
            "42501" => Self::denied(error.message().to_owned()),
            "23505" => Self::new(409, "ResourceAlreadyExists", "Duplicate", "The resource already exists"),
            "23503" => {
                Self::new(404, "InvalidRequest", "InvalidRequest", "The related resource does not exist")
            }
            "55P03" => Self::new(423, "ResourceLocked", "ResourceLocked", "The resource is locked"),
            "57014" => Self::new(
                544,
                "DatabaseTimeout",
                "DatabaseTimeout",
                "The connection to the database timed out",
            ),
            code => Self::new(500, "DatabaseError", "DatabaseError", format!("database error, code: {code}")),
        }
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        Self::internal(format!("the bytes can not be kept: {}", error.kind()))
    }
}

impl IntoResponse for StorageError {
    fn into_response(self) -> Response {
        let Self { status, code, error, message } = self;
        let shown = match status {
            416 | 500 | 501 | 544 => {
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let body =
            json!({"statusCode": status.to_string(), "error": error, "message": message, "code": code});
        (shown, Json(body)).into_response()
    }
}

/// The bucket of a row that was to be, or its name, is what stands in the way.
pub(super) fn taken(error: sqlx::Error, otherwise: fn() -> StorageError) -> StorageError {
    match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some("23505") => otherwise(),
        _ => error.into(),
    }
}
