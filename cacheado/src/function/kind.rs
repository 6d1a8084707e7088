//! What a return type stores: a `Result` its `Ok`, an `Option` its `Some`, anything else itself.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::Held;
use crate::codec::MakeCodec;

/// What an outcome is worth to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// A value: it is stored.
    Value,
    /// `None`: it is stored with `cache_none`.
    Nothing,
    /// `Err`: it is stored with `cache_err`.
    Failure,
}

/// How a function's return type is stored. Chosen by the generated code; not for implementing.
pub trait Kind: Copy + Send + Sync {
    /// What the function returns.
    type Return;
    /// What an entry holds.
    type Stored: Clone + Send + Sync + 'static;
    /// What is behind the pointer where an outcome that can be stored is [held](Self::hold).
    type Held: 'static;
    /// What is behind the pointer where one that cannot be stored is [shared](Self::share).
    type Shared: 'static;
    /// The value proper: what is in `Ok` and `Some`.
    type Payload;

    /// What the outcome is worth.
    fn worth(self, outcome: &Self::Return) -> Worth;
    /// What an entry would hold of it; `None` if it cannot be stored whatever the policy says.
    fn store(self, outcome: &Self::Return) -> Option<Self::Stored>;
    /// The outcome that an entry stands for; `None` if it is of another type.
    fn restore(self, stored: Self::Stored) -> Option<Self::Return>;
    /// The value proper, if there is one.
    fn payload(self, outcome: &Self::Return) -> Option<&Self::Payload>;
    /// What is stored of the outcome, behind a pointer.
    fn hold(self, outcome: &Self::Return) -> Option<Held>;
    /// The outcome that what is behind such a pointer stands for, which is taken out where nobody else has it; `None` if
    /// it is of another type.
    fn release(self, held: &mut Held) -> Option<Self::Return>;

    /// A copy for those who waited for this outcome, where it is not one that can be stored.
    fn share(self, outcome: &Self::Return) -> Option<Held> {
        let _ = outcome;
        None
    }

    /// The outcome in such a copy.
    fn unshare(self, shared: &Held) -> Option<Self::Return> {
        let _ = shared;
        None
    }
}

/// What a kind asks to be `Clone + Send + Sync + 'static`, whether it is or not. Chosen by the generated code; not for
/// implementing.
pub trait Holds {
    /// The value proper.
    type Value;
    /// The error, where it is copied as well.
    type Failure;
}

macro_rules! holds {
    ($($kind:ident<$($param:ident),+>: $value:ty, $failure:ty;)+) => {$(
        impl<$($param),+> Holds for $kind<$($param),+> {
            type Value = $value;
            type Failure = $failure;
        }
    )+};
}

holds! {
    Plain<R>: R, ();
    Optional<T>: T, ();
    Fallible<T, E>: T, ();
    FallibleShared<T, E>: T, E;
    FallibleWhole<T, E>: T, E;
    FallibleOptional<T, E>: T, ();
    FallibleOptionalShared<T, E>: T, E;
    FallibleOptionalWhole<T, E>: T, E;
}

/// How a return type is stored, and how what is stored leaves the process, if it can.
#[derive(Debug, Clone, Copy)]
pub struct Shape<K> {
    pub(crate) kind: K,
    pub(crate) codec: Option<MakeCodec>,
}

/// What another kind stores, behind a pointer: a type whose `clone` may run code of the user's, which is not to run under
/// a lock. A value is found as the type that it was stored as, and no other.
#[derive(Debug, Clone, Copy)]
pub struct Behind<K>(pub(crate) K);

/// A value of a programmatic key.
pub(crate) type Own<T> = Behind<Plain<T>>;

impl<T> Own<T> {
    pub(crate) const fn new() -> Self {
        Self(Plain::new())
    }
}

impl<K: Kind> Kind for Behind<K> {
    type Return = K::Return;
    type Stored = Held;
    type Held = K::Held;
    type Shared = K::Shared;
    type Payload = K::Payload;

    fn worth(self, outcome: &K::Return) -> Worth {
        self.0.worth(outcome)
    }

