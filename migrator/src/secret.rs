//! What must never reach a table that people read: passwords, tokens, session keys.
//!
//! A member is a secret by its name, whatever its depth, unless it is empty or a boolean
//! (`hasPassword: true` gives nothing away). A name that may mean other things too, such as
//! `clave` or `pin`, is one where a login name stands beside it or the value looks drawn by
//! lot. A text is a secret by its look: a JSON Web Token, or a key in the form its issuer gives
//! all of them. In a longer text only the key goes. A text that is itself JSON is looked into.
//! What is taken out is named by its place, never by its value.
//!
//! A false alarm loses data, so a word that also means something else is not in the lists.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::convert::fold;
use crate::export::read_json;
use crate::node::{Map, Node};
use crate::pointer::Pointer;

/// Names that are a secret as they stand, in small letters and without accents or separators.
const NAMES: [&str; 17] = [
    "pwd",
    "mdp",
    "senha",
    "session",
    "sessionid",
    "sessionkey",
    "sessioncookie",
    "connectsid",
    "phpsessid",
    "jsessionid",
    "passwordhash",
    "passworddigest",
    "passwordsalt",
    "authorization",
    "authorizationheader",
    "secretaccesskey",
    "awssecretaccesskey",
];

/// Endings that make a longer name a secret, such as `githubToken`, `user_password` or
/// `sb-abcdefgh-auth-token`; a number behind them does not count.
const ENDINGS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "motdepasse",
    "contrasena",
    "passwort",
    "kennwort",
    "wachtwoord",
    "token",
    "jetondacces",
    "secret",
    "apikey",
    "secretkey",
    "privatekey",
    "codeverifier",
];

/// Beginnings of names under which a library keeps its session.
const BEGINNINGS: [&str; 2] = ["firebaseauthuser", "auth0spajs"];

/// Names that are a secret where the record or the value says so too.
const DOUBTFUL: [&str; 5] = ["clave", "jeton", "pass", "passe", "pin"];

/// Names of what people sign in with.
const LOGINS: [&str; 8] = [
    "login",
    "username",
    "nombreusuario",
    "usuario",
    "identifiant",
    "nomutilisateur",
    "benutzername",
    "gebruikersnaam",
];

/// What takes the place of a key within a longer text.
const REDACTED: &str = "<redacted>";

/// How keys begin, and how much must follow.
const KEYS: [(&str, usize); 17] = [
    ("sb_secret_", 1),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("sk-ant-", 32),
    ("sk-proj-", 32),
    ("xoxb-", 24),
    ("xoxp-", 24),
    ("npm_", 36),
    ("whsec_", 24),
];

/// How a pair of AWS keys names itself: one of these and sixteen capitals or digits.
const AWS: [&str; 2] = ["AKIA", "ASIA"];

/// The least length of a value that looks drawn by lot; the ids that databases draw are shorter.
const RANDOM: usize = 24;

/// The shortest text that can be a key.
const SHORTEST_KEY: usize = 11;

/// How many names are remembered: an export has few, and asks for each of them a million times.
const REMEMBERED: usize = 4_096;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    Secret,
    /// A secret where the record or the value says so too.
    Doubtful,
    /// What people sign in with.
    Login,
}

thread_local! {
    static NAMES_SEEN: RefCell<HashMap<String, Says>> = RefCell::default();
}

/// True for a field that is a secret by its name.
pub(crate) fn is_secret_name(name: &str) -> bool {
    says(name) == Says::Secret
}

fn says(name: &str) -> Says {
    NAMES_SEEN.with_borrow_mut(|seen| match seen.get(name) {
        Some(says) => *says,
        None => {
            if seen.len() >= REMEMBERED {
                seen.clear();
            }
            let says = judged(name);
            seen.insert(name.to_owned(), says);
            says
        }
    })
}

