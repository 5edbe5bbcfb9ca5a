//! Accounts of the old app as accounts of the project.
//!
//! Their ids are computed like those of rows, so an import that is repeated finds them again. A password is
//! moved only as a hash that Auth takes; one in clear never is, and its owner asks for a new one.

use serde::Serialize;
use serde_json::{Map, Value};
use supabase_sdk::auth::NewUser;
use uuid::Uuid;

use crate::exit::Failure;
use crate::export::{Export, Item, Repairs};
use crate::identity::{self, Identity};
use crate::mapping::{Accounts, Field, Mapping};
use crate::node::Node;
use crate::plan::shape_of;

/// What an account's id is made with, beside the old id.
const TABLE: &str = "auth.users";

/// An account to be made.
#[derive(Debug)]
pub struct Account {
    /// Where it stands in the export.
    pub at: String,
    /// What Auth is asked for.
    pub user: NewUser,
    /// What became of the password.
    pub password: Password,
}

/// What became of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Password {
    /// Its hash goes along.
    Moved,
    /// There was none.
    None,
    /// It stood there in clear, or in a form that Auth does not know.
    LeftOut,
}

/// A record that is no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Odd {
    /// Where it stands.
    pub pointer: String,
    /// Why.
    pub message: String,
}

/// Reads the accounts of an export, in its order.
///
/// # Errors
/// Exit code 5 when the export has none of the shapes the mapping knows.
pub fn read(
    export: &Export,
    mapping: &Mapping,
    accounts: &Accounts,
    scope: &str,
) -> Result<(Vec<Account>, Vec<Odd>), Failure> {
    let identity = Identity::new(mapping.ids.namespace, scope);
    let (mut all, mut odd) = (Vec::new(), Vec::new());
    for document in &export.documents {
        let Some(shape) = shape_of(document, export, mapping) else { continue };
        for path in &accounts.from {
            for found in path.find(&shape.root, &shape.prefix, document) {
                let at = document.base.join(&found.at);
                export.each(found.outline, &at, path.items, &mut Repairs::default(), &mut |item| {
                    match account(&item, accounts, &identity) {
                        Ok(account) => all.push(account),
                        Err(message) => odd.push(Odd { pointer: item.at.to_string(), message }),
                    }
                    Ok(())
                })?;
            }
        }
    }
    Ok((all, odd))
}

fn account(item: &Item, accounts: &Accounts, identity: &Identity) -> Result<Account, String> {
    let id = peek(item, &accounts.id).and_then(|id| identity::canon(&id)).filter(|id| !id.is_empty());
    let id = id.ok_or("the record has no id")?;
    let text = |field: &Option<Field>| match peek(item, field.as_ref()?)? {
        Node::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Node::Number(number) => Some(number.canonical()),
        _ => None,
    };
    let email = text(&accounts.email).filter(|email| email.contains('@'));
    let phone = text(&accounts.phone);
    if email.is_none() && phone.is_none() {
        return Err("the record has neither an e-mail address nor a phone number".to_owned());
    }
    let (password_hash, password) = match text(&accounts.password_hash) {
        None => (None, Password::None),
        Some(hash) if is_hash(&hash) => (Some(hash), Password::Moved),
        Some(_) => (None, Password::LeftOut),
    };
    let data = accounts.data.iter().filter_map(|(name, field)| {
        let value: Value = serde_json::from_str(&peek(item, field)?.to_json()).ok()?;
        Some((name.clone(), value)).filter(|(_, value)| !value.is_null())
    });
    let data: Map<String, Value> = data.collect();
    let user = NewUser {
        id: Some(identity.of_record(TABLE, id).id),
        email_confirm: email.is_some(),
        phone_confirm: phone.is_some(),
        email,
        phone,
        password_hash,
        user_metadata: Value::Object(data),
        ..NewUser::default()
    };
    Ok(Account { at: item.at.to_string(), user, password })
}

fn peek(item: &Item, field: &Field) -> Option<Node> {
    match field {
        Field::Whole => Some(item.value.clone()),
        Field::Key => item.key.clone().map(Node::Text),
        Field::Group => item.group.clone().map(Node::Text),
        Field::Index => Some(crate::export::item_place(item.index)),
        Field::Named(steps) => steps
            .iter()
            .try_fold(&item.value, |node, step| match node {
                Node::Map(members) => members.get(step),
                _ => None,
            })
            .cloned(),
    }
}

/// True for a hash that Auth takes: of another it makes an error that does not say why. As read in its
/// `internal/crypto/password.go`.
fn is_hash(text: &str) -> bool {
    is_bcrypt(text) || is_argon2(text) || text.starts_with("$fbscrypt$v=1,")
}

fn is_bcrypt(text: &str) -> bool {
    let Some((version, rest)) = text.strip_prefix("$2").and_then(|rest| rest.split_once('$')) else {
        return false;
    };
    let Some((cost, hash)) = rest.split_once('$') else { return false };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    matches!(version, "a" | "b" | "y")
        && cost.len() == 2
        && cost.parse::<u8>().is_ok_and(|cost| (4..=31).contains(&cost))
        && hash.len() == 53
        && hash.bytes().all(is_plain)
}

fn is_argon2(text: &str) -> bool {
    let mut parts = text.split('$');
    let (start, kind, version) = (parts.next(), parts.next(), parts.next());
    let (costs, salt, hash, end) = (parts.next(), parts.next(), parts.next(), parts.next());
    let at_most = |name: &str, most: u64| {
        let costs = costs.unwrap_or_default().split(',');
        let mut values = costs.filter_map(|cost| cost.strip_prefix(name)?.strip_prefix('='));
        values
            .next()
            .and_then(|value| value.parse::<u64>().ok())
            .is_some_and(|value| value >= 1 && value <= most)
    };
    start == Some("")
        && matches!(kind, Some("argon2i" | "argon2id"))
        && version == Some("v=19")
        && at_most("m", 1 << 20)
        && at_most("t", 20)
        && at_most("p", 16)
        && salt.is_some_and(|salt| !salt.is_empty())
        && hash.is_some_and(|hash| !hash.is_empty())
        && end.is_none()
}

/// The id an account gets.
pub fn id_of(account: &Account) -> Uuid {
    account.user.id.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_auth_takes_is_a_hash() {
        for hash in [
            "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$2a$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=a2V5$c2FsdA$aGFzaA",
        ] {
            assert!(is_hash(hash), "{hash}");
        }
        for other in [
            "hunter2",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$2y$10$short",
            "$argon2id$v=16$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
            "$argon2id$v=19$m=2097152,t=3,p=4$c29tZXNhbHQ$aGFzaA",
            "$argon2d$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
        ] {
            assert!(!is_hash(other), "{other}");
        }
    }
}
