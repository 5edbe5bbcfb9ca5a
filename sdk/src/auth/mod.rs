//! Who we are: signing in and out, the session and its renewal, and administration of users.
//!
//! There is one session in a client, owned by one `Authority`; everything else asks it. A session is
//! renewed before it expires, once for however many requests need it. A network failure or a 5xx never
//! signs anyone out: only the server's own word that the session is gone does.
//!
//! | what is wrong | [`ErrorKind`] | code |
//! |---|---|---|
//! | a password nobody should have | `Invalid` | `weak_password`, its reasons in [`Error::details`] |
//! | an unknown person or a wrong password, which Auth does not tell apart | `Invalid` | `invalid_credentials` |
//! | a code, a link or a flow that is wrong, used up or too old | `Invalid` | `otp_expired`, `flow_state_not_found`, `bad_code_verifier`, … |
//! | a wrong code of a second factor | `Invalid` | `mfa_verification_failed` |
//! | an address or a number that is taken | `Conflict` | `user_already_exists`, `email_exists`, `phone_exists` |
//! | an access token that is none, or of another project, or too old | `Unauthenticated` | `bad_jwt`; none where we saw it ourselves |
//! | a session that is over: signed out elsewhere, its refresh token used up | `Unauthenticated` | `refresh_token_not_found`, `session_not_found`, … |
//! | somebody who may not: banned, or without the second factor | `Forbidden` | `user_banned`, `insufficient_aal` |
//! | too many mails, messages or tries | `Busy` | `over_email_send_rate_limit`, … |

mod admin;
mod authority;
mod claims;
mod consent;
mod credentials;
mod event;
mod keys;
mod loopback;
mod mfa;
mod oauth;
mod passkey;
mod reply;
mod request;
mod session;
mod store;
mod upkeep;
mod user;
mod web3;

use std::io;
use std::time::Duration;

pub use admin::{Admin, AppChange, Apps, Link, NewLink, NewUser, Page, Provider, Providers, RegisteredApp};
pub(crate) use authority::Authority;
pub use claims::{Claims, Level, Method};
pub use consent::{App, Asked, Authorization, Consent, Grant};
pub use credentials::{
    Contact, IdToken, Otp, Pkce, Purpose, Recover, Resend, Scope, SignUp, Sso, Verify, Web3,
};
pub use event::{AuthEvent, SignedOut};
pub(crate) use keys::KeyCache;
pub use keys::KeySet;
pub use loopback::Loopback;
pub use mfa::{Assurance, Challenge, Enrolled, Factor, Mfa, RelyingParty, Totp, WebAuthnChallenge};
pub use oauth::OAuth;
pub use passkey::{Passkey, PasskeyChallenge, Passkeys};
pub use session::{Session, Token};
pub(crate) use store::private;
pub use store::{FileStore, SessionStore, StoreLock};
pub use upkeep::AutoRefresh;
pub use user::{Identity, User, UserChange};
pub use web3::WalletMessage;

use serde_json::json;

use crate::auth::claims::Shown;
use crate::auth::keys::Verdict;

use crate::auth::credentials::Question;
use crate::client::Client;
use crate::error::{Error, ErrorKind};

/// A place to go to.
#[derive(serde::Deserialize)]
struct Place {
    url: String,
}

/// Signing in and out. From [`Client::auth`].
#[derive(Debug, Clone)]
pub struct Auth {
    client: Client,
}

impl Auth {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Signs a person up with an e-mail address and a password. Where the project confirms addresses by
    /// mail there is no session yet, and the answer is `None`. See [`Auth::sign_up_with`] for more.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the address is taken, [`ErrorKind::Invalid`] for a weak password.
    pub async fn sign_up(&self, email: &str, password: &str) -> Result<Option<Session>, Error> {
        self.sign_up_with(&SignUp::new(email, password)).await
    }