fn judged(name: &str) -> Says {
    let plain: String = fold(name).chars().filter(|character| character.is_alphanumeric()).collect();
    let unnumbered = plain.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_secret = NAMES.contains(&plain.as_str())
        || BEGINNINGS.iter().any(|beginning| plain.starts_with(beginning))
        || ENDINGS.iter().any(|ending| unnumbered.ends_with(ending));
    match plain.as_str() {
        _ if is_secret => Says::Secret,
        plain if DOUBTFUL.contains(&plain) => Says::Doubtful,
        plain if LOGINS.contains(&plain) => Says::Login,
        _ => Says::Nothing,
    }
}

/// True if there is anything to take out of a value.
pub(crate) fn holds_secrets(value: &Node) -> bool {
    match value {
        Node::Text(text) => {
            text.len() >= SHORTEST_KEY
                && (is_secret_text(text.trim())
                    || match text.trim_start().starts_with(['{', '[']).then(|| read_json(text)).flatten() {
                        Some(inner) => holds_secrets(&inner),
                        None => without_keys(text).is_some(),
                    })
        }
        Node::List(items) => items.iter().any(holds_secrets),
        Node::Map(members) => {
            let secrets = Secrets::of(members);
            members.iter().any(|(name, value)| secrets.holds(name, value) || holds_secrets(value))
        }
        Node::Null | Node::Bool(_) | Node::Number(_) => false,
    }
}

/// Which members of an object are secrets.
struct Secrets {
    has_login: bool,
    /// A cookie as a browser's tools export it.
    is_cookie: bool,
}

impl Secrets {
    fn of(members: &Map) -> Self {
        Self {
            has_login: members.keys().any(|name| says(name) == Says::Login),
            is_cookie: members.contains_key("httpOnly") && members.contains_key("value"),
        }
    }

    fn holds(&self, name: &str, value: &Node) -> bool {
        if value.is_blank() || matches!(value, Node::Bool(_)) {
            return false;
        }
        match says(name) {
            Says::Secret => true,
            Says::Doubtful => self.has_login || is_random(value),
            Says::Login | Says::Nothing => self.is_cookie && name == "value",
        }
    }
}

