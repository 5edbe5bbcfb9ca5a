//! Trying again: a contract, without a clock and without a network.
//!
//! | the failure | what is tried again |
//! |---|---|
//! | the request was certainly not carried out: no connection, 429, PGRST000, 002 and 003, or a transaction the database rolled back for a passing reason (SQLSTATE 40001, 40P01, 55P03, 53…, 57P01, 57P03) | any request |
//! | it may have been carried out: the connection was cut, a timeout, 408, 502, 503, 520 to 530 | requests that are safe to send twice |
//! | anything else | nothing |
//!
//! Safe to send twice are GET, HEAD and PUT, upserts whose rows all bring the columns they are met by, inserts
//! that [`crate::rest::Query::replay_safe`] made so, and uploads that replace ([`crate::storage::Upload::send`]
//! says what becomes of others). PATCH and DELETE would find other rows the second time,
//! and say so wrongly. What ran into a time limit, the database's (57014) or a gateway's (504), is not tried
//! again: it would again.
//!
//! The wait doubles each time, is shortened at random so that clients do not come back together, and is
//! never shorter than `Retry-After`; where that is longer than [`Retry::longest`], the failure is handed
//! on at once. All retries of a client draw from one [`Budget`], so that an outage is not made worse.
//! Source: RFC 9110 §9.2.2 (idempotent methods) and §10.2.3 (`Retry-After`).

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::Error;

/// How often and how soon a request is sent again: four times in all unless told, with waits of about a
/// quarter, a half and a whole second, as long as the request's time lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many times a request is sent in all; 1 never repeats.
    pub tries: u32,
    /// The wait before the second time; it doubles with each one after.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 4, first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

impl Retry {
    /// Never sends anything twice.
    pub const fn never() -> Self {
        Self { tries: 1, first: Duration::ZERO, longest: Duration::ZERO }
    }

    /// How long to wait before a request that failed is sent once more; `None` for not at all.
    /// `sent` is how many times it has been sent, `random` lies in `0.0..1.0`.
    pub fn wait(&self, sent: u32, safe_twice: bool, failure: &Error, random: f64) -> Option<Duration> {
        if sent >= self.tries || !failure.is_worth_repeating() || !(safe_twice || failure.is_undone()) {
            return None;
        }
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(sent.saturating_sub(1)));
        let doubled = doubled.min(self.longest);
        // A random number that is none waits longest.
        let share = if random.is_nan() { 1.0 } else { 0.5 + 0.5 * random.clamp(0.0, 1.0) };
        let jittered = Duration::try_from_secs_f64(doubled.as_secs_f64() * share).unwrap_or(doubled);
        let wait = failure.retry_after().map_or(jittered, |asked| asked.max(jittered));
        (wait <= self.longest).then_some(wait)
    }
}

/// What all retries of a client draw from: ten at once, and then one for each ten requests that succeed.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const RETRY: u32 = 10;
    const FULL: u32 = 10 * Self::RETRY;

    /// Takes what one retry costs, if there is as much.
    pub(crate) fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::RETRY))
            .is_ok()
    }

    /// Notes a request that succeeded.
    pub(crate) fn earn(&self) {
        let earned = |left: u32| (left < Self::FULL).then_some(left + 1);
        // Full is where it stays.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned).ok();
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::error::ErrorKind;

    fn refusal(status: u16, code: &str) -> Error {
        let body = format!(r#"{{"code":"{code}","message":"m"}}"#);
        let body = if code.is_empty() { "" } else { &body };
        Error::from_reply(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    /// Whether a request that is safe to send twice, and one that is not, is sent again.
    fn again(failure: &Error) -> (bool, bool) {
        let wait = |safe| Retry::default().wait(1, safe, failure, 0.5).is_some();
        (wait(true), wait(false))
    }

    #[test]
    fn what_is_sent_again_depends_on_what_may_have_happened() {
        let undone = [
            refusal(429, ""),
            refusal(503, "PGRST002"),
            refusal(503, "PGRST003"),
            refusal(500, "40001"),
            refusal(500, "40P01"),
            refusal(503, "53300"),
            refusal(500, "55P03"),
            refusal(503, "57P03"),
        ];
        for failure in undone {
            assert_eq!(again(&failure), (true, true), "{failure}");
        }
        let unknown = [408, 502, 503, 520, 522].map(|status| refusal(status, ""));
        assert_eq!(again(&refusal(503, "PGRST001")), (true, false), "it may have broken at the commit");
        let silent = [ErrorKind::Unreachable, ErrorKind::Timeout].map(|kind| Error::new(kind, "cut"));
        for failure in unknown.into_iter().chain(silent) {
            assert_eq!(again(&failure), (true, false), "{failure}");
        }
        let refused = [
            refusal(400, "22P02"),
            refusal(401, "PGRST301"),
            refusal(403, "42501"),
            refusal(409, "23505"),
            refusal(500, "57014"),
            refusal(500, "XX000"),
            refusal(501, ""),
            refusal(504, ""),
        ];
        for failure in refused {
            assert_eq!(again(&failure), (false, false), "{failure}");
        }
        assert_eq!(again(&Error::new(ErrorKind::Unreachable, "no connection").undone()), (true, true));
    }

    #[test]
    fn waits_double_are_jittered_and_end() {
        let failure = refusal(503, "PGRST002");
        let retry = Retry::default();
        let wait = |sent, random| retry.wait(sent, true, &failure, random).map(|wait| wait.as_millis());
        assert_eq!(
            [wait(1, 1.0), wait(2, 1.0), wait(3, 1.0), wait(4, 1.0)],
            [Some(250), Some(500), Some(1000), None]
        );
        assert_eq!([wait(1, 0.0), wait(2, 0.0)], [Some(125), Some(250)]);
        assert_eq!(Retry::never().wait(1, true, &failure, 0.5), None);
        let endless = Retry { tries: 2, first: Duration::MAX, longest: Duration::MAX };
        assert!(
            endless.wait(1, true, &failure, 1.0).is_some()
                && retry.wait(1, true, &failure, f64::NAN).is_some()
        );
        assert!(Retry { tries: u32::MAX, ..retry }.wait(200, true, &failure, 1.0).unwrap() <= retry.longest);
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let asked = |after: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", after.parse().unwrap());
            let failure = Error::from_reply(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
            Retry::default().wait(1, false, &failure, 1.0)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("0"), Some(Duration::from_millis(250)));
        assert_eq!(asked("3600"), None, "longer than anybody wants to wait here");
        assert_eq!(asked("soon"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn an_outage_is_not_made_worse() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 10);
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.take());
        budget.earn();
        assert!(budget.take() && !budget.take());
    }
}
