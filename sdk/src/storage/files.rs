//! The files of one bucket.

use std::time::Duration;

use http::Method;
use http::header::HeaderValue;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::download::Download;
use super::link::{Link, Signed, SignedAnswer, SignedEntry, SignedUploadAnswer};
use super::list::{List, Walk};
use super::object::{Entry, ObjectInfo};
use super::request;
use super::transform::Transform;
use super::upload::Upload;
use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::transport::Request;

/// The files of one bucket. From [`Storage::from`](super::Storage::from).
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

/// An object on its way to another name. From [`Files::rename`] and [`Files::copy`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Transfer {
    client: Client,
    what: &'static str,
    bucket: String,
    from: String,
    to: String,
    to_bucket: Option<String>,
    upsert: bool,
}

impl Files {
    /// So many Storage removes with one request.
    const MOST_AT_ONCE: usize = 1000;

    pub(super) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Prepares an upload. What is there under this name stays, and then the upload is a `Conflict`: see
    /// [`Upload::upsert`].
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use std::time::Duration;
    /// use supabase_sdk::Body;
    /// let backups = client.storage().from("backups");
    /// let export = Body::file("export.json").await?;
    /// backups.upload("garage/2026-11-24.json", export).content_type("application/json").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, path: impl Into<String>, body: impl Into<Body>) -> Upload {
        Upload::add(self.client.clone(), self.bucket.clone(), path.into(), body.into())
    }

    /// Prepares an upload that replaces what is there under this name.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client, me: Vec<u8>) -> Result<(), supabase_sdk::Error> {
    /// client.storage().from("avatars").update("zoe/me.png", me).content_type("image/png").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn update(&self, path: impl Into<String>, body: impl Into<Body>) -> Upload {
        Upload::update(self.client.clone(), self.bucket.clone(), path.into(), body.into())
    }

    /// Prepares a download.
    pub fn download(&self, path: impl Into<String>) -> Download {
        Download::new(self.client.clone(), self.bucket.clone(), path.into())
    }

    /// What Storage knows of an object.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let info = client.storage().from("avatars").info("zoe/me.png").await?;
    /// println!("{:?} bytes of {:?}", info.size, info.content_type);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such object, or none one may see.
    pub async fn info(&self, path: &str) -> Result<ObjectInfo, Error> {
        let path = request::object(&self.bucket, path)?;
        let request = request::request(Method::GET, &format!("/object/info/{path}"));
        self.client.send(request).await?.accepted()?.json()
    }

    /// True if there is such an object, and one may see it.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// if !client.storage().from("avatars").exists("zoe/me.png").await? {
    ///     println!("no picture yet");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When nobody can tell: no answer, no such bucket, a token that is not good.
    pub async fn exists(&self, path: &str) -> Result<bool, Error> {
        match self.info(path).await {
            Ok(_) => Ok(true),
            // Servers of before have no code, and call it like that.
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "not_found")) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Prepares the list of a folder; `""` is the bucket's own.
    pub fn list(&self, folder: impl Into<String>) -> List {
        List::new(self.client.clone(), self.bucket.clone(), folder.into())
    }

    /// Prepares a list of every object whose name begins like that, however deep it lies.
    pub fn walk(&self, prefix: impl Into<String>) -> Walk {
        Walk::new(self.client.clone(), self.bucket.clone(), prefix.into())
    }

    /// Prepares giving an object another name.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let photos = client.storage().from("vehicle-photos");
    /// photos.rename("garage/car/1.webp", "garage/car/front.webp").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn rename(&self, from: impl Into<String>, to: impl Into<String>) -> Transfer {
        self.transfer("move", from.into(), to.into())
    }

    /// Prepares copying an object.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let photos = client.storage().from("vehicle-photos");
    /// photos.copy("garage/car/front.webp", "zoe/car.webp").to_bucket("avatars").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn copy(&self, from: impl Into<String>, to: impl Into<String>) -> Transfer {
        self.transfer("copy", from.into(), to.into())
    }

    fn transfer(&self, what: &'static str, from: String, to: String) -> Transfer {
        let (client, bucket) = (self.client.clone(), self.bucket.clone());
        Transfer { client, what, bucket, from, to, to_bucket: None, upsert: false }
    }

    /// Removes objects, and says which were there and could be removed: one that was not is no error.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let photos = client.storage().from("vehicle-photos");
    /// let gone = photos.remove(["garage/car/1.webp", "garage/car/2.webp"]).await?;
    /// assert_eq!(gone.len(), 2, "are they mine?");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived, or a refusal. More than a thousand go with several requests, and those that went
    /// before one failed are gone.
    pub async fn remove<P: AsRef<str>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Vec<Entry>, Error> {
        let paths: Vec<P> = paths.into_iter().collect();
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let mut gone: Vec<Entry> = Vec::new();
        for paths in paths.chunks(Self::MOST_AT_ONCE) {
            let request = request::remove(&self.bucket, paths)?;
            gone.extend(self.client.send(request).await?.accepted()?.json::<Vec<Entry>>()?);
        }
        Ok(gone)
    }

    /// The address of an object in a public bucket. Nothing is sent: whether there is one nobody has asked.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the name cannot stand in an address.
    pub fn public_url(&self, path: &str) -> Result<Link, Error> {
        Link::public(self.client.url(), &self.bucket, path)
    }

    /// An address that lets whoever has it read one object for so long.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use std::time::Duration;
    /// let photos = client.storage().from("vehicle-photos");
    /// let link = photos.create_signed_url("garage/car/front.webp", Duration::from_secs(600)).await?;
    /// println!("{}", link.saved_as("car.webp"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such object, or none one may see; `Invalid` for less than a second.
    pub async fn create_signed_url(&self, path: &str, lasting: Duration) -> Result<Link, Error> {
        self.sign(path, "object/sign", json!({ "expiresIn": seconds(lasting)? })).await
    }

    /// The same for an image in another size. The size is part of what is signed.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use std::time::Duration;
    /// use supabase_sdk::storage::Transform;
    /// let photos = client.storage().from("vehicle-photos");
    /// let small = Transform::default().width(200);
    /// let link = photos.create_signed_image_url("garage/car/front.webp", Duration::from_secs(600), small).await?;
    /// # drop(link);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Files::create_signed_url`].
    pub async fn create_signed_image_url(
        &self,
        path: &str,
        lasting: Duration,
        transform: Transform,
    ) -> Result<Link, Error> {
        let body = json!({ "expiresIn": seconds(lasting)?, "transform": transform });
        self.sign(path, "render/image/sign", body).await
    }

    async fn sign(&self, path: &str, way: &str, body: Value) -> Result<Link, Error> {
        let object = request::object(&self.bucket, path)?;
        let request = request::question(&format!("/object/sign/{object}"), &body)?;
        let answer: SignedAnswer = self.client.send(request).await?.accepted()?.json()?;
        Link::signed(self.client.url(), way, &self.bucket, path, &answer.signed_url)
    }

    /// The same for many objects. Each has its address, or the reason why it has none.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// use std::time::Duration;
    /// let photos = client.storage().from("vehicle-photos");
    /// for signed in photos.create_signed_urls(["garage/1.webp", "garage/2.webp"], Duration::from_secs(60)).await? {
    ///     match signed.link {
    ///         Ok(link) => println!("{link}"),
    ///         Err(reason) => println!("{}: {reason}", signed.path),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no answer arrived, or a refusal; `Invalid` for less than a second.
    pub async fn create_signed_urls<P: AsRef<str>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        lasting: Duration,
    ) -> Result<Vec<Signed>, Error> {
        let paths: Vec<P> = paths.into_iter().collect();
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let body = json!({ "expiresIn": seconds(lasting)?, "paths": paths });
        let path = format!("/object/sign/{}", request::bucket(&self.bucket)?);
        let answer = self.client.send(request::question(&path, &body)?).await?.accepted()?;
        let entries: Vec<SignedEntry> = answer.json()?;
        entries.into_iter().map(|entry| entry.read(self.client.url(), &self.bucket)).collect()
    }

    /// An address that lets whoever has it upload one object, for two hours; nothing is replaced.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client, photo: Vec<u8>) -> Result<(), supabase_sdk::Error> {
    /// let photos = client.storage().from("vehicle-photos");
    /// let link = photos.create_signed_upload_url("garage/car/front.webp").await?;
    /// // Elsewhere, with nobody signed in:
    /// photos.upload_to_signed_url("garage/car/front.webp", link, photo).content_type("image/webp").send().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `Forbidden` when one may not upload it oneself, `Conflict` when there is one.
    pub async fn create_signed_upload_url(&self, path: &str) -> Result<Link, Error> {
        self.sign_upload(path, false).await
    }

    /// The same, where what is there is replaced.
    ///
    /// # Errors
    /// `Forbidden` when one may not replace it oneself.
    pub async fn create_signed_upsert_url(&self, path: &str) -> Result<Link, Error> {
        self.sign_upload(path, true).await
    }

    /// Lets the CDN forget an object. This and the next are for the secret key; what browsers keep they keep.
    ///
    /// # Errors
    /// `NotFound` when there is no such object, `Forbidden` for other keys.
    pub async fn purge_cache(&self, path: &str) -> Result<(), Error> {
        let request = request::purge(&request::object(&self.bucket, path)?, false)?;
        self.client.send(request).await?.accepted().map(drop)
    }

    /// Lets the CDN forget an image in other sizes, and keep the image itself.
    ///
    /// # Errors
    /// As [`Files::purge_cache`].
    pub async fn purge_transformed(&self, path: &str) -> Result<(), Error> {
        let request = request::purge(&request::object(&self.bucket, path)?, true)?;
        self.client.send(request).await?.accepted().map(drop)
    }

    async fn sign_upload(&self, path: &str, upsert: bool) -> Result<Link, Error> {
        let object = request::object(&self.bucket, path)?;
        let mut request = request::question(&format!("/object/upload/sign/{object}"), &json!({}))?;
        if upsert {
            request.headers.insert(request::UPSERT, HeaderValue::from_static("true"));
        }
        let answer: SignedUploadAnswer = self.client.send(request).await?.accepted()?.json()?;
        Link::signed(self.client.url(), "object/upload/sign", &self.bucket, path, &answer.url)
    }

    /// Prepares an upload to such an address. It goes out with the key alone, whoever is signed in.
    pub fn upload_to_signed_url(&self, path: impl Into<String>, link: Link, body: impl Into<Body>) -> Upload {
        Upload::signed(self.client.clone(), self.bucket.clone(), path.into(), body.into(), link)
    }
}

