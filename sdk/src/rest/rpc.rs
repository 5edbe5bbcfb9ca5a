//! Functions of the database: called by name, with named arguments.

use std::borrow::Cow;
use std::marker::PhantomData;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::rest::draft::Draft;
use crate::rest::query::{Query, stage};
use crate::rest::{Literal, quote};
use crate::transport::Replay;

/// A function with its arguments: a struct whose fields are named like them. `migrator types` writes one for
/// each function of a database.
///
/// ```
/// use supabase_sdk::rest::{Function, One};
///
/// #[derive(serde::Serialize)]
/// struct Add { a: i32, b: i32 }
///
/// impl Function for Add {
///     const NAME: &'static str = "add";
///     const READS: bool = true;
///     type Returns = One<i32>;
/// }
///
/// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// let five: i32 = client.call(&Add { a: 2, b: 3 }).value().await?;
/// # Ok(()) }
/// ```
///
/// A function is the way to a transaction: over REST each request is one of its own.
pub trait Function: Serialize {
    /// The function's name.
    const NAME: &'static str;
    /// Its schema, where it is not the client's.
    const SCHEMA: Option<&'static str> = None;
    /// True if it only reads (stable or immutable), so that calling it twice does no harm.
    const READS: bool = false;
    /// What it gives: [`One`] value, or [`Many`] rows.
    type Returns: Answer;
}

/// One value; `One<()>` for a function that gives none.
#[derive(Debug)]
pub struct One<T>(PhantomData<fn() -> T>);

/// One row, or none: what a function gives that returns a row type. PostgREST answers with a row of nulls
/// where there is none.
#[derive(Debug)]
pub struct OneRow<R>(PhantomData<fn() -> R>);

/// Any number of rows, or of values.
#[derive(Debug)]
pub struct Many<R>(PhantomData<fn() -> R>);

/// What a function gives, and so what its call can do.
pub trait Answer {
    /// The row that filters are about.
    type Of;
    /// What is read.
    type Item;
    /// [`stage::Call`], [`stage::CallValue`] or [`stage::CallRow`].
    type Stage;
}

impl<T> Answer for One<T> {
    type Of = T;
    type Item = T;
    type Stage = stage::CallValue;
}

impl<R> Answer for OneRow<R> {
    type Of = R;
    type Item = R;
    type Stage = stage::CallRow;
}

impl<R> Answer for Many<R> {
    type Of = R;
    type Item = R;
    type Stage = stage::Call;
}

/// Rows or a value, whatever it turns out to be.
impl Answer for Value {
    type Of = Self;
    type Item = Self;
    type Stage = stage::Call;
}

/// A call of a function. From [`Client::call`] and [`Client::rpc`].
pub type Call<A> = Query<<A as Answer>::Of, <A as Answer>::Item, <A as Answer>::Stage>;

impl<T, R, S> Query<T, R, S> {
    pub(crate) fn typed_call<F: Function>(client: Client, arguments: &F) -> Self {
        let mut draft = Draft::call(client, Cow::Borrowed(F::NAME), F::SCHEMA);
        draft.set_body(arguments);
        if F::READS {
            draft.replay = Some(Replay::Safe);
        }
        Self::new(draft)
    }

    pub(crate) fn named_call(client: Client, function: String, arguments: &impl Serialize) -> Self {
        let mut draft = Draft::call(client, Cow::Owned(function), None);
        draft.set_body(arguments);
        // `()` is null to serde; a function without arguments is called with none.
        if draft.body == "null" {
            draft.body = bytes::Bytes::from_static(b"{}");
        }
        Self::new(draft)
    }

    pub(crate) fn in_schema(self, schema: &str) -> Self {
        self.with(|draft| draft.set_schema(schema))
    }
}

impl Draft {
    /// Turns a call into a GET: its arguments move into the address.
    pub(super) fn get(&mut self) {
        self.method = Method::GET;
        let arguments = serde_json::from_slice(&std::mem::take(&mut self.body));
        let Ok(Value::Object(arguments)) = arguments else {
            return self.fail("a function is called with named arguments: an object, or a struct");
        };
        for (name, value) in arguments {
            // There is no way to say null in an address; an argument that is left out is its default.
            if value.is_null() {
                continue;
            }
            match argument(&name, value) {
                Ok(text) => self.pairs.push((name.into(), text)),
                Err(why) => self.fail(format!("the argument {name} {why}: call without get()")),
            }
        }
    }

    pub(super) async fn value<R: DeserializeOwned>(&self) -> Result<R, Error> {
        let reply = self.send().await?;
        // 204: the function gives nothing, which is null to serde.
        if reply.body.is_empty() {
            return crate::transport::Reply { body: "null".into(), ..reply }.json();
        }
        reply.json()
    }
}

/// True for what PostgREST gives where a function returns no row: nothing, null, or a row of nulls.
pub(super) fn is_nothing(body: &[u8]) -> bool {
    body.is_empty()
        || match serde_json::from_slice(body) {
            Ok(Value::Object(row)) => row.values().all(Value::is_null),
            Ok(value) => value.is_null(),
            Err(_) => false,
        }
}

/// A value of an argument in an address: arrays as PostgreSQL writes them, the rest as in a filter. Or why it
/// cannot stand there.
fn argument(name: &str, value: Value) -> Result<String, &'static str> {
    if quote::is_reserved(name) {
        return Err("has a name that means something else in an address");
    }
    if let Value::Array(values) = &value {
        // An empty list may be one of JSON, which is written otherwise, and so may one of lists or objects.
        if values.is_empty()
            || values.iter().any(|value| value.is_null() || value.is_array() || value.is_object())
        {
            return Err("is a list that an address cannot hold");
        }
    }
    let text = match value {
        Value::Array(values) => values.literal(),
        value => value.literal(),
    };
    if quote::is_test(&text) { Err("would be read as a filter in an address") } else { Ok(text) }
}
