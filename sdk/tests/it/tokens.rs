//! Tokens: checked here or by the server, taken from elsewhere, renewed while nobody asks, and whatever the
//! clock does meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use supabase_sdk::auth::{AuthEvent, KeySet, Level, Loopback, OAuth, Pkce, SignedOut};
use supabase_sdk::{
    Client, ClientBuilder, ErrorKind, FileStore, Reply, Request, Retry, Sending, Session, SessionStore,
    Token, Transport, User,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scripted::Script;

const USER: &str = r#"{"id":"6d1a1f3e-0000-4000-8000-000000000001","email":"zoe@garage.test"}"#;
/// 2026-11-24, at noon.
const NOON: u64 = 1_795_521_600;

/// Whoever signs tokens for a project.
struct Signer {
    key: EcdsaKeyPair,
    kid: &'static str,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self { key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(), kid }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": self.kid, "x": b64(x), "y": b64(y) })
    }

    fn token(&self, alg: &str, claims: &Value) -> Token {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "alg": alg, "kid": self.kid })), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        Token::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn claims(exp: u64) -> Value {
    json!({ "sub": "6d1a1f3e-0000-4000-8000-000000000001", "role": "authenticated", "exp": exp, "aal": "aal1" })
}

type Answer = Box<dyn Fn(&Request) -> (u16, String) + Send + Sync>;

/// A project that answers as it is told, and notes what it was asked.
struct Told {
    asked: Mutex<Vec<String>>,
    answer: Answer,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Told")
    }
}

impl Told {
    fn client(
        build: impl FnOnce(ClientBuilder) -> ClientBuilder,
        answer: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static,
    ) -> (Arc<Self>, Client) {
        let told = Arc::new(Self { asked: Mutex::default(), answer: Box::new(answer) });
        let builder = Client::builder("http://project.test", "sb_publishable_TEST").retry(Retry::never());
        (told.clone(), build(builder.transport(told)).build().unwrap())
    }

    /// How often a path was asked.
    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

impl Transport for Told {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        self.asked.lock().unwrap().push(request.path.clone());
        let (status, body) = (self.answer)(request);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let status = status.try_into().unwrap();
            Ok(Reply { status, headers: http::HeaderMap::new(), body: body.into() })
        })
    }
}

const KEYS: &str = "/auth/v1/.well-known/jwks.json";

#[tokio::test]
async fn a_token_is_checked_here_and_the_keys_are_asked_for_once() {
    let (signer, other) = (Signer::new("one"), Signer::new("one"));
    let keys = json!({ "keys": [signer.jwk()] }).to_string();
    let (told, client) = Told::client(
        |builder| builder,
        move |request| match request.path.as_str() {
            KEYS => (200, keys.clone()),
            path => panic!("asked for {path}"),
        },
    );
    let token = signer.token("ES256", &claims(4_102_444_800));
    let checks = (0..64).map(|_| {
        let (client, token) = (client.clone(), token.clone());
        async move { client.auth().claims_of(&token).await }
    });
    for checked in futures_util::future::join_all(checks).await {
        let checked = checked.unwrap();
        assert_eq!((checked.aal, checked.role.as_deref()), (Some(Level::One), Some("authenticated")));
    }
    assert_eq!(told.asked(KEYS), 1);
    let forged = client.auth().claims_of(&other.token("ES256", &claims(4_102_444_800))).await.unwrap_err();
    assert_eq!(forged.kind(), ErrorKind::Unauthenticated);
    let ended = client.auth().claims_of(&signer.token("ES256", &claims(1))).await.unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Unauthenticated);
    assert_eq!(told.asked.lock().unwrap().len(), 1, "neither is anybody's business but ours");
    // Somebody who has the keys needs no client.
    let keys = KeySet::from_json(json!({ "keys": [signer.jwk()] }).to_string().as_bytes()).unwrap();
    assert!(keys.verify(&token, Duration::ZERO).unwrap().user_id().is_some());
}

