//! `cargo xtask compile-time`: what fifty tables cost who compiles them.
//!
//! Two throw-away crates in the target folder hold the same fifty structs of twelve columns: one derives
//! `Table` with both shapes, the other serde's traits alone, which is the floor. Only these crates are timed,
//! in turns, and built whole each time; what they depend on is built before.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{cargo, root, run, target};

const TABLES: usize = 50;
const ROUNDS: usize = 5;

pub(crate) fn measure() -> Result<()> {
    let folder = target(&root()).join("compile-time");
    let crates = ["fifty-tables", "fifty-structs"];
    write_crates(&folder, crates)?;
    let mut taken = crates.map(|_| Vec::new());
    // The first round builds what they depend on, and is not counted.
    for round in 0..=ROUNDS {
        for (name, taken) in crates.iter().zip(&mut taken) {
            let took = build(&folder, name)?;
            if round > 0 {
                taken.push(took);
            }
        }
    }
    let [tables, structs] = taken.each_ref().map(|taken| median(taken));
    println!("{TABLES} structs of twelve columns, built whole, medians of {ROUNDS}:");
    println!("  derive(Serialize, Deserialize, Table), insert and update   {tables}");
    println!("  derive(Serialize, Deserialize)                             {structs}");
    println!(
        "  ratio   {:.2} on the wall, {:.2} of CPU time",
        tables.wall / structs.wall,
        tables.cpu / structs.cpu
    );
    Ok(())
}

/// Seconds.
#[derive(Clone, Copy)]
struct Taken {
    wall: f64,
    cpu: f64,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:.2} s, {:.2} s of CPU time", self.wall, self.cpu)
    }
}

fn median(taken: &[Taken]) -> Taken {
    let middle = |of: fn(&Taken) -> f64| {
        let mut seconds: Vec<_> = taken.iter().map(of).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Taken { wall: middle(|taken| taken.wall), cpu: middle(|taken| taken.cpu) }
}

fn build(folder: &Path, name: &str) -> Result<Taken> {
    let source = folder.join(name).join("src/lib.rs");
    fs::File::options().append(true).open(&source)?.set_modified(std::time::SystemTime::now())?;
    let (begin, used) = (Instant::now(), children());
    let quiet = ["build", "--quiet", "--package", name];
    // Whole, not what changed: nothing did.
    run(cargo(folder).args(quiet).env("CARGO_TARGET_DIR", target(&root())).env("CARGO_INCREMENTAL", "0"))?;
    let cpu = children().zip(used).map_or(f64::NAN, |(now, before)| (now - before).as_secs_f64());
    Ok(Taken { wall: begin.elapsed().as_secs_f64(), cpu })
}

/// The CPU time of all our children that have ended, and of theirs; `None` where there is no `/proc`.
/// Source: proc(5), `cutime` and `cstime` of `/proc/pid/stat`; Linux counts 100 ticks a second there.
fn children() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold blanks.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

fn write_crates(folder: &Path, [tables, structs]: [&str; 2]) -> Result<()> {
    let sdk = root().join("sdk");
    let manifest = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\nsupabase-sdk = {{ path = {sdk:?} }}\n"
        )
    };
    for (name, derived) in [(tables, true), (structs, false)] {
        let folder = folder.join(name);
        fs::create_dir_all(folder.join("src"))
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        fs::write(folder.join("Cargo.toml"), manifest(name))?;
        fs::write(folder.join("src/lib.rs"), source(derived)?)?;
    }
    fs::write(
        folder.join("Cargo.toml"),
        format!("[workspace]\nresolver = \"3\"\nmembers = [{tables:?}, {structs:?}]\n"),
    )?;
    // The versions we are tested with.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

fn source(derived: bool) -> Result<String> {
    let mut source = String::from(
        "use serde::{Deserialize, Serialize};\n\
         use supabase_sdk::{jiff::Timestamp, serde_json::Value, uuid::Uuid};\n\n",
    );
    for table in 0..TABLES {
        let derive = if derived { ", supabase_sdk::Table" } else { "" };
        writeln!(source, "#[derive(Debug, Clone, Serialize, Deserialize{derive})]")?;
        if derived {
            writeln!(
                source,
                "#[table(name = \"table_{table}\", insert = NewRow{table}, update = Row{table}Patch)]"
            )?;
        }
        writeln!(source, "pub struct Row{table} {{")?;
        for (said, column) in [
            ("key, default", "id: Uuid"),
            ("", "owner_id: Uuid"),
            ("", "title: String"),
            ("", "body: Option<String>"),
            ("", "position: i32"),
            ("", "price: Option<f64>"),
            ("", "count: Option<i64>"),
            ("default", "archived: bool"),
            ("default", "tags: Vec<String>"),
            ("", "extra: Option<Value>"),
            ("default", "created_at: Timestamp"),
            ("generated", "updated_at: Option<Timestamp>"),
        ] {
            if derived && !said.is_empty() {
                writeln!(source, "    #[table({said})]")?;
            }
            writeln!(source, "    pub {column},")?;
        }
        writeln!(source, "}}\n")?;
    }
    Ok(source)
}
