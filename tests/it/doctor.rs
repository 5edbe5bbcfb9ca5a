//! The doctor at a real project: what is well is said to be well, and one fault is one finding.

use serde_json::{Value, json};

use crate::migrator::{Desk, Run};
use crate::project::Project;

/// What was found, by name, but for what is well.
fn complaints(run: &Run) -> Vec<String> {
    let checks = run.json()["checks"].clone();
    let bad = checks.as_array().unwrap().iter().filter(|check| check["status"] != "ok");
    bad.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

fn well(run: &Run, id: &str) -> bool {
    let checks = run.json()["checks"].clone();
    checks.as_array().unwrap().iter().any(|check| check["id"] == id && check["status"] == "ok")
}

#[tokio::test]
async fn a_healthy_project_has_no_complaints() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let args = ["doctor", "--json", "--mapping", "garage", "--owner", &owner.email];
    let by_session = Desk::of(&project, &owner).run(&args).await.ended(0);
    assert_eq!(complaints(&by_session), Vec::<String>::new(), "{by_session}");
    for id in ["auth.answers", "rest.answers", "clock.good", "owner.signed_in", "tables.there"] {
        assert!(well(&by_session, id), "{id}\n{by_session}");
    }
    let by_secret = Desk::with_secret(&project).run(&args).await.ended(0);
    assert!(well(&by_secret, "owner.known"), "{by_secret}");
    if let Some(address) = &project.db_url {
        let desk = Desk::new().set("SUPABASE_DB_URL", address);
        let run = desk.run(&["doctor", "--json"]).await.ended(0);
        assert!(well(&run, "database.answers"), "{run}");
    }
}

#[tokio::test]
async fn each_fault_is_found_where_it_is() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let with = async |desk: Desk, email: &str| {
        desk.run(&["doctor", "--json", "--mapping", "garage", "--owner", email]).await
    };
    let key = Desk::of(&project, &owner).set("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_unknown");
    let run = with(key, &owner.email).await.ended(7);
    assert!(complaints(&run).contains(&"service.key_refused".to_owned()), "{run}");
    let run =
        with(Desk::of(&project, &owner).set("MIGRATOR_PASSWORD", "hunter2"), &owner.email).await.ended(7);
    assert_eq!(complaints(&run), ["owner.refused"], "{run}");
    assert!(!run.stdout.contains("hunter2"), "{run}");
    let run = with(Desk::with_secret(&project), "nobody@garage.test").await.ended(7);
    assert_eq!(complaints(&run), ["owner.unknown"], "{run}");
    project
        .faults(
            json!([{ "path": "/auth/v1/health", "action": { "kind": "answer", "status": 503, "body": {} } }]),
        )
        .await;
    let run = with(Desk::of(&project, &owner), &owner.email).await.ended(6);
    assert_eq!(complaints(&run), ["service.busy"], "{run}");
    project.faults(json!([])).await;
    project
        .database()
        .await
        .batch_execute(
            "drop table public.stock_items cascade; alter table public.customers drop column city cascade",
        )
        .await
        .unwrap();
    project.reload().await;
    let run = with(Desk::of(&project, &owner), &owner.email).await.ended(7);
    assert_eq!(complaints(&run), ["table.wrong", "table.wrong"], "{run}");
    let told = Value::to_string(&run.json());
    assert!(told.contains("table stock_items") && told.contains("table customers"), "{run}");
}
