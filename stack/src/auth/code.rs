//! One-time codes: what each proves, how long it is good, and the message that carries it.
//!
//! A person has at most one code for each purpose; a new one takes the old one's place. Only its
//! hash is kept, in `one_time_tokens` and beside the person, as hosted.

use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Service,
    contact::Contact,
    flow::Challenge,
    inbox::{Message, subject},
    moment::Moment,
    reply::AuthError,
    store::Tx,
    user::User,
};

/// The hosted default.
const GOOD_FOR: TimeDelta = TimeDelta::hours(1);
/// Marks the hash of a code whose link is opened where the sign-in was not begun.
pub(super) const PKCE: &str = "pkce_";

/// What a code proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Confirmation,
    Recovery,
    EmailChangeCurrent,
    EmailChangeNew,
    PhoneChange,
    Reauthentication,
}

/// What `/verify` is asked to do with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SignUp,
    Invite,
    MagicLink,
    Recovery,
    /// Whichever of sign-up and magic link was mailed.
    Email,
    EmailChange,
    Sms,
    PhoneChange,
}

/// A code to be drawn, and the message that will carry it.
#[derive(Debug)]
pub(super) struct Errand<'a> {
    pub(super) purpose: Purpose,
    /// See [`Message::kind`].
    pub(super) kind: &'static str,
    pub(super) to: Contact,
    pub(super) redirect_to: &'a str,
    /// Whether the link leads back to where the sign-in was begun.
    pub(super) challenge: Option<&'a Challenge>,
}

impl Purpose {
    pub(super) const ALL: [Self; 6] = [
        Self::Confirmation,
        Self::Recovery,
        Self::EmailChangeCurrent,
        Self::EmailChangeNew,
        Self::PhoneChange,
        Self::Reauthentication,
    ];

    /// As the database calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation_token",
            Self::Recovery => "recovery_token",
            Self::EmailChangeCurrent => "email_change_token_current",
            Self::EmailChangeNew => "email_change_token_new",
            Self::PhoneChange => "phone_change_token",
            Self::Reauthentication => "reauthentication_token",
        }
    }

    /// Whether a code that was sent then is good no longer.
    pub(super) fn is_over(sent: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        sent.is_none_or(|sent| now > sent + GOOD_FOR)
    }
}

impl Kind {
    pub(super) fn of(written: &str) -> Option<Self> {
        Some(match written {
            "signup" => Self::SignUp,
            "invite" => Self::Invite,
            "magiclink" => Self::MagicLink,
            "recovery" => Self::Recovery,
            "email" => Self::Email,
            "email_change" => Self::EmailChange,
            "sms" => Self::Sms,
            "phone_change" => Self::PhoneChange,
            _ => return None,
        })
    }

    pub(super) fn is_for_phones(self) -> bool {
        match self {
            Self::Sms | Self::PhoneChange => true,
            Self::SignUp
            | Self::Invite
            | Self::MagicLink
            | Self::Recovery
            | Self::Email
            | Self::EmailChange => false,
        }
    }

    /// Whether `/resend` knows it; the others are asked for again as they were the first time.
    pub(super) fn is_sent_again(self) -> bool {
        match self {
            Self::SignUp | Self::EmailChange | Self::Sms | Self::PhoneChange => true,
            Self::Invite | Self::MagicLink | Self::Recovery | Self::Email => false,
        }
    }

    /// The codes it may be shown.
    pub(super) fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::SignUp | Self::Invite | Self::Sms => &[Purpose::Confirmation],
            Self::MagicLink | Self::Recovery => &[Purpose::Recovery],
            Self::Email => &[Purpose::Confirmation, Purpose::Recovery],
            Self::EmailChange => &[Purpose::EmailChangeCurrent, Purpose::EmailChangeNew],
            Self::PhoneChange => &[Purpose::PhoneChange],
        }
    }

    /// What it is called once it is known which code was shown.
    pub(super) fn name_for(self, purpose: Purpose) -> &'static str {
        match (self, purpose) {
            (Self::SignUp, _) | (Self::Email, Purpose::Confirmation) => "signup",
            (Self::MagicLink | Self::Email, _) => "magiclink",
            (Self::Invite, _) => "invite",
            (Self::Recovery, _) => "recovery",
            (Self::EmailChange, _) => "email_change",
            (Self::Sms, _) => "sms",
            (Self::PhoneChange, _) => "phone_change",
        }
    }

    /// How a flow and a session that it ends in call it.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::SignUp => "email/signup",
            Self::Invite => "invite",
            Self::MagicLink | Self::Email => "magiclink",
            Self::Recovery => "recovery",
            Self::EmailChange => "email_change",
            Self::Sms | Self::PhoneChange => "otp",
        }
    }
}

