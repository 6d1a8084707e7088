//! What the compiler says about types that cannot be used, said once and at the place that is wrong.
//!
//! A plain bound on [`lookup`](super::lookup) would be reported for each function that takes the key, at the
//! attribute. So each part goes through a `checked` first. Where the bound holds that is the inherent method,
//! which returns the part. Where it does not hold, method lookup goes on by `Deref` to a stand-in, whose
//! `checked` asks for the same bound, which is the one error, and returns something that nobody objects to.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::error::Error;
use crate::function::Held;
use crate::function::kind::{Holds, Kind, Worth};
use crate::key::KeyPart;
use crate::ttl::Ttl;

/// One part of a key.
#[derive(Debug)]
pub struct Part<'a, T: ?Sized>(pub &'a T);

impl<'a, T: KeyPart + ?Sized> Part<'a, T> {
    /// The part.
    #[inline]
    #[must_use]
    pub fn checked(self) -> &'a T {
        self.0
    }
}

impl<T: ?Sized> Deref for Part<'_, T> {
    type Target = NoPart<T>;

    fn deref(&self) -> &NoPart<T> {
        const { &NoPart(PhantomData) }
    }
}

/// Stands in for an argument without a `KeyPart`.
#[derive(Debug)]
pub struct NoPart<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> NoPart<T> {
    /// Says so.
    pub fn checked(&self)
    where
        T: KeyPart,
    {
    }
}

/// The kind `K` of a return type `R`.
#[derive(Debug)]
pub struct Outcome<R, K>(K, PhantomData<fn() -> R>);

impl<R, K> Outcome<R, K> {
    pub(crate) const fn of(kind: K) -> Self {
        Self(kind, PhantomData)
    }
}

impl<R, K: Kind> Outcome<R, K> {
    /// The kind.
    #[inline]
    #[must_use]
    pub fn checked(self) -> K {
        self.0
    }
}

impl<R, K: Holds> Deref for Outcome<R, K> {
    type Target = NoKind<R, K::Value, K::Failure>;

    fn deref(&self) -> &Self::Target {
        const { &NoKind(PhantomData, PhantomData) }
    }
}

/// Stands in for a kind of `R` whose values cannot be stored: a `V` in it, or an `E`.
#[derive(Debug)]
pub struct NoKind<R, V, E>(PhantomData<fn() -> R>, PhantomData<fn() -> (V, E)>);

impl<R, V, E> NoKind<R, V, E> {
    /// Says so. What a kind asks of the types in it is asked for here, so that the user's type is named, and not the kind.
    #[must_use]
    pub fn checked(&self) -> Unstorable<R>
    where
        V: Copyable + Send + Sync,
        E: Copyable + Send + Sync,
    {
        Unstorable(PhantomData)
    }
}

/// What is stored, or given to several callers, can be copied.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and what is cached is given to many callers",
    label = "`{Self}` has to be `Clone`",
    note = "derive `Clone` for it, or for what is in it (of a type parameter, ask for `Clone`), or return an `Arc<{Self}>`; where neither makes \
            sense, as for a connection, leave `#[cached]` out"
)]
pub trait Copyable: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Copyable for T {}

/// The kind of what cannot be stored: only there for the types to agree.
#[derive(Debug)]
pub struct Unstorable<R>(PhantomData<fn() -> R>);

impl<R> Clone for Unstorable<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Unstorable<R> {}

impl<R> Kind for Unstorable<R> {
    type Return = R;
    type Stored = ();
    type Held = Infallible;
    type Shared = Infallible;
    type Payload = R;

    fn worth(self, _: &R) -> Worth {
        Worth::Value
    }

    fn store(self, _: &R) -> Option<()> {
        None
    }

    fn restore(self, (): ()) -> Option<R> {
        None
    }

    fn payload(self, outcome: &R) -> Option<&R> {
        Some(outcome)
    }

    fn hold(self, _: &R) -> Option<Held> {
        None
    }

    fn release(self, _: &mut Held) -> Option<R> {
        None
    }
}

/// `remote`, and a distributed single flight: the value must be able to leave the process.
pub fn assert_remote<K: Kind>(_: &K)
where
    K::Stored: Remote,
{
}

