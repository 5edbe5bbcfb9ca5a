//! What there is: a folder at a time, or every object under a prefix.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Json,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Service,
    reply::StorageError,
    request::{Asked, Caller, check_bucket},
    store::Entry,
};

/// Which part of a list is wanted, and in which order.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) search: String,
    pub(super) limit: i64,
    pub(super) offset: i64,
    pub(super) order: Order,
}

/// By which column, and which way.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) column: &'static str,
    pub(super) descending: bool,
}

/// What of a folder is wanted.
#[derive(Debug)]
pub(super) struct Search {
    /// Empty, or with a `/` at its end.
    pub(super) folder: String,
    pub(super) page: Page,
}

/// `POST /object/list/{bucket}`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuestion {
    #[serde(default)]
    prefix: String,
    limit: Option<i64>,
    offset: Option<i64>,
    search: Option<String>,
    sort_by: Option<SortBy>,
}

#[derive(Debug, Default, Deserialize)]
struct SortBy {
    column: Option<String>,
    order: Option<String>,
}

/// `POST /object/list-v2/{bucket}`
#[derive(Debug, Deserialize)]
pub(super) struct KeysQuestion {
    #[serde(default)]
    prefix: String,
    limit: Option<i64>,
    cursor: Option<String>,
    #[serde(default)]
    with_delimiter: bool,
    #[serde(rename = "sortBy")]
    sort_by: Option<SortBy>,
}

impl Order {
    /// By one of the columns a list can be sorted by.
    pub(super) fn new(
        column: Option<&str>,
        order: Option<&str>,
        columns: &[&'static str],
    ) -> Result<Self, StorageError> {
        let wanted = column.unwrap_or("name");
        let column = columns.iter().find(|known| **known == wanted);
        let column =
            column.ok_or_else(|| StorageError::invalid_request("a list can not be sorted by this column"))?;
        Ok(Self { column, descending: order.is_some_and(|order| order.eq_ignore_ascii_case("desc")) })
    }
}

impl TryFrom<ListQuestion> for Search {
    type Error = StorageError;

    fn try_from(asked: ListQuestion) -> Result<Self, StorageError> {
        let mut folder = asked.prefix;
        if !folder.is_empty() && !folder.ends_with('/') {
            folder.push('/');
        }
        let sort = asked.sort_by.unwrap_or_default();
        let columns = ["name", "updated_at", "created_at", "last_accessed_at"];
        let page = Page {
            search: asked.search.unwrap_or_default(),
            limit: asked.limit.unwrap_or(100).max(0),
            offset: asked.offset.unwrap_or(0).max(0),
            order: Order::new(sort.column.as_deref(), sort.order.as_deref(), &columns)?,
        };
        Ok(Self { folder, page })
    }
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Path(bucket): Path<String>,
    caller: Caller,
    Asked(asked): Asked<ListQuestion>,
) -> Result<Json<Vec<Entry>>, StorageError> {
    check_bucket(&bucket)?;
    let search = Search::try_from(asked)?;
    Ok(Json(service.store.begin_as(&caller).await?.entries(&bucket, &search).await?))
}

pub(super) async fn keys(
    State(service): State<Arc<Service>>,
    Path(bucket): Path<String>,
    caller: Caller,
    Asked(asked): Asked<KeysQuestion>,
) -> Result<Json<Value>, StorageError> {
    check_bucket(&bucket)?;
    let sort = asked.sort_by.unwrap_or_default();
    if sort.column.is_some_and(|column| column != "name") {
        return Err(StorageError::not_imitated("list-v2 in another order than by name"));
    }
    let order = Order::new(None, sort.order.as_deref(), &["name"])?;
    let limit = asked.limit.unwrap_or(1000).clamp(1, 1000);
    let after = asked.cursor.as_deref().map_or(Ok(String::new()), read_cursor)?;
    let mut tx = service.store.begin_as(&caller).await?;
    // One more than wanted says whether there are more.
    let mut found = tx.keys(&bucket, &asked.prefix, &after, asked.with_delimiter, &order, limit + 1).await?;
    let has_next = found.len() as i64 > limit;
    if has_next {
        found.pop();
    }
    let next = found.last().filter(|_| has_next).map(|last| URL_SAFE_NO_PAD.encode(last.name()));
    let (folders, objects): (Vec<_>, Vec<_>) = found.into_iter().partition(Entry::is_folder);
    let folders: Vec<_> =
        folders.iter().map(|folder| json!({"name": folder.name(), "key": folder.name()})).collect();
    let mut answer = json!({"hasNext": has_next, "folders": folders, "objects": objects});
    if let Some(next) = next {
        answer["nextCursor"] = json!(next);
    }
    Ok(Json(answer))
}

fn read_cursor(cursor: &str) -> Result<String, StorageError> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| StorageError::invalid_request("the cursor is none of ours"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_ends_in_a_slash_and_a_list_in_a_hundred() {
        let search = |asked| Search::try_from(serde_json::from_value::<ListQuestion>(asked).unwrap());
        let found = search(json!({"prefix": "a/b"})).unwrap();
        assert_eq!((found.folder.as_str(), found.page.limit, found.page.offset), ("a/b/", 100, 0));
        assert_eq!(search(json!({})).unwrap().folder, "");
        assert!(search(json!({"sortBy": {"column": "name; drop table"}})).is_err());
        assert!(search(json!({"sortBy": {"order": "DESC"}})).unwrap().page.order.descending);
    }
}
