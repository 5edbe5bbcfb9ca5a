//! Migrations: the files of a folder, each applied once, oldest version first.
//!
//! They run as role `postgres`. A file runs in one transaction together with the row
//! that remembers it, so it is applied and remembered, or neither. A file that opens
//! with the line `-- no-transaction` runs statement by statement instead. What was
//! applied and what the folder holds must agree before anything new is applied.
//!
//! The history lies where the Supabase CLI keeps it, so either may go on from the other.

mod error;
mod folder;
mod statements;

use std::fs;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

pub use error::{Failure, MigrateError};
use folder::Migration;
use statements::{Statement, statements};

const HISTORY: &str = "
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
        version text not null primary key, statements text[], name text
    );
    create table if not exists supabase_migrations.seed_files (
        path text not null primary key, hash text not null
    );";

/// A file may leave its session changed; the next one, and the history, want a fresh one.
const FRESH: &str = "reset session authorization; reset role; reset all";

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The migrations applied now, as `<version>_<name>`.
    pub migrations: Vec<String>,
    /// True if the seed was planted now. It is planted once in the life of a database.
    pub seeded: bool,
}

/// Brings a database up to the folder, then plants the seed if there is one to plant.
pub async fn apply(url: &str, dir: &Path, seed: Option<&Path>) -> Result<Applied, MigrateError> {
    let migrations = folder::read(dir)?;
    let mut connection = PgConnection::connect(url).await?;
    run(&mut connection, HISTORY).await?;
    let past = history(&mut connection).await?;
    let mut applied = Applied::default();
    for migration in pending(dir, &migrations, &past)? {
        migrate(&mut connection, migration).await?;
        applied.migrations.push(migration.full_name());
    }
    if let Some(path) = seed {
        applied.seeded = plant(&mut connection, path).await?;
    }
    run(&mut connection, "notify pgrst, 'reload schema'").await?;
    connection.close().await?;
    Ok(applied)
}

/// A migration that was applied.
#[derive(Debug, sqlx::FromRow)]
struct Past {
    version: String,
    statements: Option<Vec<String>>,
    name: Option<String>,
}

async fn history(connection: &mut PgConnection) -> Result<Vec<Past>, sqlx::Error> {
    sqlx::query_as("select version, statements, name from supabase_migrations.schema_migrations")
        .fetch_all(connection)
        .await
}

/// What is still to apply, if past and folder agree.
fn pending<'a>(
    dir: &Path,
    migrations: &'a [Migration],
    past: &[Past],
) -> Result<Vec<&'a Migration>, MigrateError> {
    if let Some(lost) = past.iter().find(|past| migrations.iter().all(|here| here.version != past.version)) {
        let name = lost.name.clone().unwrap_or_default();
        return Err(MigrateError::Missing { dir: dir.to_owned(), version: lost.version.clone(), name });
    }
    let newest = past.iter().map(|past| past.version.as_str()).max_by_key(|version| folder::number(version));
    let mut pending = Vec::new();
    for migration in migrations {
        match (past.iter().find(|past| past.version == migration.version), newest) {
            (Some(past), _) if past.is(migration) => {}
            (Some(_), _) => return Err(MigrateError::Changed(migration.path.clone())),
            (None, Some(newest)) if folder::number(&migration.version) < folder::number(newest) => {
                return Err(MigrateError::Late { path: migration.path.clone(), newest: newest.to_owned() });
            }
            (None, _) => pending.push(migration),
        }
    }
    Ok(pending)
}

impl Past {
    /// A history that was repaired by hand may not know the statements: then they are believed.
    fn is(&self, migration: &Migration) -> bool {
        let Some(then) = &self.statements else { return true };
        then.iter().map(String::as_str).eq(statements(&migration.source).iter().map(|now| now.text))
    }
}

