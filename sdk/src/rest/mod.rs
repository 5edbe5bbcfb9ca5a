//! What a table is to us: typed rows over PostgREST.
//!
//! A [`Table`] hands out one builder a verb. A builder is a value: `request()` shows what it would send,
//! and nothing is sent before `fetch` or `send`.

use http::header::HeaderName;

mod filter;
mod insert;
mod reply;
mod select;
mod table;

pub use filter::{Comparable, Filter, Literal, Order};
pub use insert::{Insert, Returning};
pub use reply::Rows;
pub use select::Select;
pub use table::{Column, Row, Table};

const PREFER: HeaderName = HeaderName::from_static("prefer");
