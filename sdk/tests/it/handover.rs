//! A session that changes hands in the middle of something: somebody signs out, or another person signs in, or
//! whoever asked goes away, while the server or the store still thinks.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use supabase_sdk::auth::{AuthEvent, SignedOut, StoreLock, UserChange};
use supabase_sdk::{
    Client, ClientBuilder, Error, ErrorKind, Reply, Request, Retry, Sending, Session, SessionStore, Token,
    Transport, User,
};
use tokio::sync::Semaphore;

const ZOE: &str = "6d1a1f3e-0000-4000-8000-000000000001";
const ADA: &str = "6d1a1f3e-0000-4000-8000-000000000002";

fn session(of: &str, number: u32, expires_at: u64) -> Session {
    let user: User = serde_json::from_value(serde_json::json!({ "id": of })).unwrap();
    Session::new(Token::new(format!("a{number}")), Token::new(format!("r{number}")), expires_at, user)
}

const LATER: u64 = 4_102_444_800;

/// A door in what blocks: whoever comes to it while it is shut is heard, and waits.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>, Arc<Knocks>);

struct Knocks(Semaphore);

impl Default for Knocks {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Door {
    fn set(&self, shut: bool) {
        *self.0.0.lock().unwrap() = shut;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.0.0.lock().unwrap();
        if *shut {
            self.1.0.add_permits(1);
        }
        drop(self.0.1.wait_while(shut, |shut| *shut).unwrap());
    }

    async fn knocked(&self) {
        self.1.0.acquire().await.unwrap().forget();
    }
}

/// A store that several clients share, and that waits where it is told to.
#[derive(Clone, Default)]
struct Shelf {
    kept: Arc<Mutex<Option<Session>>>,
    taken: Door,
    load: Door,
    save: Door,
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Shelf")
    }
}

/// Opens the door behind whoever had the store.
struct Taken(Door);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl SessionStore for Shelf {
    fn lock(&self) -> Result<StoreLock, Error> {
        self.taken.pass();
        self.taken.set(true);
        Ok(Box::new(Taken(self.taken.clone())))
    }
    fn load(&self) -> Result<Option<Session>, Error> {
        self.load.pass();
        Ok(self.kept())
    }
    fn save(&self, session: Option<&Session>) -> Result<(), Error> {
        self.save.pass();
        *self.kept.lock().unwrap() = session.cloned();
        Ok(())
    }
}

impl Shelf {
    fn kept(&self) -> Option<Session> {
        self.kept.lock().unwrap().clone()
    }

    fn token(&self) -> Option<String> {
        Some(self.kept()?.refresh_token.expose().to_owned())
    }
}

/// A project that answers paths as it is told, some of them when it is told.
#[derive(Default)]
struct Project {
    answers: Mutex<HashMap<&'static str, (u16, String)>>,
    gates: HashMap<&'static str, Semaphore>,
    asked: Mutex<Vec<Request>>,
    knocks: Knocks,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Project")
    }
}

impl Project {
    fn new(answers: &[(&'static str, u16, &str)], gates: &[&'static str]) -> Arc<Self> {
        let answers = answers.iter().map(|(path, status, body)| (*path, (*status, (*body).to_owned())));
        let gates = gates.iter().map(|path| (*path, Semaphore::new(0))).collect();
        Arc::new(Self { answers: Mutex::new(answers.collect()), gates, ..Self::default() })
    }

    fn client(self: &Arc<Self>, build: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let builder = Client::builder("http://project.test", "sb_publishable_TEST").retry(Retry::never());
        build(builder.transport(self.clone())).build().unwrap()
    }

    async fn knocked(&self) {
        self.knocks.0.acquire().await.unwrap().forget();
    }

    fn open(&self, path: &str) {
        self.gates[path].add_permits(1);
    }

    fn asked(&self, path: &str) -> Vec<Request> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

impl Transport for Project {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        self.asked.lock().unwrap().push(request.clone());
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(gate) = self.gates.get(request.path.as_str()) {
                self.knocks.0.add_permits(1);
                gate.acquire().await.unwrap().forget();
            }
            let answers = self.answers.lock().unwrap();
            let (status, body) =
                answers.get(request.path.as_str()).cloned().unwrap_or((200, "[]".to_owned()));
            let status = status.try_into().unwrap();
            Ok(Reply { status, headers: http::HeaderMap::new(), body: body.into() })
        })
    }
}

