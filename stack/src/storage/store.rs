//! The only file of the storage service that speaks SQL.
//!
//! A transaction begins as the service itself, which owns the tables, and may go on as who asks: then
//! row-level security decides. Whoever writes an object holds the lock of its name until the end, so
//! that which version is replaced is known.

use std::{collections::HashSet, str::FromStr, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use super::{
    list::{Order, Page, Search},
    reply::StorageError,
    request::{Caller, Place},
};

/// Thirty projects at once have to fit into one server's connections.
const CONNECTIONS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection is kept that nobody uses: a lab has many projects that are done.
const IDLE: Duration = Duration::from_secs(10);

/// The database of one project, as the storage service sees it.
#[derive(Debug, Clone)]
pub(super) struct Store(PgPool);

/// One transaction: what is not committed did not happen.
pub(super) struct Tx(Transaction<'static, Postgres>);

/// A bucket, as its row and as clients see it.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub(super) struct Bucket {
    pub(super) id: String,
    name: String,
    owner: String,
    pub(super) public: bool,
    #[serde(rename = "type")]
    kind: String,
    pub(super) file_size_limit: Option<i64>,
    pub(super) allowed_mime_types: Option<Vec<String>>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

/// What a bucket is to be; `None` leaves as it is what is there.
#[derive(Debug, Default)]
pub(super) struct BucketChange {
    pub(super) public: Option<bool>,
    pub(super) file_size_limit: Option<Option<i64>>,
    pub(super) allowed_mime_types: Option<Option<Vec<String>>>,
}

/// An object, as its row and as clients see it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub(super) struct Object {
    pub(super) id: Uuid,
    pub(super) bucket_id: String,
    pub(super) name: String,
    owner: Option<Uuid>,
    owner_id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    last_accessed_at: Option<DateTime<Utc>>,
    pub(super) metadata: Option<Value>,
    pub(super) user_metadata: Option<Value>,
}

/// An object that is to be.
#[derive(Debug)]
pub(super) struct NewObject<'a> {
    pub(super) place: &'a Place,
    pub(super) owner: &'a Caller,
    /// `None` while it is only tried.
    pub(super) version: Option<Uuid>,
    pub(super) metadata: Value,
    pub(super) user_metadata: Option<Value>,
}

/// What stands in a folder: a file, or a folder where there is no id.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub(super) struct Entry {
    name: String,
    id: Option<Uuid>,
    updated_at: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
    last_accessed_at: Option<DateTime<Utc>>,
    metadata: Option<Value>,
}

macro_rules! bucket_columns {
    () => {
        "id, name, coalesce(owner_id, owner::text, '') as owner, coalesce(public, false) as public,
         type::text as kind, file_size_limit, allowed_mime_types, created_at, updated_at"
    };
}

macro_rules! object_columns {
    () => {
        "id, bucket_id, name, owner, owner_id, version, created_at, updated_at, last_accessed_at,
         metadata, user_metadata"
    };
}