    fn store(self, outcome: &K::Return) -> Option<Held> {
        self.0.hold(outcome)
    }

    /// The entry has it too: nobody is alone with it.
    fn restore(self, stored: Held) -> Option<K::Return> {
        match stored.get::<K::Stored>() {
            Some(stored) => self.0.restore(stored.clone()),
            None => None,
        }
    }

    fn payload(self, outcome: &K::Return) -> Option<&K::Payload> {
        self.0.payload(outcome)
    }

    fn hold(self, outcome: &K::Return) -> Option<Held> {
        self.0.hold(outcome)
    }

    fn release(self, held: &mut Held) -> Option<K::Return> {
        self.0.release(held)
    }

    fn share(self, outcome: &K::Return) -> Option<Held> {
        self.0.share(outcome)
    }

    fn unshare(self, shared: &Held) -> Option<K::Return> {
        self.0.unshare(shared)
    }
}

/// What `<fn>_entry(…).set(…)` takes, for a function that returns `R`: an `R`, or the value in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither the `{R}` that the function returns nor the value in it",
    label = "pass what the function returns, or what is in its `Ok` or `Some`"
)]
pub trait Settable<R> {
    /// As the function would return it.
    fn into_return(self) -> R;
}

impl<R> Settable<R> for R {
    fn into_return(self) -> R {
        self
    }
}

impl<T> Settable<Option<T>> for T {
    fn into_return(self) -> Option<T> {
        Some(self)
    }
}

impl<T, E> Settable<Result<T, E>> for T {
    fn into_return(self) -> Result<T, E> {
        Ok(self)
    }
}

impl<T, E> Settable<Result<Option<T>, E>> for T {
    fn into_return(self) -> Result<Option<T>, E> {
        Ok(Some(self))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident<$($param:ident),+>;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$($param),+>(PhantomData<fn() -> ($($param,)+)>);

        impl<$($param),+> $name<$($param),+> {
            pub(crate) const fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<$($param),+> Clone for $name<$($param),+> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),+> Copy for $name<$($param),+> {}
    )+};
}

kinds! {
    /// Any type that is neither a `Result` nor an `Option`: stored as it is.
    Plain<R>;
    /// `Option<T>`.
    Optional<T>;
    /// `Result<T, E>`: the `Ok` is stored.
    Fallible<T, E>;
    /// `Result<T, E>` whose error can be handed to those who wait.
    FallibleShared<T, E>;
    /// `Result<T, E>` with `cache_err`: stored whole.
    FallibleWhole<T, E>;
    /// `Result<Option<T>, E>`: the `Ok` is stored, if it is `Some`.
    FallibleOptional<T, E>;
    /// `Result<Option<T>, E>` whose error can be handed to those who wait.
    FallibleOptionalShared<T, E>;
    /// `Result<Option<T>, E>` with `cache_err`: stored whole.
    FallibleOptionalWhole<T, E>;
}

/// How what an entry holds is held behind a pointer.
macro_rules! held {
    () => {
        type Held = Self::Stored;

        fn hold(self, outcome: &Self::Return) -> Option<Held> {
            match self.store(outcome) {
                Some(stored) => Some(Held::new(stored)),
                None => None,
            }
        }

        fn release(self, held: &mut Held) -> Option<Self::Return> {
            match held.take() {
                Some(stored) => self.restore(stored),
                None => None,
            }
        }
    };
}

impl<R: Clone + Send + Sync + 'static> Kind for Plain<R> {
    type Return = R;
    type Stored = R;
    type Shared = Infallible;
    type Payload = R;
    held!();

    fn worth(self, _: &R) -> Worth {
        Worth::Value
    }

    fn store(self, outcome: &R) -> Option<R> {
        Some(outcome.clone())
    }

    #[inline]
    fn restore(self, stored: R) -> Option<R> {
        Some(stored)
    }

    fn payload(self, outcome: &R) -> Option<&R> {
        Some(outcome)
    }
}

