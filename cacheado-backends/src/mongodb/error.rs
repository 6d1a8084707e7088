//! What went wrong, in words of our own.
//!
//! Neither the driver's texts nor the server's are shown: a refusal quotes the command with the value in it, and
//! a connection string that cannot be read may have its password anywhere.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use mongodb::error::{ErrorKind as Driver, WriteFailure};

use crate::error::{Error, ErrorKind};

/// Why an operation failed. In contrast to [`Error`] it can be given to several that wait for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    kind: ErrorKind,
    cause: Cause,
}

/// What is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The client gave up.
    NoAnswer(Duration),
    /// The server said no: the number and the name of its error.
    Server { code: i32, name: String },
    /// The connection broke, or was not made.
    Connection(String),
    /// What we have words for.
    Said(&'static str),
    /// The same, with what cannot hold a secret.
    Named(&'static str, String),
}

impl Failure {
    pub(super) fn new(kind: ErrorKind, cause: Cause) -> Self {
        Self { kind, cause }
    }

    pub(super) fn said(kind: ErrorKind, text: &'static str) -> Self {
        Self::new(kind, Cause::Said(text))
    }

    pub(super) fn no_answer(limit: Duration) -> Self {
        Self::new(ErrorKind::Timeout, Cause::NoAnswer(limit))
    }

    /// What the server answered in place of a result.
    pub(super) fn server(code: i32, name: impl Into<String>) -> Self {
        let name = Some(name.into()).filter(|name| !name.is_empty());
        Self::new(
            kind_of(code),
            Cause::Server { code, name: name.unwrap_or_else(|| name_of(code).to_owned()) },
        )
    }

    pub(super) fn is_outage(&self) -> bool {
        self.kind.is_outage()
    }

    /// The server's number.
    pub(super) fn code(&self) -> Option<i32> {
        match self.cause {
            Cause::Server { code, .. } => Some(code),
            _ => None,
        }
    }

    /// As the error of an operation.
    pub(super) fn of(self, operation: &'static str) -> Error {
        Error::new(self.kind, operation, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(limit) => write!(f, "no answer within {limit:?}"),
            Self::Server { code, name } => write!(f, "the server answered {name} (error {code})"),
            Self::Connection(text) => write!(f, "no connection: {text}"),
            Self::Said(text) => f.write_str(text),
            Self::Named(text, what) => write!(f, "{text}: {what}"),
        }
    }
}

impl StdError for Cause {}

/// Another document has the `_id`: two upserts at the same time.
pub(super) const DUPLICATE_KEY: i32 = 11_000;
/// Among others: a hint names an index that is not there.
pub(super) const BAD_VALUE: i32 = 2;

fn kind_of(code: i32) -> ErrorKind {
    match code {
        // MaxTimeMSExpired, NetworkTimeout, ExceededTimeLimit, WriteConcernFailed (not replicated in time).
        50 | 89 | 262 | 64 => ErrorKind::Timeout,
        // Stepping down, shutting down, no primary, network errors within the cluster.
        6 | 7 | 91 | 133 | 134 | 189 | 202 | 9001 | 10_058 | 10_107 | 11_600 | 11_602 | 13_435 | 13_436 => {
            ErrorKind::Unavailable
        }
        // The document, after the update or before it; for the server's own cache.
        10_334 | 17_419 | 17_420 | 388 => ErrorKind::TooLarge,
        // Unauthorized, AuthenticationFailed, DocumentValidationFailure, OutOfDiskSpace, Atlas.
        13 | 18 | 121 | 14_031 | 8_000 => ErrorKind::Refused,
        // IndexOptionsConflict, IndexKeySpecsConflict, InvalidNamespace, CommandNotSupportedOnView,
        // UnsatisfiableWriteConcern.
        85 | 86 | 73 | 166 | 100 => ErrorKind::Configuration,
        _ => ErrorKind::Other,
    }
}

/// Errors of single writes have no name of the server's.
fn name_of(code: i32) -> &'static str {
    match code {
        DUPLICATE_KEY => "DuplicateKey",
        BAD_VALUE => "BadValue",
        10_334 | 17_419 | 17_420 => "BSONObjectTooLarge",
        388 => "TransactionTooLargeForCache",
        121 => "DocumentValidationFailure",
        _ => "an error without a name",
    }
}

impl From<mongodb::error::Error> for Failure {
    fn from(error: mongodb::error::Error) -> Self {
        use ErrorKind::{Configuration, Malformed, Other, Refused, Timeout, Unavailable};
        match *error.kind {
            Driver::Command(error) => Self::server(error.code, error.code_name),
            Driver::Write(WriteFailure::WriteError(error)) => {
                Self::server(error.code, error.code_name.unwrap_or_default())
            }
            Driver::Write(WriteFailure::WriteConcernError(error)) => {
                Self::server(error.code, error.code_name)
            }
            Driver::Io(error) => {
                let kind = if error.kind() == std::io::ErrorKind::TimedOut { Timeout } else { Unavailable };
                Self::new(kind, Cause::Connection(error.to_string()))
            }
            Driver::ServerSelection { .. } => {
                Self::said(Unavailable, "no server that takes writes is reached")
            }
            Driver::ConnectionPoolCleared { .. } => Self::said(Unavailable, "the connection was reset"),
            Driver::DnsResolve { .. } => Self::said(Unavailable, "the address cannot be looked up"),
            Driver::Shutdown => Self::said(Unavailable, "the client has been shut down"),
            Driver::Authentication { .. } => Self::said(Refused, "the credentials were not accepted"),
            Driver::InvalidTlsConfig { .. } => Self::said(Configuration, "the TLS options cannot be used"),
            Driver::InvalidArgument { .. } => Self::said(Configuration, "the options cannot be used"),
            Driver::IncompatibleServer { .. } | Driver::SessionsNotSupported => {
                Self::said(Configuration, "the server is too old")
            }
            Driver::BsonDeserialization(_) | Driver::Bson(_) | Driver::InvalidResponse { .. } => {
                Self::said(Malformed, "the answer is not understood")
            }
            _ => Self::said(Other, "the driver failed"),
        }
    }
}
