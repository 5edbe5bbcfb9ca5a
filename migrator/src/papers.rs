//! Edge: what a run leaves behind: its folder, with what it was made from, its rejects, its report, and, over
//! the API, the ledger it can be taken back by.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use uuid::Uuid;

use crate::destination::Destination;
use crate::engine::Job;
use crate::exit::{self, Failure};
use crate::html;
use crate::ledger::file::{self, Reader, Writer};
use crate::ledger::{Digest, Reference, Table};
use crate::plan::Plan;
use crate::printer::{Event, Printer};
use crate::report::{Ending, MappingFile, Report, masked};
use crate::run::folder::{Folder, Runs};
use crate::run::{self, Inputs, Kind, Place, Run, Status};
use crate::sql::Recorded;
use crate::target::Target;

/// The papers of one run.
#[derive(Debug)]
pub struct Papers {
    runs: Runs,
    run: Run,
    folder: Option<Folder>,
    ledger: Option<Writer>,
    /// Keeps a second process off the run.
    lock: Option<File>,
    /// Whether the run goes on with what it began before.
    resumed: bool,
}

impl Papers {
    /// Prepares the papers of a run; nothing is written yet. What is not known before the target is open is
    /// filled in when the run begins.
    pub fn new(runs: Runs, id: Uuid, inputs: Inputs, now: Timestamp) -> Self {
        let run = Run::new(id, Kind::Import, inputs, now);
        Self { runs, run, folder: None, ledger: None, lock: None, resumed: false }
    }

    /// Takes up the papers of a run that stopped half way.
    pub fn resume(runs: Runs, run: Run) -> Self {
        Self { runs, run, folder: None, ledger: None, lock: None, resumed: true }
    }

    /// The id of the run.
    pub fn id(&self) -> Uuid {
        self.run.id
    }

    /// The ledger, for a run over the API.
    pub fn ledger(&mut self) -> Option<&mut Writer> {
        self.ledger.as_mut()
    }

    /// Says whether the run may go on, if it is one that stopped half way.
    ///
    /// # Errors
    /// Exit code 7 when it would not be made from what it was made from.
    pub fn check(&self, job: &Job<'_>, destination: &Destination) -> Result<(), Failure> {
        if self.resumed { self.run.inputs.check(&self.today(job, destination)) } else { Ok(()) }
    }

    /// What the run would be made from now.
    fn today(&self, job: &Job<'_>, destination: &Destination) -> Inputs {
        let scope =
            job.options.scope.or(job.mapping.source.scope.as_deref()).filter(|scope| *scope != "$owner");
        let known = self.run.inputs.clone();
        Inputs {
            files: files(job),
            mapping: run::Text { text: job.mapping.text.clone(), ..known.mapping },
            target: Place { way: destination.way(), address: destination.address() },
            owner_id: destination.owner(),
            scope: scope.map_or_else(|| destination.owner().to_string(), str::to_owned),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            ..known
        }
    }

    /// Writes down that the run begins.
    ///
    /// # Errors
    /// Exit code 2 when nothing can be written there.
    pub fn begin(
        &mut self,
        job: &Job<'_>,
        plan: &Plan,
        destination: &Destination,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if !self.resumed {
            self.run.inputs = self.today(job, destination);
            self.run.plan = self.run.inputs.hash();
        }
        self.run.status = Status::Loading;
        let folder = self.runs.create(&self.run)?;
        self.lock = Some(folder.lock()?);
        if let Destination::Rest(_) = destination {
            let mut ledger = Writer::open(&folder.file(file::NAME))?;
            for table in tables(plan) {
                ledger.table(table)?;
            }
            self.ledger = Some(ledger);
        }
        report.run = Some(self.run.id.to_string());
        report.folder = Some(folder.path().display().to_string());
        report.plan_hash = Some(self.run.plan.clone());
        report.owner = Some(masked(&self.run.inputs.owner));
        let text = &self.run.inputs.mapping;
        report.mapping_file = Some(MappingFile {
            path: Some(text.path.clone()),
            blake3: blake3::hash(text.text.as_bytes()).to_hex().to_string(),
        });
        self.folder = Some(folder);
        Ok(())
    }

    /// The number of the next batch of a table: a run that goes on has had some.
    ///
    /// # Errors
    /// Exit code 6 or 7 when the ledger cannot be read.
    pub async fn next_batch(&self, table: &str, destination: &mut Destination) -> Result<u32, Failure> {
        if !self.resumed {
            return Ok(0);
        }
        let keys = match (destination, &self.folder) {
            (Destination::Sql(target), _) => target.keys(self.run.id).await?,
            (Destination::Rest(_), Some(folder)) => Reader::open(&folder.file(file::NAME))?.keys(),
            (Destination::Rest(_), None) => Vec::new(),
        };
        let last = keys.iter().filter(|key| key.table == table).map(|key| key.n).max();
        Ok(last.map_or(0, |last| last + 1))
    }

