//! Files in buckets: uploads, downloads, lists, and addresses for who has no session.
//!
//! [`Storage`] makes and changes buckets; [`Files`] is what is in one. What takes options is a value that is
//! sent by its last method, and shows what it would send with `request()`. Policies on `storage.objects`
//! decide who may do what; what one may not see is not there.
//!
//! | supabase-js | here |
//! |---|---|
//! | `storage.from('b')` | [`client.storage().from("b")`](Storage::from) |
//! | `upload(path, body, { contentType, cacheControl, metadata })` | [`upload(path, body)`](Files::upload)`.content_type(…).cache_for(…).metadata(…)?.send()` |
//! | `upload(path, body, { upsert: true })` | [`.upsert()`](Upload::upsert) |
//! | `upload(path, stream)` | [`upload(path, Body::stream(length, …))`](crate::Body::stream), [`Body::file(path)`](crate::Body::file) |
//! | `tus-js-client` beside it | [`upload(path, body)`](Files::upload)[`.resumable()`](Upload::resumable)[`.kept_in(store)`](Resumable::kept_in)`.send()` |
//! | `update(path, body)` | [`update(path, body)`](Files::update)`.send()` |
//! | `download(path)` | [`download(path)`](Files::download)[`.bytes()`](Download::bytes) |
//! | `download(path).asStream()` | [`.stream()`](Download::stream); a part of it: [`.from_byte(n)`](Download::from_byte), [`.bytes_between(n, m)`](Download::bytes_between) |
//! | `download(path, { transform, cacheNonce })` | [`.transform(…)`](Download::transform), [`.cache_nonce(…)`](Download::cache_nonce) |
//! | `getPublicUrl(path, { transform, cacheNonce })` | [`public_url(path)?.transformed(…)`](Link::transformed), [`.cache_nonce(…)`](Link::cache_nonce) |
//! | `createSignedUrl(path, seconds, { transform })` | [`create_signed_image_url(path, time, transform)`](Files::create_signed_image_url) |
//! | `storage.analytics.createBucket(name)`, `listBuckets`, `deleteBucket` | [`storage().analytics()`](Storage::analytics)[`.create_bucket(name)`](Analytics::create_bucket), [`.buckets(limit, offset)`](Analytics::buckets), [`.delete_bucket(name)`](Analytics::delete_bucket) |
//! | `storage.analytics.from(bucket)` | [`storage().analytics()`](Storage::analytics)[`.from(bucket)`](Analytics::from), see [`Catalog`] |
//! | `storage.vectors` | [`storage().vectors()`](Storage::vectors), see [`vectors`] |
//! | `purgeCache(path)`, `purgeBucketCache(id)` | [`purge_cache(path)`](Files::purge_cache), [`purge_bucket_cache(id)`](Storage::purge_bucket_cache); `{ transformations: true }`: [`purge_transformed`](Files::purge_transformed), [`purge_bucket_transformed`](Storage::purge_bucket_transformed) |
//! | `info(path)`, `exists(path)` | [`info(path)`](Files::info), [`exists(path)`](Files::exists) |
//! | `list(folder, { limit, offset, search, sortBy })` | [`list(folder)`](Files::list)`.limit(…).offset(…).search(…).sort_by(…).fetch()` |
//! | `listV2({ prefix, limit, cursor, with_delimiter })` | [`walk(prefix)`](Files::walk)`.page_size(…).after(…).by_folder().fetch()`; all of it: [`.stream()`](Walk::stream) |
//! | `move(from, to, { destinationBucket })` | [`rename(from, to)`](Files::rename)`.to_bucket(…).send()` |
//! | `copy(from, to, { destinationBucket })` | [`copy(from, to)`](Files::copy)`.to_bucket(…).send()` |
//! | `remove(paths)` | [`remove(paths)`](Files::remove) |
//! | `getPublicUrl(path, { download })` | [`public_url(path)`](Files::public_url)[`?.saved_as(name)`](Link::saved_as) |
//! | `createSignedUrl(path, seconds)`, `createSignedUrls(paths, seconds)` | [`create_signed_url(path, time)`](Files::create_signed_url), [`create_signed_urls(paths, time)`](Files::create_signed_urls) |
//! | `createSignedUploadUrl(path, { upsert })` | [`create_signed_upload_url(path)`](Files::create_signed_upload_url), [`create_signed_upsert_url(path)`](Files::create_signed_upsert_url) |
//! | `uploadToSignedUrl(path, token, body)` | [`upload_to_signed_url(path, link, body)`](Files::upload_to_signed_url)`.send()` |
//! | `createBucket(id, options)`, `updateBucket` | [`create_bucket(id, &options)`](Storage::create_bucket), [`update_bucket`](Storage::update_bucket) |
//! | `listBuckets()`, `getBucket(id)` | [`buckets()`](Storage::buckets), [`bucket(id)`](Storage::bucket) |
//! | `emptyBucket(id)`, `deleteBucket(id)` | [`empty_bucket(id)`](Storage::empty_bucket), [`delete_bucket(id)`](Storage::delete_bucket) |
//!
//! | what is wrong | [`ErrorKind`](crate::ErrorKind) | code |
//! |---|---|---|
//! | no such object, or none one may see | `NotFound` | `NoSuchKey` |
//! | no such bucket, or none one may see | `NotFound` | `NoSuchBucket` |
//! | a policy says no | `Forbidden` | `AccessDenied` |
//! | the name is taken | `Conflict` | `KeyAlreadyExists`, `BucketAlreadyExists` |
//! | a bucket that shall go is not empty | `Conflict` | `ResourceNotEmpty` |
//! | too large, or of a type the bucket does not take | `Invalid` | `EntityTooLarge`, `InvalidMimeType` |
//! | a name nothing may have: Storage takes ASCII letters, digits and some marks | `Invalid` | `InvalidKey` |
//! | a signed address that is wrong or too old | `Invalid` | `InvalidSignature`, `InvalidJWT` |
//!
//! Storage answers most of these with HTTP status 400 and says in the body which status it means; the kind is
//! of that one. What may be tried again is tried again, as everywhere: reading, signing, and uploads that
//! replace. [`Upload::send`] says what becomes of one that does not.

