//! The value of an entry, and where it is while code that does not know its type moves it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A value of any type, behind a pointer.
pub type AnyValue = Arc<dyn Any + Send + Sync>;

/// A value behind a pointer, where it is none of these pointers already.
pub fn behind<V: Clone + Send + Sync + 'static>(value: V) -> AnyValue {
    match (&value as &dyn Any).downcast_ref::<AnyValue>() {
        Some(value) => Arc::clone(value),
        None => Arc::new(value),
    }
}

/// A pointer to a value, unless that is such a pointer itself.
fn unwrapped(value: AnyValue) -> AnyValue {
    value.downcast_ref::<AnyValue>().cloned().unwrap_or(value)
}

/// The value from behind its pointer; `None` if it is of another type.
#[must_use]
pub fn own<V: Clone + Send + Sync + 'static>(value: AnyValue) -> Option<V> {
    if let Some(value) = (&value as &dyn Any).downcast_ref::<V>() {
        return Some(value.clone());
    }
    let Ok(value) = value.downcast() else { return None };
    // Not by `unwrap_or_clone`, which would be compiled for each type, too.
    match Arc::try_unwrap(value) {
        Ok(value) => Some(value),
        Err(value) => Some(V::clone(&value)),
    }
}

/// A stored value.
///
/// `Inline` is for values whose `clone` runs no code of the user's (numbers, strings, `Arc`s): they are
/// cloned under the shard's lock. Others stand behind an `Arc`, and are cloned after it is released.
pub(super) enum Held<V> {
    Inline(V),
    Shared(Arc<V>),
}

impl<V> Held<V> {
    pub(super) fn new(value: V, inert: bool) -> Self {
        if inert { Self::Inline(value) } else { Self::Shared(Arc::new(value)) }
    }
}

impl<V: Clone> Held<V> {
    /// What may be taken along under the lock.
    #[inline]
    pub(super) fn take_along(&self) -> Self {
        match self {
            Self::Inline(value) => Self::Inline(value.clone()),
            Self::Shared(value) => Self::Shared(Arc::clone(value)),
        }
    }

    /// The value, for which the lock must have been released.
    #[inline]
    pub(super) fn into_value(self) -> V {
        match self {
            Self::Inline(value) => value,
            Self::Shared(value) => V::clone(&value),
        }
    }
}

/// The hand of a thread: an entry's value on its way into a table or out of it. It is the caller's, so that no
/// value is cloned or dropped under a lock.
pub(super) struct Hand<V>(pub(super) Option<Held<V>>);

/// A hand, for code that does not know the type of what is in it.
pub(super) trait AnyHand {
    /// The hand, for the table that does.
    fn as_any(&mut self) -> &mut dyn Any;
    /// The value and its size; `None` where the hand is empty.
    fn value(&self) -> Option<(&dyn Any, usize)>;
    /// Takes the value out. Not to be called under a lock: it may be cloned.
    fn give(&mut self) -> Option<AnyValue>;
    /// Takes a value in; whether it is of the right type. Not to be called under a lock.
    fn take(&mut self, value: AnyValue, inert: bool) -> bool;
}

impl<V: Clone + Send + Sync + 'static> AnyHand for Hand<V> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn value(&self) -> Option<(&dyn Any, usize)> {
        let value: &V = match &self.0 {
            Some(Held::Inline(value)) => value,
            Some(Held::Shared(value)) => value,
            None => return None,
        };
        Some((value, size_of::<V>()))
    }

    fn give(&mut self) -> Option<AnyValue> {
        match self.0.take() {
            None => None,
            Some(Held::Inline(value)) => Some(behind(value)),
            Some(Held::Shared(value)) => Some(unwrapped(value)),
        }
    }

    fn take(&mut self, value: AnyValue, inert: bool) -> bool {
        let Some(value) = own(value) else { return false };
        self.0 = Some(Held::new(value, inert));
        true
    }
}

/// Drops a value of the user's. A panic in its `drop` goes no further than the log.
pub(super) fn drop_contained<T>(value: T) {
    let mut value = Some(value);
    contained(&mut || drop(value.take()));
}

/// The same for all types.
fn contained(dropping: &mut dyn FnMut()) {
    if catch_unwind(AssertUnwindSafe(dropping)).is_err() {
        tracing::error!("a cached value panicked while it was dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_behind_its_pointer() {
        let mut hand = Hand::<String>(None);
        for inert in [true, false] {
            assert!(hand.take(behind("a".to_owned()), inert));
            assert_eq!(hand.value().map(|(_, size)| size), Some(size_of::<String>()));
            assert_eq!(hand.give().and_then(own::<String>), Some("a".to_owned()));
            assert!(hand.give().is_none(), "it is empty");
        }
        assert!(!hand.take(behind(1_u8), true), "it is of another type");
    }

    #[test]
    fn a_pointer_that_is_the_value_stays_what_it_is() {
        let value: AnyValue = Arc::new(5_u8);
        let mut hand = Hand::<AnyValue>(None);
        for inert in [true, false] {
            assert!(hand.take(behind(Arc::clone(&value)), inert));
            assert!(hand.give().is_some_and(|given| Arc::ptr_eq(&given, &value)));
        }
    }
}
