//! The official JavaScript client against the same server: what it is content with, an app will be.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::node::script;
use crate::project::Project;

#[tokio::test]
async fn supabase_js_signs_up_inserts_and_selects() {
    let Some(mut node) = script("flow.mjs") else { return };
    let project = Project::target().await;
    node.envs([
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("EMAIL", &format!("js-{}@garage.test", Uuid::new_v4().simple())),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let user: Uuid = serde_json::from_value(seen["userId"].take()).unwrap();
    project.secret().auth().admin().delete_user(user).await.unwrap();
    let expected = json!({
        "sameUser": true,
        "userMetadata": "Zoé",
        "filtered": [{ "license_plate": "A 12345 92", "customers": { "last_name": "O'Brien" } }],
        "inList": [{ "color": null }],
        "upserted": [{ "city": "Larache", "last_name": "O'Brien" }],
        "changed": [{ "color": "Bleu" }],
        "count": 2,
        "left": [{ "color": "Rouge" }],
        "wrongPassword": "invalid_credentials",
        "refused": "PGRST205",
        "anonymous": { "rows": null, "code": "42501" },
        "userId": null,
    });
    assert_eq!(seen, expected);
}
