//! `supabase/migrations` with the Supabase CLI, with sqlx and with the embedded stack: on an empty database that
//! has the hosted bootstrap each ends with the same schema, and one that fails leaves it as it was.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::lab::root;
use crate::node;
use crate::project::Project;

/// A copy of `supabase/`, so that a tool may write there and a test may spoil it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        fs::create_dir_all(folder.migrations()).unwrap();
        let from = root().join("supabase");
        fs::copy(from.join("config.toml"), folder.0.path().join("supabase/config.toml")).unwrap();
        for file in fs::read_dir(from.join("migrations")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.migrations().join(file.file_name())).unwrap();
        }
        folder
    }

    fn migrations(&self) -> std::path::PathBuf {
        self.0.path().join("supabase/migrations")
    }

    /// One more, which fails when most of it is done.
    fn spoil(&self) {
        let sql = "create table public.half (id uuid primary key);
            alter table public.customers add half uuid references public.half (id);
            drop policy customers_read on public.customers;
            select 1 / (select count(*) from public.half);";
        fs::write(self.migrations().join("29990101000000_half.sql"), sql).unwrap();
    }
}

fn address(project: &Project) -> &str {
    project.db_url.as_deref().expect("the project's database address")
}

/// What a database holds, as SQL, without the lists of migrations and what differs from one dump to the next.
fn schema(project: &Project) -> String {
    let mut dump = Command::new("pg_dump");
    dump.args([
        "--schema-only",
        "--exclude-schema=supabase_migrations",
        "--exclude-table=public._sqlx_migrations",
    ]);
    let output = dump.arg(address(project)).stdin(Stdio::null()).output().expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().filter(|line| !(line.is_empty() || line.starts_with("--") || line.starts_with('\\')));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rows the migrations themselves write.
async fn buckets(project: &Project) -> Vec<String> {
    let sql = "select concat_ws(' ', id, public, file_size_limit, allowed_mime_types) from storage.buckets order by id";
    project.database().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Runs the CLI on a database, as somebody who has never run it before. `None` where there is no node.
fn cli(folder: &Path, project: &Project, args: &[&str]) -> Option<Output> {
    let mut cli = node::supabase_cli()?;
    cli.args(args).arg(format!("--remote={}", address(project))).arg("--workdir").arg(folder);
    cli.env("HOME", folder).env("DO_NOT_TRACK", "1").env("SUPABASE_TELEMETRY_DISABLED", "1");
    Some(cli.stdin(Stdio::null()).output().unwrap())
}

fn words(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What `sqlx migrate run --source` does.
async fn sqlx(folder: &Folder, project: &Project) -> Result<(), sqlx::migrate::MigrateError> {
    let migrator = Migrator::new(folder.migrations()).await.unwrap();
    let mut connection = PgConnection::connect(address(project)).await.unwrap();
    migrator.run(&mut connection).await
}

/// Two schemas are equal, or the first lines that differ are shown.
#[track_caller]
fn same(ours: &str, theirs: &str, whose: &str) {
    let differing = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(
        ours == theirs,
        "{whose}: {differing:?}, {} and {} lines",
        ours.lines().count(),
        theirs.lines().count()
    );
}

#[tokio::test]
async fn the_cli_sqlx_and_the_stack_end_with_the_same_schema() {
    let embedded = Project::embedded().await;
    let (ours, rows) = (schema(&embedded), buckets(&embedded).await);
    assert!(ours.lines().count() > 1_000 && rows.len() == 3, "{} lines", ours.lines().count());

    let (folder, project) = (Folder::new(), Project::bare().await);
    sqlx(&folder, &project).await.unwrap();
    same(&ours, &schema(&project), "sqlx");
    assert_eq!(buckets(&project).await, rows);
    sqlx(&folder, &project).await.unwrap();
    // sqlx keeps its list of migrations in public, where the API looks.
    let sql =
        "select not relrowsecurity or has_table_privilege('anon', oid, 'select, insert, update, delete')
        from pg_class where oid = 'public._sqlx_migrations'::regclass";
    let open: bool = project.database().await.query_one(sql, &[]).await.unwrap().get(0);
    assert!(!open, "the list of migrations is open to the API");

    for command in [["migration", "up"], ["db", "push"]] {
        let (folder, project) = (Folder::new(), Project::bare().await);
        let Some(output) = cli(folder.0.path(), &project, &[command[0], command[1], "--yes"]) else { return };
        assert!(output.status.success(), "{}", words(&output));
        same(&ours, &schema(&project), &command.join(" "));
        assert_eq!(buckets(&project).await, rows);
        let again = cli(folder.0.path(), &project, &[command[0], command[1], "--yes"]).unwrap();
        assert!(again.status.success() && words(&again).contains("up to date"), "{}", words(&again));
    }
}

/// The stack's own is tried in `stack/tests/it/migrations.rs`.
#[tokio::test]
async fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let (folder, project) = (Folder::new(), Project::bare().await);
    sqlx(&folder, &project).await.unwrap();
    let before = schema(&project);
    folder.spoil();
    sqlx(&folder, &project).await.unwrap_err();
    same(&before, &schema(&project), "sqlx");

    let (folder, project) = (Folder::new(), Project::embedded().await);
    let before = schema(&project);
    folder.spoil();
    let Some(output) = cli(folder.0.path(), &project, &["migration", "up", "--yes"]) else { return };
    assert!(!output.status.success() && words(&output).contains("division by zero"), "{}", words(&output));
    same(&before, &schema(&project), "the CLI goes on where the stack began");
}

#[tokio::test]
async fn the_seed_is_planted_once_and_its_people_sign_in() {
    let project = Project::embedded().await;
    let seed = fs::read_to_string(root().join("supabase/seed.sql")).unwrap();
    let mut history = Vec::new();
    for _ in 0..2 {
        project.database().await.batch_execute(&seed).await.unwrap();
        history.push(project.count("history").await);
    }
    assert_eq!(history[0], history[1], "planted again it changes nothing");
    for (email, garages) in [("owner@garage.test", 1), ("editor@garage.test", 2)] {
        let client = project.anonymous();
        client.auth().sign_in_with_password(email, "garage-seed").await.unwrap();
        assert_eq!(client.from("garages").select("id").fetch().await.unwrap().len(), garages, "{email}");
        assert_eq!(client.from("vehicles").select("id").fetch().await.unwrap().len(), 1, "{email}");
    }
}

/// What Supabase's own advisors and its checker of functions have to say of our schema.
#[tokio::test]
async fn advisors_and_lint_find_nothing() {
    let (folder, project) = (Folder::new(), Project::embedded().await);
    // An index of an empty database was never used: that is all they may say, and they say it as an aside.
    let advisors = ["db", "advisors", "--type=all", "--level=warn", "--fail-on=warn"];
    let Some(output) = cli(folder.0.path(), &project, &advisors) else { return };
    assert!(output.status.success() && words(&output).contains("No issues found"), "{}", words(&output));

    let (admin, connection) =
        tokio_postgres::connect(&project.place().admin_db_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "select from pg_available_extensions where name = 'plpgsql_check'";
    if admin.query(sql, &[]).await.unwrap().is_empty() {
        let reason = "skipped: this PostgreSQL has no plpgsql_check (Debian: postgresql-15-plpgsql-check), so db lint cannot run\n";
        std::io::Write::write_all(&mut std::io::stderr(), reason.as_bytes()).unwrap();
        return;
    }
    admin.batch_execute("create extension plpgsql_check with schema extensions").await.unwrap();
    let lint = ["db", "lint", "--level=warning", "--fail-on=warning", "--schema=public", "--schema=private"];
    let output = cli(folder.0.path(), &project, &lint).unwrap();
    assert!(
        output.status.success() && words(&output).contains("No schema errors found"),
        "{}",
        words(&output)
    );
}
