//! Edge: straight into PostgreSQL, past the API.
//!
//! A batch is one transaction: the rows, and in the ledger beside them what was done to each. So a run
//! that is killed anywhere knows exactly what it has written, and a batch whose answer was lost is asked
//! for again without being written twice: its number is taken.
//!
//! Nothing outlives a transaction, no setting, no prepared statement and no temporary table, so a pooler
//! that hands each transaction to another connection may stand in between. What keeps a second import out
//! is a lock of a transaction that stays open as long as this one runs, on a connection of its own; it
//! ends with the process, however that ends.
//!
//! Not here: what has to happen to a row (`diff`), which rows may be put back (`rollback`).

mod cells;
mod ledger;
mod refusal;
mod shape;
mod undo;
mod write;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type as PgType;
use uuid::Uuid;

use crate::cell::Type;
use crate::database::Database;
use crate::diff::Existing;
use crate::exit::{self, Failure};
use crate::plan::{Row, TablePlan};

use cells::Raw;
use refusal::{Fault, moment_failure, nothing_kept, table_failure};
use shape::Shape;

pub use ledger::Recorded;
pub use refusal::Refused;

/// What a transaction of ours begins with. It may take its time, but waits for nobody's lock for long.
const BEGIN: &str = "begin; set local statement_timeout = 0; set local lock_timeout = '15s'; \
    set local idle_in_transaction_session_timeout = 0";

/// The lock of who writes: one a database.
const LOCK: &str = "select pg_try_advisory_xact_lock(hashtextextended('supabase-migrator', 0))";

/// The lock of a transaction that writes. Its connection may be gone and it may still be at work: whoever
/// wants to know what it has kept waits for it.
const WRITING: &str = "select pg_advisory_xact_lock(hashtextextended('supabase-migrator batch', 0))";
const WRITTEN: &str = "select pg_advisory_lock(hashtextextended('supabase-migrator batch', 0)); \
    select pg_advisory_unlock(hashtextextended('supabase-migrator batch', 0))";

/// How often something is tried that fails through no fault of its own: for about eight seconds.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A database we may write to.
pub struct SqlTarget {
    url: String,
    database: Database,
    /// Holds the lock while we write.
    guard: Option<Database>,
    owner: Uuid,
    server: Server,
    shapes: HashMap<String, Shape>,
    transaction: Transaction,
}

/// Whom we talk to, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The version of PostgreSQL, such as `17.6`.
    pub version: String,
    /// The role we are.
    pub role: String,
    /// Whether the role passes row-level security.
    pub bypasses: bool,
    /// What tells this database from others: its name and when its data folder was made, or where it is.
    pub fingerprint: String,
}

/// Whether batches are kept one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    /// A batch is a transaction.
    PerBatch,
    /// All are in one that the caller began.
    Callers,
}

/// How often we have tried.
struct Patience(u32);

