//! The rules of one cache, in their order, with their panics contained.

use std::any::Any;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use cacheado_backends::memory::Limits;

use super::{Adaptive, Cause, Effect, EntryMeta, Lru, MaxItems, Rule, TtlRule};
use crate::key::Key;
use crate::stats::count;
use crate::ttl::Ttl;

enum Step {
    /// `MaxItems`: those after it are not asked about what it rejects. The store makes it binding.
    Bound,
    Custom(Box<dyn Rule>),
}

/// The rules in their order.
#[derive(Default)]
pub(crate) struct Pipeline {
    steps: Vec<Step>,
    panics: AtomicU64,
}

/// What the rules want together.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub(crate) reject: bool,
    pub(crate) evict: Vec<Key>,
    pub(crate) ttl: Option<Ttl>,
}

impl Pipeline {
    /// Adds a rule; what the store does itself goes into its limits.
    pub(crate) fn add<R: Rule>(&mut self, rule: R, limits: &mut Limits) {
        let any: &dyn Any = &rule;
        if let Some(Lru { n }) = any.downcast_ref() {
            limits.lru = Some(limits.lru.map_or(*n, |other| other.min(*n)));
        } else if let Some(Adaptive { n }) = any.downcast_ref() {
            limits.lru = Some(limits.lru.map_or(*n, |other| other.min(*n)));
            limits.adaptive = true;
        } else if let Some(MaxItems { n }) = any.downcast_ref() {
            limits.max_items = Some(limits.max_items.map_or(*n, |other| other.min(*n)));
            self.steps.push(Step::Bound);
        } else if any.is::<TtlRule>() {
            limits.sweep = true;
        } else {
            self.steps.push(Step::Custom(Box::new(rule)));
        }
    }

    /// Whether there is no rule of the user's.
    pub(crate) fn is_empty(&self) -> bool {
        self.custom().next().is_none()
    }

    pub(crate) fn panics(&self) -> &AtomicU64 {
        &self.panics
    }

    pub(crate) fn on_get(&self, key: &Key, entry: &EntryMeta) -> Decision {
        let mut decision = Decision::default();
        for rule in self.custom() {
            decision.take(self.contained(|| rule.on_get(key, entry)));
            if decision.reject {
                break;
            }
        }
        decision
    }

    /// Asks about an entry that is to be stored; `is_full` tells whether there is no room for it. What rules before a
    /// bound want evicted makes room, so it is handed to `evict` first; the rest is left to the caller.
    pub(crate) fn on_set(
        &self,
        key: &Key,
        entry: &EntryMeta,
        evict: impl Fn(Vec<Key>),
        is_full: impl Fn() -> bool,
    ) -> Decision {
        let mut decision = Decision::default();
        for step in &self.steps {
            match step {
                Step::Bound => {
                    evict(take(&mut decision.evict));
                    decision.reject = is_full();
                }
                Step::Custom(rule) => decision.take(self.contained(|| rule.on_set(key, entry))),
            }
            if decision.reject {
                break;
            }
        }
        decision
    }

    pub(crate) fn on_evict(&self, key: &Key, cause: Cause) -> Vec<Key> {
        let mut decision = Decision::default();
        for rule in self.custom() {
            decision.take(self.contained(|| rule.on_evict(key, cause)));
        }
        decision.evict
    }

    pub(crate) fn on_clear(&self) {
        for rule in self.custom() {
            self.contained(|| rule.on_clear());
        }
    }

    fn custom(&self) -> impl Iterator<Item = &dyn Rule> {
        self.steps.iter().filter_map(|step| match step {
            Step::Bound => None,
            Step::Custom(rule) => Some(&**rule),
        })
    }

    fn contained<T: Default>(&self, ask: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| {
            count(&self.panics);
            tracing::error!("a rule panicked; the operation goes on without it");
            T::default()
        })
    }

    pub(crate) fn restart(&self) {
        self.panics.store(0, Ordering::Relaxed);
    }
}

impl Decision {
    fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Continue => {}
            Effect::Reject => self.reject = true,
            Effect::Evict(keys) => self.evict.extend(keys),
            Effect::SetTtl(ttl) => self.ttl = Some(ttl),
        }
    }
}
