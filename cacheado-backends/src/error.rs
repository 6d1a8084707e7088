//! The one error of a backend.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

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
/// Its text says the operation and the cause. As the cause is in the text, [`source`](StdError::source) goes on behind
/// it: who prints an error with all its sources prints each once. Clones share the cause.
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::backends::Error`.
///
/// ```
/// use cacheado_backends::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "get", std::io::Error::other("no route"));
/// assert_eq!(error.to_string(), "get: no route");
/// assert!(error.kind().is_outage());
/// ```
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    /// An error of `operation`, such as `"get"`. The source must show no secret.
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, operation, cause: source.into().into() }
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

    /// Why it failed: what the error was made with.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use cacheado_backends::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Unavailable, "get", io::Error::from(io::ErrorKind::ConnectionReset));
    /// let cause = error.cause().downcast_ref::<io::Error>();
    /// assert!(cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset));
    /// ```
    #[must_use]
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.cause)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.source()
    }
}
