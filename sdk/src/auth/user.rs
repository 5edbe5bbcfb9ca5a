//! A person the project knows, as Auth describes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A person the project knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// When they signed up, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
}