fn granted(of: &str, number: u32) -> String {
    format!(
        r#"{{"access_token":"a{number}","refresh_token":"r{number}","expires_in":3600,"user":{{"id":"{of}"}}}}"#
    )
}

const TOKEN: &str = "/auth/v1/token";
const USER: &str = "/auth/v1/user";
const LOGOUT: &str = "/auth/v1/logout";

/// Does something with a client, at the same time as the rest.
fn doing<T: Send + 'static, A: Future<Output = T> + Send + 'static>(
    client: &Client,
    what: impl FnOnce(Client) -> A,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(what(client.clone()))
}

#[tokio::test]
async fn whoever_signs_out_while_the_store_is_read_stays_signed_out() {
    let shelf = Shelf::default();
    let client = Project::new(&[], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    // Another process has renewed it.
    shelf.save(Some(&session(ZOE, 1, LATER))).unwrap();
    shelf.load.set(true);
    let mut events = client.auth().events();
    let renewing = doing(&client, |client| async move { client.auth().refresh().await });
    shelf.load.knocked().await;
    let leaving = doing(&client, |client| async move { client.auth().sign_out().await });
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedOut(SignedOut::Asked));
    shelf.load.set(false);
    assert_eq!(renewing.await.unwrap().unwrap_err().kind(), ErrorKind::Unauthenticated);
    leaving.await.unwrap().unwrap();
    assert_eq!((client.auth().session().await.unwrap(), shelf.kept()), (None, None));
    assert!(events.try_recv().is_err(), "and nothing else is told");
}

