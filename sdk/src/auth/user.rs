//! A person the project knows, as Auth describes them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Factor;

/// A person the project knows.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// What `auth.uid()` gives in a policy.
    pub id: Uuid,
    /// Their e-mail address, empty for who signed up without one.
    #[serde(default)]
    pub email: Option<String>,
    /// Their phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// The database role of their requests, `authenticated` as a rule.
    #[serde(default)]
    pub role: Option<String>,
    /// What the project says of them; they cannot change it.
    #[serde(default)]
    pub app_metadata: Value,
    /// What they say of themselves; never base a policy on it.
    #[serde(default)]
    pub user_metadata: Value,
    /// How they can sign in.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// Their second factors.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// True for somebody who signed in without telling who they are.
    #[serde(default)]
    pub is_anonymous: bool,
    /// The address they are about to have, once it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_email: Option<String>,
    /// When their address was confirmed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_confirmed_at: Option<String>,
    /// When their number was confirmed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_confirmed_at: Option<String>,
    /// When they last signed in, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<String>,
    /// Until when they are shut out, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_until: Option<String>,
    /// When they signed up, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When what Auth knows of them last changed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// One way a person can sign in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id, by which it can be taken away.
    pub identity_id: String,
    /// `email`, `phone`, `google` and so on.
    pub provider: String,
    /// What the provider says of the person.
    #[serde(default)]
    pub identity_data: Value,
}

/// Without what is personal.
impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({}, {})", self.provider, self.identity_id)
    }
}

/// Without what is personal.
impl fmt::Debug for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What is to change of who is signed in; what is `None` stays.
#[derive(Clone, Default, Serialize)]
pub struct UserChange {
    /// A new e-mail address, good once it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A new phone number, good once it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// A new password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The code of a reauthentication, where the project asks for one before a new password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// What they say of themselves: merged with what they said before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Without what is personal or secret.
impl fmt::Debug for UserChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("UserChange(hidden)")
    }
}
