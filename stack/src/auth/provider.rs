//! Providers people sign in by: what is asked of each, as values.
//!
//! A provider stands in the settings (`external`) or was made by an admin (`custom`). It either
//! has an issuer, whose document tells the addresses and whose ID tokens are believed, or it has the
//! addresses and is asked who somebody is.
//!
//! Not here: asking (`outbound`), and what comes of the answer (`linking`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{settings::External, user::Metadata};

/// The names the hosted service knows. One that is not set up is answered differently from a name
/// that is none.
pub(super) const KNOWN: [&str; 25] = [
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "vercel_marketplace",
    "workos",
    "x",
    "zoom",
];

/// What an app can not say for itself when it sends somebody to a provider.
pub(super) const RESERVED: [&str; 9] = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "nonce",
];

/// A provider, wherever it was set up. It holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) place: Place,
    pub(super) scopes: Vec<String>,
    pub(super) acceptable_client_ids: Vec<String>,
    pub(super) pkce: bool,
    pub(super) skip_nonce_check: bool,
    pub(super) email_optional: bool,
    pub(super) reading: Reading,
    /// Said with every question, and not to be changed by the app.
    pub(super) authorization_params: Metadata,
}

/// Where a provider is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Its document is at `discovery`.
    Issuer {
        issuer: String,
        discovery: String,
    },
    Addresses(Endpoints),
}

/// The addresses of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) userinfo: Option<String>,
    /// With what its ID tokens are checked.
    pub(super) keys: Option<String>,
    /// Whether the secret goes into the body, because it is not taken in a header.
    pub(super) secret_in_body: bool,
}

/// How what a provider says becomes what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// As of the providers the hosted service has built in: with the names older apps look for.
    BuiltIn,
    /// As an admin has said: which field is taken from which, and what else is kept.
    Custom { mapping: Metadata, allowlist: Vec<String> },
}

/// The document that tells where an issuer's parts are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Discovery {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) userinfo_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
}

/// The exchange of a code. It holds a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) url: String,
    pub(super) authorization: Option<String>,
    pub(super) form: Vec<(&'static str, String)>,
}

impl Provider {
    /// A provider of the settings; `base` is the project's address. None if it can not be found: it
    /// has neither an issuer nor all the addresses.
    pub(super) fn of(name: &str, told: &External, base: &str) -> Option<Self> {
        let whole = |address: &String| match address.strip_prefix('/') {
            Some(path) => format!("{base}/{path}"),
            None => address.clone(),
        };
        let place = match &told.issuer {
            Some(issuer) => Place::of_issuer(whole(issuer), None),
            None => Place::Addresses(Endpoints {
                authorization: told.authorization_url.as_ref().map(whole)?,
                token: told.token_url.as_ref().map(whole)?,
                userinfo: Some(told.userinfo_url.as_ref().map(whole)?),
                keys: None,
                secret_in_body: false,
            }),
        };
        Some(Self {
            name: name.to_owned(),
            client_id: told.client_id.clone(),
            client_secret: told.client_secret.clone(),
            place,
            scopes: told.scopes.clone(),
            acceptable_client_ids: told.acceptable_client_ids.clone(),
            pkce: told.pkce,
            skip_nonce_check: told.skip_nonce_check,
            email_optional: told.email_optional,
            reading: Reading::BuiltIn,
            authorization_params: Metadata::new(),
        })
    }

    /// Whose ID tokens it gives, if it gives any.
    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.place {
            Place::Issuer { issuer, .. } => Some(issuer),
            Place::Addresses(_) => None,
        }
    }

    /// Whether a token for these is one for us.
    pub(super) fn accepts(&self, audience: &[String]) -> bool {
        let ours = std::iter::once(&self.client_id).chain(&self.acceptable_client_ids);
        ours.filter(|id| !id.is_empty()).any(|id| audience.contains(id))
    }

    /// Where somebody is sent; `said` is what the app wants said there. None if the provider's own
    /// address is none.
    pub(super) fn address(
        &self,
        endpoints: &Endpoints,
        callback: &str,
        scopes: &str,
        state: &str,
        said: &[(String, String)],
    ) -> Option<Url> {
        let mut url = Url::parse(&endpoints.authorization).ok()?;
        let asked: Vec<&str> = scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).collect();
        let mut scopes: Vec<&str> = match (&self.reading, asked.is_empty()) {
            (_, true) => self.scopes.iter().map(String::as_str).collect(),
            (Reading::BuiltIn, false) => self.scopes.iter().map(String::as_str).chain(asked).collect(),
            (Reading::Custom { .. }, false) => asked,
        };
        if self.issuer().is_some() && !scopes.contains(&"openid") {
            scopes.insert(0, "openid");
        }
        let mut seen = Vec::new();
        scopes.retain(|scope| {
            !seen.contains(scope) && {
                seen.push(scope);
                true
            }
        });
        let mut query = url.query_pairs_mut();
        for (name, value) in said {
            if !self.authorization_params.contains_key(name) {
                query.append_pair(name, value);
            }
        }
        for (name, value) in &self.authorization_params {
            if let Some(value) = value.as_str() {
                query.append_pair(name, value);
            }
        }
        query
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", callback)
            .append_pair("response_type", "code")
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state);
        drop(query);
        Some(url)
    }

    /// What a code is exchanged with.
    pub(super) fn exchange(
        &self,
        endpoints: &Endpoints,
        callback: &str,
        code: &str,
        verifier: Option<&str>,
    ) -> Exchange {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", callback.to_owned()),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier.to_owned())));
        let in_body = endpoints.secret_in_body || self.client_secret.is_empty();
        let authorization = if in_body {
            form.push(("client_id", self.client_id.clone()));
            form.push(("client_secret", self.client_secret.clone()));
            None
        } else {
            // Both are written as in a form before they are joined: RFC 6749, section 2.3.1.
            let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pair = format!("{}:{}", escape(&self.client_id), escape(&self.client_secret));
            Some(format!("Basic {}", STANDARD.encode(pair)))
        };
        Exchange { url: endpoints.token.clone(), authorization, form }
    }
}

