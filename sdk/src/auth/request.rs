//! What Auth is asked, as values. Paths and bodies are GoTrue's (`internal/api`).

use http::Method;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::json;

use crate::auth::{NewUser, Session, Token, UserChange};
use crate::error::Error;
use crate::transport::Request;

/// From this version on errors are `{code, message}`.
const API_VERSION: (HeaderName, &str) = (HeaderName::from_static("x-supabase-api-version"), "2024-01-01");

fn request(method: Method, path: &str) -> Request {
    let mut request = Request::new(method, format!("/auth/v1{path}"));
    request.headers.insert(API_VERSION.0, http::HeaderValue::from_static(API_VERSION.1));
    request
}

pub(super) fn sign_up(email: &str, password: &str) -> Result<Request, Error> {
    request(Method::POST, "/signup")
        .as_key()
        .json(&json!({ "email": email, "password": password, "data": {} }))
}

pub(super) fn sign_in_with_password(email: &str, password: &str) -> Result<Request, Error> {
    let body = json!({ "email": email, "password": password });
    // Asked twice, it opens two sessions, and one is used.
    request(Method::POST, "/token").as_key().safe_to_repeat().query("grant_type", "password").json(&body)
}

pub(super) fn refresh(token: &Token) -> Result<Request, Error> {
    let body = json!({ "refresh_token": token.expose() });
    request(Method::POST, "/token").as_key().query("grant_type", "refresh_token").json(&body)
}

pub(super) fn user() -> Request {
    request(Method::GET, "/user")
}

pub(super) fn update_user(change: &UserChange) -> Result<Request, Error> {
    request(Method::PUT, "/user").json(change)
}

/// The session has left the client already, so the request carries its token itself.
pub(super) fn sign_out(session: &Session) -> Result<Request, Error> {
    let bearer = format!("Bearer {}", session.access_token.expose());
    request(Method::POST, "/logout").as_key().query("scope", "global").header(AUTHORIZATION, &bearer)
}

pub(super) fn create_user(user: &NewUser) -> Result<Request, Error> {
    request(Method::POST, "/admin/users").as_key().json(user)
}

pub(super) fn users(page: u32, per_page: u32) -> Request {
    request(Method::GET, "/admin/users")
        .as_key()
        .query("page", page.to_string())
        .query("per_page", per_page.to_string())
}

pub(super) fn one_user(method: Method, id: uuid::Uuid) -> Request {
    request(method, &format!("/admin/users/{id}")).as_key()
}
