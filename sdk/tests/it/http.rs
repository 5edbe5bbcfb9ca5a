//! The transport on a real wire: connections, redirects, compression, time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use supabase_sdk::{Client, ErrorKind, Request, Retry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that answers each request on a connection with what a function says of its first line.
pub(crate) struct Server {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, asked, answer) = (connections.clone(), requests.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut wire, _)) = listener.accept().await {
                seen.fetch_add(1, Ordering::SeqCst);
                let (asked, answer) = (asked.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    let mut buffer = [0; 4096];
                    while let Ok(got @ 1..) = wire.read(&mut buffer).await {
                        read.extend_from_slice(&buffer[..got]);
                        if is_whole(&read) {
                            asked.fetch_add(1, Ordering::SeqCst);
                            let head = String::from_utf8(std::mem::take(&mut read)).unwrap();
                            wire.write_all(&answer(&head)).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { url, connections, requests }
    }

    fn client(&self) -> Client {
        Client::builder(&self.url, "sb_secret_TEST").retry(Retry::never()).build().unwrap()
    }
}

/// True if a request is there to its end.
fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_redirect_to_another_origin_never_carries_the_keys_along() {
    let thief = Server::start(|_| answer("200 OK", "", b"[]")).await;
    let location = format!("location: {}/rest/v1/notes\r\n", thief.url);
    let server = Server::start(move |_| answer("307 Temporary Redirect", &location, b"")).await;
    let error = server.client().from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Protocol, 307));
    assert_eq!(thief.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_and_a_circle_is_not() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        path if path.starts_with("/rest/v1/moved") => {
            assert!(head.to_lowercase().contains("apikey: sb_secret_test"));
            answer("200 OK", "", b"[1]")
        }
        path if path.starts_with("/rest/v1/notes") => {
            answer("307 Temporary Redirect", "location: /rest/v1/moved\r\n", b"")
        }
        path => answer("307 Temporary Redirect", &format!("location: {path}\r\n"), b""),
    })
    .await;
    let rows = server.client().from("notes").select("*").fetch().await.unwrap();
    assert_eq!(rows.into_vec(), [1]);
    assert!(server.client().send(Request::get("/circle")).await.unwrap().accepted().is_err());
}

#[tokio::test]
async fn a_write_that_is_sent_elsewhere_as_a_read_is_not_done() {
    let server = Server::start(|head| match head.starts_with("POST") {
        true => answer("302 Found", "location: /moved\r\n", b""),
        false => answer("200 OK", "", b"[]"),
    })
    .await;
    let error = server.client().rpc("f", &()).value().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Protocol, 302));
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_is_used_again_and_answers_may_be_compressed() {
    // "[1,2]", as gzip writes it.
    const GZIP: &[u8] =
        &[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 54, 212, 49, 138, 5, 0, 191, 80, 139, 8, 5, 0, 0, 0];
    let server = Server::start(|head| {
        let asked = head
            .to_lowercase()
            .lines()
            .any(|line| line.starts_with("accept-encoding:") && line.contains("gzip"));
        assert!(asked, "{head}");
        answer("200 OK", "content-encoding: gzip\r\n", GZIP)
    })
    .await;
    let client = server.client();
    for _ in 0..20 {
        assert_eq!(client.from("notes").select("*").fetch().await.unwrap().into_vec(), [1, 2]);
    }
    assert_eq!((server.connections.load(Ordering::SeqCst), server.requests.load(Ordering::SeqCst)), (1, 20));
}

#[tokio::test]
async fn nothing_waits_for_ever() {
    let silent = Server::start(|_| Vec::new()).await;
    let client = Client::builder(&silent.url, "sb_secret_TEST").retry(Retry::never());
    let client = client.timeout(Duration::from_millis(50)).build().unwrap();
    let error = client.from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.is_undone()), (ErrorKind::Timeout, false));
    assert!(!format!("{error:?}").contains("127.0.0.1"), "an address may hold values: {error:?}");
    // Nobody listens: nothing can have been carried out.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let client = Client::builder(url, "sb_secret_TEST").retry(Retry::never()).build().unwrap();
    let error = client.from("notes").select("*").fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.is_undone()), (ErrorKind::Unreachable, true));
}
