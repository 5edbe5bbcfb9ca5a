//! Edge: a table as it is and as it goes on: rows fetched, then followed, and fetched again where something may
//! have been missed.
//!
//! The channel is joined first, and rows are fetched once it is live; what happens meanwhile waits in the
//! listener's queue and is told after. So nothing falls between the two, and `merge` sees to it that nothing is
//! told twice. After a [`Gap`] the same is done again:
//!
//! | | with a clock ([`Follow::by`]) | without |
//! |---|---|---|
//! | rows that changed | those whose clock is not older than the newest known, less an overlap | all rows |
//! | rows that are gone | the keys of all rows are read, and what is known and not among them is gone | the same, from the rows themselves |
//! | rows whose clock was set back | found by their keys, if they are new | found |
//!
//! Reading all keys is what finding deletions costs where the table keeps no trace of them; a table with a
//! column `deleted_at` instead of deletions shows them as changes.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _, stream};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::realtime::merge::{Key, Merge, News};
use crate::realtime::queue::Item;
use crate::realtime::{Binding, Changes, Channel, Gap, NewChannel, Old, Options};
use crate::rest::{Any, Column, Field, Filter, Row, RowStream, Select, Table};
use crate::trace::random_fraction;
use crate::transport::read;

/// What a live table tells.
pub enum LiveChange<R> {
    /// This row is there, new or changed: it takes the place of the one with its key.
    Put(R),
    /// The row of this key is gone, or is not ours to see any more.
    Remove(Old<R>),
    /// All that was there is told: from here on it is what it was, and what happens to it.
    Ready,
    /// Something may have been missed, and is being fetched; [`LiveChange::Ready`] comes when it is there.
    Stale(Gap),
}

/// Says what it is; rows are not shown.
impl<R> fmt::Debug for LiveChange<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(_) => out.write_str("Put(row hidden)"),
            Self::Remove(_) => out.write_str("Remove(key hidden)"),
            Self::Ready => out.write_str("Ready"),
            Self::Stale(gap) => write!(out, "Stale({gap:?})"),
        }
    }
}

/// A table that is to be followed. From [`Table::live`].
#[must_use = "nothing is fetched or followed before subscribe"]
pub struct Follow<R> {
    client: Client,
    select: Select<R, Box<RawValue>>,
    binding: Binding<R>,
    clock: Option<&'static str>,
    overlap: Duration,
    every: Option<Duration>,
    channel: Option<NewChannel>,
}

impl<R: Row + Send + 'static> Table<R> {
    /// Keeps up with the table: its rows, then every change of them, with gaps closed.
    ///
    /// A row has to be made of plain columns, its key among them. Policies are asked of each row, fetched or
    /// changed, as for everything.
    ///
    /// ```no_run
    /// # use serde::{Deserialize, Serialize};
    /// # use supabase_sdk::{Client, Error, Table};
    /// use std::collections::BTreeMap;
    /// use supabase_sdk::realtime::LiveChange;
    /// # #[derive(Debug, Serialize, Deserialize, Table)]
    /// # #[table(name = "vehicles")]
    /// # struct Vehicle { #[table(key)] id: i64, owner_id: i64, updated_at: String }
    /// # async fn run(client: Client) -> Result<(), Error> {
    /// let mut vehicles = BTreeMap::new();
    /// let mut live = client.table::<Vehicle>().live().by(Vehicle::UPDATED_AT).subscribe().await?;
    /// while let Some(change) = live.next().await {
    ///     match change? {
    ///         LiveChange::Put(vehicle) => drop(vehicles.insert(vehicle.id, vehicle)),
    ///         LiveChange::Remove(old) => drop(old.get(Vehicle::ID)?.and_then(|id| vehicles.remove(&id))),
    ///         LiveChange::Ready => println!("{} vehicles", vehicles.len()),
    ///         LiveChange::Stale(why) => println!("catching up: {why}"),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn live(&self) -> Follow<R> {
        let mut binding = Binding::all();
        if let Some(schema) = self.schema_name() {
            (binding.shape.schema, binding.schema_is_told) = (schema.to_owned(), true);
        }
        Follow {
            client: self.client().clone(),
            select: self.select().typed(),
            binding,
            clock: None,
            overlap: Duration::from_secs(60),
            every: None,
            channel: None,
        }
    }
}

