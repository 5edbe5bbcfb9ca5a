//! What an app left in a browser, taken out of it.
//!
//! Two ways lead to the same file, one JSON object from key to text: a [`bookmarklet`] that the
//! browser runs itself, and [`profile`], which reads a copy of the folder where the browser keeps
//! what its pages store. The file is what `JSON.stringify(localStorage)` gives, sorted by key,
//! and with the keys that this call forgets, such as `length`.
//!
//! Everything here is pure but `profile` and `sqlite`, which open files.

pub mod bookmarklet;
#[cfg(feature = "profiles")]
mod chromium;
#[cfg(feature = "profiles")]
mod compressed;
#[cfg(feature = "profiles")]
mod firefox;
#[cfg(feature = "profiles")]
mod leveldb;
#[cfg(feature = "profiles")]
pub mod profile;
#[cfg(feature = "profiles")]
mod sqlite;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::exit::{self, Failure};
use crate::export::read_json;
use crate::node::Node;
use crate::secret::{is_secret_name, is_secret_text};

pub use text::Text;

/// What one site keeps in one browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Area {
    /// The site, such as `https://app.example`; more than that where a browser keeps it apart by more.
    pub origin: String,
    /// Everything it keeps.
    pub entries: BTreeMap<Text, Text>,
}

/// What all sites keep in one browser.
#[derive(Debug, Default)]
pub struct Profile {
    /// The sites that keep something, by name.
    pub areas: Vec<Area>,
    /// Where each site has a file of its own: why some of them cannot be read.
    pub damaged: Vec<Failure>,
}

/// A site in a list of sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The site.
    pub origin: String,
    /// How many keys it has.
    pub keys: usize,
    /// How long they and their values are, in UTF-16 units.
    pub characters: usize,
}

impl Area {
    /// The area as one JSON object.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        for (key, value) in &self.entries {
            if out.len() > 1 {
                out.push(',');
            }
            key.push_json(&mut out);
            out.push(':');
            value.push_json(&mut out);
        }
        out.push('}');
        out
    }

    /// Takes out the keys that hold somebody's session, and names them.
    pub fn without_sessions(&mut self) -> Vec<String> {
        let sessions = self.entries.extract_if(.., |key, value| is_session(key, value));
        sessions.map(|(key, _)| key.to_unicode()).collect()
    }

    /// The area in a list.
    pub fn line(&self) -> Line {
        let characters = self.entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        Line { origin: self.origin.clone(), keys: self.entries.len(), characters }
    }
}

/// True for a key that is a secret by its name, a value that is a token, and what an auth client stores.
fn is_session(key: &Text, value: &Text) -> bool {
    let (key, value) = (key.to_unicode(), value.to_unicode());
    let is_supabase = key.starts_with("sb-") && key.contains("-auth-token");
    let holds_tokens = || match read_json(&value) {
        Some(Node::Map(members)) => {
            ["access_token", "refresh_token"].iter().all(|name| members.contains_key(*name))
        }
        _ => false,
    };
    is_supabase
        || is_secret_name(&key)
        || is_secret_text(value.trim())
        || (value.contains("refresh_token") && holds_tokens())
}

