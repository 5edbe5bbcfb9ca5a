//! The storage service of one project: rows in the real tables, bytes in files beside the database.
//!
//! What a request may do is tried as its role, with its claims, so the policies on `storage.objects` and
//! `storage.buckets` decide. An object is at most 50 MiB, or as its bucket says if that is less.
//!
//! What it does not imitate, and answers with 501 and the name of what is missing:
//!
//! - the S3 protocol, buckets for analytics and vectors, versions of objects, lifecycles, the cache in
//!   front and its purging;
//! - `list-v2` in another order than by name.
//!
//! And where it differs without a word: a name is looked for as it is written, where hosted folders are
//! found whatever the case; emptying a bucket is done when it is answered; a MIME type is compared without
//! its parameters; `list-v2` gives a page of at most 1,000. Stricter than hosted: of two uploads at once
//! that may not replace each other, one is refused, and the policies are asked before the bytes and again
//! after them.
//!
//! Only `store` speaks SQL, and only `files` touches the disk.

mod bucket;
mod download;
mod files;
mod list;
mod object;
mod render;
mod reply;
mod request;
mod resumable;
mod sign;
mod store;
mod transform;
mod upload;

use std::{fmt, path::Path, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, OriginalUri},
    http::{Method, Request},
    response::Response,
    routing::{delete, get, post},
};
use tower::ServiceExt as _;

use crate::{jwt::Keyring, place::Lifetime};
use files::Files;
use reply::StorageError;
use resumable::Drafts;
use store::Store;

/// As in a hosted project that has not set it.
const LARGEST_OBJECT: u64 = 50 << 20;

/// The storage service of one project.
pub(crate) struct Storage {
    service: Arc<Service>,
    router: Router,
}

/// What every endpoint needs.
struct Service {
    store: Store,
    files: Files,
    drafts: Drafts,
    keyring: Keyring,
}

impl Storage {
    /// Connects; `admin_url` is the superuser's, who may act as the service's own role and as any other.
    /// What an earlier crash left in `dir` without a row goes.
    pub(crate) async fn open(
        admin_url: &str,
        keyring: Keyring,
        dir: &Path,
        lifetime: Lifetime,
    ) -> anyhow::Result<Self> {
        let store = Store::open(admin_url).await?;
        let known = store.versions().await.context("the stored objects can not be read")?;
        let files = Files::open(dir, lifetime)
            .and_then(|files| files.sweep(&known).map(|()| files))
            .with_context(|| format!("{} can not be used", dir.display()))?;
        let drafts = Drafts::open(dir).with_context(|| format!("{} can not be used", dir.display()))?;
        let service = Arc::new(Service { store, files, drafts, keyring });
        Ok(Self { router: router(service.clone()), service })
    }

    /// Answers a request whose path is already without `/storage/v1`.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        crate::serve::certain(self.router.clone().oneshot(request).await)
    }

    /// Gives every connection back.
    pub(crate) async fn close(&self) {
        self.service.store.close().await;
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage(..)")
    }
}

fn router(service: Arc<Service>) -> Router {
    let object = get(download::read).post(upload::add).put(upload::put).delete(object::remove);
    Router::new()
        .route("/bucket", get(bucket::list).post(bucket::create))
        .route("/bucket/{id}", get(bucket::read).put(bucket::change).delete(bucket::remove))
        .route("/bucket/{id}/empty", post(bucket::empty))
        .route("/object/move", post(object::rename))
        .route("/object/copy", post(object::copy))
        .route("/object/list/{bucket}", post(list::list))
        .route("/object/list-v2/{bucket}", post(list::keys))
        .route("/object/sign/{bucket}", post(sign::sign_many))
        .route("/object/sign/{bucket}/{*name}", get(download::read_signed).post(sign::sign))
        .route("/object/upload/sign/{bucket}/{*name}", post(sign::sign_upload).put(upload::put_signed))
        .route("/object/info/public/{bucket}/{*name}", get(download::info_public))
        .route("/object/info/authenticated/{bucket}/{*name}", get(download::info))
        .route("/object/info/{bucket}/{*name}", get(download::info))
        .route("/object/public/{bucket}/{*name}", get(download::read_public))
        .route("/object/authenticated/{bucket}/{*name}", object.clone())
        .route("/object/{bucket}", delete(object::remove_many))
        .route("/object/{bucket}/{*name}", object)
        .route("/render/image/authenticated/{bucket}/{*name}", get(render::authenticated))
        .route("/render/image/public/{bucket}/{*name}", get(render::public))
        .route("/render/image/sign/{bucket}/{*name}", get(render::signed))
        .merge(resumable::routes())
        .fallback(not_imitated)
        .method_not_allowed_fallback(not_imitated)
        // Uploads are as large as their bucket says.
        .layer(DefaultBodyLimit::disable())
        .with_state(service)
}

async fn not_imitated(method: Method, OriginalUri(uri): OriginalUri) -> StorageError {
    StorageError::not_imitated(&format!("{method} {}", uri.path()))
}
