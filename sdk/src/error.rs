//! The one error of this crate, and the only place that says what is worth another try.
//!
//! `Display` says what failed in words that hold no row value: PostgreSQL repeats values in
//! `details`, and in the messages of class 22 ("invalid input syntax for type integer: …").
//! Those stay reachable through [`Error::message`] and [`Error::details`] for who asks.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A failed call. Decide by [`Error::kind`]; show with `Display`; dig with `source`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    words: Words,
    status: Option<StatusCode>,
    code: Option<String>,
    details: Value,
    hint: Option<String>,
    /// True if the server certainly did not carry the request out.
    undone: bool,
    answer: Option<Answer>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Whose words a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Ours,
    /// A service's, which quote values in known places.
    Servers,
    /// Those of a function somebody wrote, which may say anything.
    Functions,
}

/// The refusal as it came.
struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

/// What a caller can do about a failure.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No answer arrived: offline, name lookup, connection cut.
    Unreachable,
    /// No answer arrived in time.
    Timeout,
    /// The server is there but cannot now: rate limit, restart, lock, statement timeout.
    Busy,
    /// Nobody is signed in, or the session is no longer good.
    Unauthenticated,
    /// Signed in, and not allowed: a grant or a row-level policy says no.
    Forbidden,
    /// A table, column, function or row the request names is not there.
    NotFound,
    /// A key is taken, or the row moved on since it was read.
    Conflict,
    /// The request or its values are wrong; the same request fails again.
    Invalid,
    /// The server failed on this request: a bug, a broken function, something it does not do at all.
    Internal,
    /// Another number of rows than was asked for.
    Count,
    /// The answer is not what the protocol promises.
    Protocol,
    /// The client was set up wrongly; nothing was sent.
    Config,
}

