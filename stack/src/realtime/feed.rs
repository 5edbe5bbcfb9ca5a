//! The stream of changes, read from PostgreSQL's own log: what `psql` writes arrives as well.
//!
//! It runs while a channel is joined and for a little longer, over a slot that goes with its connection. A stream that ends is begun
//! anew, and what was written in between is not in it: whoever listens is told so by hearing a second time
//! that it is subscribed.
//!
//! The only file that asks for replication.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use pgwire_replication::{Lsn, ReplicationClient, ReplicationConfig, ReplicationEvent, TlsConfig};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::{delivery::Delivery, pgoutput::Decoder, store::Known};

/// How long a database is left alone that gave no stream.
const REST: Duration = Duration::from_millis(500);
/// How long a stream goes on that nobody needs.
const LINGER: Duration = Duration::from_secs(10);
/// How long a stream is given to end in order.
const PARTING: Duration = Duration::from_secs(2);
const PUBLICATIONS: [&str; 2] = ["supabase_realtime", "supabase_realtime_messages_publication"];
/// 2000-01-01 in Unix microseconds, which is where PostgreSQL's time begins.
const EPOCH: i64 = 946_684_800_000_000;

/// Which stream runs, if one does: each has a number of its own.
pub(super) type Pulse = Option<u64>;

/// The stream of one project.
#[derive(Debug)]
pub(super) struct Feed {
    pulse: watch::Sender<Pulse>,
    /// How often it was broken on purpose.
    broken: watch::Sender<u64>,
    has_run: AtomicBool,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            pulse: watch::Sender::new(None),
            broken: watch::Sender::new(0),
            has_run: AtomicBool::new(false),
        }
    }

    /// Which stream runs, as it changes.
    pub(super) fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.subscribe()
    }

    /// True if there ever was a stream, or the attempt to begin one.
    pub(super) fn has_run(&self) -> bool {
        self.has_run.load(Ordering::Relaxed)
    }

    /// Breaks the stream that runs, as a database that restarts does.
    pub(super) fn interrupt(&self) {
        self.broken.send_modify(|times| *times += 1);
    }

    /// Sees to it that a stream runs while anybody needs one.
    pub(super) async fn run(&self, admin_url: &str, delivery: &Delivery, closing: CancellationToken) {
        let mut joined = delivery.hub.joined();
        let mut number = 0;
        loop {
            let needed = tokio::select! {
                needed = joined.wait_for(|count| *count > 0) => needed.is_ok(),
                () = closing.cancelled() => false,
            };
            if !needed {
                return;
            }
            number += 1;
            self.has_run.store(true, Ordering::Relaxed);
            let stopped = async {
                tokio::select! {
                    () = unneeded(&mut joined) => {}
                    () = closing.cancelled() => {}
                }
            };
            let ended = self.stream(admin_url, delivery, number, stopped).await;
            self.pulse.send_replace(None);
            if ended.is_err() {
                let rest = tokio::time::sleep(REST);
                let _ = closing.run_until_cancelled(rest).await;
            }
        }
    }

    /// One stream, until nobody needs it; an error if it ended by itself.
    async fn stream(
        &self,
        admin_url: &str,
        delivery: &Delivery,
        number: u64,
        stopped: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let slot = format!("realtime_{}", Uuid::new_v4().simple());
        tokio::pin!(stopped);
        let publications = delivery.store.publications(&PUBLICATIONS).await?;
        let config = config(admin_url, &slot, publications)?;
        let mut client = ReplicationClient::connect_gated(config).await?;
        let begun = async {
            let create =
                format!("CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT");
            client.simple_query(&create).await?;
            client.start().await?;
            client.wait_started().await
        };
        tokio::select! {
            begun = begun => begun?,
            () = &mut stopped => return Ok(()),
        }
        // Only from now on: to break what does not run would break what is begun next.
        let mut broken = self.broken.subscribe();
        self.pulse.send_replace(Some(number));
        let mut reader = Reader::default();
        let ended = loop {
            let event = tokio::select! {
                event = client.recv() => event,
                _ = broken.changed() => break Err(anyhow::anyhow!("the stream was broken")),
                () = &mut stopped => break Ok(()),
            };
            match event {
                Ok(Some(event)) => match reader.read(event, delivery).await {
                    Ok(Some(done)) => client.update_applied_lsn(done),
                    Ok(None) => {}
                    Err(error) => break Err(error),
                },
                Ok(None) => break Err(anyhow::anyhow!("the stream ended")),
                Err(error) => break Err(error.into()),
            }
        };
        // It may be in the middle of something; what it holds goes with its connection in any case.
        let _ = tokio::time::timeout(PARTING, client.shutdown()).await;
        ended
    }
}

/// Waits until nobody has been there for a while: who comes back soon finds the stream it left.
async fn unneeded(joined: &mut watch::Receiver<usize>) {
    while joined.wait_for(|count| *count == 0).await.is_ok() {
        if tokio::time::timeout(LINGER, joined.wait_for(|count| *count > 0)).await.is_err() {
            return;
        }
    }
}

/// One stream, as it is read.
#[derive(Default)]
struct Reader {
    decoder: Decoder,
    /// When the transaction was committed that is being read.
    committed: String,
    known: Known,
}

impl Reader {
    /// Passes on what an event says; returns up to where the log is no longer needed.
    async fn read(&mut self, event: ReplicationEvent, delivery: &Delivery) -> anyhow::Result<Option<Lsn>> {
        match event {
            ReplicationEvent::Begin { commit_time_micros, xid, .. } => {
                (self.committed, self.known) = (moment(commit_time_micros), Known::of(xid));
                Ok(None)
            }
            ReplicationEvent::XLogData { data, .. } => {
                if let Some(change) = self.decoder.read(&data)? {
                    delivery.deliver(&change, &self.committed, &mut self.known).await?;
                }
                Ok(None)
            }
            ReplicationEvent::Commit { end_lsn, .. } => Ok(Some(end_lsn)),
            ReplicationEvent::KeepAlive { wal_end, .. } => Ok(Some(wal_end)),
            ReplicationEvent::Message { .. } | ReplicationEvent::StoppedAt { .. } => Ok(None),
        }
    }
}

/// A moment as clients are told.
fn moment(micros: i64) -> String {
    let moment: Option<DateTime<Utc>> = DateTime::from_timestamp_micros(micros.saturating_add(EPOCH));
    moment.map(|moment| moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default()
}

fn config(admin_url: &str, slot: &str, publications: Vec<String>) -> anyhow::Result<ReplicationConfig> {
    let url = Url::parse(admin_url).context("the address of the database can not be read")?;
    let host = url.host_str().context("the address of the database has no host")?;
    let database = url.path().trim_start_matches('/');
    let password = url.password().unwrap_or_default();
    Ok(ReplicationConfig::new(host, url.username(), password, database, slot, publications)
        .with_port(url.port().unwrap_or(5432))
        .with_tls(TlsConfig::disabled())
        // Values come as texts, which the database reads back: in a form that does not depend on anybody's taste.
        .with_options("-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_milliseconds() {
        assert_eq!(moment(1_234_567), "2000-01-01T00:00:01.234Z");
    }
}
