//! [`Scope`]: a typed path, which clones and ancestors share where it is long.

use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::iter::{Ancestors, Levels};
use super::level::LevelName;
use super::levels::{Path, write_level};
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
#[derive(Clone)]
pub struct Scope {
    path: Path,
    /// How many levels it has.
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
        Self { path: Path::NONE, depth: 0 }
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
        self.depth.checked_sub(1).map(|depth| self.up_to(depth))
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
        // No text is the beginning of another.
        other.path.as_bytes().starts_with(self.path.as_bytes())
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
        self.levels().last().map_or(GLOBAL, |(level, _)| level)
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
        Levels::new(self.depth, self.path.as_bytes())
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
        match depth.checked_sub(1).and_then(|above| self.ends().nth(above)) {
            Some(end) => self.cut(depth, end),
            None if depth == 0 => Self::global(),
            None => self.clone(),
        }
    }

    /// The same, where it is known where they end in the bytes of the path.
    pub(super) fn cut(&self, depth: usize, end: usize) -> Self {
        Self { path: self.path.cut(end), depth }
    }

    /// Where each level ends in the bytes of the path.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        let (len, mut levels) = (self.path.as_bytes().len(), self.levels());
        std::iter::from_fn(move || {
            levels.next()?;
            Some(len - levels.path().len())
        })
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
            /// Room for a path, and for the text of a value. There is none while the thread ends.
            static ROOM: Cell<(KeyBytes, String)> = const { Cell::new((KeyBytes::new(), String::new())) };
        }
        let (mut path, mut text) = ROOM.try_with(Cell::take).unwrap_or_default();
        path.clear();
        let (mut has_failed, mut depth) = (false, 0);
        for (name, value) in levels {
            text.clear();
            has_failed |= value.write_scope(&mut text).is_err();
            write_level(name.into().as_str(), &text, &mut path);
            depth += 1;
        }
        let scope = (!has_failed).then(|| Self { path: Path::new(path.as_bytes()), depth });
        let _ = ROOM.try_with(|room| room.set((path, text)));
        scope
    }

    /// The scope one level down. `None` where the value fails to write itself.
    pub(crate) fn child(&self, level: impl Into<LevelName>, value: &dyn ScopeValue) -> Option<Self> {
        let mut text = String::new();
        value.write_scope(&mut text).ok()?;
        let mut path = KeyBytes::new();
        path.append(self.path.as_bytes());
        write_level(level.into().as_str(), &text, &mut path);
        Some(Self { path: Path::new(path.as_bytes()), depth: self.depth + 1 })
    }

    /// The scope at the end of a path of texts that came from elsewhere. `None` where a level's name is none.
    pub(crate) fn from_texts<L: AsRef<str>, V: AsRef<str>>(
        levels: impl IntoIterator<Item = (L, V)>,
    ) -> Option<Self> {
        let (mut path, mut depth) = (KeyBytes::new(), 0);
        for (name, value) in levels {
            let name = name.as_ref();
            if name.is_empty() || name == GLOBAL {
                return None;
            }
            write_level(name, value.as_ref(), &mut path);
            depth += 1;
        }
        Some(Self { path: Path::new(path.as_bytes()), depth })
    }

    /// The index labels of the path: one for this scope and one for each ancestor but the root, from the top
    /// down. A label is `s` and the encoded path, so that it never meets a label of another kind.
    pub(crate) fn labels(&self) -> impl Iterator<Item = Label> {
        self.ends().zip(1..).map(|(end, depth)| Label::from(label(depth, &self.path.as_bytes()[..end])))
    }

    /// The index label of this scope alone.
    pub(crate) fn label(&self) -> Vec<u8> {
        label(self.depth, self.path.as_bytes())
    }

    /// Whether this is the label of the scope.
    pub(crate) fn is_labelled(&self, label: &Label) -> bool {
        // How many levels there are follows from what they are.
        let path = label.as_bytes().strip_prefix(b"s").and_then(|levels| levels.get(HEADER..));
        path == Some(self.path.as_bytes())
    }

    /// The scope of an entry, from its labels: the deepest one that names a scope.
    pub(crate) fn of_labels(labels: &[Label]) -> Self {
        let mut scopes = labels.iter().rev().filter_map(|label| label.as_bytes().strip_prefix(b"s"));
        scopes.next().and_then(split_levels).map_or_else(Self::global, |(scope, _)| scope)
    }

    /// Writes the path as a key holds it: a sequence of levels, each a text for its name and one for its value.
    pub(crate) fn write_levels(&self, key: &mut KeyBytes) {
        key.sequence(self.depth);
        key.append(self.path.as_bytes());
    }

    /// The levels as bytes, for a hash.
    pub(crate) fn path(&self) -> &[u8] {
        self.path.as_bytes()
    }
}

/// The label of a scope with this path.
fn label(depth: usize, path: &[u8]) -> Vec<u8> {
    let mut label = KeyBytes::with_capacity(1 + HEADER + path.len());
    label.append(b"s");
    label.sequence(depth);
    label.append(path);
    label.into_vec()
}

/// So many bytes say how many levels follow.
const HEADER: usize = 1 + size_of::<u64>();

impl Default for Scope {
    fn default() -> Self {
        Self::global()
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.path.as_bytes() == other.path.as_bytes()
    }
}

impl Eq for Scope {}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path.as_bytes().hash(state);
    }
}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> Ordering {
        self.levels().cmp(other.levels())
    }
}
