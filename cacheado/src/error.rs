//! The one error of the crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::scope::ScopeError;

/// What the crate's fallible operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A cache was configured in a way that cannot work.
    Configuration,
    /// A scope tree is malformed, or a scope's values are missing or unknown.
    Scope,
    /// What can be set once is already set.
    AlreadySet,
    /// The backend failed: it could not be reached, took too long, or refused.
    Backend,
    /// A value could not be made into bytes.
    Codec,
    /// A function took longer than its `timeout` lets a caller wait.
    Timeout,
}

/// An error of the cache itself, never of a cached function.
///
/// Its text says the operation and the cause, as in `evict: get_many: no route to the server`. As the cause is in the
/// text, [`source`](StdError::source) goes on behind it: who prints an error with all its sources prints each once.
/// [`cause`](Self::cause) is the cause itself, such as a [`backends::Error`](crate::backends::Error).
///
/// Clones share the cause, so that the failure of a function whose error this is goes to all who wait for it.
///
/// # Examples
///
/// ```
/// use cacheado::{ErrorKind, ScopeTree};
///
/// let error = ScopeTree::builder().child("nowhere", "user", "user_id").build().unwrap_err();
/// let error = cacheado::Error::from(error);
/// assert_eq!(error.kind(), ErrorKind::Scope);
/// ```
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, operation, cause: cause.into().into() }
    }

    /// Makes of the backend's errors those of a verb.
    pub(crate) fn of(operation: &'static str) -> impl Fn(cacheado_backends::Error) -> Self {
        move |error| {
            let kind = match error.kind() {
                cacheado_backends::ErrorKind::Configuration => ErrorKind::Configuration,
                _ => ErrorKind::Backend,
            };
            Self::new(kind, operation, error)
        }
    }

    /// What went wrong, coarsely.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operation that failed: the verb that was called, such as `evict_by_tag` or `set_global`; `call` for a call
    /// of a cached function; and the backend's own name for what it did, where an error of its is all there is.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Why it failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::backends;
    ///
    /// let error = backends::Error::new(backends::ErrorKind::Timeout, "get", "no answer within 2s");
    /// let error = cacheado::Error::from(error);
    /// assert_eq!(error.to_string(), "get: no answer within 2s");
    /// let cause = error.cause().downcast_ref::<backends::Error>();
    /// assert!(cause.is_some_and(|cause| cause.kind().is_outage()));
    /// ```
    #[must_use]
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause.downcast_ref::<cacheado_backends::Error>() {
            // It begins with the same word.
            Some(cause) if cause.operation() == self.operation => cause.fmt(f),
            _ => write!(f, "{}: {}", self.operation, self.cause),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.source()
    }
}

impl From<cacheado_backends::Error> for Error {
    fn from(error: cacheado_backends::Error) -> Self {
        Self::of(error.operation())(error)
    }
}

impl From<ScopeError> for Error {
    fn from(error: ScopeError) -> Self {
        Self::new(ErrorKind::Scope, error.operation(), error)
    }
}
