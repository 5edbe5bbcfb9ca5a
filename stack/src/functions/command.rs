//! Functions that are programs, by the Common Gateway Interface (RFC 3875). This runs them.
//!
//! A program is run for each request: the request's body is its input, and what it writes is headers,
//! an empty line and the body, which is sent on while it is written. What it writes to its standard error
//! goes where the stack's does. It ends with the request, at the latest.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt as _,
    pin::Pin,
    process::Stdio,
};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    response::Response,
};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{Facts, reply::Failure};

const LONGEST_HEAD: usize = 64 << 10;
const CHUNK: usize = 16 << 10;

/// What a program finds in its environment beside the request and what the stack itself has.
#[derive(Clone)]
pub(super) struct Environment(Facts);

/// What a program says before its body.
#[derive(Debug)]
struct Head {
    status: StatusCode,
    headers: HeaderMap,
}

/// A program at work: it is fed while it is heard.
struct Running {
    child: Child,
    output: ChildStdout,
    feeding: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Environment {
    pub(super) fn new(facts: Facts) -> Self {
        Self(facts)
    }
}

pub(super) async fn run(
    program: &[String],
    name: &str,
    environment: &Environment,
    request: Request<Body>,
) -> Result<Response, Failure> {
    let [program, arguments @ ..] = program else {
        return Err(Failure::Boot(format!("Function {name} names no program")));
    };
    let (head, body) = request.into_parts();
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.0.iter().map(|(name, value)| (name, value)))
        .envs(variables(&head, name))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let reason = error.kind();
            Failure::Boot(format!("Function {name} can not be started: {program}: {reason}"))
        })?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failure::Crash);
    };
    let mut running = Running { child, output, feeding: Some(Box::pin(feed(body, input))) };
    let (head, rest) = running.head().await?;
    let mut response = Response::new(Body::from_stream(running.body(rest)));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// Writes what comes. A program need not read it.
async fn feed(body: Body, mut input: ChildStdin) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        if input.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

impl Running {
    /// The next bytes it says, none at its end.
    async fn hear(&mut self) -> io::Result<Bytes> {
        let mut heard = Vec::with_capacity(CHUNK);
        loop {
            let fed = async {
                match &mut self.feeding {
                    Some(feeding) => feeding.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = self.output.read_buf(&mut heard) => return read.map(|_| Bytes::from(heard)),
                () = fed => {}
            }
            // Its input ends here.
            self.feeding = None;
        }
    }

    /// What it says first, and the beginning of the body that came with it.
    async fn head(&mut self) -> Result<(Head, Bytes), Failure> {
        let mut heard = Vec::new();
        loop {
            if let Some((head, rest)) = split(&heard) {
                let head = read_head(head).ok_or(Failure::Crash)?;
                return Ok((head, Bytes::copy_from_slice(rest)));
            }
            let more = self.hear().await.map_err(|_| Failure::Crash)?;
            if more.is_empty() || heard.len() > LONGEST_HEAD {
                return Err(Failure::Crash);
            }
            heard.extend_from_slice(&more);
        }
    }

    /// The rest of what it says. If it then fails, the answer is cut: it may not be whole.
    fn body(self, first: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let later = stream::unfold(Some(self), |running| async {
            let mut running = running?;
            match running.hear().await {
                Ok(heard) if heard.is_empty() => match running.child.wait().await {
                    Ok(status) if status.success() => None,
                    Ok(_) | Err(_) => Some((Err(io::ErrorKind::ConnectionAborted.into()), None)),
                },
                Ok(heard) => Some((Ok(heard), Some(running))),
                Err(error) => Some((Err(error), None)),
            }
        });
        stream::iter((!first.is_empty()).then_some(Ok(first))).chain(later)
    }
}

/// The request as a program finds it in its environment.
fn variables(head: &Parts, name: &str) -> Vec<(OsString, OsString)> {
    let text = |header: HeaderName| head.headers.get(header).map_or("", |value| value.to_str().unwrap_or(""));
    let path = head.uri.path();
    let below = path.trim_start_matches('/').strip_prefix(name).unwrap_or_default();
    let mut variables: Vec<(OsString, OsString)> = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "supabase-stack"),
        ("REQUEST_METHOD", head.method.as_str()),
        ("REQUEST_URI", head.uri.path_and_query().map_or(path, |whole| whole.as_str())),
        ("SCRIPT_NAME", &format!("/{name}")),
        ("PATH_INFO", below),
        ("QUERY_STRING", head.uri.query().unwrap_or_default()),
        ("CONTENT_TYPE", text(CONTENT_TYPE)),
        ("CONTENT_LENGTH", text(CONTENT_LENGTH)),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    for (name, value) in &head.headers {
        let name = name.as_str().replace('-', "_").to_ascii_uppercase();
        // Programs would take it for the address of a proxy they are to use.
        if name != "PROXY" {
            variables.push((format!("HTTP_{name}").into(), OsStr::from_bytes(value.as_bytes()).into()));
        }
    }
    variables
}

/// Where an empty line ends the head; None while there is none.
fn split(heard: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut start = 0;
    while let Some(length) = heard[start..].iter().position(|byte| *byte == b'\n') {
        let (line, next) = (&heard[start..start + length], start + length + 1);
        if line.is_empty() || line == b"\r" {
            return Some((&heard[..start], &heard[next..]));
        }
        start = next;
    }
    None
}

fn read_head(head: &[u8]) -> Option<Head> {
    let (mut status, mut headers) = (None, HeaderMap::new());
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            let code = value.split(|byte| *byte == b' ').next()?;
            status = Some(StatusCode::from_bytes(code).ok()?);
        } else {
            headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
    }
    // How long it is shows when it ends.
    headers.remove(CONTENT_LENGTH);
    let unsaid = if headers.contains_key(LOCATION) { StatusCode::FOUND } else { StatusCode::OK };
    Some(Head { status: status.unwrap_or(unsaid), headers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        for (heard, expected) in [
            ("a: b\n\nc", Some(("a: b\n", "c"))),
            ("a: b\r\n\r\nc\n\n", Some(("a: b\r\n", "c\n\n"))),
            ("\nc", Some(("", "c"))),
            ("a: b\n", None),
            ("", None),
        ] {
            let expected = expected.map(|(head, rest): (&str, &str)| (head.as_bytes(), rest.as_bytes()));
            assert_eq!(split(heard.as_bytes()), expected, "{heard:?}");
        }
    }

    #[test]
    fn a_program_says_its_status_or_is_content() {
        for (head, status) in [
            ("content-type: text/plain\r\n", Some(200)),
            ("Status: 404 Not Found\nx: y\n", Some(404)),
            ("Location: /elsewhere\n", Some(302)),
            ("", Some(200)),
            ("no header\n", None),
            ("Status: fine\n", None),
            ("a b: c\n", None),
        ] {
            let read = read_head(head.as_bytes()).map(|head| head.status.as_u16());
            assert_eq!(read, status, "{head:?}");
        }
    }

    #[test]
    fn a_program_finds_the_request_in_its_environment() {
        let request = Request::post("/f/a/b?c=d").header("x-region", "r").header("proxy", "evil");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let found = variables(&head, "f");
        let value =
            |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_str());
        assert_eq!(value("PATH_INFO").flatten(), Some("/a/b"));
        assert_eq!(value("QUERY_STRING").flatten(), Some("c=d"));
        assert_eq!(value("HTTP_X_REGION").flatten(), Some("r"));
        assert_eq!(value("HTTP_PROXY"), None);
    }
}
