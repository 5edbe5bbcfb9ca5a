//! Tables and functions over REST, typed.
//!
//! A [`Table`] hands out one [`Query`] a verb. A query is a value: `request()` shows what it would send, and
//! nothing is sent before `fetch`, `send` or the like. [`guide`] sets it beside supabase-js.

mod column;
mod draft;
mod embed;
mod filter;
#[doc = include_str!("guide.md")]
pub mod guide {}
mod literal;
mod order;
mod page;
mod pieces;
mod projection;
mod query;
mod quote;
mod range;
mod reply;
mod rpc;
mod scope;
mod table;
mod value;
mod write;

#[cfg(feature = "realtime")]
pub(crate) use quote::name as column_name;

pub use column::{Column, JsonStep, Name, TextSearch, Truth, col};
pub use draft::{Count, Explain, Missing};
pub use embed::{Embed, rel};
pub use filter::Filter;
pub use literal::{Any, Comparable, Container, Literal, Searchable, Textual};
pub use order::Order;
pub use page::RowStream;
pub use pieces::{InPieces, Piece, PieceSize, Pieces};
pub use projection::{Field, Projection, References, Row};
pub use query::{Change, Columns, Insert, Query, Select, stage};
pub use range::{NotARange, Point, Range};
pub use reply::{Affected, Rows};
pub use rpc::{Answer, Call, Function, Many, One, OneRow};
pub use scope::Scope;
pub use table::{Known, Table};
pub use value::{NotNumeric, Numeric, TsVector};
pub use write::{Assign, Changes, Insertable, Set};