impl<T: Clone + Send + Sync + 'static> Kind for Optional<T> {
    type Return = Option<T>;
    type Stored = Option<T>;
    type Shared = Infallible;
    type Payload = T;
    held!();

    fn worth(self, outcome: &Option<T>) -> Worth {
        if outcome.is_some() { Worth::Value } else { Worth::Nothing }
    }

    fn store(self, outcome: &Option<T>) -> Option<Option<T>> {
        Some(outcome.clone())
    }

    #[inline]
    fn restore(self, stored: Option<T>) -> Option<Option<T>> {
        Some(stored)
    }

    fn payload(self, outcome: &Option<T>) -> Option<&T> {
        outcome.as_ref()
    }
}

/// The kinds of a `Result`. `$payload` is what `ttl_with` sees; `$worth` and `$value` look into an `Ok`.
macro_rules! fallible {
    ($kind:ident, [$($bound:tt)*], ok: $ok:ty, payload: $payload:ty, $worth:expr, $value:expr, $keep:ident) => {
        impl<T: Clone + Send + Sync + 'static, E: $($bound)*> Kind for $kind<T, E> {
            type Return = Result<$ok, E>;
            type Payload = $payload;
            fallible!(@$keep $ok);

            fn worth(self, outcome: &Self::Return) -> Worth {
                let worth: fn(&$ok) -> Worth = $worth;
                match outcome {
                    Ok(value) => worth(value),
                    Err(_) => Worth::Failure,
                }
            }

            fn payload(self, outcome: &Self::Return) -> Option<&$payload> {
                let value: fn(&$ok) -> Option<&$payload> = $value;
                match outcome {
                    Ok(ok) => value(ok),
                    Err(_) => None,
                }
            }
        }
    };
    (@ok $ok:ty) => {
        type Shared = Infallible;
        fallible!(@value $ok);
    };
    (@value $ok:ty) => {
        type Stored = $ok;
        held!();

        fn store(self, outcome: &Self::Return) -> Option<$ok> {
            match outcome {
                Ok(value) => Some(value.clone()),
                Err(_) => None,
            }
        }

        #[inline]
        fn restore(self, stored: $ok) -> Option<Self::Return> {
            Some(Ok(stored))
        }
    };
    (@shared $ok:ty) => {
        type Shared = Self::Return;
        fallible!(@value $ok);

        fn share(self, outcome: &Self::Return) -> Option<Held> {
            Some(Held::new(outcome.clone()))
        }

        fn unshare(self, shared: &Held) -> Option<Self::Return> {
            shared.get::<Self::Return>().cloned()
        }
    };
    (@whole $ok:ty) => {
        type Stored = Result<$ok, E>;
        type Shared = Infallible;
        held!();

        fn store(self, outcome: &Self::Return) -> Option<Self::Return> {
            Some(outcome.clone())
        }

        #[inline]
        fn restore(self, stored: Self::Return) -> Option<Self::Return> {
            Some(stored)
        }
    };
}

#[expect(clippy::ref_option, reason = "called with a reference to the `Ok`")]
fn optional_worth<T>(ok: &Option<T>) -> Worth {
    if ok.is_some() { Worth::Value } else { Worth::Nothing }
}

fallible!(Fallible, [Sized], ok: T, payload: T, |_| Worth::Value, |ok| Some(ok), ok);
fallible!(FallibleShared, [Clone + Send + Sync + 'static], ok: T, payload: T, |_| Worth::Value, |ok| Some(ok), shared);
fallible!(FallibleWhole, [Clone + Send + Sync + 'static], ok: T, payload: T, |_| Worth::Value, |ok| Some(ok), whole);
fallible!(FallibleOptional, [Sized], ok: Option<T>, payload: T, optional_worth, Option::as_ref, ok);
fallible!(FallibleOptionalShared, [Clone + Send + Sync + 'static], ok: Option<T>, payload: T, optional_worth, Option::as_ref, shared);
fallible!(FallibleOptionalWhole, [Clone + Send + Sync + 'static], ok: Option<T>, payload: T, optional_worth, Option::as_ref, whole);
