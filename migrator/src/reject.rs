//! A record that was refused: where it stands, why, and what to do about it.
//!
//! A reject never holds a value of the record, so it may be printed and sent around.

use std::borrow::Cow;

use serde::Serialize;

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reject {
    /// The exported file.
    pub file: String,
    /// The record in it, as a JSON Pointer.
    pub pointer: String,
    /// The table it was meant for.
    pub table: String,
    /// The column that refused it; none when the record as a whole was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A stable name for the reason, such as `numeric_scale`; the server's own code where it refused.
    pub code: Cow<'static, str>,
    /// The reason, in a sentence.
    pub message: String,
    /// The next step.
    pub help: String,
}
