//! The keys of one project: what a client shows at the gateway, and what tokens are signed with.
//!
//! Both generations the hosted service knows: `sb_publishable_…` and `sb_secret_…`, which say
//! nothing by themselves, and the older `anon` and `service_role` keys, which are tokens.
//! `Debug` shows none of them.

use std::fmt;

use rand::{RngExt, distr::Alphanumeric};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::jwt;

/// 2100-01-01: a legacy key is as good as for ever.
const FAR_FUTURE: i64 = 4_102_444_800;

/// The keys of one project, random and complete.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    /// `sb_publishable_…`: may be seen by anybody.
    pub publishable: String,
    /// `sb_secret_…`: acts as `service_role`.
    pub secret: String,
    /// What every token of the project is signed with: by itself (HS256), or by the key that is
    /// derived from it (ES256).
    pub jwt_secret: String,
    /// The older form of the publishable key.
    pub anon: String,
    /// The older form of the secret key.
    pub service_role: String,
}

/// Who a key speaks for while nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyRole {
    Anon,
    ServiceRole,
}

impl Keys {
    /// Draws new keys.
    pub fn generate() -> Self {
        let jwt_secret = random(40);
        let legacy = |role| {
            let claims = json!({
                "iss": "supabase-stack", "role": role, "iat": jwt::now(), "exp": FAR_FUTURE,
            });
            jwt::sign(jwt_secret.as_bytes(), &claims)
        };
        Self {
            publishable: format!("sb_publishable_{}_{}", random(22), random(8)),
            secret: format!("sb_secret_{}_{}", random(22), random(8)),
            anon: legacy(KeyRole::Anon.name()),
            service_role: legacy(KeyRole::ServiceRole.name()),
            jwt_secret,
        }
    }

    /// Who this key speaks for, if it is one of ours.
    pub(crate) fn role_of(&self, key: &str) -> Option<KeyRole> {
        if key == self.publishable || key == self.anon {
            Some(KeyRole::Anon)
        } else if key == self.secret || key == self.service_role {
            Some(KeyRole::ServiceRole)
        } else {
            None
        }
    }

    /// The token a service behind the gateway is shown when a key stands alone.
    pub(crate) fn token_of(&self, role: KeyRole) -> &str {
        match role {
            KeyRole::Anon => &self.anon,
            KeyRole::ServiceRole => &self.service_role,
        }
    }
}

impl KeyRole {
    fn name(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::ServiceRole => "service_role",
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

fn random(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_speaks_for_its_role_and_a_stranger_for_none() {
        let keys = Keys::generate();
        assert_eq!(keys.role_of(&keys.publishable), Some(KeyRole::Anon));
        assert_eq!(keys.role_of(&keys.anon), Some(KeyRole::Anon));
        assert_eq!(keys.role_of(&keys.secret), Some(KeyRole::ServiceRole));
        assert_eq!(keys.role_of(&keys.service_role), Some(KeyRole::ServiceRole));
        assert_eq!(keys.role_of(&keys.jwt_secret), None);
        assert_eq!(keys.role_of(&Keys::generate().publishable), None);
    }

    #[test]
    fn a_legacy_key_is_a_token_of_its_role() {
        let keys = Keys::generate();
        let claims = jwt::verify(keys.jwt_secret.as_bytes(), &keys.service_role, jwt::now()).unwrap();
        assert_eq!(claims["role"], "service_role");
    }

    #[test]
    fn debug_shows_nothing() {
        let keys = Keys::generate();
        assert_eq!(format!("{keys:?}"), "Keys(..)");
    }
}
