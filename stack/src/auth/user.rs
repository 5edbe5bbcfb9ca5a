//! People, and the ways they can prove who they are.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{code::Purpose, contact::Contact, factor::Factor, moment::Moment};

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
    /// The address that is to become theirs.
    pub(super) email_change: Option<String>,
    pub(super) email_change_sent_at: Option<DateTime<Utc>>,
    /// How many of the two addresses have agreed to the change.
    pub(super) email_change_confirm_status: i16,
    /// The number that is to become theirs.
    pub(super) phone_change: Option<String>,
    pub(super) phone_change_sent_at: Option<DateTime<Utc>>,
    pub(super) reauthentication_sent_at: Option<DateTime<Utc>>,
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

/// Somebody with all that is shown of them.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) user: User,
    pub(super) identities: Vec<Identity>,
    pub(super) factors: Vec<Factor>,
}

impl User {
    /// Somebody new, not yet confirmed; without a contact, anonymous.
    pub(super) fn new(moment: &mut Moment, contact: Option<&Contact>, password: Option<String>) -> Self {
        let (mut email, mut phone, mut app_metadata) = (None, None, Metadata::new());
        match contact {
            Some(Contact::Email(text)) => email = Some(text.clone()),
            Some(Contact::Phone(text)) => phone = Some(text.clone()),
            None => {}
        }
        if let Some(contact) = contact {
            let provider = contact.provider();
            app_metadata = object(json!({"provider": provider, "providers": [provider]}));
        }
        Self {
            id: moment.uuid(),
            aud: AUTHENTICATED.to_owned(),
            role: AUTHENTICATED.to_owned(),
            email,
            encrypted_password: Some(password.unwrap_or_default()),
            email_confirmed_at: None,
            invited_at: None,
            phone,
            phone_confirmed_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            email_change: None,
            email_change_sent_at: None,
            email_change_confirm_status: 0,
            phone_change: None,
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata,
            user_metadata: Metadata::new(),
            created_at: moment.now,
            updated_at: moment.now,
            banned_until: None,
            deleted_at: None,
            is_anonymous: contact.is_none(),
        }
    }

    /// Somebody new whom a provider knows.
    pub(super) fn external(
        moment: &mut Moment,
        provider: &str,
        email: Option<String>,
        said: Metadata,
    ) -> Self {
        let mut user = Self::new(moment, None, None);
        user.encrypted_password = None;
        user.email = email;
        user.app_metadata = object(json!({"provider": provider, "providers": [provider]}));
        user.user_metadata = said;
        user.is_anonymous = false;
        user
    }

    /// Takes it as proved that the address is theirs.
    pub(super) fn confirm_email(&mut self, now: DateTime<Utc>) {
        self.email_confirmed_at.get_or_insert(now);
        self.user_metadata.insert("email_verified".to_owned(), Value::Bool(true));
    }

    /// Takes it as proved that the number is theirs.
    pub(super) fn confirm_phone(&mut self, now: DateTime<Utc>) {
        self.phone_confirmed_at.get_or_insert(now);
        self.user_metadata.insert("phone_verified".to_owned(), Value::Bool(true));
    }

    pub(super) fn confirm(&mut self, contact: &Contact, now: DateTime<Utc>) {
        match contact {
            Contact::Email(_) => self.confirm_email(now),
            Contact::Phone(_) => self.confirm_phone(now),
        }
    }

    pub(super) fn is_confirmed(&self, contact: &Contact) -> bool {
        match contact {
            Contact::Email(_) => self.email_confirmed_at.is_some(),
            Contact::Phone(_) => self.phone_confirmed_at.is_some(),
        }
    }

    /// Where a message reaches them: the address, if there is one.
    pub(super) fn contact(&self) -> Option<Contact> {
        let email = self.email.clone().map(Contact::Email);
        email.or_else(|| self.phone.clone().map(Contact::Phone))
    }

    /// Gives them an address or a number, proved or not.
    pub(super) fn put(&mut self, contact: &Contact) {
        match contact {
            Contact::Email(email) => self.email = Some(email.clone()),
            Contact::Phone(phone) => self.phone = Some(phone.clone()),
        }
    }

    /// Gives them the address they asked for. It counts as proved.
    pub(super) fn take_email(&mut self, email: String, now: DateTime<Utc>) {
        (self.email, self.email_change, self.email_change_confirm_status) = (Some(email), None, 0);
        self.email_confirmed_at = None;
        self.confirm_email(now);
        self.is_anonymous = false;
    }

