//! The name of a level.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The name of a level: a literal of the program, or one made at run time.
///
/// ```
/// use cacheado::scope::LevelName;
///
/// assert_eq!(LevelName::from("user").as_str(), "user");
/// ```
#[derive(Clone, Debug)]
pub struct LevelName(Name);

#[derive(Clone, Debug)]
enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl LevelName {
    /// The name as text.
    ///
    /// ```
    /// use cacheado::scope::LevelName;
    /// use std::sync::Arc;
    ///
    /// assert_eq!(LevelName::from(Arc::<str>::from("door")).as_str(), "door");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Static(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl From<&'static str> for LevelName {
    fn from(name: &'static str) -> Self {
        Self(Name::Static(name))
    }
}

impl From<Arc<str>> for LevelName {
    fn from(name: Arc<str>) -> Self {
        Self(Name::Shared(name))
    }
}

impl PartialEq for LevelName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for LevelName {}

impl Hash for LevelName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for LevelName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LevelName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}
