//! Uploads in pieces against a server that forgets, loses its answers and is killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, Method};
use proptest::prelude::*;
use supabase_sdk::storage::{FileResumes, Progress, Resumable};
use supabase_sdk::{Body, Client, ErrorKind, Reply, Request, Sending, Transport};
use tokio::sync::Notify;

const TAKEN: &str = r#"{"statusCode":"409","error":"Duplicate","message":"The resource already exists","code":"KeyAlreadyExists"}"#;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Done, and the answer never arrives.
    Lost,
    /// Not done.
    Down,
    /// Half of the bytes arrive.
    Half,
    /// Somebody else was there first.
    Conflict,
    /// It has forgotten every upload.
    Forgets(u16),
    /// Done, and whoever asked is killed before the answer.
    Kill,
}

/// Storage as far as it takes uploads in pieces.
#[derive(Debug, Default)]
struct Server {
    state: Mutex<State>,
    killing: Notify,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Request>,
    faults: BTreeMap<usize, Fault>,
    under_way: BTreeMap<String, (u64, Vec<u8>)>,
    there: Option<Vec<u8>>,
}

impl Server {
    fn new(faults: impl IntoIterator<Item = (usize, Fault)>) -> Arc<Self> {
        let server = Self::default();
        server.state.lock().unwrap().faults.extend(faults);
        Arc::new(server)
    }

    fn client(self: &Arc<Self>) -> Client {
        Client::builder("http://project.test", "sb_publishable_TEST").transport(self.clone()).build().unwrap()
    }

    fn upload(self: &Arc<Self>, bytes: impl Into<Body>) -> Resumable {
        self.client().storage().from("b").upload("dir/a.bin", bytes).resumable().piece_size(4)
    }

    fn there(&self) -> Option<Vec<u8>> {
        self.state.lock().unwrap().there.clone()
    }

    /// Method and, of a piece, where it begins.
    fn lines(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let line = |request: &Request| {
            let offset = request.headers.get("upload-offset").map(|offset| offset.to_str().unwrap());
            format!("{} {}", request.method, offset.unwrap_or_default()).trim_end().to_owned()
        };
        state.asked.iter().map(line).collect()
    }

    fn asked(&self, at: usize) -> Request {
        self.state.lock().unwrap().asked[at].clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request, body: &[u8], fault: Option<Fault>) -> Reply {
        if let Some(Fault::Forgets(status)) = fault {
            self.under_way.clear();
            if request.method != Method::POST {
                return reply(status, "", &[]);
            }
        }
        let number = |name: &str| request.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let place = request.path.rsplit('/').next().unwrap().to_owned();
        match request.method.as_str() {
            "GET" if request.path.contains("/info/") => match &self.there {
                Some(there) => {
                    let info = r#"{"id":"6d1a1f3e-0000-4000-8000-000000000002","name":"a","size":SIZE}"#;
                    reply(200, &info.replace("SIZE", &there.len().to_string()), &[])
                }
                None => reply(400, r#"{"statusCode":"404","error":"not_found","message":"m"}"#, &[]),
            },
            "GET" => reply(200, "", &[]).with(self.there.clone().unwrap()),
            "POST" if self.there.is_some() && request.headers["x-upsert"] == "false" => {
                reply(409, TAKEN, &[])
            }
            "POST" if request.path.contains("/object/") => {
                self.there = Some(body.to_vec());
                reply(200, "{}", &[])
            }
            "POST" => {
                let place = format!("p{}", self.asked.len());
                let length = number("upload-length").unwrap();
                self.under_way.insert(place.clone(), (length, Vec::new()));
                let location = format!("http://inner:5000/upload/resumable/{place}");
                reply(201, "", &[("location", location)])
            }
            "DELETE" => reply(if self.under_way.remove(&place).is_some() { 204 } else { 404 }, "", &[]),
            _ => {
                let Some((length, bytes)) = self.under_way.get_mut(&place) else {
                    return reply(404, "", &[]);
                };
                if request.method == Method::PATCH {
                    if number("upload-offset") != Some(bytes.len() as u64) || fault == Some(Fault::Conflict) {
                        return reply(409, "", &[]);
                    }
                    bytes.extend_from_slice(if fault == Some(Fault::Half) {
                        &body[..body.len() / 2]
                    } else {
                        body
                    });
                    if bytes.len() as u64 == *length {
                        self.there = Some(bytes.clone());
                    }
                }
                let said =
                    [("upload-offset", bytes.len().to_string()), ("upload-length", length.to_string())];
                reply(if request.method == Method::HEAD { 200 } else { 204 }, "", &said)
            }
        }
    }
}

trait With {
    fn with(self, body: Vec<u8>) -> Self;
}

impl With for Reply {
    fn with(mut self, body: Vec<u8>) -> Self {
        self.body = body.into();
        self
    }
}

fn reply(status: u16, body: &str, said: &[(&'static str, String)]) -> Reply {
    let mut headers = HeaderMap::new();
    headers.extend(
        said.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())),
    );
    Reply { status: status.try_into().unwrap(), headers, body: body.to_owned().into() }
}

impl Transport for Server {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        Box::pin(async move {
            let body: Vec<Bytes> = request.body.open().try_collect().await.unwrap();
            assert_eq!(body.iter().map(Bytes::len).sum::<usize>() as u64, request.body.len());
            let (fault, answer) = {
                let mut state = self.state.lock().unwrap();
                let fault = {
                    let at = state.asked.len();
                    state.faults.remove(&at)
                };
                state.asked.push(request.clone());
                let done = fault != Some(Fault::Down);
                let answer = done.then(|| state.answer(request, &body.concat(), fault));
                (fault, answer)
            };
            match (fault, answer) {
                (Some(Fault::Kill), _) => {
                    self.killing.notify_one();
                    std::future::pending().await
                }
                (Some(Fault::Lost | Fault::Half | Fault::Down), _) | (_, None) => Ok(reply(503, "", &[])),
                (_, Some(answer)) => Ok(answer),
            }
        })
    }
}

