//! What an application learns about the service before it begins.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Json},
};
use serde_json::json;

use super::{GRANTS, METHODS, SCOPES};
use crate::auth::Service;

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`
pub(super) async fn metadata(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let (issuer, settings) = (&service.issuer, service.settings.read());
    let mut told = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "userinfo_endpoint": format!("{issuer}/oauth/userinfo"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANTS,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
        "token_endpoint_auth_methods_supported": METHODS,
        "claims_supported": [
            "sub", "aud", "iss", "exp", "iat", "auth_time", "nonce", "email", "email_verified",
            "phone_number", "phone_number_verified", "name", "picture", "preferred_username", "updated_at",
        ],
        "code_challenge_methods_supported": ["S256", "plain"],
    });
    if settings.oauth_server && settings.oauth_registration {
        told["registration_endpoint"] = json!(format!("{issuer}/oauth/clients/register"));
    }
    ([(CACHE_CONTROL, "public, max-age=600")], Json(told))
}
