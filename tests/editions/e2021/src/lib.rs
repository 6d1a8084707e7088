//! What a crate of edition 2021 does with cacheado: no prelude imports beyond 2021’s, names that later editions
//! reserve, and functions of every shape.

use cacheado::{cached, scopes, Cache, KeyPart};
use std::sync::Arc;

scopes! {
    /// Scopes of this crate.
    pub mod scopes {
        organization(org_id: OrgId) { user(user_id) }
    }
}

/// An organization.
#[derive(Clone, Debug, PartialEq, KeyPart)]
pub struct OrgId(pub String);

/// A name that a later edition reserves.
#[cached(ttl = 60)]
pub fn gen(dyn_: u64) -> u64 {
    dyn_ + 1
}

/// Borrowed arguments, a scope, and a fallible body.
#[cached(ttl = "1m", scope = "user", tags("user:{user_id}"))]
pub fn profile(org_id: &OrgId, user_id: &str) -> Result<String, std::num::ParseIntError> {
    let number: u32 = user_id.parse()?;
    Ok(format!("{}/{}", org_id.0, number))
}

/// The same, async.
#[cached(ttl = "1m", scope = "user")]
pub async fn profile_async(org_id: &OrgId, user_id: &str) -> Result<Arc<str>, std::num::ParseIntError> {
    let number: u32 = user_id.parse()?;
    Ok(format!("{}/{}", org_id.0, number).into())
}

/// Generic, with a lifetime and an `impl Trait`.
#[allow(clippy::needless_lifetimes, clippy::multiple_bound_locations)]
#[cached]
pub fn longest<'a, T: KeyPart + AsRef<str>>(first: &'a T, rest: impl KeyPart + AsRef<str>) -> usize
where
    T: ?Sized,
{
    first.as_ref().len().max(rest.as_ref().len())
}

/// A type with methods.
pub struct Repo {
    /// Where they are cached.
    pub cache: Cache,
}

impl Repo {
    /// A method with its own cache.
    #[cached(cache = self.cache, skip(self))]
    pub fn double(&self, (n, _unused): (u32, u8)) -> u32 {
        n * 2
    }

    /// The same, async.
    #[cached(cache = self.cache, skip(self))]
    pub async fn triple(&self, n: u32) -> Option<u32> {
        Some(n * 3)
    }
}

/// A batch.
#[cacheado::cached(batch(ids))]
pub fn lengths(ids: &[String], add: usize) -> Vec<usize> {
    ids.iter().map(|id| id.len() + add).collect()
}

/// An async batch.
#[cacheado::cached(batch(ids), scope = ambient)]
pub async fn lengths_later(ids: Vec<&str>, add: String) -> Result<Vec<usize>, String> {
    std::future::ready(()).await;
    Ok(ids.into_iter().map(|id| id.len() + add.len()).collect())
}
