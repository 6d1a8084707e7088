//! The functions of one cache, for what concerns all of them.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use cacheado_backends::contract::Place;
use dashmap::DashMap;
use parking_lot::Mutex;

use super::Inner;
use crate::engine::KeyParts;
use crate::function::{AnyFunction, Function, Identity, Making, Policy, without_arguments};
use crate::key::{self, Key};
use crate::remote::{Chore, place};
use crate::rules::Cause;
use crate::scope::Scope;

/// The functions, by where they stand in the program and by which instance they are.
#[derive(Default)]
pub(crate) struct Registry {
    functions: DashMap<(u32, String, TypeId), Vec<Registered>>,
    /// The programmatic keys, by the level of the scope that they lie in.
    programmatic: DashMap<Arc<str>, Arc<Function>>,
    /// Those at all levels that came after [`Registry::MOST_LEVELS`] others.
    others: OnceLock<Arc<Function>>,
    /// Who adds to these.
    adding: Mutex<()>,
}

struct Registered {
    /// The marker of the annotated function itself, once it has been called.
    marker: Option<TypeId>,
    function: Arc<Function>,
}

/// What an instance is known by.
pub(crate) struct Named<'p> {
    pub(crate) site: u32,
    pub(crate) path: &'p str,
    pub(crate) types: TypeId,
    /// The marker of the annotated function itself; `None` in a sibling.
    pub(crate) marker: Option<TypeId>,
}

/// What levels beyond [`Registry::MOST_LEVELS`] are called together.
const OTHERS: &str = "(others)";

impl Registry {
    /// So many levels of programmatic keys have a state of their own. Their names may come from anywhere, and a state
    /// stays as long as its cache: the others share one, where keys differ by their scopes.
    const MOST_LEVELS: usize = 1_000;

    /// The function of this instance, made by `open` if there is none; its values may leave the process if `leaves`.
    ///
    /// A function and its siblings find each other by the path and the types. Where these are those of several
    /// instances, the `marker` of the function itself keeps them apart.
    pub(crate) fn function(
        &self,
        Named { site, path, types, marker }: Named<'_>,
        making: Making,
        leaves: bool,
        open: &dyn Fn() -> Arc<Function>,
    ) -> Arc<Function> {
        let mut instances = self.functions.entry((site, path.to_owned(), types)).or_default();
        let mut fitting: Vec<_> =
            instances.iter_mut().filter(|instance| instance.function.stored == making.stored).collect();
        let known = match marker {
            Some(_) => {
                let own = fitting.iter().position(|instance| instance.marker == marker);
                let is_free = |instance: &&mut Registered| {
                    instance.marker.is_none() && (leaves || !instance.function.is_remote())
                };
                own.or_else(|| fitting.iter().position(is_free))
            }
            // A sibling: of the one instance that there is, or of none that can be told.
            None if fitting.len() == 1 => Some(0),
            None => fitting.iter().position(|instance| instance.marker.is_none()),
        };
        if let Some(instance) = known.and_then(|known| fitting.get_mut(known)) {
            instance.marker = instance.marker.or(marker);
            return Arc::clone(&instance.function);
        }
        let function = open();
        instances.push(Registered { marker, function: Arc::clone(&function) });
        drop(instances);
        function.warn_of_values();
        function
    }

    /// The state of the programmatic keys at a level.
    pub(crate) fn programmatic(&self, cache: &Arc<Inner>, level: &str) -> Arc<Function> {
        if let Some(function) = self.level(level) {
            return function;
        }
        let adding = self.adding.lock();
        if let Some(function) = self.level(level) {
            return function;
        }
        let is_too_many = self.programmatic.len() >= Self::MOST_LEVELS;
        let level: Arc<str> = if is_too_many { OTHERS } else { level }.into();
        let (identity, policy) = (Identity::programmatic(), Policy::new());
        let function =
            Function::open(cache, identity, Arc::clone(&level), true, &policy, Making::programmatic());
        if is_too_many {
            let _ = self.others.set(Arc::clone(&function));
        } else {
            self.programmatic.insert(level, Arc::clone(&function));
        }
        drop(adding);
        function.warn_of_values();
        function
    }

    /// The state of the programmatic keys at a level, or that of the others', if there is one.
    fn level(&self, level: &str) -> Option<Arc<Function>> {
        let of = |level| self.programmatic.get(level).map(|function| Arc::clone(&function));
        of(level).or_else(|| {
            let others = self.others.get()?;
            // Once there are others, no level is added; this one may have been just before.
            Some(of(level).unwrap_or_else(|| Arc::clone(others)))
        })
    }

