//! Where an entry was made, for its body, which may be run elsewhere.

use std::future::Future;

use super::layer::{self, Around, Layer, On, within};
use crate::function::Policy;
use crate::scope::Scope;

/// What an entry has from its surroundings, which its body is to have as well, whoever runs it: what a body computes
/// for one tenant, or from the entries of one cache, is not stored as another's.
pub(crate) struct Origin([Option<Layer>; 2]);

impl Origin {
    /// That of an entry which is made here, in this scope.
    pub(crate) fn here(policy: &Policy, scope: Option<&Scope>) -> Self {
        let cache = (!policy.own_cache).then(|| Layer::Cache(layer::cache()));
        let scope = policy.ambient_scope.then(|| Layer::Scope(scope.cloned()));
        Self([cache, scope])
    }

    /// Runs `f` as if it were there.
    pub(crate) fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let layers = self.0.each_mut().map(|layer| layer.as_mut().filter(|layer| !layer.is_needless()));
        let _on = layers.map(|layer| layer.map(On::put));
        f()
    }

    /// Runs `future` as if it were there, wherever it is polled, and then dropped.
    pub(crate) async fn run_async<F: Future>(mut self, future: F) -> F::Output {
        within(&mut self, future).await
    }
}

impl Around for Origin {
    fn around<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.run(f)
    }
}
