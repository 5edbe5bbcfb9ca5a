//! What a person shows to be let in, and what is asked on their behalf: values, each with what may go along.
//!
//! Source: GoTrue `internal/api/{signup,otp,verify,resend,recover,token}.go`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How a person is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum Contact {
    /// By an e-mail address.
    Email(String),
    /// By a phone number, `+212600000000`.
    Phone(String),
}

impl Contact {
    fn name(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Phone(text) => text,
        }
    }
}

/// A plain text is an e-mail address.
impl From<&str> for Contact {
    fn from(email: &str) -> Self {
        Self::Email(email.to_owned())
    }
}

/// A plain text is an e-mail address.
impl From<&String> for Contact {
    fn from(email: &String) -> Self {
        Self::Email(email.clone())
    }
}

/// A plain text is an e-mail address.
impl From<String> for Contact {
    fn from(email: String) -> Self {
        Self::Email(email)
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Contact({}, hidden)", self.name())
    }
}

/// A question to Auth: its body, and where a link in a mail leads.
#[derive(Clone, Default)]
pub(super) struct Question {
    pub(super) body: Map<String, Value>,
    pub(super) redirect_to: Option<String>,
}

impl Question {
    pub(super) fn of(contact: &Contact) -> Self {
        Self::default().with(contact.name(), contact.text())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }
}

macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident)+) => { $(
        $(#[$doc])*
        #[derive(Clone)]
        #[must_use = "this is only the question"]
        pub struct $name(pub(super) Question);

        impl $name {
            /// Proves that a person asks: the token of a captcha, where the project wants one.
            pub fn captcha(mut self, token: impl Into<String>) -> Self {
                self.0 = self.0.with("gotrue_meta_security", json!({ "captcha_token": token.into() }));
                self
            }

            /// Where the link of a mail leads, one of the addresses the project allows.
            pub fn redirect_to(mut self, url: impl Into<String>) -> Self {
                self.0.redirect_to = Some(url.into());
                self
            }

            /// Answers with a code instead of tokens in the link: see [`Pkce`].
            pub fn pkce(mut self, pkce: &Pkce) -> Self {
                self.0 = self.0.with("code_challenge", pkce.challenge()).with("code_challenge_method", "s256");
                self
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    )+ };
}

questions! {
    /// A person who signs up.
    SignUp
    /// A code or a link that is sent to somebody.
    Otp
    /// A code or a link that somebody got, shown.
    Verify
    /// A mail or a message that is sent once more.
    Resend
    /// A password that was forgotten.
    Recover
    /// A token of another provider: Google, Apple and the like.
    IdToken
    /// A person who signs in with their company's account.
    Sso
    /// A text that a wallet signed: see [`crate::auth::WalletMessage`].
    Web3
}

impl SignUp {
    /// With an address or a number, and a password.
    pub fn new(contact: impl Into<Contact>, password: &str) -> Self {
        Self(Question::of(&contact.into()).with("password", password))
    }

    /// What they say of themselves.
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.0 = self.0.with("data", data);
        self
    }

    /// By which way a number gets its code: `sms` or `whatsapp`.
    pub fn channel(mut self, channel: &str) -> Self {
        self.0 = self.0.with("channel", channel);
        self
    }
}

impl Otp {
    /// To an address, a link and a code; to a number, a code. Somebody unknown is signed up.
    pub fn to(contact: impl Into<Contact>) -> Self {
        Self(Question::of(&contact.into()).with("create_user", true))
    }

    /// Somebody unknown is refused.
    pub fn known_only(mut self) -> Self {
        self.0 = self.0.with("create_user", false);
        self
    }

    /// What somebody who is signed up by it says of themselves.
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.0 = self.0.with("data", data);
        self
    }

    /// By which way a number gets its code: `sms` or `whatsapp`.
    pub fn channel(mut self, channel: &str) -> Self {
        self.0 = self.0.with("channel", channel);
        self
    }
}

/// What a code or a link was sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Signing in by a code from a mail.
    Email,
    /// Signing in by a code from a message.
    Sms,
    /// Confirming an address after signing up.
    SignUp,
    /// Signing in by a link.
    MagicLink,
    /// A new password.
    Recovery,
    /// An invitation.
    Invite,
    /// A new address.
    EmailChange,
    /// A new number.
    PhoneChange,
}

