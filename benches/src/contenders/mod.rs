//! The same job, done by each library as its users would write it.

mod asynchronous;
pub(crate) mod bounded;
mod cacheado;
mod cached;
mod dashmap;
mod moka;
mod quick_cache;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::workloads::{Key, NumberKey, StructKey};

/// What is done with a list of keys.
pub(crate) type Pass<K> = Box<dyn Fn(&[K]) + Send + Sync>;

/// One way to do the job.
pub(crate) struct Contender<K> {
    pub(crate) name: &'static str,
    /// Puts the keys into the cache.
    pub(crate) fill: Pass<K>,
    /// Asks for each key once. The call to the cache is compiled into this loop.
    pub(crate) run: Pass<K>,
}

impl<K: Key> Contender<K> {
    /// A contender that computes and stores what it does not hold.
    pub(crate) fn new<R>(name: &'static str, call: impl Fn(K) -> R + Copy + Send + Sync + 'static) -> Self {
        let run = move |keys: &[K]| {
            for key in keys {
                black_box(call(*key));
            }
        };
        Self { name, fill: Box::new(run), run: Box::new(run) }
    }

    /// A plain store: `get` computes what it does not find, and does not store it.
    pub(crate) fn store<S: Send + Sync + 'static, R>(
        name: &'static str,
        store: S,
        insert: impl Fn(&S, K) + Send + Sync + 'static,
        get: impl Fn(&S, K) -> R + Send + Sync + 'static,
    ) -> Self {
        let store = Arc::new(store);
        let filled = Arc::clone(&store);
        Self {
            name,
            fill: Box::new(move |keys| keys.iter().for_each(|key| insert(&filled, *key))),
            run: Box::new(move |keys| {
                for key in keys {
                    black_box(get(&store, *key));
                }
            }),
        }
    }

    /// A store that computes and stores what it does not hold.
    pub(crate) fn computing<S: Send + Sync + 'static, R>(
        name: &'static str,
        store: S,
        call: impl Fn(&S, K) -> R + Copy + Send + Sync + 'static,
    ) -> Self {
        let store = Arc::new(store);
        let pass = move |keys: &[K]| {
            for key in keys {
                black_box(call(&store, *key));
            }
        };
        Self { name, fill: Box::new(pass.clone()), run: Box::new(pass) }
    }
}

/// `(&str, u64) -> Arc<Item>`.
pub(crate) fn structs() -> Vec<Contender<StructKey>> {
    let mut all = cacheado::structs();
    all.extend(cached::structs());
    all.extend([quick_cache::structs(), moka::structs(), dashmap::structs()]);
    all
}

/// `(u64, u64) -> u64`.
pub(crate) fn numbers() -> Vec<Contender<NumberKey>> {
    let mut all = cacheado::numbers();
    all.extend(cached::numbers());
    all.extend([quick_cache::numbers(), moka::numbers(), dashmap::numbers()]);
    all
}

/// What an async hit is compared with: async functions of others, beside ours and its sync twin.
pub(crate) fn asynchronous() -> Vec<Contender<StructKey>> {
    let mut all = cacheado::structs();
    all.truncate(2);
    all.extend(asynchronous::structs());
    all
}

/// Polls until the future is ready. A hit is ready at once.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::yield_now();
    }
}
