//! The tables in a bucket of Iceberg tables. What they are made of is Iceberg's, and stays JSON here.
//!
//! Source: the Iceberg REST catalog's OpenAPI.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::request;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::transport::{Reply, Request};

/// The catalog of one bucket. From [`Analytics::from`](super::Analytics::from).
///
/// A namespace is a list of names, one within the other: `["garage", "reports"]`.
#[derive(Debug, Clone)]
pub struct Catalog {
    client: Client,
    bucket: String,
}

/// A table, by its names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TableName {
    /// The namespace it is in.
    pub namespace: Vec<String>,
    /// Its own name.
    pub name: String,
}

impl Catalog {
    pub(super) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    fn at(&self, parts: &[&str]) -> Result<String, Error> {
        let mut path = format!("/iceberg/v1/{}", request::bucket(&self.bucket)?);
        for part in parts {
            path.push('/');
            path.push_str(&request::bucket(part)?);
        }
        Ok(path)
    }

    async fn ask(&self, request: Request) -> Result<Reply, Error> {
        self.client.send(request).await?.accepted()
    }

    async fn exists(&self, path: &str) -> Result<bool, Error> {
        match self.ask(request::request(Method::HEAD, path)).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a namespace, with what is said of it: an object of texts.
    ///
    /// # Errors
    /// `Conflict` when there is one.
    pub async fn create_namespace(&self, namespace: &[&str], properties: &Value) -> Result<(), Error> {
        let body = json!({ "namespace": namespace, "properties": properties });
        self.ask(request::deed(Method::POST, &self.at(&["namespaces"])?, &body)?).await.map(drop)
    }

    /// The namespaces there are.
    ///
    /// # Errors
    /// When no answer arrived, or a refusal.
    pub async fn namespaces(&self) -> Result<Vec<Vec<String>>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            namespaces: Vec<Vec<String>>,
        }
        let request = request::request(Method::GET, &self.at(&["namespaces"])?);
        Ok(self.ask(request).await?.json::<Answer>()?.namespaces)
    }

    /// What is said of a namespace.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn namespace(&self, namespace: &[&str]) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?])?;
        let answer: Value = self.ask(request::request(Method::GET, &path)).await?.json()?;
        Ok(answer.get("properties").cloned().unwrap_or_default())
    }

    /// True if there is such a namespace.
    ///
    /// # Errors
    /// When nobody can tell.
    pub async fn namespace_exists(&self, namespace: &[&str]) -> Result<bool, Error> {
        self.exists(&self.at(&["namespaces", &joined(namespace)?])?).await
    }

    /// Says something else of a namespace, and gives what was `updated`, `removed` and `missing`.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn update_namespace(
        &self,
        namespace: &[&str],
        updates: &Value,
        removals: &[&str],
    ) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "properties"])?;
        let body = json!({ "updates": updates, "removals": removals });
        self.ask(request::deed(Method::POST, &path, &body)?).await?.json()
    }

    /// Removes a namespace that is empty.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` when there are tables in it.
    pub async fn delete_namespace(&self, namespace: &[&str]) -> Result<(), Error> {
        let path = self.at(&["namespaces", &joined(namespace)?])?;
        self.ask(request::request(Method::DELETE, &path)).await.map(drop)
    }

    /// Makes a table: an Iceberg `CreateTableRequest`, with its name, schema and partition spec.
    ///
    /// # Errors
    /// `Conflict` when there is one, `NotFound` when there is no such namespace.
    pub async fn create_table(&self, namespace: &[&str], table: &Value) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "tables"])?;
        self.ask(request::deed(Method::POST, &path, table)?).await?.json()
    }

    /// The tables of a namespace.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn tables(&self, namespace: &[&str]) -> Result<Vec<TableName>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            identifiers: Vec<TableName>,
        }
        let path = self.at(&["namespaces", &joined(namespace)?, "tables"])?;
        Ok(self.ask(request::request(Method::GET, &path)).await?.json::<Answer>()?.identifiers)
    }

    /// What is known of a table: an Iceberg `LoadTableResult`.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn table(&self, namespace: &[&str], name: &str) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "tables", name])?;
        self.ask(request::request(Method::GET, &path)).await?.json()
    }

    /// True if there is such a table.
    ///
    /// # Errors
    /// When nobody can tell.
    pub async fn table_exists(&self, namespace: &[&str], name: &str) -> Result<bool, Error> {
        self.exists(&self.at(&["namespaces", &joined(namespace)?, "tables", name])?).await
    }

    /// Changes a table: an Iceberg `CommitTableRequest`, with its requirements and updates.
    ///
    /// # Errors
    /// `Conflict` when it is no more what the requirements say.
    pub async fn update_table(&self, namespace: &[&str], name: &str, commit: &Value) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "tables", name])?;
        self.ask(request::deed(Method::POST, &path, commit)?).await?.json()
    }

    /// Gives a table another name.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` when the name is taken.
    pub async fn rename_table(&self, from: (&[&str], &str), to: (&[&str], &str)) -> Result<(), Error> {
        let named = |(namespace, name): (&[&str], &str)| json!({ "namespace": namespace, "name": name });
        let body = json!({ "source": named(from), "destination": named(to) });
        self.ask(request::deed(Method::POST, &self.at(&["tables", "rename"])?, &body)?).await.map(drop)
    }

    /// Takes in a table whose metadata file is there already.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn register_table(&self, namespace: &[&str], name: &str, file: &str) -> Result<Value, Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "register"])?;
        let body = json!({ "name": name, "metadata-location": file });
        self.ask(request::deed(Method::POST, &path, &body)?).await?.json()
    }

    /// Removes a table, and its files where `purge` says so.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn delete_table(&self, namespace: &[&str], name: &str, purge: Purge) -> Result<(), Error> {
        let path = self.at(&["namespaces", &joined(namespace)?, "tables", name])?;
        let purge = matches!(purge, Purge::Files).to_string();
        self.ask(request::request(Method::DELETE, &path).query("purgeRequested", purge)).await.map(drop)
    }
}

/// What goes with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Nothing: its files stay.
    Nothing,
    /// Its files.
    Files,
}

/// A namespace in an address: its names with a unit separator between.
fn joined(namespace: &[&str]) -> Result<String, Error> {
    if namespace.is_empty() || namespace.iter().any(|name| name.is_empty() || name.contains('\u{1f}')) {
        return Err(Error::new(ErrorKind::Invalid, "a namespace has a name, and none is empty"));
    }
    Ok(namespace.join("\u{1f}"))
}
