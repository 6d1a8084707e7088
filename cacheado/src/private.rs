//! What generated code calls. Not part of the public interface: it changes with any release, and only the
//! macros of the very same version call it.

use std::panic::Location;
use std::sync::LazyLock;

use crate::cache::CacheRef;
use crate::engine::{call_for, function_of};
use crate::function::{AsyncFunctionCache, FunctionCache};
use crate::key::KeyPart;
use crate::scope::{Scope, ScopeTree, ScopeValue};

pub use crate::cache::{ambient, explicit};
pub use crate::engine::{Call, Lookup, lookup};
pub use crate::function::kind::{Kind, Settable};
pub use crate::function::{Instance, Keep, Site};
pub use crate::scope::ScopeSource;
pub use cacheado_macros::scope_call;

pub use crate::function::probe::{Inert, IsInert, KindOf, KindWithErr, Probe};

/// This module, under a name that only macros of the same version know: with any other, the one error is that
/// there is no such module, and its name says why. To be renamed with each release; until then nothing that
/// uses a macro compiles.
pub mod cacheado_and_cacheado_macros_must_both_be_0_1_0 {
    pub use super::*;
}

/// The tree that a `scopes!` module declares.
pub type Tree = LazyLock<ScopeTree>;

/// The function `function` of `module`, where its attribute stands.
#[must_use]
#[track_caller]
pub const fn site(module: &'static str, function: &'static str) -> Site {
    let place = Location::caller();
    Site::new(module, function, place.file(), place.line(), place.column())
}

/// Says which argument has no `KeyPart`, at the argument. What it returns has one whatever the argument is, so
/// that whoever takes the key does not say it again.
#[inline]
pub fn key_part<T: KeyPart + ?Sized>(part: &T) -> impl KeyPart {
    part
}

/// Says that a value cannot be stored, at the return type. As with [`key_part`], nobody says it again.
#[inline]
pub fn storable<K: Kind>(kind: K) -> impl Kind<Return = K::Return, Stored = K::Stored, Payload = K::Payload> {
    kind
}

/// The instance that the closure was written in.
#[inline]
#[must_use]
pub fn instance<F>(_: F) -> Instance<F> {
    Instance::new(false)
}

/// The instance that the closure was written in, which is the `<fn>_entry` of another.
#[inline]
#[must_use]
pub fn entry_instance<F>(_: F) -> Instance<F> {
    Instance::new(true)
}

/// The call of a `<fn>_entry`.
pub fn entry<K: Kind, P: KeyPart + ?Sized, F>(
    site: &'static Site,
    cache: &CacheRef<'_>,
    kind: K,
    instance: Instance<F>,
    key: &P,
) -> Call<K> {
    // The function is made if this is its first use, so that a later eviction finds it.
    let _ = function_of::<K, F>(site, cache.get(), instance);
    call_for(site, cache.get(), kind, instance, key, false)
}

/// The `<fn>_cache` of a sync function.
pub fn function_cache(site: &'static Site, cache: &CacheRef<'_>) -> FunctionCache {
    FunctionCache::new(site, cache.get().clone())
}

/// The `<fn>_cache` of an async function.
pub fn async_function_cache(site: &'static Site, cache: &CacheRef<'_>) -> AsyncFunctionCache {
    AsyncFunctionCache::new(site, cache.get().clone())
}

/// `remote`: the value must be able to leave the process.
pub fn assert_remote<K: Kind>(_: &K)
where
    K::Stored: Remote,
{
}

/// What can leave the process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored remotely",
    label = "`remote` asks for a value that is `Serialize + DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, or keep it in this process with `local`"
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

/// The scope at the end of a path of levels and values.
///
/// # Panics
///
/// If a value's `write_scope` fails, as `to_string` does for a `Display` that fails.
#[must_use]
pub fn scope(levels: &[(&'static str, &dyn ScopeValue)]) -> Scope {
    #[expect(clippy::expect_used, reason = "a value that cannot be written is a defect of its type")]
    Scope::from_values(levels.iter().copied()).expect("a scope value's `write_scope` returned an error")
}

/// The same, where values may be missing: `None` then.
#[must_use]
pub fn scope_path(levels: &[(&'static str, Option<&dyn ScopeValue>)]) -> Option<Scope> {
    let levels: Option<Vec<_>> = levels.iter().map(|(name, value)| Some((*name, (*value)?))).collect();
    Scope::from_values(levels?)
}

/// The tree of a `scopes!` module: name, parameter and parent of each level. The macro has checked it.
///
/// # Panics
///
/// If the levels are no tree.
#[must_use]
pub fn tree(levels: &[(&'static str, &'static str, Option<&'static str>)]) -> ScopeTree {
    let add = |builder: crate::scope::ScopeTreeBuilder,
               (name, param, parent): &(&'static str, _, Option<&str>)| {
        match parent {
            Some(parent) => builder.child(*parent, *name, *param),
            None => builder.level(*name, *param),
        }
    };
    #[expect(clippy::expect_used, reason = "`scopes!` has reported every mistake at compile time")]
    levels.iter().fold(ScopeTree::builder(), add).build().expect("`scopes!` lets only trees pass")
}
