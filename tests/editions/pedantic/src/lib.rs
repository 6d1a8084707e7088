//! What a crate sees that lets no warning pass (hazard 34). That it compiles, and that clippy is silent, is the
//! test.

#![deny(warnings, missing_docs, unused, clippy::all, clippy::pedantic)]
#![deny(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
#![deny(clippy::unwrap_used, clippy::panic, unreachable_pub, unused_qualifications, single_use_lifetimes)]
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cacheado::prelude::*;

cacheado::scopes! {
    /// The tenants.
    pub mod scopes {
        /// Who pays.
        organization(org_id: OrgId) { user(user_id) }
        car(car_id: String)
    }
}

/// An organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, KeyPart)]
pub struct OrgId(pub u64);

/// A page of results.
#[derive(Clone, Debug, KeyPart)]
pub struct Page {
    /// Which.
    pub number: u32,
    #[key(skip)]
    trace: String,
}

impl Page {
    /// A page.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { number, trace: String::new() }
    }

    /// Where it was asked for.
    #[must_use]
    pub fn trace(&self) -> &str {
        &self.trace
    }
}

/// What can be sorted.
#[derive(Clone, Copy, Debug, KeyPart)]
pub enum Order {
    /// Upwards.
    Up,
    /// Downwards, from here.
    Down {
        /// Here.
        from: u8,
    },
    /// As it is.
    None(bool),
}

/// Went wrong.
#[derive(Debug)]
pub struct Wrong;

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong")
    }
}

impl std::error::Error for Wrong {}

static OWN: LazyLock<Cache> = LazyLock::new(Cache::new);

/// A plain function.
#[cached(ttl = 300)]
#[must_use]
pub fn area(w: u64, h: u64) -> u64 {
    w * h
}

/// Returns nothing.
#[cached]
pub fn nothing() {}

/// With a scope, tags, and `?`.
///
/// # Errors
///
/// If it is not a number.
#[cached(ttl = "5m", scope = "user", tags("user:{user_id}", "all"), cache_err = "5s")]
pub fn parse(org_id: OrgId, user_id: &str, text: &str) -> Result<u64, std::num::ParseIntError> {
    let number: u64 = text.parse()?;
    Ok(number + org_id.0 + user_id.len() as u64)
}

/// Async, with everything.
///
/// # Errors
///
/// If it is zero.
#[cached(
    ttl = Duration::from_secs(u64::from(page.number)),
    ttl_with = lifetime,
    cache_if = is_good,
    cache = OWN,
    name = "pedantic.find",
    version = 2,
    refresh_if = page.number == 7,
    scope = "organization",
    cache_none = "1s"
)]
pub async fn find(org_id: &OrgId, page: &Page, order: Order) -> Result<Option<Arc<str>>, Wrong> {
    tokio_free().await;
    match (org_id.0, order) {
        (0, _) => Err(Wrong),
        (1, _) => Ok(None),
        (_, Order::Up) => Ok(Some("up".into())),
        (_, Order::Down { from }) => Ok(Some(from.to_string().into())),
        (_, Order::None(flag)) => Ok(Some(format!("{flag}{}", page.number).into())),
    }
}

async fn tokio_free() {
    std::future::ready(()).await;
}

fn lifetime(value: &Arc<str>) -> Duration {
    Duration::from_secs(value.len() as u64)
}

fn is_good(value: &Result<Option<Arc<str>>, Wrong>) -> bool {
    !matches!(value, Ok(Some(text)) if text.is_empty())
}

/// Generic, with lifetimes, a where clause and an `impl Trait`.
#[cached(skip(label))]
pub fn describe<'a, T>(value: &'a T, other: Cow<'a, str>, label: impl Display) -> String
where
    T: KeyPart + Display + ?Sized,
{
    format!("{label}: {value} {other}")
}

