//! What a provider says about somebody, in the words it is kept in.
//!
//! The hosted service knows a list of fields, each with its type; a provider that gives one another
//! type is not believed at all. What is not on the list is dropped, unless an admin has allowed it.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::{provider::Reading, user::Metadata};

const TEXTS: [&str; 19] = [
    "iss",
    "sub",
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone",
    "full_name",
    "avatar_url",
    "user_name",
];
const MORE_TEXTS: [&str; 3] = ["email", "slug", "provider_id"];
const FLAGS: [&str; 2] = ["email_verified", "phone_verified"];
/// What an ID token says about itself and not about its person.
const OF_THE_TOKEN: [&str; 3] = ["aud", "iat", "exp"];

/// What a provider says about somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// Who they are there.
    pub(super) subject: String,
    /// Their address there, in small letters, if they have one.
    pub(super) email: Option<String>,
    /// Whether the provider says that the address is theirs.
    pub(super) is_verified: bool,
    /// What is kept of it, with the identity and with the account.
    pub(super) data: Metadata,
}

/// A provider gives a field a type it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a field of the provider's answer has the wrong type")]
pub(super) struct WrongType;

impl Statement {
    /// Reads an answer. Its subject may be empty: then it says nothing about anybody.
    pub(super) fn read(raw: &Metadata, reading: &Reading) -> Result<Self, WrongType> {
        let mut data = known(raw)?;
        match reading {
            Reading::BuiltIn => name_as_built_in(&mut data, raw),
            Reading::Custom { mapping, allowlist } => {
                capture(&mut data, raw, allowlist);
                data = map(data, mapping);
            }
        }
        let text = |name| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (subject, email) = (text("sub"), text("email"));
        let is_verified = !email.is_empty() && data.get("email_verified") == Some(&Value::Bool(true));
        data.insert("email_verified".to_owned(), json!(is_verified));
        data.entry("phone_verified").or_insert(json!(false));
        let email = Some(email.to_ascii_lowercase()).filter(|email| !email.is_empty());
        Ok(Self { subject, email, is_verified, data })
    }
}

/// The fields on the list, if they have their types.
fn known(raw: &Metadata) -> Result<Metadata, WrongType> {
    let mut data = Metadata::new();
    for name in TEXTS.iter().chain(&MORE_TEXTS) {
        match raw.get(*name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) => _ = data.insert((*name).to_owned(), json!(text)),
            Some(_) => return Err(WrongType),
        }
    }
    for name in FLAGS {
        match raw.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(flag)) => _ = data.insert(name.to_owned(), json!(flag)),
            Some(_) => return Err(WrongType),
        }
    }
    for name in ["iat", "exp"] {
        match raw.get(name) {
            None | Some(Value::Null) => {}
            Some(number @ Value::Number(_)) => _ = data.insert(name.to_owned(), number.clone()),
            Some(_) => return Err(WrongType),
        }
    }
    if let Some(audience) = raw.get("aud").filter(|audience| !audience.is_null()) {
        data.insert("aud".to_owned(), json!(audiences(audience).ok_or(WrongType)?));
    }
    if let Some(updated) = raw.get("updated_at").filter(|updated| !updated.is_null()) {
        data.insert("updated_at".to_owned(), json!(time(updated).ok_or(WrongType)?));
    }
    if let Some(Value::Object(custom)) = raw.get("custom_claims") {
        data.insert("custom_claims".to_owned(), json!(custom));
    }
    Ok(data)
}

