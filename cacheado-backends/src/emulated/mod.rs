//! A [`Tier`] over any [`Backend`](crate::Backend): groups, fences and counts by ordinary small entries.

use std::sync::Arc;
use std::time::Duration;

use crate::contract::{
    BoxFuture, Capabilities, Claim, DynBackend, Entry, Filled, Group, New, Place, Tier, Wanted,
};
use crate::error::{Error, ErrorKind, Result};

/// A [`Tier`] over any backend.
pub struct Emulated {
    backend: Arc<dyn DynBackend>,
}

impl Emulated {
    /// Over this backend.
    pub fn new(backend: Arc<dyn DynBackend>) -> Self {
        Self { backend }
    }
}

impl std::fmt::Debug for Emulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulated").field("backend", &self.backend.name()).finish_non_exhaustive()
    }
}

fn unwritten<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T>> {
    Box::pin(async { Err(Error::new(ErrorKind::Other, "emulate", "not written yet")) })
}

impl Tier for Emulated {
    fn name(&self) -> &'static str {
        self.backend.name()
    }
    fn capabilities(&self) -> Capabilities {
        self.backend.capabilities()
    }
    fn get<'a>(&'a self, _: &'a Place, _: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        unwritten()
    }
    fn get_many<'a>(&'a self, _: &'a [Place]) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        unwritten()
    }
    fn begin<'a>(&'a self, _: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        unwritten()
    }
    fn fill<'a>(&'a self, _: &'a Place, _: New<'a>, _: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        unwritten()
    }
    fn set<'a>(&'a self, _: &'a Place, _: New<'a>, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        unwritten()
    }
    fn set_ttl<'a>(&'a self, _: &'a Place, _: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        unwritten()
    }
    fn evict<'a>(&'a self, _: &'a Place, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        unwritten()
    }
    fn evict_group<'a>(&'a self, _: &'a Group, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        unwritten()
    }
    fn clear<'a>(&'a self, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        unwritten()
    }
    fn count<'a>(&'a self, _: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        unwritten()
    }
}
