//! Values of any type, as the engine has them: behind a pointer, or in the hands of the caller.
//!
//! The engine is compiled once, and not for each type that is cached: what is generic is the hit path, which holds
//! the values themselves, and a thin shell around a call that missed, which knows what its function returns.

use std::any::TypeId;
use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use cacheado_backends::memory::{AnyRegion, Fill, Placed};

use super::kind::{Kind, Worth};
use crate::engine::flight::Boarded;
use crate::error::Error;

/// A stored value, or another that is handed on, behind a pointer.
pub(crate) use cacheado_backends::memory::AnyValue as Held;

/// What a call comes to.
pub(crate) enum Value {
    /// A value that can be stored.
    Stored(Held),
    /// An outcome of another caller's that can only be handed on.
    Shared(Held),
    /// The backend failed, and the function wants to know.
    Unavailable(Error),
    /// The body took too long.
    TookTooLong(Error),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").finish_non_exhaustive()
    }
}

/// Which values are the function's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed {
    pub(super) stored: TypeId,
    shared: Option<TypeId>,
}

impl Typed {
    pub(crate) fn of<K: Kind>(kind: K) -> Self {
        Self { stored: kind.held_type(), shared: kind.shared_type() }
    }

    /// What a stored value stands for; `None` if it is of another type.
    pub(crate) fn restore(self, held: Held) -> Option<Value> {
        // What is a pointer by itself is behind no other.
        let is_own = self.stored == TypeId::of::<Held>() || self.stored == (*held).type_id();
        is_own.then_some(Value::Stored(held))
    }

    /// The same for an outcome that can only be handed on.
    pub(crate) fn unshare(self, shared: Held) -> Option<Value> {
        (self.shared == Some((*shared).type_id())).then_some(Value::Shared(shared))
    }
}

/// What a body has returned, in the hands of its caller.
pub(crate) trait Outcome {
    fn worth(&self) -> Worth;
    /// `cache_if`.
    fn may_be_stored(&self) -> bool;
    /// `ttl_with`.
    fn ttl(&self) -> Option<Duration>;
    /// A copy of what is stored of it; `None` if it cannot be.
    fn held(&self) -> Option<Held>;
    /// A copy for those who wait, where it is not one that can be stored.
    fn shared(&self) -> Option<Held>;
    /// Stores a copy. `None` if it cannot be.
    fn fill(&self, region: &AnyRegion, fill: Fill, ticket: &Boarded) -> Option<Placed>;
}

/// What a function wants done with its outcomes.
pub(crate) struct Wishes<K: Kind> {
    pub(crate) kind: K,
    pub(crate) ttl_with: Option<fn(&K::Payload) -> Duration>,
    pub(crate) cache_if: Option<fn(&K::Return) -> bool>,
    /// What it returns where the backend fails; left out, what the body does.
    pub(crate) on_backend_error: Option<fn(Error) -> K::Return>,
    /// What it returns where the body takes too long.
    pub(crate) on_timeout: Option<fn(Error) -> K::Return>,
}

#[expect(clippy::expl_impl_clone_on_copy, reason = "deriving it would ask the function's types for it")]
impl<K: Kind> Clone for Wishes<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Kind> Copy for Wishes<K> {}

impl<K: Kind> Wishes<K> {
    pub(crate) fn none(kind: K) -> Self {
        Self { kind, ttl_with: None, cache_if: None, on_backend_error: None, on_timeout: None }
    }

    /// What the function returns for what its call has come to.
    pub(crate) fn returned(self, value: Value) -> K::Return {
        let returned = match value {
            Value::Stored(held) => self.kind.release(held),
            Value::Shared(shared) => self.kind.unshare(&*shared),
            Value::Unavailable(error) => return on_failure(self.on_backend_error, error),
            Value::TookTooLong(error) => return on_failure(self.on_timeout, error),
        };
        match returned {
            Some(returned) => returned,
            None => no_value(),
        }
    }
}

fn on_failure<R>(returned: Option<fn(Error) -> R>, error: Error) -> R {
    match returned {
        Some(returned) => returned(error),
        None => no_value(),
    }
}

/// A call comes to a value of its own type, or runs its body: the engine asks [`Typed`], and whether there are the
/// functions for an outage.
#[cold]
#[expect(clippy::panic, reason = "an invariant of the engine")]
pub(crate) fn no_value() -> ! {
    panic!("a call comes to a value of its function's type")
}

/// An [`Outcome`] of this kind.
pub(crate) struct Of<K: Kind, R>(pub(crate) Wishes<K>, pub(crate) R);

impl<K: Kind, R: Borrow<K::Return>> Outcome for Of<K, R> {
    fn worth(&self) -> Worth {
        self.0.kind.worth(self.1.borrow())
    }

    fn may_be_stored(&self) -> bool {
        self.0.cache_if.is_none_or(|cache_if| cache_if(self.1.borrow()))
    }

    fn ttl(&self) -> Option<Duration> {
        match (self.0.ttl_with, self.0.kind.payload(self.1.borrow())) {
            (Some(ttl_with), Some(payload)) => Some(ttl_with(payload)),
            _ => None,
        }
    }

    fn held(&self) -> Option<Held> {
        self.0.kind.hold(self.1.borrow())
    }

    fn shared(&self) -> Option<Held> {
        self.0.kind.share(self.1.borrow())
    }

    fn fill(&self, region: &AnyRegion, fill: Fill, ticket: &Boarded) -> Option<Placed> {
        match self.0.kind.store(self.1.borrow()) {
            Some(stored) => region.try_fill(fill, ticket, stored),
            None => None,
        }
    }
}

/// A body and what it has returned, for a driver that knows no types.
pub(crate) trait Body {
    /// Runs the body, once.
    fn run(&mut self) -> &dyn Outcome;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::function::kind::Own;
    use crate::function::probe::{OuterOf, Probe};

    #[test]
    fn a_value_comes_back_from_behind_its_pointer() {
        let kind = (&&Probe::<Option<String>>::new()).outer().kind().checked();
        let held = kind.hold(&Some("a".to_owned())).expect("it can be stored");
        assert!(Typed::of(kind).restore(Arc::clone(&held)).is_some());
        assert!(Typed::of(Own::<String>::new()).restore(Arc::clone(&held)).is_none(), "it is another type's");
        assert_eq!(kind.release(held), Some(Some("a".to_owned())));
    }

    #[test]
    fn a_pointer_that_is_the_value_comes_back_as_it_is() {
        let kind = (&Probe::<Held>::new()).outer().kind().checked();
        let value: Held = Arc::new(5_u8);
        let held = kind.hold(&value).expect("it can be stored");
        assert!(Arc::ptr_eq(&held, &value));
        assert!(Typed::of(kind).restore(Arc::clone(&held)).is_some());
        assert!(kind.release(held).is_some_and(|released| Arc::ptr_eq(&released, &value)));
    }
}
