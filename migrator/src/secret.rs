//! What must never reach a table that people read: passwords, tokens, session keys.
//!
//! A member is a secret by its name, whatever its depth, unless it is empty or a boolean
//! (`hasPassword: true` gives nothing away). A text is a secret by its look: a JSON Web
//! Token, or a Supabase secret key. A text that is itself JSON is looked into as well.
//! What is taken out is named by its place, never by its value.

use crate::export::read_json;
use crate::node::{Map, Node};
use crate::pointer::Pointer;

/// Names that are a secret as they stand, in small letters and without separators.
const NAMES: [&str; 7] =
    ["pwd", "mdp", "session", "sessionid", "sessionkey", "passwordhash", "authorization"];

/// Endings that make a longer name a secret, such as `githubToken` or `user_password`.
const ENDINGS: [&str; 8] =
    ["password", "passwd", "motdepasse", "token", "secret", "apikey", "secretkey", "privatekey"];

/// True for a field that is a secret by its name.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str()) || ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// A copy of the value without its secrets; the place of each is added to `found`.
pub(crate) fn without_secrets(value: &Node, at: &Pointer, found: &mut Vec<Pointer>) -> Option<Node> {
    match value {
        Node::Text(text) if is_secret_text(text) => {
            found.push(at.clone());
            None
        }
        Node::Text(text) => Some(Node::Text(text_without_secrets(text, at, found))),
        Node::List(items) => {
            // A place in a list stays, so that the items behind keep theirs.
            let kept = |(index, item)| without_secrets(item, &at.item(index), found).unwrap_or(Node::Null);
            Some(Node::List(items.iter().enumerate().map(kept).collect()))
        }
        Node::Map(members) => Some(Node::Map(members_without_secrets(members, at, found))),
        Node::Null | Node::Bool(_) | Node::Number(_) => Some(value.clone()),
    }
}

/// The members without those that are secrets.
pub(crate) fn members_without_secrets(members: &Map, at: &Pointer, found: &mut Vec<Pointer>) -> Map {
    let kept = members.iter().filter_map(|(name, value)| {
        let at = at.member(name);
        if is_secret_name(name) && !value.is_blank() && !matches!(value, Node::Bool(_)) {
            found.push(at);
            return None;
        }
        without_secrets(value, &at, found).map(|value| (name.clone(), value))
    });
    kept.collect()
}

/// Writes a text that is JSON anew only if there was something to take out of it.
fn text_without_secrets(text: &str, at: &Pointer, found: &mut Vec<Pointer>) -> String {
    let inner = text.trim_start().starts_with(['{', '[']).then(|| read_json(text)).flatten();
    let before = found.len();
    match inner.and_then(|inner| without_secrets(&inner, at, found)) {
        Some(inner) if found.len() > before => inner.to_json(),
        _ => text.to_owned(),
    }
}

/// True for a text that is a secret by its look.
pub(crate) fn is_secret_text(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("sb_secret_") || is_json_web_token(text)
}

/// Three parts of URL-safe Base64, the first two of them JSON objects (`eyJ` is `{"`).
fn is_json_web_token(text: &str) -> bool {
    let token = text.strip_prefix("Bearer ").unwrap_or(text);
    let is_base64 = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
    };
    let mut parts = token.split('.');
    let (head, claims, signature) = (parts.next(), parts.next(), parts.next());
    [head, claims].iter().all(|part| part.is_some_and(|part| part.starts_with("eyJ") && is_base64(part)))
        && signature.is_some_and(is_base64)
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_give_a_secret_away() {
        for name in
            ["password", "Mot de passe", "access_token", "refreshToken", "githubToken", "API_KEY", "pwd"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["tokens", "secretary", "sessions", "key", "passage", "monkey"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn secrets_go_at_any_depth_and_leave_their_place() {
        let json = r#"{"a":[{"password":"x","hasPassword":true,"pwd":""}],"jwt":"eyJhbGci.eyJzdWIi.c2ln",
            "text":"{\"token\":\"t\",\"n\":1.0}","plain":"{ not json","b":{"deep":{"session":{"id":1}}}}"#;
        let document = read_json(json).expect("JSON");
        let mut found = Vec::new();
        let kept = without_secrets(&document, &Pointer::root(), &mut found).expect("an object stays");
        assert_eq!(
            kept.to_json(),
            r#"{"a":[{"hasPassword":true,"pwd":""}],"text":"{\"n\":1.0}","plain":"{ not json","b":{"deep":{}}}"#
        );
        let found: Vec<_> = found.iter().map(Pointer::as_str).collect();
        assert_eq!(found, ["/a/0/password", "/jwt", "/text/token", "/b/deep/session"]);
    }
}
