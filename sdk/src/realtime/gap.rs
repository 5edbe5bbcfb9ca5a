//! A gap: what a listener is told where it may have missed something.

use std::fmt;

/// Why something may be missing. What was missed is not known; who has to know fetches again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// The channel was away and is back: the connection was lost, or the server closed the channel.
    Rejoined,
    /// The channel stayed, and the server built its feed from the database anew: it took a new token, or had
    /// lost the database.
    Rebuilt,
    /// The server could not tell a change in full; its own words say why.
    Incomplete {
        /// What the server says of it, such as `Error 413: Payload Too Large`.
        reasons: Vec<String>,
    },
    /// The listener was slower than what it listens to, and its queue was full.
    Overflow {
        /// How many items were thrown away.
        lost: u64,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejoined => out.write_str("the channel was away and is back"),
            Self::Rebuilt => out.write_str("the server built the feed anew"),
            Self::Incomplete { reasons } => {
                write!(out, "a change was not told in full: {}", reasons.join(", "))
            }
            Self::Overflow { lost } => write!(out, "{lost} items came faster than they were taken"),
        }
    }
}