impl Place {
    /// An issuer, with its document where it usually is or where it was said to be.
    pub(super) fn of_issuer(issuer: String, discovery: Option<String>) -> Self {
        let usual = || format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery = discovery.filter(|url| !url.is_empty()).unwrap_or_else(usual);
        Self::Issuer { issuer, discovery }
    }
}

impl Discovery {
    /// What it has to say and does not.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        [
            ("issuer", &self.issuer),
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("jwks_uri", &self.jwks_uri),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.is_empty().then_some(name))
        .collect()
    }
}

impl From<Discovery> for Endpoints {
    fn from(told: Discovery) -> Self {
        let methods = &told.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.iter().any(|known| known == method);
        Self {
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
            authorization: told.authorization_endpoint,
            token: told.token_endpoint,
            userinfo: Some(told.userinfo_endpoint).filter(|url| !url.is_empty()),
            keys: Some(told.jwks_uri).filter(|url| !url.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(value: serde_json::Value) -> External {
        serde_json::from_value(value).unwrap()
    }

    fn provider() -> Provider {
        let told = told(json!({"client_id": "app", "client_secret": "a:b", "issuer": "/oidc"}));
        Provider::of("google", &told, "http://here").unwrap()
    }

    fn endpoints() -> Endpoints {
        Endpoints::from(Discovery {
            authorization_endpoint: "https://idp.test/authorize?tenant=1".to_owned(),
            token_endpoint: "https://idp.test/token".to_owned(),
            ..Discovery::default()
        })
    }

    #[test]
    fn an_address_that_begins_with_a_slash_is_the_projects_own() {
        assert_eq!(
            provider().place,
            Place::Issuer {
                issuer: "http://here/oidc".to_owned(),
                discovery: "http://here/oidc/.well-known/openid-configuration".to_owned(),
            }
        );
        let half = told(json!({"client_id": "app", "authorization_url": "https://idp.test"}));
        assert!(Provider::of("github", &half, "http://here").is_none());
    }

    #[test]
    fn a_code_is_exchanged_with_the_secret_where_it_is_taken() {
        let (provider, endpoints) = (provider(), endpoints());
        let exchange = provider.exchange(&endpoints, "http://here/callback", "c", Some("v"));
        // base64 of "app:a%3Ab"
        assert_eq!(exchange.authorization.as_deref(), Some("Basic YXBwOmElM0Fi"));
        assert!(exchange.form.contains(&("code_verifier", "v".to_owned())));
        let in_body = Endpoints { secret_in_body: true, ..endpoints };
        let exchange = provider.exchange(&in_body, "http://here/callback", "c", None);
        assert_eq!(exchange.authorization, None);
        assert!(exchange.form.contains(&("client_secret", "a:b".to_owned())));
    }

    #[test]
    fn a_token_for_another_app_is_not_ours() {
        let mut provider = provider();
        provider.acceptable_client_ids = vec!["phone".to_owned(), String::new()];
        let accepts =
            |ids: &[&str]| provider.accepts(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert!(accepts(&["other", "app"]) && accepts(&["phone"]));
        assert!(!accepts(&["other", ""]) && !accepts(&[]));
    }

    #[test]
    fn a_built_in_provider_is_asked_for_more_and_a_custom_one_for_other_things() {
        let scope = |provider: &Provider, scopes: &str| {
            let url = provider.address(&endpoints(), "cb", scopes, "s", &[]).unwrap();
            url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned()
        };
        let mut provider = provider();
        assert_eq!(scope(&provider, ""), "openid email profile");
        assert_eq!(scope(&provider, "calendar email"), "openid email profile calendar");
        provider.reading = Reading::Custom { mapping: Metadata::new(), allowlist: Vec::new() };
        assert_eq!(scope(&provider, "email"), "openid email");
    }

    proptest! {
        #[test]
        fn what_an_app_says_reaches_the_provider_as_it_was_said(name in "[a-z]{12,20}", value in ".{0,30}") {
            let said = [(name.clone(), value.clone())];
            let url = provider().address(&endpoints(), "http://here/callback", "", "the state", &said).unwrap();
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert!(pairs.contains(&("tenant".to_owned(), "1".to_owned())));
            prop_assert!(pairs.contains(&(name, value)));
            prop_assert!(pairs.contains(&("state".to_owned(), "the state".to_owned())));
        }
    }
}