async fn migrate(connection: &mut PgConnection, migration: &Migration) -> Result<(), MigrateError> {
    let Migration { path, source, .. } = migration;
    let all = statements(source);
    if source.lines().next().is_some_and(|line| line.trim() == "-- no-transaction") {
        execute(connection, path, source, &all, Progress::Stays).await?;
        return Ok(remember(connection, migration, &all).await?);
    }
    let inner = without_transaction(path, source, &all)?;
    let mut transaction = connection.begin().await?;
    execute(&mut transaction, path, source, inner, Progress::RolledBack).await?;
    remember(&mut transaction, migration, &all).await?;
    commit(transaction, path, source, &all).await
}

/// Plants a seed in one transaction, unless this file was planted before.
async fn plant(connection: &mut PgConnection, path: &Path) -> Result<bool, MigrateError> {
    let source = fs::read_to_string(path).map_err(MigrateError::read(path))?;
    let all = statements(&source);
    let inner = without_transaction(path, &source, &all)?;
    let mut transaction = connection.begin().await?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let planted = sqlx::query(
        "insert into supabase_migrations.seed_files (path, hash)
         values ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex')) on conflict do nothing",
    )
    .bind(name)
    .bind(&source)
    .execute(&mut *transaction)
    .await?;
    if planted.rows_affected() == 0 {
        return Ok(false);
    }
    execute(&mut transaction, path, &source, inner, Progress::RolledBack).await?;
    run(&mut transaction, FRESH).await?;
    commit(transaction, path, &source, &all).await.map(|()| true)
}

async fn remember(
    connection: &mut PgConnection,
    migration: &Migration,
    all: &[Statement<'_>],
) -> Result<(), sqlx::Error> {
    run(connection, FRESH).await?;
    let texts: Vec<&str> = all.iter().map(|statement| statement.text).collect();
    sqlx::query(
        "insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)",
    )
    .bind(&migration.version)
    .bind(texts)
    .bind(&migration.name)
    .execute(connection)
    .await
    .map(|_| ())
}

/// What becomes of the statements before one that fails.
#[derive(Debug, Clone, Copy)]
enum Progress {
    RolledBack,
    Stays,
}

async fn execute(
    connection: &mut PgConnection,
    path: &Path,
    source: &str,
    all: &[Statement<'_>],
    progress: Progress,
) -> Result<(), MigrateError> {
    for (before, statement) in all.iter().enumerate() {
        let applied = match progress {
            Progress::RolledBack => 0,
            Progress::Stays => before,
        };
        run(connection, statement.text)
            .await
            .map_err(|error| MigrateError::failed(path, source, statement, applied, &error))?;
    }
    Ok(())
}

/// What is checked only now, a deferred constraint, is reported at the last statement.
async fn commit(
    transaction: sqlx::Transaction<'_, sqlx::Postgres>,
    path: &Path,
    source: &str,
    all: &[Statement<'_>],
) -> Result<(), MigrateError> {
    let nothing = Statement { text: "", start: 0, first: 0 };
    let last = all.last().unwrap_or(&nothing);
    transaction.commit().await.map_err(|error| MigrateError::failed(path, source, last, 0, &error))
}

/// The statements to run in our transaction. A file may say `begin` first and `commit` last,
/// which is what happens anyway; anywhere else they would tear the file apart.
fn without_transaction<'a, 'b>(
    path: &Path,
    source: &str,
    all: &'a [Statement<'b>],
) -> Result<&'a [Statement<'b>], MigrateError> {
    let inner = match all {
        [first, inner @ .., last] if begins(first) && commits(last) => inner,
        _ => all,
    };
    match inner.iter().find(|statement| begins(statement) || commits(statement) || gives_up(statement)) {
        None => Ok(inner),
        Some(control) => Err(MigrateError::TransactionControl {
            path: path.to_owned(),
            line: error::line_of(source, control.first),
            statement: control.opening()[0].clone(),
        }),
    }
}

fn begins(statement: &Statement<'_>) -> bool {
    let [first, second] = statement.opening();
    first == "begin" || first == "start" && second == "transaction"
}

fn commits(statement: &Statement<'_>) -> bool {
    ["commit", "end"].contains(&&*statement.opening()[0])
}

fn gives_up(statement: &Statement<'_>) -> bool {
    let [first, second] = statement.opening();
    first == "abort" || first == "rollback" && second != "to"
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.map(|_| ())
}
