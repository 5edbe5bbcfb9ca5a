//! An upload that is not whole yet: what it is to become, and until when it may.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{request::Place, upload::Described},
    reply::TusError,
};

/// As hosted.
const LASTS: TimeDelta = TimeDelta::hours(24);

/// As it lies beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub(super) version: Uuid,
    pub(super) place: Place,
    /// None while nobody has said it.
    pub(super) length: Option<u64>,
    /// `Upload-Metadata`, as it was said.
    pub(super) said: String,
    created: DateTime<Utc>,
    /// It is an object now.
    pub(super) done: bool,
}

/// What the address of an upload ends with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DraftId {
    pub(super) place: Place,
    pub(super) version: Uuid,
}

impl Draft {
    pub(super) fn new(said: &str, length: Option<u64>, now: DateTime<Utc>) -> Result<Self, TusError> {
        let pairs = read(said).ok_or_else(TusError::metadata)?;
        let bucket = find(&pairs, "bucketName").unwrap_or_default();
        let name = find(&pairs, "objectName").unwrap_or_default();
        let place = Place::new(bucket, name)?;
        Ok(Self { version: Uuid::new_v4(), place, length, said: said.to_owned(), created: now, done: false })
    }

    pub(super) fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}/{}", self.place.path(), self.version))
    }

    pub(super) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        now >= self.created + LASTS
    }

    /// As HTTP says a date.
    pub(super) fn expires(&self) -> String {
        (self.created + LASTS).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    pub(super) fn mime(&self) -> Option<String> {
        self.value("contentType").filter(|mime| !mime.is_empty())
    }

    pub(super) fn described(&self) -> Described {
        let seconds = self.value("cacheControl").filter(|seconds| seconds.parse::<i64>().is_ok());
        Described {
            mime: self.mime().unwrap_or_else(|| "application/octet-stream".to_owned()),
            cache_control: seconds
                .map_or_else(|| "no-cache".to_owned(), |seconds| format!("max-age={seconds}")),
            user_metadata: self.value("metadata").and_then(|json| serde_json::from_str(&json).ok()),
        }
    }

    /// What a policy may look at before the bytes are there.
    pub(super) fn metadata_to_try(&self, described: &Described) -> Value {
        json!({"mimetype": described.mime, "cacheControl": described.cache_control, "size": self.length})
    }

    fn value(&self, name: &str) -> Option<String> {
        find(&read(&self.said)?, name)
    }
}

impl DraftId {
    pub(super) fn read(id: &str) -> Result<Self, TusError> {
        let parts = || {
            let id = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
            let (path, version) = id.rsplit_once('/')?;
            let (bucket, name) = path.split_once('/')?;
            let place = Place::new(bucket.to_owned(), name.to_owned()).ok()?;
            Some(Self { place, version: version.parse().ok()? })
        };
        parts().ok_or_else(TusError::not_found)
    }
}

/// Names and values of `Upload-Metadata`; None for what is none.
fn read(said: &str) -> Option<Vec<(&str, String)>> {
    let pairs = said.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            Some((name, String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?))
        })
        .collect()
}

fn find(pairs: &[(&str, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &str)]) -> String {
        let pairs = pairs.iter().map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
        pairs.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_draft_says_what_it_becomes() {
        let said = said(&[
            ("bucketName", "b"),
            ("objectName", "a/b c.png"),
            ("contentType", "image/png"),
            ("cacheControl", "60"),
            ("metadata", "{\"k\":1}"),
        ]);
        let draft = Draft::new(&said, Some(3), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(draft.place.path(), "b/a/b c.png");
        let described = draft.described();
        assert_eq!((described.mime.as_str(), described.cache_control.as_str()), ("image/png", "max-age=60"));
        assert_eq!(described.user_metadata, Some(json!({"k": 1})));
        let id = DraftId::read(&draft.id()).unwrap();
        assert_eq!((id.place, id.version), (draft.place.clone(), draft.version));
        assert_eq!(draft.expires(), "Fri, 02 Jan 1970 00:00:00 GMT");
        assert!(!draft.is_expired(DateTime::UNIX_EPOCH + LASTS - TimeDelta::seconds(1)));
        assert!(draft.is_expired(DateTime::UNIX_EPOCH + LASTS));
    }

    #[test]
    fn what_is_no_metadata_and_no_address_is_refused() {
        for said in [
            "",
            "bucketName !",
            "objectName YQ==",
            "bucketName Yg==,objectName",
            "bucketName Yg==,objectName //8=",
        ] {
            assert!(Draft::new(said, None, DateTime::UNIX_EPOCH).is_err(), "{said}");
        }
        for id in ["", "!", "YQ", "YS9i"] {
            assert!(DraftId::read(id).is_err(), "{id}");
        }
    }
}
