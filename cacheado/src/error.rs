//! The one error of the crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

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

/// An error of the cache itself, never of a cached function. Cheap to clone, so that a function's error which holds one
/// can be `Clone`, too, and be given to all who have waited for it.
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
    source: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, operation, source: Arc::from(source.into()) }
    }

    /// What went wrong, coarsely.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operation that failed, such as `set_global`.
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

impl From<cacheado_backends::Error> for Error {
    fn from(error: cacheado_backends::Error) -> Self {
        let kind = match error.kind() {
            cacheado_backends::ErrorKind::Configuration => ErrorKind::Configuration,
            _ => ErrorKind::Backend,
        };
        Self::new(kind, "backend", error)
    }
}

impl From<crate::scope::ScopeError> for Error {
    fn from(error: crate::scope::ScopeError) -> Self {
        Self::new(ErrorKind::Scope, "scope", error)
    }
}
