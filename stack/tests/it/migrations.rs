//! Migrations are applied once, in order, whole or not at all, and the history stays true.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{Connection, Executor, PgConnection};
use supabase_stack::migrate::{self, Applied, MigrateError};
use supabase_stack::postgres::Role;
use tempfile::TempDir;

use crate::database::Database;

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn apply(&self, database: &Database) -> Result<Vec<String>, MigrateError> {
        let applied = migrate::apply(&database.url(Role::Postgres), self.0.path(), None).await?;
        Ok(applied.migrations)
    }

    async fn refused(&self, database: &Database) -> String {
        self.apply(database).await.unwrap_err().to_string()
    }
}

async fn exists(connection: &mut PgConnection, relation: &str) -> bool {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(relation)
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn history(connection: &mut PgConnection) -> Vec<(String, Vec<String>, String)> {
    sqlx::query_as(
        "select version, statements, name from supabase_migrations.schema_migrations order by version",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn files_are_applied_once_in_the_order_of_their_versions() {
    let database = Database::new().await;
    let folder = Folder::new(&[
        ("10_second.sql", "alter table a add column m int;\n-- the end\n"),
        ("9_first.sql", "-- a table\ncreate table a (n int);\ninsert into a values (1);"),
    ]);
    assert_eq!(folder.apply(&database).await.unwrap(), ["9_first", "10_second"]);
    assert!(folder.apply(&database).await.unwrap().is_empty());
    folder.write("11_third.sql", "drop table a");
    assert_eq!(folder.apply(&database).await.unwrap(), ["11_third"]);

    let mut connection = database.connect(Role::Postgres).await;
    let first = ["-- a table\ncreate table a (n int)", "insert into a values (1)"];
    assert_eq!(
        history(&mut connection).await.pop().unwrap(),
        ("9".to_owned(), first.map(str::to_owned).to_vec(), "first".to_owned())
    );
}

#[tokio::test]
async fn they_run_as_postgres_and_leave_nothing_set_for_the_next() {
    let database = Database::new().await;
    let folder = Folder::new(&[
        ("1_a.sql", "create table mine (n int); set search_path = ''; set role anon;"),
        ("2_b.sql", "alter table mine add column who text default current_user;"),
    ]);
    folder.apply(&database).await.unwrap();
    let mut connection = database.connect(Role::Admin).await;
    let owner: String = sqlx::query_scalar("select tableowner from pg_tables where tablename = 'mine'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(owner, "postgres");
}

#[tokio::test]
async fn of_a_file_that_fails_nothing_remains_and_the_place_is_named() {
    let database = Database::new().await;
    let folder = Folder::new(&[
        ("1_good.sql", "create table good (n int)"),
        ("2_bad.sql", "create table bad (n int);\n\n-- é\nselect\n  n,\n  mistake\nfrom bad;\nselect 1;"),
    ]);
    let Err(MigrateError::Failed(failure)) = folder.apply(&database).await else { panic!("it should fail") };
    assert_eq!((failure.path, failure.line), (folder.path("2_bad.sql"), 6));
    assert_eq!(failure.sqlstate.as_deref(), Some("42703"));
    assert_eq!(failure.message, "column \"mistake\" does not exist");

    let mut connection = database.connect(Role::Postgres).await;
    assert!(exists(&mut connection, "good").await && !exists(&mut connection, "bad").await);
    assert_eq!(history(&mut connection).await.len(), 1);

    folder.write("2_bad.sql", "create table bad (n int)");
    assert_eq!(folder.apply(&database).await.unwrap(), ["2_bad"]);
}

#[tokio::test]
async fn an_error_without_a_position_is_at_its_statement() {
    let cases = [
        ("create table t (n int primary key);\n\n-- why\ninsert into t values (1), (1);", 4, "23505"),
        ("select 1;\ndo $$\nbegin\n  perform 1/0;\nend $$;", 2, "22012"),
        (
            "create table t (n int unique deferrable initially deferred);\ninsert into t values (1), (1);",
            2,
            "23505",
        ),
        ("select 'never closed", 1, "42601"),
    ];
    for (text, line, sqlstate) in cases {
        let database = Database::new().await;
        let Err(MigrateError::Failed(failure)) = Folder::new(&[("1_a.sql", text)]).apply(&database).await
        else {
            panic!("{text}")
        };
        assert_eq!((failure.line, failure.sqlstate.as_deref()), (line, Some(sqlstate)), "{text}");
    }
}

#[tokio::test]
async fn data_of_a_copy_are_refused_rather_than_waited_for() {
    let database = Database::new().await;
    let folder = Folder::new(&[("1_a.sql", "create table t (n int);\ncopy t from stdin;\n1\n\\.\n")]);
    let said = folder.refused(&database).await;
    assert!(said.contains("1_a.sql:2: "), "{said}");
}

#[tokio::test]
async fn a_file_without_a_transaction_runs_statement_by_statement() {
    let database = Database::new().await;
    let folder = Folder::new(&[
        ("1_table.sql", "create table t (n int)"),
        ("2_index.sql", "-- no-transaction\ncreate index concurrently t_n on t (n);\n"),
    ]);
    assert_eq!(folder.apply(&database).await.unwrap().len(), 2);
    let mut connection = database.connect(Role::Postgres).await;
    assert!(exists(&mut connection, "t_n").await);

    folder.write("3_half.sql", "-- no-transaction\ncreate table half (n int);\nselect 1/0;");
    let said = folder.refused(&database).await;
    assert!(
        said.contains("3_half.sql:3: ") && said.contains("the statement before it stays applied"),
        "{said}"
    );
    assert!(exists(&mut connection, "half").await);
    assert_eq!(history(&mut connection).await.len(), 2);
}

#[tokio::test]
async fn a_file_may_bracket_itself_but_not_tear_itself_apart() {
    let database = Database::new().await;
    let folder =
        Folder::new(&[("1_a.sql", "-- all\nbegin;\ncreate table a (n int);\nsavepoint s;\ncommit;\n")]);
    folder.apply(&database).await.unwrap();
    for (text, line) in
        [("select 1;\ncommit;\nselect 2;", 2), ("begin;\nrollback;\ncommit;", 2), ("begin;\nselect 1;", 1)]
    {
        folder.write("2_b.sql", text);
        let said = folder.refused(&database).await;
        assert!(said.contains(&format!("2_b.sql:{line}: ")) && said.contains("-- no-transaction"), "{said}");
    }
}

#[tokio::test]
async fn what_was_applied_may_not_change_or_go_or_be_overtaken() {
    let database = Database::new().await;
    let folder = Folder::new(&[("1_a.sql", "select 1"), ("3_c.sql", "select 3")]);
    folder.apply(&database).await.unwrap();

    folder.write("1_a.sql", " select 1 ;\n");
    assert!(folder.apply(&database).await.unwrap().is_empty(), "it says the same as before");
    folder.write("1_a.sql", "select 2");
    let said = folder.refused(&database).await;
    assert!(said.contains("1_a.sql was changed after it was applied"), "{said}");

    fs::remove_file(folder.path("1_a.sql")).unwrap();
    let said = folder.refused(&database).await;
    assert!(said.contains("1_a was applied to this database, but its file is gone"), "{said}");

    folder.write("1_a.sql", "select 1");
    folder.write("2_b.sql", "select 2");
    let said = folder.refused(&database).await;
    assert!(said.contains("2_b.sql is older than 3"), "{said}");
}

#[tokio::test]
async fn the_seed_is_planted_once() {
    let database = Database::new().await;
    let folder =
        Folder::new(&[("1_a.sql", "create table a (n int)"), ("seed.sql", "insert into a values (1);")]);
    let migrations = folder.path("migrations");
    fs::create_dir(&migrations).unwrap();
    fs::rename(folder.path("1_a.sql"), migrations.join("1_a.sql")).unwrap();
    let apply = |seed: &'static str| {
        let (url, migrations, seed) = (database.url(Role::Postgres), migrations.clone(), folder.path(seed));
        async move { migrate::apply(&url, &migrations, Some(&seed)).await }
    };
    let applied = |migrations: &[&str], seeded| Applied {
        migrations: migrations.iter().map(|name| (*name).to_owned()).collect(),
        seeded,
    };
    assert_eq!(apply("seed.sql").await.unwrap(), applied(&["1_a"], true));
    assert_eq!(apply("seed.sql").await.unwrap(), applied(&[], false));
    assert!(matches!(apply("nothing.sql").await, Err(MigrateError::Read { .. })));
    let mut connection = database.connect(Role::Postgres).await;
    let count: i64 = sqlx::query_scalar("select count(*) from a").fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn the_api_is_told() {
    let database = Database::new().await;
    let mut listener = sqlx::postgres::PgListener::connect(&database.url(Role::Authenticator)).await.unwrap();
    listener.listen("pgrst").await.unwrap();
    migrate::apply(&database.url(Role::Postgres), Path::new("/nonexistent"), None).await.unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "reload schema");
}

#[tokio::test]
async fn a_history_the_supabase_cli_wrote_is_gone_on_with() {
    let database = Database::new().await;
    let mut connection = PgConnection::connect(&database.url(Role::Postgres)).await.unwrap();
    connection
        .execute(
            "create schema supabase_migrations;
             create table supabase_migrations.schema_migrations (
                 version text not null primary key, statements text[], name text, created_by text
             );
             insert into supabase_migrations.schema_migrations values ('1', null, 'a');",
        )
        .await
        .unwrap();
    let folder = Folder::new(&[("1_a.sql", "select nothing"), ("2_b.sql", "select 2")]);
    assert_eq!(folder.apply(&database).await.unwrap(), ["2_b"]);
}
