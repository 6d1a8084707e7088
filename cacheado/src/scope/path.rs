//! [`Scope`]: a typed path, shared between clones, and between a scope and its ancestors.

use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::iter::{Ancestors, Levels};
use super::level::{Level, LevelName};
use super::{GLOBAL, ScopeValue};
use cacheado_backends::memory::Label;

use crate::key::{KeyBytes, KeySink, split_levels};

/// A place in the tree of scopes: the levels from the root down, each with its value.
///
/// Two scopes are equal where their levels and the texts of their values are: `7_u64` and `"7"` are one value.
/// The order is that of the paths, so a scope comes just before all that it contains. Cheap to clone.
///
/// ```
/// use cacheado::scope::Scope;
///
/// let user: Scope = "organization:o1/user:u7".parse()?;
/// assert_eq!((user.level(), user.depth()), ("user", 2));
/// assert_eq!(user.parent().unwrap().to_string(), "organization:o1");
/// assert!(Scope::global().contains(&user));
/// # Ok::<(), cacheado::scope::ScopeError>(())
/// ```
#[derive(Clone, Default)]
pub struct Scope {
    /// The path of this scope or of one below it; `None` for the root.
    path: Option<Arc<[Level]>>,
    /// How many levels of `path` are this scope's.
    depth: usize,
}

impl Scope {
    /// The root, which contains every scope of every tree.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// assert_eq!(Scope::global().to_string(), "global");
    /// assert_eq!(Scope::global().parent(), None);
    /// ```
    #[must_use]
    pub const fn global() -> Self {
        Self { path: None, depth: 0 }
    }

    /// The scope one level up; `None` for the root.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// let organization: Scope = "organization:o1".parse()?;
    /// assert_eq!(organization.parent(), Some(Scope::global()));
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self.depth {
            0 => None,
            1 => Some(Self::global()),
            depth => Some(Self { path: self.path.clone(), depth: depth - 1 }),
        }
    }

    /// Whether `other` is this scope or lies below it.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// let organization: Scope = "organization:o1".parse()?;
    /// assert!(organization.contains(&"organization:o1/user:u7".parse()?));
    /// assert!(!organization.contains(&"organization:o10".parse()?));
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.path().starts_with(self.path())
    }

    /// The name of the deepest level; `global` for the root.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// assert_eq!(Scope::global().level(), "global");
    /// assert_eq!("car:c1/door:2".parse::<Scope>()?.level(), "door");
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn level(&self) -> &str {
        self.path().last().map_or(GLOBAL, |level| level.name.as_str())
    }

    /// The levels from the top down, each with the text of its value.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// let door: Scope = "car:c1/door:2".parse()?;
    /// assert!(door.levels().eq([("car", "c1"), ("door", "2")]));
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn levels(&self) -> Levels<'_> {
        Levels::new(self.path())
    }

    /// How many levels the path has; 0 for the root.
    ///
    /// ```
    /// assert_eq!(cacheado::scope::Scope::global().depth(), 0);
    /// ```
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// The scope of the first `depth` levels of this one's path.
    pub(crate) fn up_to(&self, depth: usize) -> Self {
        match depth.min(self.depth) {
            0 => Self::global(),
            depth => Self { path: self.path.clone(), depth },
        }
    }

    /// This scope, its parent, and so on up to and with the root.
    ///
    /// ```
    /// use cacheado::scope::Scope;
    ///
    /// let door: Scope = "car:c1/door:2".parse()?;
    /// let up: Vec<String> = door.ancestors().map(|scope| scope.to_string()).collect();
    /// assert_eq!(up, ["car:c1/door:2", "car:c1", "global"]);
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn ancestors(&self) -> Ancestors {
        Ancestors::new(self.clone())
    }

    /// The scope at the end of a path of levels. `None` where a value fails to write itself.
    pub(crate) fn from_values<'a, N: Into<LevelName>>(
        levels: impl IntoIterator<Item = (N, &'a dyn ScopeValue)>,
    ) -> Option<Self> {
        thread_local! {
            /// Room for the text of a value. There is none while the thread ends.
            static ROOM: Cell<String> = const { Cell::new(String::new()) };
        }
        let mut text = ROOM.try_with(Cell::take).unwrap_or_default();
        let mut has_failed = false;
        // Collected at once: of an array of levels, this is one allocation, and one for each long value.
        let path: Arc<[Level]> = levels
            .into_iter()
            .map(|(name, value)| {
                text.clear();
                has_failed |= value.write_scope(&mut text).is_err();
                Level { name: name.into(), value: text.as_str().into() }
            })
            .collect();
        let _ = ROOM.try_with(|room| room.set(text));
        let depth = path.len();
        (!has_failed).then(|| Self { path: (depth > 0).then_some(path), depth })
    }

    /// The scope one level down. `None` where the value fails to write itself.
    pub(crate) fn child(&self, level: impl Into<LevelName>, value: &dyn ScopeValue) -> Option<Self> {
        let mut text = String::new();
        value.write_scope(&mut text).ok()?;
        let last = Level { name: level.into(), value: text.into() };
        Some(Self::from_path(self.path().iter().cloned().chain([last]).collect()))
    }

    /// The scope at the end of a path of texts that came from elsewhere. `None` where a level's name is none.
    pub(crate) fn from_texts<L: AsRef<str>, V: AsRef<str>>(
        levels: impl IntoIterator<Item = (L, V)>,
    ) -> Option<Self> {
        let mut path = Vec::new();
        for (name, value) in levels {
            let name = name.as_ref();
            if name.is_empty() || name == GLOBAL {
                return None;
            }
            path.push(Level { name: Arc::<str>::from(name).into(), value: value.as_ref().into() });
        }
        Some(Self::from_path(path))
    }

    /// The index labels of the path: one for this scope and one for each ancestor but the root, from the top
    /// down. A label is `s` and the encoded path, so that it never meets a label of another kind.
    pub(crate) fn labels(&self) -> impl Iterator<Item = Label> + '_ {
        let mut bytes = KeyBytes::with_capacity(64);
        (1..=self.depth).map(move |depth| {
            bytes.clear();
            Self { path: self.path.clone(), depth }.write_label(&mut bytes);
            Label::from(bytes.as_bytes())
        })
    }

    /// The index label of this scope alone.
    pub(crate) fn label(&self) -> Vec<u8> {
        let mut label = KeyBytes::with_capacity(64);
        self.write_label(&mut label);
        label.into_vec()
    }

    fn write_label(&self, label: &mut KeyBytes) {
        label.append(b"s");
        self.write_levels(label);
    }

    /// The scope of an entry, from its labels: the deepest one that names a scope.
    pub(crate) fn of_labels(labels: &[Label]) -> Self {
        let mut scopes = labels.iter().rev().filter_map(|label| label.as_bytes().strip_prefix(b"s"));
        scopes.next().and_then(split_levels).map_or_else(Self::global, |(scope, _)| scope)
    }

    /// Writes the path as a key holds it: a sequence of levels, each a text for its name and one for its value.
    pub(crate) fn write_levels<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.sequence(self.depth);
        for (level, value) in self.levels() {
            sink.text(level);
            sink.text(value);
        }
    }

    fn from_path(path: Vec<Level>) -> Self {
        let depth = path.len();
        Self { path: (depth > 0).then(|| path.into()), depth }
    }

    fn path(&self) -> &[Level] {
        self.path.as_deref().and_then(|path| path.get(..self.depth)).unwrap_or_default()
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for Scope {}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path().hash(state);
    }
}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path().cmp(other.path())
    }
}
