//! Objects that are there: under another name, once more, and gone.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Json,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Service,
    reply::{StorageError, taken},
    request::{Asked, Caller, Place, check_bucket, user_metadata},
    store::{NewObject, Object},
    upload::Writing,
};

/// `POST /object/move` and `POST /object/copy`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    bucket_id: String,
    source_key: String,
    destination_bucket: Option<String>,
    destination_key: String,
    copy_metadata: Option<bool>,
    metadata: Option<NewMetadata>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewMetadata {
    cache_control: Option<String>,
    mimetype: Option<String>,
}

/// `DELETE /object/{bucket}`
#[derive(Debug, Deserialize)]
pub(super) struct Removal {
    prefixes: Vec<String>,
}

impl Transfer {
    fn places(&self) -> Result<(Place, Place), StorageError> {
        let to = self.destination_bucket.as_ref().unwrap_or(&self.bucket_id);
        Ok((
            Place::new(self.bucket_id.clone(), self.source_key.clone())?,
            Place::new(to.clone(), self.destination_key.clone())?,
        ))
    }
}

pub(super) async fn rename(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Asked(asked): Asked<Transfer>,
) -> Result<Json<Value>, StorageError> {
    let (from, to) = asked.places()?;
    let mut tx = service.store.begin().await?;
    tx.lock(&[&from, &to]).await?;
    tx.become_caller(&caller).await?;
    let moved = tx
        .rename(&from, &to, &caller)
        .await
        .map_err(|error| taken(error, StorageError::key_already_exists))?
        .ok_or_else(StorageError::no_such_key)?;
    tx.commit().await?;
    Ok(Json(json!({"message": "Successfully moved", "Id": moved.id, "Key": moved.name})))
}

pub(super) async fn copy(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    Asked(asked): Asked<Transfer>,
) -> Result<Json<Value>, StorageError> {
    let (from, to) = asked.places()?;
    let writing = Writing::of(&headers);
    let source = service.store.begin_as(&caller).await?.object(&from).await?;
    let source = source.ok_or_else(StorageError::no_such_key)?;
    let mut metadata = source.metadata.clone().unwrap_or_else(|| json!({}));
    let mut about = source.user_metadata.clone();
    if asked.copy_metadata == Some(false) {
        about = user_metadata(&headers);
        let new = asked.metadata.unwrap_or(NewMetadata { cache_control: None, mimetype: None });
        for (name, value) in [("cacheControl", new.cache_control), ("mimetype", new.mimetype)] {
            if let Some(value) = value {
                metadata[name] = json!(value);
            }
        }
    }
    service.try_write(&to, &caller, writing, metadata.clone(), about.clone()).await?;
    let version = source.version().ok_or_else(StorageError::no_such_key)?;
    let version = service.files.copy(version).await?.ok_or_else(StorageError::no_such_key)?;
    let new = NewObject {
        place: &to,
        owner: &caller,
        version: Some(version),
        metadata: metadata.clone(),
        user_metadata: about,
    };
    let written = service.put_row(&new, writing).await;
    if written.is_err() {
        service.files.remove([version]).await;
    }
    let id = written?;
    Ok(Json(json!({
        "Id": id, "Key": to.path(),
        "id": id, "name": to.name, "bucket_id": to.bucket, "version": version, "metadata": metadata,
    })))
}

pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    place: Place,
    caller: Caller,
) -> Result<Json<Value>, StorageError> {
    let removed = service.remove(&caller, &place.bucket, &[place.name]).await?;
    if removed.is_empty() {
        Err(StorageError::no_such_key())
    } else {
        Ok(Json(json!({"message": "Successfully deleted"})))
    }
}

pub(super) async fn remove_many(
    State(service): State<Arc<Service>>,
    Path(bucket): Path<String>,
    caller: Caller,
    Asked(asked): Asked<Removal>,
) -> Result<Json<Vec<Object>>, StorageError> {
    check_bucket(&bucket)?;
    Ok(Json(service.remove(&caller, &bucket, &asked.prefixes).await?))
}

impl Service {
    /// Those that were there, and that who asks may remove.
    async fn remove(
        &self,
        caller: &Caller,
        bucket: &str,
        names: &[String],
    ) -> Result<Vec<Object>, StorageError> {
        let mut tx = self.store.begin_as(caller).await?;
        let removed = tx.remove(bucket, names).await?;
        tx.commit().await?;
        self.files.remove(removed.iter().filter_map(Object::version)).await;
        Ok(removed)
    }
}
