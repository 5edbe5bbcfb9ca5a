//! What Auth is asked, as values. Paths and bodies are GoTrue's (`internal/api`).

use http::Method;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::json;

use crate::auth::credentials::Question;
use crate::auth::{Contact, NewUser, Scope, Session, Token, UserChange};
use crate::error::Error;
use crate::transport::{Credentials, Request};

/// From this version on errors are `{code, message}`.
const API_VERSION: (HeaderName, &str) = (HeaderName::from_static("x-supabase-api-version"), "2024-01-01");

fn request(method: Method, path: &str) -> Request {
    let mut request = Request::new(method, format!("/auth/v1{path}"));
    request.headers.insert(API_VERSION.0, http::HeaderValue::from_static(API_VERSION.1));
    request
}

/// A question on the session's behalf.
pub(super) fn get(path: &str) -> Request {
    request(Method::GET, path)
}

/// As [`get`].
pub(super) fn post(path: &str) -> Request {
    request(Method::POST, path)
}

/// As [`get`].
pub(super) fn delete(path: &str) -> Request {
    request(Method::DELETE, path)
}

/// As [`get`].
pub(super) fn patch(path: &str) -> Request {
    request(Method::PATCH, path)
}

/// A question that only the project's secret key may ask.
pub(super) fn as_admin(method: Method, path: &str) -> Request {
    request(method, path).as_key()
}

/// The public keys of the project.
pub(super) fn keys() -> Request {
    request(Method::GET, "/.well-known/jwks.json").as_key()
}

/// Whose token this is, by the server's word; the session's own is left alone.
pub(super) fn user_of(token: &Token) -> Result<Request, Error> {
    request(Method::GET, "/user").header(AUTHORIZATION, &format!("Bearer {}", token.expose()))
}

/// A question on nobody's behalf yet.
pub(super) fn ask(path: &str, question: &Question) -> Result<Request, Error> {
    let request = request(Method::POST, path).as_key().json(&question.body)?;
    Ok(match &question.redirect_to {
        Some(url) => request.query("redirect_to", url.clone()),
        None => request,
    })
}

pub(super) fn sign_in_with_password(contact: &Contact, password: &str) -> Result<Request, Error> {
    let question = Question::of(contact).with("password", password);
    // Asked twice, it opens two sessions, and one is used.
    Ok(ask("/token", &question)?.safe_to_repeat().query("grant_type", "password"))
}

pub(super) fn id_token(question: &Question) -> Result<Request, Error> {
    Ok(ask("/token", question)?.query("grant_type", "id_token"))
}

pub(super) fn exchange_code(code: &str, verifier: &str) -> Result<Request, Error> {
    let question = Question::default().with("auth_code", code).with("code_verifier", verifier);
    Ok(ask("/token", &question)?.query("grant_type", "pkce"))
}

pub(super) fn reauthenticate() -> Request {
    request(Method::GET, "/reauthenticate")
}

pub(super) fn unlink_identity(id: &str) -> Request {
    request(Method::DELETE, &format!("/user/identities/{}", segment(id)))
}

pub(super) fn web3(question: &Question) -> Result<Request, Error> {
    Ok(ask("/token", question)?.query("grant_type", "web3"))
}

pub(super) fn link_id_token(question: &Question) -> Result<Request, Error> {
    let mut request = id_token(&question.clone().with("link_identity", true))?;
    request.credentials = Credentials::Session;
    Ok(request)
}

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    const SEGMENT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b':');
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
}

pub(super) fn refresh(token: &Token) -> Result<Request, Error> {
    let body = json!({ "refresh_token": token.expose() });
    // A token that is shown again, because its answer got lost, is answered with its successor.
    let request = request(Method::POST, "/token").as_key().safe_to_repeat();
    request.query("grant_type", "refresh_token").json(&body)
}

pub(super) fn user() -> Request {
    request(Method::GET, "/user")
}

pub(super) fn update_user(change: &UserChange, redirect_to: Option<&str>) -> Result<Request, Error> {
    let request = request(Method::PUT, "/user").json(change)?;
    Ok(match redirect_to {
        Some(url) => request.query("redirect_to", url),
        None => request,
    })
}

/// The session may have left the client already, so the request carries its token itself.
pub(super) fn sign_out(session: &Session, scope: Scope) -> Result<Request, Error> {
    end_session(&session.access_token, scope)
}

pub(super) fn admin(path: &str, redirect_to: Option<&str>) -> Request {
    let request = as_admin(Method::POST, path);
    match redirect_to {
        Some(url) => request.query("redirect_to", url),
        None => request,
    }
}

pub(super) fn end_session(token: &Token, scope: Scope) -> Result<Request, Error> {
    let bearer = format!("Bearer {}", token.expose());
    request(Method::POST, "/logout").as_key().query("scope", scope.word()).header(AUTHORIZATION, &bearer)
}

pub(super) fn create_user(user: &NewUser) -> Result<Request, Error> {
    request(Method::POST, "/admin/users").as_key().json(user)
}

pub(super) fn one_user(method: Method, id: uuid::Uuid) -> Request {
    request(method, &format!("/admin/users/{id}")).as_key()
}