#[tokio::test]
async fn a_token_signed_with_the_secret_or_an_unknown_key_is_the_servers_to_judge() {
    let (signer, unknown) = (Signer::new("one"), Signer::new("two"));
    let keys = json!({ "keys": [signer.jwk()] }).to_string();
    let good = unknown.token("HS256", &claims(4_102_444_800));
    let bearer = format!("Bearer {}", good.expose());
    let (told, client) = Told::client(
        |builder| builder,
        move |request| match request.path.as_str() {
            KEYS => (200, keys.clone()),
            _ if request.headers["authorization"] == bearer => (200, USER.to_owned()),
            _ => (403, r#"{"code":"bad_jwt","message":"invalid JWT"}"#.to_owned()),
        },
    );
    client.auth().claims_of(&good).await.unwrap();
    assert_eq!((told.asked(KEYS), told.asked("/auth/v1/user")), (0, 1));
    let wrong = client.auth().claims_of(&unknown.token("ES256", &claims(4_102_444_800))).await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.code()), (ErrorKind::Unauthenticated, Some("bad_jwt")));
    // Made-up names of keys do not have them fetched again and again.
    for kid in ["three", "four", "five"] {
        client.auth().claims_of(&Signer::new(kid).token("ES256", &claims(4_102_444_800))).await.unwrap_err();
    }
    assert_eq!(told.asked(KEYS), 1);
}

