//! Functions, from the SDK to what answers them: who may call, what arrives, what comes back while it is made.

use serde_json::{Value, json};
use supabase_sdk::ErrorKind;
use supabase_sdk::functions::Region;

use crate::project::Project;

#[tokio::test]
async fn a_function_hears_who_calls_and_is_read_while_it_speaks() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let event = |n: u32| json!({ "ms": 5, "text": format!("id: {n}\ndata: {{\"step\":\ndata: {n}}}\n\n") });
    let answer = |mut answer: Value| {
        answer["kind"] = json!("answer");
        json!({ "handler": answer })
    };
    project
        .functions(json!({
            "echo": { "handler": { "kind": "echo" } },
            "steps": answer(json!({ "headers": { "content-type": "text/event-stream" }, "chunks": [event(1), event(2)] })),
            "teapot": answer(json!({ "status": 418, "headers": { "x-brew": "no" }, "body": { "why": "tea" } })),
            "crash": { "handler": { "kind": "fail", "failure": "crash" } },
        }))
        .await;
    let functions = owner.client.functions();
    let heard: Value = functions
        .invoke("echo")
        .region(Region::EuWest1)
        .json(&json!({ "name": "Zoé" }))
        .fetch()
        .await
        .unwrap();
    assert_eq!(heard["method"], json!("POST"), "{heard}");
    assert!(heard.to_string().contains("Zoé") && heard.to_string().contains("eu-west-1"), "{heard}");
    let mut events = functions.invoke("steps").events().await.unwrap();
    for step in [1, 2] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(
            (event.id.as_str(), event.json::<Value>().unwrap()),
            (&*step.to_string(), json!({ "step": step }))
        );
    }
    assert!(events.next().await.is_none());
    let refused = functions.invoke("teapot").send().await.unwrap_err();
    assert_eq!(refused.status().unwrap(), 418);
    assert_eq!(refused.json::<Value>().unwrap(), json!({ "why": "tea" }));
    assert!(!refused.is_from_relay());
    assert!(functions.invoke("crash").send().await.unwrap_err().is_from_relay());
    // Nobody is signed in, and the project's key is no token.
    let nobody = project.anonymous().functions().invoke("echo").send().await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Unauthenticated);
}
