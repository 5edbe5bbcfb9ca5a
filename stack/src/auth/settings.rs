//! What a test may set about the auth service of its project, at `/inbox/settings`.
//!
//! The defaults let a sign-up in at once and send as many messages as anybody asks for. The
//! hosted service's own are one switch each.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::user::Metadata;

/// How the auth service behaves. What is left out has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A new address has to be confirmed before it signs in. Hosted: true.
    pub confirm_email: bool,
    /// A new number has to be confirmed before it signs in. Hosted: true.
    pub confirm_phone: bool,
    /// People may sign up without saying who they are. Hosted: false.
    pub anonymous: bool,
    /// A change of address is confirmed at the old one too.
    pub secure_email_change: bool,
    /// In a session older than a day a new password needs a code from `/reauthenticate`. Hosted: false.
    pub secure_password_change: bool,
    /// How long somebody waits between two messages of a kind. Hosted: 60.
    pub seconds_between_messages: u32,
    /// After so many messages the rate limit is reached; never by default.
    pub messages_left: Option<u32>,
    /// How access tokens are signed. Both kinds are believed, whatever this says.
    pub signing: Signing,
    /// Where a link leads that does not say where to.
    pub site_url: String,
    /// Passkeys are added, and people sign in with them. Hosted: false.
    pub passkeys: bool,
    /// A second factor may be a WebAuthn authenticator. Hosted: false.
    pub webauthn_factors: bool,
    /// The domain that passkeys and WebAuthn factors belong to, and what it is called.
    pub webauthn_rp_id: String,
    pub webauthn_rp_name: String,
    /// The pages that may ask for them. None: every page of that domain. Hosted: named one by one.
    pub webauthn_rp_origins: Vec<String>,
    /// People sign in with a wallet. Hosted: false, each.
    pub web3_ethereum: bool,
    pub web3_solana: bool,
    /// Beside the site, what a wallet may sign in to and where a consent page may stand: addresses
    /// in which `*` is a part between dots and slashes, and `**` anything. Hosted: none.
    pub additional_redirect_urls: Vec<String>,
    /// The service signs people in to other applications. Hosted: false.
    pub oauth_server: bool,
    /// Such an application may register itself. Hosted: false.
    pub oauth_registration: bool,
    /// Where on the site people are asked whether they agree.
    pub oauth_consent_path: String,
    /// Somebody signed in may add and remove identities. Hosted: false.
    pub manual_linking: bool,
    /// By which providers people may sign in; a name as `/authorize?provider=` has it.
    pub external: BTreeMap<String, External>,
    /// The project's own OpenID provider, at `/oidc`: whom it knows, and whom it serves. Not there by
    /// default.
    pub oidc: Option<Oidc>,
}

/// A provider people may sign in by: with an issuer, whose document tells the addresses, or with the
/// addresses. One that begins with `/` is below the project's own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// Who we are there.
    pub client_id: String,
    /// How we prove it.
    #[serde(default)]
    pub client_secret: String,
    /// Whose ID tokens are believed.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where people are sent.
    #[serde(default)]
    pub authorization_url: Option<String>,
    /// Where a code is exchanged.
    #[serde(default)]
    pub token_url: Option<String>,
    /// Where it is asked who somebody is.
    #[serde(default)]
    pub userinfo_url: Option<String>,
    /// What is asked for, unless the app says otherwise.
    #[serde(default = "External::usual_scopes")]
    pub scopes: Vec<String>,
    /// For whom an ID token may be made, beside us: the ids of an app's other clients.
    #[serde(default)]
    pub acceptable_client_ids: Vec<String>,
    /// Whether the exchange is bound to who began it.
    #[serde(default = "External::usual_pkce")]
    pub pkce: bool,
    /// An ID token may be shown without its nonce.
    #[serde(default)]
    pub skip_nonce_check: bool,
    /// Somebody may come without an address.
    #[serde(default)]
    pub email_optional: bool,
}

/// Whom the project's own OpenID provider knows, and whom it serves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Secrets by client id.
    pub clients: BTreeMap<String, String>,
    /// What it says about people, by the name they come with as `login_hint`.
    pub people: BTreeMap<String, Metadata>,
}

/// How access tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signing {
    /// With the secret the project's keys are signed with.
    HS256,
    /// With a key whose public half stands at `/.well-known/jwks.json`.
    ES256,
}

/// The settings of one project, as they are now.
#[derive(Debug, Default)]
pub(super) struct Switch(Mutex<Settings>);

impl Default for Settings {
    fn default() -> Self {
        Self {
            confirm_email: false,
            confirm_phone: false,
            anonymous: true,
            secure_email_change: true,
            secure_password_change: false,
            seconds_between_messages: 0,
            messages_left: None,
            signing: Signing::HS256,
            site_url: "http://127.0.0.1:3000".to_owned(),
            passkeys: true,
            webauthn_factors: true,
            webauthn_rp_id: "localhost".to_owned(),
            webauthn_rp_name: "localhost".to_owned(),
            webauthn_rp_origins: Vec::new(),
            web3_ethereum: true,
            web3_solana: true,
            additional_redirect_urls: vec!["http://localhost:**".to_owned()],
            oauth_server: true,
            oauth_registration: true,
            oauth_consent_path: "/oauth/consent".to_owned(),
            manual_linking: true,
            external: BTreeMap::new(),
            oidc: None,
        }
    }
}

impl External {
    fn usual_scopes() -> Vec<String> {
        ["openid", "email", "profile"].map(str::to_owned).to_vec()
    }

    fn usual_pkce() -> bool {
        true
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc").finish_non_exhaustive()
    }
}

impl Switch {
    pub(super) fn read(&self) -> Settings {
        self.lock().clone()
    }

    pub(super) fn set(&self, settings: Settings) {
        *self.lock() = settings;
    }

    /// Counts a message. False if there is none left to send.
    pub(super) fn take_message(&self) -> bool {
        match &mut self.lock().messages_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Settings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_run_out_if_they_are_counted() {
        let switch = Switch::default();
        assert!(switch.take_message());
        switch.set(Settings { messages_left: Some(1), ..Settings::default() });
        assert!(switch.take_message());
        assert!(!switch.take_message());
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_refused() {
        let read = |text| serde_json::from_str::<Settings>(text);
        let confirmed = Settings { confirm_email: true, ..Settings::default() };
        assert_eq!(read(r#"{"confirm_email": true}"#).unwrap(), confirmed);
        assert!(read(r#"{"confirm_mail": true}"#).is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let text = r#"{"external": {"x": {"client_id": "app", "client_secret": "hush"}},
                       "oidc": {"clients": {"app": "hush"}, "people": {}}}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