#[tokio::test]
async fn whoever_signs_out_while_a_change_is_noted_stays_signed_out() {
    let shelf = Shelf::default();
    let user = format!(r#"{{"id":"{ZOE}"}}"#);
    let client =
        Project::new(&[(USER, 200, &user)], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    shelf.save.set(true);
    let mut events = client.auth().events();
    let changing =
        doing(&client, |client| async move { client.auth().update_user(&UserChange::default()).await });
    shelf.save.knocked().await;
    let leaving = doing(&client, |client| async move { client.auth().sign_out().await });
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedOut(SignedOut::Asked));
    shelf.save.set(false);
    changing.await.unwrap().unwrap();
    leaving.await.unwrap().unwrap();
    assert_eq!((client.auth().session().await.unwrap(), shelf.kept()), (None, None));
    assert!(events.try_recv().is_err(), "and nothing else is told");
}

#[tokio::test]
async fn what_is_known_of_one_person_is_not_noted_of_another() {
    let user = format!(r#"{{"id":"{ZOE}"}}"#);
    let project = Project::new(&[(USER, 200, &user)], &[USER]);
    let client = project.client(|builder| builder);
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    let changing =
        doing(&client, |client| async move { client.auth().update_user(&UserChange::default()).await });
    project.knocked().await;
    client.auth().set_session(session(ADA, 5, LATER)).await.unwrap();
    project.open(USER);
    changing.await.unwrap().unwrap();
    let there = client.auth().session().await.unwrap().unwrap();
    assert_eq!((there.refresh_token.expose(), there.user.id.to_string().as_str()), ("r5", ADA));
}

#[tokio::test]
async fn a_change_that_is_noted_keeps_what_another_process_renewed() {
    let shelf = Shelf::default();
    let user = format!(r#"{{"id":"{ZOE}","email":"new@garage.test"}}"#);
    let client =
        Project::new(&[(USER, 200, &user)], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    // Twice: the server would take the first one's token for a stolen one.
    shelf.save(Some(&session(ZOE, 2, LATER))).unwrap();
    client.auth().update_user(&UserChange::default()).await.unwrap();
    let (kept, here) = (shelf.kept().unwrap(), client.auth().session().await.unwrap().unwrap());
    for session in [kept, here] {
        assert_eq!(
            (session.refresh_token.expose(), session.user.email.as_deref()),
            ("r2", Some("new@garage.test"))
        );
    }
    // And what another process ended is not begun again.
    shelf.save(None).unwrap();
    client.auth().update_user(&UserChange::default()).await.unwrap();
    assert_eq!((client.auth().session().await.unwrap(), shelf.kept()), (None, None));
}

#[tokio::test]
async fn a_second_factor_raises_the_session_it_was_shown_for_and_no_other() {
    const VERIFY: &str = "/auth/v1/factors/f/verify";
    let project = Project::new(&[(VERIFY, 200, &granted(ZOE, 1))], &[VERIFY]);
    for next in [None, Some(session(ADA, 5, LATER))] {
        let client = project.client(|builder| builder);
        client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
        let verifying =
            doing(&client, |client| async move { client.auth().mfa().verify("f", "c", "000000").await });
        project.knocked().await;
        match &next {
            Some(other) => client.auth().set_session(other.clone()).await.unwrap(),
            None => client.auth().sign_out().await.unwrap(),
        }
        project.open(VERIFY);
        assert_eq!(verifying.await.unwrap().unwrap_err().kind(), ErrorKind::Unauthenticated);
        assert_eq!(client.auth().session().await.unwrap(), next);
    }
}

#[tokio::test]
async fn a_renewal_whose_asker_goes_away_overwrites_nobody() {
    let shelf = Shelf::default();
    let project = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[]);
    let client = project.client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    shelf.save.set(true);
    let renewing = doing(&client, |client| async move { client.auth().refresh().await });
    shelf.save.knocked().await;
    renewing.abort();
    assert!(renewing.await.unwrap_err().is_cancelled());
    // The store is still at it, so nobody else may write.
    assert!(*shelf.taken.0.0.lock().unwrap(), "the store is still taken");
    let coming =
        doing(&client, |client| async move { client.auth().set_session(session(ADA, 5, LATER)).await });
    tokio::task::yield_now().await;
    shelf.save.set(false);
    coming.await.unwrap().unwrap();
    assert_eq!(shelf.token().as_deref(), Some("r5"));
    assert_eq!(client.auth().session().await.unwrap().unwrap().refresh_token.expose(), "r5");
}

#[tokio::test]
async fn a_renewal_whose_asker_goes_away_is_kept_for_the_next() {
    let shelf = Shelf::default();
    let project = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[]);
    let client = project.client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, 1)).await.unwrap();
    shelf.save.set(true);
    let renewing = doing(&client, |client| async move { client.auth().session().await });
    shelf.save.knocked().await;
    renewing.abort();
    let next = doing(&client, |client| async move { client.auth().session().await });
    tokio::task::yield_now().await;
    shelf.save.set(false);
    assert_eq!(next.await.unwrap().unwrap().unwrap().refresh_token.expose(), "r1");
    assert_eq!(project.asked(TOKEN).len(), 1, "the server is asked once");
}

#[tokio::test]
async fn whoever_signs_in_while_another_signs_out_is_kept() {
    let shelf = Shelf::default();
    let project = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[TOKEN]);
    let client = project.client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    let mut events = client.auth().events();
    let renewing = doing(&client, |client| async move { client.auth().refresh().await });
    project.knocked().await;
    // All wait for the renewal to end: first who signs in, then who signs out.
    let coming =
        doing(&client, |client| async move { client.auth().set_session(session(ADA, 5, LATER)).await });
    tokio::task::yield_now().await;
    let leaving = doing(&client, |client| async move { client.auth().sign_out().await });
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedOut(SignedOut::Asked));
    project.open(TOKEN);
    renewing.await.unwrap().unwrap_err();
    coming.await.unwrap().unwrap();
    leaving.await.unwrap().unwrap();
    let here = client.auth().session().await.unwrap().map(|session| session.user.id.to_string());
    assert_eq!((here.as_deref(), shelf.token().as_deref()), (Some(ADA), Some("r5")));
}

