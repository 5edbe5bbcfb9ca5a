//! Why an upload does not go on, in the words of the hosted service.
//!
//! Here the status means what it says, and the sentence stands alone.

use std::{borrow::Cow, io};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::super::reply::StorageError;

pub(super) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

#[derive(Debug)]
pub(super) struct TusError {
    status: u16,
    message: Cow<'static, str>,
}

impl TusError {
    fn new(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn version() -> Self {
        Self::new(412, "Tus-Resumable Required\n")
    }

    pub(super) fn no_length() -> Self {
        Self::new(400, "Upload-Length or Upload-Defer-Length header required\n")
    }

    pub(super) fn metadata() -> Self {
        Self::new(400, "Upload-Metadata is invalid: names, and values in base64, with commas between them\n")
    }

    pub(super) fn header(name: &HeaderName) -> Self {
        Self::new(400, format!("Invalid {name}\n"))
    }

    pub(super) fn no_offset() -> Self {
        Self::new(403, "Upload-Offset header required\n")
    }

    pub(super) fn no_content_type() -> Self {
        Self::new(403, "Content-Type header required\n")
    }

    pub(super) fn no_signature() -> Self {
        Self::new(400, "Missing x-signature header")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "The file for this url was not found\n")
    }

    pub(super) fn offset() -> Self {
        Self::new(409, "Upload-Offset conflict\n")
    }

    pub(super) fn gone() -> Self {
        Self::new(410, "The file for this url no longer exists\n")
    }

    pub(super) fn exceeded() -> Self {
        Self::new(413, "upload's size exceeded\n")
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "Maximum size exceeded\n")
    }

    pub(super) fn completed() -> Self {
        Self::new(400, "Cannot terminate an already completed upload\n")
    }

    /// Nobody hears it.
    pub(super) fn cut() -> Self {
        Self::new(400, "Request aborted\n")
    }

    pub(super) fn taken_over() -> Self {
        Self::new(400, "Request aborted due to lock acquired by another client\n")
    }

    pub(super) fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, self.message.into_owned()).into_response()
    }
}

impl From<StorageError> for TusError {
    fn from(error: StorageError) -> Self {
        let (status, message) = error.meant();
        Self::new(status, message)
    }
}

impl From<sqlx::Error> for TusError {
    fn from(error: sqlx::Error) -> Self {
        StorageError::from(error).into()
    }
}

impl From<io::Error> for TusError {
    fn from(error: io::Error) -> Self {
        StorageError::from(error).into()
    }
}

/// Every answer says the version.
pub(super) fn versioned(mut response: Response) -> Response {
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static("1.0.0"));
    response
}
