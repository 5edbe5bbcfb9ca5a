//! Functions as HTTP clients and the official JavaScript client meet them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    node::node,
    sandbox::Sandbox,
    service::{Lab, Project, Reply},
};

impl Project {
    async fn register(&self, functions: &Value) {
        let reply = self.try_register(functions).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }

    async fn try_register(&self, functions: &Value) -> Reply {
        let path = format!("/projects/{}/functions", self.r#ref);
        Reply::to(Lab::get().control(Method::PUT, &path).json(functions)).await
    }

    async fn call(&self, method: Method, path: &str) -> Reply {
        Reply::to(self.bare(method, &format!("/functions/v1{path}")).bearer_auth(&self.anon_key)).await
    }
}

#[tokio::test]
async fn a_call_needs_a_token_unless_the_function_says_otherwise() {
    let project = Lab::project("").await;
    project
        .register(
            &json!({"f": {"handler": {"kind": "echo"}}, "open": {"verify_jwt": false, "handler": {"kind": "echo"}}}),
        )
        .await;
    let ana = project.sign_up("ana@example.com").await;
    let call = || project.bare(Method::POST, "/functions/v1/f");
    for token in [&ana.access_token, &project.anon_key, &project.service_role_key] {
        assert_eq!(Reply::to(call().bearer_auth(token)).await.status, StatusCode::OK);
    }
    for (refused, code, message) in [
        (call(), "UNAUTHORIZED_NO_AUTH_HEADER", "Missing authorization header"),
        (
            call().header("apikey", &project.publishable_key),
            "UNAUTHORIZED_NO_AUTH_HEADER",
            "Missing authorization header",
        ),
        (call().bearer_auth(&project.publishable_key), "UNAUTHORIZED_INVALID_JWT_FORMAT", "Invalid JWT"),
        (call().bearer_auth(format!("{}x", project.anon_key)), "UNAUTHORIZED_LEGACY_JWT", "Invalid JWT"),
    ] {
        let refused = Reply::to(refused).await;
        assert_eq!((refused.status.as_u16(), refused.header("sb-error-code")), (401, code));
        assert_eq!(refused.json(), json!({"code": code, "message": message}));
        assert_eq!(refused.header("x-relay-error"), "");
    }
    let told = Reply::to(project.bare(Method::POST, "/functions/v1/open/a?b=c").body("tea")).await.json();
    assert_eq!(
        (&told["path"], &told["query"], &told["body"]),
        (&json!("/open/a"), &json!("b=c"), &json!("tea"))
    );
}

#[tokio::test]
async fn what_is_not_there_and_what_breaks_is_told_apart_from_an_answer() {
    let project = Lab::project("").await;
    let fail = |failure: &str| json!({"handler": {"kind": "fail", "failure": failure}});
    let answer = json!({"kind": "answer", "status": 500, "body": "mine", "headers": {"x-own": "1"}});
    let gone = json!({"kind": "command", "program": ["/nonexistent/program"]});
    let silent = json!({"kind": "command", "program": ["/bin/sh", "-c", "exit 3"]});
    let functions = json!({
        "boot": fail("boot"), "crash": fail("crash"), "limit": fail("resource_limit"), "slow": fail("idle_timeout"),
        "mine": {"handler": answer}, "gone": {"handler": gone}, "silent": {"handler": silent},
        "away": {"handler": {"kind": "proxy", "url": "http://127.0.0.1:1"}},
    });
    project.register(&functions).await;
    for (path, status, code) in [
        ("/nothing", 404, "NOT_FOUND"),
        ("", 404, "NOT_FOUND"),
        ("/boot", 503, "BOOT_ERROR"),
        ("/crash", 500, "WORKER_ERROR"),
        ("/limit", 546, "WORKER_RESOURCE_LIMIT"),
        ("/slow", 504, "IDLE_TIMEOUT"),
        ("/gone", 503, "BOOT_ERROR"),
        ("/silent", 500, "WORKER_ERROR"),
        ("/away", 502, "LOAD_FUNCTION_ERROR"),
    ] {
        let reply = project.call(Method::POST, path).await;
        assert_eq!((reply.status.as_u16(), reply.header("sb-error-code")), (status, code), "{path}");
        assert_eq!((reply.json()["code"].as_str(), reply.header("x-relay-error")), (Some(code), "true"));
    }
    let own = project.call(Method::POST, "/mine").await;
    assert_eq!((own.status.as_u16(), own.body.as_str(), own.header("x-own")), (500, "mine", "1"));
    assert_eq!(own.header("x-relay-error"), "");
    let refused = project.try_register(&json!({"f": {"handler": {"kind": "explode"}}})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn supabase_js_calls_functions_and_reads_what_they_stream() {
    let Some(mut node) = node("functions.mjs") else { return };
    let project = Lab::project("").await;
    let answer = |answer: Value| {
        let mut answer = answer;
        answer["kind"] = json!("answer");
        json!({"handler": answer})
    };
    let event = |n: u32| json!({"ms": 1, "text": format!("data: {n}\n\n")});
    let stream = json!({"headers": {"content-type": "text/event-stream"}, "chunks": [event(1), event(2)]});
    let mut cut = stream.clone();
    cut["cut"] = json!(true);
    project
        .register(&json!({
            "echo": {"handler": {"kind": "echo"}},
            "open": {"verify_jwt": false, "handler": {"kind": "mirror"}},
            "json": answer(json!({"body": {"a": [1]}})),
            "text": answer(json!({"body": "tea"})),
            "bytes": answer(json!({"headers": {"content-type": "application/octet-stream"},
                "chunks": [{"base64": "AP8="}]})),
            "events": answer(stream),
            "cut": answer(cut),
            "teapot": answer(json!({"status": 418, "body": {"why": "tea"}})),
            "crash": {"handler": {"kind": "fail", "failure": "crash"}},
        }))
        .await;
    node.envs([
        ("SUPABASE_URL", &project.api_url),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("SUPABASE_ANON_KEY", &project.anon_key),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "keyless": ["FunctionsHttpError", 401, "UNAUTHORIZED_NO_AUTH_HEADER"],
        "echo": ["PATCH", "/echo/deep", "forceFunctionRegion=eu-west-1", "eu-west-1", "eu-west-1", "1", "{\"a\":1}"],
        "json": {"a": [1]},
        "text": "tea",
        "bytes": [0, 255],
        "events": ["data: 1\n\n", "data: 2\n\n"],
        "cut": ["data: 1\n\n", "data: 2\n\n", "cut"],
        "duplex": ["one", "two"],
        "teapot": ["FunctionsHttpError", 418, {"why": "tea"}],
        "crash": ["FunctionsRelayError", 500, "WORKER_ERROR"],
        "missing": ["FunctionsRelayError", 404, "NOT_FOUND"],
        "preflight": [200, "*", true],
    });
    assert_eq!(seen, expected);
}

const PROGRAM: &str = "#!/bin/sh
read -r first
printf 'Status: 201 Made\\ncontent-type: text/plain\\nx-at: %s\\n\\n' \"$PATH_INFO?$QUERY_STRING\"
printf '%s %s %s ' \"$REQUEST_METHOD\" \"$first\" \"$HTTP_X_ASKED\"
cat
test \"$SUPABASE_URL\"
";

/// What people have: a program, a server, code that is not run, and a config that lets some be called.
#[tokio::test]
async fn a_started_stack_serves_programs_and_servers() {
    let sandbox = Sandbox::new();
    sandbox.write(&[
        ("config.toml", "[functions.made]\nverify_jwt = false\n[functions.passed]\nverify_jwt = false\n"),
        ("functions/deno/index.ts", "Deno.serve(() => new Response('hello'))"),
        ("functions/_shared/cors.ts", ""),
    ]);
    let program = sandbox.path("made.sh");
    fs::write(&program, PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let elsewhere = Lab::project("").await;
    elsewhere.register(&json!({"passed": {"handler": {"kind": "echo"}, "verify_jwt": false}})).await;
    let (made, passed) =
        (format!("made={}", program.display()), format!("passed={}/functions/v1", elsewhere.api_url));
    let stack = sandbox.start(&["--function", &made, "--function", &passed]);
    let url = stack.status["API_URL"].as_str().unwrap().to_owned();
    let post = |path: &str| reqwest::Client::new().post(format!("{url}/functions/v1{path}"));

    let made = Reply::to(post("/made/a?b=c").header("x-asked", "1").body("line\nrest")).await;
    assert_eq!((made.status.as_u16(), made.body.as_str()), (201, "POST line 1 rest"));
    assert_eq!((made.header("x-at"), made.header("content-type")), ("/a?b=c", "text/plain"));

    let passed = Reply::to(post("/passed/a?b=c").body("tea")).await.json();
    assert_eq!((&passed["path"], &passed["body"]), (&json!("/passed/a"), &json!("tea")));
    let here = url.trim_start_matches("http://");
    assert_eq!(passed["headers"]["x-forwarded-host"], here);

    let code = Reply::to(post("/deno")).await;
    assert_eq!((code.status.as_u16(), code.header("x-relay-error")), (503, "true"));
    assert!(code.json()["message"].as_str().unwrap().contains("--function deno=http://127.0.0.1:8000"));
    assert_eq!(Reply::to(post("/_shared")).await.status, StatusCode::NOT_FOUND);
    assert!(stack.interrupt());
}
