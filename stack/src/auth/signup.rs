//! `POST /signup`: a new account, and its first session.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};

use super::{
    Service,
    moment::Moment,
    password,
    reply::AuthError,
    request::{self, SignUp},
    store::Tx,
    token,
    user::{Identity, Metadata, User, merge},
};

pub(super) async fn sign_up(
    State(service): State<Arc<Service>>,
    mut moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, AuthError> {
    let asked = Account::of(request::read(&body)?)?;
    let hash = password::hash(asked.password.clone(), moment.salt()).await?;
    let mut tx = service.store.begin().await?;
    let user = match tx.user_with_email(&asked.email).await? {
        Some(user) if user.is_confirmed() => return Err(taken()),
        // Whoever asks now may not be who asked first: nothing they say is written down.
        Some(user) => confirm(&mut tx, user, &moment).await?,
        None => create(&mut tx, asked, hash, &mut moment).await?,
    };
    token::sign_in(&service, tx, user, token::PASSWORD, &headers, &mut moment).await
}

/// A sign-up that makes sense.
struct Account {
    email: String,
    password: String,
    data: Metadata,
}

impl Account {
    fn of(asked: SignUp) -> Result<Self, AuthError> {
        let wrong = |message: &'static str| AuthError::bad_request("validation_failed", message);
        let SignUp { email, phone, password, data } = asked;
        let email = match (email, phone) {
            (None, None) => {
                let message = "Anonymous sign-ins are disabled";
                return Err(AuthError::unprocessable("anonymous_provider_disabled", message));
            }
            (Some(_), Some(_)) => {
                let message = "Only an email address or phone number should be provided on signup.";
                return Err(wrong(message));
            }
            (None, Some(_)) => {
                let message = "Phone signups are disabled";
                return Err(AuthError::unprocessable("phone_provider_disabled", message));
            }
            (Some(email), None) => email,
        };
        let password = password.ok_or_else(|| wrong("Signup requires a valid password"))?;
        password::check(&password)?;
        Ok(Self { email: request::email(&email)?, password, data: data.unwrap_or_default() })
    }
}

async fn create(tx: &mut Tx, asked: Account, hash: String, moment: &mut Moment) -> Result<User, AuthError> {
    let mut user = User::new(moment, asked.email, hash);
    let mut said = asked.data;
    merge(&mut said, user.claims());
    user.user_metadata = said.clone();
    user.confirm(moment.now);
    let added = tx.add_user(&user).await;
    if !added.map_err(AuthError::database("Database error saving new user"))? {
        return Err(taken());
    }
    tx.put_identity(&Identity::email(moment, &user, said)).await?;
    // A trigger may have changed what was written.
    tx.user(user.id).await?.ok_or_else(|| AuthError::unexpected("Database error loading user after sign-up"))
}

async fn confirm(tx: &mut Tx, mut user: User, moment: &Moment) -> Result<User, AuthError> {
    user.confirm(moment.now);
    tx.save_user(&user, moment).await?;
    Ok(user)
}

fn taken() -> AuthError {
    AuthError::unprocessable("user_already_exists", "User already registered")
}
