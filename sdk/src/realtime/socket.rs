//! The socket, as a machine: when it is opened, when it is taken for dead, and how long it rests.
//!
//! Time comes in as a [`Moment`]; nothing here sleeps or opens anything. What is true:
//! - Somebody wants it: it is opened, and opened again for ever, with waits that double up to a limit and are
//!   shortened at random. An answer from the server, and not the open connection alone, starts them anew.
//! - It is open: a heartbeat goes out every [`Options::heartbeat`], and one that is not answered within
//!   [`Options::patience`] means that nobody is there.
//! - The wall clock ran on and ours did not, or we were not asked for long: the machine slept, and what was
//!   connected is not any more.
//! - Nobody wants it: it is closed after [`Options::linger`], since the next channel may come at once.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// How a client's socket and its channels behave. [`crate::ClientBuilder::realtime`] takes one.
///
/// ```
/// use std::time::Duration;
/// use supabase_sdk::realtime::Options;
/// let options = Options { heartbeat: Duration::from_secs(15), ..Options::default() };
/// let client = supabase_sdk::Client::builder("https://abc.supabase.co", "sb_publishable_abc").realtime(options);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often the server is asked whether it is there, and the session for who we are: every 25 seconds unless
    /// told. Longer than a minute, and a token may end before the next one is told.
    pub heartbeat: Duration,
    /// How long an answer is waited for, to a heartbeat, a join or a push: 10 seconds unless told.
    pub patience: Duration,
    /// How long a joined channel may take to be live: 30 seconds unless told.
    pub readiness: Duration,
    /// The wait before a connection or a join is tried again; it doubles each time: 1 second unless told.
    pub first: Duration,
    /// The longest such wait: 30 seconds unless told.
    pub longest: Duration,
    /// How long the connection is kept when no channel is left: 50 seconds unless told.
    pub linger: Duration,
    /// How many items a listener may fall behind before it is told of a gap instead: 1,024 unless told.
    pub queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            heartbeat: seconds(25),
            patience: seconds(10),
            readiness: seconds(30),
            first: seconds(1),
            longest: seconds(30),
            linger: seconds(50),
            queue: 1_024,
        }
    }
}

impl Options {
    /// How long to rest after so many failures; `random` lies in `0.0..1.0` and shortens it by up to a half.
    pub(super) fn rest(&self, failures: u32, random: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
        doubled.min(self.longest).mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
    }
}

/// When something happens, by two clocks: one that only runs while we do, and the wall's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Since the driver began.
    pub(super) at: Duration,
    /// Since 1970.
    pub(super) wall: Duration,
    /// A number in `0.0..1.0`.
    pub(super) random: f64,
}

/// Whether there is a connection.
#[derive(Debug, Clone)]
pub enum Connection {
    /// None, and none is wanted: there is no channel.
    Idle,
    /// It is being opened.
    Connecting,
    /// It is open, and answers.
    Open,
    /// It was lost or could not be opened; it is tried again soon, for as long as a channel wants it.
    Waiting(Arc<Error>),
}

/// What became of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeat {
    /// It was sent.
    Sent,
    /// The server answered, after so long.
    Answered(Duration),
    /// The server did not answer: the connection is given up, and opened anew.
    Unanswered,
}

#[derive(Debug)]
pub(super) enum Input {
    /// A channel wants the connection.
    Wanted,
    /// No channel wants it.
    Unwanted,
    /// Somebody asked for the end of it, channels or not.
    Disconnect,
    Opened,
    /// It could not be opened, or it was lost.
    Failed(Arc<Error>),
    /// Something came in.
    Heard,
    /// A heartbeat was answered.
    Answered(u64),
    Timer,
}

#[derive(Debug)]
pub(super) enum Command {
    Open,
    /// Drop the connection, whatever its state.
    Close,
    /// Channels have no connection any more, for this reason.
    Lost(Arc<Error>),
    Beat(u64),
    Connection(Connection),
    Heartbeat(Heartbeat),
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    Opening,
    Open { next: Duration, beat: Option<Beat> },
    Resting { until: Duration },
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    reference: u64,
    sent: Duration,
}

