//! Walks along a path: down its levels, and up its ancestors.

use std::fmt;
use std::iter::FusedIterator;

use super::Scope;
use super::levels::next_level;

/// The levels of a [`Scope`] with their values, from the top down; see [`Scope::levels`].
///
/// ```
/// let levels = cacheado::scope::Scope::global();
/// assert_eq!(levels.levels().len(), 0);
/// ```
#[derive(Clone)]
pub struct Levels<'a> {
    /// So many of which remain.
    left: usize,
    path: &'a [u8],
}

impl<'a> Levels<'a> {
    pub(super) fn new(left: usize, path: &'a [u8]) -> Self {
        Self { left, path }
    }

    /// What remains as bytes.
    pub(super) fn path(&self) -> &'a [u8] {
        self.path
    }
}

impl<'a> Iterator for Levels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        next_level(&mut self.path)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl fmt::Debug for Levels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl ExactSizeIterator for Levels<'_> {}
impl FusedIterator for Levels<'_> {}

/// A [`Scope`] and what contains it, up to the root; see [`Scope::ancestors`].
///
/// ```
/// assert_eq!(cacheado::scope::Scope::global().ancestors().count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Ancestors {
    scope: Option<Scope>,
    /// Where its levels end.
    ends: Vec<usize>,
}

impl Ancestors {
    pub(super) fn new(scope: Scope) -> Self {
        let ends = scope.ends().collect();
        Self { scope: Some(scope), ends }
    }
}

impl Iterator for Ancestors {
    type Item = Scope;

    fn next(&mut self) -> Option<Scope> {
        let scope = self.scope.take()?;
        if self.ends.pop().is_some() {
            let above = self.ends.last().map(|end| scope.cut(self.ends.len(), *end));
            self.scope = Some(above.unwrap_or_default());
        }
        Some(scope)
    }
}

impl FusedIterator for Ancestors {}
