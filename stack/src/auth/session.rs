//! Sessions: who is signed in on which device, and the tokens that say so.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    moment::Moment,
    user::{Metadata, User},
};

/// How long an access token is good for.
pub(super) const ACCESS_SECONDS: i64 = 3600;
/// How long a used refresh token is forgiven: a client may send two requests at once.
const REUSE: TimeDelta = TimeDelta::seconds(10);

/// One device that is signed in.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Session {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) aal: String,
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    /// The application it was given to, and what that may see.
    pub(super) oauth_client_id: Option<Uuid>,
    pub(super) scopes: Option<String>,
}

/// How somebody proved who they are, and when.
#[derive(Debug, Clone, FromRow, Serialize)]
pub(super) struct Proof {
    pub(super) method: String,
    pub(super) timestamp: i64,
}

/// A token that is good for one new access token.
#[derive(Debug, Clone, FromRow)]
pub(super) struct RefreshToken {
    pub(super) id: i64,
    pub(super) token: String,
    pub(super) parent: Option<String>,
    pub(super) revoked: bool,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) session_id: Option<Uuid>,
}

/// What becomes of a refresh token somebody shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is used up, and a new one takes its place.
    Rotate,
    /// It was used up already, but its successor seems to have been lost: here it is again.
    Repeat(String),
    /// Somebody has an old one: either its owner or a thief, and nobody can tell.
    Stolen,
}

/// What an access token says.
#[derive(Debug, Serialize)]
pub(super) struct AccessClaims<'a> {
    iss: &'a str,
    sub: Uuid,
    aud: &'a str,
    exp: i64,
    iat: i64,
    email: &'a str,
    phone: &'a str,
    app_metadata: &'a Metadata,
    user_metadata: &'a Metadata,
    role: &'a str,
    aal: &'a str,
    amr: &'a [Proof],
    session_id: Uuid,
    is_anonymous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl Session {
    pub(super) fn new(moment: &mut Moment, user: &User) -> Self {
        Self {
            id: moment.uuid(),
            user_id: user.id,
            aal: "aal1".to_owned(),
            not_after: None,
            created_at: moment.now,
            oauth_client_id: None,
            scopes: None,
        }
    }

    /// Whether a second factor was shown.
    pub(super) fn is_aal2(&self) -> bool {
        self.aal != "aal1"
    }

    /// Whether it began so long ago that a new password wants another proof.
    pub(super) fn is_old(&self, now: DateTime<Utc>) -> bool {
        now > self.created_at + TimeDelta::days(1)
    }

    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.not_after.is_some_and(|end| now > end)
    }
}

impl RefreshToken {
    /// Judges this token; `active` is the one of its session that is not used up.
    pub(super) fn judge(&self, active: Option<&Self>, now: DateTime<Utc>) -> Verdict {
        if !self.revoked {
            return Verdict::Rotate;
        }
        match active {
            Some(active) if active.parent.as_ref() == Some(&self.token) => {
                Verdict::Repeat(active.token.clone())
            }
            _ if now <= self.updated_at + REUSE => Verdict::Rotate,
            _ => Verdict::Stolen,
        }
    }
}

impl<'a> AccessClaims<'a> {
    pub(super) fn new(
        issuer: &'a str,
        user: &'a User,
        session: &'a Session,
        proofs: &'a [Proof],
        now: DateTime<Utc>,
    ) -> Self {
        let iat = now.timestamp();
        Self {
            iss: issuer,
            sub: user.id,
            aud: &user.aud,
            exp: iat + ACCESS_SECONDS,
            iat,
            email: user.email.as_deref().unwrap_or_default(),
            phone: user.phone.as_deref().unwrap_or_default(),
            app_metadata: &user.app_metadata,
            user_metadata: &user.user_metadata,
            role: &user.role,
            aal: &session.aal,
            amr: proofs,
            session_id: session.id,
            is_anonymous: user.is_anonymous,
            client_id: session.oauth_client_id,
            scope: session.scopes.as_deref(),
        }
    }

    pub(super) fn expires_at(&self) -> i64 {
        self.exp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(token: &str, parent: Option<&str>, revoked: bool) -> RefreshToken {
        RefreshToken {
            id: 1,
            token: token.to_owned(),
            parent: parent.map(str::to_owned),
            revoked,
            updated_at: DateTime::UNIX_EPOCH,
            session_id: None,
        }
    }

    #[test]
    fn a_refresh_token_is_judged_by_what_followed_it() {
        let (soon, late) = (DateTime::UNIX_EPOCH + REUSE, DateTime::UNIX_EPOCH + REUSE * 2);
        let child = token("b", Some("a"), false);
        let grandchild = token("c", Some("b"), false);
        for (shown, active, now, verdict) in [
            (token("a", None, false), None, late, Verdict::Rotate),
            (token("a", None, true), Some(&child), late, Verdict::Repeat("b".to_owned())),
            (token("a", None, true), Some(&grandchild), soon, Verdict::Rotate),
            (token("a", None, true), Some(&grandchild), late, Verdict::Stolen),
            (token("a", None, true), None, late, Verdict::Stolen),
        ] {
            assert_eq!(shown.judge(active, now), verdict);
        }
    }
}