#[tokio::test]
async fn a_token_is_not_believed_because_nobody_could_be_asked() {
    let signer = Signer::new("one");
    let (_, client) = Told::client(|builder| builder, |_| (503, String::new()));
    for alg in ["ES256", "HS256"] {
        let error = client.auth().claims_of(&signer.token(alg, &claims(4_102_444_800))).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    for text in ["", "s3cret", "a.b.c"] {
        let error = client.auth().claims_of(&Token::new(text)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    assert_eq!(client.auth().claims().await.unwrap(), None, "nobody is signed in");
}

/// A clock that can be set, and a client that goes by it, whose server renews for an hour.
fn clocked(build: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (Arc<AtomicU64>, Arc<Told>, Client) {
    let clock = Arc::new(AtomicU64::new(NOON));
    let time = clock.clone();
    let time = move || SystemTime::UNIX_EPOCH + Duration::from_secs(time.load(Ordering::SeqCst));
    let (told, client) = Told::client(
        |builder| build(builder.clock(time)),
        |request| match request.path.as_str() {
            "/auth/v1/token" => (
                200,
                format!(r#"{{"access_token":"new","refresh_token":"r2","expires_in":3600,"user":{USER}}}"#),
            ),
            "/rest/v1/notes" if request.headers["authorization"] == "Bearer old" => {
                (401, r#"{"code":"PGRST303","message":"JWT expired"}"#.to_owned())
            }
            _ => (200, "[]".to_owned()),
        },
    );
    (clock, told, client)
}

fn session(expires_at: u64) -> Session {
    Session::new(Token::new("old"), Token::new("r1"), expires_at, User::default())
}

#[tokio::test]
async fn a_laptop_that_slept_past_the_end_renews_before_it_asks() {
    let (clock, told, client) = clocked(|builder| builder);
    client.auth().set_session(session(NOON + 3_600)).await.unwrap();
    clock.store(NOON + 8 * 3_600, Ordering::SeqCst);
    let asks = (0..16).map(|_| client.from("notes").select("*").fetch());
    futures_util::future::try_join_all(asks).await.unwrap();
    assert_eq!((told.asked("/auth/v1/token"), told.asked("/rest/v1/notes")), (1, 16));
}

#[tokio::test]
async fn a_clock_that_is_set_back_is_put_right_by_the_servers_word() {
    let (clock, told, client) = clocked(|builder| builder);
    client.auth().set_session(session(NOON + 3_600)).await.unwrap();
    clock.store(NOON - 7 * 24 * 3_600, Ordering::SeqCst);
    // By our clock the token is good for a week; the server says otherwise.
    client.from("notes").select("*").fetch().await.unwrap();
    assert_eq!((told.asked("/auth/v1/token"), told.asked("/rest/v1/notes")), (1, 2));
    // And a clock that is set forward by years asks for a renewal, no more.
    clock.store(NOON + 1_000_000_000, Ordering::SeqCst);
    client.from("notes").select("*").fetch().await.unwrap();
    client.from("notes").select("*").fetch().await.unwrap();
    assert_eq!(told.asked("/auth/v1/token"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_kept_fresh_while_nobody_asks_and_no_longer() {
    let (clock, told, client) = clocked(|builder| builder);
    client.auth().set_session(session(NOON + 3_600)).await.unwrap();
    let mut events = client.auth().events();
    let fresh = client.auth().auto_refresh();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::task::yield_now().await;
    assert_eq!(told.asked("/auth/v1/token"), 0, "it is not due");
    // The machine sleeps: its clock goes on, and its timers do not.
    clock.store(NOON + 3_550, Ordering::SeqCst);
    assert!(matches!(events.recv().await, Ok(AuthEvent::TokenRefreshed(_))));
    assert_eq!(told.asked("/auth/v1/token"), 1);
    drop(fresh);
    clock.store(NOON + 90_000, Ordering::SeqCst);
    let next = tokio::time::timeout(Duration::from_secs(300), events.recv()).await;
    assert!(next.is_err(), "{next:?}");
}

#[tokio::test]
async fn tokens_from_elsewhere_are_shown_to_the_server_or_renewed() {
    let signer = Signer::new("one");
    let access = signer.token("HS256", &claims(NOON + 3_600));
    let expected = access.expose().to_owned();
    let seen = format!("Bearer {expected}");
    let (told, client) = Told::client(
        |builder| builder.clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOON)),
        move |request| match request.path.as_str() {
            "/auth/v1/user" if request.headers["authorization"] == seen => (200, USER.to_owned()),
            "/auth/v1/token" => (
                200,
                format!(r#"{{"access_token":"new","refresh_token":"r2","expires_in":9,"user":{USER}}}"#),
            ),
            path => panic!("asked for {path}"),
        },
    );
    let session = client.auth().set_tokens(access, Token::new("r1")).await.unwrap();
    assert_eq!((session.access_token.expose(), session.expires_at), (expected.as_str(), NOON + 3_600));
    let ended = signer.token("HS256", &claims(NOON - 1));
    let session = client.auth().set_tokens(ended, Token::new("r1")).await.unwrap();
    assert_eq!((session.access_token.expose(), told.asked("/auth/v1/token")), ("new", 1));
    let error = client.auth().set_tokens(Token::new("none"), Token::new("r1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_providers_token_outlives_a_renewal_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = || FileStore::at(folder.path().join("session.json"));
    let answer = |provider: &str| {
        format!(r#"{{"access_token":"a","refresh_token":"r","expires_in":3600,{provider}"user":{USER}}}"#)
    };
    let (_, client) = Told::client(
        |builder| builder.session_store(store()),
        move |request| {
            let pkce = request.query.iter().any(|(_, value)| value == "pkce");
            (200, answer(if pkce { r#""provider_token":"pt","provider_refresh_token":"pr","# } else { "" }))
        },
    );
    client.auth().exchange_code("code", &Pkce::random()).await.unwrap();
    let renewed = client.auth().refresh().await.unwrap();
    let kept = store().load().unwrap().unwrap();
    for session in [renewed, kept] {
        assert_eq!(session.provider_token.as_ref().map(Token::expose), Some("pt"));
        assert_eq!(session.provider_refresh_token.as_ref().map(Token::expose), Some("pr"));
        assert!(!format!("{session:?}").contains("pt\""));
    }
}

#[tokio::test]
async fn a_store_that_holds_no_session_signs_out_once_and_says_so_until_somebody_signs_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    std::fs::write(&path, "half a sess").unwrap();
    let (script, client) = Script::echo(200, "[]", |builder| builder.session_store(FileStore::at(&path)));
    let mut events = client.auth().events();
    for _ in 0..3 {
        let error = client.from("notes").select("*").fetch().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    assert!(script.requests().is_empty(), "nothing went out as nobody's");
    assert_eq!(events.try_recv(), Ok(AuthEvent::SignedOut(SignedOut::Unreadable)));
    assert!(events.try_recv().is_err());
    client.auth().set_session(session(4_102_444_800)).await.unwrap();
    client.from("notes").select("*").fetch().await.unwrap();
}

async fn visit(port: u16, target: &str) -> String {
    let mut browser = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    browser.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_browser_comes_back_to_a_port_of_this_machine() {
    let back = Loopback::open().await.unwrap().page("<p>Merci !");
    let port = back.redirect_to().split([':', '/']).nth(4).unwrap().parse().unwrap();
    let visits = async {
        // Opened ahead of need, and never spoken on; and one that goes away in the middle.
        let idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut gone = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        gone.write_all(b"GET /auth/call").await.unwrap();
        drop(gone);
        assert!(visit(port, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
        let last = visit(port, "/auth/callback?code=c0de").await;
        drop(idle);
        last
    };
    let (code, shown) = tokio::join!(back.code(), visits);
    assert_eq!(code.unwrap(), "c0de");
    assert!(shown.starts_with("HTTP/1.1 200") && shown.ends_with("<p>Merci !"), "{shown}");
    let taken = Loopback::open_at(port).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_sign_in_in_a_browser_ends_with_a_session_or_a_reason() {
    let (told, client) = Told::client(
        |builder| builder,
        |request| {
            let body: Value = serde_json::from_slice(request.body.as_bytes().unwrap()).unwrap();
            assert_eq!(body["auth_code"], "c0de");
            let verifier = body["code_verifier"].as_str().unwrap();
            (200, format!(r#"{{"access_token":"{verifier}","refresh_token":"r","user":{USER}}}"#))
        },
    );
    let come_back = |query: &'static str| {
        move |url: &str| {
            let url = url::Url::parse(url).unwrap();
            let value =
                |name: &str| url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
            assert_eq!((value("provider"), value("scopes")), ("github".to_owned(), "a b".to_owned()));
            let back = url::Url::parse(&value("redirect_to")).unwrap();
            let (port, path) = (back.port().unwrap(), back.path().to_owned());
            tokio::spawn(async move { visit(port, &format!("{path}?{query}")).await });
            Ok(())
        }
    };
    let github = OAuth::with("github").scopes(["a", "b"]);
    let session = client.auth().sign_in_with_oauth(&github, come_back("code=c0de")).await.unwrap();
    assert_eq!(session.access_token.expose().len(), 64, "the secret of this sign-in");
    let denied =
        client.auth().sign_in_with_oauth(&github, come_back("error=access_denied")).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden);
    let shut = client.auth().sign_in_with_oauth(&github, |_| Err(std::io::ErrorKind::NotFound.into())).await;
    assert_eq!(shut.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(told.asked("/auth/v1/token"), 1);
}

#[tokio::test]
async fn whoever_waits_for_keys_that_cannot_be_had_waits_once() {
    let signer = Signer::new("one");
    let (told, client) = Told::client(|builder| builder, |_| (503, String::new()));
    let token = signer.token("ES256", &claims(4_102_444_800));
    let auth = client.auth();
    let checked = futures_util::future::join_all((0..64).map(|_| auth.claims_of(&token))).await;
    assert!(checked.iter().all(|checked| checked.as_ref().is_err_and(supabase_sdk::Error::is_retryable)));
    assert_eq!(told.asked(KEYS), 1);
    client.auth().claims_of(&token).await.unwrap_err();
    assert_eq!(told.asked(KEYS), 2, "and who comes later asks again");
}

#[tokio::test]
async fn keys_that_are_none_verify_nothing() {
    let signer = Signer::new("one");
    let (x, far) = (signer.jwk()["x"].clone(), "A".repeat(8_192));
    let mut keys = vec![
        json!({ "kty": "EC", "crv": "P-256", "kid": "one", "x": x, "y": x }),
        json!({ "kty": "EC", "crv": "P-256", "kid": "one", "x": "", "y": "" }),
        json!({ "kty": "EC", "crv": "P-384", "kid": "one", "x": x, "y": x }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": "AA" }),
        json!({ "kty": "oct", "kid": "one", "k": x }),
    ];
    let numbers =
        [("", ""), ("AAAA", "AQAB"), (far.as_str(), "AQAB"), ("_-8", "AQAB"), ("_-8", ""), ("_-8", "AA")];
    keys.extend(numbers.map(|(n, e)| json!({ "kty": "RSA", "kid": "one", "n": n, "e": e })));
    for key in keys {
        let set = KeySet::from_json(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
        for alg in ["ES256", "ES384", "EdDSA", "RS256", "HS256", "none"] {
            set.verify(&signer.token(alg, &claims(4_102_444_800)), Duration::ZERO).unwrap_err();
        }
    }
    // A key of another kind, whatever is in it, does not hide the one that is good.
    let odd = json!({ "kty": "odd", "kid": 5, "x": [1], "n": {}, "crv": 7 });
    let set = KeySet::from_json(json!({ "keys": [odd, 7, signer.jwk()] }).to_string().as_bytes()).unwrap();
    set.verify(&signer.token("ES256", &claims(4_102_444_800)), Duration::MAX).unwrap_err();
    set.verify(&signer.token("ES256", &claims(4_102_444_800)), Duration::ZERO).unwrap();
}

#[test]
fn a_token_of_any_shape_is_only_a_token() {
    let set = KeySet::from_json(br#"{"keys":[]}"#).unwrap();
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let deep = format!(r#"{{"exp":1,"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let payloads = [
        r#"{"exp":1e999}"#,
        r#"{"exp":"1"}"#,
        r#"{"exp":-1}"#,
        r#"{"exp":NaN}"#,
        r#"{"exp":1,"exp":2}"#,
        &deep,
    ];
    for payload in payloads {
        let text = format!("{}.{}.AA", part(r#"{"alg":"ES256","kid":"one"}"#), part(payload));
        assert_eq!(set.verify_signature(&Token::new(text)).unwrap_err().kind(), ErrorKind::Unauthenticated);
    }
    let huge = Token::new(format!("{}.{}.AA", "A".repeat(10_000_000), "A".repeat(10_000_000)));
    set.verify_signature(&huge).unwrap_err();
    for margin in [Duration::ZERO, Duration::MAX] {
        assert_eq!(
            session(u64::MAX).expires_within(margin, Duration::from_secs(NOON)),
            margin == Duration::MAX
        );
        assert!(session(0).expires_within(margin, Duration::MAX));
    }
}

#[tokio::test]
async fn a_code_is_brought_past_hundreds_who_say_nothing() {
    let back = Loopback::open().await.unwrap();
    let port: u16 = back.redirect_to().split([':', '/']).nth(4).unwrap().parse().unwrap();
    let waiting = tokio::spawn(async move { back.code().await });
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    // The first of them are sent away.
    assert_eq!(idle[0].read(&mut [0]).await.unwrap(), 0);
    let shown = visit(port, "/auth/callback?code=c0de").await;
    assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
    assert_eq!(waiting.await.unwrap().unwrap(), "c0de");
}

#[tokio::test(start_paused = true)]
async fn a_code_is_brought_even_if_nobody_reads_the_page() {
    let back = Loopback::open().await.unwrap().page("p".repeat(32 * 1024 * 1024));
    let port: u16 = back.redirect_to().split([':', '/']).nth(4).unwrap().parse().unwrap();
    let mut browser = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    browser.write_all(b"GET /auth/callback?code=c0de HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(back.code().await.unwrap(), "c0de");
}

#[test]
fn what_a_person_is_asked_shows_nothing_of_them() {
    use supabase_sdk::auth::{Authorization, NewUser, PasskeyChallenge};
    let place = r#"{"redirect_url":"https://app.test/?code=s3cret"}"#;
    let settled: Authorization = serde_json::from_str(place).unwrap();
    let challenge = r#"{"challenge_id":"6d1a1f3e-0000-4000-8000-000000000001","expires_at":1,
        "options":{"challenge":"s3cret","user":{"name":"s3cret@garage.test"}}}"#;
    let challenge: PasskeyChallenge = serde_json::from_str(challenge).unwrap();
    let user = NewUser { email: Some("s3cret@garage.test".to_owned()), ..NewUser::default() };
    let google = OAuth::with("google").query("login_hint", "s3cret@garage.test");
    for shown in
        [format!("{settled:?}"), format!("{challenge:?}"), format!("{user:?}"), format!("{google:?}")]
    {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
