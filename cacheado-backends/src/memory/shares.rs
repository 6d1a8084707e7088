//! Bounds on groups: how many entries each may hold, so that one of them cannot drive out the others'.
//!
//! The store does not know what a group is. Whoever opens it says of a label how many entries it may have; the
//! order in which they leave is the group's own.

use std::fmt;
use std::sync::Arc;

use super::Label;

/// How many entries with this label there may be; `None`: as many as fit.
pub type MostOf = Arc<dyn Fn(&Label) -> Option<usize> + Send + Sync>;

/// Bounds on groups.
#[derive(Clone, Default)]
pub struct Shares {
    /// The bounds as they were asked for: the kind of a group, and how many entries each of the kind may hold.
    pub(super) kinds: Vec<(Arc<str>, usize)>,
    most_of: Option<MostOf>,
}

impl Shares {
    /// The bounds as they were asked for: the kind of a group, and how many entries each of the kind may hold.
    #[must_use]
    pub fn kinds(&self) -> &[(Arc<str>, usize)] {
        &self.kinds
    }

    /// With what tells a label's bound: without it, none is kept.
    #[must_use]
    pub fn told_by(self, most_of: MostOf) -> Self {
        Self { most_of: Some(most_of), ..self }
    }

    /// The bounds of both, told by whichever of the two can tell.
    pub(super) fn tightened(mut self, more: Self) -> Self {
        for (kind, most) in more.kinds {
            match self.kinds.iter_mut().find(|(own, _)| *own == kind) {
                Some((_, own)) => *own = most.min(*own),
                None => self.kinds.push((kind, most)),
            }
        }
        Self { most_of: self.most_of.or(more.most_of), ..self }
    }

    /// The tightest bound, if there is any.
    pub(super) fn tightest(&self) -> Option<usize> {
        let most = self.kinds.iter().map(|(_, most)| *most).min();
        most.filter(|_| self.most_of.is_some())
    }

    /// The bound of a label, if it has one.
    pub(super) fn of(&self, label: &Label) -> Option<usize> {
        let most_of = self.most_of.as_ref().filter(|_| !self.kinds.is_empty())?;
        most_of(label)
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.kinds).finish()
    }
}
