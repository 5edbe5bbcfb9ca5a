//! Broadcasts that come over HTTP: one, or many at once.
//!
//! What is not allowed on a private topic is accepted and reaches nobody: whoever sends is not told who
//! may.

use std::sync::Arc;

use axum::{
    body::{Bytes, to_bytes},
    extract::{Path, Query, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Json, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Service,
    channel::LARGEST_PAYLOAD,
    frame::{Body, Broadcast, Content},
    hub::Room,
    token::Token,
};
use crate::{gateway::bearer, jwt};

/// No body is larger.
const LARGEST_BODY: usize = 5_000_000;

/// Why a broadcast is not accepted.
#[derive(Debug)]
pub(super) enum Refusal {
    Token(String),
    Type,
    Size,
    /// What is wrong, by the name of the part.
    Form(Value),
}

#[derive(Deserialize)]
pub(super) struct Kind {
    private: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(message) => {
                (StatusCode::UNAUTHORIZED, Json(json!({"message": message}))).into_response()
            }
            Self::Type => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
            Self::Size => {
                let errors = json!({"payload": ["Payload size exceeds tenant limit"]});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"errors": errors}))).into_response()
            }
            Self::Form(errors) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"errors": errors}))).into_response()
            }
        }
    }
}

/// `POST /api/broadcast`
pub(super) async fn many(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let token = authorize(&service, &headers)?;
    let blank = || Refusal::Form(json!({"messages": ["can't be blank"]}));
    let asked: Value = serde_json::from_slice(&whole(request).await?).map_err(|_| blank())?;
    let messages = asked["messages"].as_array().filter(|messages| !messages.is_empty()).ok_or_else(blank)?;
    let read: Vec<_> = messages.iter().map(read).collect();
    if read.iter().any(Result::is_err) {
        let errors: Vec<_> = read.into_iter().map(|read| read.err().unwrap_or_else(|| json!({}))).collect();
        return Err(Refusal::Form(json!({"messages": errors})));
    }
    for (room, payload) in read.into_iter().flatten() {
        service.spread(&token, &room, Body::Json(payload)).await;
    }
    Ok(StatusCode::ACCEPTED)
}

/// `POST /api/broadcast/{topic}/events/{event}`
pub(super) async fn one(
    State(service): State<Arc<Service>>,
    Path((topic, event)): Path<(String, String)>,
    Query(kind): Query<Kind>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let token = authorize(&service, &headers)?;
    let sent = headers.get(CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or("application/json");
    let content = match sent.split(';').next().map(str::trim) {
        Some("application/octet-stream") => Content::Bytes(whole(request).await?),
        Some("application/json") => {
            let body = whole(request).await?;
            let unreadable = |_| Refusal::Form(json!({"payload": ["is invalid"]}));
            Content::Json(serde_json::from_slice(&body).map_err(unreadable)?)
        }
        _ => return Err(Refusal::Type), // neither of the two a broadcast is made of
    };
    let room = Room { topic, is_private: kind.private.as_deref() == Some("true") };
    let broadcast = Broadcast { event, content, meta: None };
    let body = broadcast.to_json().map_or(Body::Broadcast(broadcast), Body::Json);
    service.spread(&token, &room, body).await;
    Ok(StatusCode::ACCEPTED)
}

impl Service {
    /// Broadcasts, if that is allowed.
    async fn spread(&self, token: &Token, room: &Room, body: Body) {
        if room.is_private && !self.store.may_write(token, &room.topic).await.is_ok_and(|may| may.broadcast) {
            return;
        }
        self.hub.broadcast(room, &body, None);
    }
}

fn authorize(service: &Service, headers: &HeaderMap) -> Result<Token, Refusal> {
    let shown = headers.get(AUTHORIZATION).and_then(|shown| bearer(shown.to_str().ok()?)).unwrap_or_default();
    Token::check(shown, &service.keyring, jwt::now()).map_err(|error| Refusal::Token(error.to_string()))
}

async fn whole(request: Request) -> Result<Bytes, Refusal> {
    let body = to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| Refusal::Size)?;
    if body.len() > LARGEST_PAYLOAD { Err(Refusal::Size) } else { Ok(body) }
}

/// A message of many: where it goes, and what is heard there. The error tells what is missing.
fn read(message: &Value) -> Result<(Room, Value), Value> {
    let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty());
    match (text("topic"), text("event"), &message["payload"]) {
        (Some(topic), Some(event), payload @ Value::Object(_)) => {
            let room = Room { topic: topic.to_owned(), is_private: message["private"] == json!(true) };
            Ok((room, json!({"type": "broadcast", "event": event, "payload": payload})))
        }
        (topic, event, payload) => {
            let missing =
                [("topic", topic.is_none()), ("event", event.is_none()), ("payload", !payload.is_object())];
            let blank = missing.iter().filter(|(_, is_missing)| *is_missing);
            Err(blank
                .map(|(name, _)| ((*name).to_owned(), json!(["can't be blank"])))
                .collect::<Map<_, _>>()
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_a_topic_an_event_and_a_payload() {
        let (room, said) =
            read(&json!({"topic": "a", "event": "e", "payload": {"x": 1}, "private": true})).unwrap();
        assert!(room.is_private && said["type"] == "broadcast");
        let missing = read(&json!({"topic": "a", "payload": 1})).unwrap_err();
        assert_eq!(missing, json!({"event": ["can't be blank"], "payload": ["can't be blank"]}));
    }
}
