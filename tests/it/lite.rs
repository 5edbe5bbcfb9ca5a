//! `@supabase/lite`: a REST server that was written apart from ours, before the same database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use supabase_sdk::{Client, Retry, Token};

use crate::project::{Person, Project};

/// A running server. It ends with its input, and so with us.
pub(crate) struct Lite {
    url: String,
    process: Child,
    complaints: File,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
}

impl Lite {
    /// Starts one before a project's database as it is: it reads the tables once.
    pub(crate) async fn before(project: &Project, mut node: Command) -> Self {
        let complaints = tempfile::tempfile().unwrap();
        node.env("LITE_TELEMETRY", "0")
            .env("DATABASE_URL", &project.place().db_url)
            .env("JWT_SECRET", &project.place().jwt_secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone().unwrap());
        let start = move || {
            let mut process = node.spawn().unwrap();
            let mut line = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
            (process, line)
        };
        let (process, line) = tokio::task::spawn_blocking(start).await.unwrap();
        let mut lite = Self { url: String::new(), process, complaints };
        lite.url = serde_json::from_str::<Ready>(&line).expect("lite says where it answers").url;
        lite
    }

    /// A client that asks here as the person does there.
    pub(crate) async fn client(&self, person: &Person) -> Client {
        let token = person.client.auth().session().await.unwrap().unwrap().access_token;
        let token = move || std::future::ready(Ok(Some(Token::new(token.expose()))));
        Client::builder(&self.url, "sb_publishable_of_nothing")
            .access_token(token)
            .retry(Retry::never())
            .build()
            .unwrap()
    }
}

/// Ends the process. What it complained of is told where the test failed.
impl Drop for Lite {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
        if std::thread::panicking() {
            let mut text = String::new();
            self.complaints.rewind().ok();
            self.complaints.read_to_string(&mut text).ok();
            io::stderr().write_all(text.as_bytes()).ok();
        }
    }
}
