//! Buckets: what they are called, who may see into them, and what they take.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Json,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{
    LARGEST_OBJECT, Service,
    list::{Order, Page},
    reply::{StorageError, taken},
    request::{Asked, Caller, check_bucket},
    store::{Bucket, BucketChange, Object},
};

/// `POST /bucket` and `PUT /bucket/{id}`
#[derive(Debug, Deserialize)]
pub(super) struct BucketQuestion {
    id: Option<String>,
    #[serde(default)]
    name: String,
    public: Option<bool>,
    #[serde(default, deserialize_with = "said")]
    file_size_limit: Option<Option<Size>>,
    #[serde(default, deserialize_with = "said")]
    allowed_mime_types: Option<Option<Vec<String>>>,
    r#type: Option<String>,
}

/// A number of bytes, as one or in words: `"20MB"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(i64),
    Words(String),
}

/// `GET /bucket`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketPage {
    limit: Option<i64>,
    offset: Option<i64>,
    sort_column: Option<String>,
    sort_order: Option<String>,
    search: Option<String>,
}

impl Size {
    fn bytes(&self) -> Result<i64, StorageError> {
        let bytes = match self {
            Self::Bytes(bytes) => Some(*bytes),
            Self::Words(words) => in_bytes(words),
        };
        let bytes = bytes.filter(|bytes| *bytes >= 0).ok_or_else(|| {
            StorageError::invalid_request("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B")
        })?;
        // Nothing said is no limit of its own.
        if bytes.cast_unsigned() > LARGEST_OBJECT { Err(StorageError::limit_too_large()) } else { Ok(bytes) }
    }
}

impl BucketQuestion {
    fn change(&self) -> Result<BucketChange, StorageError> {
        if self.r#type.as_deref().is_some_and(|kind| kind != "STANDARD") {
            return Err(StorageError::not_imitated("buckets for analytics and vectors"));
        }
        let limit = match &self.file_size_limit {
            None => None,
            Some(None) => Some(None),
            Some(Some(size)) => Some(Some(size.bytes()?).filter(|bytes| *bytes > 0)),
        };
        Ok(BucketChange {
            public: self.public,
            file_size_limit: limit,
            allowed_mime_types: self.allowed_mime_types.clone(),
        })
    }
}

pub(super) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Asked(asked): Asked<BucketQuestion>,
) -> Result<Json<Value>, StorageError> {
    check_bucket(&asked.name)?;
    let id = asked.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&asked.name);
    check_bucket(id)?;
    let change = asked.change()?;
    let mut tx = service.store.begin_as(&caller).await?;
    tx.add_bucket(id, &asked.name, &caller, &change)
        .await
        .map_err(|error| taken(error, StorageError::bucket_already_exists))?;
    tx.commit().await?;
    Ok(Json(json!({"name": asked.name})))
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(asked): Query<BucketPage>,
    caller: Caller,
) -> Result<Json<Vec<Bucket>>, StorageError> {
    let columns = ["id", "name", "created_at", "updated_at"];
    let page = Page {
        search: asked.search.unwrap_or_default(),
        limit: asked.limit.unwrap_or(i64::MAX).max(0),
        offset: asked.offset.unwrap_or(0).max(0),
        order: Order::new(asked.sort_column.as_deref(), asked.sort_order.as_deref(), &columns)?,
    };
    Ok(Json(service.store.begin_as(&caller).await?.buckets(&page).await?))
}

pub(super) async fn read(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Bucket>, StorageError> {
    let found = service.store.begin_as(&caller).await?.bucket(&id).await?;
    found.map(Json).ok_or_else(StorageError::no_such_bucket)
}

pub(super) async fn change(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    caller: Caller,
    Asked(asked): Asked<BucketQuestion>,
) -> Result<Json<Value>, StorageError> {
    let change = asked.change()?;
    let mut tx = service.store.begin_as(&caller).await?;
    if !tx.change_bucket(&id, &change).await? {
        return Err(StorageError::no_such_bucket());
    }
    tx.commit().await?;
    Ok(Json(json!({"message": "Successfully updated"})))
}

pub(super) async fn empty(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let mut tx = service.store.begin_as(&caller).await?;
    tx.bucket(&id).await?.ok_or_else(StorageError::no_such_bucket)?;
    let removed = tx.remove_all(&id).await?;
    tx.commit().await?;
    service.files.remove(removed.iter().filter_map(Object::version)).await;
    Ok(Json(json!({"message": "Successfully emptied"})))
}

pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let mut tx = service.store.begin().await?;
    // Asked as the service: what is in there may be hidden from who asks.
    let is_empty = tx.is_empty(&id).await?;
    tx.become_caller(&caller).await?;
    tx.bucket(&id).await?.ok_or_else(StorageError::no_such_bucket)?;
    if !is_empty {
        return Err(StorageError::bucket_not_empty());
    }
    if !tx.remove_bucket(&id).await? {
        return Err(StorageError::no_such_bucket());
    }
    tx.commit().await?;
    Ok(Json(json!({"message": "Successfully deleted"})))
}

/// Thousands and not 1,024s, as hosted.
fn in_bytes(words: &str) -> Option<i64> {
    let words = words.to_ascii_lowercase();
    let units = [("gb", 1e9), ("mb", 1e6), ("kb", 1e3), ("b", 1.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((words.strip_suffix(name)?, unit)))?;
    let is_number = number.starts_with(|first: char| first.is_ascii_digit());
    let bytes = number.parse::<f64>().ok().filter(|_| is_number)? * unit;
    (bytes.is_finite() && bytes < i64::MAX as f64).then_some(bytes as i64)
}

/// Something that may be null: said or not.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_in_bytes_or_in_words() {
        for (words, bytes) in [("20MB", Some(20_000_000)), ("1.5kb", Some(1500)), ("3b", Some(3))] {
            assert_eq!(in_bytes(words), bytes, "{words}");
        }
        for words in ["", "MB", "-1MB", "nanb", "20 MB", "1e400gb"] {
            assert_eq!(in_bytes(words), None, "{words}");
        }
    }

    #[test]
    fn what_is_not_said_is_left_alone_and_null_takes_it_away() {
        let change = |asked| serde_json::from_value::<BucketQuestion>(asked).unwrap().change();
        let nothing = change(json!({"name": "b"})).unwrap();
        assert!(nothing.public.is_none() && nothing.file_size_limit.is_none());
        let taken = change(json!({"file_size_limit": null, "allowed_mime_types": null})).unwrap();
        assert_eq!((taken.file_size_limit, taken.allowed_mime_types), (Some(None), Some(None)));
        assert!(change(json!({"file_size_limit": "1GB"})).is_err());
    }
}