#[tokio::test]
async fn the_end_of_a_session_is_told_once() {
    let shelf = Shelf::default();
    let over = r#"{"code":"refresh_token_not_found","message":"m"}"#;
    let client =
        Project::new(&[(TOKEN, 400, over)], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    let mut events = client.auth().events();
    shelf.save.set(true);
    let renewing = doing(&client, |client| async move { client.auth().refresh().await });
    shelf.save.knocked().await;
    let leaving = doing(&client, |client| async move { client.auth().sign_out().await });
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedOut(SignedOut::Asked));
    shelf.save.set(false);
    renewing.await.unwrap().unwrap_err();
    leaving.await.unwrap().unwrap();
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn another_person_in_the_store_has_signed_in() {
    let shelf = Shelf::default();
    let client = Project::new(&[], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    let mut events = client.auth().events();
    shelf.save(Some(&session(ADA, 5, LATER))).unwrap();
    client.auth().refresh().await.unwrap();
    assert_eq!(events.recv().await.unwrap(), AuthEvent::SignedIn(session(ADA, 5, LATER)));
}

#[tokio::test]
async fn a_server_that_gives_the_same_refresh_token_again_is_asked_once_too() {
    let same = granted(ZOE, 0).replace("a0", "a1");
    let project = Project::new(&[(TOKEN, 200, &same)], &[]);
    let client = project.client(|builder| builder);
    client.auth().set_session(session(ZOE, 0, 1)).await.unwrap();
    let asks = (0..64).map(|_| client.from("notes").select("*").fetch());
    futures_util::future::try_join_all(asks).await.unwrap();
    assert_eq!(project.asked(TOKEN).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_taken_for_ever_holds_nobody_up_for_ever() {
    let shelf = Shelf::default();
    let client = Project::new(&[], &[]).client(|builder| builder.session_store(shelf.clone()));
    client.auth().set_session(session(ZOE, 0, 1)).await.unwrap();
    shelf.taken.set(true);
    let asking = doing(&client, |client| async move { client.from("notes").select("*").fetch().await });
    shelf.taken.knocked().await;
    let waiting = doing(&client, |client| async move { client.auth().sign_out().await });
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(61)).await;
    let (asked, left) = (asking.await.unwrap().unwrap_err(), waiting.await.unwrap().unwrap_err());
    // The door belongs to a thread that would outlive the test.
    shelf.taken.set(false);
    assert_eq!((asked.kind(), left.kind()), (ErrorKind::Timeout, ErrorKind::Timeout));
    assert_eq!(client.auth().session().await.unwrap(), None, "signed out here, all the same");
}

#[tokio::test]
async fn a_token_that_is_still_good_is_used_whatever_becomes_of_its_renewal() {
    #[derive(Debug)]
    struct Full;
    impl SessionStore for Full {
        fn lock(&self) -> Result<StoreLock, Error> {
            Ok(Box::new(()))
        }
        fn load(&self) -> Result<Option<Session>, Error> {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            Ok(Some(session(ZOE, 0, now.as_secs() + 60)))
        }
        fn save(&self, _: Option<&Session>) -> Result<(), Error> {
            supabase_sdk::FileStore::at("/dev/null/full").lock().map(drop)
        }
    }
    let client = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[]).client(|b| b.session_store(Full));
    client.from("notes").select("*").fetch().await.unwrap();
    let proxy = Project::new(&[(TOKEN, 400, "<html>")], &[]).client(|builder| builder);
    proxy.auth().set_session(Full.load().unwrap().unwrap()).await.unwrap();
    proxy.from("notes").select("*").fetch().await.unwrap();
}

#[tokio::test]
async fn signing_out_with_a_token_that_has_ended_ends_the_session_on_the_server_too() {
    #[derive(Debug, Default)]
    struct Strict(Mutex<Vec<String>>);
    impl Transport for Strict {
        fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
            let bearer = request.headers.get("authorization").map_or("", |value| value.to_str().unwrap());
            self.0.lock().unwrap().push(format!("{} {bearer}", request.path));
            let (status, body) = match (request.path.as_str(), bearer) {
                (TOKEN, _) => (200, granted(ZOE, 1)),
                (LOGOUT, "Bearer a1") => (204, String::new()),
                _ => (403, r#"{"code":"bad_jwt","message":"token is expired"}"#.to_owned()),
            };
            let status = status.try_into().unwrap();
            Box::pin(async move { Ok(Reply { status, headers: http::HeaderMap::new(), body: body.into() }) })
        }
    }
    let strict = Arc::new(Strict::default());
    let builder = Client::builder("http://project.test", "sb_publishable_TEST").transport(strict.clone());
    let client = builder.build().unwrap();
    client.auth().set_session(session(ZOE, 0, 1)).await.unwrap();
    let mut events = client.auth().events();
    client.auth().sign_out().await.unwrap();
    let asked = strict.0.lock().unwrap().clone();
    assert_eq!(asked.last().map(String::as_str), Some("/auth/v1/logout Bearer a1"), "{asked:?}");
    assert_eq!(client.auth().session().await.unwrap(), None);
    assert_eq!(events.try_recv(), Ok(AuthEvent::SignedOut(SignedOut::Asked)));
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn what_is_tried_again_carries_who_is_there_then() {
    let project = Project::new(&[("/rest/v1/notes", 503, "")], &[]);
    let turn = Mutex::new(0);
    let client = project.client(|builder| {
        let retry = Retry { tries: 2, first: Duration::ZERO, ..Retry::default() };
        builder.retry(retry).access_token(move || {
            *turn.lock().unwrap() += 1;
            let there = *turn.lock().unwrap() == 1;
            async move { Ok(there.then(|| Token::new("zoe"))) }
        })
    });
    client.from("notes").select("*").fetch().await.unwrap_err();
    let carried = |request: &Request| request.headers.get("authorization").is_some();
    assert_eq!(project.asked("/rest/v1/notes").iter().map(carried).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn what_must_not_happen_twice_is_sent_once() {
    const REAUTHENTICATE: &str = "/auth/v1/reauthenticate";
    let project = Project::new(&[(USER, 502, ""), (REAUTHENTICATE, 502, ""), (LOGOUT, 502, "")], &[]);
    let retry = Retry { tries: 2, first: Duration::ZERO, ..Retry::default() };
    let client = project.client(|builder| builder.retry(retry));
    client.auth().set_session(session(ZOE, 0, LATER)).await.unwrap();
    // The second time it would be the same password, a code that was used, a mail too soon.
    let change = UserChange { password: Some("next".to_owned()), ..UserChange::default() };
    client.auth().update_user(&change).await.unwrap_err();
    client.auth().reauthenticate().await.unwrap_err();
    // Nobody is left to ask for this again.
    client.auth().sign_out().await.unwrap_err();
    let times = [USER, REAUTHENTICATE, LOGOUT].map(|path| project.asked(path).len());
    assert_eq!(times, [1, 1, 2]);
}

#[tokio::test]
async fn a_token_that_is_shown_to_the_server_is_hidden_in_its_header() {
    let project = Project::new(&[(USER, 200, &format!(r#"{{"id":"{ZOE}"}}"#))], &[]);
    let client = project.client(|builder| builder);
    client.auth().user_of(&Token::new("S3CRET")).await.unwrap();
    client
        .auth()
        .set_session(Session::new(Token::new("S3CRET"), Token::new("r"), LATER, User::default()))
        .await
        .unwrap();
    client.auth().sign_out().await.unwrap();
    for request in project.asked.lock().unwrap().iter() {
        assert!(!format!("{:?}", request.headers).contains("S3CRET"), "{}", request.path);
    }
}

#[tokio::test]
async fn whoever_brings_tokens_from_elsewhere_does_not_sign_in_here_as_well() {
    let project = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[]);
    let client = project.client(|builder| builder.access_token(|| async { Ok(Some(Token::new("theirs"))) }));
    let auth = client.auth();
    let refused = [
        auth.sign_in_with_password("zoe@garage.test", "correct horse").await.map(drop),
        auth.sign_up("zoe@garage.test", "correct horse").await.map(drop),
        auth.verify_otp(&supabase_sdk::auth::Verify::link("hash", supabase_sdk::auth::Purpose::Email))
            .await
            .map(drop),
        auth.set_session(session(ZOE, 0, LATER)).await,
        auth.set_tokens(Token::new("a"), Token::new("r")).await.map(drop),
        auth.mfa().verify("f", "c", "000000").await.map(drop),
    ];
    assert!(
        refused.iter().all(|answer| answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Config))
    );
    assert!(project.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_provider_is_added_to_somebody_and_not_to_nobody() {
    let project = Project::new(&[(TOKEN, 200, &granted(ZOE, 1))], &[]);
    let client = project.client(|builder| builder);
    let error =
        client.auth().link_id_token(&supabase_sdk::auth::IdToken::of("google", "t")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(
        project.asked.lock().unwrap().is_empty(),
        "a server that does not know the word would sign them in"
    );
}