impl Store {
    pub(super) async fn open(admin_url: &str) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(admin_url)?
            .options([("role", "supabase_storage_admin"), ("search_path", "storage")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .connect_with(options)
            .await
            .context("the storage service can not reach its database")?;
        Ok(Self(pool))
    }

    /// A transaction as the service itself.
    pub(super) async fn begin(&self) -> sqlx::Result<Tx> {
        Ok(Tx(self.0.begin().await?))
    }

    /// A transaction as who asks.
    pub(super) async fn begin_as(&self, caller: &Caller) -> Result<Tx, StorageError> {
        let mut tx = self.begin().await?;
        tx.become_caller(caller).await?;
        Ok(tx)
    }

    /// A bucket, whoever asks.
    pub(super) async fn bucket(&self, id: &str) -> Result<Bucket, StorageError> {
        self.begin().await?.bucket(id).await?.ok_or_else(StorageError::no_such_bucket)
    }

    /// Every version some row speaks of.
    pub(super) async fn versions(&self) -> sqlx::Result<HashSet<Uuid>> {
        let versions: Vec<String> =
            sqlx::query_scalar("select version from storage.objects where version is not null")
                .fetch_all(&self.0)
                .await?;
        Ok(versions.iter().filter_map(|version| version.parse().ok()).collect())
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

impl Object {
    /// Its bytes; a row that was written by other means may have none.
    pub(super) fn version(&self) -> Option<Uuid> {
        self.version.as_deref()?.parse().ok()
    }
}

impl Tx {
    /// Goes on with the rights of who asks: of the roles a request may run as, and no other.
    pub(super) async fn become_caller(&mut self, caller: &Caller) -> Result<(), StorageError> {
        let became = sqlx::query(
            "select set_config('request.jwt.claims', $2, true),
                set_config('request.jwt.claim.sub', coalesce($3, ''), true),
                set_config('request.jwt.claim.role', $1, true),
                set_config('search_path', 'storage, public, extensions', true),
                set_config('role', rolname, true)
             from pg_roles where rolname = $1 and pg_has_role('authenticator', oid, 'member')",
        )
        .bind(&caller.role)
        .bind(&caller.claims)
        .bind(&caller.subject)
        .fetch_optional(&mut *self.0)
        .await?;
        match became {
            Some(_) => Ok(()),
            None => Err(StorageError::denied("permission denied to set role")),
        }
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.0.commit().await
    }

    /// Waits until nobody else writes an object of one of these names.
    pub(super) async fn lock(&mut self, places: &[&Place]) -> sqlx::Result<()> {
        let mut paths: Vec<String> = places.iter().map(|place| place.path()).collect();
        // Everybody in one order, or two would wait for each other.
        paths.sort();
        for path in paths {
            sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(path)
                .execute(&mut *self.0)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn bucket(&mut self, id: &str) -> sqlx::Result<Option<Bucket>> {
        let sql = concat!("select ", bucket_columns!(), " from storage.buckets where id = $1");
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    pub(super) async fn buckets(&mut self, page: &Page) -> sqlx::Result<Vec<Bucket>> {
        let sql = concat!(
            "select ",
            bucket_columns!(),
            " from storage.buckets where name ilike $1 order by {order} limit $2 offset $3"
        );
        sqlx::query_as(AssertSqlSafe(sql.replace("{order}", &page.order.sql())))
            .bind(format!("%{}%", literal(&page.search)))
            .bind(page.limit)
            .bind(page.offset)
            .fetch_all(&mut *self.0)
            .await
    }

    pub(super) async fn add_bucket(
        &mut self,
        id: &str,
        name: &str,
        owner: &Caller,
        change: &BucketChange,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "insert into storage.buckets
                (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(name)
        .bind(owner.owner())
        .bind(&owner.subject)
        .bind(change.public.unwrap_or_default())
        .bind(change.file_size_limit.flatten())
        .bind(change.allowed_mime_types.as_ref().and_then(Option::as_ref))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// False if there is none that may be changed.
    pub(super) async fn change_bucket(&mut self, id: &str, change: &BucketChange) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "update storage.buckets set
                public = coalesce($2, public),
                file_size_limit = case when $3 then $4 else file_size_limit end,
                allowed_mime_types = case when $5 then $6 else allowed_mime_types end,
                updated_at = now()
             where id = $1",
        )
        .bind(id)
        .bind(change.public)
        .bind(change.file_size_limit.is_some())
        .bind(change.file_size_limit.flatten())
        .bind(change.allowed_mime_types.is_some())
        .bind(change.allowed_mime_types.as_ref().and_then(Option::as_ref))
        .execute(&mut *self.0)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// False if there is none that may be removed.
    pub(super) async fn remove_bucket(&mut self, id: &str) -> sqlx::Result<bool> {
        let done =
            sqlx::query("delete from storage.buckets where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(done.rows_affected() > 0)
    }

    pub(super) async fn is_empty(&mut self, bucket: &str) -> sqlx::Result<bool> {
        sqlx::query_scalar("select not exists (select from storage.objects where bucket_id = $1)")
            .bind(bucket)
            .fetch_one(&mut *self.0)
            .await
    }

    pub(super) async fn object(&mut self, place: &Place) -> sqlx::Result<Option<Object>> {
        let sql =
            concat!("select ", object_columns!(), " from storage.objects where bucket_id = $1 and name = $2");
        sqlx::query_as(sql).bind(&place.bucket).bind(&place.name).fetch_optional(&mut *self.0).await
    }

    /// Those of these names that there are.
    pub(super) async fn names(&mut self, bucket: &str, names: &[String]) -> sqlx::Result<HashSet<String>> {
        let found: Vec<String> =
            sqlx::query_scalar("select name from storage.objects where bucket_id = $1 and name = any($2)")
                .bind(bucket)
                .bind(names)
                .fetch_all(&mut *self.0)
                .await?;
        Ok(found.into_iter().collect())
    }

    /// Adds one that is not there. Whoever may add and not see, may still add: nothing is read back.
    pub(super) async fn add(&mut self, new: &NewObject<'_>) -> sqlx::Result<Uuid> {
        let id = Uuid::new_v4();
        let sql = "insert into storage.objects
            (bucket_id, name, owner, owner_id, version, metadata, user_metadata, id)
            values ($1, $2, $3, $4, $5, $6, $7, $8)";
        bind(sqlx::query(sql), new).bind(id).execute(&mut *self.0).await?;
        Ok(id)
    }

    /// Adds one, or replaces what is there.
    pub(super) async fn put(&mut self, new: &NewObject<'_>) -> sqlx::Result<Uuid> {
        let sql = "insert into storage.objects
            (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (bucket_id, name) do update set
                owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version,
                metadata = excluded.metadata, user_metadata = excluded.user_metadata, updated_at = now()
            returning id";
        let row = bind(sqlx::query(sql), new).fetch_one(&mut *self.0).await?;
        sqlx::Row::try_get(&row, 0)
    }

    /// Gives one another name; its bytes know nothing of it. `None` if there is none that may be moved.
    pub(super) async fn rename(
        &mut self,
        from: &Place,
        to: &Place,
        owner: &Caller,
    ) -> sqlx::Result<Option<Object>> {
        let sql = concat!(
            "update storage.objects
             set bucket_id = $3, name = $4, owner = $5, owner_id = $6, updated_at = now()
             where bucket_id = $1 and name = $2 returning ",
            object_columns!()
        );
        sqlx::query_as(sql)
            .bind(&from.bucket)
            .bind(&from.name)
            .bind(&to.bucket)
            .bind(&to.name)
            .bind(owner.owner())
            .bind(&owner.subject)
            .fetch_optional(&mut *self.0)
            .await
    }

    pub(super) async fn remove(&mut self, bucket: &str, names: &[String]) -> sqlx::Result<Vec<Object>> {
        let sql = concat!(
            "delete from storage.objects where bucket_id = $1 and name = any($2) returning ",
            object_columns!()
        );
        sqlx::query_as(sql).bind(bucket).bind(names).fetch_all(&mut *self.0).await
    }

    pub(super) async fn remove_all(&mut self, bucket: &str) -> sqlx::Result<Vec<Object>> {
        let sql = concat!("delete from storage.objects where bucket_id = $1 returning ", object_columns!());
        sqlx::query_as(sql).bind(bucket).fetch_all(&mut *self.0).await
    }

    /// What stands in a folder: first the folders in it, then the files.
    pub(super) async fn entries(&mut self, bucket: &str, search: &Search) -> sqlx::Result<Vec<Entry>> {
        let Search { folder, page } = search;
        let direction = page.order.direction();
        let order = page.order.sql();
        // A folder has no times: beside its name nothing sorts it.
        let sql = format!(
            "with found as (
                select substr(name, length($2) + 1) as rest, id, updated_at, created_at, last_accessed_at, metadata
                from storage.objects
                where bucket_id = $1 and starts_with(name, $2) and substr(name, length($2) + 1) ilike $3
            ), listed as (
                select 0 as rank, split_part(rest, '/', 1) as name, null::uuid as id,
                    null::timestamptz as updated_at, null::timestamptz as created_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata
                from found where strpos(rest, '/') > 0 group by 2
                union all
                select 1, rest, id, updated_at, created_at, last_accessed_at, metadata
                from found where strpos(rest, '/') = 0
            )
            select name, id, updated_at, created_at, last_accessed_at, metadata from listed
            order by rank, {order}, name collate \"C\" {direction} limit $4 offset $5"
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(bucket)
            .bind(folder)
            .bind(format!("{}%", literal(&page.search)))
            .bind(page.limit)
            .bind(page.offset)
            .fetch_all(&mut *self.0)
            .await
    }

    /// Objects whose names begin like that and come after this one, by name, either way. With a delimiter, those below
    /// a folder are one entry, which has no id and a name that ends in `/`.
    pub(super) async fn keys(
        &mut self,
        bucket: &str,
        prefix: &str,
        after: &str,
        by_folder: bool,
        order: &Order,
        limit: i64,
    ) -> sqlx::Result<Vec<Entry>> {
        let sql = format!(
            "with found as (
                select *, strpos(substr(name, length($2) + 1), '/') as slash from storage.objects
                where bucket_id = $1 and starts_with(name, $2)
            ), listed as (
                select left(name, length($2) + slash) as name, null::uuid as id,
                    null::timestamptz as updated_at, null::timestamptz as created_at,
                    null::timestamptz as last_accessed_at, null::jsonb as metadata
                from found where $4 and slash > 0 group by 1
                union all
                select name, id, updated_at, created_at, last_accessed_at, metadata
                from found where not ($4 and slash > 0)
            )
            select * from listed where $3 = '' or name collate \"C\" {} $3 order by {} limit $5",
            if order.descending { "<" } else { ">" },
            order.sql()
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(bucket)
            .bind(prefix)
            .bind(after)
            .bind(by_folder)
            .bind(limit)
            .fetch_all(&mut *self.0)
            .await
    }
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_folder(&self) -> bool {
        self.id.is_none()
    }
}

impl Order {
    fn direction(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }

    /// The column is one of a few: see `Order::new`.
    fn sql(&self) -> String {
        let collation = if self.column == "name" { " collate \"C\"" } else { "" };
        format!("{}{collation} {}", self.column, self.direction())
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// The first seven parameters.
fn bind<'q>(query: Query<'q>, new: &'q NewObject<'_>) -> Query<'q> {
    query
        .bind(&new.place.bucket)
        .bind(&new.place.name)
        .bind(new.owner.owner())
        .bind(&new.owner.subject)
        .bind(new.version.map(|version| version.to_string()))
        .bind(&new.metadata)
        .bind(&new.user_metadata)
}

/// A text as the pattern that finds it alone.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
