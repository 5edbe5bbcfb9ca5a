//! How often a client may say something of itself.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(30);
const MOST: u32 = 5;

/// So many in a while, counted from the first.
#[derive(Debug, Default)]
pub(super) struct Pace {
    window: Option<(Instant, u32)>,
}

impl Pace {
    /// Counts one, and says whether it is not too many.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        let (since, count) = match self.window {
            Some((since, count)) if now.duration_since(since) <= WINDOW => (since, count + 1),
            _ => (now, 1), // a window that is over, or the first
        };
        self.window = Some((since, count));
        count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_says_too_much_is_stopped_for_a_while() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let allowed: Vec<_> = (0..6).map(|_| pace.allows(now)).collect();
        assert_eq!(allowed, [true, true, true, true, true, false]);
        assert!(pace.allows(now + WINDOW + Duration::from_secs(1)));
    }
}
