//! The embedded stack in test service: one running PostgreSQL, a fresh project for each who asks.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use supabase_sdk::{HttpTransport, Reply, Request, Transport};

/// Where the lab answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Lab {
    control_url: String,
    token: String,
}

/// What the lab tells of a project. Addresses and keys, in the names of `supabase status -o env`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Place {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) api_url: String,
    pub(crate) db_url: String,
    /// The same, as a superuser: what a project never is.
    pub(crate) admin_db_url: String,
    pub(crate) publishable_key: String,
    pub(crate) secret_key: String,
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    pub(crate) jwt_secret: String,
}

impl Lab {
    /// The lab that `cargo xtask test` started, or one of our own that ends when this process does.
    pub(crate) fn get() -> &'static Self {
        static LAB: OnceLock<Lab> = OnceLock::new();
        LAB.get_or_init(|| {
            let line = std::env::var("SUPABASE_LAB").unwrap_or_else(|_| Self::start());
            serde_json::from_str(&line).expect("the lab's first line is JSON")
        })
    }

    fn start() -> String {
        let mut process = Command::new(stack())
            .args(["lab", "--until-eof", "--workdir"])
            .arg(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stack starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // Leaving the pipe open is the point: the lab ends when the system closes it with this process.
        std::mem::forget(process);
        line
    }

    /// A project of its own: migrated, and empty.
    pub(crate) async fn project(&self) -> Place {
        self.ask(Request::post("/projects").json(&json!({})).unwrap()).await.json().unwrap()
    }

    /// A project with what hosted Supabase brings, and none of our tables.
    pub(crate) async fn bare_project(&self) -> Place {
        self.ask(Request::post("/projects").json(&json!({ "bare": true })).unwrap()).await.json().unwrap()
    }

    /// Returns when the project's REST service knows the schema as it is.
    pub(crate) async fn reload(&self, name: &str) {
        self.ask(Request::post(format!("/projects/{name}/reload"))).await;
    }

    /// Takes a project away.
    pub(crate) async fn remove(&self, name: &str) {
        self.ask(Request::new(http::Method::DELETE, format!("/projects/{name}"))).await;
    }

    /// Breaks a project's wire, as the rules say; none heals it.
    pub(crate) async fn faults(&self, name: &str, rules: Value) {
        let request = Request::new(http::Method::PUT, format!("/projects/{name}/faults"));
        self.ask(request.json(&rules).unwrap()).await;
    }

    /// Has frames of its realtime service go wrong, as the rules say; none has none.
    pub(crate) async fn frames(&self, name: &str, rules: Value) {
        let request = Request::new(http::Method::PUT, format!("/projects/{name}/faults/frames"));
        self.ask(request.json(&rules).unwrap()).await;
    }

    /// What answers a project's functions, by their names.
    pub(crate) async fn functions(&self, name: &str, functions: Value) {
        let request = Request::new(http::Method::PUT, format!("/projects/{name}/functions"));
        self.ask(request.json(&functions).unwrap()).await;
    }

    /// Does something to everybody who is connected to its realtime service.
    pub(crate) async fn realtime(&self, name: &str, command: Value) {
        let request = Request::post(format!("/projects/{name}/realtime"));
        self.ask(request.json(&command).unwrap()).await;
    }

    /// Waits until some rule of a project's has fired.
    pub(crate) async fn fired(&self, name: &str) {
        let ask = async {
            loop {
                let rules: Vec<Value> =
                    self.ask(Request::get(format!("/projects/{name}/faults"))).await.json().unwrap();
                if rules.iter().any(|rule| rule["hits"].as_u64() > Some(0)) {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ask).await.expect("the fault fires");
    }

    async fn ask(&self, request: Request) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let request = request.header(http::header::AUTHORIZATION, &bearer).unwrap();
        let transport = HttpTransport::new(Duration::from_secs(60)).unwrap();
        let address = format!("{}{}", self.control_url, request.uri());
        transport.send(&address, &request).await.unwrap().accepted().unwrap()
    }
}

/// The stack's binary: the one `cargo xtask test` built, or one built now.
pub(crate) fn stack() -> PathBuf {
    static STACK: OnceLock<PathBuf> = OnceLock::new();
    built(&STACK, "SUPABASE_STACK_BIN", &root().join("stack"), "supabase-stack")
}

/// A binary: the one a variable names, or one that cargo builds now.
pub(crate) fn built(once: &OnceLock<PathBuf>, variable: &str, workspace: &Path, binary: &str) -> PathBuf {
    let build = || {
        let mut cargo = Command::new(env!("CARGO"));
        let built =
            cargo.current_dir(workspace).args(["build", "--quiet", "--bin", binary]).status().unwrap();
        assert!(built.success(), "{binary} does not build");
        workspace.join("target/debug").join(binary)
    };
    once.get_or_init(|| std::env::var_os(variable).map_or_else(build, PathBuf::from)).clone()
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}
