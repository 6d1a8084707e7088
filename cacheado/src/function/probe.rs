//! Choosing by type, without specialisation: a type's own method is found before a trait's, if what its `impl` asks for
//! holds.
//!
//! Generated code calls `Probe::<R>::new().outer_().inner_().kind_()` with these traits in scope. Each step asks one
//! question, of a type and not of references to it, so that the compiler tries few candidates, as it does so for each
//! function. In generic code the choice is made by what the bounds say. The names end with `_` because a method that a
//! trait of the user's gives to every type would be found as well, and `kind` is such a name.
#![expect(clippy::unused_self, reason = "a method is what generated code chooses by")]

use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kind::{
    Behind, Fallible, FallibleOptional, FallibleOptionalShared, FallibleOptionalWhole, FallibleShared,
    FallibleWhole, Kind, Optional, Plain, Shape,
};
use crate::__private::Outcome;
use crate::codec::Codec;

/// Carries the type that is asked about: what a function returns, or what is stored of it.
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

impl<T, E> Probe<Result<T, E>> {
    /// It is a `Result`.
    #[must_use]
    pub fn outer_(self) -> OfResult<T, E> {
        OfResult(PhantomData)
    }
}

/// What a return type is.
pub trait OuterOf<R> {
    /// It is no `Result`.
    fn outer_(self) -> NoResult<R>;
}

impl<R> OuterOf<R> for Probe<R> {
    fn outer_(self) -> NoResult<R> {
        NoResult(PhantomData)
    }
}

/// No `Result`.
#[derive(Debug)]
pub struct NoResult<R>(PhantomData<fn() -> R>);

impl<T> NoResult<Option<T>> {
    /// It is an `Option`.
    #[must_use]
    pub fn inner_(self) -> Settled<Option<T>, Optional<T>> {
        Settled(Optional::new(), PhantomData)
    }
}

/// The kind of an `R`, which is known.
#[derive(Debug)]
pub struct Settled<R, K>(K, PhantomData<fn() -> R>);

impl<R, K: Copy> Settled<R, K> {
    /// The kind.
    #[must_use]
    pub fn kind_(self) -> Outcome<R, K> {
        Outcome::of(self.0)
    }

    /// The kind. With `cache_err`, what is no `Result` is refused elsewhere.
    #[must_use]
    pub fn kind_err_(self) -> Outcome<R, K> {
        Outcome::of(self.0)
    }
}

/// A `Result`.
#[derive(Debug)]
pub struct OfResult<T, E>(PhantomData<fn() -> (T, E)>);

impl<T, E> OfResult<Option<T>, E> {
    /// Its value is an `Option`.
    #[must_use]
    pub fn inner_(self) -> OptionalByError<T, E> {
        let kinds = (FallibleOptional::new(), FallibleOptionalShared::new(), FallibleOptionalWhole::new());
        ByError(kinds, PhantomData)
    }
}

/// What a type is, or the value of a `Result`.
pub trait InnerOf<I> {
    /// It is no `Option`.
    fn inner_(self) -> I;
}

impl<R> InnerOf<Settled<R, Plain<R>>> for NoResult<R> {
    fn inner_(self) -> Settled<R, Plain<R>> {
        Settled(Plain::new(), PhantomData)
    }
}

impl<T, E> InnerOf<ValueByError<T, E>> for OfResult<T, E> {
    fn inner_(self) -> ValueByError<T, E> {
        ByError((Fallible::new(), FallibleShared::new(), FallibleWhole::new()), PhantomData)
    }
}

type OptionalByError<T, E> =
    ByError<Option<T>, E, FallibleOptional<T, E>, FallibleOptionalShared<T, E>, FallibleOptionalWhole<T, E>>;
type ValueByError<T, E> = ByError<T, E, Fallible<T, E>, FallibleShared<T, E>, FallibleWhole<T, E>>;

/// The kinds of a `Result`: of one whose error cannot be handed to those who wait, of one whose error can, and with
/// `cache_err`.
#[derive(Debug)]
pub struct ByError<T, E, K, S, W>((K, S, W), PhantomData<fn() -> (T, E)>);

impl<T, E, K, S, W: Copy> ByError<T, E, K, S, W> {
    /// The kind with `cache_err`.
    #[must_use]
    pub fn kind_err_(self) -> Outcome<Result<T, E>, W> {
        Outcome::of(self.0.2)
    }
}

