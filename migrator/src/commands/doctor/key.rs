//! What a key says about itself, without asking anybody whether it is true.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use super::findings::Checkup;
use crate::exit;
use crate::lang::Phrase as P;

/// A key, and the setting it comes from.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) text: String,
    /// Whether the setting is for a secret key.
    pub(super) secret: bool,
}

/// What a legacy key claims.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    role: String,
    exp: Option<u64>,
    #[serde(rename = "ref")]
    project: Option<String>,
}

impl Key {
    /// Says what kind of key it is and what is wrong with it; true if it can be used.
    pub(super) fn look(&self, host: &str, now: SystemTime, checkup: &mut Checkup) -> bool {
        let (text, name) = (self.text.trim(), self.name.as_str());
        let claims = claims(text);
        let (kind, secret) = match &claims {
            _ if text.starts_with("sb_publishable_") => (P::KeyPublishable, false),
            _ if text.starts_with("sb_secret_") => (P::KeySecret, true),
            Some(claims) if claims.role == "service_role" => (P::KeyLegacySecret, true),
            Some(_) => (P::KeyLegacyAnon, false),
            None => {
                checkup.fail(
                    "key.unknown",
                    exit::REFUSED,
                    P::KeyUnknown,
                    &[("name", &name)],
                    P::KeyUnknownHelp,
                );
                return false;
            }
        };
        if secret != self.secret {
            checkup.fail("key.swapped", exit::REFUSED, P::KeySwapped, &[("name", &name)], P::KeySwappedHelp);
            return false;
        }
        let claims = claims.unwrap_or_default();
        if let Some(expired) =
            claims.exp.map(|exp| SystemTime::UNIX_EPOCH + Duration::from_secs(exp.min(1 << 37)))
            && expired < now
        {
            let day = Timestamp::try_from(expired)
                .map(|time| time.strftime("%Y-%m-%d").to_string())
                .unwrap_or_default();
            let values: [(&str, &dyn std::fmt::Display); 2] = [("name", &name), ("day", &day)];
            checkup.fail("key.expired", exit::REFUSED, P::KeyExpired, &values, P::KeyExpiredHelp);
            return false;
        }
        let project = host.strip_suffix(".supabase.co").filter(|project| !project.contains('.'));
        if let (Some(other), Some(project)) = (&claims.project, project)
            && other != project
        {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("name", &name), ("other", other), ("project", &project)];
            checkup.fail("key.foreign", exit::REFUSED, P::KeyForeign, &values, P::KeyForeignHelp);
            return false;
        }
        checkup.ok("key.kind", kind, &[("name", &name)]);
        true
    }
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    parts.next().is_none().then_some(())?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn legacy(claims: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[track_caller]
    fn says(text: &str, secret: bool, host: &str, id: &str, usable: bool) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut checkup = Checkup::new(Lang::En);
        let key = Key { name: "SUPABASE_KEY".to_owned(), text: text.to_owned(), secret };
        assert_eq!(key.look(host, now, &mut checkup), usable, "{id}");
        let document = serde_json::to_value(checkup.findings()).expect("JSON");
        assert_eq!(document[0]["id"], id, "{document}");
        assert!(!document.to_string().contains(text), "a key is never shown");
    }

    #[test]
    fn a_key_is_known_by_its_looks_and_claims() {
        let host = "abcd.supabase.co";
        says("sb_publishable_x", false, host, "key.kind", true);
        says("sb_secret_x", true, host, "key.kind", true);
        says("sb_secret_x", false, host, "key.swapped", false);
        says("sb_publishable_x", true, host, "key.swapped", false);
        says("hunter2", true, host, "key.unknown", false);
        says("eyJ.eyJ.", true, host, "key.unknown", false);
        says(&legacy(r#"{"role":"anon","ref":"abcd","exp":1900000000}"#), false, host, "key.kind", true);
        says(&legacy(r#"{"role":"service_role","ref":"abcd"}"#), true, host, "key.kind", true);
        says(&legacy(r#"{"role":"anon","ref":"abcd","exp":1700000000}"#), false, host, "key.expired", false);
        says(&legacy(r#"{"role":"anon","ref":"efgh"}"#), false, host, "key.foreign", false);
        says(&legacy(r#"{"role":"anon","ref":"efgh"}"#), false, "127.0.0.1", "key.kind", true);
        says(&legacy(r#"{"role":"anon","exp":18446744073709551615}"#), false, host, "key.kind", true);
    }
}
