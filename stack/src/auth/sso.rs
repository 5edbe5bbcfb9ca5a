//! `POST /sso`: single sign-on, for which a project here has no providers.
//!
//! So every domain is one that nobody has set up, and the answer is the hosted service's for it.

use axum::body::Bytes;

use super::{
    reply::AuthError,
    request::{self, SingleSignOn},
};

pub(super) async fn sign_in(body: Bytes) -> AuthError {
    let unknown = |message: &'static str| AuthError::not_found("sso_provider_not_found", message);
    match request::read::<SingleSignOn>(&body) {
        Err(error) => error,
        Ok(SingleSignOn { provider_id: Some(_), domain: Some(_) }) => {
            AuthError::invalid("Only one of provider_id or domain supported")
        }
        Ok(SingleSignOn { provider_id: None, domain: None }) => {
            AuthError::invalid("A provider_id or domain needs to be provided")
        }
        Ok(SingleSignOn { provider_id: Some(_), domain: None }) => unknown("No such SSO provider"),
        Ok(SingleSignOn { provider_id: None, domain: Some(_) }) => {
            unknown("No SSO provider assigned for this domain")
        }
    }
}
