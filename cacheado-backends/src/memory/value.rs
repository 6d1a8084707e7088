//! The value of an entry, and where it is while code that does not know its type moves it.

use std::any::{Any, TypeId};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::slot::Head;
use super::table::Entry;

/// A value of any type, behind a pointer that several may have.
///
/// No `Arc<V>`, of which all that becomes of one would be compiled for each type: here only the trait's methods are.
#[derive(Clone)]
pub struct AnyValue(Arc<dyn Place>);

/// Where a value stands, until the last who has it takes it out.
struct Behind<V>(Option<V>);

trait Place: Any + Send + Sync {
    fn value(&self) -> Option<&dyn Any>;
}

impl<V: Send + Sync + 'static> Place for Behind<V> {
    fn value(&self) -> Option<&dyn Any> {
        match &self.0 {
            Some(value) => Some(value),
            None => None,
        }
    }
}

#[expect(clippy::manual_map, reason = "it is compiled for each type, and each `map` is a call of its own")]
impl AnyValue {
    /// A pointer to a copy of a value, or a copy of the pointer that it is.
    pub(super) fn copied<V: Clone + Send + Sync + 'static>(value: &V) -> Self {
        let any: &dyn Any = value;
        match any.downcast_ref::<Self>() {
            Some(pointer) => pointer.clone(),
            None => Self::new(value.clone()),
        }
    }

    /// Puts the value behind a pointer.
    #[must_use]
    pub fn new<V: Send + Sync + 'static>(value: V) -> Self {
        Self(Arc::new(Behind(Some(value))))
    }

    /// The value; `None` if it is of another type.
    #[must_use]
    pub fn get<V: 'static>(&self) -> Option<&V> {
        match self.place().downcast_ref() {
            Some(Behind(Some(value))) => Some(value),
            _ => None,
        }
    }

    /// The value from behind its pointer, where it is not any more then, or a clone where others have the pointer too;
    /// `None` if it is of another type.
    #[must_use]
    pub fn take<V: Clone + 'static>(&mut self) -> Option<V> {
        match self.alone() {
            Some(place) => match place.downcast_mut() {
                Some(Behind(value)) => value.take(),
                None => None,
            },
            None => match self.get::<V>() {
                Some(value) => Some(value.clone()),
                None => None,
            },
        }
    }

    /// The type of the value.
    #[must_use]
    pub fn value_type(&self) -> Option<TypeId> {
        self.value().map(Any::type_id)
    }

    /// The value, whatever it is.
    pub(super) fn value(&self) -> Option<&dyn Any> {
        self.0.value()
    }

    #[inline]
    fn place(&self) -> &dyn Any {
        &*self.0
    }

    /// The same to be changed, if nobody else has it.
    fn alone(&mut self) -> Option<&mut dyn Any> {
        match Arc::get_mut(&mut self.0) {
            Some(place) => Some(place),
            None => None,
        }
    }
}

impl fmt::Debug for AnyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyValue").finish_non_exhaustive()
    }
}

/// The hand of a thread: an entry on its way into a table or out of it, or just its value, which then has an empty head.
/// It is the caller's, so that no value is cloned or dropped under a lock.
pub(super) struct Hand<V>(pub(super) Option<Entry<V>>);

impl<V> Hand<V> {
    pub(super) fn new(value: V) -> Self {
        Self(Some(Entry { head: Head::none(), value }))
    }
}

/// A hand, for code that does not know the type of what is in it. Its methods are compiled for each type.
pub(super) trait AnyHand {
    /// The hand, for the table that knows its type.
    fn as_any(&mut self) -> &mut dyn Any;
    /// The value; `None` where the hand is empty.
    fn value(&self) -> Option<&dyn Any>;
    /// The head; `None` where the hand is empty.
    fn head(&mut self) -> Option<&mut Head>;
    /// Drops what is in it.
    fn clear(&mut self);
    /// Takes in the value from behind a pointer; whether it is of the right type.
    fn take_unwrapped(&mut self, value: &mut AnyValue) -> bool;
}

impl<V: Clone + Send + Sync + 'static> AnyHand for Hand<V> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn value(&self) -> Option<&dyn Any> {
        match &self.0 {
            Some(entry) => Some(&entry.value),
            None => None,
        }
    }

    fn head(&mut self) -> Option<&mut Head> {
        match &mut self.0 {
            Some(entry) => Some(&mut entry.head),
            None => None,
        }
    }

    fn clear(&mut self) {
        self.0 = None;
    }

    fn take_unwrapped(&mut self, value: &mut AnyValue) -> bool {
        match value.take() {
            Some(value) => {
                *self = Self::new(value);
                true
            }
            None => false,
        }
    }
}

impl dyn AnyHand + '_ {
    /// Takes in a value from behind a pointer; whether it is of the right type. Not to be called under a lock: the value
    /// may be cloned.
    pub(super) fn take(&mut self, mut value: AnyValue) -> bool {
        match self.pointer() {
            Some(hand) => {
                *hand = Hand::new(value);
                true
            }
            None => self.take_unwrapped(&mut value),
        }
    }

    /// Takes the head out, and leaves the value.
    pub(super) fn take_head(&mut self) -> Option<Head> {
        self.head().map(|head| std::mem::replace(head, Head::none()))
    }

    /// Drops what is in it. A panic in a value's `drop` goes no further than the log.
    pub(super) fn clear_contained(&mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.clear())).is_err() {
            tracing::error!(target: "cacheado", "a cached value panicked while it was dropped");
        }
    }

    /// The hand, if it is for such pointers.
    fn pointer(&mut self) -> Option<&mut Hand<AnyValue>> {
        self.as_any().downcast_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_into_a_hand_of_its_type() {
        let hand: &mut dyn AnyHand = &mut Hand::<String>(None);
        assert!(hand.take(AnyValue::new("a".to_owned())));
        assert_eq!(hand.value().and_then(|value| value.downcast_ref()), Some(&"a".to_owned()));
        assert!(!hand.take(AnyValue::new(1_u8)), "it is of another type");
    }

    #[test]
    fn a_pointer_that_is_the_value_stays_what_it_is() {
        let value = AnyValue::new(5_u8);
        let mut hand = Hand::<AnyValue>(None);
        let any: &mut dyn AnyHand = &mut hand;
        assert!(any.take(value.clone()));
        assert!(hand.0.is_some_and(|taken| Arc::ptr_eq(&taken.value.0, &value.0)));
        assert!(Arc::ptr_eq(&AnyValue::copied(&value).0, &value.0));
        assert_eq!(AnyValue::copied(&5_u8).take(), Some(5_u8));
    }

    #[test]
    fn a_value_that_others_have_is_cloned_and_one_that_nobody_has_is_not() {
        let text = Arc::new(());
        let mut value = AnyValue::new(Arc::clone(&text));
        let mut other = value.clone();
        assert_eq!(value.take::<Arc<()>>().map(|_| Arc::strong_count(&text)), Some(3));
        assert_eq!(other.get::<Arc<()>>().map(Arc::strong_count), Some(2));
        drop(value);
        assert_eq!(other.take::<Arc<()>>().map(|_| Arc::strong_count(&text)), Some(2));
    }

    #[test]
    fn a_value_of_another_type_is_none() {
        let mut value = AnyValue::new(5_u8);
        assert_eq!(value.value_type(), Some(TypeId::of::<u8>()));
        assert!(value.get::<u16>().is_none());
        assert!(value.take::<u16>().is_none());
        assert_eq!(value.take(), Some(5_u8));
        assert_eq!((value.take::<u8>(), value.value_type()), (None, None), "it has been taken");
    }
}