    /// All functions, the programmatic keys of each level counted as one.
    pub(crate) fn all(&self) -> Vec<Arc<dyn AnyFunction>> {
        let functions: Vec<_> = self.functions.iter().flat_map(|entry| functions_in(&entry)).collect();
        let programmatic = self.programmatic.iter().map(|entry| Arc::clone(entry.value()) as _);
        let others = self.others.get().map(|function| Arc::clone(function) as _);
        functions.into_iter().chain(programmatic).chain(others).collect()
    }

    /// All instances of the function with this path, bare of generic arguments, at a site.
    pub(crate) fn of_site(&self, site: u32, path: &str) -> Vec<Arc<dyn AnyFunction>> {
        let is_its =
            |(at, instance, _): &(u32, String, TypeId)| *at == site && without_arguments(instance) == path;
        let of_site = self.functions.iter().filter(|entry| is_its(entry.key()));
        of_site.flat_map(|entry| functions_in(&entry)).collect()
    }
}

fn functions_in(instances: &[Registered]) -> Vec<Arc<dyn AnyFunction>> {
    instances.iter().map(|instance| Arc::clone(&instance.function) as _).collect()
}

impl Inner {
    /// Drops the copies of the entry of a whole key.
    pub(crate) fn drop_copies(&self, key: &Key) {
        for (function, bytes) in self.functions_of(key) {
            function.drop_copy(&bytes);
        }
    }

    /// Where the entry of a whole key lies in the backend.
    pub(super) fn place_of(&self, key: &Key) -> Arc<Place> {
        let functions = self.functions_of(key);
        functions.first().map_or_else(|| place(key), |(function, _)| function.shared().title.place(key))
    }

    /// The functions that a whole key can belong to, each with its bytes there.
    pub(super) fn functions_of(&self, key: &Key) -> Vec<(Arc<dyn AnyFunction>, Vec<u8>)> {
        if key.function().is_empty() {
            let scope = key.scope();
            let bytes = programmatic_bytes(&scope, key.args());
            let function = self.registry.level(scope.level());
            return function.map(|function| (function as _, bytes)).into_iter().collect();
        }
        let is_its = |function: &Arc<dyn AnyFunction>| {
            let identity = &function.shared().identity;
            *identity.name == *key.function() && identity.version == key.version()
        };
        let functions = self.registry.all().into_iter().filter(is_its);
        functions.map(|function| (function, key.args().to_vec())).collect()
    }

    /// Evicts what a rule has asked for, and what rules ask for as that leaves.
    ///
    /// Within such an eviction the keys are left to the outermost call, so that a chain of rules, however
    /// long, takes no stack.
    pub(crate) fn evict_for_rule(self: &Arc<Self>, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let Some(mut worklist) = Worklist::open(self, keys) else { return };
        while let Some((cache, key)) = worklist.next() {
            for (function, bytes) in cache.functions_of(&key) {
                function.evict(&bytes, Cause::Rule);
            }
            if let Some(remote) = &cache.remote {
                let at = cache.place_of(&key);
                remote.postpone(Chore::evict(key, at, &cache));
            }
        }
    }
}

type Pending = VecDeque<(Arc<Inner>, Key)>;

thread_local! {
    static PENDING: RefCell<Option<Pending>> = const { RefCell::new(None) };
}

/// What a rule has asked this thread to evict; what rules ask for meanwhile is left in [`PENDING`]. Closed when it is
/// dropped.
struct Worklist(Pending);

impl Worklist {
    /// Adds the keys; `None` if a call further out is at work on the list.
    fn open(cache: &Arc<Inner>, keys: Vec<Key>) -> Option<Self> {
        let mut added: Option<Pending> = Some(keys.into_iter().map(|key| (Arc::clone(cache), key)).collect());
        // Fails while the thread ends: then each call does its own.
        let _ = PENDING.try_with(|pending| match &mut *pending.borrow_mut() {
            Some(pending) => pending.extend(added.take().unwrap_or_default()),
            none => *none = Some(Pending::new()),
        });
        added.map(Self)
    }

    fn next(&mut self) -> Option<(Arc<Inner>, Key)> {
        let left = || PENDING.try_with(|pending| pending.borrow_mut().as_mut()?.pop_front());
        self.0.pop_front().or_else(|| left().ok().flatten())
    }
}

impl Drop for Worklist {
    fn drop(&mut self) {
        let rest = PENDING.try_with(RefCell::take);
        drop(rest);
    }
}

/// The bytes of a programmatic key in its region: its scope, then its encoded part.
fn programmatic_bytes(scope: &Scope, args: &[u8]) -> Vec<u8> {
    let mut bytes = key::encode(&KeyParts { label: &programmatic_label(scope), part: &() });
    // The unit stands where the part goes, which is encoded already.
    bytes.pop();
    bytes.extend_from_slice(args);
    bytes
}

/// What a programmatic key has of its scope.
pub(super) fn programmatic_label(scope: &Scope) -> Box<[u8]> {
    if scope.depth() == 0 { Box::default() } else { scope.label().into() }
}