    /// Signs a person up, with what they say of themselves and where a mail's link leads.
    ///
    /// # Errors
    /// As [`Auth::sign_up`].
    pub async fn sign_up_with(&self, person: &SignUp) -> Result<Option<Session>, Error> {
        self.client.authority().own()?;
        let answer = self.client.send(request::ask("/signup", &person.0)?).await?.accepted()?;
        self.adopt(reply::maybe_session(&answer, self.now())?, AuthEvent::SignedIn).await
    }

    /// Signs a person in, by an e-mail address or a [`Contact`] and their password; from now on the client's
    /// requests carry their token.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with code `invalid_credentials` for a wrong address or password.
    pub async fn sign_in_with_password(
        &self,
        contact: impl Into<Contact>,
        password: &str,
    ) -> Result<Session, Error> {
        self.enter(request::sign_in_with_password(&contact.into(), password)?, AuthEvent::SignedIn).await
    }

    /// Signs somebody in who does not say who they are. They can become somebody by [`Auth::update_user`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the project has no such people.
    pub async fn sign_in_anonymously(&self) -> Result<Session, Error> {
        self.enter(
            request::ask("/signup", &Question::default().with("data", json!({})))?,
            AuthEvent::SignedIn,
        )
        .await
    }

    /// Sends somebody a code, or a link; what they got goes to [`Auth::verify_otp`].
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] when the last one is too fresh.
    pub async fn sign_in_with_otp(&self, otp: &Otp) -> Result<(), Error> {
        self.tell(request::ask("/otp", &otp.0)?).await
    }

    /// Shows a code or the hash of a link. There is no session after the first half of a change of address.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with code `otp_expired` when it is wrong, used or too old.
    pub async fn verify_otp(&self, verify: &Verify) -> Result<Option<Session>, Error> {
        self.client.authority().own()?;
        let answer = self.client.send(request::ask("/verify", &verify.0)?).await?.accepted()?;
        let recovery = verify.0.body.get("type").is_some_and(|kind| kind == Purpose::Recovery.word());
        let event = if recovery { AuthEvent::PasswordRecovery } else { AuthEvent::SignedIn };
        self.adopt(reply::maybe_session(&answer, self.now())?, event).await
    }

    /// Sends a mail or a message once more.
    ///
    /// # Errors
    /// As [`Auth::sign_in_with_otp`].
    pub async fn resend(&self, resend: &Resend) -> Result<(), Error> {
        self.tell(request::ask("/resend", &resend.0)?).await
    }

    /// Sends a mail by which somebody can choose a new password. It is no error if nobody has the address.
    ///
    /// # Errors
    /// As [`Auth::sign_in_with_otp`].
    pub async fn reset_password(&self, recover: &Recover) -> Result<(), Error> {
        self.tell(request::ask("/recover", &recover.0)?).await
    }

    /// Sends who is signed in a code, which a change of password may ask for.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when nobody is signed in.
    pub async fn reauthenticate(&self) -> Result<(), Error> {
        self.tell(request::reauthenticate()).await
    }

    /// Signs a person in by a token of another provider.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the token is not one for this project.
    pub async fn sign_in_with_id_token(&self, token: &IdToken) -> Result<Session, Error> {
        self.enter(request::id_token(&token.0)?, AuthEvent::SignedIn).await
    }

    /// Where somebody signs in with their company's account: an address to open in a browser.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the company is not known.
    pub async fn sign_in_with_sso(&self, sso: &Sso) -> Result<String, Error> {
        let place: Place = self.client.send(request::ask("/sso", &sso.0)?).await?.accepted()?.json()?;
        Ok(place.url)
    }

    /// Signs a person in by a text their wallet signed.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the text or the signature is not good, or the project takes no wallets.
    pub async fn sign_in_with_web3(&self, wallet: &Web3) -> Result<Session, Error> {
        self.enter(request::web3(&wallet.0)?, AuthEvent::SignedIn).await
    }

    /// Passkeys, to sign in by or to make.
    pub fn passkeys(&self) -> Passkeys {
        Passkeys::new(self.client.clone())
    }

    /// Signs a person in with another provider, in a browser that comes back to a port of this machine: for
    /// desktop and command-line apps. `open` shows the address to the person.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::auth::OAuth;
    /// let open = |url: &str| std::process::Command::new("xdg-open").arg(url).spawn().map(drop);
    /// let session = client.auth().sign_in_with_oauth(&OAuth::with("github"), open).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Loopback::code`] and [`Auth::exchange_code`]; [`ErrorKind::Config`] when `open` fails.
    pub async fn sign_in_with_oauth(
        &self,
        oauth: &OAuth,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<Session, Error> {
        let (back, pkce) = (Loopback::open().await?, Pkce::random());
        let url = self.oauth_url(&oauth.coming_back_to(back.redirect_to()), &pkce);
        self.come_back(&back, &pkce, open(&url)).await
    }

    /// Where somebody signs in with another provider: an address to open in a browser. It comes back with a
    /// code for [`Auth::exchange_code`]. An app without an address of its own has [`Auth::sign_in_with_oauth`].
    pub fn oauth_url(&self, oauth: &OAuth, pkce: &Pkce) -> String {
        format!("{}{}", self.client.url(), oauth.request("/authorize", pkce).uri())
    }

    /// Adds another provider to the ways who is signed in can sign in, in a browser: as
    /// [`Auth::sign_in_with_oauth`].
    ///
    /// # Errors
    /// As there, and [`ErrorKind::Conflict`] with code `identity_already_exists` when it is somebody else's.
    pub async fn link_identity(
        &self,
        oauth: &OAuth,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<Session, Error> {
        let (back, pkce) = (Loopback::open().await?, Pkce::random());
        let url = self.link_identity_url(&oauth.coming_back_to(back.redirect_to()), &pkce).await?;
        self.come_back(&back, &pkce, open(&url)).await
    }

    /// Where who is signed in adds another provider: as [`Auth::oauth_url`].
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the project does not let people do so, [`ErrorKind::Unauthenticated`] when
    /// nobody is signed in.
    pub async fn link_identity_url(&self, oauth: &OAuth, pkce: &Pkce) -> Result<String, Error> {
        let request = oauth.request("/user/identities/authorize", pkce).query("skip_http_redirect", "true");
        let place: Place = self.client.send(request).await?.accepted()?.json()?;
        Ok(place.url)
    }

    /// Adds another provider by a token of it.
    ///
    /// # Errors
    /// As [`Auth::sign_in_with_id_token`] and [`Auth::link_identity`].
    pub async fn link_id_token(&self, token: &IdToken) -> Result<Session, Error> {
        self.raise(request::link_id_token(&token.0)?, AuthEvent::UserUpdated).await
    }

    async fn come_back(
        &self,
        back: &Loopback,
        pkce: &Pkce,
        opened: io::Result<()>,
    ) -> Result<Session, Error> {
        opened.map_err(|source| {
            Error::new(ErrorKind::Config, "the browser could not be opened").with_source(source)
        })?;
        self.exchange_code(&back.code().await?, pkce).await
    }

    /// Exchanges the code that came back from a browser.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the code is used, too old, or another secret's.
    pub async fn exchange_code(&self, code: &str, pkce: &Pkce) -> Result<Session, Error> {
        self.enter(request::exchange_code(code, pkce.verifier())?, AuthEvent::SignedIn).await
    }

    /// Second factors.
    pub fn mfa(&self) -> Mfa {
        Mfa::new(self.client.clone())
    }

    /// Takes away one way to sign in, of several.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it is the only one.
    pub async fn unlink_identity(&self, identity: &Identity) -> Result<(), Error> {
        self.tell(request::unlink_identity(&identity.identity_id)).await
    }

    async fn tell(&self, request: crate::Request) -> Result<(), Error> {
        self.client.send(request).await?.accepted().map(drop)
    }

    /// Asks for a session and takes it.
    async fn enter(
        &self,
        request: crate::Request,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<Session, Error> {
        self.client.authority().own()?;
        let answer = self.client.send(request).await?.accepted()?;
        let session = reply::session(&answer, self.now())?;
        self.client.authority().adopt(&session, event).await?;
        Ok(session)
    }

    /// Asks for a session that goes on from the one of who is signed in, and takes it.
    async fn raise(
        &self,
        request: crate::Request,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<Session, Error> {
        self.client.authority().own()?;
        self.somebody().await?;
        let answer = self.client.send(request).await?.accepted()?;
        self.client.authority().raise(reply::session(&answer, self.now())?, event).await
    }

    /// Refuses when nobody is signed in.
    async fn somebody(&self) -> Result<(), Error> {
        let nobody = || Error::new(ErrorKind::Unauthenticated, "nobody is signed in");
        self.client.authority().bearer(&self.client).await?.map(drop).ok_or_else(nobody)
    }

    async fn adopt(
        &self,
        session: Option<Session>,
        event: impl FnOnce(Session) -> AuthEvent,
    ) -> Result<Option<Session>, Error> {
        if let Some(session) = &session {
            self.client.authority().adopt(session, event).await?;
        }
        Ok(session)
    }

    fn now(&self) -> Duration {
        self.client.authority().now()
    }

    /// The session, renewed if it is about to expire; `None` when nobody is signed in.
    ///
    /// # Errors
    /// When the session had to be renewed and could not be.
    pub async fn session(&self) -> Result<Option<Session>, Error> {
        self.client.authority().session(&self.client).await
    }

    /// Goes on with a session that was kept elsewhere.
    ///
    /// # Errors
    /// When it cannot be kept in the client's store, or tokens come from elsewhere.
    pub async fn set_session(&self, session: Session) -> Result<(), Error> {
        self.client.authority().own()?;
        self.client.authority().adopt(&session, AuthEvent::SignedIn).await
    }

    /// Goes on with tokens that were kept elsewhere, or that came in the address of a link. An access token that
    /// has ended is renewed, any other is shown to the server, which says whose it is.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when they are not good.
    pub async fn set_tokens(&self, access: Token, refresh: Token) -> Result<Session, Error> {
        self.client.authority().own()?;
        let claims = Shown::read(&access)?.claims;
        if claims.expires_within(Duration::ZERO, self.now()) {
            return self.enter(request::refresh(&refresh)?, AuthEvent::SignedIn).await;
        }
        let user = self.user_of(&access).await?;
        let session = Session::new(access, refresh, claims.exp, user);
        self.set_session(session.clone()).await?;
        Ok(session)
    }

    /// Renews the session in the background, until the answer is dropped, so that a token that is read out of
    /// it is good too. Requests need nothing of the kind: they renew it themselves.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn auto_refresh(&self) -> AutoRefresh {
        AutoRefresh::start(self.client.clone())
    }

    /// What the session's access token says, checked; `None` when nobody is signed in.
    ///
    /// # Errors
    /// As [`Auth::claims_of`], and when the session had to be renewed and could not be.
    pub async fn claims(&self) -> Result<Option<Claims>, Error> {
        match self.client.authority().bearer(&self.client).await? {
            Some(token) => self.claims_of(&Token::new(token)).await.map(Some),
            None => Ok(None),
        }
    }

    /// What an access token says, checked: here, by the project's public keys, which are kept for ten minutes;
    /// one that is signed with the project's secret by asking the server.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when it is no token of this project or has ended. That its session is over
    /// before the token is, only the server knows: [`Auth::user_of`] asks it in any case.
    pub async fn claims_of(&self, token: &Token) -> Result<Claims, Error> {
        let shown = Shown::read(token)?;
        if shown.claims.expires_within(Duration::ZERO, self.now()) {
            return Err(keys::ended());
        }
        let secret = shown.alg.starts_with("HS") || shown.kid.is_none();
        let verdict =
            if secret { Verdict::Unknown } else { self.client.keys().judge(&self.client, &shown).await? };
        match verdict {
            Verdict::Good => {}
            Verdict::Forged => return Err(keys::forged()),
            Verdict::Unknown => self.user_of(token).await.map(drop)?,
        }
        Ok(shown.claims)
    }

    /// What happens to the session from now on: signing in and out, here or in a process that shares the
    /// store, and renewals. A listener may call the client, and whatever it does holds up nobody. One that
    /// falls far behind is told so, and reads [`Auth::session`].
    ///
    /// ```
    /// # async fn run(client: supabase_sdk::Client) {
    /// use supabase_sdk::auth::AuthEvent;
    /// let mut events = client.auth().events();
    /// while let Ok(event) = events.recv().await {
    ///     if let AuthEvent::SignedOut(why) = event { println!("signed out: {why:?}") }
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> tokio::sync::broadcast::Receiver<AuthEvent> {
        self.client.authority().events()
    }

    /// Renews the session now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is signed in or the session is over.
    pub async fn refresh(&self) -> Result<Session, Error> {
        self.client.authority().refresh(&self.client).await
    }

    /// Asks the server who is signed in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when nobody is.
    pub async fn user(&self) -> Result<User, Error> {
        self.somebody().await?;
        self.client.send(request::user()).await?.accepted()?.json()
    }

    /// Asks the server whose token this is.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] when it is not good.
    pub async fn user_of(&self, token: &Token) -> Result<User, Error> {
        self.client.send(request::user_of(token)?).await?.accepted()?.json()
    }

    /// The ways who is signed in can sign in.
    ///
    /// # Errors
    /// As [`Auth::user`].
    pub async fn identities(&self) -> Result<Vec<Identity>, Error> {
        Ok(self.user().await?.identities)
    }

    /// Changes what Auth knows of who is signed in. A new address has to be confirmed first, by mail.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a weak password, [`ErrorKind::Conflict`] for an address that is taken.
    pub async fn update_user(&self, change: &UserChange) -> Result<User, Error> {
        self.update_user_at(change, None).await
    }

    /// As [`Auth::update_user`], and the mail for a new address leads to this one of the app's.
    ///
    /// # Errors
    /// As [`Auth::update_user`].
    pub async fn update_user_at(
        &self,
        change: &UserChange,
        redirect_to: Option<&str>,
    ) -> Result<User, Error> {
        let request = request::update_user(change, redirect_to)?;
        let user: User = self.client.send(request).await?.accepted()?.json()?;
        self.client.authority().note_user(user.clone()).await?;
        Ok(user)
    }

    /// Ends every session of the person, here at once and on the server. What the server no longer knows
    /// counts as ended.
    ///
    /// # Errors
    /// When the server could not be told; here the session is over all the same.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.sign_out_of(Scope::Global).await
    }

    /// Ends sessions of the person: all, this one, or all but this one, which then goes on here.
    ///
    /// # Errors
    /// As [`Auth::sign_out`].
    pub async fn sign_out_of(&self, scope: Scope) -> Result<(), Error> {
        if scope == Scope::Others {
            let Some(session) = self.session().await? else { return Ok(()) };
            return self.tell(request::sign_out(&session, scope)?).await;
        }
        let (session, kept) = self.client.authority().forget().await;
        let Some(session) = session else { return kept };
        let mut answer = self.client.send(request::sign_out(&session, scope)?).await?;
        if answer.refusal(None).code() == Some("bad_jwt") {
            // Its token has ended, and the session has not: a last renewal shows whose it is.
            let renewed = self.client.send(request::refresh(&session.refresh_token)?).await?.accepted();
            match renewed.and_then(|answer| reply::session(&answer, self.now())) {
                Ok(renewed) => answer = self.client.send(request::sign_out(&renewed, scope)?).await?,
                Err(error) if error.is_retryable() => return Err(error),
                Err(_) => return kept,
            }
        }
        match answer.status.as_u16() {
            401 | 403 | 404 => kept,
            _ => answer.accepted().and(kept),
        }
    }

    /// What other apps may do for who is signed in, where the project is who they sign in with.
    pub fn consent(&self) -> Consent {
        Consent::new(self.client.clone())
    }

    /// Administration of users. Needs the project's secret key, so it has no place in an app.
    pub fn admin(&self) -> Admin {
        Admin::new(self.client.clone())
    }
}
