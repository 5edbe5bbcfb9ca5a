//! Keys that hold no records of the app's users: how it looks, who is signed in, when it synced.
//!
//! A list of records is never noise, whatever it is called.

use crate::typegen::name::words;

use super::layout;
use super::names;
use super::stats::Place;
use super::text::Look;

/// Words in a name, and what a key of that name is for.
const REASONS: [(&[&str], &str); 8] = [
    (
        &[
            "theme",
            "dark",
            "darkmode",
            "sidebar",
            "layout",
            "toolbar",
            "zoom",
            "ui",
            "hydrated",
            "filter",
            "filters",
            "pagination",
            "sort",
            "view",
            "tab",
        ],
        "how the app looks",
    ),
    (&["lang", "language", "locale", "lng", "i18next", "i18n"], "the language of the app"),
    (&["device", "fingerprint"], "the device"),
    (
        &["sync", "synced", "cache", "cached", "persist", "migration", "migrated", "queue", "dirty"],
        "how the app keeps its data",
    ),
    (
        &["token", "session", "auth", "jwt", "login", "remember", "currentuser", "loggedinuser"],
        "who is signed in",
    ),
    (
        &["tour", "onboarding", "tutorial", "welcome", "seen", "dismissed", "consent", "cookie", "cookies"],
        "what the app has shown",
    ),
    (
        &["counter", "counters", "nextid", "lastid", "sequence", "sequences"],
        "counters: no id is made from them",
    ),
    (
        &["debug", "log", "sentry", "amplitude", "mixpanel", "posthog", "gtm", "analytics", "flags"],
        "what the app tells its makers",
    ),
];

/// Words of what a store keeps beside its records.
const STATE: [&str; 12] = [
    "loading",
    "loaded",
    "error",
    "errors",
    "hydrated",
    "initialized",
    "fetched",
    "fetching",
    "selected",
    "current",
    "active",
    "status",
];

/// Words of what an export says of itself.
const HEADER: [&str; 18] = [
    "version",
    "schema",
    "timestamp",
    "exported",
    "export",
    "backup",
    "created",
    "generated",
    "last",
    "total",
    "count",
    "format",
    "app",
    "appname",
    "source",
    "type",
    "model",
    "hydrated",
];

/// Why a key holds no records, if it holds none.
pub(crate) fn reason(name: &str, place: &Place) -> Option<&'static str> {
    if place.filled() == 0 {
        return Some("empty");
    }
    if place.secrets == place.count {
        return Some("a secret");
    }
    let words = words(name);
    if holds_records(place) {
        return None;
    }
    if place.texts.with(Look::Packed) > 0 {
        return Some("packed by lz-string, and not unpacked: what is in it is not known");
    }
    if place.maps.count == 0 && place.lists.count == 0 {
        return Some(named(&words).unwrap_or(if is_header(name) {
            "what the export says of itself"
        } else {
            "a single value"
        }));
    }
    if place.maps.count > 0 && place.maps.empty == place.maps.count {
        return Some("empty");
    }
    let computed = words
        .iter()
        .any(|word| matches!(word.as_str(), "stats" | "statistics" | "dashboard" | "totals" | "summary"));
    let fields = || place.maps.fields.values();
    if computed && fields().all(|field| field.numbers.count == field.filled()) {
        return Some("computed from the records");
    }
    let is_user = matches!(
        words.join("").as_str(),
        "user" | "currentuser" | "loggedinuser" | "authuser" | "me" | "usuarioactual"
    );
    if is_user && place.maps.count == 1 {
        return Some("who is signed in");
    }
    if fields().any(|field| field.secrets > 0) && named(&words) == Some("who is signed in") {
        return Some("who is signed in");
    }
    // Settings are records of their own, even those of a screen; what is only switches is not.
    let small = place.lists.count == 0 && fields().all(|field| field.lists.count == 0);
    named(&words).filter(|_| small)
}

/// True for a name that an export has beside its records.
pub(crate) fn is_header(name: &str) -> bool {
    words(name).iter().any(|word| HEADER.contains(&word.as_str())) || names::is_moment(name)
}

/// True for a name that a store has beside its records.
pub(crate) fn is_state(name: &str) -> bool {
    words(name).iter().any(|word| STATE.contains(&word.as_str()))
}

fn named(name: &[String]) -> Option<&'static str> {
    let joined = name.join("");
    let is = |known: &&str| name.iter().any(|word| word == known) || joined == **known;
    REASONS.iter().find(|(words, _)| words.iter().any(is)).map(|(_, reason)| *reason)
}

/// True if there is a list of objects in it, however deep, or an object of objects by key.
fn holds_records(place: &Place) -> bool {
    let listed = place.items().is_some_and(|items| items.maps.count > 0);
    let keyed = || layout::collection(place).is_some_and(|(_, records)| records.maps.count > 1);
    listed || place.maps.count > 0 && keyed() || place.maps.fields.values().any(holds_records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;

    #[test]
    fn a_key_is_noise_by_what_it_is_for() {
        for (name, json, noise) in [
            ("app_theme", "\"dark\"", true),
            ("i18nextLng", "\"vi\"", true),
            ("device_id", "\"device_1\"", true),
            ("counters", "{\"clients\":0}", true),
            ("auth-state", "{\"isAuthenticated\":true}", true),
            ("dashboard-stats", "{\"totalRepairs\":5}", true),
            ("garage", "{}", true),
            ("version", "1", true),
            ("app-settings", "{\"currency\":\"MAD\"}", false),
            ("sessions", "[{\"id\":1}]", false),
            ("persist:root", "{\"a\":{\"b\":{\"c\":[{\"id\":1}]}}}", false),
            ("session_logs", "[{\"id\":1}]", false),
            ("tags", "[\"a\"]", false),
        ] {
            let mut place = Place::default();
            place.take(&read_json(json).expect("JSON"), 0);
            assert_eq!(reason(name, &place).is_some(), noise, "{name} {json}");
        }
    }
}
