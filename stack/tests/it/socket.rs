//! A realtime client that sends and reads frames as they are: what a test says is what goes over the wire.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

use crate::service::{Lab, Project};

/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connected client.
pub(crate) struct Socket {
    wire: WebSocketStream<MaybeTlsStream<TcpStream>>,
    count: u64,
}

/// A frame of the service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) join_ref: Value,
    pub(crate) reference: Value,
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
}

impl Socket {
    /// Connects with the publishable key, speaking the newer version.
    pub(crate) async fn open(project: &Project) -> Self {
        Self::open_as(project, &project.publishable_key, "2.0.0").await
    }

    pub(crate) async fn open_as(project: &Project, key: &str, version: &str) -> Self {
        Self::dial(project, &format!("apikey={key}&vsn={version}"), None).await.unwrap()
    }

    pub(crate) async fn dial(
        project: &Project,
        query: &str,
        header: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let host = project.api_url.trim_start_matches("http://");
        let mut request = format!("ws://{host}/realtime/v1/websocket?{query}").into_client_request().unwrap();
        if let Some(key) = header {
            request.headers_mut().insert("x-api-key", key.parse().unwrap());
        }
        let (wire, _) = connect_async(request).await?;
        Ok(Self { wire, count: 0 })
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.wire.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.wire.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.wire.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Pushes an event on a channel that was joined by `join`.
    pub(crate) async fn push(&mut self, topic: &str, event: &str, payload: &Value) -> String {
        self.count += 1;
        let reference = self.count.to_string();
        self.send(&json!(["1", reference, format!("realtime:{topic}"), event, payload])).await;
        reference
    }

    /// Joins, and returns the answer's payload.
    pub(crate) async fn join(&mut self, topic: &str, token: Option<&str>, config: &Value) -> Value {
        let reference = self.push(topic, "phx_join", &json!({"config": config, "access_token": token})).await;
        let answer = self.next().await;
        assert_eq!((answer.event.as_str(), answer.reference), ("phx_reply", json!(reference)));
        answer.payload
    }

    /// Joins to hear of changes, and returns their numbers when it does.
    pub(crate) async fn listen(&mut self, topic: &str, token: Option<&str>, changes: &Value) -> Vec<u64> {
        let config = json!({"postgres_changes": changes, "presence": {"enabled": false}});
        let answer = self.join(topic, token, &config).await;
        assert_eq!(self.until("system").await["message"], "Subscribed to PostgreSQL");
        let told = answer["response"]["postgres_changes"].as_array().unwrap();
        told.iter().map(|wish| wish["id"].as_u64().unwrap()).collect()
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Heard {
        match self.frame().await {
            Some(Message::Text(text)) => Heard::read(serde_json::from_str(&text).unwrap()),
            Some(Message::Binary(bytes)) => Heard::read_binary(&bytes),
            other => panic!("{other:?}"),
        }
    }

    /// The payload of the next frame of an event; what comes before is passed over.
    pub(crate) async fn until(&mut self, event: &str) -> Value {
        loop {
            let heard = self.next().await;
            if heard.event == event {
                return heard.payload;
            }
        }
    }

    /// Waits for the end: the code it is closed with, or none if the connection was cut.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// The next frame of text, for a client that does not speak in arrays; `None` at the end.
    pub(crate) async fn next_text(&mut self) -> Option<Value> {
        match self.frame().await? {
            Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    async fn frame(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.wire.next()).await.expect("nothing came")?.ok()
    }
}

impl Heard {
    fn read(frame: Value) -> Self {
        let [join_ref, reference, topic, event, payload] = serde_json::from_value(frame).unwrap();
        let text = |value: Value| value.as_str().unwrap().to_owned();
        Self { join_ref, reference, topic: text(topic), event: text(event), payload }
    }

    /// A broadcast as bytes: `[4, topic, event, meta, encoding]`, lengths first.
    fn read_binary(bytes: &[u8]) -> Self {
        assert_eq!(bytes[0], 4);
        let (lengths, mut rest) = bytes[1..].split_at(4);
        let mut part = |length: u8| {
            let (part, left) = rest.split_at(length.into());
            rest = left;
            String::from_utf8(part.to_vec()).unwrap()
        };
        let (topic, event, meta) = (part(lengths[0]), part(lengths[1]), part(lengths[2]));
        let payload = match lengths[3] {
            0 => json!({"event": event, "bytes": rest, "meta": meta}),
            _ => {
                json!({"event": event, "json": serde_json::from_slice::<Value>(rest).unwrap(), "meta": meta})
            }
        };
        Self { join_ref: Value::Null, reference: Value::Null, topic, event: "broadcast".to_owned(), payload }
    }
}

impl Project {
    /// A token of this project with these claims.
    pub(crate) async fn sign(&self, claims: &Value) -> String {
        let encoded = |text: &str| {
            format!("translate(encode(convert_to('{text}', 'utf8'), 'base64'), e'+/=\\n', '-_')")
        };
        let head = encoded(r#"{"alg":"HS256","typ":"JWT"}"#);
        let said = format!("{head} || '.' || {}", encoded(&claims.to_string()));
        let secret = &self.jwt_secret;
        self.text(&format!(
            "select said || '.' || translate(encode(extensions.hmac(said, '{secret}', 'sha256'), 'base64'), '+/=', '-_')
             from (select {said} as said) as signed"
        ))
        .await
    }

    /// Replaces what goes wrong with frames.
    pub(crate) async fn set_frame_faults(&self, rules: &Value) {
        let path = format!("/projects/{}/faults/frames", self.r#ref);
        let reply = Lab::get().control(Method::PUT, &path).json(rules).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
    }

    /// Does something to everybody who is connected.
    pub(crate) async fn realtime(&self, command: &Value) {
        let path = format!("/projects/{}/realtime", self.r#ref);
        let reply = Lab::get().control(Method::POST, &path).json(command).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    }
}
