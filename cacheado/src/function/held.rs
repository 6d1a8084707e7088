//! Values of any type, as the engine has them: behind a pointer, or in the hands of the caller.
//!
//! The engine is compiled once, and not for each type that is cached: what is generic is the hit path, which holds
//! the values themselves, and a thin shell around a call that missed, which knows what its function returns.

use std::any::TypeId;
use std::borrow::Borrow;
use std::fmt;
use std::time::Duration;

use cacheado_backends::memory::Filling;

use super::kind::{Kind, Worth};
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
    Unavailable(Failure),
    /// The body took too long.
    TookTooLong(Failure),
}

/// Why there is no value, until it is told.
type Failure = Option<Error>;

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").finish_non_exhaustive()
    }
}

/// Which values are the function's own: the types of what is behind their pointers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed {
    pub(crate) stored: TypeId,
    shared: TypeId,
}

impl Typed {
    pub(crate) fn new(stored: TypeId, shared: TypeId) -> Self {
        Self { stored, shared }
    }

    /// What a stored value stands for; `None` if it is of another type.
    pub(crate) fn restore(self, held: Held) -> Option<Value> {
        (held.value_type() == Some(self.stored)).then_some(Value::Stored(held))
    }

    /// The same for an outcome that can only be handed on.
    pub(crate) fn unshare(self, shared: Held) -> Option<Value> {
        (shared.value_type() == Some(self.shared)).then_some(Value::Shared(shared))
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
    /// Stores a copy, if it can be.
    fn fill(&self, filling: &mut Filling<'_>);
}

/// What a function wants done with its outcomes.
pub(crate) struct Wishes<K: Kind> {
    pub(crate) kind: K,
    ttl_with: Option<fn(&K::Payload) -> Duration>,
    /// Where it is there, what makes use of it.
    ttl_of: Option<TtlOf<K>>,
    cache_if: Option<fn(&K::Return) -> bool>,
    /// What it returns where the backend fails; left out, what the body does.
    on_backend_error: Option<fn(Error) -> K::Return>,
    /// What it returns where the body takes too long.
    on_timeout: Option<fn(Error) -> K::Return>,
    /// Where one of these two is there, what makes use of it.
    failed: Option<Failed<K>>,
}

/// Code that few functions need stands behind a pointer to it: so it is compiled for them only.
type TtlOf<K> = fn(&Wishes<K>, &<K as Kind>::Return) -> Option<Duration>;
type Failed<K> = fn(&Wishes<K>, &mut Value) -> <K as Kind>::Return;

#[expect(clippy::expl_impl_clone_on_copy, reason = "deriving it would ask the function's types for it")]
impl<K: Kind> Clone for Wishes<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Kind> Copy for Wishes<K> {}

impl<K: Kind> Wishes<K> {
    pub(crate) fn none(kind: K) -> Self {
        Self {
            kind,
            ttl_with: None,
            ttl_of: None,
            cache_if: None,
            on_backend_error: None,
            on_timeout: None,
            failed: None,
        }
    }

    /// How long a value is to live, from the value.
    pub(crate) fn want_ttl(&mut self, ttl_with: fn(&K::Payload) -> Duration) {
        self.ttl_with = Some(ttl_with);
        self.ttl_of = Some(Self::ttl_of);
    }

    /// Whether an outcome may be stored.
    pub(crate) fn want_stored(&mut self, cache_if: fn(&K::Return) -> bool) {
        self.cache_if = Some(cache_if);
    }

    /// What the function returns where the backend fails.
    pub(crate) fn want_outages(&mut self, returned: fn(Error) -> K::Return) {
        self.on_backend_error = Some(returned);
        self.failed = Some(Self::failed);
    }

    /// What it returns where the body takes too long.
    pub(crate) fn want_timeouts(&mut self, returned: fn(Error) -> K::Return) {
        self.on_timeout = Some(returned);
        self.failed = Some(Self::failed);
    }

    /// What the function returns for what its call has come to, which is taken out. By reference: what a function that
    /// is compiled for each type owns, it also has to drop.
    pub(crate) fn returned(&self, value: &mut Value) -> K::Return {
        match (value, self.failed) {
            (Value::Stored(held), _) => match self.kind.release(held) {
                Some(returned) => returned,
                None => no_value(),
            },
            (Value::Shared(shared), _) => match self.kind.unshare(shared) {
                Some(returned) => returned,
                None => no_value(),
            },
            (failure, Some(failed)) => failed(self, failure),
            (_, None) => no_value(),
        }
    }

    fn failed(&self, value: &mut Value) -> K::Return {
        let (returned, failure) = match value {
            Value::Unavailable(failure) => (self.on_backend_error, failure),
            Value::TookTooLong(failure) => (self.on_timeout, failure),
            Value::Stored(_) | Value::Shared(_) => no_value(),
        };
        match returned {
            Some(returned) => returned(told(failure)),
            None => no_value(),
        }
    }

    fn ttl_of(&self, returned: &K::Return) -> Option<Duration> {
        self.kind.payload(returned).map(self.ttl_with?)
    }
}

/// Why there is no value, which is told once.
fn told(failure: &mut Failure) -> Error {
    match failure.take() {
        Some(error) => error,
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
        match self.0.cache_if {
            Some(cache_if) => cache_if(self.1.borrow()),
            None => true,
        }
    }

    fn ttl(&self) -> Option<Duration> {
        match self.0.ttl_of {
            Some(ttl_of) => ttl_of(&self.0, self.1.borrow()),
            None => None,
        }
    }

    fn held(&self) -> Option<Held> {
        self.0.kind.hold(self.1.borrow())
    }

    fn shared(&self) -> Option<Held> {
        self.0.kind.share(self.1.borrow())
    }

    fn fill(&self, filling: &mut Filling<'_>) {
        if let Some(stored) = self.0.kind.store(self.1.borrow()) {
            filling.store(stored);
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
    use super::*;
    use crate::function::kind::Own;
    use crate::function::probe::{OuterOf, Probe};

    fn typed<K: Kind>(_: K) -> Typed {
        Typed::new(TypeId::of::<K::Held>(), TypeId::of::<K::Shared>())
    }

    #[test]
    fn a_value_comes_back_from_behind_its_pointer() {
        let kind = Probe::<Option<String>>::new().outer_().inner_().kind_().checked();
        let held = kind.hold(&Some("a".to_owned())).expect("it can be stored");
        assert!(typed(kind).restore(held.clone()).is_some());
        assert!(typed(Own::<String>::new()).restore(held.clone()).is_none(), "it is another type's");
        assert_eq!(kind.release(&mut held.clone()), Some(Some("a".to_owned())));
    }

    #[test]
    fn what_an_entry_has_behind_a_pointer_is_the_value_itself() {
        let kind = Own::<String>::new();
        let stored = kind.store(&"a".to_owned()).expect("it can be stored");
        assert_eq!(stored.get(), Some(&"a".to_owned()));
        assert!(typed(kind).restore(stored.clone()).is_some());
        assert_eq!(kind.restore(stored), Some("a".to_owned()));
    }
}
