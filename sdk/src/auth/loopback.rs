//! Edge: where a browser comes back to, for an app that is no web page: a port of this machine that nobody
//! else can reach, open for as long as one sign-in takes.
//!
//! What comes back is a code that is worth nothing without the secret the app kept. So whoever guesses the
//! port can end a sign-in, and not take part in one. Source: RFC 8252, section 7.3.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use url::Url;

use crate::error::{Error, ErrorKind};

const PATH: &str = "/auth/callback";
const PAGE: &str = "<!doctype html><meta charset=\"utf-8\"><title>Back to the app</title>\
    <p>That is all. You can close this window and go back to the app.</p>";
/// How much of a request is read. The longest line a browser sends is about half of it.
const LIMIT: usize = 64 * 1024;
/// How long a browser that opened a connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections are listened to at once, the last of all. A browser opens a few.
const VISITS: usize = 64;
/// How long a machine that has no room for a connection is left alone.
const REST: Duration = Duration::from_millis(100);

/// A place on this machine for a browser to come back to.
///
/// ```no_run
/// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
/// use supabase_sdk::auth::{Loopback, Pkce, Sso};
/// let (back, pkce) = (Loopback::open().await?, Pkce::random());
/// let sso = Sso::domain("garage.test").redirect_to(back.redirect_to()).pkce(&pkce);
/// println!("open {}", client.auth().sign_in_with_sso(&sso).await?);
/// client.auth().exchange_code(&back.code().await?, &pkce).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
    page: String,
}

impl Loopback {
    /// How long [`Loopback::code`] waits: Auth forgets a sign-in that takes longer.
    pub const PATIENCE: Duration = Duration::from_secs(300);

    /// Opens a port that is free. Auth lets a browser come back to any port of `127.0.0.1`, whatever the
    /// project's list of addresses says.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when no port can be opened.
    pub async fn open() -> Result<Self, Error> {
        Self::open_at(0).await
    }

    /// Opens one port, for a provider that wants to know it beforehand.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is taken.
    pub async fn open_at(port: u16) -> Result<Self, Error> {
        let open = async {
            let listener = TcpListener::bind(("127.0.0.1", port)).await?;
            let port = listener.local_addr()?.port();
            Ok::<_, std::io::Error>(Self { listener, port, page: PAGE.to_owned() })
        };
        open.await.map_err(|source| {
            Error::new(ErrorKind::Config, format!("port {port} of this machine cannot be opened"))
                .with_source(source)
        })
    }

    /// What the browser shows at the end, as HTML.
    #[must_use]
    pub fn page(mut self, html: impl Into<String>) -> Self {
        self.page = html.into();
        self
    }

    /// The address to come back to.
    pub fn redirect_to(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the browser, and gives the code it brings.
    ///
    /// # Errors
    /// The provider's or Auth's own refusal, by its code, as [`ErrorKind::Forbidden`] for somebody who said no;
    /// [`ErrorKind::Timeout`] when nobody came within [`Loopback::PATIENCE`].
    pub async fn code(&self) -> Result<String, Error> {
        let late = || Error::new(ErrorKind::Timeout, "nobody came back from the browser in time");
        tokio::time::timeout(Self::PATIENCE, self.wait()).await.map_err(|_| late())?
    }

    async fn wait(&self) -> Result<String, Error> {
        // A browser opens connections ahead of need and says nothing on them: all are listened to at once.
        let (mut visits, mut guests) = (FuturesUnordered::new(), VecDeque::new());
        loop {
            let next = async {
                if visits.is_empty() { std::future::pending().await } else { visits.next().await.flatten() }
            };
            match select(Box::pin(self.listener.accept()), Box::pin(next)).await {
                Either::Left((Ok((stream, _)), _)) => {
                    let (stay, go) = oneshot::channel();
                    visits.push(self.visit(stream, go));
                    guests.push_back(stay);
                    // Whoever opens more than a browser does costs nothing more, and keeps nobody out.
                    if guests.len() > VISITS {
                        guests.pop_front();
                    }
                }
                // It was cut before it was ours, or there are too many files open: both pass.
                Either::Left((Err(error), _)) => {
                    tracing::debug!(%error, "a browser could not come in");
                    tokio::time::sleep(REST).await;
                }
                Either::Right((Some(outcome), _)) => return outcome,
                Either::Right((None, _)) => {}
            }
        }
    }

    /// Answers one request; none of ours gives nothing, nor does one that is not there when it is time to `go`.
    async fn visit(&self, mut stream: TcpStream, go: oneshot::Receiver<()>) -> Option<Result<String, Error>> {
        let heard = Box::pin(tokio::time::timeout(PATIENCE, heard(&mut stream)));
        let Either::Left((request, _)) = select(heard, go).await else { return None };
        let request = request.ok()??;
        let outcome = outcome(&request);
        let (status, page) =
            if outcome.is_some() { ("200 OK", self.page.as_str()) } else { ("404 Not Found", "") };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        // Whoever does not stay to read it has still brought the code.
        let told = async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        };
        tokio::time::timeout(PATIENCE, told).await.ok();
        outcome
    }
}

/// A request without its body; none if it does not end, or is longer than a browser's.
async fn heard(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        // The end may have begun in the part before.
        let new = request.len().saturating_sub(3);
        request.extend_from_slice(&part[..read]);
        if request[new..].windows(4).any(|end| end == b"\r\n\r\n") {
            return Some(request);
        }
        if request.len() > LIMIT {
            return None;
        }
    }
}

/// What a request brings: a code, a refusal, or nothing of ours.
fn outcome(request: &[u8]) -> Option<Result<String, Error>> {
    let line = std::str::from_utf8(request.split(|byte| *byte == b'\r').next()?).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://127.0.0.1/").ok()?.join(target).ok()?;
    let value = |name: &str| Some(url.query_pairs().find(|(known, _)| known == name)?.1.into_owned());
    if url.path() != PATH {
        return None;
    }
    if let Some(code) = value("code") {
        return Some(Ok(code));
    }
    let code = value("error_code").or_else(|| value("error"))?;
    let said = value("error_description").unwrap_or_else(|| "the sign-in was refused".to_owned());
    Some(Err(Error::refused(code, said)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(target: &str) -> Option<Result<String, Error>> {
        outcome(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
    }

    #[test]
    fn a_browser_brings_a_code_or_a_reason() {
        assert_eq!(get("/auth/callback?code=a%2Bb").unwrap().unwrap(), "a+b");
        let denied =
            get("/auth/callback?error=access_denied&error_description=No+thanks").unwrap().unwrap_err();
        assert_eq!((denied.kind(), denied.code()), (ErrorKind::Forbidden, Some("access_denied")));
        let taken = get("/auth/callback?error=x&error_code=identity_already_exists").unwrap().unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Conflict);
        for other in
            ["/", "/favicon.ico", "/auth/callback", "/auth/callback/?code=a", "//[", "http://x/?code=a"]
        {
            assert!(get(other).is_none(), "{other}");
        }
        assert!(outcome(b"POST /auth/callback?code=a HTTP/1.1\r\n").is_none());
    }

    proptest! {
        #[test]
        fn no_request_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            outcome(&bytes);
            outcome(&[b"GET ".as_slice(), &bytes].concat());
        }
    }
}
