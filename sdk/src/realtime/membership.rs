//! Our membership of one topic, as a machine: joining it, being live, and coming back.
//!
//! What is true:
//! - It is live when everything it needs is: the server's `system` ok for changes of tables, the one for
//!   replication where that was asked for, and else the reply to its join. The reply alone is no feed.
//! - A second such signal means that the server built the feed anew, and a rejoin that it was away: each is a
//!   [`Gap`], told before anything that comes after it.
//! - Whatever ends it without us having left is answered by another join, with waits that double up to a
//!   limit. Only a refusal of the final class ([`Class::Final`]) stops it.
//! - What belongs to an older join is not heard.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::realtime::Gap;
use crate::realtime::refusal::Class;
use crate::realtime::reply::Bound;
use crate::realtime::socket::{Moment, Options};

/// How a channel is.
#[derive(Debug, Clone)]
pub enum Status {
    /// It is being joined, or is joined and not live yet.
    Joining,
    /// What it listens to comes.
    Live,
    /// It is joined, and the server says that its feed from the database is broken. The server tries again by
    /// itself; once it succeeds, listeners are told of a gap.
    Degraded(Arc<Error>),
    /// It is away, for this reason, and comes back by itself.
    Waiting(Arc<Error>),
    /// It is refused for a reason that does not pass. It does not come back.
    Stopped(Arc<Error>),
    /// It was left.
    Left,
}

/// What has to be said before it is live, besides the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) changes: bool,
    pub(super) replication: bool,
}

/// Which part of the server speaks in a `system` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Changes,
    Channel,
}

#[derive(Debug)]
pub(super) enum Input {
    /// There is a connection, and it is known who we are.
    Opened,
    /// There is no connection any more.
    Lost(Arc<Error>),
    /// The answer to a join.
    Reply {
        reference: u64,
        answer: Result<Vec<Bound>, Error>,
    },
    /// The join could not be sent: it is not known who we are.
    NoToken(Arc<Error>),
    /// A newer token was asked for, and is there or is not to be had.
    Renewed,
    /// `system`: how a part of the server fares.
    System {
        part: Part,
        outcome: Result<(), Error>,
    },
    /// `phx_close` or `phx_error`, of this join.
    Dismissed,
    /// Who we are is another: the server has to ask anew what we may do.
    Rejoin,
    Timer,
    Leave,
}

#[derive(Debug)]
pub(super) enum Command {
    Join {
        reference: u64,
    },
    Leave,
    RenewToken,
    /// The server names the bindings of this join.
    Bind(Vec<Bound>),
    /// It is joined, for the first time or again.
    Joined,
    Status(Status),
    Gap(Gap),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Offline,
    /// The join was sent.
    Asking {
        reference: u64,
        until: Duration,
    },
    /// The join was answered; these are not there yet.
    Joined {
        reference: u64,
        until: Duration,
        missing: Needs,
    },
    Live {
        reference: u64,
    },
    /// It joins again then.
    Resting {
        until: Duration,
    },
    /// It joins again when there is a newer token.
    Renewing,
    /// It does not come back.
    Over,
}

#[derive(Debug)]
pub(super) struct Membership {
    needs: Needs,
    options: Options,
    state: State,
    failures: u32,
    /// True if a newer token was asked for since it was last live.
    renewed: bool,
    /// True once it was live.
    been_live: bool,
    /// What the server last said is wrong.
    said: Option<Arc<Error>>,
}

impl Membership {
    pub(super) fn new(needs: Needs, options: Options) -> Self {
        Self {
            needs,
            options,
            state: State::Offline,
            failures: 0,
            renewed: false,
            been_live: false,
            said: None,
        }
    }

    /// The reference of the join that holds, where pushes are taken.
    pub(super) fn joined(&self) -> Option<u64> {
        match self.state {
            State::Joined { reference, .. } | State::Live { reference } => Some(reference),
            State::Offline | State::Asking { .. } | State::Resting { .. } | State::Renewing | State::Over => {
                None
            }
        }
    }