impl Profile {
    /// The area of a site; without a name, the only one there is.
    ///
    /// # Errors
    /// Exit code 2 naming the sites there are, when it is not clear which; 5 when there are none, or a file
    /// is damaged that may be the one.
    pub fn area(mut self, origin: Option<&str>) -> Result<Area, Failure> {
        let is = |area: &Area, origin: &str| {
            [Some(origin), origin.strip_suffix('/')].contains(&Some(area.origin.as_str()))
        };
        let mut fitting = self.areas.iter().filter(|area| origin.is_none_or(|origin| is(area, origin)));
        let names = || self.areas.iter().map(|area| format!("\n  {}", area.origin)).collect::<String>();
        match (fitting.next(), fitting.next(), origin) {
            (Some(area), None, Some(_)) => Ok(area.clone()),
            (Some(area), None, None) if self.damaged.is_empty() => Ok(area.clone()),
            (Some(_), Some(_), _) => {
                let message = format!("several sites have stored something in this profile:{}", names());
                Err(Failure::new(exit::USAGE, "usage.origin", message)
                    .help("name the one you mean with --origin; --list says how much each has"))
            }
            _ if !self.damaged.is_empty() => Err(self.damaged.swap_remove(0)),
            (_, _, Some(origin)) if !self.areas.is_empty() => {
                let message = format!("{origin} has stored nothing in this profile; these have:{}", names());
                Err(Failure::new(exit::USAGE, "usage.origin", message).help("name one of them with --origin"))
            }
            _ => {
                let message = "no site has stored anything in this profile";
                Err(Failure::new(exit::INPUT, "profile.empty", message)
                    .help("check that it is the profile the app ran in"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(origin: &str, entries: &[(&str, &str)]) -> Area {
        let entries = entries.iter().map(|(key, value)| (Text::from(*key), Text::from(*value)));
        Area { origin: origin.to_owned(), entries: entries.collect() }
    }

    #[test]
    fn sessions_stay_where_they_are_and_data_does_not() {
        let session = r#"{"access_token":"a","refresh_token":"r","user":{}}"#;
        let mut area = area(
            "https://app.example",
            &[
                ("customers", r#"[{"id":1,"token":"t"}]"#),
                ("state", r#"{"token":"t","customers":[]}"#),
                ("sb-abc-auth-token", "x"),
                ("sb-abc-auth-token-code-verifier", "x"),
                ("supabase.auth.token", "x"),
                ("who", session),
                ("jwt", "eyJhbGci.eyJzdWIi.c2ln"),
                ("tokens", "3"),
            ],
        );
        let names = area.without_sessions();
        assert_eq!(
            names,
            ["jwt", "sb-abc-auth-token", "sb-abc-auth-token-code-verifier", "supabase.auth.token", "who"]
        );
        assert_eq!(
            area.to_json(),
            r#"{"customers":"[{\"id\":1,\"token\":\"t\"}]","state":"{\"token\":\"t\",\"customers\":[]}","tokens":"3"}"#
        );
    }

    #[test]
    fn a_site_is_taken_when_it_is_clear_which() {
        let both = || vec![area("https://a.example", &[("k", "vv")]), area("https://b.example", &[])];
        let one = || vec![area("https://a.example", &[("k", "vv")])];
        let damage = || vec![Failure::new(exit::INPUT, "profile.damaged", "ls/data.sqlite: it is cut off")];
        let take = |areas, damaged, origin| Profile { areas, damaged }.area(origin);
        for (areas, damaged, origin, expected) in [
            (both(), vec![], Some("https://b.example/"), "https://b.example"),
            (one(), vec![], None, "https://a.example"),
            (one(), damage(), Some("https://a.example"), "https://a.example"),
        ] {
            assert_eq!(take(areas, damaged, origin).map(|area| area.origin).ok().as_deref(), Some(expected));
        }
        for (areas, damaged, origin, code, part) in [
            (both(), vec![], None, exit::USAGE, "https://b.example"),
            (both(), damage(), None, exit::USAGE, "https://b.example"),
            (both(), vec![], Some("https://c.example"), exit::USAGE, "https://a.example"),
            (both(), damage(), Some("https://c.example"), exit::INPUT, "cut off"),
            (one(), damage(), None, exit::INPUT, "cut off"),
            (vec![], damage(), None, exit::INPUT, "cut off"),
            (vec![], vec![], Some("https://c.example"), exit::INPUT, "no site"),
        ] {
            let failure = take(areas, damaged, origin).expect_err(part);
            assert_eq!(failure.code, code, "{part}");
            assert!(failure.message.contains(part), "{}", failure.message);
        }
        assert_eq!(one()[0].line(), Line { origin: "https://a.example".to_owned(), keys: 1, characters: 3 });
    }
}
