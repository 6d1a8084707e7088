//! [`ScopeTreeBuilder`]: collects the levels of a tree, and checks them.

use std::sync::Arc;

use super::tree::Node;
use super::{GLOBAL, ScopeError, ScopeTree};

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

    /// Adds a level below `parent`, which may be declared later. Below `global`, the root of all, is at the top.
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
        let parent = Some(parent.into()).filter(|parent| **parent != *GLOBAL);
        self.levels.push(Node { name: name.into(), param: param.into(), parent });
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

impl ScopeTree {
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
