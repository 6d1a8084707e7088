//! The procedural macros of [cacheado](https://docs.rs/cacheado), which re-exports them: depend on `cacheado`,
//! not on this crate.
//!
//! - [`macro@cached`] memoizes a function.
//! - [`scopes!`] declares the hierarchy of scopes that values are cached in.
//! - [`macro@KeyPart`] makes a type usable as an argument of a cached function.
//!
//! Each macro is made of stages, each with its own file: tokens → spanned arguments → typed model → validation →
//! expansion. Only the expansion generates code, and it cannot fail; every mistake is found before, reported at
//! the token that is wrong, and all of them at once.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod cached;
mod duration;
mod errors;
mod fallback;
mod key_part;
mod krate;
mod scopes;
mod suggest;
mod types;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use proc_macro::TokenStream;

/// Memoizes a function: calls with an equal key are answered from the cache.
///
/// The function keeps its name, visibility, generics, attributes, asyncness and return type. It may be free, a
/// method, an associated function, a method of a trait implementation (with `companions = false`), generic, and
/// take borrowed, `impl Trait` and pattern arguments.
///
/// ```text
/// #[cached(ttl = "5m", scope = "user", tags("profiles:{org_id}"))]
/// async fn profile(org_id: &str, user_id: &str, page: u32) -> Result<Profile, DbError> {
///     load(org_id, user_id, page).await
/// }
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `ttl = 300`, `ttl = "5m"`, `ttl = EXPR` | seconds, a human duration, or an expression over the arguments for a `Duration`, an `Option<Duration>` (`None`: no expiry) or a `Ttl`. Left out: the cache's `default_ttl`; without one, no expiry |
/// | `ttl_with = PATH` | `fn(&T) -> Duration` on the computed value; wins over `ttl` |
/// | `scope = "user"` | a level of the `scopes!` module named `scopes`; `scope = path::to::module::user` names any other; `scope = ambient`: that of `cacheado::in_scope`, and without one the call is not cached. Left out: global |
/// | `scope_args(org_id = ctx.org.id)` | where a level's value comes from, when no parameter has that name |
/// | `key(a, b)`, `skip(db, ctx)`, `key = EXPR` | the arguments that make the key, those that don't, or the whole key, which is no literal where there are arguments. `self` must be named in one of them |
/// | `tags("item:{item}", "catalogue")` | tags, formatted from the arguments. A tag goes across scopes: put the tenant into it if it is not to |
/// | `name = "billing.invoice"` | the stable name in keys. Left out: crate, module path and function |
/// | `version = 2` | part of the key: raise it when the result's meaning changes |
/// | `cache = EXPR` | an expression that derefs to `Cache`. Left out: the ambient or global cache |
/// | `cache_none`, `cache_none = "30s"` | store `None` too, for the same or an own time |
/// | `cache_err = "5s"` | store `Err` too (`E: Clone`, and serde for a remote backend) |
/// | `cache_if = PATH` | `fn(&R) -> bool` on the whole return value |
/// | `stale = "1m"` | past its time, a value is served for this long while one caller's body is run in the background |
/// | `stale_if_error = "1h"` | past its time, a value is served where the body returns an `Err`, panics or takes longer than `timeout`: at most this long past it, and failures do not renew it. After a failure the body is left alone for up to a second |
/// | `early = 1.0` | near its expiry a value is computed anew in the background, by chance and by what it costs (`XFetch`), with this beta |
/// | `jitter = 0.1` | each lifetime is shortened by a random part of up to 10 % |
/// | `timeout = "2s"` | async only: a caller waits no longer; the body goes on, and its result is stored. The caller is given an older value with `stale_if_error`, else an error (`E: From<cacheado::Error>`) |
/// | `single_flight = false` | every caller computes; by default one computes and the others wait for it |
/// | `single_flight = "distributed"` | callers of other processes wait, too, by a lease on the backend: the value must have serde |
/// | `refresh_if = EXPR` | a `bool` over the arguments: compute and overwrite; a parameter that it consists of, and a `bool` in it, is not part of the key |
/// | `on_backend_error = "error"` | return an outage of the backend as the function's error (`E: From<cacheado::Error>`); by default, or with `"compute"`, it is a miss |
/// | `remote`, `local` | assert that the value can be stored remotely, or keep it in this process |
/// | `batch(ids)` | the parameter `ids`, a `&[Id]` or `Vec<Id>`, holds many elements: each is cached for itself, and the body is given those that are missing. The function returns a `Vec<T>`, a `HashMap<Id, T>` or a `Result` of either; elsewhere in the attribute `ids` stands for one id |
/// | `companions = false` | no `<fn>_entry` and `<fn>_cache` |
/// | `crate = path` | where `cacheado` is re-exported |
///
/// With `stale`, `early` and `timeout` the body can go on without its caller, so it owns its arguments: what they
/// borrow (`&str`, `&[T]`, `&T`, `&self`) is copied on a miss, which asks for `Clone + Send + 'static`, and for `Sync` too
/// where the body of an async function holds it across an `.await`; what is taken by value is `Send + 'static`, as what
/// an async function returns is. `&mut` and borrows inside of a type are
/// errors. A background task of an async function is one of the tokio runtime that the call is made in; that of a sync
/// function runs on one of a few threads. The guide has a page for each: [stale], [stale if error], [early] and [timeout].
///
/// [stale]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/stale.md
/// [stale if error]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/stale_if_error.md
/// [early]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/early.md
/// [timeout]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/timeout.md
///
/// Beside the function stand two more, with the same visibility: `<fn>_entry(args…)` for the one entry that a
/// call with these arguments uses, and `<fn>_cache()` for the function's own part of the cache.
///
/// # Errors
///
/// Whatever is wrong is a compile error at the token, and the function itself stays in place.
///
/// "Method `<fn>_entry` is not a member of trait", shown at the attribute, is the compiler's own: a method of a
/// trait implementation has no room for siblings, so it needs `companions = false`. The macro cannot see where
/// its function stands.
#[proc_macro_attribute]
pub fn cached(arguments: TokenStream, item: TokenStream) -> TokenStream {
    cached::cached(arguments.into(), item.into(), nth).into()
}