    /// The reference of the join that frames are to belong to.
    pub(super) fn join_reference(&self) -> Option<u64> {
        match self.state {
            State::Asking { reference, .. } => Some(reference),
            _ => self.joined(), // the others sent none, or have it
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// When it wants to be asked again.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Asking { until, .. } | State::Joined { until, .. } | State::Resting { until } => {
                Some(until)
            }
            State::Offline | State::Live { .. } | State::Renewing | State::Over => None,
        }
    }

    /// Takes one input; `next` gives a reference no frame had before.
    pub(super) fn handle(
        &mut self,
        now: Moment,
        input: Input,
        next: &mut dyn FnMut() -> u64,
    ) -> Vec<Command> {
        match (self.state, input) {
            (State::Over, _) => Vec::new(),
            (_, Input::Leave) => {
                let there = self.join_reference().is_some();
                self.state = State::Over;
                let leave = there.then_some(Command::Leave);
                leave.into_iter().chain([Command::Status(Status::Left)]).collect()
            }
            (State::Offline, Input::Opened) => self.join(now, next),
            (_, Input::Lost(error)) => {
                self.state = State::Offline;
                vec![Command::Status(Status::Waiting(error))]
            }
            (State::Resting { until }, Input::Timer) if now.at >= until => self.join(now, next),
            (State::Renewing, Input::Renewed) => self.join(now, next),
            (State::Offline | State::Asking { .. } | State::Renewing, Input::NoToken(error)) => {
                self.rest(now, error)
            }
            (State::Asking { reference, .. }, Input::Reply { reference: to, answer }) if reference == to => {
                match answer {
                    Ok(bound) => self.joined_with(now, reference, bound),
                    Err(error) => self.refused(now, error),
                }
            }
            (State::Asking { until, .. }, Input::Timer) if now.at >= until => {
                let error = Error::new(ErrorKind::Timeout, "the server did not answer the join");
                self.rest(now, Arc::new(error))
            }
            (State::Joined { until, .. }, Input::Timer) if now.at >= until => {
                let late = || {
                    Arc::new(Error::new(ErrorKind::Timeout, "the server did not say that the feed is ready"))
                };
                let error = self.said.take().unwrap_or_else(late);
                let mut commands = vec![Command::Leave];
                commands.extend(self.rest(now, error));
                commands
            }
            (State::Joined { reference, until, missing }, Input::System { part, outcome: Ok(()) }) => {
                let missing = match part {
                    Part::Changes => Needs { changes: false, ..missing },
                    Part::Channel => Needs { replication: false, ..missing },
                };
                self.state = State::Joined { reference, until, missing };
                self.live_if_all_is_there()
            }
            (State::Joined { .. }, Input::System { outcome: Err(error), .. }) => self.degraded(error),
            (State::Live { .. }, Input::System { part: Part::Changes, outcome: Ok(()) })
                if self.needs.changes =>
            {
                self.said = None;
                vec![Command::Gap(Gap::Rebuilt), Command::Status(Status::Live)]
            }
            (State::Live { .. }, Input::System { outcome: Err(error), .. }) => self.degraded(error),
            (State::Asking { .. } | State::Joined { .. } | State::Live { .. }, Input::Dismissed) => {
                let closed = || Error::new(ErrorKind::Busy, "the server closed the channel");
                match self.said.take() {
                    // It said why before it did: a token that is too old is nothing to wait for.
                    Some(error) if Class::of(&error) == Class::Token => self.without_token(now, error),
                    said => self.rest(now, said.unwrap_or_else(|| Arc::new(closed()))),
                }
            }
            (State::Joined { .. } | State::Live { .. }, Input::Rejoin) => {
                let mut commands = vec![Command::Leave];
                commands.extend(self.join(now, next));
                commands
            }
            _ => Vec::new(), // late answers and early timers are normal
        }
    }

    fn join(&mut self, now: Moment, next: &mut dyn FnMut() -> u64) -> Vec<Command> {
        let reference = next();
        self.state = State::Asking { reference, until: now.at + self.options.patience };
        self.said = None;
        vec![Command::Status(Status::Joining), Command::Join { reference }]
    }

    fn joined_with(&mut self, now: Moment, reference: u64, bound: Vec<Bound>) -> Vec<Command> {
        let until = now.at + self.options.readiness;
        self.state = State::Joined { reference, until, missing: self.needs };
        let mut commands = vec![Command::Bind(bound), Command::Joined];
        commands.extend(self.live_if_all_is_there());
        commands
    }

    fn live_if_all_is_there(&mut self) -> Vec<Command> {
        let State::Joined { reference, missing, .. } = self.state else { return Vec::new() };
        if missing != Needs::default() {
            return Vec::new();
        }
        self.state = State::Live { reference };
        (self.failures, self.renewed, self.said) = (0, false, None);
        let again = std::mem::replace(&mut self.been_live, true);
        let gap = again.then_some(Command::Gap(Gap::Rejoined));
        gap.into_iter().chain([Command::Status(Status::Live)]).collect()
    }

    fn degraded(&mut self, error: Error) -> Vec<Command> {
        let error = Arc::new(error);
        self.said = Some(error.clone());
        vec![Command::Status(Status::Degraded(error))]
    }

    fn refused(&mut self, now: Moment, error: Error) -> Vec<Command> {
        let error = Arc::new(error);
        match Class::of(&error) {
            Class::Token => self.without_token(now, error),
            Class::Later => self.rest(now, error),
            Class::Final => {
                self.state = State::Over;
                vec![Command::Status(Status::Stopped(error))]
            }
        }
    }

    fn without_token(&mut self, now: Moment, error: Arc<Error>) -> Vec<Command> {
        if std::mem::replace(&mut self.renewed, true) {
            return self.rest(now, error);
        }
        self.state = State::Renewing;
        vec![Command::Status(Status::Waiting(error)), Command::RenewToken]
    }

    fn rest(&mut self, now: Moment, error: Arc<Error>) -> Vec<Command> {
        self.failures = self.failures.saturating_add(1);
        self.state = State::Resting { until: now.at + self.options.rest(self.failures, now.random) };
        vec![Command::Status(Status::Waiting(error))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::refusal;

    const CHANGES: Needs = Needs { changes: true, replication: false };

    fn at(seconds: u64) -> Moment {
        let at = Duration::from_secs(seconds);
        Moment { at, wall: at, random: 1.0 }
    }

    struct Subject(Membership, u64);

    impl Subject {
        fn new(needs: Needs) -> Self {
            Self(Membership::new(needs, Options::default()), 0)
        }

        /// What it does, in words.
        fn does(&mut self, seconds: u64, input: Input) -> Vec<String> {
            let Self(membership, reference) = self;
            let mut next = || {
                *reference += 1;
                *reference
            };
            let word = |command: Command| match command {
                Command::Join { reference } => format!("join {reference}"),
                Command::Leave => "leave".to_owned(),
                Command::RenewToken => "renew".to_owned(),
                Command::Bind(_) => "bind".to_owned(),
                Command::Joined => "joined".to_owned(),
                Command::Gap(gap) => format!("{gap:?}"),
                Command::Status(Status::Joining) => "joining".to_owned(),
                Command::Status(Status::Live) => "live".to_owned(),
                Command::Status(Status::Degraded(_)) => "degraded".to_owned(),
                Command::Status(Status::Waiting(_)) => "waiting".to_owned(),
                Command::Status(Status::Stopped(_)) => "stopped".to_owned(),
                Command::Status(Status::Left) => "left".to_owned(),
            };
            membership.handle(at(seconds), input, &mut next).into_iter().map(word).collect()
        }

        fn live(needs: Needs) -> Self {
            let mut subject = Self::new(needs);
            subject.does(0, Input::Opened);
            subject.does(0, accepted(1));
            if needs.changes {
                subject.does(0, ok(Part::Changes));
            }
            assert!(matches!(subject.0.state, State::Live { .. }));
            subject
        }
    }

    fn accepted(reference: u64) -> Input {
        Input::Reply { reference, answer: Ok(Vec::new()) }
    }

    fn refused(reference: u64, reason: &str) -> Input {
        Input::Reply { reference, answer: Err(refusal::read(reason)) }
    }

    fn ok(part: Part) -> Input {
        Input::System { part, outcome: Ok(()) }
    }

    fn broken(part: Part, why: &str) -> Input {
        Input::System { part, outcome: Err(refusal::read(why)) }
    }

    fn cut() -> Input {
        Input::Lost(Arc::new(Error::new(ErrorKind::Unreachable, "cut")))
    }

    #[test]
    fn it_is_live_when_everything_it_needs_is() {
        let check = |needs, says: &[(Input, &[&str])]| {
            let mut subject = Subject::new(needs);
            assert_eq!(subject.does(0, Input::Opened), ["joining", "join 1"]);
            for (input, does) in says {
                let input = match input {
                    Input::Reply { .. } => accepted(1),
                    Input::System { part, .. } => ok(*part),
                    _ => unreachable!("only these are said"),
                };
                assert_eq!(subject.does(1, input), *does);
            }
        };
        check(Needs::default(), &[(accepted(1), &["bind", "joined", "live"])]);
        check(CHANGES, &[(accepted(1), &["bind", "joined"]), (ok(Part::Changes), &["live"])]);
        check(
            Needs { changes: true, replication: true },
            &[
                (accepted(1), &["bind", "joined"]),
                (ok(Part::Channel), &[]),
                (ok(Part::Changes), &["live"]),
                (ok(Part::Changes), &["Rebuilt", "live"]),
            ],
        );
    }

    #[test]
    fn a_channel_the_server_closes_comes_back_and_tells_of_the_gap() {
        let mut subject = Subject::live(CHANGES);
        assert_eq!(subject.does(10, Input::Dismissed), ["waiting"]);
        assert_eq!(subject.0.deadline(), Some(Duration::from_secs(11)));
        assert!(subject.does(10, Input::Timer).is_empty(), "too early");
        assert_eq!(subject.does(11, Input::Timer), ["joining", "join 2"]);
        assert!(subject.does(11, accepted(1)).is_empty(), "an answer to the older join");
        assert_eq!(subject.does(11, accepted(2)), ["bind", "joined"]);
        assert_eq!(subject.does(12, ok(Part::Changes)), ["Rejoined", "live"]);
        assert_eq!(subject.does(13, cut()), ["waiting"]);
        assert_eq!(subject.does(14, Input::Opened), ["joining", "join 3"]);
    }

    #[test]
    fn a_token_that_is_too_old_is_renewed_once_and_then_waited_for() {
        let mut subject = Subject::live(CHANGES);
        let expired = "Token has expired 3 seconds ago";
        assert_eq!(subject.does(10, broken(Part::Channel, expired)), ["degraded"]);
        assert_eq!(subject.does(10, Input::Dismissed), ["waiting", "renew"]);
        assert_eq!(subject.does(10, Input::Renewed), ["joining", "join 2"]);
        assert_eq!(subject.does(10, refused(2, "InvalidJWTToken: still")), ["waiting"]);
        assert_eq!(subject.does(12, Input::Timer), ["joining", "join 3"]);
        subject.does(12, accepted(3));
        subject.does(12, ok(Part::Changes));
        subject.does(13, broken(Part::Channel, expired));
        assert_eq!(subject.does(13, Input::Dismissed), ["waiting", "renew"], "live again, it may ask again");
    }

    #[test]
    fn refusals_stop_it_or_make_it_wait() {
        let mut subject = Subject::new(Needs::default());
        subject.does(0, Input::Opened);
        let mut now = 0;
        for (round, wait) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
            let reference = round as u64 + 1;
            assert_eq!(subject.does(now, refused(reference, "RealtimeRestarting: standby")), ["waiting"]);
            now += wait;
            assert_eq!(
                subject.does(now, Input::Timer),
                ["joining".to_owned(), format!("join {}", reference + 1)]
            );
        }
        assert_eq!(subject.does(now, refused(8, "Unauthorized: no")), ["stopped"]);
        assert!(subject.does(now + 99, Input::Opened).is_empty() && subject.0.is_over());
    }

    #[test]
    fn silence_is_a_reason_to_try_again() {
        let mut subject = Subject::new(CHANGES);
        subject.does(0, Input::Opened);
        assert_eq!(subject.does(10, Input::Timer), ["waiting"]);
        assert_eq!(subject.does(11, Input::Timer), ["joining", "join 2"]);
        subject.does(11, accepted(2));
        assert_eq!(subject.does(41, Input::Timer), ["leave", "waiting"], "joined, and never live");
        assert_eq!(subject.does(43, Input::Timer), ["joining", "join 3"]);
        assert_eq!(subject.does(43, Input::Leave), ["leave", "left"]);
        assert!(subject.does(44, accepted(3)).is_empty());
    }

    #[test]
    fn what_the_server_mends_by_itself_is_waited_for() {
        let mut subject = Subject::live(CHANGES);
        assert_eq!(subject.does(5, broken(Part::Changes, "Unable to subscribe")), ["degraded"]);
        assert_eq!(subject.0.deadline(), None);
        assert_eq!(subject.does(15, ok(Part::Changes)), ["Rebuilt", "live"]);
        let mut subject = Subject::live(Needs::default());
        assert!(subject.does(5, ok(Part::Changes)).is_empty(), "nobody listens to changes");
        assert_eq!(subject.does(6, Input::Rejoin), ["leave", "joining", "join 2"]);
    }
}
