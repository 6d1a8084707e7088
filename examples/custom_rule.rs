//! Rules of your own: a quota for each tenant, shorter lives for free plans, and a log of what leaves.
//!
//! ```console
//! cargo run --example custom_rule
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cacheado::prelude::*;
use cacheado::rules::{Cause, Effect, EntryMeta, Rule};
use cacheado::{Key, with_cache};

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

/// At most so many entries for each organization, so that one tenant cannot fill the cache of all.
///
/// A rule is asked before an entry is stored. Where the store then drops it (an eviction came during its
/// computation), its key stays on the list until it is stored after all: such a quota is never exceeded.
struct Quota {
    most: usize,
    held: Mutex<HashMap<String, HashSet<Key>>>,
}

impl Quota {
    fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, HashSet<Key>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The organization that a key belongs to.
    fn tenant(key: &Key) -> Option<String> {
        key.scope().levels().next().map(|(_, value)| value.to_owned())
    }
}

impl Rule for Quota {
    fn on_set(&self, key: &Key, _: &EntryMeta) -> Effect {
        let Some(tenant) = Self::tenant(key) else { return Effect::Continue };
        let mut held = self.held();
        let keys = held.entry(tenant).or_default();
        if keys.len() >= self.most && !keys.contains(key) {
            return Effect::Reject;
        }
        keys.insert(key.clone());
        Effect::Continue
    }

    fn on_evict(&self, key: &Key, _: Cause) -> Effect {
        if let Some(tenant) = Self::tenant(key)
            && let Some(keys) = self.held().get_mut(&tenant)
        {
            keys.remove(key);
        }
        Effect::Continue
    }

    fn on_clear(&self) {
        self.held().clear();
    }
}

/// What belongs to the free plan lives ten seconds at most.
struct ShortForFree;

impl Rule for ShortForFree {
    fn on_set(&self, key: &Key, entry: &EntryMeta) -> Effect {
        let most = Duration::from_secs(10);
        let is_free = key.scope().levels().any(|(level, value)| level == "organization" && value == "free");
        if is_free && entry.ttl().is_none_or(|ttl| ttl > most) {
            Effect::SetTtl(most.into())
        } else {
            Effect::Continue
        }
    }
}

/// Remembers what has left, and why.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<String>>>);

impl Rule for Audit {
    fn on_evict(&self, key: &Key, cause: Cause) -> Effect {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{key} left: {cause:?}"));
        Effect::Continue
    }
}

#[cached(ttl = 300, scope = "user", name = "report")]
fn report(org_id: &str, user_id: &str, year: u32) -> String {
    format!("{year} of {user_id}@{org_id}")
}

fn main() -> cacheado::Result<()> {
    let audit = Audit::default();
    let cache = Cache::builder().rule(Quota::new(2)).rule(ShortForFree).rule(audit.clone()).build()?;

    with_cache(&cache, || {
        println!("A quota of two entries for each organization");
        for year in 2021..=2024 {
            report("acme", "ada", year);
            report("free", "grace", year);
        }
        let stats = cache.stats();
        println!("   {stats}");
        assert_eq!((stats.total_keys, stats.rejections), (4, 4));

        println!("\nThe free plan's entries live for ten seconds instead of 300");
        for org in ["acme", "free"] {
            let left = report_entry(org, if org == "acme" { "ada" } else { "grace" }, 2021).remaining()?;
            println!("   {org}: {} s left", left.unwrap_or_default().as_secs_f64().ceil());
        }

        println!("\nEvery entry that leaves is seen, with the cause");
        report_entry("acme", "ada", 2021).evict()?;
        cache.evict_by_scope(&scopes::organization("free"))?;
        for line in audit.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            println!("   {line}");
        }

        println!("\nAnd there is room again");
        report("acme", "ada", 2025);
        assert!(report_entry("acme", "ada", 2025).peek()?.is_some());
        println!("   {}", cache.stats());
        Ok::<(), cacheado::Error>(())
    })?;
    assert_eq!(audit.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 3);
    Ok(())
}
