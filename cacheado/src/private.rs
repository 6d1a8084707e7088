//! What generated code calls. Not part of the public interface: it changes with any release, and only the
//! macros of the very same version call it.

#[path = "private/checks.rs"]
mod checks;
#[path = "private/detached.rs"]
mod detached;
#[path = "private/functions.rs"]
mod functions;
#[cfg(fuzzing)]
#[path = "private/fuzz.rs"]
pub mod fuzz;

use std::marker::PhantomData;
use std::panic::Location;
use std::sync::LazyLock;

use crate::cache::AsCache;
use crate::engine::{KeyQuery, Question, call_for, hash_key};
use crate::function::{AsyncFunctionCache, FunctionCache};
use crate::key::KeyPart;
use crate::scope::{Scope, ScopeTree, ScopeValue};

pub use crate::cache::{ambient, explicit};
pub use crate::context::AmbientScope;
pub use crate::engine::{Batch, Lookup, Miss, lookup};
pub use crate::function::kind::{Behind, Holds, Kind, Settable, Shape};
pub use crate::function::{BatchOf, Batched, Detached, Guarded, Instance, Keep, SingleFlight, Site};
pub use crate::scope::{ScopeSource, ScopeText};
pub use cacheado_macros::scope_call;

pub use crate::function::probe::{Inert, Kept, Probe, Stored, stored};
pub use checks::{
    Copyable, Fallible, Lifetime, NoKind, NoPart, Optional, Outcome, Part, Remote, ReturnsError,
    ReturnsTimeout, TakesError, TakesTimeout, Unstorable, assert_fallible, assert_optional, assert_remote,
    backend_error, lifetime, timed_out,
};
pub use detached::{Borrowed, Lent, Moved, NotOwned, Owned, assert_moved};
pub use functions::{cache_if, refresh_if, ttl_with};

/// The traits by whose methods generated code chooses by type. Without names, which types of the user's may have.
pub mod choose {
    pub use crate::function::probe::{HasCodec as _, InnerOf as _, KeptAs as _, KindOf as _, OuterOf as _};
}

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

/// The instance that the closure was written in.
#[inline]
#[must_use]
pub fn instance<F>(_: F) -> Instance<F> {
    Instance(PhantomData)
}

/// The type of an argument whose type has no name.
#[inline]
#[must_use]
pub fn type_of<T: ?Sized>(_: &T) -> PhantomData<T> {
    PhantomData
}

/// What an `async` block returns, where it says so and never does.
#[inline]
#[must_use]
pub fn returned<R>() -> R {
    unreachable!("stands behind `if false`")
}

/// The call of a `<fn>_entry`, in which the closure of the instance was written.
pub fn entry<K: Kind, P: KeyPart + ?Sized, F, G>(
    site: &'static Site,
    cache: &impl AsCache,
    shape: Shape<K>,
    _instance: Instance<F, G>,
    key: &P,
) -> Miss<K> {
    let (cache, instance) = (cache.as_cache(), Instance::<F, G>::NAMES);
    let question =
        Question { site, cache, instance, hash: hash_key(key), key: &KeyQuery(key), refresh: false };
    Miss::new(call_for(&question, "_entry", &shape), shape.kind)
}

/// By value, as all that is called on it: a method of that name, which a trait of the user's gives to every type, is not
/// found before.
impl Site {
    /// The `<fn>_cache` of a sync function, in which the closure was written.
    pub fn cache<F>(self, cache: &impl AsCache, _closure: F) -> FunctionCache {
        let path = self.path(Instance::<F>::NAMES.with("_cache"));
        FunctionCache::new(&self, cache.as_cache().clone(), &path)
    }

    /// The `<fn>_cache` of an async function, in which the closure was written.
    pub fn async_cache<F>(self, cache: &impl AsCache, _closure: F) -> AsyncFunctionCache {
        let path = self.path(Instance::<F>::NAMES.with("_cache"));
        AsyncFunctionCache::new(&self, cache.as_cache().clone(), &path)
    }
}

/// A level's value, whatever its type. No cast in generated code, which a lint of the user's may forbid.
#[must_use]
pub fn scope_value<V: ScopeValue>(value: &V) -> &dyn ScopeValue {
    value
}

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
    if levels.iter().any(|(_, value)| value.is_none()) {
        return None;
    }
    // One for each level, so that it is known how many there are.
    Scope::from_values(levels.iter().map(|(name, value)| (*name, value.unwrap_or(&""))))
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
