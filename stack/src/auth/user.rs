//! People, and the ways they can prove who they are.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::moment::Moment;

/// The role and the audience of everybody, unless an admin says otherwise.
pub(super) const AUTHENTICATED: &str = "authenticated";

/// What is known about somebody beside what the service needs: any JSON.
pub(super) type Metadata = Map<String, Value>;

/// Somebody with an account.
#[derive(Debug, Clone, FromRow)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) aud: String,
    pub(super) role: String,
    pub(super) email: Option<String>,
    pub(super) encrypted_password: Option<String>,
    pub(super) email_confirmed_at: Option<DateTime<Utc>>,
    pub(super) invited_at: Option<DateTime<Utc>>,
    pub(super) phone: Option<String>,
    pub(super) phone_confirmed_at: Option<DateTime<Utc>>,
    pub(super) confirmation_sent_at: Option<DateTime<Utc>>,
    pub(super) recovery_sent_at: Option<DateTime<Utc>>,
    pub(super) last_sign_in_at: Option<DateTime<Utc>>,
    #[sqlx(json)]
    pub(super) app_metadata: Metadata,
    #[sqlx(json)]
    pub(super) user_metadata: Metadata,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) banned_until: Option<DateTime<Utc>>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
    pub(super) is_anonymous: bool,
}

/// One way somebody can prove who they are.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Identity {
    pub(super) id: Uuid,
    pub(super) provider_id: String,
    pub(super) user_id: Uuid,
    #[sqlx(json)]
    pub(super) identity_data: Metadata,
    pub(super) provider: String,
    pub(super) last_sign_in_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) email: Option<String>,
}

impl User {
    /// Somebody new, not yet confirmed.
    pub(super) fn new(moment: &mut Moment, email: String, encrypted_password: String) -> Self {
        Self {
            id: moment.uuid(),
            aud: AUTHENTICATED.to_owned(),
            role: AUTHENTICATED.to_owned(),
            email: Some(email),
            encrypted_password: Some(encrypted_password),
            email_confirmed_at: None,
            invited_at: None,
            phone: None,
            phone_confirmed_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            last_sign_in_at: None,
            app_metadata: object(json!({"provider": "email", "providers": ["email"]})),
            user_metadata: Metadata::new(),
            created_at: moment.now,
            updated_at: moment.now,
            banned_until: None,
            deleted_at: None,
            is_anonymous: false,
        }
    }

    /// Takes it as proved that the address is theirs.
    pub(super) fn confirm(&mut self, now: DateTime<Utc>) {
        self.email_confirmed_at.get_or_insert(now);
        self.user_metadata.insert("email_verified".to_owned(), Value::Bool(true));
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    pub(super) fn is_banned(&self, now: DateTime<Utc>) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// Bans somebody for a while; no time at all lifts the ban.
    pub(super) fn ban(&mut self, now: DateTime<Utc>, duration: TimeDelta) {
        self.banned_until = (duration > TimeDelta::zero()).then(|| now + duration);
    }

    /// What a sign-up writes about its person, into the account and into the identity.
    pub(super) fn claims(&self) -> Metadata {
        object(json!({
            "sub": self.id, "email": self.email, "email_verified": false, "phone_verified": false,
        }))
    }
}

impl Identity {
    /// The identity of somebody who signs in with their address and a password.
    pub(super) fn email(moment: &mut Moment, user: &User, identity_data: Metadata) -> Self {
        Self {
            id: moment.uuid(),
            provider_id: user.id.to_string(),
            user_id: user.id,
            identity_data,
            provider: "email".to_owned(),
            last_sign_in_at: Some(moment.now),
            created_at: moment.now,
            updated_at: moment.now,
            email: user.email.clone(),
        }
    }
}

/// Writes `changes` over `metadata`; null takes a key away.
pub(super) fn merge(metadata: &mut Metadata, changes: Metadata) {
    for (key, value) in changes {
        if value.is_null() {
            metadata.remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
}

fn object(value: Value) -> Metadata {
    match value {
        Value::Object(fields) => fields,
        _ => Metadata::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_takes_a_key_away_and_the_rest_stays() {
        let mut metadata = object(json!({"a": 1, "b": 2}));
        merge(&mut metadata, object(json!({"b": null, "c": 3})));
        assert_eq!(Value::Object(metadata), json!({"a": 1, "c": 3}));
    }

    #[test]
    fn a_ban_ends_by_itself_or_when_it_is_lifted() {
        let now = DateTime::UNIX_EPOCH;
        let mut user = User::new(&mut Moment::at(now, 1), "ana@example.com".to_owned(), String::new());
        user.ban(now, TimeDelta::hours(1));
        assert!(user.is_banned(now));
        assert!(!user.is_banned(now + TimeDelta::hours(1)));
        user.ban(now, TimeDelta::zero());
        assert!(!user.is_banned(now));
    }
}
