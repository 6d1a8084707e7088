//! Statistics of a cache, whole and in parts.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::Cache;
use crate::function::AnyFunction;
use crate::stats::Stats;

/// The name under which keys of the caller's own stand in [`Cache::stats_by_function`].
const PROGRAMMATIC: &str = "(keys)";

impl Cache {
    /// What the cache has counted since it was made or last cleared. Entries whose time is over are removed
    /// first, so that they are not counted.
    ///
    /// Over a remote backend the other figures are this process's own; `total_keys` is the backend's, which is
    /// asked while this thread waits, and zero if it cannot be reached.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = self.inner();
        let mut stats = Stats { storage_type: inner.storage(), ..Stats::default() };
        for part in self.by(|_| ()).into_values() {
            stats += &part;
        }
        stats.storage_type = inner.storage();
        if let Some(remote) = &inner.remote {
            stats.total_keys += remote.count(None);
            stats.evictions += remote.evictions.load(Ordering::Relaxed);
        }
        stats.rule_panics = self.inner().pipeline.panics().load(Ordering::Relaxed);
        stats
    }

    /// The same for each function, by the name that its keys carry; keys of your own under `"(keys)"`. Remote
    /// entries are not counted in `total_keys`, and what evictions by scope or tag, and
    /// [`clear`](Self::clear), have removed of them not in `evictions`: the backend does not say whose they were.
    #[must_use]
    pub fn stats_by_function(&self) -> BTreeMap<String, Stats> {
        self.by(|function| {
            let identity = &function.shared().identity;
            if identity.is_programmatic() { PROGRAMMATIC.to_owned() } else { identity.name.to_string() }
        })
    }

    /// The same for each level of scope, `"global"` among them. What is not counted there is not here.
    #[must_use]
    pub fn stats_by_scope_level(&self) -> BTreeMap<String, Stats> {
        self.by(|function| function.shared().level.to_string())
    }

    fn by<N: Ord>(&self, name: impl Fn(&dyn AnyFunction) -> N) -> BTreeMap<N, Stats> {
        self.inner().store.sweep(usize::MAX);
        let mut parts = BTreeMap::<N, Stats>::new();
        for function in self.inner().registry.all() {
            *parts.entry(name(&*function)).or_default() += &function.stats();
        }
        parts
    }
}