/// A copy of the value without its secrets; the place of each is added to `found`.
pub(crate) fn without_secrets(value: &Node, at: &Pointer, found: &mut Vec<Pointer>) -> Option<Node> {
    match value {
        Node::Text(text) if is_secret_text(text.trim()) => {
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
    let secrets = Secrets::of(members);
    let kept = members.iter().filter_map(|(name, value)| {
        let at = at.member(name);
        if secrets.holds(name, value) {
            found.push(at);
            return None;
        }
        without_secrets(value, &at, found).map(|value| (name.clone(), value))
    });
    kept.collect()
}

/// Writes a text anew only if there was something to take out of it.
fn text_without_secrets(text: &str, at: &Pointer, found: &mut Vec<Pointer>) -> String {
    let inner = text.trim_start().starts_with(['{', '[']).then(|| read_json(text)).flatten();
    let before = found.len();
    match inner {
        Some(inner) => match without_secrets(&inner, at, found) {
            Some(inner) if found.len() > before => inner.to_json(),
            _ => text.to_owned(),
        },
        None => match without_keys(text) {
            Some(rest) => {
                found.push(at.clone());
                rest
            }
            None => text.to_owned(),
        },
    }
}

/// A longer text without the keys in it, if there are any.
fn without_keys(text: &str) -> Option<String> {
    let (mut kept, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(rest) = text.get(at..) {
        let Some(offset) = rest.find(is_of_a_key) else { break };
        let start = at + offset;
        let (before, rest) = text.split_at(start);
        let word = rest.split(|character| !is_of_a_key(character)).next().unwrap_or_default();
        // What is named a token may have signs of Base64 in it.
        let token = before.ends_with("Bearer ").then(|| rest.split(ends_a_token).next().unwrap_or_default());
        let key = match token.filter(|token| is_random_text(token)) {
            Some(token) => Some(token),
            None => Some(word.trim_end_matches('.')).filter(|word| is_key(word)),
        };
        if let Some(key) = key {
            kept.push_str(text.get(copied..start).unwrap_or_default());
            kept.push_str(REDACTED);
            copied = start + key.len();
        }
        at = start + word.len().max(key.map_or(0, str::len));
    }
    kept.push_str(text.get(copied..).unwrap_or_default());
    (copied > 0).then_some(kept)
}

fn ends_a_token(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | ',' | ';')
}

fn is_of_a_key(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// True for a text that is a secret and nothing else.
pub(crate) fn is_secret_text(text: &str) -> bool {
    match text.strip_prefix("Bearer ") {
        Some(token) => is_key(token) || is_random_text(token),
        None => is_key(text) || (text.starts_with("-----BEGIN ") && text.contains("PRIVATE KEY-----")),
    }
}

fn is_key(word: &str) -> bool {
    if word.len() < SHORTEST_KEY {
        return false;
    }
    let is_plain =
        |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let follows = |(beginning, length): &(&str, usize)| {
        word.strip_prefix(beginning).is_some_and(|rest| rest.len() >= *length && is_plain(rest))
    };
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_of_aws = |beginning: &str| {
        word.strip_prefix(beginning).is_some_and(|rest| rest.len() == 16 && rest.bytes().all(is_capital))
    };
    KEYS.iter().any(follows) || AWS.iter().any(|beginning| is_of_aws(beginning)) || is_json_web_token(word)
}

fn is_random(value: &Node) -> bool {
    match value {
        Node::Text(text) => is_random_text(text),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => false,
    }
}

/// Long, of one piece, and of both letters and digits.
fn is_random_text(text: &str) -> bool {
    let is_of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/_-=.~".contains(&byte);
    text.len() >= RANDOM
        && text.bytes().all(is_of_base64)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Three parts of URL-safe Base64, the first two of them JSON objects (`eyJ` is `{"`).
fn is_json_web_token(token: &str) -> bool {
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
    use proptest::prelude::*;

    #[test]
    fn a_name_may_give_a_secret_away() {
        for name in [
            "password",
            "Mot de passe",
            "motDePasse",
            "access_token",
            "refreshToken",
            "githubToken",
            "API_KEY",
            "pwd",
            "contraseña",
            "contrase\u{6E}\u{303}a",
            "Passwort",
            "benutzer_kennwort",
            "senha",
            "password2",
            "sb-abcdefghijklmnop-auth-token",
            "sb-abcdefghijklmnop-auth-token.0",
            "supabase.auth.token",
            "sb-abcdefghijklmnop-auth-token-code-verifier",
            "firebase:authUser:AIzaSy:[DEFAULT]",
            "@@auth0spajs@@::client::default::openid",
            "connect.sid",
            "Authorization",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "tokens",
            "token_count",
            "tokenized",
            "secretary",
            "secrétaire",
            "sessions",
            "key",
            "passage",
            "passager",
            "passeport",
            "monkey",
            "resenha",
            "clave",
            "clave_producto",
            "palabra_clave",
            "jeton",
            "jetons",
            "pin",
            "compass",
            "session_date",
            "authors",
            "cle",
            "passed",
            "wordpress",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    /// What is left of a document, and the places of what is not.
    fn left(json: &str) -> (String, Vec<String>) {
        let mut found = Vec::new();
        let document = read_json(json).expect("JSON");
        let kept = without_secrets(&document, &Pointer::root(), &mut found).expect("an object stays");
        (kept.to_json(), found.iter().map(|at| at.as_str().to_owned()).collect())
    }

    #[track_caller]
    fn takes(json: &str, kept: &str, places: &[&str]) {
        assert_eq!(left(json), (kept.to_owned(), places.iter().map(|place| (*place).to_owned()).collect()));
    }

    #[test]
    fn a_doubtful_name_needs_a_second_witness() {
        takes(r#"{"usuario":"zoe","clave":"1234","pin":7}"#, r#"{"usuario":"zoe"}"#, &["/clave", "/pin"]);
        takes(r#"{"nombre":"tornillo","clave":"A-7"}"#, r#"{"nombre":"tornillo","clave":"A-7"}"#, &[]);
        takes(r#"{"jeton":12,"pin":"Quercus"}"#, r#"{"jeton":12,"pin":"Quercus"}"#, &[]);
        takes(r#"{"jeton":"q7Xk2mP9vL4tR8wZ1nB6cD3f"}"#, "{}", &["/jeton"]);
        takes(r#"{"clave":"me2ly6hqwxrfgnj0xjt"}"#, r#"{"clave":"me2ly6hqwxrfgnj0xjt"}"#, &[]);
        takes(
            r#"{"name":"sid","value":"x","httpOnly":true,"domain":"example.com"}"#,
            r#"{"name":"sid","httpOnly":true,"domain":"example.com"}"#,
            &["/value"],
        );
    }

    #[test]
    fn a_key_goes_and_the_text_around_it_stays() {
        let jwt = "eyJhbGci.eyJzdWIi.c2ln";
        let github = format!("ghp_{}", "a1".repeat(18));
        for key in [
            jwt,
            &github,
            &format!("sk_live_{}", "4e".repeat(12)),
            "AKIAABCDEFGHIJKLMNOP",
            "sb_secret_abcdefgh",
        ] {
            takes(&format!(r#"{{"a":"{key}"}}"#), "{}", &["/a"]);
            takes(&format!(r#"{{"a":"Bearer {key}"}}"#), "{}", &["/a"]);
            takes(
                &format!(r#"{{"a":"é: {key}. https://example.com/?token={key}&n=1"}}"#),
                r#"{"a":"é: <redacted>. https://example.com/?token=<redacted>&n=1"}"#,
                &["/a"],
            );
        }
        takes(
            r#"{"a":"Authorization: Bearer q7Xk2mP9vL4tR8wZ1nB6cD3f"}"#,
            r#"{"a":"Authorization: Bearer <redacted>"}"#,
            &["/a"],
        );
        takes(
            r#"{"a":"Authorization: Bearer q7Xk2mP9/L4tR8wZ1nB6+cD3f==, then"}"#,
            r#"{"a":"Authorization: Bearer <redacted>, then"}"#,
            &["/a"],
        );
        for text in [
            "Bearer of good news",
            "ghp_short",
            "sk_live_",
            "AKIAABCDEFGHIJKLMNOPQ",
            "eyJ",
            "eyJhbGci.x.y",
            "ASIAN FOOD",
            "pk_live_51H8abcdefghijklmnop",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "...",
            "a.b.c",
        ] {
            let json = format!(r#"{{"a":"{text}"}}"#);
            takes(&json, &json, &[]);
        }
        takes(r#"{"a":"-----BEGIN RSA PRIVATE KEY-----\nx"}"#, "{}", &["/a"]);
    }

    proptest! {
        #[test]
        fn a_text_without_a_key_is_kept_to_the_letter(text in "\\PC{0,60}") {
            prop_assert_eq!(without_keys(&text), None);
        }
    }

    #[test]
    fn secrets_go_at_any_depth_and_leave_their_place() {
        let json = r#"{"a":[{"password":"x","hasPassword":true,"pwd":""}],"jwt":"eyJhbGci.eyJzdWIi.c2ln",
            "text":"{\"token\":\"t\",\"n\":1.0}","plain":"{ not json","b":{"deep":{"session":{"id":1}}}}"#;
        takes(
            json,
            r#"{"a":[{"hasPassword":true,"pwd":""}],"text":"{\"n\":1.0}","plain":"{ not json","b":{"deep":{}}}"#,
            &["/a/0/password", "/jwt", "/text/token", "/b/deep/session"],
        );
    }
}
