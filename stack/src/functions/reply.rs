//! Why a function did not answer, in the words of the hosted service.

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS},
    },
    response::{IntoResponse, Json, Response},
};
use serde_json::json;

use super::token::Doubt;

const ERROR_CODE: HeaderName = HeaderName::from_static("sb-error-code");
const RELAY_ERROR: HeaderName = HeaderName::from_static("x-relay-error");

/// Why there is no answer of the function's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    Unauthorized(Doubt),
    NotFound,
    /// It can not be started, and what to do about it.
    Boot(String),
    Crash,
    ResourceLimit,
    IdleTimeout,
    /// What stands for the function elsewhere can not be reached.
    Unreachable(String),
    TooLarge,
}

impl Failure {
    fn status(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => 401,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::Crash => 500,
            Self::Unreachable(_) => 502,
            Self::Boot(_) => 503,
            Self::IdleTimeout => 504,
            Self::ResourceLimit => 546,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized(doubt) => doubt.code(),
            Self::NotFound => "NOT_FOUND",
            Self::TooLarge => "PAYLOAD_TOO_LARGE",
            Self::Crash => "WORKER_ERROR",
            Self::Unreachable(_) => "LOAD_FUNCTION_ERROR",
            Self::Boot(_) => "BOOT_ERROR",
            Self::IdleTimeout => "IDLE_TIMEOUT",
            Self::ResourceLimit => "WORKER_RESOURCE_LIMIT",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthorized(doubt) => doubt.to_string(),
            Self::Boot(reason) | Self::Unreachable(reason) => reason.clone(),
            Self::NotFound => "Requested function was not found".to_owned(),
            Self::TooLarge => "The body is larger than an echo can tell".to_owned(),
            Self::Crash => "Function exited due to an error (please check logs)".to_owned(),
            Self::IdleTimeout => "Function did not answer within 150 seconds".to_owned(),
            Self::ResourceLimit => "Function failed due to not having enough compute resources".to_owned(),
        }
    }

    /// Whether it is neither the caller's fault nor an answer of the function.
    fn is_of_the_relay(&self) -> bool {
        match self {
            Self::Unauthorized(_) | Self::TooLarge => false,
            Self::NotFound
            | Self::Boot(_)
            | Self::Crash
            | Self::ResourceLimit
            | Self::IdleTimeout
            | Self::Unreachable(_) => true,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({"code": self.code(), "message": self.message()});
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(ERROR_CODE, HeaderValue::from_static(self.code()));
        if self.is_of_the_relay() {
            headers.insert(RELAY_ERROR, HeaderValue::from_static("true"));
        }
        open_to_pages(headers);
        response
    }
}

/// Lets a page of anywhere read an answer, with every header that is in it.
pub(super) fn open_to_pages(headers: &mut HeaderMap) {
    headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(HeaderValue::from_static("*"));
    headers.entry(ACCESS_CONTROL_EXPOSE_HEADERS).or_insert(HeaderValue::from_static("*"));
}