/// Without the address, which holds a password.
impl fmt::Debug for SqlTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SqlTarget")
            .field("server", &self.server)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl SqlTarget {
    /// Opens a database for an owner, named by e-mail address or id.
    ///
    /// # Errors
    /// Exit code 2 for an address that cannot be, 6 when nobody answers, 7 when we are not let in or the
    /// owner is unknown.
    pub async fn open(url: &str, owner: &str) -> Result<Self, Failure> {
        let mut target = Self::connect(url).await?;
        target.owner = target.find_owner(owner).await?;
        Ok(target)
    }

    /// Opens a database for nobody: to look into its ledger, and to undo.
    ///
    /// # Errors
    /// As [`SqlTarget::open`].
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let database = Database::connect(url).await?;
        let question = "select current_setting('server_version'), rolname::text, rolsuper or rolbypassrls, \
            current_database()::text from pg_catalog.pg_roles where rolname = current_user";
        let row = database.client().query_typed(question, &[]).await;
        let row = row.map_err(|error| database.failure(error))?.pop();
        let Some(row) = row else {
            return Err(Failure::new(
                exit::REFUSED,
                "database.refused",
                "the database does not say who we are",
            ));
        };
        let version: String = row.get(0);
        let place = crate::address::Address::read(url)?.place();
        let server = Server {
            version: version.split_whitespace().next().unwrap_or_default().to_owned(),
            role: row.get(1),
            bypasses: row.get(2),
            fingerprint: format!("postgresql://{place}/{}", row.get::<_, String>(3)),
        };
        Ok(Self {
            url: url.to_owned(),
            database,
            guard: None,
            owner: Uuid::nil(),
            server,
            shapes: HashMap::new(),
            transaction: Transaction::PerBatch,
        })
    }

    async fn find_owner(&self, named: &str) -> Result<Uuid, Failure> {
        let (condition, value): (&str, &str) = match named.parse::<Uuid>() {
            Ok(_) => ("id::text = lower($1)", named),
            Err(_) => ("lower(email) = lower($1)", named),
        };
        let question = format!("select id from auth.users where {condition} order by created_at limit 1");
        let found = self.client().query_typed_opt(&question, &[(&value, PgType::TEXT)]).await;
        let found = found.map_err(|error| table_failure("auth.users", error))?;
        found.map(|row| row.get(0)).ok_or_else(|| {
            let message = "the project knows nobody with the address or id that --owner names";
            Failure::new(exit::REFUSED, "target.owner_unknown", message)
                .help("let them sign up first, or check the spelling")
        })
    }

    /// Whose rows we write.
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    /// Whom we talk to, and as whom.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Keeps other imports out until this value goes. What one that was killed has sent is done, or never will
    /// be.
    ///
    /// # Errors
    /// Exit code 8 when another import is at work, 6 when nobody answers.
    pub async fn lock(&mut self) -> Result<(), Failure> {
        let held = self.guard.is_some();
        if self.guard.as_ref().is_some_and(|guard| !guard.client().is_closed()) {
            return Ok(());
        }
        let mut patience = if held { Patience::new() } else { Patience::short() };
        loop {
            let failure = match self.take_lock().await {
                Ok(guard) => {
                    self.guard = Some(guard);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            // The server may not have heard yet that whoever holds it is gone.
            let may_pass = failure.code == exit::LOCKED || held && failure.code == exit::UNREACHABLE;
            if !may_pass || !patience.wait().await {
                return Err(failure);
            }
        }
    }

    async fn take_lock(&self) -> Result<Database, Failure> {
        let guard = Database::connect(&self.url).await?;
        let begun = guard.client().batch_execute(BEGIN).await;
        begun.map_err(|error| guard.failure(error))?;
        let taken = guard.client().query_typed(LOCK, &[]).await.map_err(|error| guard.failure(error))?;
        if !taken.first().is_some_and(|row| row.get(0)) {
            return Err(locked());
        }
        if self.transaction == Transaction::PerBatch {
            settled(&guard).await?;
        }
        Ok(guard)
    }

    /// Asks whether a table is there with every column we would write, whether we may write them, and
    /// whether they can take what the plan has for them.
    ///
    /// # Errors
    /// Exit code 7, naming the table and the columns, when not.
    pub async fn check(&mut self, table: &TablePlan) -> Result<(), Failure> {
        self.shapes.remove(&table.name);
        let shape = self.shape(&table.name).await?.clone();
        let owner = table.owner.iter().map(|(column, _)| column.as_str());
        let columns = || {
            ["id"]
                .into_iter()
                .chain(owner.clone())
                .chain(table.columns.iter().map(|column| column.name.as_str()))
        };
        let those =
            |what: &dyn Fn(&str) -> bool| columns().filter(|name| what(name)).collect::<Vec<_>>().join(", ");
        let refuse = |id, what: &str, names: &str, help: &str| {
            let message = format!("table {} {what} {names}", table.name);
            if names.is_empty() { Ok(()) } else { Err(Failure::new(exit::REFUSED, id, message).help(help)) }
        };
        let column = |name: &str| shape.column(name);
        refuse(
            "target.column_missing",
            "has no column",
            &those(&|name| column(name).is_none()),
            "apply the migrations of this project to the target, or correct the mapping",
        )?;
        refuse(
            "target.column_generated",
            "computes its column",
            &those(&|name| column(name).is_some_and(|column| column.generated)),
            "take the column out of the mapping",
        )?;
        refuse(
            "target.forbidden",
            &format!("does not let the role {} read and write column", self.server.role),
            &those(&|name| column(name).is_some_and(|column| !column.open)),
            "connect as the role postgres, or grant the role what it lacks",
        )?;
        let mut strange = Vec::new();
        for planned in &table.columns {
            let Some(column) = shape.column(&planned.name) else { continue };
            let (ours, theirs) = (planned.kind.in_sql(), &column.kind);
            let question = format!("select null::{ours}::{theirs}, null::{theirs}::{ours} limit 0");
            if ours != theirs && self.client().query_typed(&question, &[]).await.is_err() {
                strange.push(format!("{} ({theirs}, the mapping says {})", planned.name, planned.kind));
            }
        }
        refuse(
            "target.type",
            "cannot take what the mapping has for column",
            &strange.join(", "),
            "correct the type of the column in the mapping",
        )
    }

    /// True if there may be rows of the plan: false for a table without any.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn has_rows(&mut self, table: &TablePlan) -> Result<bool, Failure> {
        let question = format!("select exists (select from {})", relation(&table.name));
        let mut patience = Patience::new();
        loop {
            match self.client().query_typed_one(&question, &[]).await {
                Ok(row) => return Ok(row.get(0)),
                Err(error) => self.again(&mut patience, &table.name, error).await?,
            }
        }
    }

    /// Those of these rows that are there, as they are.
    ///
    /// # Errors
    /// Exit code 6 when nobody answers, 7 when the table is not as the plan has it.
    pub async fn existing(&mut self, table: &TablePlan, rows: &[&Row]) -> Result<Vec<Existing>, Failure> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let owner = table.owner.as_ref().map_or("null".to_owned(), |(column, _)| quoted(column));
        let columns = table.columns.iter().map(|column| column.kind.asked(&quoted(&column.name)));
        let list: Vec<String> =
            ["id".to_owned(), format!("{owner}::uuid")].into_iter().chain(columns).collect();
        let question =
            format!("select {} from {} where id = any($1)", list.join(", "), relation(&table.name));
        let kinds: Vec<Type> = table.columns.iter().map(|column| column.kind).collect();
        let mut patience = Patience::new();
        let answer = loop {
            match self.client().query_typed(&question, &[(&ids, PgType::UUID_ARRAY)]).await {
                Ok(answer) => break answer,
                Err(error) => self.again(&mut patience, &table.name, error).await?,
            }
        };
        let existing = |row: &tokio_postgres::Row| {
            let cell = |(place, kind): (usize, &Type)| {
                cells::read(*kind, row.get::<_, Option<Raw<'_>>>(place + 2).as_ref())
            };
            Existing::new(row.get(0), row.get(1), kinds.iter().enumerate().map(cell).collect())
        };
        Ok(answer.iter().map(existing).collect())
    }

    /// Those of these ids that a table has.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn those_there(&mut self, table: &str, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
        let question = format!("select id from {} where id = any($1)", relation(table));
        let mut patience = Patience::new();
        loop {
            match self.client().query_typed(&question, &[(&ids, PgType::UUID_ARRAY)]).await {
                Ok(rows) => return Ok(rows.iter().map(|row| row.get(0)).collect()),
                Err(error) => self.again(&mut patience, table, error).await?,
            }
        }
    }

    /// How many rows lie in these parents and are not in the plan: lines that were taken out of a record, or
    /// renamed, or added here. A table without parents has none.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn leftover(&mut self, table: &TablePlan, parents: &[Uuid]) -> Result<usize, Failure> {
        let column = table.parent.as_ref().and_then(|parent| table.columns.get(parent.cell));
        let Some(column) = column else { return Ok(0) };
        let question =
            format!("select id from {} where {} = any($1)", relation(&table.name), quoted(&column.name));
        let mut patience = Patience::new();
        loop {
            match self.client().query_typed(&question, &[(&parents, PgType::UUID_ARRAY)]).await {
                Ok(rows) => return Ok(rows.iter().filter(|row| !table.plans(row.get(0))).count()),
                Err(error) => self.again(&mut patience, &table.name, error).await?,
            }
        }
    }

    /// Begins a transaction for all that follows, instead of one for each batch. A connection that breaks
    /// ends it, and everything in it.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn begin(&mut self) -> Result<(), Failure> {
        let mut patience = Patience::new();
        while let Err(error) = self.client().batch_execute(&writing()).await {
            self.again(&mut patience, "migrator.runs", error).await?;
        }
        self.transaction = Transaction::Callers;
        Ok(())
    }

    /// Keeps what was written since [`SqlTarget::begin`], the end of this run among it.
    ///
    /// # Errors
    /// Exit code 6 or 7, and then nothing is kept, unless nobody can be asked any more.
    pub async fn commit(&mut self, run: Uuid) -> Result<(), Failure> {
        self.transaction = Transaction::PerBatch;
        let Err(error) = self.client().batch_execute("commit").await else { return Ok(()) };
        if Fault::of(&error) != Fault::Moment {
            return Err(table_failure("migrator.runs", error));
        }
        // The answer is lost, and with it whether it was kept.
        self.lock().await?;
        if let Some(guard) = &self.guard {
            settled(guard).await?;
        }
        if self.has_ended(run).await? {
            return Ok(());
        }
        Err(nothing_kept("migrator.runs", error))
    }

    /// Takes back what was written since [`SqlTarget::begin`].
    ///
    /// # Errors
    /// Exit code 6; what was written is gone then too.
    pub async fn roll_back(&mut self) -> Result<(), Failure> {
        self.transaction = Transaction::PerBatch;
        self.client().batch_execute("rollback").await.map_err(|error| self.database.failure(error))
    }

    fn client(&self) -> &Client {
        self.database.client()
    }

    /// A table's columns, asked for once.
    async fn shape(&mut self, table: &str) -> Result<&Shape, Failure> {
        if !self.shapes.contains_key(table) {
            let mut patience = Patience::new();
            let shape = loop {
                match Shape::ask(self.client(), table).await {
                    Ok(shape) => break shape,
                    Err(error) => self.again(&mut patience, table, error).await?,
                }
            };
            let shape = shape.ok_or_else(|| {
                Failure::new(exit::REFUSED, "target.table_missing", format!("there is no table {table}"))
                    .help("apply the migrations of this project to the target, or correct the mapping")
            })?;
            self.shapes.insert(table.to_owned(), shape);
        }
        Ok(&self.shapes[table])
    }

    /// Makes ready for another try after an error, or says why there will be none.
    async fn again(
        &mut self,
        patience: &mut Patience,
        table: &str,
        error: tokio_postgres::Error,
    ) -> Result<(), Failure> {
        if Fault::of(&error) != Fault::Moment {
            return Err(table_failure(table, error));
        }
        // What the caller's transaction held is lost with it.
        if self.transaction == Transaction::Callers {
            return Err(nothing_kept(table, error));
        }
        let mut error = moment_failure(table, error);
        loop {
            if !patience.wait().await {
                return Err(error);
            }
            if !self.client().is_closed() {
                // It may be in a transaction that failed.
                if self.client().batch_execute("rollback").await.is_ok() {
                    break;
                }
            }
            match Database::connect(&self.url).await {
                Ok(database) => {
                    self.database = database;
                    break;
                }
                Err(failure) if failure.code == exit::UNREACHABLE => error = failure,
                Err(failure) => return Err(failure),
            }
        }
        // What broke our connection may have broken the guard's.
        if self.guard.is_some() { self.lock().await } else { Ok(()) }
    }
}

impl Patience {
    fn new() -> Self {
        Self(0)
    }

    /// For what passes at once, or not soon.
    fn short() -> Self {
        Self(TRIES - 3)
    }

    /// Waits, each time twice as long; false when that was often enough.
    async fn wait(&mut self) -> bool {
        self.0 += 1;
        if self.0 >= TRIES {
            return false;
        }
        tokio::time::sleep(FIRST_WAIT * 2_u32.pow(self.0 - 1)).await;
        true
    }
}

/// What a transaction begins with that writes.
fn writing() -> String {
    format!("{BEGIN}; {WRITING}")
}

/// Waits until no transaction is at work that writes.
async fn settled(guard: &Database) -> Result<(), Failure> {
    guard.client().batch_execute(WRITTEN).await.map_err(|error| match error.code() {
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => locked(),
        _ => guard.failure(error),
    })
}

fn locked() -> Failure {
    let message = "another import or rollback is at work on this database";
    Failure::new(exit::LOCKED, "target.locked", message).help("wait until it has ended, and run again")
}

/// A name as SQL takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name as SQL takes it.
fn relation(table: &str) -> String {
    format!("public.{}", quoted(table))
}
