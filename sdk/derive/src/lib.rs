//! The derives of `supabase-sdk`. Use them through that crate, which re-exports them.
#![warn(missing_docs)]

use proc_macro::TokenStream;

mod arguments;
mod field;
mod projection;
mod table;

/// Makes a struct the row of a table.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, supabase_sdk::Table)]
/// #[table(name = "notes", insert = NewNote, update = NotePatch)]
/// struct Note {
///     #[table(key, default)]
///     id: i64,
///     title: String,
///     body: Option<String>,
///     #[table(default)]
///     archived: bool,
///     #[table(generated)]
///     words: Option<i32>,
/// }
///
/// // Typed columns, one for each field:
/// let filter = Note::ARCHIVED.eq(false).and(Note::BODY.is_not_null());
/// // What is added: the columns without a default and that are not nullable are required, the others may be set.
/// let new = NewNote::new("tea").body("two cups");
/// assert_eq!(serde_json::to_string(&new)?, r#"{"title":"tea","body":"two cups"}"#);
/// // What is changed: unset is not null.
/// let patch = NotePatch::default().body(None);
/// assert_eq!(serde_json::to_string(&patch)?, r#"{"body":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// On the struct: `name` (required), `schema`, `references(Other, …)` for the tables its foreign keys lead to,
/// and the names of the shapes `insert` and `update` to be made. On a field: `key` for the primary key,
/// `default` where the database has one, `generated` where it computes the value. A field is named as serde
/// names it, `#[serde(rename)]` and `rename_all` included.
#[proc_macro_derive(Table, attributes(table))]
pub fn derive_table(input: TokenStream) -> TokenStream {
    expand(input, table::expand)
}

/// Makes a struct a part of a table's rows, or rows with what belongs to them.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use supabase_sdk::{Projection, Table};
///
/// #[derive(Serialize, Deserialize, Table)]
/// #[table(name = "customers")]
/// struct Customer { #[table(key)] id: i64, name: String }
///
/// #[derive(Serialize, Deserialize, Table)]
/// #[table(name = "vehicles", references(Customer))]
/// struct Vehicle { #[table(key)] id: i64, plate: Option<String>, customer_id: i64 }
///
/// #[derive(Deserialize, Projection)]
/// #[projection(of = Customer)]
/// struct Name { name: String }
///
/// #[derive(Deserialize, Projection)]
/// #[projection(of = Vehicle)]
/// struct Arrival {
///     plate: Option<String>,
///     #[projection(embed)]
///     customer: Name,
/// }
///
/// # fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// let query = client.table::<Vehicle>().select_as::<Arrival>()
///     .within(Arrival::CUSTOMER, |customer| customer.filter(Customer::NAME.eq("Zoé")));
/// assert_eq!(query.request()?.uri(),
///     "/rest/v1/vehicles?select=plate,customer:customers(name)&customer.name=eq.Zo%C3%A9");
/// # Ok(()) }
/// ```
///
/// A column that the table does not have, or has with another type, does not compile, nor does one that may be
/// null without `Option`, nor an embed along no foreign key. Whether an embedded row is always there, the struct
/// has to know: `Option<Name>` if the foreign key may be null. On the struct: `of`, the row of the table. On a field, besides a plain column:
///
/// | attribute | the field is |
/// |---|---|
/// | `column = "price_cents"` | another column, or a path into JSON: `"preferences->>theme"` |
/// | `cast = "text"` | a column, cast |
/// | `not_null` | a column that may be null, and is not in the rows that are asked for |
/// | `embed` | rows of another table: one, `Option` of one, or a `Vec` |
/// | `embed(inner)` | the same, and rows around that have none are left out |
/// | `embed(by = "sender_id")` | the one row this column leads to, where several columns lead to its table, or it is of the same table |
/// | `embed(hint = "…_fkey")` | the same, by this foreign key, in either direction; within one table only `by` and, the other way, `hint = "sender_id"` |
/// | `embed(through = Junction)` | rows beyond this table in the middle |
/// | `embed(back)` | the one row that refers to this one |
/// | `embed(unchecked)` | rows along a relation that is not declared |
/// | `spread` | columns of the one row of another table; with `#[serde(flatten)]`; options as above |
/// | `aggregate = "avg", column = "rating"` | an aggregate of a column; `aggregate = "count"` of the rows |
#[proc_macro_derive(Projection, attributes(projection))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    expand(input, projection::expand)
}

/// Gives the arguments of a function a `new` with those that have to be given, and a method for each of the
/// others: those of type [`Set`](https://docs.rs/supabase-sdk), which the function has a default for.
///
/// ```
/// use supabase_sdk::Arguments;
/// use supabase_sdk::rest::Set;
///
/// #[derive(serde::Serialize, Arguments)]
/// struct FindVehicles {
///     city: String,
///     #[serde(skip_serializing_if = "Set::is_unset")]
///     newer_than: Set<Option<i32>>,
/// }
///
/// let find = FindVehicles::new("Larache").newer_than(2020);
/// assert_eq!(serde_json::to_string(&find)?, r#"{"city":"Larache","newer_than":2020}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[proc_macro_derive(Arguments)]
pub fn derive_arguments(input: TokenStream) -> TokenStream {
    expand(input, arguments::expand)
}

fn expand(
    input: TokenStream,
    with: fn(&syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    with(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
