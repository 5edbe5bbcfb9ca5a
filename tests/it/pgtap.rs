//! `supabase/tests`, the tests in SQL: each file in a project of its own, as `pg_prove` would run it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::lab::root;
use crate::project::Project;

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("supabase/tests")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    files
}

/// False where PostgreSQL lacks pgTAP: said aloud, as the test then has nothing to run.
async fn has_pgtap(project: &Project) -> bool {
    let sql = "select from pg_available_extensions where name = 'pgtap'";
    let found = !project.database().await.query(sql, &[]).await.unwrap().is_empty();
    if !found {
        let reason = "skipped: this PostgreSQL has no pgTAP (Debian: postgresql-15-pgtap), so supabase/tests cannot run\n";
        io::stderr().write_all(reason.as_bytes()).unwrap();
    }
    found
}

/// Runs a file and reads its TAP: how many tests passed, and every line that tells of one that did not.
async fn prove(project: &Project, file: &Path) -> (usize, Vec<String>) {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file);
    psql.arg(project.db_url.as_deref().expect("the project's database address")).stdin(Stdio::null());
    let output = psql.output().await.expect("psql runs");
    let told = String::from_utf8(output.stdout).unwrap();
    let passed = told.lines().filter(|line| line.starts_with("ok ")).count();
    let mut faults: Vec<String> = told
        .lines()
        .filter(|line| line.starts_with("not ok") || line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let planned = told.lines().filter_map(|line| line.strip_prefix("1..")?.parse::<usize>().ok()).next();
    if !output.status.success() || planned.is_none_or(|planned| planned < passed || planned == 0) {
        faults.push(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    (passed, faults)
}

#[tokio::test]
async fn every_test_in_sql_passes() {
    let project = Project::embedded().await;
    if !has_pgtap(&project).await {
        return;
    }
    let files = files();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        // Its own transaction is rolled back, so one project serves all.
        let (passed, faults) = prove(&project, &file).await;
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
        println!("{name}: {passed} passed");
    }
}

/// What somebody might do by mistake, the file that notices, and what it says.
const MISTAKES: [(&str, &str, &str); 10] = [
    ("create table public.forgotten (id uuid)", "000_catalogue.sql", "every table has row-level security"),
    ("create table public.forgotten (id uuid)", "010_matrix.sql", "every exposed table says who may do what"),
    ("grant select on bookings to anon", "000_catalogue.sql", "no table is granted to anonymous"),
    (
        "alter function private.owned() reset search_path",
        "000_catalogue.sql",
        "every function has an empty search_path",
    ),
    ("drop index vehicles_customer", "000_catalogue.sql", "every foreign key is index-backed"),
    (
        "alter policy customers_read on customers using (workspace_id in (select workspace_id from members where user_id = auth.uid()))",
        "000_catalogue.sql",
        "every call in a policy is one a statement",
    ),
    ("alter policy users_read on users using (true)", "010_matrix.sql", "users: stranger"),
    (
        "alter policy customers_add on customers with check (workspace_id = any (array(select private.editable())))",
        "020_widening.sql",
        "nobody adds a row in another's name",
    ),
    ("drop trigger stay on customers", "020_widening.sql", "an editor of two garages moves no row from one"),
    (
        "create view leak as select * from customers; grant select on leak to authenticated",
        "000_catalogue.sql",
        "every view asks with the rights of who asks",
    ),
];

#[tokio::test]
async fn a_mistake_fails_the_run() {
    for (mistake, file, says) in MISTAKES {
        let project = Project::embedded().await;
        if !has_pgtap(&project).await {
            return;
        }
        project.database().await.batch_execute(mistake).await.unwrap();
        let (_, faults) = prove(&project, &root().join("supabase/tests").join(file)).await;
        let noticed = faults.iter().any(|line| line.starts_with("not ok") && line.contains(says));
        assert!(noticed, "{mistake}: {faults:?}");
    }
}
