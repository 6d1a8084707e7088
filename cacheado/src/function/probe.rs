//! Choosing by type, without specialisation: a method is found on the outermost reference that has it.
//!
//! Generated code calls `(&&&&&&&&Probe::<R>::new()).kind()` with these traits in scope. The more specific
//! a return type, the more references its implementation stands on, so it is found first. In generic
//! code the choice is made by what the bounds say.

use std::marker::PhantomData;
use std::sync::Arc;

use super::kind::{
    Fallible, FallibleOptional, FallibleOptionalShared, FallibleOptionalWhole, FallibleShared, FallibleWhole,
    Optional, Plain,
};

/// Carries the return type that is asked about.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    /// Asks about `R`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

macro_rules! choose {
    ($trait:ident :: $method:ident, $([$($refs:tt)*] [$($generics:tt)*] $return:ty => $kind:ty;)+) => {$(
        const _: () = {
            impl<$($generics)*> $trait for $($refs)* Probe<$return> {
                type Kind = $kind;
                fn $method(self) -> $kind {
                    <$kind>::new()
                }
            }
        };
    )+};
}

/// The kind of a return type, without `cache_err`.
pub trait KindOf {
    /// The kind.
    type Kind;
    /// The kind.
    fn kind(self) -> Self::Kind;
}

choose! { KindOf::kind,
    [&&&&&&] [T, E: Clone + Send + Sync + 'static] Result<Option<T>, E> => FallibleOptionalShared<T, E>;
    [&&&&&] [T, E] Result<Option<T>, E> => FallibleOptional<T, E>;
    [&&&&] [T, E: Clone + Send + Sync + 'static] Result<T, E> => FallibleShared<T, E>;
    [&&&] [T, E] Result<T, E> => Fallible<T, E>;
    [&&] [T] Option<T> => Optional<T>;
    [&] [R] R => Plain<R>;
}

/// The kind of a return type, with `cache_err`.
#[diagnostic::on_unimplemented(message = "`cache_err` is for functions that return a `Result`")]
pub trait KindWithErr {
    /// The kind.
    type Kind;
    /// The kind.
    fn kind_err(self) -> Self::Kind;
}

choose! { KindWithErr::kind_err,
    [&&&] [T, E] Result<Option<T>, E> => FallibleOptionalWhole<T, E>;
    [&&] [T, E] Result<T, E> => FallibleWhole<T, E>;
}

/// Types whose `clone` and comparison run no code but the standard library's.
pub trait Inert {}

macro_rules! inert {
    ($($type:ty),+ $(,)?) => { $(impl Inert for $type {})+ };
}

inert!((), bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, String);
inert!(Box<str>, &'static str, std::time::Duration, std::net::IpAddr);

impl<T: ?Sized> Inert for Arc<T> {}
impl<T: Inert> Inert for Option<T> {}
impl<A: Inert, B: Inert> Inert for (A, B) {}
impl<A: Inert, B: Inert, C: Inert> Inert for (A, B, C) {}

/// Whether a stored value may be cloned under a lock.
pub trait IsInert {
    /// Whether it may.
    fn inert(self) -> bool;
}

impl<T: Inert, E> IsInert for &&&Probe<Result<T, E>> {
    fn inert(self) -> bool {
        true
    }
}

impl<R: Inert> IsInert for &&Probe<R> {
    fn inert(self) -> bool {
        true
    }
}

impl<R> IsInert for &Probe<R> {
    fn inert(self) -> bool {
        false
    }
}
