//! Second factors: what somebody shows beside what they signed in with.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

/// The hosted defaults.
pub(super) const MOST: usize = 10;
const CHALLENGE_GOOD_FOR: TimeDelta = TimeDelta::minutes(5);
pub(super) const VERIFIED: &str = "verified";

/// A device or a number that makes or gets codes.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Factor {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) friendly_name: Option<String>,
    /// `totp`, `phone` or `webauthn`.
    pub(super) factor_type: String,
    /// `unverified` or `verified`.
    pub(super) status: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) secret: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) last_challenged_at: Option<DateTime<Utc>>,
}

/// A question put to a factor.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Question {
    pub(super) id: Uuid,
    pub(super) factor_id: Uuid,
    pub(super) created_at: DateTime<Utc>,
    pub(super) verified_at: Option<DateTime<Utc>>,
    /// What was texted.
    pub(super) otp_code: Option<String>,
}

/// A factor, as its owner and the admins see it: without its secret.
#[derive(Debug, Serialize)]
pub(super) struct FactorReply<'a> {
    id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    friendly_name: Option<&'a str>,
    factor_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_challenged_at: Option<DateTime<Utc>>,
}

impl Factor {
    pub(super) fn is_verified(&self) -> bool {
        self.status == VERIFIED
    }

    /// How a session calls the proof it gives.
    pub(super) fn method(&self) -> &'static str {
        match self.factor_type.as_str() {
            "phone" => "mfa/phone",
            "webauthn" => "mfa/webauthn",
            _ => "totp",
        }
    }

    pub(super) fn reply(&self) -> FactorReply<'_> {
        FactorReply {
            id: self.id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            status: &self.status,
            friendly_name: self.friendly_name.as_deref().filter(|name| !name.is_empty()),
            factor_type: &self.factor_type,
            phone: self.phone.as_deref(),
            last_challenged_at: self.last_challenged_at,
        }
    }
}

impl Question {
    pub(super) fn ends_at(&self) -> DateTime<Utc> {
        self.created_at + CHALLENGE_GOOD_FOR
    }
}
