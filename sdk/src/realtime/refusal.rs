//! Why a channel is refused or closed, and what is done about it.
//!
//! | class | codes | what the channel does |
//! |---|---|---|
//! | the token | `InvalidJWTToken`, `MalformedJWT`, `JwtSignatureError` | asks for a newer one and joins again, once; then backs off |
//! | it may pass | `RealtimeRestarting`, `InitializingProjectConnection`, `DatabaseLackOfConnections`, `IncreaseConnectionPool`, every `…RateLimitReached`, `TimeoutOnRpcCall`, `ErrorOnRpcCall`, `UnableToConnectToProject`, `UnableToSetPolicies`, `QueryCanceled`, `MissingPartition`, `UnknownErrorOnChannel`, and whatever is not known here | backs off and joins again, for ever |
//! | it will not pass | `Unauthorized`, `PrivateOnly`, `TenantNotFound`, `RealtimeDisabledForTenant`, `UnableToReplayMessages`, `JwtSignerError`, `TopicNameRequired`, `InvalidJoinPayload` | stops and says so |
//!
//! A refusal is an [`Error`] like others: its code is the server's, its kind says which class it is of.
//! Source: supabase/realtime `realtime_channel.ex`, `ERROR_CODES.md`.

use crate::error::{Error, ErrorKind};

/// What a channel does about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A newer token may help.
    Token,
    /// Later may help.
    Later,
    /// Nothing we could do helps.
    Final,
}

impl Class {
    /// The class of a failure.
    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Unauthenticated => Self::Token,
            kind if kind.is_transient() => Self::Later,
            ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Config => {
                Self::Final
            }
            _ => Self::Later, // what is not understood may be a server that is in disorder
        }
    }
}

/// Reads a refusal: `Code: what happened`, or only what happened.
pub(super) fn read(reason: &str) -> Error {
    let code = |code: &&str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match reason.split_once(": ").filter(|(before, _)| code(before)) {
        Some((code, message)) => Error::told(kind(code), Some(code), message),
        None => Error::told(kind_of_words(reason), None, reason),
    }
}

fn kind(code: &str) -> ErrorKind {
    match code {
        "InvalidJWTToken" | "MalformedJWT" | "JwtSignatureError" => ErrorKind::Unauthenticated,
        "Unauthorized" | "PrivateOnly" | "RealtimeDisabledForTenant" => ErrorKind::Forbidden,
        "TenantNotFound" => ErrorKind::NotFound,
        "UnableToReplayMessages" | "TopicNameRequired" | "InvalidJoinPayload" => ErrorKind::Invalid,
        "JwtSignerError" => ErrorKind::Config,
        "TimeoutOnRpcCall" => ErrorKind::Timeout,
        _ => ErrorKind::Busy, // the codes that pass, and those to come
    }
}

/// Some refusals have no code. The words are what there is.
fn kind_of_words(reason: &str) -> ErrorKind {
    let said = |words: &str| reason.contains(words);
    if said("JWT") || said("Token has expired") || said("token has expired") {
        ErrorKind::Unauthenticated
    } else if said("no longer have permission") || said("do not have permissions") {
        ErrorKind::Forbidden
    } else {
        ErrorKind::Busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_fall_into_three_classes() {
        let cases = [
            ("InvalidJWTToken: Token has expired 5 seconds ago", Some("InvalidJWTToken"), Class::Token),
            ("JwtSignatureError: Failed to validate JWT signature", Some("JwtSignatureError"), Class::Token),
            ("Fields `role` and `exp` are required in JWT", None, Class::Token),
            (
                "ConnectionRateLimitReached: Too many connected users",
                Some("ConnectionRateLimitReached"),
                Class::Later,
            ),
            (
                "RealtimeRestarting: Realtime is restarting, please standby",
                Some("RealtimeRestarting"),
                Class::Later,
            ),
            ("Realtime was unable to connect to the project database", None, Class::Later),
            ("ACodeOfTomorrow: something", Some("ACodeOfTomorrow"), Class::Later),
            ("Unknown Error on Channel", None, Class::Later),
            ("", None, Class::Later),
            (
                "Unauthorized: You do not have permissions to read from this Channel topic: a: b",
                Some("Unauthorized"),
                Class::Final,
            ),
            ("PrivateOnly: This project only allows private channels", Some("PrivateOnly"), Class::Final),
            (
                "UnableToReplayMessages: Replay params are not valid",
                Some("UnableToReplayMessages"),
                Class::Final,
            ),
            ("JwtSignerError: Failed to generate JWT signer", Some("JwtSignerError"), Class::Final),
        ];
        for (reason, code, class) in cases {
            let error = read(reason);
            assert_eq!((error.code(), Class::of(&error)), (code, class), "{reason}");
            assert_eq!(error.is_retryable(), class == Class::Later, "{reason}");
        }
    }
}