impl<R: Row + Send + 'static> Follow<R> {
    /// Keeps to the rows that pass; several filters must all be passed. Realtime knows fewer comparisons than
    /// the table: see [`Binding::filter`].
    ///
    /// A row that changes so that it no longer passes is not told of by Realtime. It is found gone when the
    /// table is next looked at: after a gap, and as often as [`Follow::every`] says.
    pub fn filter(mut self, filter: Filter<R>) -> Self {
        self.binding = self.binding.filter(filter.clone());
        self.select = self.select.filter(filter);
        self
    }

    /// Names the column that says how new a row is: a time or a counter that grows with every change of the row.
    /// After a gap only rows are fetched that it says are newer, and a change that is older than what is known is
    /// not told. A row where it is null, or no time and no number, is always told.
    pub fn by<T>(mut self, column: Column<R, T>) -> Self {
        self.clock = Some(column.name());
        self
    }

    /// How much further back than the newest row known rows are fetched after a gap, by a clock that is a time:
    /// longer than a transaction takes from setting it to its commit. A minute unless told.
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Looks at the table again this often, even if nothing seems to be missing. Finds what nobody is told of: rows
    /// that no longer pass the filter, or that a policy no longer shows. Never, unless told.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Some(time);
        self
    }

    /// Takes this channel instead of one of its own, with what is set for it: where only private channels are
    /// allowed, or a longer queue is wanted.
    pub fn channel(mut self, channel: NewChannel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Joins, and waits until changes come. The rows are fetched as they are read.
    ///
    /// # Errors
    /// As [`NewChannel::subscribe`]. [`ErrorKind::Invalid`] where the row has no key, or is not made of plain
    /// columns.
    pub async fn subscribe(self) -> Result<Live<R>, Error> {
        let Self { client, select, binding, clock, overlap, every, channel } = self;
        let columns = columns::<R>(clock)?;
        let new = || {
            let number = client.hub().next_number();
            NewChannel::new(client.clone(), format!("live:{}:{number}", R::TABLE))
        };
        let mut channel = channel.unwrap_or_else(new);
        let changes = channel.on_changes(binding);
        let channel = channel.subscribe().await?;
        let follower = Follower {
            select,
            changes,
            merge: Merge::new(R::KEY, columns, clock.map(str::to_owned)),
            clock,
            overlap,
            every,
            looked: Instant::now(),
            options: client.hub().options,
            phase: Phase::Stale,
            whole: false,
            ready: false,
            failures: 0,
            told: VecDeque::new(),
        };
        let rows = stream::unfold(follower, |mut follower| async move {
            let next = follower.next().await?;
            Some((next, follower))
        });
        Ok(Live { rows: Box::pin(rows), channel })
    }
}

impl<R> fmt::Debug for Follow<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Follow({:?})", self.binding)
    }
}

/// The columns of a row, where it is made of nothing else.
fn columns<R: Row>(clock: Option<&str>) -> Result<Vec<&'static str>, Error> {
    let plain = |field: &Field| match *field {
        Field::Column { name, column, cast: "", .. } if column.is_empty() || column == name => Some(name),
        _ => None, // Realtime tells columns as they are, and nothing of other tables
    };
    let columns: Option<Vec<_>> = R::FIELDS.iter().map(plain).collect();
    let holds = |columns: &Vec<&str>| {
        !R::KEY.is_empty() && R::KEY.iter().copied().chain(clock).all(|name| columns.contains(&name))
    };
    columns.filter(holds).ok_or_else(|| {
        let message = "a live table's row is made of plain columns, its key among them";
        Error::new(ErrorKind::Invalid, message)
    })
}

/// A table's rows, and what happens to them. From [`Follow::subscribe`].
///
/// It ends once its channel is left or has stopped, and after the first failure to fetch that does not pass.
pub struct Live<R> {
    rows: Pin<Box<dyn Stream<Item = Result<LiveChange<R>, Error>> + Send>>,
    channel: Channel,
}

impl<R> Live<R> {
    /// What is told next.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] for a row that is not what `R` says; those after it still come. A failure to fetch
    /// that does not pass ends the stream.
    pub async fn next(&mut self) -> Option<Result<LiveChange<R>, Error>> {
        std::future::poll_fn(|context| self.rows.as_mut().poll_next(context)).await
    }

    /// The channel it listens on: how that is, and to leave it.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl<R> Stream for Live<R> {
    type Item = Result<LiveChange<R>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows.as_mut().poll_next(context)
    }
}

impl<R> fmt::Debug for Live<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Live").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// What fetches, and what comes, on their way to one story.
struct Follower<R> {
    select: Select<R, Box<RawValue>>,
    changes: Changes<R>,
    merge: Merge,
    clock: Option<&'static str>,
    overlap: Duration,
    every: Option<Duration>,
    /// When the table was last looked at.
    looked: Instant,
    options: Options,
    phase: Phase,
    /// True once the whole table was told.
    whole: bool,
    /// True while it counts as ready: nothing is known to be missing.
    ready: bool,
    failures: u32,
    told: VecDeque<Result<LiveChange<R>, Error>>,
}

enum Phase {
    /// The table has to be looked at.
    Stale,
    /// Rows are coming; their keys so far, where these are all rows.
    Fetching {
        rows: RowStream<Box<RawValue>>,
        keys: Option<BTreeSet<Key>>,
    },
    /// Changes are told as they come.
    Following,
    Over,
}