impl Service {
    /// Refuses somebody who was sent such a code a moment ago.
    pub(super) fn check_pace(
        &self,
        user: &User,
        purpose: Purpose,
        to: &Contact,
        moment: &Moment,
    ) -> Result<(), AuthError> {
        let pause = TimeDelta::seconds(i64::from(self.settings.read().seconds_between_messages));
        let Some(sent) = user.sent_at(purpose) else { return Ok(()) };
        // Seconds that have begun count: who waits as long as told is not refused again.
        let left = (sent + pause - moment.now).num_milliseconds();
        if left <= 0 {
            return Ok(());
        }
        let seconds = u64::try_from((left + 999) / 1000).unwrap_or_default();
        let message = format!("For security purposes, you can only request this after {seconds} seconds.");
        Err(AuthError::too_many(over_limit(to), message, seconds))
    }

    /// Counts a message, or refuses it because there were too many.
    pub(super) fn check_limit(&self, to: &Contact) -> Result<(), AuthError> {
        if self.settings.take_message() {
            return Ok(());
        }
        let message = match to {
            Contact::Email(_) => "email rate limit exceeded",
            Contact::Phone(_) => "sms rate limit exceeded",
        };
        Err(AuthError::too_many(over_limit(to), message.to_owned(), 60))
    }

    /// Writes a message with a code. It is to be delivered once what it says is committed.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        user: &mut User,
        errand: Errand<'_>,
        moment: &mut Moment,
    ) -> Result<Message, AuthError> {
        self.check_limit(&errand.to)?;
        self.draw(tx, user, errand, moment).await
    }

    /// The same for who delivers it otherwise: no limit counts it.
    pub(super) async fn draw(
        &self,
        tx: &mut Tx,
        user: &mut User,
        errand: Errand<'_>,
        moment: &mut Moment,
    ) -> Result<Message, AuthError> {
        let Errand { purpose, kind, to, redirect_to, challenge } = errand;
        let token = moment.code();
        let prefix = if challenge.is_some() { PKCE } else { "" };
        let hash = format!("{prefix}{}", to.hash(&token));
        tx.put_code(user.id, purpose, &hash, to.as_str(), moment).await?;
        user.note_sent(purpose, moment.now);
        let mut message = Message {
            id: moment.uuid(),
            channel: "sms",
            kind,
            subject: subject(kind),
            token,
            token_hash: None,
            link: None,
            redirect_to: None,
            created_at: moment.now,
            to: to.as_str().to_owned(),
        };
        if let Contact::Email(_) = to {
            message.channel = "email";
            if purpose != Purpose::Reauthentication {
                message.link = Some(self.link(kind, &hash, redirect_to));
                message.redirect_to = Some(redirect_to.to_owned());
            }
            message.token_hash = Some(hash);
        }
        Ok(message)
    }

    /// The address that shows a code to `/verify`.
    fn link(&self, kind: &str, hash: &str, redirect_to: &str) -> String {
        let redirect_to = utf8_percent_encode(redirect_to, NON_ALPHANUMERIC);
        format!("{}/verify?token={hash}&type={kind}&redirect_to={redirect_to}", self.issuer)
    }
}

fn over_limit(to: &Contact) -> &'static str {
    match to {
        Contact::Email(_) => "over_email_send_rate_limit",
        Contact::Phone(_) => "over_sms_send_rate_limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_an_hour() {
        let sent = DateTime::UNIX_EPOCH;
        assert!(!Purpose::is_over(Some(sent), sent + GOOD_FOR));
        assert!(Purpose::is_over(Some(sent), sent + GOOD_FOR + TimeDelta::seconds(1)));
        assert!(Purpose::is_over(None, sent));
    }
}