impl ErrorKind {
    /// True if the same request may succeed later. The one place that says so.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Busy)
    }

    /// The kind of a refusal, from its status and its PostgREST code, SQLSTATE or Auth code.
    /// The code says more than the status: 42501 comes as 401 or 403, 23503 and 23505 both as 409.
    /// Source: PostgREST `Error.hs`, PostgreSQL appendix A, GoTrue `internal/api/apierrors/errorcode.go`.
    pub(crate) fn classify(status: StatusCode, code: Option<&str>) -> Self {
        match code.unwrap_or_default() {
            "PGRST000" | "PGRST001" | "PGRST002" | "PGRST003" | "40001" | "40P01" | "55P03" | "57014"
            | "57P01" | "57P02" | "57P03" => Self::Busy,
            code if is_sqlstate(code) && (code.starts_with("08") || code.starts_with("53")) => Self::Busy,
            "PGRST300" | "PGRST301" | "PGRST302" | "PGRST303" => Self::Unauthenticated,
            "PGRST106" | "PGRST125" | "PGRST202" | "PGRST204" | "PGRST205" | "42P01" | "42703" | "42883"
            | "3F000" => Self::NotFound,
            "PGRST116" | "PGRST124" => Self::Count,
            "23505"
            | "23P01"
            | "user_already_exists"
            | "email_exists"
            | "phone_exists"
            | "identity_already_exists" => Self::Conflict,
            // Auth says most of these with 403, as if somebody were signed in.
            "bad_jwt"
            | "no_authorization"
            | "session_not_found"
            | "session_expired"
            | "refresh_token_not_found"
            | "refresh_token_already_used" => Self::Unauthenticated,
            "42501" if status == StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            "42501" | "user_banned" | "insufficient_aal" | "not_admin" => Self::Forbidden,
            "23502" | "23503" | "23514" => Self::Invalid,
            // A secret that is wrong, used up or too old, which Auth says with 403, 404 or 422.
            "otp_expired"
            | "flow_state_not_found"
            | "flow_state_expired"
            | "bad_code_verifier"
            | "mfa_challenge_expired"
            | "webauthn_challenge_not_found"
            | "webauthn_challenge_expired" => Self::Invalid,
            code if status == StatusCode::INTERNAL_SERVER_ERROR && is_sqlstate(code) => Self::Internal,
            _ => Self::of_status(status),
        }
    }

    fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            501 => Self::Internal,
            408 | 423 | 429 | 500..=599 => Self::Busy,
            300 | 400..=499 => Self::Invalid,
            _ => Self::Protocol,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "the server did not answer",
            Self::Timeout => "the server did not answer in time",
            Self::Busy => "the server cannot answer now",
            Self::Unauthenticated => "not signed in",
            Self::Forbidden => "not allowed",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid request",
            Self::Internal => "the server failed",
            Self::Count => "another number of rows",
            Self::Protocol => "unexpected answer",
            Self::Config => "configuration",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            words: Words::Ours,
            status: None,
            code: None,
            details: Value::Null,
            hint: None,
            // What is wrong already here is not sent.
            undone: matches!(kind, ErrorKind::Config | ErrorKind::Invalid),
            answer: None,
            source: None,
        }))
    }

    /// A refusal that came another way than as an answer: in an address.
    pub(crate) fn refused(code: String, message: String) -> Self {
        let kind = match code.as_str() {
            // Source: RFC 6749, section 4.1.2.1.
            "access_denied" => ErrorKind::Forbidden,
            "server_error" | "unexpected_failure" => ErrorKind::Internal,
            "temporarily_unavailable" => ErrorKind::Busy,
            code => ErrorKind::classify(StatusCode::BAD_REQUEST, Some(code)),
        };
        let mut error = Self::new(kind, message).with_code(Some(code));
        error.0.words = Words::Servers;
        error
    }

    /// A refusal that came in a message: what it means is known to who reads it.
    #[cfg(feature = "realtime")]
    pub(crate) fn told(kind: ErrorKind, code: Option<&str>, message: &str) -> Self {
        let mut error = Self::new(kind, message).with_code(code.map(str::to_owned)).undone();
        error.0.words = Words::Servers;
        error
    }

    /// The same failure, told to somebody else.
    #[cfg(feature = "realtime")]
    pub(crate) fn again(&self) -> Self {
        let mut error = Self::new(self.0.kind, self.0.message.clone()).with_code(self.0.code.clone());
        (error.0.words, error.0.undone, error.0.status) = (self.0.words, self.0.undone, self.0.status);
        error
    }

    /// Says by which code the server means the same.
    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code;
        self
    }

    /// Says that the server certainly did not carry the request out.
    #[must_use]
    pub(crate) fn undone(mut self) -> Self {
        self.0.undone = true;
        self
    }

    /// Adds words to the message.
    #[must_use]
    pub(crate) fn with_words(mut self, words: &str) -> Self {
        self.0.message.push_str(words);
        self
    }

    /// A failure of our own making is a wrong answer; one of the network is no answer.
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Reads a refusal. Each service has its own body, and some have several:
    /// `{code,message,details,hint}` (REST), `{code,message}`, `{code:400,error_code,msg}` and
    /// `{error,error_description}` (Auth), `{message,hint}` (gateway), `{statusCode,error,message,code}`
    /// (Storage, which answers 400 and says in the body which status it means).
    pub(crate) fn from_reply(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let answer = Answer { headers: headers.clone(), body: Bytes::copy_from_slice(body) };
        let mut body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |names: &[&str]| {
            names.iter().find_map(|name| body.get(name).and_then(Value::as_str)).map(str::to_owned)
        };
        let code = text(&["error_code", "code", "error"]).or_else(|| proxy_status_code(headers));
        let message = text(&["message", "msg", "error_description"])
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned());
        let hint = text(&["hint"]);
        let meant = text(&["statusCode"]).and_then(|status| status.parse().ok()).unwrap_or(status);
        let kind = match ErrorKind::classify(meant, code.as_deref()) {
            ErrorKind::Forbidden if is_expiry(&message) => ErrorKind::Unauthenticated,
            kind => kind,
        };
        // PostgREST or the database itself speaks, and has not merely lost sight of each other.
        let spoken = code.as_deref().is_some_and(|code| {
            // PGRST001 is a connection that broke while it was used: perhaps at the commit.
            (code.starts_with("PGRST") && code != "PGRST001")
                || is_sqlstate(code) && !code.starts_with("08") && !matches!(code, "57P02")
        });
        Self(Box::new(Inner {
            kind,
            message,
            words: Words::Servers,
            status: Some(status),
            // Auth says what is wrong with a password in a field of its own.
            details: ["details", "weak_password"]
                .into_iter()
                .find_map(|name| body.get_mut(name).map(Value::take).filter(|details| !details.is_null()))
                .unwrap_or_default(),
            hint,
            // The database, or PostgREST before it, refused: the transaction is no more. A gateway only
            // knows that it got no answer, except where it counts requests.
            undone: spoken || (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT),
            answer: Some(answer),
            code,
            source: None,
        }))
    }

    /// Reads the refusal of an Edge Function. It is what somebody wrote: only the status says what it means, it
    /// may have done anything before, and its words may hold anything.
    pub(crate) fn from_function(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut error = Self::from_reply(status, headers, body);
        error.0.kind = match status.as_u16() {
            // One that threw would throw again.
            500 => ErrorKind::Internal,
            // The relay failed though it did not say so in its status.
            200..=299 => ErrorKind::Busy,
            _ => ErrorKind::of_status(status),
        };
        let is_word = |code: &String| {
            code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        if let Some(said) = error.0.code.take_if(|code| !is_word(code)) {
            // `{"error": "in a whole sentence"}` is how many functions say what went wrong.
            let unsaid = error.json::<Value>().is_none_or(|body| body.get("message").is_none());
            error.0.message = if unsaid { said } else { error.0.message };
        }
        (error.0.words, error.0.undone) = (Words::Functions, false);
        error
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// True if the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_transient()
    }

    /// The HTTP status, when an answer arrived.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The PostgREST code (`PGRST205`), SQLSTATE (`23505`), Auth code (`invalid_credentials`) or Storage code
    /// (`NoSuchKey`).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The server's own sentence, in full. It may repeat row values: do not log it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's details: null, text or a structure. They often repeat row values: do not log them.
    pub fn details(&self) -> &Value {
        &self.0.details
    }

    /// What the server suggests.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The server's name for the request, to quote in a support ticket.
    pub fn request_id(&self) -> Option<&str> {
        let headers = self.headers()?;
        ["sb-request-id", "x-request-id", "cf-ray"].iter().find_map(|name| headers.get(*name)?.to_str().ok())
    }

    /// The headers of the refusal, when an answer arrived.
    pub fn headers(&self) -> Option<&HeaderMap> {
        Some(&self.0.answer.as_ref()?.headers)
    }

    /// The refusal's body as it came, when an answer arrived. It may repeat row values: do not log it.
    pub fn body(&self) -> Option<&Bytes> {
        Some(&self.0.answer.as_ref()?.body)
    }

    /// The refusal's body read as JSON; `None` where there is none, or it has another shape.
    ///
    /// ```no_run
    /// # async fn run(client: supabase_sdk::Client) {
    /// #[derive(serde::Deserialize)]
    /// struct Refusal {
    ///     missing: Vec<String>,
    /// }
    /// if let Err(error) = client.functions().invoke("quote").send().await
    ///     && let Some(refusal) = error.json::<Refusal>()
    /// {
    ///     println!("these are missing: {:?}", refusal.missing);
    /// }
    /// # }
    /// ```
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// True if an Edge Function could not be run, by the word of what stands before it: the refusal is not the
    /// function's own.
    pub fn is_from_relay(&self) -> bool {
        self.headers().is_some_and(crate::functions::failed_in_relay)
    }

    /// How long the server asks to be left alone. A date instead of a number of seconds is not read.
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers()?.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }

    /// True if the server certainly did not carry the request out: it was never reached, or it refused.
    /// False if nobody knows.
    pub fn is_undone(&self) -> bool {
        self.0.undone
    }

    /// True if the same request is worth sending again at once. What ran into a time limit, the database's
    /// or a gateway's, would take as long again.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        let too_long = self.code() == Some("57014") || self.status() == Some(StatusCode::GATEWAY_TIMEOUT);
        self.is_retryable() && (!too_long || self.code() == Some("PGRST003"))
    }

    /// True if the token is the reason, and a newer one may help.
    pub(crate) fn is_stale_token(&self) -> bool {
        let codes = ["PGRST301", "PGRST303", "bad_jwt", "session_not_found", "session_expired"];
        let named = self.code().is_some_and(|code| codes.contains(&code)) || is_expiry(&self.0.message);
        // A function may have heard it from somebody else, after it had done something.
        self.0.words != Words::Functions && self.0.kind == ErrorKind::Unauthenticated && named
    }

    /// The message without what the server quotes in it: values, and a question that holds some. Where its
    /// codes say that only names of tables, columns, constraints and roles can stand in it, it is whole.
    fn safe_message(&self) -> Cow<'_, str> {
        const NAMES: [&str; 7] = ["42P01", "42703", "42501", "42883", "3F000", "PGRST116", "PGRST124"];
        let message = self.0.message.as_str();
        if self.code() == Some("InvalidKey") {
            // What follows is the name of a file.
            return message.split(':').next().unwrap_or_default().into();
        }
        let names = |code: &str| {
            NAMES.contains(&code) || code.starts_with("23") && is_sqlstate(code) || code.starts_with("PGRST2")
        };
        match self.0.words {
            Words::Functions if self.is_from_relay() => return "the function could not be run".into(),
            Words::Functions => return "the function answered with a refusal".into(),
            Words::Ours => return message.into(),
            Words::Servers if self.code().is_some_and(names) => return message.into(),
            Words::Servers => {}
        }
        let quotes = ['"', '«', '»', '„', '“', '”'];
        match (message.find(quotes), message.rfind(quotes)) {
            (Some(first), Some(last)) if first < last => {
                let after = &message[last..];
                let after = after.char_indices().nth(1).map_or("", |(at, _)| &after[at..]);
                format!("{}\"…\"{}", &message[..first], after).into()
            }
            (Some(first), _) => message[..first].into(),
            (None, _) => message.split(['(', '\'']).next().unwrap_or_default().trim_end().into(),
        }
    }
}