impl Transfer {
    /// Puts it into another bucket.
    pub fn to_bucket(mut self, id: impl Into<String>) -> Self {
        self.to_bucket = Some(id.into());
        self
    }

    /// Replaces what is there, where it is a copy.
    pub fn upsert(mut self) -> Self {
        self.upsert = true;
        self
    }

    /// What would be sent.
    ///
    /// # Errors
    /// None that a name could be the cause of: both stand in the body.
    pub fn request(&self) -> Result<Request, Error> {
        let to = (self.to_bucket.as_deref(), self.to.as_str());
        let mut request = request::transfer(self.what, (&self.bucket, &self.from), to)?;
        if self.upsert {
            request.headers.insert(request::UPSERT, HeaderValue::from_static("true"));
        }
        Ok(request)
    }

    /// Sends it, and gives the id of the row that has the new name.
    ///
    /// # Errors
    /// `NotFound` when there is nothing one may see and change, `Conflict` when something has that name,
    /// `Forbidden` when a policy says no.
    pub async fn send(self) -> Result<Option<Uuid>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Id")]
            id: Option<Uuid>,
        }
        let answer: Answer = self.client.send(self.request()?).await?.accepted()?.json()?;
        Ok(answer.id)
    }
}

fn seconds(lasting: Duration) -> Result<u64, Error> {
    match lasting.as_secs() {
        0 => Err(Error::new(ErrorKind::Invalid, "an address lasts a second at least")),
        seconds => Ok(seconds),
    }
}
