//! One lab for the whole test run, and what a test does with the projects it gets from it.
//!
//! The lab is a process of its own, as users run it: the one that `cargo xtask test` started and
//! waits for, or one that ends when this process does, because its standard input does.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

static LAB: OnceLock<Lab> = OnceLock::new();

/// The running lab.
pub(crate) struct Lab {
    ready: Ready,
    /// None for one that somebody else started.
    process: Option<(Child, ChildStdin)>,
}

#[derive(Deserialize)]
struct Ready {
    control_url: String,
    token: String,
}

/// A project of the lab, for one test. It stays until the lab ends.
#[derive(Deserialize)]
pub(crate) struct Project {
    pub(crate) r#ref: String,
    pub(crate) api_url: String,
    pub(crate) admin_db_url: String,
    pub(crate) db_url: String,
    pub(crate) publishable_key: String,
    pub(crate) secret_key: String,
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    pub(crate) jwt_secret: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Somebody who has signed up.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Lab {
    pub(crate) fn get() -> &'static Self {
        LAB.get_or_init(|| match std::env::var("SUPABASE_LAB") {
            Ok(line) => Self { ready: serde_json::from_str(&line).unwrap(), process: None },
            Err(_) => Self::start(),
        })
    }

    /// A lab of one's own.
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_supabase-stack"))
            .args(["lab", "--until-eof", "--workdir", concat!(env!("CARGO_MANIFEST_DIR"), "/..")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        Self { ready: serde_json::from_str(&line).unwrap(), process: Some((child, input)) }
    }

    /// Goes away, as far as the lab can tell, and waits for its exit code.
    pub(crate) fn leave(self) -> Option<i32> {
        let (mut child, input) = self.process.unwrap();
        drop(input);
        child.wait().unwrap().code()
    }

    /// Asks the lab itself.
    pub(crate) fn control(&self, method: Method, path: &str) -> RequestBuilder {
        self.uninvited(method, path).bearer_auth(&self.ready.token)
    }

    /// Asks the lab itself without its token.
    pub(crate) fn uninvited(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.ready.control_url))
    }

    /// A project without migrations, and then this SQL, run as `postgres`.
    pub(crate) async fn project(sql: &str) -> Project {
        let project = Self::make(&json!({"bare": true})).await;
        project.sql(sql).await;
        let reload = format!("/projects/{}/reload", project.r#ref);
        let reply = Self::get().control(Method::POST, &reload).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
        project
    }

    pub(crate) async fn make(wanted: &Value) -> Project {
        let reply = Self::get().control(Method::POST, "/projects").json(wanted).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::CREATED);
        reply.json().await.unwrap()
    }
}

impl Project {
    /// A request with the publishable key.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("apikey", &self.publishable_key)
    }

    /// A request with the secret key.
    pub(crate) fn command(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("apikey", &self.secret_key)
    }

    /// A request without any key.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.api_url))
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.db_url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// One text a query finds, asked as the superuser.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let mut connection = PgConnection::connect(&self.admin_db_url).await.unwrap();
        let sql = AssertSqlSafe(format!("select ({sql})::text"));
        let found = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Person {
        let asked = json!({"email": email, "password": "correct horse"});
        let reply = Reply::to(self.ask(Method::POST, "/auth/v1/signup").json(&asked)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        Person::of(&reply.json())
    }

    /// Says how the auth service is to behave.
    pub(crate) async fn set_auth(&self, settings: &Value) {
        let reply = Reply::to(self.command(Method::PUT, "/inbox/settings").json(settings)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }

    /// The messages to somebody, the newest last.
    pub(crate) async fn inbox(&self, to: &str) -> Vec<Value> {
        let request = self.command(Method::GET, "/inbox").query(&[("to", to)]);
        Reply::to(request).await.json().as_array().unwrap().clone()
    }

    /// The newest message to somebody.
    pub(crate) async fn message(&self, to: &str) -> Value {
        self.inbox(to).await.pop().unwrap()
    }

    pub(crate) async fn set_faults(&self, rules: &Value) {
        let path = format!("/projects/{}/faults", self.r#ref);
        let reply = Lab::get().control(Method::PUT, &path).json(rules).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
    }
}

impl Person {
    pub(crate) fn of(session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            id: text(&session["user"]["id"]),
            access_token: text(&session["access_token"]),
            refresh_token: text(&session["refresh_token"]),
        }
    }
}

impl Reply {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and error code, which is what a client decides by.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}