impl<T, E: Clone + Send + Sync + 'static, K, S: Copy, W> ByError<T, E, K, S, W> {
    /// The kind of one whose error can be handed on.
    #[must_use]
    pub fn kind_(self) -> Outcome<Result<T, E>, S> {
        Outcome::of(self.0.1)
    }
}

/// The kind of a `Result`, without `cache_err`.
pub trait KindOf<R, K> {
    /// That of one whose error cannot be handed on.
    fn kind_(self) -> Outcome<R, K>;
}

impl<T, E, K: Copy, S, W> KindOf<Result<T, E>, K> for ByError<T, E, K, S, W> {
    fn kind_(self) -> Outcome<Result<T, E>, K> {
        Outcome::of(self.0.0)
    }
}

/// Types whose `clone` and comparison run no code but the standard library's.
pub trait Inert {}

macro_rules! inert {
    ($($type:ty),+ $(,)?) => { $(impl Inert for $type {})+ };
}

inert!((), bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, String);
inert!(Box<str>, &'static str, std::time::Duration, std::net::IpAddr);

/// Not where nothing is optimised: there, a region for each of the user's types costs the compiler more than a pointer in
/// between costs a hit.
#[cfg(not(debug_assertions))]
impl<T: ?Sized> Inert for Arc<T> {}
#[cfg(debug_assertions)]
impl Inert for Arc<str> {}
impl<T: Inert> Inert for Option<T> {}
impl<A: Inert, B: Inert> Inert for (A, B) {}
impl<A: Inert, B: Inert, C: Inert> Inert for (A, B, C) {}

impl<T: Inert, E: Inert> Inert for Result<T, E> {}

/// Carries a kind, and the type that is asked about: what is stored for it.
#[derive(Debug)]
pub struct Stored<K, V>(K, PhantomData<fn() -> V>);

/// Asks how what is stored for this kind is kept.
#[must_use]
pub fn stored<K: Kind>(kind: K) -> Stored<K, K::Stored> {
    Stored(kind, PhantomData)
}

impl<K, V: Inert> Stored<K, V> {
    /// It is kept as it is: it may be cloned under a lock.
    #[must_use]
    pub fn kept_(self) -> Kept<K, V> {
        Kept(self.0, PhantomData)
    }
}

/// How what is stored is kept. Generated code asks `stored(kind).kept_()`.
pub trait KeptAs<K, V> {
    /// Behind a pointer.
    fn kept_(self) -> Kept<Behind<K>, V>;
}

impl<K, V> KeptAs<K, V> for Stored<K, V> {
    fn kept_(self) -> Kept<Behind<K>, V> {
        Kept(Behind(self.0), PhantomData)
    }
}

/// The kind by which a `V` is kept.
#[derive(Debug)]
pub struct Kept<K, V>(K, PhantomData<fn() -> V>);

impl<K, V> Kept<K, V> {
    /// Its values stay in this process.
    #[must_use]
    pub fn local_(self) -> Shape<K> {
        Shape { kind: self.0, codec: None }
    }
}

impl<K, V: Serialize + Deserialize<'static> + Send + Sync + 'static> Kept<K, V> {
    /// The kind, with a codec.
    #[must_use]
    pub fn codec_(self) -> Shape<K> {
        Shape { kind: self.0, codec: Some(Codec::dynamic::<V>) }
    }
}

/// Whether what is stored can leave the process. Generated code asks `kept.codec_()`, unless the function is `local`.
pub trait HasCodec<K> {
    /// The kind, without a codec.
    fn codec_(self) -> Shape<K>;
}

impl<K, V> HasCodec<K> for Kept<K, V> {
    fn codec_(self) -> Shape<K> {
        self.local_()
    }
}

#[cfg(test)]
mod tests {
    use std::any::type_name_of_val;

    use super::*;

    #[derive(Clone)]
    struct Loud;

    /// What generated code writes.
    macro_rules! shape {
        ($return:ty, $kind:ident) => {{
            let kind = Probe::<$return>::new().outer_().inner_().$kind().checked();
            stored(kind).kept_().codec_()
        }};
    }

    macro_rules! inert {
        ($return:ty, $kind:ident) => {{
            let kind = shape!($return, $kind).kind;
            !type_name_of_val(&kind).contains("::Behind<")
        }};
    }

    macro_rules! serde {
        ($return:ty, $kind:ident) => {
            shape!($return, $kind).codec.is_some()
        };
    }

    macro_rules! kind {
        ($return:ty, $kind:ident) => {{
            let kind = Probe::<$return>::new().outer_().inner_().$kind().checked();
            let name = type_name_of_val(&kind).split('<').next().unwrap_or_default();
            name.rsplit("::").next().unwrap_or_default().to_owned()
        }};
    }

    #[test]
    fn inert_values_need_no_arc_of_their_own() {
        assert!(inert!(u64, kind_));
        assert!(inert!(Arc<str>, kind_));
        assert_eq!(inert!(Arc<Loud>, kind_), !cfg!(debug_assertions));
        assert!(inert!(Option<(u8, String)>, kind_));
        assert!(inert!(Result<Option<u64>, Loud>, kind_));
    }

    #[test]
    fn a_clone_of_the_users_runs_under_no_lock() {
        assert!(!inert!(Loud, kind_));
        assert!(!inert!(Option<Loud>, kind_));
        assert!(!inert!(Result<Loud, u8>, kind_));
        assert!(!inert!(Vec<Loud>, kind_));
    }

    #[test]
    fn an_error_counts_where_it_is_stored() {
        assert!(inert!(Result<u64, Loud>, kind_));
        assert!(!inert!(Result<u64, Loud>, kind_err_));
        assert!(inert!(Result<u64, String>, kind_err_));
    }

    #[test]
    fn generic_code_knows_only_its_bounds() {
        fn unknown<T: Clone + Send + Sync + 'static>() -> bool {
            inert!(T, kind_)
        }
        assert!(!unknown::<u64>());
    }

    #[test]
    fn a_codec_is_found_for_what_is_stored() {
        assert!(serde!(u64, kind_));
        assert!(serde!(Vec<String>, kind_));
        assert!(serde!(Option<u64>, kind_));
        assert!(serde!(Result<Option<u64>, Loud>, kind_));
        assert!(serde!(Result<u64, String>, kind_err_));
        assert!(!serde!(Loud, kind_));
        assert!(!serde!(Arc<Loud>, kind_));
        assert!(!serde!(Option<Loud>, kind_));
        assert!(!serde!(Result<u64, Loud>, kind_err_));
    }

    #[test]
    fn references_compile_and_stay_in_the_process() {
        #[derive(Clone, Serialize, Deserialize)]
        struct Named<'a> {
            name: &'a str,
        }
        #[derive(Clone, Serialize, Deserialize)]
        struct Fixed {
            name: &'static str,
        }
        macro_rules! borrows {
            ($return:ty) => {
                shape!($return, kind_).codec.is_some_and(|codec| codec().borrows())
            };
        }
        assert!(borrows!(&'static str));
        assert!(borrows!(Option<&'static [u8]>));
        assert!(borrows!(std::collections::HashMap<&'static str, u8>));
        assert!(!borrows!(std::borrow::Cow<'static, str>));
        // These do not show it.
        assert!(!borrows!(Named<'static>));
        assert!(!borrows!(Fixed));
    }

    #[test]
    fn generic_code_has_the_codec_that_its_bounds_promise() {
        fn unknown<T: Clone + Send + Sync + 'static>() -> bool {
            serde!(T, kind_)
        }
        fn known<T: Clone + Send + Sync + Serialize + serde::de::DeserializeOwned + 'static>() -> bool {
            serde!(Vec<T>, kind_)
        }
        assert!(!unknown::<u64>());
        assert!(known::<u64>());
    }

    #[test]
    fn the_most_specific_kind_is_found() {
        struct NotClone;
        assert_eq!(kind!(u64, kind_), "Plain");
        assert_eq!(kind!(Option<u64>, kind_), "Optional");
        assert_eq!(kind!(Result<u64, NotClone>, kind_), "Fallible");
        assert_eq!(kind!(Result<u64, Loud>, kind_), "FallibleShared");
        assert_eq!(kind!(Result<Option<u64>, NotClone>, kind_), "FallibleOptional");
        assert_eq!(kind!(Result<Option<u64>, Loud>, kind_), "FallibleOptionalShared");
        assert_eq!(kind!(Result<u64, Loud>, kind_err_), "FallibleWhole");
        assert_eq!(kind!(Result<Option<u64>, Loud>, kind_err_), "FallibleOptionalWhole");
    }
}