#[derive(Debug)]
pub(super) struct Socket {
    options: Options,
    state: State,
    failures: u32,
    wanted: bool,
    /// When it is closed if nobody wants it until then.
    lingers_until: Option<Duration>,
    /// When we were last asked.
    last: Option<Moment>,
    reference: u64,
}

impl Socket {
    /// How far the clocks may part between two looks. A correction of the clock is smaller, a nap is not.
    const JUMP: Duration = Duration::from_secs(10);
    /// How often it is looked at while it is open.
    const LOOK: Duration = Duration::from_secs(5);

    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Idle,
            failures: 0,
            wanted: false,
            lingers_until: None,
            last: None,
            reference: 0,
        }
    }

    /// A number no frame of this socket had before.
    pub(super) fn next_reference(&mut self) -> u64 {
        self.reference += 1;
        self.reference
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// When it wants to be asked again.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let own = match self.state {
            State::Idle | State::Opening => None,
            State::Open { next, beat } => {
                let due = beat.map_or(next, |beat| beat.sent + self.options.patience);
                let look = self.last.map_or(due, |last| last.at + Self::LOOK);
                Some(due.min(look))
            }
            State::Resting { until } => Some(self.last.map_or(until, |last| until.min(last.at + Self::LOOK))),
        };
        [own, self.lingers_until].into_iter().flatten().min()
    }

    pub(super) fn handle(&mut self, now: Moment, input: Input) -> Vec<Command> {
        let slept = self.slept(now);
        let mut commands = Vec::new();
        if slept && !matches!(self.state, State::Idle) {
            // Whatever comes, it comes to a machine that woke up: the other end has long given up, and what
            // stood in the way before may not do so any more.
            let error =
                Error::new(ErrorKind::Unreachable, "this machine slept, and the connection did not last");
            commands = vec![Command::Close, Command::Lost(Arc::new(error))];
            self.failures = 0;
            commands.extend(self.open());
        }
        commands.extend(self.step(now, input));
        commands
    }

    /// True if the time since the last look is not the time that passed.
    fn slept(&mut self, now: Moment) -> bool {
        let Some(last) = self.last.replace(now) else { return false };
        let (ran, passed) = (now.at.saturating_sub(last.at), now.wall.saturating_sub(last.wall));
        let watched = matches!(self.state, State::Open { .. } | State::Resting { .. });
        passed.saturating_sub(ran) > Self::JUMP || (watched && ran > Self::LOOK + Self::JUMP)
    }

    fn step(&mut self, now: Moment, input: Input) -> Vec<Command> {
        match (self.state, input) {
            (state, Input::Wanted) => {
                (self.wanted, self.lingers_until) = (true, None);
                if matches!(state, State::Idle) { self.open() } else { Vec::new() }
            }
            (State::Idle, Input::Unwanted) => {
                self.wanted = false;
                Vec::new()
            }
            (State::Resting { .. }, Input::Unwanted) | (_, Input::Disconnect) => self.close(),
            (State::Opening | State::Open { .. }, Input::Unwanted) => {
                self.wanted = false;
                self.lingers_until = Some(now.at + self.options.linger);
                Vec::new()
            }
            (State::Opening, Input::Opened) => {
                self.state = State::Open { next: now.at + self.options.heartbeat, beat: None };
                vec![Command::Connection(Connection::Open)]
            }
            (State::Opening | State::Open { .. }, Input::Failed(error)) => self.rest(now, error),
            (State::Open { .. }, Input::Heard) => {
                self.failures = 0;
                Vec::new()
            }
            (State::Open { next, beat: Some(beat) }, Input::Answered(reference))
                if beat.reference == reference =>
            {
                self.failures = 0;
                self.state = State::Open { next, beat: None };
                vec![Command::Heartbeat(Heartbeat::Answered(now.at.saturating_sub(beat.sent)))]
            }
            (_, Input::Timer) => self.look(now),
            // What a connection says that was given up, and answers that come late.
            _ => Vec::new(),
        }
    }

    fn look(&mut self, now: Moment) -> Vec<Command> {
        if self.lingers_until.is_some_and(|until| now.at >= until) {
            return self.close();
        }
        match self.state {
            State::Open { beat: Some(beat), .. } if now.at >= beat.sent + self.options.patience => {
                let error = Error::new(ErrorKind::Timeout, "the server did not answer a heartbeat");
                let mut commands = vec![Command::Heartbeat(Heartbeat::Unanswered)];
                commands.extend(self.rest(now, Arc::new(error)));
                commands
            }
            State::Open { next, beat: None } if now.at >= next => {
                let reference = self.next_reference();
                let beat = Some(Beat { reference, sent: now.at });
                self.state = State::Open { next: now.at + self.options.heartbeat, beat };
                vec![Command::Beat(reference), Command::Heartbeat(Heartbeat::Sent)]
            }
            State::Resting { until } if now.at >= until => self.open(),
            State::Idle | State::Opening | State::Open { .. } | State::Resting { .. } => Vec::new(),
        }
    }

    fn open(&mut self) -> Vec<Command> {
        self.state = State::Opening;
        vec![Command::Connection(Connection::Connecting), Command::Open]
    }

    fn rest(&mut self, now: Moment, error: Arc<Error>) -> Vec<Command> {
        if !self.wanted {
            return self.close();
        }
        self.failures = self.failures.saturating_add(1);
        let until = now.at + self.options.rest(self.failures, now.random);
        self.state = State::Resting { until };
        vec![Command::Close, Command::Lost(error.clone()), Command::Connection(Connection::Waiting(error))]
    }

    fn close(&mut self) -> Vec<Command> {
        let was = std::mem::replace(&mut self.state, State::Idle);
        (self.wanted, self.lingers_until, self.failures) = (false, None, 0);
        match was {
            State::Idle => Vec::new(),
            State::Opening | State::Open { .. } | State::Resting { .. } => {
                let error = Error::new(ErrorKind::Unreachable, "the connection was closed from here");
                vec![Command::Close, Command::Lost(Arc::new(error)), Command::Connection(Connection::Idle)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after the start, on both clocks.
    fn at(seconds: u64) -> Moment {
        let at = Duration::from_secs(seconds);
        Moment { at, wall: Duration::from_secs(1_000_000) + at, random: 1.0 }
    }

    fn lost() -> Input {
        Input::Failed(Arc::new(Error::new(ErrorKind::Unreachable, "cut")))
    }

    /// What it does, in words.
    fn words(commands: &[Command]) -> Vec<&'static str> {
        let word = |command: &Command| match command {
            Command::Open => "open",
            Command::Close => "close",
            Command::Lost(_) => "lost",
            Command::Beat(_) => "beat",
            Command::Connection(Connection::Idle) => "idle",
            Command::Connection(Connection::Connecting) => "connecting",
            Command::Connection(Connection::Open) => "is open",
            Command::Connection(Connection::Waiting(_)) => "waiting",
            Command::Heartbeat(Heartbeat::Sent) => "sent",
            Command::Heartbeat(Heartbeat::Answered(_)) => "answered",
            Command::Heartbeat(Heartbeat::Unanswered) => "unanswered",
        };
        commands.iter().map(word).collect()
    }

    fn opened() -> Socket {
        let mut socket = Socket::new(Options::default());
        assert_eq!(words(&socket.handle(at(0), Input::Wanted)), ["connecting", "open"]);
        assert_eq!(words(&socket.handle(at(0), Input::Opened)), ["is open"]);
        socket
    }

    /// Looks at it as often as it asks to, until it does something.
    fn next(socket: &mut Socket, until: u64) -> Option<(u64, Vec<&'static str>)> {
        loop {
            let due = socket.deadline()?.as_secs();
            if due > until {
                return None;
            }
            let done = socket.handle(at(due), Input::Timer);
            if !done.is_empty() {
                return Some((due, words(&done)));
            }
        }
    }

    #[test]
    fn a_heartbeat_is_answered_within_ten_seconds_or_nobody_is_there() {
        let mut socket = opened();
        assert_eq!(next(&mut socket, 100), Some((25, vec!["beat", "sent"])));
        let Some(Command::Heartbeat(Heartbeat::Answered(after))) =
            socket.handle(at(27), Input::Answered(1)).pop()
        else {
            panic!("not answered")
        };
        assert_eq!(after, Duration::from_secs(2));
        assert_eq!(next(&mut socket, 100), Some((50, vec!["beat", "sent"])));
        assert!(socket.handle(at(51), Input::Answered(1)).is_empty(), "an answer to another question");
        assert_eq!(next(&mut socket, 100), Some((60, vec!["unanswered", "close", "lost", "waiting"])));
        assert_eq!(next(&mut socket, 100), Some((61, vec!["connecting", "open"])));
    }

    #[test]
    fn it_is_opened_again_for_ever_with_longer_waits() {
        let mut socket = Socket::new(Options::default());
        socket.handle(at(0), Input::Wanted);
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..8 {
            socket.handle(at(now), lost());
            let (then, done) = next(&mut socket, u64::MAX).unwrap();
            assert_eq!(done, ["connecting", "open"]);
            waits.push(then - now);
            now = then;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        socket.handle(at(now), Input::Opened);
        socket.handle(at(now), lost());
        assert_eq!(next(&mut socket, u64::MAX).unwrap().0 - now, 30, "open alone is no answer");
        socket.handle(at(now + 30), Input::Opened);
        socket.handle(at(now + 30), Input::Heard);
        socket.handle(at(now + 30), lost());
        assert_eq!(next(&mut socket, u64::MAX).unwrap().0, now + 31);
        let options = Options::default();
        assert_eq!(options.rest(3, 0.0), Duration::from_secs(2), "chance shortens by a half at most");
        assert!(options.rest(u32::MAX, f64::MAX) <= options.longest);
    }

    #[test]
    fn after_a_nap_the_connection_is_dead() {
        let mut socket = opened();
        socket.handle(at(4), Input::Timer);
        let woken = Moment { wall: at(3_604).wall, ..at(5) };
        let done = socket.handle(woken, Input::Timer);
        assert_eq!(words(&done), ["close", "lost", "connecting", "open"]);

        let mut socket = opened();
        let done = socket.handle(at(3_600), Input::Heard);
        assert_eq!(words(&done)[..2], ["close", "lost"], "a clock that runs while we sleep says so too");

        let mut socket = opened();
        socket.handle(at(1), lost());
        socket.handle(at(1), Input::Timer);
        let woken = Moment { wall: at(3_601).wall, ..at(1) };
        let done = socket.handle(woken, Input::Timer);
        assert_eq!(words(&done)[2..], ["connecting", "open"], "nobody rests longer than they slept");

        let mut socket = opened();
        let corrected = Moment { wall: at(9).wall, ..at(4) };
        assert!(socket.handle(corrected, Input::Timer).is_empty(), "a clock that is set right is no nap");
        let back = Moment { wall: at(0).wall, ..at(5) };
        assert!(socket.handle(back, Input::Timer).is_empty());
    }

    #[test]
    fn without_a_channel_it_lingers_and_goes() {
        let mut socket = opened();
        socket.handle(at(10), Input::Unwanted);
        assert_eq!(next(&mut socket, 30), Some((25, vec!["beat", "sent"])));
        socket.handle(at(26), Input::Answered(1));
        socket.handle(at(30), Input::Wanted);
        socket.handle(at(40), Input::Unwanted);
        assert_eq!(next(&mut socket, 60), Some((50, vec!["beat", "sent"])));
        socket.handle(at(51), Input::Answered(2));
        assert_eq!(next(&mut socket, 80), Some((75, vec!["beat", "sent"])));
        socket.handle(at(76), Input::Answered(3));
        assert_eq!(next(&mut socket, 200), Some((90, vec!["close", "lost", "idle"])));
        assert_eq!(socket.deadline(), None);
        let mut socket = opened();
        assert_eq!(words(&socket.handle(at(1), Input::Disconnect)), ["close", "lost", "idle"]);
        assert_eq!(words(&socket.handle(at(2), Input::Wanted)), ["connecting", "open"]);
    }
}
