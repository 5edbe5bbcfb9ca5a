//! The inbox of one project: every mail and text the service would have sent.
//!
//! It lies in memory, newest last, and forgets the oldest of more than a thousand. A message
//! enters once the transaction that wrote its code has been committed, so a code found here is
//! good. Messages hold codes: they have no `Debug`, and only the secret key reads them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Json, Response},
    routing::get,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::{Service, contact::Contact, request, settings::Settings};

const MOST: usize = 1000;

/// A mail or a text.
#[derive(Clone, Serialize)]
pub(super) struct Message {
    pub(super) id: Uuid,
    /// `email` or `sms`.
    pub(super) channel: &'static str,
    pub(super) to: String,
    /// What it is for: what `/verify` calls the type of its code, or `reauthentication` or `mfa`.
    pub(super) kind: &'static str,
    pub(super) subject: &'static str,
    /// Six digits.
    pub(super) token: String,
    pub(super) token_hash: Option<String>,
    pub(super) link: Option<String>,
    pub(super) redirect_to: Option<String>,
    #[serde(serialize_with = "time")]
    pub(super) created_at: DateTime<Utc>,
}

/// The messages of one project.
#[derive(Default)]
pub(super) struct Inbox(Mutex<VecDeque<Message>>);

impl Inbox {
    pub(super) fn deliver(&self, message: Message) {
        let mut messages = self.lock();
        messages.push_back(message);
        if messages.len() > MOST {
            messages.pop_front();
        }
    }

    fn list(&self, to: Option<&str>) -> Vec<Message> {
        self.lock().iter().filter(|message| to.is_none_or(|to| message.to == to)).cloned().collect()
    }

    fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands at `/inbox`, for who has shown the secret key.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(list).delete(clear))
        .route("/settings", get(settings).put(set))
        .with_state(service)
}

/// The subject of a mail, or the beginning of a text.
pub(super) fn subject(kind: &str) -> &'static str {
    match kind {
        "signup" => "Confirm Your Signup",
        "invite" => "You have been invited",
        "magiclink" => "Your Magic Link",
        "recovery" => "Reset Your Password",
        "email_change" => "Confirm Email Change",
        "reauthentication" => "Confirm Reauthentication",
        _ => "Your code",
    }
}

async fn list(
    State(service): State<Arc<Service>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Json<Vec<Message>> {
    // As a person writes it: the inbox knows an address in small letters and a number without plus.
    let to = request::value(&query, "to").map(|to| {
        Contact::email(to).or_else(|_| Contact::phone(to)).map_or(to.to_owned(), |to| to.as_str().to_owned())
    });
    Json(service.inbox.list(to.as_deref()))
}

async fn clear(State(service): State<Arc<Service>>) -> StatusCode {
    service.inbox.clear();
    StatusCode::NO_CONTENT
}

async fn settings(State(service): State<Arc<Service>>) -> Json<Settings> {
    Json(service.settings.read())
}

async fn set(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Settings>(&body) {
        Ok(settings) => {
            service.settings.set(settings.clone());
            Json(settings).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"message": error.to_string()}))).into_response(),
    }
}

fn time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &str) -> Message {
        Message {
            id: Uuid::nil(),
            channel: "email",
            to: to.to_owned(),
            kind: "signup",
            subject: subject("signup"),
            token: "000000".to_owned(),
            token_hash: None,
            link: None,
            redirect_to: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_oldest_message_is_forgotten_first() {
        let inbox = Inbox::default();
        for to in ["first", "second"].into_iter().chain(std::iter::repeat_n("more", MOST - 1)) {
            inbox.deliver(message(to));
        }
        assert!(inbox.list(Some("first")).is_empty());
        assert_eq!(inbox.list(Some("second")).len(), 1);
        assert_eq!(inbox.list(None).len(), MOST);
    }
}