/// Storage has no code for a token that is too old, and says so in the words of the library it reads tokens with.
fn is_expiry(message: &str) -> bool {
    matches!(message, "\"exp\" claim timestamp check failed" | "jwt expired")
}

/// True for a SQLSTATE: five capitals and digits.
fn is_sqlstate(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A HEAD request has no body; PostgREST then names its code in `Proxy-Status: PostgREST; error=42501`.
fn proxy_status_code(headers: &HeaderMap) -> Option<String> {
    let (_, code) = headers.get("proxy-status")?.to_str().ok()?.split_once("error=")?;
    Some(code.split(';').next().unwrap_or(code).trim().to_owned())
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.0.kind.words(), self.safe_message())?;
        match (&self.0.code, self.0.status) {
            (Some(code), Some(status)) => write!(out, " ({code}, status {})", status.as_u16()),
            (None, Some(status)) => write!(out, " (status {})", status.as_u16()),
            (Some(code), None) => write!(out, " ({code})"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("status", &self.0.status.map(|status| status.as_u16()))
            .field("code", &self.0.code)
            .field("message", &self.safe_message())
            .field("request_id", &self.request_id())
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Error {
        Error::from_reply(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_shape_of_refusal_is_read() {
        let cases = [
            (
                409,
                r#"{"code":"23505","message":"duplicate key","details":"Key (a)=(secret)","hint":null}"#,
                "23505",
                ErrorKind::Conflict,
            ),
            (
                404,
                r#"{"code":"PGRST205","message":"no table","details":null,"hint":"Perhaps"}"#,
                "PGRST205",
                ErrorKind::NotFound,
            ),
            (
                400,
                r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#,
                "invalid_credentials",
                ErrorKind::Invalid,
            ),
            (
                400,
                r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login"}"#,
                "invalid_credentials",
                ErrorKind::Invalid,
            ),
            (401, r#"{"code":"42501","message":"permission denied"}"#, "42501", ErrorKind::Unauthenticated),
            (403, r#"{"code":"42501","message":"permission denied"}"#, "42501", ErrorKind::Forbidden),
            (500, r#"{"code":"57014","message":"canceling statement"}"#, "57014", ErrorKind::Busy),
            (
                400,
                r#"{"statusCode":"404","error":"not_found","message":"Object not found","code":"NoSuchKey"}"#,
                "NoSuchKey",
                ErrorKind::NotFound,
            ),
            (
                400,
                r#"{"statusCode":"409","error":"Duplicate","message":"The resource already exists"}"#,
                "Duplicate",
                ErrorKind::Conflict,
            ),
            (
                400,
                r#"{"statusCode":"403","error":"Unauthorized","message":"jwt expired","code":"AccessDenied"}"#,
                "AccessDenied",
                ErrorKind::Unauthenticated,
            ),
            (
                400,
                r#"{"statusCode":"423","error":"x","message":"The resource is locked","code":"ResourceLocked"}"#,
                "ResourceLocked",
                ErrorKind::Busy,
            ),
        ];
        for (status, body, code, kind) in cases {
            let error = refusal(status, body);
            assert_eq!((error.code(), error.kind()), (Some(code), kind), "{body}");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_keeps_its_status() {
        let error = refusal(502, "<html>bad gateway</html>");
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Busy, "the server cannot answer now: Bad Gateway (status 502)".to_owned())
        );
    }

    #[test]
    fn row_values_stay_out_of_display_and_debug() {
        let conflict =
            refusal(409, r#"{"code":"23505","message":"duplicate key","details":"Key (a)=(s3cret)"}"#);
        let syntax =
            refusal(400, r#"{"code":"22P02","message":"invalid input syntax for type uuid: \"s3cret\""}"#);
        let range =
            refusal(400, r#"{"code":"22003","message":"value \"s3cret\" is out of range for type integer"}"#);
        assert!(range.to_string().contains("out of range for type integer"), "{range}");
        let search = refusal(400, r#"{"code":"42601","message":"syntax error in tsquery: \"s3cret & &\""}"#);
        let filter =
            refusal(400, r#"{"code":"PGRST100","message":"\"failed to parse filter (s3cret)\" (line 1)"}"#);
        let tree = refusal(400, r#"{"code":"PGRST100","message":"failed to parse logic tree (s3cret)"}"#);
        let address = refusal(
            400,
            r#"{"code":"email_address_invalid","message":"Email address \"s3cret\" is invalid"}"#,
        );
        let key =
            refusal(400, r#"{"statusCode":"400","code":"InvalidKey","message":"Invalid key: a/s3cret"}"#);
        let french = refusal(400, r#"{"code":"22P02","message":"syntaxe invalide : « s3cret »"}"#);
        for error in [conflict, syntax, range, search, filter, tree, address, key, french] {
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn a_head_error_is_read_from_proxy_status() {
        let mut headers = HeaderMap::new();
        headers.insert("proxy-status", "PostgREST; error=42501".parse().unwrap());
        assert_eq!(Error::from_reply(StatusCode::FORBIDDEN, &headers, b"").code(), Some("42501"));
    }
}
