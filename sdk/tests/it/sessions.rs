//! The session that never gets lost: many tasks, several processes on one store, processes that are killed,
//! servers that are away, and listeners that call the client.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use supabase_sdk::auth::{AuthEvent, SignedOut};
use supabase_sdk::{
    Client, ErrorKind, FileStore, Reply, Request, Retry, Sending, Session, SessionStore, Token, Transport,
    User,
};

use crate::http::{Server, answer};

/// Auth as far as renewals go: one refresh token is good, and is used up by its use; the one before it is
/// answered with the good one, as by a client that failed to save; any other ends the session.
#[derive(Default)]
struct Renewals {
    good: usize,
    asked: usize,
    over: bool,
}

impl Renewals {
    fn ask(&mut self, body: &str) -> (u16, String) {
        self.asked += 1;
        let token: Option<usize> =
            body.rsplit('r').next().and_then(|rest| rest.split('"').next()).and_then(|n| n.parse().ok());
        match token {
            Some(token) if token == self.good && !self.over => self.good += 1,
            Some(token) if token + 1 == self.good && !self.over => {}
            _ => {
                self.over = true;
                return (400, r#"{"code":"refresh_token_already_used","message":"Already Used"}"#.to_owned());
            }
        }
        let user = r#"{"id":"6d1a1f3e-0000-4000-8000-000000000001","email":"zoe@garage.test"}"#;
        let (good, asked) = (self.good, self.asked);
        // Due at once, so that every question renews it.
        let session = format!(
            r#"{{"access_token":"a{asked}","refresh_token":"Xr{good}","expires_in":60,"user":{user}}}"#
        );
        (200, session.replace("Xr", "r"))
    }
}

fn session(expires_at: u64) -> Session {
    Session::new(Token::new("a0"), Token::new("r0"), expires_at, User::default())
}

/// A transport that asks [`Renewals`], or does what it is told.
#[derive(Clone, Default)]
struct Auth {
    renewals: Arc<Mutex<Renewals>>,
    away: Arc<AtomicUsize>,
    gate: Option<Arc<tokio::sync::Semaphore>>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Auth")
    }
}

impl Auth {
    fn client(&self) -> Client {
        self.client_with(|builder| builder)
    }

    fn client_with(
        &self,
        with: impl FnOnce(supabase_sdk::ClientBuilder) -> supabase_sdk::ClientBuilder,
    ) -> Client {
        let builder = Client::builder("http://project.test", "sb_publishable_TEST").retry(Retry::never());
        with(builder.transport(Arc::new(self.clone()))).build().unwrap()
    }

    fn asked(&self) -> usize {
        self.renewals.lock().unwrap().asked
    }
}

impl Transport for Auth {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        Box::pin(async move {
            let (status, body) = if request.path != "/auth/v1/token" {
                (200, "[]".to_owned())
            } else {
                if let Some(gate) = &self.gate {
                    gate.acquire().await.unwrap().forget();
                }
                if self.away.load(Ordering::SeqCst) > 0 {
                    self.renewals.lock().unwrap().asked += 1;
                    (503, String::new())
                } else {
                    self.renewals
                        .lock()
                        .unwrap()
                        .ask(std::str::from_utf8(request.body.as_bytes().unwrap()).unwrap())
                }
            };
            tokio::task::yield_now().await;
            Ok(Reply {
                status: status.try_into().unwrap(),
                headers: http::HeaderMap::new(),
                body: body.into(),
            })
        })
    }
}

#[tokio::test]
async fn a_session_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = || FileStore::at(folder.path().join("session.json"));
    let auth = Auth::default();
    auth.client_with(|builder| builder.session_store(store()))
        .auth()
        .set_session(session(4_102_444_800))
        .await
        .unwrap();
    let client = auth.client_with(|builder| builder.session_store(store()));
    let there = client.auth().session().await.unwrap().unwrap();
    assert_eq!((there.access_token.expose(), client.role().as_str()), ("a0", "authenticated"));
    client.auth().sign_out().await.unwrap();
    let client = auth.client_with(|builder| builder.session_store(store()));
    assert_eq!(client.auth().session().await.unwrap(), None);
}

#[tokio::test]
async fn sixty_four_tasks_ask_once_while_auth_is_away() {
    let auth = Auth::default();
    auth.away.store(1, Ordering::SeqCst);
    let client = auth.client();
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 60;
    client.auth().set_session(session(soon)).await.unwrap();
    let asks = || (0..64).map(|_| client.from("notes").select("*").fetch());
    futures_util::future::try_join_all(asks()).await.unwrap();
    assert_eq!(auth.asked(), 1, "its token is still good");
    // Once it is not, one asks, and those who waited hear what it heard.
    client.auth().set_session(session(1)).await.unwrap();
    let failed = futures_util::future::join_all(asks()).await;
    assert!(failed.iter().all(|answer| answer.as_ref().is_err_and(supabase_sdk::Error::is_retryable)));
    assert_eq!(auth.asked(), 2);
    assert!(client.auth().events().try_recv().is_err(), "and nobody is signed out");
}

