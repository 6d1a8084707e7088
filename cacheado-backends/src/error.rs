//! The one error of a backend.

use std::error::Error as StdError;
use std::fmt;

/// What a backend's operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The backend was configured in a way that cannot work.
    Configuration,
    /// The server could not be reached, or the connection broke.
    Unavailable,
    /// The operation did not end in time.
    Timeout,
    /// The server refused: wrong credentials, no permission, out of memory, read only.
    Refused,
    /// What is stored, or what the server answered, is not what this version writes or understands.
    Malformed,
    /// The key, the value or the request is larger than the backend takes.
    TooLarge,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether it says that the server is in trouble, rather than this one operation.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Unavailable | Self::Timeout)
    }
}

/// Why an operation of a backend failed. Its texts show no password and no cached value.
///
/// # Examples
///
/// ```
/// use cacheado_backends::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "get", std::io::Error::other("no route"));
/// assert_eq!(error.to_string(), "get: no route");
/// assert!(error.kind().is_outage());
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl Error {
    /// An error of `operation`, such as `"get"`. The source must show no secret.
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, operation, source: source.into() }
    }

    /// What went wrong, coarsely.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.source)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}
