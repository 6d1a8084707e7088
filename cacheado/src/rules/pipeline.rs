//! The rules of one cache, in their order, with their panics contained.

use std::any::{Any, type_name};
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cacheado_backends::memory::Limits;

use super::{Adaptive, Cause, Effect, EntryMeta, Lru, MaxItems, Rule, TtlRule};
use crate::key::Key;
use crate::stats::count;
use crate::ttl::Ttl;

enum Step {
    /// `MaxItems`: those after it are not asked about what it rejects. The store makes it binding.
    Bound,
    Custom(Custom),
}

/// A rule of the user's.
struct Custom {
    rule: Box<dyn Rule>,
    /// The name of its type.
    name: &'static str,
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
            self.steps.push(Step::Custom(Custom { rule: Box::new(rule), name: type_name::<R>() }));
        }
    }

    /// Whether there is no rule of the user's.
    pub(crate) fn is_empty(&self) -> bool {
        self.custom().next().is_none()
    }

    pub(crate) fn panics(&self) -> &AtomicU64 {
        &self.panics
    }

    /// Asks about an entry that was found. Each rule is told of the lifetime that those before it have set, of which
    /// [`Ttl::Default`] is `default_ttl`; one whose time is over gets no other.
    pub(crate) fn on_get(&self, key: &Key, mut entry: EntryMeta, default_ttl: Option<Duration>) -> Decision {
        let mut decision = Decision::default();
        let is_over = entry.ttl == Some(Duration::ZERO);
        for custom in self.custom() {
            let effect = self.contained(custom, "on_get", |rule| rule.on_get(key, &entry));
            decision.take(effect, &mut entry, default_ttl);
            if is_over {
                entry.ttl = Some(Duration::ZERO);
            }
            if decision.reject {
                break;
            }
        }
        decision
    }

    /// Asks about an entry that is to be stored, as [`on_get`](Self::on_get) does; `is_full` tells whether there is no
    /// room for it. What rules before a bound want evicted makes room, so it is handed to `evict` first; the rest is left
    /// to the caller.
    pub(crate) fn on_set(
        &self,
        key: &Key,
        mut entry: EntryMeta,
        default_ttl: Option<Duration>,
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
                Step::Custom(custom) => {
                    let effect = self.contained(custom, "on_set", |rule| rule.on_set(key, &entry));
                    decision.take(effect, &mut entry, default_ttl);
                }
            }
            if decision.reject {
                break;
            }
        }
        decision
    }

    pub(crate) fn on_evict(&self, key: &Key, cause: Cause) -> Vec<Key> {
        let mut evicted = Vec::new();
        for custom in self.custom() {
            if let Effect::Evict(keys) = self.contained(custom, "on_evict", |rule| rule.on_evict(key, cause))
            {
                evicted.extend(keys);
            }
        }
        evicted
    }

    pub(crate) fn on_clear(&self) {
        for custom in self.custom() {
            self.contained(custom, "on_clear", Rule::on_clear);
        }
    }

    fn custom(&self) -> impl Iterator<Item = &Custom> {
        self.steps.iter().filter_map(|step| match step {
            Step::Bound => None,
            Step::Custom(custom) => Some(custom),
        })
    }

    fn contained<T: Default>(
        &self,
        Custom { rule, name }: &Custom,
        method: &'static str,
        ask: impl FnOnce(&dyn Rule) -> T,
    ) -> T {
        catch_unwind(AssertUnwindSafe(|| ask(&**rule))).unwrap_or_else(|_| {
            count(&self.panics);
            tracing::error!(
                target: "cacheado",
                rule = name,
                method,
                "a rule panicked; the operation goes on without it"
            );
            T::default()
        })
    }

    pub(crate) fn restart(&self) {
        self.panics.store(0, Ordering::Relaxed);
    }
}

impl Decision {
    fn take(&mut self, effect: Effect, entry: &mut EntryMeta, default_ttl: Option<Duration>) {
        match effect {
            Effect::Continue => {}
            Effect::Reject => self.reject = true,
            Effect::Evict(keys) => self.evict.extend(keys),
            Effect::SetTtl(ttl) => {
                entry.ttl = ttl.or(default_ttl);
                self.ttl = Some(ttl);
            }
        }
    }
}