#[tokio::test]
async fn an_upload_in_pieces_says_what_it_is() {
    let server = Server::new([]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let upload =
        server.client().storage().from("b").upload("dir/a.bin", "0123456789").content_type("text/plain");
    let upload =
        upload.upsert().metadata(&serde_json::json!({ "k": "v" })).unwrap().resumable().piece_size(4);
    let upload =
        upload.on_progress(move |Progress { sent, total, .. }| telling.lock().unwrap().push((sent, total)));
    assert_eq!(upload.send().await.unwrap().path, "dir/a.bin");
    assert_eq!(server.there().unwrap(), b"0123456789");
    assert_eq!(server.lines(), ["POST", "PATCH 0", "PATCH 4", "PATCH 8"]);
    assert_eq!(*told.lock().unwrap(), [(4, 10), (8, 10), (10, 10)]);
    let (begun, piece) = (server.asked(0), server.asked(1));
    assert_eq!(
        (begun.path.as_str(), piece.path.as_str()),
        ("/storage/v1/upload/resumable", "/storage/v1/upload/resumable/p1")
    );
    for request in [&begun, &piece] {
        assert_eq!(request.headers["tus-resumable"], "1.0.0");
        assert!(request.headers.get("authorization").is_none());
    }
    assert_eq!(
        (&begun.headers["upload-length"], &begun.headers["x-upsert"]),
        (&"10".parse().unwrap(), &"true".parse().unwrap())
    );
    assert_eq!(piece.headers["content-type"], "application/offset+octet-stream");
    let said: Vec<(String, String)> = begun.headers["upload-metadata"]
        .to_str()
        .unwrap()
        .split(',')
        .map(|pair| {
            let (name, value) = pair.split_once(' ').unwrap();
            (name.to_owned(), String::from_utf8(STANDARD.decode(value).unwrap()).unwrap())
        })
        .collect();
    let expected = [
        ("bucketName", "b"),
        ("objectName", "dir/a.bin"),
        ("contentType", "text/plain"),
        ("cacheControl", "3600"),
        ("metadata", r#"{"k":"v"}"#),
    ];
    assert_eq!(said, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_piece_whose_answer_is_lost_is_asked_for_and_not_sent_twice() {
    for (fault, lines) in [
        (Fault::Lost, ["POST", "PATCH 0", "PATCH 4", "HEAD", "PATCH 8"].as_slice()),
        (Fault::Half, &["POST", "PATCH 0", "PATCH 4", "HEAD", "PATCH 6"]),
        (Fault::Down, &["POST", "PATCH 0", "PATCH 4", "HEAD", "PATCH 4", "PATCH 8"]),
        (Fault::Conflict, &["POST", "PATCH 0", "PATCH 4", "HEAD", "PATCH 4", "PATCH 8"]),
        (Fault::Forgets(404), &["POST", "PATCH 0", "PATCH 4", "POST", "PATCH 0", "PATCH 4", "PATCH 8"]),
        (Fault::Forgets(410), &["POST", "PATCH 0", "PATCH 4", "POST", "PATCH 0", "PATCH 4", "PATCH 8"]),
    ] {
        let server = Server::new([(2, fault)]);
        server.upload("0123456789").send().await.unwrap();
        assert_eq!(
            (server.there().unwrap().as_slice(), server.lines().as_slice()),
            (b"0123456789".as_slice(), lines.map_to_owned().as_slice()),
            "{fault:?}"
        );
    }
    // The last answer is lost, and then everything forgotten: what is there decides.
    let server = Server::new([(3, Fault::Lost), (4, Fault::Forgets(404))]);
    server.upload("0123456789").send().await.unwrap();
    assert_eq!(server.lines().last().unwrap(), "GET");
    let server = Server::new((0..9).map(|at| (at, Fault::Down)));
    assert_eq!(server.upload("0123456789").send().await.unwrap_err().kind(), ErrorKind::Busy);
    let server = Server::new((1..30).map(|at| (at, Fault::Conflict)));
    assert_eq!(server.upload("0123456789").send().await.unwrap_err().kind(), ErrorKind::Protocol);
    let server = Server::new([(0, Fault::Lost)]);
    server.upload("").send().await.unwrap();
    assert_eq!(
        (server.there().unwrap().len(), server.asked(0).path.as_str()),
        (0, "/storage/v1/object/b/dir/a.bin")
    );
    assert_eq!(server.upload("tea").send().await.unwrap_err().kind(), ErrorKind::Conflict, "it stays");
}

trait Owned {
    fn map_to_owned(&self) -> Vec<String>;
}

impl Owned for &[&str] {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|&line| line.to_owned()).collect()
    }
}

/// Sends until the server kills whoever sends.
async fn killed(server: &Arc<Server>, upload: &Resumable) {
    tokio::select! {
        _ = upload.send() => panic!("nobody was killed"),
        () = server.killing.notified() => {}
    }
}

/// Complaint 20: an upload in pieces goes on after a kill, in another process, where it was.
#[tokio::test]
async fn complaint_20_an_upload_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = || FileResumes::in_folder(folder.path().join("uploads"));
    let left = || std::fs::read_dir(folder.path().join("uploads")).unwrap().count();
    let server = Server::new([(2, Fault::Kill)]);
    killed(&server, &server.upload("0123456789").kept_in(store())).await;
    assert_eq!((left(), server.there()), (1, None));
    // Other bytes to the same place are another upload.
    let path = folder.path().join("film");
    std::fs::write(&path, "0123456789").unwrap();
    let again = server.upload(Body::file(&path).await.unwrap()).kept_in(store());
    again.send().await.unwrap();
    assert_eq!(server.lines(), ["POST", "PATCH 0", "PATCH 4", "HEAD", "PATCH 8"]);
    assert_eq!((server.there().unwrap().as_slice(), left()), (b"0123456789".as_slice(), 0));

    // Killed after the last byte, with and without a server that remembers.
    for forgets in [false, true] {
        let server =
            Server::new([(3, Fault::Kill)].into_iter().chain(forgets.then_some((4, Fault::Forgets(404)))));
        killed(&server, &server.upload("0123456789").kept_in(store())).await;
        assert_eq!(left(), 1);
        server.upload("0123456789").kept_in(store()).send().await.unwrap();
        let pieces = server.lines().iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!((pieces, left()), (3, 0));
    }

    // Given up for good.
    let server = Server::new([(2, Fault::Kill)]);
    let upload = server.upload("0123456789").kept_in(store());
    killed(&server, &upload).await;
    upload.abandon().await.unwrap();
    assert!(left() == 0 && server.state.lock().unwrap().under_way.is_empty());
    upload.abandon().await.unwrap();
    assert_eq!(server.lines().last().unwrap(), "DELETE");
}

#[tokio::test]
async fn an_upload_to_a_signed_address_in_pieces_is_signed() {
    let (script, client) =
        crate::scripted::Script::client([(200, r#"{"url":"/object/upload/sign/b/a?token=S3CRET"}"#)]);
    let link = client.storage().from("b").create_signed_upload_url("a").await.unwrap();
    assert_eq!(script.lines().len(), 1);
    let (script, client) = crate::scripted::Script::answering([
        (201, "", [("location", "/upload/resumable/sign/p")].as_slice()),
        (204, "", &[("upload-offset", "3")]),
    ]);
    let upload = client.storage().from("b").upload_to_signed_url("a", link, "tea").resumable();
    upload.send().await.unwrap();
    assert_eq!(script.lines()[1], "PATCH http://project.test/storage/v1/upload/resumable/sign/p");
    for request in script.requests() {
        assert_eq!(request.headers["x-signature"], "S3CRET");
        assert!(request.headers["x-signature"].is_sensitive() && !request.headers.contains_key("x-upsert"));
    }
    assert!(!format!("{upload:?}").contains("S3CRET"));
}

fn fault() -> impl Strategy<Value = Fault> {
    proptest::sample::select(vec![
        Fault::Lost,
        Fault::Down,
        Fault::Half,
        Fault::Conflict,
        Fault::Forgets(404),
        Fault::Kill,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever goes wrong, what is there in the end is what was sent.
    #[test]
    fn whatever_goes_wrong_the_bytes_are_those_that_were_sent(
        bytes in proptest::collection::vec(any::<u8>(), 1..30),
        faults in proptest::collection::btree_map(0_usize..20, fault(), 0..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let server = Server::new(faults);
            for _ in 0..20 {
                let upload = server.upload(bytes.clone()).kept_in(FileResumes::in_folder(folder.path()));
                tokio::select! {
                    sent = upload.send() => if sent.is_ok() {
                        assert_eq!(server.there().unwrap(), bytes);
                        return;
                    },
                    () = server.killing.notified() => {}
                }
            }
            panic!("it never arrived");
        });
    }
}
