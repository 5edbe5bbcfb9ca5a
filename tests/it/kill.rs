//! Whatever ends an import in the middle, nothing is lost and nothing is doubled: what goes on from there
//! ends as a run that nobody disturbed, and a rollback then finds the tables as they were before.
//!
//! Moments of a SIGKILL are drawn anew in each run and spread over the whole of an import: ten in all of 800
//! rows, or with `KILLS=50` fifty of 20,000, which takes twenty-five minutes; other faults are tried at more
//! moments then, too. A fifth of the rows is in the tables before, as an older export left it, so that rows are
//! changed and not only added.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;

use crate::migrator::{Desk, Run};
use crate::project::{Person, Project};
use crate::wire::{How, When, Wire};

const TABLES: [&str; 4] = ["customers", "vehicles", "repairs", "repair_lines"];

/// The rows of an export: eight for each customer.
const SMALL: usize = 800;
const LARGE: usize = 20_000;

/// The first in a plain run, the second in one that takes its time.
fn either<T>(plain: T, thorough: T) -> T {
    if std::env::var("KILLS").is_ok_and(|moments| moments == "50") { thorough } else { plain }
}

/// A garage as its app exports it in some year.
fn garage(rows: usize, year: usize) -> String {
    let customers = rows / 8;
    let stamp = format!("{year}-03-04T05:06:07.000Z");
    let record = |kind: &str, number: usize, mut record: Value| {
        record["id"] = json!(format!("{kind}{number}"));
        record["createdAt"] = json!("2019-01-01T00:00:00.000Z");
        record["updatedAt"] = json!(stamp);
        record
    };
    let line = |part: usize| json!({ "partId": format!("p{part}"), "quantity": 2, "unitPrice": part + year % 100, "name": "filtre" });
    let all = |kind: &str, count: usize, fields: &dyn Fn(usize) -> Value| {
        (0..count).map(|number| record(kind, number, fields(number))).collect::<Vec<_>>()
    };
    let of = |number: usize| format!("c{number}");
    json!({ "data": {
        "customers": all("c", customers, &|number| json!({ "firstName": "Zoé", "lastName": format!("Nº {number} en {year}") })),
        "vehicles": all("v", customers, &|number| json!({ "customerId": of(number), "licensePlate": format!("{number}-A-6"), "mileage": year * 10 })),
        "repairs": all("r", customers * 2, &|number| json!({
            "customerId": of(number / 2), "vehicleId": format!("v{}", number / 2), "title": format!("Révision {year}"),
            "parts": [line(1), line(2)],
        })),
    } })
    .to_string()
}

/// Moments of a run, as parts of it: drawn from the clock, spread over the whole.
struct Moments(u64);

impl Moments {
    #[allow(clippy::print_stderr, reason = "the test runner shows the seed when a moment finds something")]
    fn new(what: &str) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = u64::try_from(now.as_nanos() % u128::from(u64::MAX)).unwrap() | 1;
        eprintln!("{what}: seed {seed}");
        Self(seed)
    }

    fn next(&mut self) -> f64 {
        // xorshift
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// So many, one in each part of the run.
    fn spread(&mut self, count: u32) -> Vec<f64> {
        (0..count).map(|part| (f64::from(part) + self.next()) / f64::from(count)).collect()
    }
}

/// The way rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Rest,
    /// Straight to PostgreSQL, with this `--atomic`.
    Sql(&'static str),
}

/// A garage that is about to move, and how it looks before and after.
struct Move {
    project: Project,
    owner: Person,
    desk: Desk,
    way: Way,
    /// Where the database is; over a wire, perhaps.
    url: String,
    file: PathBuf,
    before: Vec<String>,
    after: Vec<String>,
    /// The digests that the undisturbed run reported.
    reported: Value,
    /// How long that took.
    took: Duration,
}

impl Move {
    async fn of(rows: usize, way: Way) -> Self {
        let project = Project::embedded().await;
        let url = project.db_url.clone().unwrap();
        Self::over(project, url, rows, way).await
    }

