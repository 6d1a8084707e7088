//! [`ScopeTree`]: which levels there are, what hangs below what, and which parameter gives each its value.

use std::sync::Arc;

use super::{GLOBAL, ScopeError, ScopeTreeBuilder};

/// The levels that scopes can have. Several trees may stand side by side in one; `global` is above them all.
/// Cheap to clone.
///
/// ```
/// use cacheado::scope::ScopeTree;
///
/// let tree = ScopeTree::builder()
///     .level("organization", "org_id")
///     .child("organization", "user", "user_id")
///     .build()?;
/// let scope = tree.resolve("user", [("org_id", "o1"), ("user_id", "u7")])?;
/// assert_eq!(scope.to_string(), "organization:o1/user:u7");
/// # Ok::<(), cacheado::scope::ScopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeTree {
    pub(super) levels: Arc<[Node]>,
}

/// A level of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) param: Arc<str>,
    pub(super) parent: Option<Arc<str>>,
}

impl ScopeTree {
    /// A tree without levels, to be filled.
    ///
    /// ```
    /// use cacheado::scope::ScopeTree;
    ///
    /// assert!(ScopeTree::builder().level("car", "car_id").build().is_ok());
    /// assert!(ScopeTree::builder().level("global", "id").build().is_err());
    /// ```
    pub fn builder() -> ScopeTreeBuilder {
        ScopeTreeBuilder::default()
    }

    /// The names of the levels, in the order of their declaration.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// let tree = ScopeTree::builder().level("car", "car_id").child("car", "door", "door_id").build()?;
    /// assert!(tree.levels().eq(["car", "door"]));
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().map(|level| &*level.name)
    }

    /// Whether the tree has a level; `global` is always there.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// let tree = ScopeTree::builder().level("car", "car_id").build()?;
    /// assert!(tree.contains("car") && tree.contains("global") && !tree.contains("boat"));
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn contains(&self, level: &str) -> bool {
        self.nodes(level).is_some()
    }

    /// The parameters that a level needs, from the top down; none for `global` or an unknown level.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// let tree = ScopeTree::builder().level("car", "car_id").child("car", "door", "door_id").build()?;
    /// assert_eq!(tree.params("door"), ["car_id", "door_id"]);
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn params(&self, level: &str) -> Vec<&str> {
        self.nodes(level).unwrap_or_default().into_iter().map(|node| &*node.param).collect()
    }

    /// A level with its ancestors and their parameters, for people; `global` for the root, and empty for an
    /// unknown level.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// let tree = ScopeTree::builder().level("car", "car_id").child("car", "door", "door_id").build()?;
    /// assert_eq!(tree.chain("door"), "car(car_id) > door(door_id)");
    /// # Ok::<(), cacheado::scope::ScopeError>(())
    /// ```
    #[must_use]
    pub fn chain(&self, level: &str) -> String {
        match self.nodes(level) {
            None => String::new(),
            Some(nodes) if nodes.is_empty() => GLOBAL.to_owned(),
            Some(nodes) => {
                let levels: Vec<_> =
                    nodes.iter().map(|node| format!("{}({})", node.name, node.param)).collect();
                levels.join(" > ")
            }
        }
    }

    /// The levels from the top down to `level`: none for the root, `None` for an unknown level.
    pub(super) fn nodes(&self, level: &str) -> Option<Vec<&Node>> {
        let mut nodes = Vec::new();
        let mut next = (level != GLOBAL).then_some(level);
        while let Some(name) = next {
            let node = self.levels.iter().find(|node| &*node.name == name)?;
            // Only a tree that is still being checked can have a cycle.
            if nodes.len() == self.levels.len() {
                return None;
            }
            nodes.push(node);
            next = node.parent.as_deref();
        }
        nodes.reverse();
        Some(nodes)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.levels().map(str::to_owned).collect()
    }

    pub(super) fn unknown_level(&self, level: &str) -> ScopeError {
        let mut levels = self.names();
        levels.push(GLOBAL.to_owned());
        ScopeError::UnknownLevel { level: level.to_owned(), levels }
    }
}
