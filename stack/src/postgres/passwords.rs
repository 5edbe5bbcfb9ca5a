//! The passwords of the roles that can log in: random, and kept as long as their cluster.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Letters and digits only, so that they need no quoting in SQL or in a URL.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Passwords {
    pub(crate) supabase_admin: String,
    pub(crate) postgres: String,
    pub(crate) authenticator: String,
}

impl Passwords {
    pub(crate) fn random() -> Self {
        let word = || Uuid::new_v4().simple().to_string();
        Self { supabase_admin: word(), postgres: word(), authenticator: word() }
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}
