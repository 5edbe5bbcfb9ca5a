//! The export the demo imports: a garage of invented people, with the oddities of a real one.

/// A backup of the garage app.
pub const GARAGE: &str = include_str!("../samples/garage-backup.json");
