//! From what the client reports to an [`Error`] of ours.

use redis::{RedisError, ServerErrorKind, Value, parse_redis_value};

use crate::error::{Error, ErrorKind};

/// What must not be seen: passwords.
pub(super) struct Secrets(Box<[String]>);

impl Secrets {
    /// These; empty ones do not count.
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self(secrets.into_iter().filter(|secret| !secret.is_empty()).collect())
    }

    /// The error of an operation, without secrets and without what the operation carried.
    pub(super) fn report(&self, operation: &'static str, error: &RedisError) -> Error {
        if error.code() == Some("MOVED") {
            let text = "this server is part of a cluster, which `cluster(…)` is for";
            return Error::new(ErrorKind::Configuration, operation, text);
        }
        let mut text = error.to_string();
        // A server that does not know a command repeats what came with it.
        if let Some(end) = text.find(", with args beginning with") {
            text.truncate(end);
        }
        for secret in &self.0 {
            text = text.replace(secret, "***");
        }
        Error::new(kind(error), operation, text)
    }
}

fn kind(error: &RedisError) -> ErrorKind {
    use redis::ErrorKind as Theirs;
    match error.kind() {
        Theirs::Io if error.is_timeout() => ErrorKind::Timeout,
        Theirs::Io | Theirs::ClusterConnectionNotFound => ErrorKind::Unavailable,
        Theirs::AuthenticationFailed => ErrorKind::Refused,
        Theirs::InvalidClientConfig | Theirs::RESP3NotSupported => ErrorKind::Configuration,
        Theirs::Parse | Theirs::UnexpectedReturnType => ErrorKind::Malformed,
        Theirs::Server(kind) => match kind {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::TryAgain
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask => ErrorKind::Unavailable,
            ServerErrorKind::ReadOnly | ServerErrorKind::NoPerm => ErrorKind::Refused,
            _ => of_code(error),
        },
        _ => of_code(error),
    }
}

/// By what the server's message begins with.
fn of_code(error: &RedisError) -> ErrorKind {
    match error.code() {
        Some("OOM" | "NOAUTH" | "WRONGPASS" | "NOREPLICAS" | "MISCONF" | "DENIED") => ErrorKind::Refused,
        Some("WRONGTYPE") => ErrorKind::Malformed,
        _ => ErrorKind::Other,
    }
}

/// Whether the server says that something of another type lies under the key.
pub(super) fn is_foreign(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

/// Whether the server does not know the script that it was to run.
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript)
}

/// The same answer, where a script has been ended by an error: a server older than 7.0 puts it into a sentence, which
/// hides its code, as in `ERR Error running script (call to f_…): @user_script:9: @user_script: 9: -OOM command not …`.
pub(super) fn unwrapped(answer: Value) -> Value {
    let cause = match &answer {
        Value::ServerError(error) => error.details().and_then(cause),
        _ => None,
    };
    let told = cause.and_then(|cause| parse_redis_value(format!("-{cause}\r\n").as_bytes()).ok());
    told.unwrap_or(answer)
}

/// What ended a script, if it is an error with a code.
fn cause(details: &str) -> Option<&str> {
    let (_, mut cause) = details.strip_prefix("Error running script (call to ")?.split_once("): ")?;
    while let Some(place) = cause.strip_prefix("@user_script:") {
        (_, cause) = place.split_once(": ")?;
    }
    let cause = cause.strip_prefix('-').unwrap_or(cause);
    let (code, _) = cause.split_once(' ')?;
    (!code.is_empty() && code.bytes().all(|letter| letter.is_ascii_uppercase())).then_some(cause)
}

#[cfg(test)]
mod tests {
    use std::io;

    use redis::{ErrorKind as Theirs, make_extension_error};

    use super::*;

    fn report(error: &RedisError) -> Error {
        Secrets::new(["s3cret".to_owned(), String::new()]).report("get", error)
    }

    #[test]
    fn hazard_31_neither_passwords_nor_what_was_sent() {
        for text in [
            "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 's3cret' 'value'",
            "the password s3cret, with args beginning with: 'value'",
        ] {
            let error = report(&make_extension_error("ERR".to_owned(), Some(text.to_owned())));
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cret") && !shown.contains("value"), "{shown}");
        }
    }

    /// The answers are those of a Redis 6.2, and of a 7.0 to the same.
    #[test]
    fn hazard_26_an_error_that_ended_a_script_is_told_from_others() {
        let told = |error: &str| {
            let answer = unwrapped(parse_redis_value(format!("-{error}\r\n").as_bytes()).expect("an answer"));
            report(&answer.extract_error().expect_err("an error"))
        };
        let script = "ERR Error running script (call to f_a45690b5d58cb892e6cc5e4dc9b9e20f5884daa2): @user_script:124: ";
        let read_only = "READONLY You can't write against a read only replica.";
        let no_memory = "OOM command not allowed when used memory > 'maxmemory'.";
        let foreign = "WRONGTYPE Operation against a key holding the wrong kind of value";
        for (error, kind) in [
            (format!("{script}@user_script: 124: -{read_only}"), ErrorKind::Refused),
            (format!("{read_only} script: f_a4, on @user_script:124."), ErrorKind::Refused),
            (format!("{script}@user_script: 124: -{no_memory}"), ErrorKind::Refused),
            (format!("{script}{foreign}"), ErrorKind::Malformed),
            (format!("{script}attempt to index a nil value"), ErrorKind::Other),
            (script.to_owned(), ErrorKind::Other),
            ("ERR Error running script (call to ".to_owned(), ErrorKind::Other),
        ] {
            assert_eq!(told(&error).kind(), kind, "{error}");
        }
        assert_eq!(unwrapped(Value::Int(1)), Value::Int(1));
    }

    #[test]
    fn kinds() {
        let io = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
        let code = |code: &str| make_extension_error(code.to_owned(), None);
        for (error, kind) in [
            (io(io::ErrorKind::TimedOut), ErrorKind::Timeout),
            (io(io::ErrorKind::WouldBlock), ErrorKind::Timeout),
            (io(io::ErrorKind::ConnectionRefused), ErrorKind::Unavailable),
            (io(io::ErrorKind::BrokenPipe), ErrorKind::Unavailable),
            (RedisError::from((Theirs::AuthenticationFailed, "no")), ErrorKind::Refused),
            (RedisError::from((Theirs::Server(ServerErrorKind::BusyLoading), "no")), ErrorKind::Unavailable),
            (RedisError::from((Theirs::Server(ServerErrorKind::ReadOnly), "no")), ErrorKind::Refused),
            (RedisError::from((Theirs::Server(ServerErrorKind::Moved), "1 a:1")), ErrorKind::Configuration),
            (RedisError::from((Theirs::Parse, "no")), ErrorKind::Malformed),
            (code("OOM"), ErrorKind::Refused),
            (code("WRONGTYPE"), ErrorKind::Malformed),
            (code("ERR"), ErrorKind::Other),
        ] {
            assert_eq!(report(&error).kind(), kind, "{error}");
        }
    }
}
