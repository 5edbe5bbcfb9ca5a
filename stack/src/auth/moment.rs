//! The moment a request is handled in: the time, and values nobody can guess.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SubsecRound, Utc};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use uuid::{Builder, Uuid};

const TOKEN_LENGTH: usize = 12;
const TOKEN_LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The time and the randomness of one request.
pub(super) struct Moment {
    /// When it is, as exactly as the database can keep it.
    pub(super) now: DateTime<Utc>,
    random: StdRng,
}

impl Moment {
    /// A moment that is the same every time.
    #[cfg(test)]
    pub(super) fn at(now: DateTime<Utc>, seed: u64) -> Self {
        Self { now, random: StdRng::seed_from_u64(seed) }
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Builder::from_random_bytes(self.random.random()).into_uuid()
    }

    /// A refresh token.
    pub(super) fn token(&mut self) -> String {
        self.letters(TOKEN_LENGTH)
    }

    /// So many letters and digits.
    pub(super) fn letters(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(TOKEN_LETTERS[self.random.random_range(0..36)])).collect()
    }

    /// What an authenticator signs, or an application shows.
    pub(super) fn challenge(&mut self) -> [u8; 32] {
        let mut challenge = [0; 32];
        self.random.fill_bytes(&mut challenge);
        challenge
    }

    /// A one-time code: six digits.
    pub(super) fn code(&mut self) -> String {
        format!("{:06}", self.random.random_range(0..1_000_000))
    }

    /// What codes of a second factor are made from.
    pub(super) fn secret(&mut self) -> [u8; 20] {
        let mut secret = [0; 20];
        self.random.fill_bytes(&mut secret);
        secret
    }

    /// What only who drew it can show: long enough for RFC 7636.
    pub(super) fn verifier(&mut self) -> String {
        let mut secret = [0; 32];
        self.random.fill_bytes(&mut secret);
        URL_SAFE_NO_PAD.encode(secret)
    }

    /// What a password is hashed with.
    pub(super) fn salt(&mut self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.random.fill_bytes(&mut salt);
        salt
    }
}

/// The edge: a request that asks for a moment gets the present one.
impl<S: Sync> FromRequestParts<S> for Moment {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let now = Utc::now().trunc_subsecs(6);
        Ok(Self { now, random: StdRng::from_rng(&mut rand::rng()) })
    }
}