impl Purpose {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::SignUp => "signup",
            Self::MagicLink => "magiclink",
            Self::Recovery => "recovery",
            Self::Invite => "invite",
            Self::EmailChange => "email_change",
            Self::PhoneChange => "phone_change",
        }
    }
}

impl Verify {
    /// The code that an address or a number got.
    pub fn code(contact: impl Into<Contact>, code: &str, purpose: Purpose) -> Self {
        Self(Question::of(&contact.into()).with("token", code).with("type", purpose.word()))
    }

    /// The `token_hash` of a link.
    pub fn link(token_hash: &str, purpose: Purpose) -> Self {
        Self(Question::default().with("token_hash", token_hash).with("type", purpose.word()))
    }
}

impl Resend {
    /// To the same address or number, for the same purpose.
    pub fn to(contact: impl Into<Contact>, purpose: Purpose) -> Self {
        Self(Question::of(&contact.into()).with("type", purpose.word()))
    }
}

impl Recover {
    /// By a mail to this address.
    pub fn by(email: &str) -> Self {
        Self(Question::of(&email.into()))
    }
}

impl IdToken {
    /// A token that `google`, `apple` or another gave.
    pub fn of(provider: &str, token: &str) -> Self {
        Self(Question::default().with("provider", provider).with("id_token", token))
    }

    /// The provider's access token, where its ID token holds `at_hash`.
    pub fn access_token(mut self, token: &str) -> Self {
        self.0 = self.0.with("access_token", token);
        self
    }

    /// The number the token was asked for with.
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.0 = self.0.with("nonce", nonce);
        self
    }
}

impl Sso {
    /// By the company's domain.
    pub fn domain(domain: &str) -> Self {
        Self(Question::default().with("domain", domain).with("skip_http_redirect", true))
    }

    /// By the provider's id.
    pub fn provider(id: Uuid) -> Self {
        Self(Question::default().with("provider_id", id.to_string()).with("skip_http_redirect", true))
    }
}

impl Web3 {
    /// By an Ethereum wallet: the text, and the signature as `personal_sign` gives it, `0x…`.
    pub fn ethereum(message: &str, signature: &str) -> Self {
        Self(
            Question::default()
                .with("chain", "ethereum")
                .with("message", message)
                .with("signature", signature),
        )
    }

    /// By a Solana wallet: the text, and the 64 bytes of the signature.
    pub fn solana(message: &str, signature: &[u8]) -> Self {
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Self(
            Question::default().with("chain", "solana").with("message", message).with("signature", signature),
        )
    }
}

/// A secret that only this app knows, for a sign-in that leads through a browser: whoever sees the code in the
/// address can do nothing with it. Source: RFC 7636.
///
/// ```
/// # fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// use supabase_sdk::auth::{OAuth, Pkce};
/// let pkce = Pkce::random();
/// let github = OAuth::with("github").scopes(["read:user"]).redirect_to("garage-app://signed-in");
/// let url = client.auth().oauth_url(&github, &pkce);
/// // Open the address in a browser; it comes back with `?code=…`, which goes to `exchange_code`. Several
/// // sign-ins at once do not disturb each other: each has a secret of its own.
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pkce {
    verifier: String,
}

impl Pkce {
    /// A new one.
    pub fn random() -> Self {
        Self { verifier: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()) }
    }

    /// One that was kept, as while the app was closed.
    pub fn from_verifier(verifier: impl Into<String>) -> Self {
        Self { verifier: verifier.into() }
    }

    /// The secret, to be kept until the code comes.
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What may be known of it.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

impl fmt::Debug for Pkce {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pkce(hidden)")
    }
}

/// How far signing out reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every session of the person.
    #[default]
    Global,
    /// This session.
    Local,
    /// Every session but this one.
    Others,
}

impl Scope {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Local => "local",
            Self::Others => "others",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_hash_of_its_verifier() {
        // RFC 7636, appendix B.
        let pkce = Pkce::from_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let (one, other) = (Pkce::random(), Pkce::random());
        assert!(one.verifier().len() == 64 && one.verifier() != other.verifier());
    }

    #[test]
    fn nothing_personal_is_shown() {
        let asked = SignUp::new("s3cret@x", "s3cret").captcha("s3cret").data(json!({ "a": "s3cret" }));
        assert!(
            !format!("{asked:?} {:?} {:?}", Contact::from("s3cret"), Pkce::from_verifier("s3cret"))
                .contains("s3cret")
        );
    }
}
