//! The official JavaScript client on the realtime service: what it is content with, an app will be.

use serde_json::{Value, json};

use crate::{node::node, service::Lab};

const SQL: &str = "
    create table notes (id int8 primary key, owner uuid not null, body text, tags text[]);
    alter table notes enable row level security;
    create policy own on notes to authenticated using (owner = auth.uid());
    alter publication supabase_realtime add table notes;
    create policy own on realtime.messages to authenticated using (realtime.topic() = 'room:' || auth.uid());";

#[tokio::test]
async fn supabase_js_hears_changes_and_speaks_to_others() {
    let Some(mut node) = node("realtime.mjs") else { return };
    let project = Lab::project(SQL).await;
    node.envs([
        ("SUPABASE_URL", &project.api_url),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("SUPABASE_DB_URL", &project.db_url),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "live": "Subscribed to PostgreSQL",
        "rows": [
            ["INSERT", "notes", 3, "hers", ["a", "b"], {}, null],
            ["UPDATE", "notes", 3, "milk", ["a", "b"], {"id": 3}, null],
            ["DELETE", "notes", null, null, null, {"id": 3}, null],
        ],
        "sent": "ok",
        "heard": [{"n": 1}, {"n": 1}],
        "bytes": [0, 255],
        "http": {"n": 2},
        "tracked": ["ok", ["join", "ana", 1]],
        "state": ["ana"],
        "left": ["leave", "ana", 1],
        "stranger": "Unauthorized: You do not have permissions to read from this Channel topic: room:",
        "stored": ["e", 3, true],
        "removed": ["ok", "ok", "ok", "ok", "ok"],
    });
    assert_eq!(seen, expected);
}