/// A scope, and a lifetime, from inside of a pattern.
#[cached(scope = "organization", scope_args(org_id = OrgId(*a)), ttl = Duration::from_secs(*b))]
#[must_use]
pub fn inside((a, b): (u64, u64)) -> u64 {
    a + b
}

/// Patterns, an unused one among them.
#[cached]
#[must_use]
pub fn patterns((a, b): (u8, u8), [c, ..]: [u8; 3], _: bool, Page { number, .. }: Page, mut n: u32) -> u32 {
    n += number;
    n + u32::from(a) + u32::from(b) + u32::from(c)
}

/// A collection.
#[cached]
#[must_use]
pub fn sum(of: &BTreeMap<String, u32>, r#type: Option<&str>) -> u32 {
    of.values().sum::<u32>() + u32::from(r#type.is_some())
}

/// Calls itself.
#[cached]
#[must_use]
pub fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

/// Deprecated, and used nowhere.
#[deprecated(note = "for the test")]
#[cached]
#[must_use]
pub fn old(n: u8) -> u8 {
    n
}

/// Deprecated, and part of keys all the same.
#[deprecated(note = "for the test")]
#[derive(Clone, Copy, Debug, KeyPart)]
pub struct OldId(pub u32);

/// Parts of it are deprecated.
#[derive(Clone, Copy, Debug, KeyPart)]
pub enum Version {
    /// The old one.
    #[deprecated(note = "for the test")]
    Old(u8),
    /// The new one.
    New {
        /// Which.
        number: u8,
        /// And how it was called.
        #[deprecated(note = "for the test")]
        name: u8,
    },
}

/// Not there at all.
#[cfg(any())]
#[cached]
pub fn absent(n: Absent) -> Absent {
    n
}

/// With a parameter that is not there.
#[cached]
#[must_use]
pub fn conditional(n: u8, #[cfg(any())] absent: Absent, #[allow(unused_variables)] m: u8) -> u8 {
    n
}

/// Its own lints.
#[expect(clippy::needless_pass_by_value, reason = "for the test")]
#[allow(clippy::unused_async)]
#[cached]
pub async fn owned(text: String) -> usize {
    text.len()
}

/// Lints that are expected of a parameter.
#[cached]
#[must_use]
pub fn expected(n: u8, #[expect(unused_variables, reason = "for the test")] m: u8) -> u8 {
    n
}

/// Private ones, of which only the function is used.
mod private {
    use cacheado::cached;

    #[cached]
    fn hidden(n: u8) -> u8 {
        n
    }

    pub(super) fn shown(n: u8) -> u8 {
        hidden(n)
    }

    #[cached(companions = false)]
    pub(super) fn alone(n: u8) -> u8 {
        n
    }
}

/// Uses them.
#[must_use]
pub fn uses(n: u8) -> u8 {
    private::shown(n) + private::alone(n)
}

/// Something with methods.
#[derive(Debug)]
pub struct Repo<T> {
    cache: Cache,
    value: T,
}

impl<T: Clone + Send + Sync + 'static> Repo<T> {
    /// A repository.
    pub fn new(value: T) -> Self {
        Self { cache: Cache::new(), value }
    }

    /// A method.
    #[cached(cache = self.cache, skip(self), scope = "organization")]
    pub fn get(&self, org_id: OrgId) -> T {
        let _ = org_id;
        self.value.clone()
    }

    /// An async method.
    #[cached(cache = self.cache, skip(self), tags("n:{n}"))]
    pub async fn later(&self, n: u8) -> Option<T> {
        tokio_free().await;
        (n > 0).then(|| self.value.clone())
    }

    /// An associated function.
    #[cached]
    #[must_use]
    pub fn size(of: u8) -> usize {
        size_of::<T>() + usize::from(of)
    }

    /// Consumes it.
    #[cached(skip(self), cache = OWN)]
    pub fn into_value(self) -> T {
        self.value
    }
}

