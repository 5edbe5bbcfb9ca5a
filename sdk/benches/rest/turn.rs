//! A client's turn: told on a line what to do, it answers on a line with what that took.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::contenders::{Contender, Question};

/// What is to be done again and again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "work")]
pub(crate) enum Work {
    /// Ask the server, so many at once.
    Fetch { rows: usize, at_once: usize },
    /// Put a request together.
    Simple,
    /// Put a longer one together.
    Complex,
    /// Read an answer that is there.
    Read { rows: usize },
}

/// For how long.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    #[serde(flatten)]
    pub(crate) work: Work,
    pub(crate) millis: u64,
}

/// What was done, and what it took in nanoseconds: on the wall, and of this process's CPU time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) times: u64,
    pub(crate) wall: u64,
    pub(crate) cpu: u64,
}

/// Takes turns until nobody orders any more.
pub(crate) fn take_turns(runtime: &Runtime, contender: &impl Contender) -> Result<()> {
    for line in std::io::stdin().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let turn = Duration::from_millis(order.millis);
        let done = match order.work {
            Work::Fetch { rows, at_once } => runtime.block_on(fetch(contender, rows, at_once, turn))?,
            Work::Simple => build(contender, Question::Simple, turn)?,
            Work::Complex => build(contender, Question::Complex, turn)?,
            Work::Read { rows } => runtime.block_on(read(contender, rows, turn))?,
        };
        println!("{}", serde_json::to_string(&done)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The first question of each worker is not counted: it may have to open a connection.
async fn fetch(contender: &impl Contender, rows: usize, at_once: usize, turn: Duration) -> Result<Done> {
    workers(contender, rows, at_once, Duration::ZERO).await?;
    let watch = Watch::start()?;
    let times = workers(contender, rows, at_once, turn).await?;
    watch.stop(times)
}

async fn workers(contender: &impl Contender, rows: usize, at_once: usize, turn: Duration) -> Result<u64> {
    let mut workers = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..at_once {
        let contender = contender.clone();
        workers.spawn(async move {
            let mut times = 0;
            loop {
                ensure!(contender.fetch(rows).await? == rows, "rows are missing");
                times += 1;
                if begin.elapsed() >= turn {
                    return Ok(times);
                }
            }
        });
    }
    let done = workers.join_all().await.into_iter().collect::<Result<Vec<u64>>>()?;
    Ok(done.iter().sum())
}

/// So many between two looks at the clock, which takes as long as a short request.
const BATCH: u64 = 64;

fn build(contender: &impl Contender, question: Question, turn: Duration) -> Result<Done> {
    let (watch, mut times) = (Watch::start()?, 0);
    while watch.begin.elapsed() < turn {
        for _ in 0..BATCH {
            std::hint::black_box(contender.build(std::hint::black_box(question))?);
        }
        times += BATCH;
    }
    watch.stop(times)
}

async fn read(contender: &impl Contender, rows: usize, turn: Duration) -> Result<Done> {
    let batch = if rows == 1 { BATCH } else { 1 };
    let (watch, mut times) = (Watch::start()?, 0);
    while watch.begin.elapsed() < turn {
        for _ in 0..batch {
            ensure!(contender.read(std::hint::black_box(rows)).await? == rows, "rows are missing");
        }
        times += batch;
    }
    watch.stop(times)
}

struct Watch {
    begin: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Result<Self> {
        Ok(Self { cpu: cpu()?, begin: Instant::now() })
    }

    fn stop(self, times: u64) -> Result<Done> {
        let (wall, cpu) = (self.begin.elapsed(), cpu()?.saturating_sub(self.cpu));
        Ok(Done { times, wall: u64::try_from(wall.as_nanos())?, cpu: u64::try_from(cpu.as_nanos())? })
    }
}

/// The CPU time of this process, the kernel's on its behalf included.
fn cpu() -> Result<Duration> {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).context("the CPU's clock runs backwards")
}
