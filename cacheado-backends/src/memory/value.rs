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

/// The value from behind its pointer; `None` if it is of another type.
#[must_use]
pub fn own<V: Clone + Send + Sync + 'static>(value: AnyValue) -> Option<V> {
    if let Some(value) = (&value as &dyn Any).downcast_ref::<V>() {
        return Some(value.clone());
    }
    match value.downcast() {
        Ok(value) => Some(unwrapped(value)),
        Err(_) => None,
    }
}

/// The value from behind its pointer, cloned where others have it too. Not `Arc::unwrap_or_clone`, which would be compiled
/// for each type, too.
#[must_use]
pub fn unwrapped<V: Clone>(value: Arc<V>) -> V {
    match Arc::try_unwrap(value) {
        Ok(value) => value,
        Err(value) => V::clone(&value),
    }
}

/// The hand of a thread: an entry's value on its way into a table or out of it. It is the caller's, so that no
/// value is cloned or dropped under a lock.
pub(super) struct Hand<V>(pub(super) Option<V>);

/// A hand, for code that does not know the type of what is in it.
pub(super) trait AnyHand {
    /// The hand, for the table that does.
    fn as_any(&mut self) -> &mut dyn Any;
    /// The value and its size; `None` where the hand is empty.
    fn value(&self) -> Option<(&dyn Any, usize)>;
    /// Takes the value out. Not to be called under a lock: it may be cloned.
    fn give(&mut self) -> Option<AnyValue>;
    /// Takes a value in; whether it is of the right type. Not to be called under a lock.
    fn take(&mut self, value: AnyValue) -> bool;
}

impl<V: Clone + Send + Sync + 'static> AnyHand for Hand<V> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn value(&self) -> Option<(&dyn Any, usize)> {
        match &self.0 {
            Some(value) => Some((value, size_of::<V>())),
            None => None,
        }
    }

    fn give(&mut self) -> Option<AnyValue> {
        match self.0.take() {
            Some(value) => Some(behind(value)),
            None => None,
        }
    }

    fn take(&mut self, value: AnyValue) -> bool {
        self.0 = own(value);
        self.0.is_some()
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
        assert!(hand.take(behind("a".to_owned())));
        assert_eq!(hand.value().map(|(_, size)| size), Some(size_of::<String>()));
        assert_eq!(hand.give().and_then(own::<String>), Some("a".to_owned()));
        assert!(hand.give().is_none(), "it is empty");
        assert!(!hand.take(behind(1_u8)), "it is of another type");
    }

    #[test]
    fn a_pointer_that_is_the_value_stays_what_it_is() {
        let value: AnyValue = Arc::new(5_u8);
        let mut hand = Hand::<AnyValue>(None);
        assert!(hand.take(behind(Arc::clone(&value))));
        assert!(hand.give().is_some_and(|given| Arc::ptr_eq(&given, &value)));
    }
}