#[tokio::test]
async fn a_refusal_that_says_nothing_we_know_signs_nobody_out() {
    for (status, body, over) in [
        (400, "<html>proxy</html>", false),
        (401, "{}", false),
        (403, r#"{"code":"captcha_failed","message":"m"}"#, false),
        (500, r#"{"code":"unexpected_failure","message":"m"}"#, false),
        (400, r#"{"code":"refresh_token_not_found","message":"m"}"#, true),
        (400, r#"{"error":"invalid_grant","error_description":"m"}"#, true),
        (403, r#"{"code":"session_not_found","message":"m"}"#, true),
    ] {
        let (_, client) = crate::scripted::Script::echo(status, body, |builder| builder);
        client.auth().set_session(session(1)).await.unwrap();
        let mut events = client.auth().events();
        client.auth().refresh().await.unwrap_err();
        let gone = matches!(events.try_recv(), Ok(AuthEvent::SignedOut(SignedOut::Over)));
        assert_eq!(gone, over, "{status} {body}");
    }
}

#[tokio::test]
async fn signing_out_while_a_renewal_is_under_way_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = || FileStore::at(folder.path().join("session.json"));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let auth = Auth { gate: Some(gate.clone()), ..Auth::default() };
    let client = auth.client_with(|builder| builder.session_store(store()));
    client.auth().set_session(session(1)).await.unwrap();
    let renewing = tokio::spawn({
        let client = client.clone();
        async move { client.auth().refresh().await }
    });
    let signing_out = tokio::spawn({
        let client = client.clone();
        async move { client.auth().sign_out().await }
    });
    let mut events = client.auth().events();
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedOut(SignedOut::Asked));
    gate.add_permits(1);
    assert_eq!(renewing.await.unwrap().unwrap_err().kind(), ErrorKind::Unauthenticated);
    signing_out.await.unwrap().unwrap();
    assert_eq!(client.auth().session().await.unwrap(), None);
    assert_eq!(store().load().unwrap(), None);
}

#[tokio::test]
async fn a_listener_may_call_the_client() {
    let auth = Auth::default();
    let client = auth.client();
    client.auth().set_session(session(1)).await.unwrap();
    let mut events = client.auth().events();
    let listener = tokio::spawn({
        let client = client.clone();
        async move {
            let event = events.recv().await.unwrap();
            assert!(matches!(event, AuthEvent::TokenRefreshed(_)), "{event:?}");
            // All that would wait for a lock, if one were held while we run.
            client.auth().session().await.unwrap();
            client.auth().refresh().await.unwrap();
            client.from("notes").select("*").fetch().await.unwrap();
            client.auth().sign_out().await
        }
    });
    client.auth().refresh().await.unwrap();
    listener.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_nothing_is_lost() {
    #[derive(Debug)]
    struct Full;
    impl SessionStore for Full {
        fn lock(&self) -> Result<supabase_sdk::auth::StoreLock, supabase_sdk::Error> {
            Ok(Box::new(()))
        }
        fn load(&self) -> Result<Option<Session>, supabase_sdk::Error> {
            Ok(Some(session(1)))
        }
        fn save(&self, _: Option<&Session>) -> Result<(), supabase_sdk::Error> {
            FileStore::at("/dev/null/full").lock().map(drop)
        }
    }
    let auth = Auth::default();
    let client = auth.client_with(|builder| builder.session_store(Full));
    let error = client.auth().session().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    // The old token is still the one that is kept, and the server answers it with its successor.
    assert!(!auth.renewals.lock().unwrap().over);
}

/// What the other processes of the tests below do. Run by itself it does nothing.
#[tokio::test]
async fn renewer() {
    let Ok(place) = std::env::var("RENEWER") else { return };
    let (url, rest) = place.split_once(' ').unwrap();
    let (path, times) = rest.rsplit_once(' ').unwrap();
    let client =
        Client::builder(url, "sb_publishable_TEST").retry(Retry::never()).session_store(FileStore::at(path));
    let client = client.build().unwrap();
    for _ in 0..times.parse::<usize>().unwrap() {
        client.auth().refresh().await.unwrap();
    }
}

fn process(server: &Server, path: &std::path::Path, times: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sessions::renewer"])
        .env("RENEWER", format!("{} {} {times}", server.url, path.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn auth_server() -> (Server, Arc<Mutex<Renewals>>) {
    let renewals = Arc::new(Mutex::new(Renewals::default()));
    let asked = renewals.clone();
    let server = Server::start(move |request| {
        let (status, body) = asked.lock().unwrap().ask(request.rsplit("\r\n\r\n").next().unwrap());
        answer(&format!("{status} X"), "", body.as_bytes())
    });
    (server.await, renewals)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_store_never_lose_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    FileStore::at(&path).save(Some(&session(1))).unwrap();
    let (server, renewals) = auth_server().await;
    let processes = [process(&server, &path, 500), process(&server, &path, 500)];
    for mut process in processes {
        let ended = tokio::task::spawn_blocking(move || process.wait().unwrap()).await.unwrap();
        assert!(ended.success(), "{ended}");
    }
    let renewals = renewals.lock().unwrap();
    assert!(!renewals.over && renewals.asked >= 500, "{}", renewals.asked);
    let kept = FileStore::at(&path).load().unwrap().unwrap();
    assert_eq!(kept.refresh_token.expose(), format!("r{}", renewals.good));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_in_a_renewal_leaves_a_session_that_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    FileStore::at(&path).save(Some(&session(1))).unwrap();
    let (server, renewals) = auth_server().await;
    for round in 0..40_usize {
        let before = renewals.lock().unwrap().asked;
        let mut process = process(&server, &path, usize::MAX);
        // At one more question each round, and wherever it is then.
        let wanted = before + 1 + round % 7;
        let reached = async {
            while renewals.lock().unwrap().asked < wanted {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("it renews");
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert!(!renewals.lock().unwrap().over);
    let mut last = process(&server, &path, 3);
    assert!(tokio::task::spawn_blocking(move || last.wait().unwrap()).await.unwrap().success());
}