    async fn over(project: Project, url: String, rows: usize, way: Way) -> Self {
        let owner = project.person("owner").await;
        let desk = Desk::of(&project, &owner);
        let (old, file) =
            (desk.file("old.json", garage(rows / 5, 2023)), desk.file("new.json", garage(rows, 2024)));
        desk.import(&old, &owner, &["--db-url", &project.db_url.clone().unwrap()]).await.ended(0);
        let before = content(&project).await;
        let mut moving = Self {
            project,
            owner,
            desk,
            way,
            url,
            file,
            before,
            after: Vec::new(),
            reported: Value::Null,
            took: Duration::ZERO,
        };
        let begun = Instant::now();
        let args = moving.args();
        let run = moving.run(&args).await.ended(0);
        moving.took = begun.elapsed();
        assert_eq!(run.total("inserted") + run.total("updated"), rows as u64, "{run}");
        (moving.reported, moving.after) = (digests(&run), content(&moving.project).await);
        assert_ne!(moving.before, moving.after);
        let id = run.json()["run"].as_str().unwrap().to_owned();
        moving.take_back(&id).await;
        moving
    }

    fn args(&self) -> Vec<String> {
        let file = self.file.to_str().unwrap();
        let import = ["import", file, "--mapping", "garage", "--owner", &self.owner.email, "--json"];
        let mut args: Vec<String> = import.map(str::to_owned).to_vec();
        if let Way::Sql(atomic) = self.way {
            args.extend(["--atomic".to_owned(), atomic.to_owned()]);
        }
        self.with_target(args)
    }

    fn with_target(&self, mut args: Vec<String>) -> Vec<String> {
        if let Way::Sql(_) = self.way {
            args.extend(["--db-url".to_owned(), self.url.clone()]);
        }
        args
    }