/// A trait.
pub trait Named {
    /// Its name.
    fn name(&self, n: u8) -> String;
}

impl<T> Named for Repo<T> {
    #[cached(companions = false, skip(self))]
    fn name(&self, n: u8) -> String {
        format!("repo {n}")
    }
}

/// A batch, with arguments that it owns.
#[cached(batch(ids), tags("n:{ids}"))]
#[must_use]
pub fn named_all(ids: Vec<u64>, prefix: String) -> std::collections::HashMap<u64, String> {
    let owned = prefix;
    ids.into_iter().map(|id| (id, format!("{owned}{id}"))).collect()
}

/// An async batch.
///
/// # Errors
///
/// Never.
#[cached(batch(ids), cache_none, ttl = Duration::from_secs(*ids), scope = ambient)]
pub async fn all_later(ids: &[u64], (factor, _): (u64, u8)) -> Result<Vec<Option<u64>>, fmt::Error> {
    tokio_free().await;
    let all = ids.iter().map(|id| (*id > 0).then_some(id * factor)).collect();
    Ok(all)
}

/// A batch of an argument that is not used but in its key.
#[cached(batch(_ids))]
#[must_use]
pub fn none_of(_ids: &[u64], _prefix: u8) -> Vec<u8> {
    Vec::new()
}

/// Written by a macro.
macro_rules! twice {
    ($name:ident, $by:expr) => {
        /// Written by a macro.
        #[cached]
        #[must_use]
        pub fn $name(n: u64) -> u64 {
            n * $by
        }
    };
}

twice!(doubled, 2);
twice!(tripled, 3);

/// What a macro writes, under lints that few have on.
#[forbid(trivial_casts)]
#[deny(clippy::impl_trait_in_params, clippy::pattern_type_mismatch)]
pub mod written {
    use cacheado::prelude::*;

    macro_rules! tenants {
        ($id:ty) => {
            cacheado::scopes! {
                /// The tenants.
                pub mod scopes { tenant(tenant_id: $id) { user(user_id) } }
            }
        };
    }

    tenants!(String);

    /// A name in a pattern, borrowed for the scope.
    #[cached(scope = "user")]
    #[must_use]
    pub fn inside((tenant_id, user_id): (String, u64)) -> String {
        format!("{tenant_id} {user_id}")
    }
}

/// A body that can go on without its caller.
#[cached(ttl = 60, stale = 30, early = 1.0, jitter = 0.1, stale_if_error = "1h")]
#[must_use]
pub fn outlives(mut name: &str, mut list: Vec<u8>, (a, _b): (u8, u8), _unused: u8) -> usize {
    name = name.trim();
    list.push(a);
    name.len() + list.len()
}

/// The same, as a task.
///
/// # Errors
///
/// Never.
#[cached(ttl = 60, stale = 30, timeout = "2s", stale_if_error = "1h")]
pub async fn outlives_later(name: &str, pages: &[Page]) -> Result<usize, cacheado::Error> {
    tokio_free().await;
    Ok(name.len() + pages.len())
}

/// One whose caller waits, and whose failure is covered.
///
/// # Errors
///
/// Never.
#[cached(ttl = 60, stale_if_error = "1h")]
pub async fn covered_later(name: Option<&str>) -> Result<usize, fmt::Error> {
    tokio_free().await;
    Ok(name.map_or(0, str::len))
}

/// A handle, whose methods can go on without their callers.
#[derive(Clone, Debug)]
pub struct Handle(Arc<str>);

impl Handle {
    /// A handle.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// A method.
    #[cached(ttl = 60, stale = 30, skip(self))]
    #[must_use]
    pub fn named(&self, n: u64) -> String {
        format!("{} {n}", self.0)
    }

    /// An async method.
    #[cached(ttl = 60, stale = 30, skip(self))]
    pub async fn named_later(&self, n: u64) -> String {
        tokio_free().await;
        format!("{} {n}", self.0)
    }
}