impl<R: Row + Send + 'static> Follower<R> {
    async fn next(&mut self) -> Option<Result<LiveChange<R>, Error>> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Some(told);
            }
            let step = match &mut self.phase {
                Phase::Stale => {
                    self.fetch();
                    Ok(())
                }
                Phase::Fetching { .. } => self.take_row().await,
                Phase::Following => {
                    self.follow().await?;
                    Ok(())
                }
                Phase::Over => return None,
            };
            if let Err(error) = step {
                self.fail(error).await;
            }
        }
    }

    /// Begins to fetch: what changed, where that can be told, and everything else.
    fn fetch(&mut self) {
        let since = self.clock.zip(self.merge.newest()).filter(|_| self.whole);
        let mut select = self.select.clone();
        if let Some((clock, newest)) = since {
            let from = newest.before(self.overlap).text();
            select = select.filter(Column::<R, Any>::new(clock).gte(from));
        }
        let keys = since.is_none().then(BTreeSet::new);
        self.looked = Instant::now();
        self.phase = Phase::Fetching { rows: select.stream(), keys };
    }

    async fn take_row(&mut self) -> Result<(), Error> {
        let Phase::Fetching { rows, keys } = &mut self.phase else { return Ok(()) };
        if let Some(row) = rows.try_next().await? {
            if let Some(keys) = keys {
                keys.extend(self.merge.key(&row));
            }
            let news = self.merge.fetched(&row);
            self.tell(news);
            return Ok(());
        }
        let all = keys.take();
        let keys = match all {
            Some(keys) => keys,
            None => self.list().await?,
        };
        let gone = self.merge.listed(&keys);
        self.tell(gone);
        let untold: Vec<Key> = self.merge.untold(&keys).into_iter().cloned().collect();
        let more = self.fetch_by_key(&untold).await?;
        for row in more {
            let news = self.merge.fetched(&row);
            self.tell(news);
        }
        (self.phase, self.whole, self.failures) = (Phase::Following, true, 0);
        if !std::mem::replace(&mut self.ready, true) {
            self.told.push_back(Ok(LiveChange::Ready));
        }
        Ok(())
    }

    /// The keys of all rows there are.
    async fn list(&mut self) -> Result<BTreeSet<Key>, Error> {
        let names: Vec<_> = R::KEY.iter().map(|name| crate::rest::column_name(name)).collect();
        let rows = self.select.clone().columns(&names.join(",")).stream();
        rows.try_filter_map(async |row| Ok(self.merge.key(&row))).try_collect().await
    }

    /// Rows that were listed and not fetched: their clock stands further back than it was looked for.
    async fn fetch_by_key(&mut self, keys: &[Key]) -> Result<Vec<Box<RawValue>>, Error> {
        let [key] = R::KEY else {
            // Of several columns there is no list to ask for.
            let all = async { self.select.clone().stream().try_collect().await };
            return if keys.is_empty() { Ok(Vec::new()) } else { all.await };
        };
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let value = |of: &Key| {
            let columns: serde_json::Map<String, serde_json::Value> = serde_json::from_str(of).ok()?;
            columns.into_iter().next().map(|(_, value)| value)
        };
        let values: Vec<_> = keys.iter().filter_map(value).collect();
        let some = self.select.clone().filter(Column::<R, Any>::new(key).is_in(values));
        some.in_pieces().fetch().await
    }

    /// Takes what comes next; `None` after the last.
    async fn follow(&mut self) -> Option<()> {
        let changes = &self.changes;
        let next = std::future::poll_fn(|context| changes.feed.poll(context));
        let item = match self.every.and_then(|every| self.looked.checked_add(every)) {
            Some(look) => match tokio::time::timeout_at(look, next).await {
                Ok(item) => item?,
                Err(_) => {
                    self.phase = Phase::Stale;
                    return Some(());
                }
            },
            None => next.await?,
        };
        match item {
            Item::Gap(gap) => self.doubt(gap),
            Item::News(change) => {
                let news = self.merge.changed(change.kind, change.record(), change.old());
                self.tell(news);
            }
        }
        Some(())
    }

    fn doubt(&mut self, gap: Gap) {
        (self.phase, self.ready) = (Phase::Stale, false);
        self.told.push_back(Ok(LiveChange::Stale(gap)));
    }

    fn tell(&mut self, news: impl IntoIterator<Item = News>) {
        for news in news {
            match news {
                News::Put(row) => self.told.push_back(read(row.get()).map(LiveChange::Put)),
                News::Remove(key) => self.told.push_back(Ok(LiveChange::Remove(Old::of_key(key)))),
                News::Doubt => self.doubt(Gap::Incomplete { reasons: Vec::new() }),
            }
        }
    }

    /// Rests where a failure may pass, and ends where it does not.
    async fn fail(&mut self, error: Error) {
        self.phase = Phase::Stale;
        if !error.is_retryable() {
            self.phase = Phase::Over;
            self.told.push_back(Err(error));
            return;
        }
        self.failures = self.failures.saturating_add(1);
        tracing::debug!(%error, "a live table could not be fetched; it is tried again");
        tokio::time::sleep(self.options.rest(self.failures, random_fraction())).await;
    }
}