mod analytics;
mod bucket;
mod catalog;
mod download;
mod files;
mod link;
mod list;
mod object;
mod request;
mod resumable;
mod resume;
mod transform;
mod tus;
mod upload;
pub mod vectors;

pub use analytics::{Analytics, AnalyticsBucket};
pub use bucket::{Bucket, BucketOptions};
pub use catalog::{Catalog, Purge, TableName};
pub use download::{Download, Downloading};
pub use files::{Files, Transfer};
pub use link::{Link, Signed};
pub use list::{List, SortBy, Walk, WalkPage};
pub use object::{Entry, FileMetadata, ObjectInfo, Uploaded};
pub use resumable::{Progress, Resumable};
pub use resume::{FileResumes, ResumeStore};
pub use transform::{Resize, Transform};
pub use upload::Upload;

use http::Method;
use serde_json::json;

use crate::client::Client;
use crate::error::Error;
use crate::transport::Request;
use bucket::Named;
use vectors::Vectors;

/// Buckets, and what is in them. From [`Client::storage`].
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
}

impl Storage {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The files of one bucket. Nothing is sent.
    pub fn from(&self, bucket: impl Into<String>) -> Files {
        Files::new(self.client.clone(), bucket.into())
    }

    /// Buckets of Iceberg tables. Nothing is sent.
    pub fn analytics(&self) -> Analytics {
        Analytics::new(self.client.clone())
    }

    /// Buckets of vectors. Nothing is sent.
    pub fn vectors(&self) -> Vectors {
        Vectors::new(self.client.clone())
    }

    /// The buckets one may see: all for the secret key, none for others, unless a policy on
    /// `storage.buckets` says so.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// for bucket in client.storage().buckets().await? {
    ///     println!("{} takes {:?}", bucket.id, bucket.allowed_mime_types);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Error> {
        self.client.send(request::request(Method::GET, "/bucket")).await?.accepted()?.json()
    }

    /// One bucket.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let avatars = client.storage().bucket("avatars").await?;
    /// assert!(avatars.public);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is none one may see.
    pub async fn bucket(&self, id: &str) -> Result<Bucket, Error> {
        let path = format!("/bucket/{}", request::bucket(id)?);
        self.client.send(request::request(Method::GET, &path)).await?.accepted()?.json()
    }

    /// Makes a bucket.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::BucketOptions;
    /// let options = BucketOptions::default().public(true).allowed_mime_types(["image/png"]);
    /// client.storage().create_bucket("logos", &options).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Conflict` when there is one, `Forbidden` when a policy says no.
    pub async fn create_bucket(&self, id: &str, options: &BucketOptions) -> Result<(), Error> {
        let request = request::request(Method::POST, "/bucket").json(&Named { id, name: id, options })?;
        self.done(request).await
    }

    /// Changes a bucket; what is not said stays.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::storage::BucketOptions;
    /// client.storage().update_bucket("logos", &BucketOptions::default().any_mime_type()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is none one may change.
    pub async fn update_bucket(&self, id: &str, options: &BucketOptions) -> Result<(), Error> {
        let path = format!("/bucket/{}", request::bucket(id)?);
        self.done(request::request(Method::PUT, &path).json(&Named { id, name: id, options })?).await
    }

    /// Removes every object of a bucket. A hosted project may take its time after it has answered.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// client.storage().empty_bucket("logos").await?;
    /// client.storage().delete_bucket("logos").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is none one may see.
    pub async fn empty_bucket(&self, id: &str) -> Result<(), Error> {
        let path = format!("/bucket/{}/empty", request::bucket(id)?);
        self.done(request::deed(Method::POST, &path, &json!({}))?).await
    }

    /// Removes a bucket that is empty.
    ///
    /// # Errors
    /// `Conflict` when it is not empty, `NotFound` when there is none one may remove.
    pub async fn delete_bucket(&self, id: &str) -> Result<(), Error> {
        let path = format!("/bucket/{}", request::bucket(id)?);
        self.done(request::deed(Method::DELETE, &path, &json!({}))?).await
    }

    /// Lets the CDN forget every object of a bucket. This and the next are for the secret key.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Forbidden` for other keys.
    pub async fn purge_bucket_cache(&self, id: &str) -> Result<(), Error> {
        self.done(request::purge(&request::bucket(id)?, false)?).await
    }

    /// Lets the CDN forget the images of a bucket in other sizes, and keep the images themselves.
    ///
    /// # Errors
    /// As [`Storage::purge_bucket_cache`].
    pub async fn purge_bucket_transformed(&self, id: &str) -> Result<(), Error> {
        self.done(request::purge(&request::bucket(id)?, true)?).await
    }

    async fn done(&self, request: Request) -> Result<(), Error> {
        self.client.send(request).await?.accepted().map(drop)
    }
}
