//! [`ScopeTree`]: which levels there are, what hangs below what, and which parameter gives each its value.

use std::sync::Arc;

use super::{GLOBAL, ScopeError};

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
    levels: Arc<[Node]>,
}

/// A level of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) param: Arc<str>,
    parent: Option<Arc<str>>,
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

    fn names(&self) -> Vec<String> {
        self.levels().map(str::to_owned).collect()
    }

    pub(super) fn unknown_level(&self, level: &str) -> ScopeError {
        let mut levels = self.names();
        levels.push(GLOBAL.to_owned());
        ScopeError::UnknownLevel { level: level.to_owned(), levels }
    }

    fn check(&self) -> Result<(), ScopeError> {
        if self.levels.is_empty() {
            return Err(ScopeError::EmptyTree);
        }
        for (index, node) in self.levels.iter().enumerate() {
            let level = node.name.to_string();
            if node.name.is_empty() || node.param.is_empty() {
                return Err(ScopeError::EmptyName);
            }
            if &*node.name == GLOBAL {
                return Err(ScopeError::ReservedName { name: level });
            }
            if self.levels[..index].iter().any(|other| other.name == node.name) {
                return Err(ScopeError::DuplicateLevel { level });
            }
        }
        self.levels.iter().try_for_each(|node| self.check_chain(node))
    }

    fn check_chain(&self, node: &Node) -> Result<(), ScopeError> {
        let level = node.name.to_string();
        if let Some(parent) = &node.parent
            && !self.levels.iter().any(|other| other.name == *parent)
        {
            let (parent, levels) = (parent.to_string(), self.names());
            return Err(ScopeError::UnknownParent { level, parent, levels });
        }
        match self.nodes(&node.name) {
            Some(chain) => match chain.split_last() {
                Some((_, above)) if above.iter().any(|other| other.param == node.param) => {
                    Err(ScopeError::DuplicateParameter { level, param: node.param.to_string() })
                }
                _ => Ok(()),
            },
            // An ancestor with an unknown parent is reported for itself.
            None if self.is_cyclic(node) => Err(ScopeError::Cycle { level }),
            None => Ok(()),
        }
    }

    /// Whether the walk up from a level comes back to it.
    fn is_cyclic(&self, node: &Node) -> bool {
        let mut next = node.parent.as_deref();
        for _ in 0..self.levels.len() {
            let Some(above) = next.and_then(|name| self.levels.iter().find(|other| &*other.name == name))
            else {
                return false;
            };
            if above.name == node.name {
                return true;
            }
            next = above.parent.as_deref();
        }
        false
    }
}

/// Collects the levels of a [`ScopeTree`], parents and children in any order.
///
/// ```
/// use cacheado::scope::ScopeTree;
///
/// let tree = ScopeTree::builder()
///     .child("car", "door", "door_id")
///     .level("car", "car_id")
///     .level("organization", "org_id")
///     .build()?;
/// assert_eq!(tree.params("door"), ["car_id", "door_id"]);
/// # Ok::<(), cacheado::scope::ScopeError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens before `build`"]
pub struct ScopeTreeBuilder {
    levels: Vec<Node>,
}

impl ScopeTreeBuilder {
    /// Adds a level at the top, whose value comes from the parameter `param`.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// assert!(ScopeTree::builder().level("car", "car_id").build().is_ok());
    /// ```
    pub fn level(mut self, name: impl Into<Arc<str>>, param: impl Into<Arc<str>>) -> Self {
        self.levels.push(Node { name: name.into(), param: param.into(), parent: None });
        self
    }

    /// Adds a level below `parent`, which may be declared later.
    ///
    /// ```
    /// # use cacheado::scope::ScopeTree;
    /// assert!(ScopeTree::builder().child("nowhere", "door", "door_id").build().is_err());
    /// ```
    pub fn child(
        mut self,
        parent: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
        param: impl Into<Arc<str>>,
    ) -> Self {
        self.levels.push(Node { name: name.into(), param: param.into(), parent: Some(parent.into()) });
        self
    }

    /// Checks the levels and makes the tree.
    ///
    /// # Errors
    ///
    /// [`ScopeError`]: no level at all, an empty or reserved name, a level twice, an unknown parent, a cycle, or
    /// one parameter twice on the way down to a level.
    ///
    /// ```
    /// # use cacheado::scope::{ScopeError, ScopeTree};
    /// let twice = ScopeTree::builder().level("car", "id").level("car", "id").build();
    /// assert_eq!(twice, Err(ScopeError::DuplicateLevel { level: "car".to_owned() }));
    /// ```
    pub fn build(self) -> Result<ScopeTree, ScopeError> {
        let tree = ScopeTree { levels: self.levels.into() };
        tree.check()?;
        Ok(tree)
    }
}