/// For whom a token is: one, or a list.
pub(super) fn audiences(audience: &Value) -> Option<Vec<String>> {
    match audience {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// A time written as seconds or as text, as text.
fn time(written: &Value) -> Option<String> {
    let at = match written {
        Value::Number(_) => DateTime::from_timestamp(written.as_f64()? as i64, 0)?,
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
        _ => return None,
    };
    Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The names that apps look for which are older than the standard ones.
fn name_as_built_in(data: &mut Metadata, raw: &Metadata) {
    // Who has no `sub` has an `id`, which may be a number.
    let id = match raw.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    if !id.is_empty() {
        data.entry("sub").or_insert(json!(id));
    }
    for name in OF_THE_TOKEN {
        data.remove(name);
    }
    for (old, new) in [("full_name", "name"), ("avatar_url", "picture"), ("provider_id", "sub")] {
        if let Some(value) = data.get(new).cloned() {
            data.entry(old).or_insert(value);
        }
    }
}

fn capture(data: &mut Metadata, raw: &Metadata, allowlist: &[String]) {
    for name in allowlist {
        if let Some(value) = raw.get(name) {
            let custom = data.entry("custom_claims").or_insert_with(|| json!({}));
            custom[name.as_str()] = value.clone();
        }
    }
}

/// Each field of the mapping is taken from the field it names, or is the value itself if that is no
/// text. If something then has the wrong type, nothing is mapped.
fn map(data: Metadata, mapping: &Metadata) -> Metadata {
    let mut mapped = data.clone();
    for (target, source) in mapping {
        match source {
            Value::String(name) => {
                if let Some(value) = data.get(name) {
                    mapped.insert(target.clone(), value.clone());
                }
            }
            value => _ = mapped.insert(target.clone(), value.clone()),
        }
    }
    known(&mapped).unwrap_or(data)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(value: Value) -> Metadata {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other}"),
        }
    }

    fn custom(mapping: Value, allowlist: &[&str]) -> Reading {
        Reading::Custom {
            mapping: object(mapping),
            allowlist: allowlist.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_built_in_provider_says_it_with_the_older_names_too() {
        let raw = object(json!({
            "iss": "https://idp.test", "sub": "7", "aud": "app", "exp": 5, "name": "Ana", "picture": "p",
            "email": "Ana@idp.test", "email_verified": true, "groups": ["a"],
        }));
        let statement = Statement::read(&raw, &Reading::BuiltIn).unwrap();
        assert_eq!((statement.subject.as_str(), statement.email.as_deref()), ("7", Some("ana@idp.test")));
        assert!(statement.is_verified);
        assert_eq!(
            Value::Object(statement.data),
            json!({
                "iss": "https://idp.test", "sub": "7", "name": "Ana", "picture": "p", "email": "Ana@idp.test",
                "email_verified": true, "phone_verified": false, "full_name": "Ana", "avatar_url": "p",
                "provider_id": "7",
            })
        );
        let raw = object(json!({"id": 7}));
        assert_eq!(Statement::read(&raw, &Reading::BuiltIn).unwrap().subject, "7");
    }

    #[test]
    fn a_custom_provider_is_read_as_the_admin_has_said() {
        let raw = object(json!({
            "sub": "7", "aud": "app", "iat": 5, "nickname": "ana", "mail": "a@b.c", "groups": ["a"],
            "updated_at": 0,
        }));
        let reading =
            custom(json!({"user_name": "nickname", "name": "nothing", "locale": "fr"}), &["groups", "x"]);
        let statement = Statement::read(&raw, &reading).unwrap();
        assert_eq!(
            Value::Object(statement.data),
            json!({
                "sub": "7", "aud": ["app"], "iat": 5, "nickname": "ana", "user_name": "ana",
                "updated_at": "1970-01-01T00:00:00Z", "custom_claims": {"groups": ["a"]},
                "email_verified": false, "phone_verified": false,
            })
        );
        let broken = custom(json!({"name": 5}), &[]);
        assert_eq!(Statement::read(&raw, &broken).unwrap().data.get("name"), None);
    }

    #[test]
    fn a_field_of_another_type_is_not_believed() {
        for raw in [
            json!({"sub": 7}),
            json!({"email_verified": "true"}),
            json!({"aud": [1]}),
            json!({"updated_at": "x"}),
        ] {
            assert_eq!(Statement::read(&object(raw), &Reading::BuiltIn), Err(WrongType));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_the_same_again(name in "[a-z]{0,9}", email in "[a-zA-Z@.]{0,9}", verified: bool) {
            let raw = object(json!({"sub": "7", "name": name, "email": email, "email_verified": verified}));
            let once = Statement::read(&raw, &Reading::BuiltIn).unwrap();
            prop_assert_eq!(Statement::read(&once.data, &Reading::BuiltIn).unwrap(), once);
        }
    }
}
