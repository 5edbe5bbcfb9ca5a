//! What was said on channels and is to be confirmed, and who waits for that.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind};

/// Who waits for the answer to a push.
pub(super) enum Waiting {
    /// Who sent it.
    Sender(oneshot::Sender<Result<(), Error>>),
    /// Who said something of themselves: it is said again with the next join, so a lost connection is no
    /// failure.
    Tracker(oneshot::Sender<Result<(), Error>>),
    /// Who left: gone is gone, whatever the answer is.
    Leaver(oneshot::Sender<()>),
}

impl Waiting {
    fn tell(self, answer: Result<(), Error>) {
        // Whoever waited may have gone.
        match self {
            Self::Sender(done) | Self::Tracker(done) => drop(done.send(answer)),
            Self::Leaver(done) => drop(done.send(())),
        }
    }
}

struct Push {
    topic: String,
    until: Duration,
    waiting: Waiting,
}

/// Pushes whose answer is waited for, by their reference.
#[derive(Default)]
pub(super) struct Pushes(BTreeMap<u64, Push>);

impl Pushes {
    /// Waits for an answer until then.
    pub(super) fn expect(&mut self, reference: u64, topic: &str, until: Duration, waiting: Waiting) {
        self.0.insert(reference, Push { topic: topic.to_owned(), until, waiting });
    }

    /// When the first of them is given up.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.0.values().map(|push| push.until).min()
    }

    /// True if an answer of this topic is waited for.
    pub(super) fn awaits(&self, reference: u64, topic: &str) -> bool {
        self.0.get(&reference).is_some_and(|push| push.topic == topic)
    }

    /// Hands an answer on.
    pub(super) fn settle(&mut self, reference: u64, answer: Result<(), Error>) {
        if let Some(push) = self.0.remove(&reference) {
            push.waiting.tell(answer);
        }
    }

    /// Gives up what was not answered in time.
    pub(super) fn give_up(&mut self, now: Duration) {
        let late = || Error::new(ErrorKind::Timeout, "the server did not confirm it in time");
        for (_, push) in self.0.extract_if(.., |_, push| now >= push.until) {
            push.waiting.tell(Err(late()));
        }
    }

    /// Gives up everything: there is no connection any more.
    pub(super) fn lose(&mut self) {
        let cut = || Error::new(ErrorKind::Unreachable, "the connection was lost");
        for push in std::mem::take(&mut self.0).into_values() {
            let later = matches!(push.waiting, Waiting::Tracker(_));
            push.waiting.tell(if later { Ok(()) } else { Err(cut()) });
        }
    }
}