    async fn run(&self, args: &[String]) -> Run {
        self.desk.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    fn start(&self) -> tokio::process::Child {
        let args = self.args();
        self.desk.start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn runs(&self) -> BTreeSet<String> {
        let runs = std::fs::read_dir(self.desk.path().join(".migrator/runs")).unwrap();
        runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Starts an import, kills it at this part of its time, and gives its run if it had begun.
    async fn killed_at(&self, moment: f64) -> Option<String> {
        let known = self.runs();
        let mut run = self.start();
        if tokio::time::timeout(self.took.mul_f64(moment), run.wait()).await.is_err() {
            run.kill().await.unwrap();
        }
        self.runs().difference(&known).next().cloned()
    }

    /// Goes on with a run, or begins anew with one that never began, until it is done; gives its id.
    async fn finish(&self, run: Option<String>) -> String {
        let known = self.runs();
        for _ in 0..6 {
            let args = match &run {
                Some(run) => self.with_target(vec!["resume".to_owned(), run.clone(), "--json".to_owned()]),
                None => self.args(),
            };
            let ended = self.run(&args).await;
            match ended.code {
                Some(0) => {
                    if ended.stdout.starts_with('{') {
                        assert_eq!(digests(&ended), self.reported, "{ended}");
                        assert_eq!(ended.json()["mismatches"], json!([]), "{ended}");
                    }
                    return run.unwrap_or_else(|| self.runs().difference(&known).next().unwrap().clone());
                }
                Some(6) => {}
                _ => panic!("{ended}"),
            }
        }
        panic!("it never came to an end");
    }

    /// Whatever became of a run, going on makes it whole, and going back leaves nothing of it.
    async fn settle(&self, run: Option<String>, what: &str) {
        let run = self.finish(run).await;
        assert_eq!(content(&self.project).await, self.after, "{what}: it ends as if nothing had been");
        self.take_back(&run).await;
        assert_eq!(content(&self.project).await, self.before, "{what}: and goes back whole");
    }

    async fn take_back(&self, run: &str) {
        let args = self.with_target(vec!["rollback".to_owned(), run.to_owned(), "--json".to_owned()]);
        self.run(&args).await.ended(0);
    }
}

/// The digests a run reports, by table.
fn digests(run: &Run) -> Value {
    let tables = run.json()["tables"].as_array().unwrap().clone();
    let digest = |table: &Value| {
        assert!(table["digest"].is_string(), "{run}");
        (table["name"].as_str().unwrap().to_owned(), table["digest"].clone())
    };
    Value::Object(tables.iter().map(digest).collect())
}

/// One hash of each table, by the database itself: every column but the time of the last change, and that of
/// the insert where the export has none.
async fn content(project: &Project) -> Vec<String> {
    let database = project.database().await;
    let mut content = Vec::new();
    for table in TABLES {
        let but = if table == "repair_lines" { "{updated_at,created_at}" } else { "{updated_at}" };
        let sql = format!(
            "select count(*) || ' ' || coalesce(md5(string_agg((to_jsonb(t) - '{but}'::text[])::text, ' ' order by id)), '') \
             from public.{table} as t"
        );
        content.push(format!("{table} {}", database.query_one(&sql, &[]).await.unwrap().get::<_, String>(0)));
    }
    content
}

/// What PostgreSQL stamps on every row it writes.
async fn stamps(project: &Project) -> Vec<String> {
    let database = project.database().await;
    let mut stamps = Vec::new();
    for table in TABLES {
        let sql = format!("select id || ' ' || xmin || ' ' || ctid from public.{table} order by id");
        stamps.extend(database.query(&sql, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
    }
    stamps
}

async fn killed(moments: u32, way: Way) {
    let rows = either(SMALL, LARGE);
    let moving = Move::of(rows, way).await;
    for moment in Moments::new(&format!("{way:?}, {rows} rows")).spread(moments) {
        let run = moving.killed_at(moment).await;
        moving.settle(run, &format!("{way:?}, {rows} rows, killed at {moment}")).await;
    }
}

#[tokio::test]
async fn straight_to_the_database_a_run_that_is_killed_loses_and_doubles_nothing() {
    killed(either(3, 15), Way::Sql("never")).await;
    killed(either(2, 10), Way::Sql("auto")).await;
}

#[tokio::test]
async fn over_the_api_a_run_that_is_killed_loses_and_doubles_nothing() {
    killed(either(5, 25), Way::Rest).await;
}

/// Every connection to the database ends, the API's too.
async fn terminate(admin: &tokio_postgres::Client) -> i64 {
    let all = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
        where datname = current_database() and pid <> pg_backend_pid()";
    admin.query_one(all, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_database_that_throws_everybody_out_loses_and_doubles_nothing() {
    for way in [Way::Sql("never"), Way::Sql("auto"), Way::Rest] {
        let moving = Move::of(SMALL, way).await;
        let (admin, connection) =
            tokio_postgres::connect(&moving.project.place().admin_db_url, tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        for moment in Moments::new(&format!("{way:?}, thrown out")).spread(either(2, 5)) {
            let known = moving.runs();
            let mut run = moving.start();
            if tokio::time::timeout(moving.took.mul_f64(moment), run.wait()).await.is_err() {
                assert!(terminate(&admin).await > 0);
            }
            let ended = Run::from(run.wait_with_output().await.unwrap()).noted();
            assert!([Some(0), Some(6)].contains(&ended.code), "{way:?} at {moment}: {ended}");
            let begun = moving.runs().difference(&known).next().cloned();
            moving.settle(begun, &format!("{way:?}, thrown out at {moment}")).await;
        }
    }
}

#[tokio::test]
async fn the_same_import_again_writes_no_row() {
    for way in [Way::Sql("auto"), Way::Rest] {
        let moving = Move::of(SMALL, way).await;
        moving.run(&moving.args()).await.ended(0);
        let written = stamps(&moving.project).await;
        let again = moving.run(&moving.args()).await.ended(0);
        assert_eq!(again.total("same"), SMALL as u64, "{again}");
        assert_eq!(stamps(&moving.project).await, written, "{way:?}");
    }
}

/// Keeps everybody from writing a table, and nobody from reading it, until the connection goes; returns what
/// waits for a writer to be stuck there.
struct Held {
    database: tokio_postgres::Client,
}

impl Held {
    async fn of(project: &Project, table: &str) -> Self {
        let database = project.database().await;
        database.batch_execute(&format!("begin; lock table public.{table} in share mode")).await.unwrap();
        Self { database }
    }

    /// Returns when somebody waits.
    async fn is_felt(&self) {
        let waiting = "select exists (select from pg_locks as l join pg_class as c on c.oid = l.relation \
            where not l.granted and c.relnamespace = 'public'::regnamespace)";
        let felt = async { while !self.database.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {} };
        tokio::time::timeout(Duration::from_secs(30), felt).await.expect("somebody waits");
    }

    async fn release(self) {
        self.database.batch_execute("rollback").await.unwrap();
    }
}

/// An import that stands still in the middle.
async fn stopped_at_the_repairs(moving: &Move) -> (Held, tokio::process::Child) {
    let held = Held::of(&moving.project, "repairs").await;
    let run = moving.start();
    held.is_felt().await;
    (held, run)
}

#[tokio::test]
async fn who_is_told_to_stop_says_how_to_go_on() {
    for way in [Way::Sql("never"), Way::Sql("auto"), Way::Rest] {
        let moving = Move::of(400, way).await;
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let known = moving.runs();
            let (held, run) = stopped_at_the_repairs(&moving).await;
            let process = run.id().unwrap().to_string();
            assert!(std::process::Command::new("kill").args([signal, &process]).status().unwrap().success());
            let ended = Run::from(run.wait_with_output().await.unwrap()).noted().ended(code);
            let run = moving.runs().difference(&known).next().cloned().unwrap();
            assert!(ended.stderr.contains(&format!("migrator resume {run}")), "{ended}");
            held.release().await;
            moving.settle(Some(run), &format!("{way:?}, {signal}")).await;
        }
    }
}

#[tokio::test]
async fn a_run_goes_on_only_as_what_it_was() {
    for way in [Way::Sql("never"), Way::Rest] {
        let moving = Move::of(400, way).await;
        let mapping = crate::lab::root().join("migrator/mappings/garage.toml");
        let mapping = std::fs::read_to_string(mapping).unwrap();
        let own = moving.desk.file("own.toml", &mapping);
        let (file, own_path) = (moving.file.clone(), own.to_str().unwrap().to_owned());
        let held = Held::of(&moving.project, "repairs").await;
        let args: Vec<String> = moving
            .args()
            .into_iter()
            .map(|arg| if arg == "garage" { own_path.clone() } else { arg })
            .collect();
        let known = moving.runs();
        let mut run = moving.desk.start(&args.iter().map(String::as_str).collect::<Vec<_>>());
        held.is_felt().await;
        run.kill().await.unwrap();
        held.release().await;
        let run = moving.runs().difference(&known).next().cloned().unwrap();
        let resume = moving.with_target(vec!["resume".to_owned(), run.clone(), "--json".to_owned()]);
        let refused = async |said: &str, args: &[String]| {
            let ended = moving.run(args).await.ended(7);
            assert!(ended.stderr.contains("run.changed") && ended.stderr.contains(said), "{ended}");
        };

        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, whole.replacen("Zoé", "Léa", 1)).unwrap();
        refused("the file", &resume).await;
        std::fs::write(&file, &whole).unwrap();
        std::fs::write(&own, format!("{mapping}\n# mended\n")).unwrap();
        refused("the mapping", &resume).await;
        std::fs::write(&own, &mapping).unwrap();
        let elsewhere: Vec<String> = match way {
            Way::Sql(_) => resume.iter().map(|arg| arg.replace("127.0.0.1", "localhost")).collect(),
            Way::Rest => {
                let url = moving.project.url.replace("127.0.0.1", "localhost");
                [&resume[..], &["--url".to_owned(), url]].concat()
            }
        };
        refused("the target", &elsewhere).await;
        moving.settle(Some(run), &format!("{way:?}")).await;
    }
}

#[tokio::test]
async fn straight_to_the_database_two_imports_are_one_too_many() {
    let moving = Move::of(400, Way::Sql("auto")).await;
    let known = moving.runs();
    let (held, first) = stopped_at_the_repairs(&moving).await;
    let second = moving.run(&moving.args()).await.ended(8);
    assert!(second.stderr.contains("target.locked"), "{second}");
    held.release().await;
    Run::from(first.wait_with_output().await.unwrap()).noted().ended(0);
    let run = moving.runs().difference(&known).next().cloned();
    moving.settle(run, "the first of two").await;
}

#[tokio::test]
async fn a_rollback_that_is_killed_is_finished_by_the_next() {
    for way in [Way::Sql("auto"), Way::Rest] {
        let moving = Move::of(SMALL, way).await;
        let done = moving.run(&moving.args()).await.ended(0);
        let run = done.json()["run"].as_str().unwrap().to_owned();
        let args = moving.with_target(vec!["rollback".to_owned(), run.clone(), "--json".to_owned()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        for moment in Moments::new(&format!("{way:?}, rollback")).spread(either(3, 6)) {
            let mut back = moving.desk.start(&args);
            if tokio::time::timeout(moving.took.mul_f64(moment), back.wait()).await.is_err() {
                back.kill().await.unwrap();
            }
        }
        let last = moving.desk.run(&args).await;
        // The last of those that were to be killed may have come to its end.
        assert!(last.code == Some(0) || last.stderr.contains("rollback.done"), "{last}");
        assert_eq!(content(&moving.project).await, moving.before, "{way:?}");
    }
}

#[tokio::test]
async fn more_refusals_than_allowed_leave_nothing_behind() {
    let moving = Move::of(400, Way::Sql("auto")).await;
    let database = moving.project.database().await;
    let sql = "alter table public.repairs add constraint odd check (legacy_id <> 'r70') not valid";
    database.batch_execute(sql).await.unwrap();
    let run = moving.run(&moving.args()).await.ended(3);
    let report = run.json();
    assert_eq!((run.total("inserted"), run.total("updated")), (0, 0), "{run}");
    assert_eq!(report["rejects"]["items"][0]["pointer"], json!("/data/repairs/70"), "{run}");
    assert_eq!(
        (run.total("rejected"), run.total("in")),
        (3, 400),
        "the lines of what is refused are too\n{run}"
    );
    assert_eq!(report["total"]["not_written"], json!(397), "{run}");
    assert_eq!(content(&moving.project).await, moving.before);
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace_in_the_database() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let desk = Desk::of(&project, &owner);
    let (file, url) = (desk.file("new.json", garage(400, 2024)), project.db_url.clone().unwrap());
    desk.import(&file, &owner, &["--db-url", &url, "--dry-run"]).await.ended(0);
    let database = project.database().await;
    let ledger = "select to_regnamespace('migrator') is null";
    assert!(database.query_one(ledger, &[]).await.unwrap().get::<_, bool>(0), "there is no ledger");
    assert!(stamps(&project).await.is_empty(), "and there is no row");
    assert!(!desk.path().join(".migrator").exists(), "nor a folder of the run");
}

/// What may happen to a wire to PostgreSQL: at every part of what is sent and of what is received, and at the
/// answers that decide.
fn breaks(sent: u64, received: u64) -> Vec<(When, How)> {
    let mut breaks = Vec::new();
    for part in either(&[3, 8][..], &[1, 4, 7, 9]) {
        breaks.push((When::Sent(sent * part / 10), How::Cut));
        breaks.push((When::Received(received * part / 10), How::CutAll));
    }
    breaks.push((When::Sent(sent / 2), How::Stall(Duration::from_millis(300))));
    breaks.push((When::Received(received / 2), How::Delay(Duration::from_millis(300))));
    for words in ["insert into public.\"repairs\"", "commit\0", "update migrator.runs"] {
        breaks.push((When::Answered(words), How::Cut));
        breaks.push((When::Answered(words), How::CutAll));
    }
    breaks
}

#[tokio::test]
async fn a_wire_to_the_database_that_breaks_loses_and_doubles_nothing() {
    for way in [Way::Sql("never"), Way::Sql("auto")] {
        let project = Project::embedded().await;
        let wire = Wire::to(project.db_url.as_deref().unwrap()).await;
        let url = wire.url(project.db_url.as_deref().unwrap());
        let moving = Move::over(project, url, 400, way).await;
        wire.busiest();
        let whole = moving.run(&moving.args()).await.ended(0);
        let (sent, received) = wire.busiest();
        moving.take_back(whole.json()["run"].as_str().unwrap()).await;
        for (when, how) in breaks(sent, received) {
            let what = format!("{way:?}, {when:?}, {how:?}");
            let known = moving.runs();
            wire.will_break(when, how);
            let ended = moving.run(&moving.args()).await;
            assert!([Some(0), Some(6)].contains(&ended.code), "{what}: {ended}");
            assert!(wire.has_broken(), "{what}: nothing broke");
            let run = moving.runs().difference(&known).next().cloned();
            moving.settle(run, &what).await;
        }
    }
}

#[tokio::test]
async fn a_wire_to_the_api_that_breaks_loses_and_doubles_nothing() {
    let moving = Move::of(400, Way::Rest).await;
    let answer = |status: u16, body: Value| json!({ "kind": "answer", "status": status, "headers": { "retry-after": "0" }, "body": body });
    let actions = [
        json!({ "kind": "refuse" }),
        json!({ "kind": "lose_answer" }),
        json!({ "kind": "delay", "ms": 200 }),
        json!({ "kind": "delay_answer", "ms": 200 }),
        json!({ "kind": "duplicate" }),
        json!({ "kind": "truncate", "bytes": 10 }),
        answer(413, json!({})),
        answer(429, json!({})),
        answer(503, json!({})),
        answer(500, json!({ "code": "57014", "message": "too slow" })),
    ];
    for action in &actions {
        let rule = |method: &str, table: &str| json!({ "path": format!("/rest/v1/{table}"), "method": method, "times": 2, "action": action });
        moving.project.faults(json!([rule("POST", "repairs"), rule("GET", "vehicles")])).await;
        let known = moving.runs();
        let ended = moving.run(&moving.args()).await;
        // A question too large for the gateway cannot be asked in another way.
        let codes: &[i32] = if action["status"] == 413 { &[0, 7] } else { &[0, 6] };
        assert!(codes.contains(&ended.code.unwrap()), "{action}: {ended}");
        moving.project.faults(json!([])).await;
        let run = moving.runs().difference(&known).next().cloned();
        moving.settle(run, &action.to_string()).await;
    }
    // What does not pass ends with a clear word, and leaves what can be gone on with.
    for (action, codes) in [
        (json!({ "kind": "refuse" }), [6, 6]),
        (answer(429, json!({})), [6, 6]),
        (answer(503, json!({})), [6, 6]),
        (answer(413, json!({})), [6, 7]),
        (answer(500, json!({ "code": "57014", "message": "too slow" })), [6, 7]),
    ] {
        moving
            .project
            .faults(json!([{ "path": "/rest/v1/repairs", "method": "POST", "action": action }]))
            .await;
        let known = moving.runs();
        let ended = moving.run(&moving.args()).await;
        assert!(codes.contains(&ended.code.unwrap()), "{action}: {ended}");
        let told: Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(told["code"], json!(ended.code), "{action}: {ended}");
        assert!(told["help"].as_str().unwrap().len() > 10, "{action}: {ended}");
        moving.project.faults(json!([])).await;
        let run = moving.runs().difference(&known).next().cloned();
        moving.settle(run, &action.to_string()).await;
    }
}

/// A stack of one's own, that ends with this value.
async fn own_stack(folder: &std::path::Path) -> (Project, tokio::process::Child) {
    let data = folder.join("data");
    let data = data.to_str().unwrap();
    let mut start = tokio::process::Command::new(crate::lab::stack());
    start.args(["start", "--port", "0", "--data", data, "--workdir"]).arg(crate::lab::root());
    let mut stack = start
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = tokio::io::BufReader::new(stack.stdout.take().unwrap()).lines();
    while !said.next_line().await.unwrap().expect("the stack starts").contains("JWT secret") {}
    let mut status = tokio::process::Command::new(crate::lab::stack());
    let status = status.args(["status", "-o", "json", "--data", data]).output().await.unwrap();
    (Project::of_status(&Run::from(status).ended(0).json()), stack)
}

/// One process of PostgreSQL is killed: it stops as if the power had failed, and comes back from its log.
#[tokio::test]
async fn a_server_that_is_killed_loses_and_doubles_nothing() {
    let desk = Desk::new();
    for way in [Way::Sql("never"), Way::Sql("auto")] {
        let folder = desk.path().join(format!("{way:?}").replace(['"', '(', ')'], ""));
        std::fs::create_dir(&folder).unwrap();
        let (project, _stack) = own_stack(&folder).await;
        let url = project.db_url.clone().unwrap();
        let moving = Move::over(project, url, SMALL, way).await;
        for moment in Moments::new(&format!("{way:?}, server killed")).spread(either(2, 5)) {
            let known = moving.runs();
            let database = moving.project.database().await;
            let backend: i32 = database.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
            let mut run = moving.start();
            if tokio::time::timeout(moving.took.mul_f64(moment), run.wait()).await.is_err() {
                let backend = backend.to_string();
                assert!(
                    std::process::Command::new("kill").args(["-KILL", &backend]).status().unwrap().success()
                );
            }
            let ended = Run::from(run.wait_with_output().await.unwrap()).noted();
            assert!([Some(0), Some(6)].contains(&ended.code), "{way:?} at {moment}: {ended}");
            let back =
                async { while tokio_postgres::connect(&moving.url, tokio_postgres::NoTls).await.is_err() {} };
            tokio::time::timeout(Duration::from_secs(60), back).await.expect("the server comes back");
            let begun = moving.runs().difference(&known).next().cloned();
            moving.settle(begun, &format!("{way:?}, server killed at {moment}")).await;
        }
    }
}
