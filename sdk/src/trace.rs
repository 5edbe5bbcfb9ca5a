//! Trace context: how a request is found again in the server's traces.
//!
//! Source: W3C Trace Context §3.2 (`traceparent`), §3.3 (`tracestate`); W3C Baggage.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// What a request carries so that spans on the server continue ours.
///
/// ```
/// use supabase_sdk::TraceContext;
/// let context = TraceContext::random();
/// assert_eq!(context.traceparent.len(), 55);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-<trace id>-<span id>-<flags>`.
    pub traceparent: String,
    /// Vendors' own state; empty for none.
    pub tracestate: String,
    /// Pairs that travel along; empty for none.
    pub baggage: String,
}

impl TraceContext {
    /// A context of its own, for who has no tracing system: the id then stands in our spans and in the
    /// server's log.
    pub fn random() -> Self {
        let [high, low, span] = [(); 3].map(|()| random_bits().max(1));
        let mut traceparent = String::with_capacity(55);
        // Writing into a String cannot fail.
        let _ = write!(traceparent, "00-{high:016x}{low:016x}-{span:016x}-01");
        Self { traceparent, ..Self::default() }
    }

    /// Puts it into the headers; what cannot stand in one is left out, since a trace is not worth a request.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        let pairs = [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("baggage", &self.baggage),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Bits nobody can foretell well enough to matter: for jitter and trace ids, never for keys.
pub(crate) fn random_bits() -> u64 {
    RandomState::new().hash_one(0)
}

/// The same as a number in `0.0..1.0`.
pub(crate) fn random_fraction() -> f64 {
    f64::from(u32::try_from(random_bits() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
