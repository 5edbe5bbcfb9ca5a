//! What came out: medians, and ratios to the floor and to the official client.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::judge::{FLOOR, OFFICIAL, OURS};
use crate::turn::{Done, Work};

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) rounds: u64,
    pub(crate) millis: u64,
    pub(crate) figures: Vec<Figure>,
}

/// What everybody needed for one kind of work.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    #[serde(flatten)]
    work: Work,
    clients: BTreeMap<&'static str, Share>,
}

/// What one client needed: medians over the rounds. A ratio is the median of the rounds' ratios, so that
/// what disturbed a whole round stays out of it.
#[derive(Debug, Serialize)]
struct Share {
    per_second: f64,
    cpu_micros: f64,
    /// CPU time as a multiple of the floor's.
    cpu_to_reqwest: Option<f64>,
    /// Times per second as a multiple of the floor's.
    speed_to_reqwest: Option<f64>,
    /// How often it does in a CPU second what supabase-js does once.
    to_supabase_js: Option<f64>,
}

impl Figure {
    pub(crate) fn new(work: Work, rounds: &BTreeMap<&'static str, Vec<Done>>) -> Self {
        let share = |client: &Vec<Done>| {
            let ratio = |other: &str, of: fn(Done, Done) -> f64| {
                let pairs = client.iter().zip(rounds.get(other)?);
                Some(median(pairs.map(|(own, other)| of(*own, *other)).collect()))
            };
            Share {
                per_second: median(client.iter().map(Done::per_second).collect()),
                cpu_micros: median(client.iter().map(Done::cpu_micros).collect()),
                cpu_to_reqwest: ratio(FLOOR, |own, floor| own.cpu_micros() / floor.cpu_micros()),
                speed_to_reqwest: ratio(FLOOR, |own, floor| own.per_second() / floor.per_second()),
                to_supabase_js: ratio(OFFICIAL, |own, official| official.cpu_micros() / own.cpu_micros()),
            }
        };
        let clients = rounds.iter().map(|(name, client)| (*name, share(client))).collect();
        Self { work, clients }
    }
}

impl Done {
    #[allow(clippy::cast_precision_loss, reason = "counts and times far below 2^52")]
    fn per_second(&self) -> f64 {
        self.times as f64 * 1e9 / self.wall as f64
    }

    #[allow(clippy::cast_precision_loss, reason = "counts and times far below 2^52")]
    fn cpu_micros(&self) -> f64 {
        self.cpu as f64 / 1e3 / self.times as f64
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} rounds, {} ms a turn; medians", self.rounds, self.millis)?;
        for (title, per, shown) in [
            ("Asking a server", "requests/s", is_fetch as fn(&Figure) -> bool),
            ("Without a network", "a second", |figure| !is_fetch(figure)),
        ] {
            writeln!(out, "\n{title}\n")?;
            writeln!(
                out,
                "| what | client | {per} | CPU µs each | CPU, × reqwest | speed, × reqwest | per CPU second, × supabase-js |"
            )?;
            writeln!(out, "|---|---|---:|---:|---:|---:|---:|")?;
            for figure in self.figures.iter().filter(|figure| shown(figure)) {
                write!(out, "{figure}")?;
            }
        }
        Ok(())
    }
}

fn is_fetch(figure: &Figure) -> bool {
    matches!(figure.work, Work::Fetch { .. })
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.work {
            Work::Fetch { rows: 1, at_once } => format!("1 row, {at_once} at once"),
            Work::Fetch { rows, at_once } => format!("{rows} rows, {at_once} at once"),
            Work::Simple => "build a simple request".to_owned(),
            Work::Complex => "build a complex request".to_owned(),
            Work::Read { rows: 1 } => "read 1 row".to_owned(),
            Work::Read { rows } => format!("read {rows} rows"),
        };
        for name in [OURS, FLOOR, "postgrest", OFFICIAL] {
            let Some(share) = self.clients.get(name) else { continue };
            let ratio =
                |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(
                out,
                "| {what} | {name} | {:.0} | {:.2} | {} | {} | {} |",
                share.per_second,
                share.cpu_micros,
                ratio(share.cpu_to_reqwest),
                ratio(share.speed_to_reqwest),
                ratio(share.to_supabase_js)
            )?;
        }
        Ok(())
    }
}
