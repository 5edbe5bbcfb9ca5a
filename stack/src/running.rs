//! What a running stack tells about itself: where it answers, and with which keys.
//!
//! It lies in the place as `stack.json`, readable by its user only, from the moment
//! the stack answers until it ends. After a crash it may lie there longer: it counts
//! only while the place is locked.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) const FILE: &str = "stack.json";

/// A running stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    pub port: u16,
    pub place: PathBuf,
    #[serde(flatten)]
    pub settings: Settings,
}

/// What a program needs to use the stack, under the names of `supabase status -o env`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Settings {
    pub api_url: String,
    pub db_url: String,
    pub publishable_key: String,
    pub secret_key: String,
    pub anon_key: String,
    pub service_role_key: String,
    pub jwt_secret: String,
}

impl Running {
    pub(crate) fn read(place: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(place.join(FILE)).ok()?).ok()
    }
}

impl Settings {
    /// Name and value of each.
    pub fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("API_URL", &self.api_url),
            ("DB_URL", &self.db_url),
            ("PUBLISHABLE_KEY", &self.publishable_key),
            ("SECRET_KEY", &self.secret_key),
            ("ANON_KEY", &self.anon_key),
            ("SERVICE_ROLE_KEY", &self.service_role_key),
            ("JWT_SECRET", &self.jwt_secret),
        ]
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}