    /// Gives them the number they asked for. It counts as proved.
    pub(super) fn take_phone(&mut self, phone: String, now: DateTime<Utc>) {
        (self.phone, self.phone_change) = (Some(phone), None);
        self.phone_confirmed_at = None;
        self.confirm_phone(now);
        self.is_anonymous = false;
    }

    /// When they were last sent a code for this.
    pub(super) fn sent_at(&self, purpose: Purpose) -> Option<DateTime<Utc>> {
        match purpose {
            Purpose::Confirmation => self.confirmation_sent_at,
            Purpose::Recovery => self.recovery_sent_at,
            Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => self.email_change_sent_at,
            Purpose::PhoneChange => self.phone_change_sent_at,
            Purpose::Reauthentication => self.reauthentication_sent_at,
        }
    }

    pub(super) fn note_sent(&mut self, purpose: Purpose, now: DateTime<Utc>) {
        let sent = match purpose {
            Purpose::Confirmation => &mut self.confirmation_sent_at,
            Purpose::Recovery => &mut self.recovery_sent_at,
            Purpose::EmailChangeCurrent | Purpose::EmailChangeNew => &mut self.email_change_sent_at,
            Purpose::PhoneChange => &mut self.phone_change_sent_at,
            Purpose::Reauthentication => &mut self.reauthentication_sent_at,
        };
        *sent = Some(now);
    }

    pub(super) fn is_banned(&self, now: DateTime<Utc>) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// Bans somebody for a while; no time at all lifts the ban.
    pub(super) fn ban(&mut self, now: DateTime<Utc>, duration: TimeDelta) {
        self.banned_until = (duration > TimeDelta::zero()).then(|| now + duration);
    }

    /// Notes in the account by which providers they sign in.
    pub(super) fn note_providers(&mut self, identities: &[Identity]) {
        let mut providers: Vec<&str> = Vec::new();
        for identity in identities {
            if !providers.contains(&identity.provider.as_str()) {
                providers.push(&identity.provider);
            }
        }
        match providers.first() {
            Some(first) => self.app_metadata.insert("provider".to_owned(), json!(first)),
            None => self.app_metadata.remove("provider"),
        };
        self.app_metadata.insert("providers".to_owned(), json!(providers));
    }

    /// What a sign-up writes about its person, into the account and into the identity.
    pub(super) fn claims(&self) -> Metadata {
        let mut claims = object(json!({"sub": self.id, "email_verified": false, "phone_verified": false}));
        if let Some(email) = &self.email {
            claims.insert("email".to_owned(), json!(email));
        }
        if let Some(phone) = &self.phone {
            claims.insert("phone".to_owned(), json!(phone));
        }
        claims
    }
}

impl Identity {
    /// The identity of somebody who is reached there.
    pub(super) fn new(moment: &mut Moment, user: &User, contact: &Contact, said: Metadata) -> Self {
        Self {
            id: moment.uuid(),
            provider_id: user.id.to_string(),
            user_id: user.id,
            identity_data: said,
            provider: contact.provider().to_owned(),
            last_sign_in_at: Some(moment.now),
            created_at: moment.now,
            updated_at: moment.now,
            email: match contact {
                Contact::Email(email) => Some(email.clone()),
                Contact::Phone(_) => None,
            },
        }
    }

    /// The identity of somebody whom a provider knows by this id.
    pub(super) fn external(
        moment: &mut Moment,
        user: &User,
        provider: &str,
        provider_id: String,
        said: Metadata,
    ) -> Self {
        Self {
            id: moment.uuid(),
            provider_id,
            user_id: user.id,
            email: said.get("email").and_then(Value::as_str).map(str::to_lowercase),
            identity_data: said,
            provider: provider.to_owned(),
            last_sign_in_at: Some(moment.now),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Notes that the contact is theirs, and which it is.
    pub(super) fn verify(&mut self, contact: &Contact) {
        let provider = contact.provider();
        self.identity_data.insert(provider.to_owned(), json!(contact.as_str()));
        self.identity_data.insert(format!("{provider}_verified"), Value::Bool(true));
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
        let mut user = User::new(&mut Moment::at(now, 1), None, None);
        user.ban(now, TimeDelta::hours(1));
        assert!(user.is_banned(now));
        assert!(!user.is_banned(now + TimeDelta::hours(1)));
        user.ban(now, TimeDelta::zero());
        assert!(!user.is_banned(now));
    }
}
