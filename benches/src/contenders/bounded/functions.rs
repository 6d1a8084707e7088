//! Annotated functions. A function has one cache, so there is one of each kind for each bound.

use std::sync::{Arc, LazyLock};

use ::cached::macros as peer;
use cacheado::Cache;
use cacheado::rules::{Adaptive, Lru, Rule};

use super::MIXED;
use crate::contenders::Contender;
use crate::workloads::{Item, StructKey, build_item};

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id)
    }
}

fn cache(rule: impl Rule) -> Cache {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    Cache::builder().rule(rule).build().expect("the configuration is valid")
}

/// The key of `cached`, which it has by value.
type Owned = (String, u64);

fn own(tenant_id: &str, id: u64) -> Owned {
    (tenant_id.to_owned(), id)
}

macro_rules! functions {
    ($module:ident, $bound:tt) => {
        pub(super) mod $module {
            use super::*;
            use crate::contenders::block_on;

            // A cache for each, so that none of them drives out what belongs to another.
            static SCOPED: LazyLock<Cache> = LazyLock::new(|| cache(Lru::new($bound)));
            static ASYNC: LazyLock<Cache> = LazyLock::new(|| cache(Lru::new($bound)));
            static PLAIN: LazyLock<Cache> = LazyLock::new(|| cache(Lru::new($bound)));

            #[cacheado::cached(ttl = 300, scope = "tenant", cache = SCOPED, companions = false)]
            fn scoped(tenant_id: &str, id: u64) -> Arc<Item> {
                build_item(tenant_id, id)
            }

            #[cacheado::cached(ttl = 300, scope = "tenant", cache = ASYNC, companions = false)]
            async fn scoped_async(tenant_id: &str, id: u64) -> Arc<Item> {
                build_item(tenant_id, id)
            }

            #[cacheado::cached(ttl = 300, cache = PLAIN, companions = false)]
            fn plain(tenant_id: &str, id: u64) -> Arc<Item> {
                build_item(tenant_id, id)
            }

            #[peer::cached(max_size = $bound, ttl_secs = 300, key = "Owned", convert = { own(tenant_id, id) })]
            fn single(tenant_id: &str, id: u64) -> Arc<Item> {
                build_item(tenant_id, id)
            }

            #[peer::concurrent_cached(max_size = $bound, ttl_secs = 300, key = "Owned", convert = { own(tenant_id, id) })]
            fn concurrent(tenant_id: &str, id: u64) -> Arc<Item> {
                build_item(tenant_id, id)
            }

            pub(crate) fn ours() -> Vec<Contender<StructKey>> {
                vec![
                    Contender::new("cacheado", |(tenant, id)| scoped(tenant, id)),
                    Contender::new("cacheado without scope", |(tenant, id)| plain(tenant, id)),
                    Contender::new("cacheado async", |(tenant, id)| block_on(scoped_async(tenant, id))),
                ]
            }

            pub(crate) fn theirs() -> [Contender<StructKey>; 2] {
                [
                    Contender::new("#[cached]", |(tenant, id)| single(tenant, id)),
                    Contender::new("#[concurrent_cached]", |(tenant, id)| concurrent(tenant, id)),
                ]
            }
        }
    };
}

functions!(missing, 100_000);
functions!(mixed, 10_000);
functions!(million, 2_000_000);

static ADAPTIVE: LazyLock<Cache> = LazyLock::new(|| cache(Adaptive::new(MIXED)));

#[cacheado::cached(ttl = 300, scope = "tenant", cache = ADAPTIVE, companions = false)]
fn adapting(tenant_id: &str, id: u64) -> Arc<Item> {
    build_item(tenant_id, id)
}

/// The function for calls of which some miss, with the bound that resists scans.
pub(super) fn adaptive() -> Contender<StructKey> {
    Contender::new("cacheado Adaptive", |(tenant, id)| adapting(tenant, id))
}
