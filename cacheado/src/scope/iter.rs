//! Walks along a path: down its levels, and up its ancestors.

use std::iter::FusedIterator;
use std::slice;

use super::Scope;
use super::level::Level;

/// The levels of a [`Scope`] with their values, from the top down; see [`Scope::levels`].
///
/// ```
/// let levels = cacheado::scope::Scope::global();
/// assert_eq!(levels.levels().len(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Levels<'a>(slice::Iter<'a, Level>);

impl<'a> Levels<'a> {
    pub(super) fn new(path: &'a [Level]) -> Self {
        Self(path.iter())
    }
}

impl<'a> Iterator for Levels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|level| (level.name.as_str(), &*level.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
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
pub struct Ancestors(Option<Scope>);

impl Ancestors {
    pub(super) fn new(scope: Scope) -> Self {
        Self(Some(scope))
    }
}

impl Iterator for Ancestors {
    type Item = Scope;

    fn next(&mut self) -> Option<Scope> {
        let scope = self.0.take()?;
        self.0 = scope.parent();
        Some(scope)
    }
}

impl FusedIterator for Ancestors {}