/// What can leave the process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored remotely",
    label = "this asks for a value that is `Serialize + DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and all that it holds, with `cache_err` the \
            error as well; or keep it in this process with `local`"
)]
pub trait Remote {}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Remote for T {}

/// `cache_err`: there must be errors.
pub fn assert_fallible<K: Kind>(_: &K)
where
    K::Return: Fallible,
{
}

/// What can be `Err`.
#[diagnostic::on_unimplemented(
    message = "`cache_err` needs a function that returns a `Result`; this one returns `{Self}`",
    label = "there is no `Err` to store"
)]
pub trait Fallible {}

impl<T, E> Fallible for Result<T, E> {}

/// `cache_none`: there must be a `None`.
pub fn assert_optional<K: Kind>(_: &K)
where
    K::Return: Optional,
{
}

/// What can be `None`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` needs a function that returns an `Option`; this one returns `{Self}`",
    label = "there is no `None` to store"
)]
pub trait Optional {}

impl<T> Optional for Option<T> {}
impl<T, E> Optional for Result<Option<T>, E> {}

/// `on_backend_error = "error"`: what the function returns then.
#[must_use]
pub fn backend_error<R: ReturnsError>(error: Error) -> R {
    R::returned(error)
}

/// What a function can return where the backend fails.
#[diagnostic::on_unimplemented(
    message = "`on_backend_error = \"error\"` needs a function that returns a `Result`; this one returns `{Self}`",
    label = "there is no `Err` that could say so"
)]
pub trait ReturnsError {
    /// It, with this error.
    fn returned(error: Error) -> Self;
}

impl<T, E: TakesError> ReturnsError for Result<T, E> {
    fn returned(error: Error) -> Self {
        Err(E::taken(error))
    }
}

/// An error that the cache's own can become.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from a `cacheado::Error`",
    label = "`on_backend_error = \"error\"` asks for an error that is `From<cacheado::Error>`",
    note = "implement `From<cacheado::Error>` for it, or leave the argument out: an outage is then a slower call"
)]
pub trait TakesError {
    /// It, for this error.
    fn taken(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> TakesError for E {
    fn taken(error: Error) -> Self {
        error.into()
    }
}

/// `timeout`: what the function returns where the body takes too long.
#[must_use]
pub fn timed_out<R: ReturnsTimeout>(error: Error) -> R {
    R::returned(error)
}

/// What a function can return where its body takes too long.
#[diagnostic::on_unimplemented(
    message = "`timeout` needs a function that returns a `Result`; this one returns `{Self}`",
    label = "there is no `Err` that could say that the body takes too long"
)]
pub trait ReturnsTimeout {
    /// It, with this error.
    fn returned(error: Error) -> Self;
}

impl<T, E: TakesTimeout> ReturnsTimeout for Result<T, E> {
    fn returned(error: Error) -> Self {
        Err(E::taken(error))
    }
}

/// An error that the cache's own can become.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from a `cacheado::Error`",
    label = "`timeout` asks for an error that is `From<cacheado::Error>`, to be returned when the time is over",
    note = "implement `From<cacheado::Error>` for it"
)]
pub trait TakesTimeout {
    /// It, for this error.
    fn taken(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> TakesTimeout for E {
    fn taken(error: Error) -> Self {
        error.into()
    }
}

/// `ttl = EXPR`: the lifetime that the expression says.
#[inline]
pub fn lifetime<T: Lifetime>(ttl: T) -> Ttl {
    ttl.lifetime()
}

/// What can be a lifetime.
#[diagnostic::on_unimplemented(
    message = "`ttl = EXPR` needs a `Duration`; this is a `{Self}`",
    label = "neither a `Duration` nor an `Option<Duration>` or a `Ttl`",
    note = "seconds in an expression: write `ttl = std::time::Duration::from_secs(EXPR)`; only a literal counts as seconds by itself"
)]
pub trait Lifetime {
    /// It.
    fn lifetime(self) -> Ttl;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Ttl>> Lifetime for T {
    #[inline]
    fn lifetime(self) -> Ttl {
        self.into()
    }
}