    /// Writes down that nothing of the run was kept.
    ///
    /// # Errors
    /// Exit code 2 when nothing can be written.
    pub fn failed(&mut self) -> Result<(), Failure> {
        (self.run.status, self.run.ended_at) = (Status::Failed, Some(Timestamp::now()));
        self.folder.as_ref().map_or(Ok(()), |folder| folder.save(&self.run))
    }

    /// Writes down how the run ended.
    ///
    /// # Errors
    /// Exit code 2 when nothing can be written, 6 or 7 when the rows cannot be read once more.
    pub async fn end(
        &mut self,
        plan: &Plan,
        destination: &mut Destination,
        report: &mut Report,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        if let (Destination::Rest(target), true) = (&*destination, self.resumed) {
            self.seal(&folder, target).await?;
        }
        if plan.rejects.count > 0 {
            let path = folder.file("rejects.ndjson");
            let mut rejects = Vec::new();
            io::copy(&mut plan.rejected.reader(0), &mut rejects)?;
            private(&path, &rejects)?;
            report.rejects.file = Some(path.display().to_string());
        }
        let status = if report.ending == Ending::Stopped { Status::Failed } else { Status::Done };
        (self.run.status, self.run.ended_at) = (status, Some(Timestamp::now()));
        self.run.rows += u64::try_from(report.written()).unwrap_or(u64::MAX);
        folder.save(&self.run)?;
        let json = serde_json::to_vec_pretty(report).unwrap_or_default();
        private(&folder.file("report.json"), &json)?;
        let page = html::page(report, &self.run.inputs.mapping.text, printer.lang())?;
        private(&folder.file("report.html"), page.as_bytes())?;
        printer.event(&Event::RunFinished {
            run: &self.run.id.to_string(),
            verdict: report.verdict,
            written: report.written(),
            rejected: report.rejects.count(),
            exit_code: report.exit_code,
        });
        Ok(())
    }

    /// Notes how all rows of the run are at its end. The engine has sealed what it wrote as it read it back;
    /// what was written before the run stopped half way it has found there, and not written.
    async fn seal(&mut self, folder: &Folder, target: &Target) -> Result<(), Failure> {
        let mut reader = Reader::open(&folder.file(file::NAME))?;
        let Some(ledger) = &mut self.ledger else { return Ok(()) };
        for key in reader.keys() {
            let rows = reader.batch(&key)?.rows;
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            ledger.seal(&key.table, Digest::of_images(&target.images(&key.table, &ids).await?))?;
        }
        Ok(())
    }
}

/// A run as the database notes it.
pub fn recorded(id: Uuid, plan: &Plan, now: Timestamp) -> Recorded {
    Recorded {
        id,
        kind: Kind::Import,
        undoes: None,
        status: Status::Loading,
        owner: plan.tables.iter().find_map(|table| table.owner.as_ref()).map(|(_, owner)| *owner),
        plan: None,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        tables: tables(plan),
        started_at: now,
        ended_at: None,
        rows: 0,
    }
}

/// The tables of a plan as a ledger has them, with what points where.
fn tables(plan: &Plan) -> Vec<Table> {
    plan.tables
        .iter()
        .map(|table| {
            let refers = table
                .references
                .iter()
                .map(|(column, to)| Reference { column: column.clone(), table: to.clone() });
            Table::of(table, refers.collect())
        })
        .collect()
}

/// What a run is made from, as far as it is known before the target is open.
pub fn inputs(
    job: &Job<'_>,
    mapping: &Path,
    owner: &str,
    options: serde_json::Map<String, serde_json::Value>,
) -> Inputs {
    Inputs {
        files: files(job),
        mapping: run::Text { path: mapping.display().to_string(), text: job.mapping.text.clone() },
        target: Place { way: run::Way::Rest, address: String::new() },
        owner: owner.to_owned(),
        owner_id: Uuid::nil(),
        scope: String::new(),
        options,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The files of an export.
fn files(job: &Job<'_>) -> Vec<run::File> {
    let file = |document: &crate::export::Document| run::File {
        path: document.file.clone(),
        bytes: document.bytes,
        sha256: document.sha256.clone(),
    };
    job.export.documents.iter().map(file).collect()
}

/// Writes a file that only its owner reads.
fn private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(bytes)
    };
    write().map_err(|error: io::Error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Failure::new(exit::USAGE, "run.unwritable", message)
            .help("make room there, or run where you may write")
            .because(error)
    })
}
