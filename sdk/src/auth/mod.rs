//! Who we are: signing in and out, the session and its renewal, and administration of users.
//!
//! There is one session in a client, owned by one `Authority`; everything else asks it. A session is
//! renewed before it expires, once for however many requests need it. A network failure or a 5xx never
//! signs anyone out: only the server's own word that the session is gone does.

mod admin;
mod authority;
mod credentials;
mod event;
mod mfa;
mod reply;
mod request;
mod session;
mod store;
mod user;

pub use admin::{Admin, Link, NewUser};
pub(crate) use authority::Authority;
pub use credentials::{Contact, IdToken, Otp, Pkce, Purpose, Recover, Resend, Scope, SignUp, Sso, Verify};
pub use event::{AuthEvent, SignedOut};
pub use mfa::{Challenge, Enrolled, Factor, Mfa, Totp};
pub use session::{Session, Token};
pub use store::{FileStore, SessionStore, StoreLock};
pub use user::{Identity, User, UserChange};

use serde_json::json;

use crate::auth::credentials::Question;
use crate::client::Client;
use crate::error::{Error, ErrorKind};

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
        let answer = self.client.send(request::ask("/signup", &person.0)?).await?.accepted()?;
        self.adopt(reply::maybe_session(&answer, authority::now())?).await
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
        self.enter(request::sign_in_with_password(&contact.into(), password)?).await
    }

    /// Signs somebody in who does not say who they are. They can become somebody by [`Auth::update_user`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the project has no such people.
    pub async fn sign_in_anonymously(&self) -> Result<Session, Error> {
        self.enter(request::ask("/signup", &Question::default().with("data", json!({})))?).await
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
    /// [`ErrorKind::Forbidden`] with code `otp_expired` when it is wrong, used or too old.
    pub async fn verify_otp(&self, verify: &Verify) -> Result<Option<Session>, Error> {
        let answer = self.client.send(request::ask("/verify", &verify.0)?).await?.accepted()?;
        self.adopt(reply::maybe_session(&answer, authority::now())?).await
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
        self.enter(request::id_token(&token.0)?).await
    }

    /// Where somebody signs in with their company's account: an address to open in a browser.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the company is not known.
    pub async fn sign_in_with_sso(&self, sso: &Sso) -> Result<String, Error> {
        #[derive(serde::Deserialize)]
        struct Place {
            url: String,
        }
        let place: Place = self.client.send(request::ask("/sso", &sso.0)?).await?.accepted()?.json()?;
        Ok(place.url)
    }

    /// Where somebody signs in with another provider: an address to open in a browser. It comes back to
    /// `redirect_to` with a code for [`Auth::exchange_code`].
    pub fn oauth_url(
        &self,
        provider: &str,
        pkce: &Pkce,
        redirect_to: Option<&str>,
        scopes: &[&str],
    ) -> String {
        let mut request = crate::Request::get("/auth/v1/authorize").query("provider", provider);
        if let Some(url) = redirect_to {
            request = request.query("redirect_to", url);
        }
        if !scopes.is_empty() {
            request = request.query("scopes", scopes.join(" "));
        }
        request = request.query("code_challenge", pkce.challenge()).query("code_challenge_method", "s256");
        format!("{}{}", self.client.url(), request.uri())
    }

    /// Exchanges the code that came back from a browser.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] or `NotFound` when the code is used, too old, or another secret's.
    pub async fn exchange_code(&self, code: &str, pkce: &Pkce) -> Result<Session, Error> {
        self.enter(request::exchange_code(code, pkce.verifier())?).await
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

    async fn enter(&self, request: crate::Request) -> Result<Session, Error> {
        let answer = self.client.send(request).await?.accepted()?;
        let session = reply::session(&answer, authority::now())?;
        self.client.authority().adopt(&session).await?;
        Ok(session)
    }

    async fn adopt(&self, session: Option<Session>) -> Result<Option<Session>, Error> {
        if let Some(session) = &session {
            self.client.authority().adopt(session).await?;
        }
        Ok(session)
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
    /// When it cannot be kept in the client's store.
    pub async fn set_session(&self, session: Session) -> Result<(), Error> {
        self.client.authority().adopt(&session).await
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
        if self.client.authority().bearer(&self.client).await?.is_none() {
            return Err(Error::new(ErrorKind::Unauthenticated, "nobody is signed in"));
        }
        self.client.send(request::user()).await?.accepted()?.json()
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
        let answer = self.client.send(request::sign_out(&session, scope)?).await?;
        match answer.status.as_u16() {
            401 | 403 | 404 => kept,
            _ => answer.accepted().and(kept),
        }
    }

    /// Administration of users. Needs the project's secret key, so it has no place in an app.
    pub fn admin(&self) -> Admin {
        Admin::new(self.client.clone())
    }
}
