//! Choosing by type, without specialisation: a method is found on the outermost reference that has it.
//!
//! Generated code calls `(&&&&&&&&Probe::<R>::new()).kind()` with these traits in scope. The more specific
//! a return type, the more references its implementation stands on, so it is found first. In generic
//! code the choice is made by what the bounds say.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Held;
use super::kind::{
    Fallible, FallibleOptional, FallibleOptionalShared, FallibleOptionalWhole, FallibleShared, FallibleWhole,
    Kind, Optional, Plain,
};
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

/// Asks about what is stored for this kind.
#[must_use]
pub fn stored<K: Kind>(_: K) -> Probe<K::Stored> {
    Probe::new()
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

/// The kind of a return type, with `cache_err`. One that is no `Result` is refused elsewhere.
pub trait KindWithErr {
    /// The kind.
    type Kind;
    /// The kind.
    fn kind_err(self) -> Self::Kind;
}

choose! { KindWithErr::kind_err,
    [&&&] [T, E] Result<Option<T>, E> => FallibleOptionalWhole<T, E>;
    [&&] [T, E] Result<T, E> => FallibleWhole<T, E>;
    [&] [R] R => Plain<R>;
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

impl<T: Inert, E: Inert> Inert for Result<T, E> {}

/// What the runtime may do with the values that a function stores.
pub struct Nature<V> {
    /// Whether they may be cloned under a lock.
    pub(crate) inert: bool,
    /// How they are written, if they have serde: for a type that borrows, it is of no use.
    pub(crate) codec: Option<Codec<Held>>,
    pub(crate) of: PhantomData<fn() -> V>,
}

impl<V> Clone for Nature<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Nature<V> {}

impl<V> fmt::Debug for Nature<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nature").field("inert", &self.inert).field("codec", &self.codec).finish()
    }
}

/// Whether what is stored may be cloned under a lock. Generated code asks `(&&stored(kind)).inert()`.
pub trait IsInert<V> {
    /// That of values that stay in this process.
    fn inert(self) -> Nature<V>;
}

impl<T: Inert> IsInert<T> for &&Probe<T> {
    fn inert(self) -> Nature<T> {
        Nature { inert: true, codec: None, of: PhantomData }
    }
}

impl<T> IsInert<T> for &Probe<T> {
    fn inert(self) -> Nature<T> {
        Nature { inert: false, codec: None, of: PhantomData }
    }
}

/// Whether what is stored can leave the process. Generated code asks `(&&nature).codec()`, unless the
/// function is `local`.
pub trait HasCodec<V> {
    /// The same, with a codec if there is one.
    fn codec(self) -> Nature<V>;
}

impl<T: Serialize + Deserialize<'static> + Send + Sync + 'static> HasCodec<T> for &&Nature<T> {
    fn codec(self) -> Nature<T> {
        Nature { codec: Some(Codec::dynamic::<T>()), ..**self }
    }
}

impl<T> HasCodec<T> for &Nature<T> {
    fn codec(self) -> Nature<T> {
        *self
    }
}

#[cfg(test)]
mod tests {
    use std::any::type_name_of_val;

    use super::*;

    #[derive(Clone)]
    struct Loud;

    /// What generated code writes.
    macro_rules! nature {
        ($return:ty, $kind:ident) => {{
            let kind = (&&&&&&&&Probe::<$return>::new()).$kind();
            (&&(&&stored(kind)).inert()).codec()
        }};
    }

    macro_rules! inert {
        ($return:ty, $kind:ident) => {
            nature!($return, $kind).inert
        };
    }

    macro_rules! serde {
        ($return:ty, $kind:ident) => {
            nature!($return, $kind).codec.is_some()
        };
    }

    macro_rules! kind {
        ($return:ty, $kind:ident) => {{
            let kind = (&&&&&&&&Probe::<$return>::new()).$kind();
            let name = type_name_of_val(&kind).split('<').next().unwrap_or_default();
            name.rsplit("::").next().unwrap_or_default().to_owned()
        }};
    }

    #[test]
    fn inert_values_need_no_arc_of_their_own() {
        assert!(inert!(u64, kind));
        assert!(inert!(Arc<Loud>, kind));
        assert!(inert!(Option<(u8, String)>, kind));
        assert!(inert!(Result<Option<u64>, Loud>, kind));
    }

    #[test]
    fn a_clone_of_the_users_runs_under_no_lock() {
        assert!(!inert!(Loud, kind));
        assert!(!inert!(Option<Loud>, kind));
        assert!(!inert!(Result<Loud, u8>, kind));
        assert!(!inert!(Vec<Loud>, kind));
    }

    #[test]
    fn an_error_counts_where_it_is_stored() {
        assert!(inert!(Result<u64, Loud>, kind));
        assert!(!inert!(Result<u64, Loud>, kind_err));
        assert!(inert!(Result<u64, String>, kind_err));
    }

    #[test]
    fn generic_code_knows_only_its_bounds() {
        fn unknown<T: Clone + Send + Sync + 'static>() -> bool {
            inert!(T, kind)
        }
        assert!(!unknown::<u64>());
    }

    #[test]
    fn a_codec_is_found_for_what_is_stored() {
        assert!(serde!(u64, kind));
        assert!(serde!(Vec<String>, kind));
        assert!(serde!(Option<u64>, kind));
        assert!(serde!(Result<Option<u64>, Loud>, kind));
        assert!(serde!(Result<u64, String>, kind_err));
        assert!(!serde!(Loud, kind));
        assert!(!serde!(Arc<Loud>, kind));
        assert!(!serde!(Option<Loud>, kind));
        assert!(!serde!(Result<u64, Loud>, kind_err));
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
                nature!($return, kind).codec.is_some_and(crate::codec::Codec::borrows)
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
            serde!(T, kind)
        }
        fn known<T: Clone + Send + Sync + Serialize + serde::de::DeserializeOwned + 'static>() -> bool {
            serde!(Vec<T>, kind)
        }
        assert!(!unknown::<u64>());
        assert!(known::<u64>());
    }

    #[test]
    fn the_most_specific_kind_is_found() {
        struct NotClone;
        assert_eq!(kind!(u64, kind), "Plain");
        assert_eq!(kind!(Option<u64>, kind), "Optional");
        assert_eq!(kind!(Result<u64, NotClone>, kind), "Fallible");
        assert_eq!(kind!(Result<u64, Loud>, kind), "FallibleShared");
        assert_eq!(kind!(Result<Option<u64>, NotClone>, kind), "FallibleOptional");
        assert_eq!(kind!(Result<Option<u64>, Loud>, kind), "FallibleOptionalShared");
        assert_eq!(kind!(Result<u64, Loud>, kind_err), "FallibleWhole");
        assert_eq!(kind!(Result<Option<u64>, Loud>, kind_err), "FallibleOptionalWhole");
    }
}