/// How many functions of this name there are so far, with this one. In several blocks there may be several, and those that
/// one macro by example writes have all the place of its invocation.
fn nth(function: &str) -> u32 {
    static SEEN: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let count = seen.entry(function.to_owned()).or_default();
    *count += 1;
    *count
}

/// Declares scopes: a module with one function a level.
///
/// ```text
/// cacheado::scopes! {
///     pub mod scopes {
///         organization(org_id: OrgId) { user(user_id) { session(session_id) } }
///         car(car_id) { door(door_id) }
///     }
/// }
///
/// let scope = scopes::user(org_id, "u7");
/// ```
///
/// A level's function takes its ancestors' values too. A level with a type takes that type, owned or borrowed
/// (of `String`: any text); one without takes any `ScopeValue`. Doc comments on a level are those of its function.
/// `tree()` gives the levels as a `ScopeTree`. A first line `crate = path;` says where `cacheado` is re-exported. Functions with `#[cached(scope = "user")]` find the levels in the
/// module named `scopes`, those with `scope = path::to::module::user` in any other, also of another crate.
///
/// # Errors
///
/// Duplicate levels, a parameter twice in one chain, an empty module and reserved names (`global`, `ambient`,
/// `tree`, keywords, names that begin with `__`) are compile errors at the name.
#[proc_macro]
pub fn scopes(input: TokenStream) -> TokenStream {
    let unique = unique(&input);
    scopes::scopes(input.into(), &unique).into()
}

/// A name for the place and content of an invocation, the same in every build of the same source. Invocations that a
/// macro by example writes have one place, and may have one content: they are counted.
fn unique(input: &TokenStream) -> String {
    static SEEN: Mutex<BTreeMap<u64, u32>> = Mutex::new(BTreeMap::new());
    let place = proc_macro::Span::call_site();
    let text = format!("{}:{}:{}:{input}", place.file(), place.line(), place.column());
    // FNV-1a: the standard library's hasher promises no stable value.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let count = seen.entry(hash).or_default();
    *count += 1;
    format!("{hash:016x}_{count}")
}

/// Makes a struct or an enum a part of keys: `#[derive(KeyPart)]`.
///
/// ```text
/// #[derive(KeyPart)]
/// struct Page { number: u32, size: u32, #[key(skip)] trace: Trace }
///
/// #[derive(KeyPart)]
/// struct OrgId(String);
/// ```
///
/// A newtype (a tuple struct of one field) is encoded as what it wraps, and is a `ScopeValue` where that is one.
/// Enum variants are encoded by name, so that their order may change. `#[key(skip)]` leaves a field out;
/// `#[key(crate = path)]` on the type says where `cacheado` is re-exported. Type parameters in the key get a
/// `KeyPart` bound, and of `T::Id` the associated type has it; `PhantomData<…>` is no part of the key. The fields of a
/// packed struct have to be `Copy`.
///
/// # Errors
///
/// A union, an unknown `#[key(..)]` and a field whose type is no `KeyPart` are compile errors.
#[proc_macro_derive(KeyPart, attributes(key))]
pub fn derive_key_part(input: TokenStream) -> TokenStream {
    key_part::derive(input.into()).into()
}

/// Not public: the second half of `#[cached(scope = …)]`, which the macros of scope modules call.
#[doc(hidden)]
#[proc_macro]
pub fn scope_call(input: TokenStream) -> TokenStream {
    scopes::call::scope_call(input.into()).into()
}
