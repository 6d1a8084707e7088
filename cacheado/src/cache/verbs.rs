//! The verbs for keys of the caller's own: get, set, compute, evict, in a sync and an async form.

use std::any::TypeId;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::scoped::Keyspace;
use super::{Cache, Scoped};
use crate::Result;
use crate::codec::{Codec, MakeCodec};
use crate::context;
use crate::engine::{Call, KeyParts, KeyQuery, Lookup, Miss, Reason, encode_key, hash_key};
use crate::function::{Behind, FallibleShared, Held, Kind, Own, Policy, Typed};
use crate::key::KeyPart;
use crate::remote::Operation;
use crate::scope::Scope;
use crate::ttl::Ttl;

/// What a cache can hold under a key of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored under a key of your own",
    label = "has to be `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`",
    note = "derive `Clone`, `serde::Serialize` and `serde::Deserialize` for it and all that it holds; store what is owned, \
            such as a `String` for a `&str`",
    note = "of a `Result` that is computed, `try_get_or_compute` stores what is `Ok`",
    note = "or cache the function that makes it with `#[cached]`, which needs no serde in memory, and stores of a `Result` \
            only what is `Ok`"
)]
pub trait Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Value for T {}

static POLICY: Policy = Policy::new();

impl Keyspace {
    fn parts<'k, P: KeyPart>(&'k self, part: &'k P) -> KeyParts<'k, P> {
        KeyParts { label: &self.label, part }
    }

    fn get<T: Value>(&self, key: &impl KeyPart) -> Operation<'static, Option<T>> {
        let Some(function) = &self.function else { return Operation::ready(None) };
        let parts = self.parts(key);
        match function.find(Own::new(), hash_key(&parts), &KeyQuery(&parts)) {
            Ok(value) => Operation::ready(Some(value)),
            Err(reason) if function.is_remote() => {
                self.call(Own::new(), key, Ttl::Default).after(reason).fetch()
            }
            Err(_) => {
                function.shared.tally.missed();
                Operation::ready(None)
            }
        }
    }

    fn get_many<T: Value>(
        &self,
        keys: impl IntoIterator<Item = impl KeyPart>,
    ) -> Operation<'static, Vec<Option<T>>> {
        Miss::fetch_many(keys.into_iter().map(|key| self.call(Own::new(), &key, Ttl::Default)))
    }

    /// The call of a verb for a value of this kind.
    fn call<K: Kind<Stored = Held, Held: Value>>(&self, kind: K, key: &impl KeyPart, ttl: Ttl) -> Miss<K> {
        let parts = self.parts(key);
        let key = (hash_key(&parts), encode_key(&parts));
        let codec: Option<MakeCodec> = Some(Codec::dynamic::<K::Held>);
        let typed = Typed::new(TypeId::of::<K::Held>(), TypeId::of::<K::Shared>());
        let call = Call::new(self.function.clone(), key, typed, codec, &POLICY, false);
        Miss::new(call, kind).scope(Some(self.scope.clone())).ttl(ttl)
    }

    /// The call of a verb that needs no value.
    fn untyped(&self, key: &impl KeyPart) -> Miss<Own<()>> {
        self.call(Own::new(), key, Ttl::Default)
    }

    fn lookup<K: Kind<Stored = Held, Held: Value>>(
        &self,
        kind: K,
        key: &impl KeyPart,
        ttl: Ttl,
    ) -> Lookup<K> {
        if context::is_any() && context::is_asked() {
            return self.call(kind, key, ttl).get();
        }
        let parts = self.parts(key);
        let probed = match &self.function {
            Some(function) => function.find(kind, hash_key(&parts), &KeyQuery(&parts)),
            None => Err(Reason::ABSENT),
        };
        match probed {
            Ok(value) => Lookup::Hit(value),
            Err(reason) => Lookup::Miss(self.call(kind, key, ttl).after(reason)),
        }
    }
}

/// The verbs, for everything that has a `keyspace()`.
macro_rules! verbs {
    ($($handle:ty),+) => {$(
        impl $handle {
            /// The value of a key, if there is a live one of this type.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
            pub fn get<T: Value>(&self, key: impl KeyPart) -> Result<Option<T>> {
                self.keyspace().get(&key).block()
            }

            /// [`get`](Self::get), for async code.
            ///
            /// # Errors
            ///
            /// Those of `get`.
            pub async fn get_async<T: Value>(&self, key: impl KeyPart) -> Result<Option<T>> {
                self.keyspace().get(&key).wait().await
            }

            /// The values of several keys, in their order.
            ///
            /// # Errors
            ///
            /// Those of [`get`](Self::get).
            pub fn get_many<T: Value>(&self, keys: impl IntoIterator<Item = impl KeyPart>) -> Result<Vec<Option<T>>> {
                self.keyspace().get_many(keys).block()
            }

            /// [`get_many`](Self::get_many), for async code.
            ///
            /// # Errors
            ///
            /// Those of `get_many`.
            pub async fn get_many_async<T: Value>(
                &self,
                keys: impl IntoIterator<Item = impl KeyPart>,
            ) -> Result<Vec<Option<T>>> {
                let operation = self.keyspace().get_many(keys);
                operation.wait().await
            }

            /// Stores a value. Whatever is being computed for the key is not stored after this.
            ///
            /// `ttl` is a `Duration`, as in `Duration::from_secs(60)`, or a [`Ttl`]; a bare number is neither.
            ///
            /// With a `ttl` of zero, and where a rule rejects the value, nothing is stored; what was there
            /// before is gone all the same.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend), and
            /// [`ErrorKind::Codec`](crate::ErrorKind::Codec) for a value that cannot be made into bytes.
            pub fn set<T: Value>(&self, key: impl KeyPart, value: &T, ttl: impl Into<Ttl>) -> Result<()> {
                self.keyspace().call(Own::new(), &key, ttl.into()).put(value).block()
            }

            /// [`set`](Self::set), for async code.
            ///
            /// # Errors
            ///
            /// Those of `set`.
            pub async fn set_async<T: Value>(
                &self,
                key: impl KeyPart,
                value: &T,
                ttl: impl Into<Ttl>,
            ) -> Result<()> {
                let operation = self.keyspace().call(Own::new(), &key, ttl.into()).put(value);
                operation.wait().await
            }

            /// The value of a key; if there is none, what `compute` returns, which is stored. While one
            /// caller computes, others with the same key wait for its result.
            ///
            /// Where the backend fails, the value is computed: an outage is a miss.
            ///
            /// # Errors
            ///
            /// None.
            ///
            /// # Panics
            ///
            /// If `compute` does.
            pub fn get_or_compute<T: Value>(
                &self,
                key: impl KeyPart,
                ttl: impl Into<Ttl>,
                compute: impl FnOnce() -> T,
            ) -> Result<T> {
                Ok(match self.keyspace().lookup(Own::new(), &key, ttl.into()) {
                    Lookup::Hit(value) => value,
                    Lookup::Miss(call) => call.run(compute),
                })
            }

            /// [`get_or_compute`](Self::get_or_compute), where computing is a future, which is made only if
            /// it is needed.
            ///
            /// # Errors
            ///
            /// Those of `get_or_compute`.
            ///
            /// # Panics
            ///
            /// If the future does.
            pub async fn get_or_compute_async<T: Value, F: Future<Output = T>>(
                &self,
                key: impl KeyPart,
                ttl: impl Into<Ttl>,
                compute: impl FnOnce() -> F,
            ) -> Result<T> {
                Ok(match self.keyspace().lookup(Own::new(), &key, ttl.into()) {
                    Lookup::Hit(value) => value,
                    Lookup::Miss(call) => call.run_async(async move { compute().await }).await,
                })
            }

            /// [`get_or_compute`](Self::get_or_compute), where computing can fail. An error is not stored; it is
            /// returned to those, too, who have waited for the value, so that they do not all compute at once. Wrap
            /// one that is not `Clone` in an [`Arc`](std::sync::Arc): `map_err(Arc::new)`.
            ///
            /// Where the backend fails, the value is computed: an outage is a miss.
            ///
            /// # Errors
            ///
            /// Those of `compute`.
            ///
            /// # Panics
            ///
            /// If `compute` does.
            ///
            /// # Examples
            ///
            /// ```
            /// use cacheado::{Cache, Ttl};
            ///
            /// let cache = Cache::new();
            /// let port = |text: &'static str| cache.try_get_or_compute("port", Ttl::Never, || text.parse::<u16>());
            /// assert!(port("eighty").is_err());
            /// assert_eq!(port("80"), Ok(80));
            /// assert_eq!(port("443"), Ok(80)); // It is there by now.
            /// ```
            pub fn try_get_or_compute<T: Value, E: Clone + Send + Sync + 'static>(
                &self,
                key: impl KeyPart,
                ttl: impl Into<Ttl>,
                compute: impl FnOnce() -> Result<T, E>,
            ) -> Result<T, E> {
                match self.keyspace().lookup(Behind(FallibleShared::new()), &key, ttl.into()) {
                    Lookup::Hit(value) => value,
                    Lookup::Miss(call) => call.run(compute),
                }
            }

            /// [`try_get_or_compute`](Self::try_get_or_compute), where computing is a future, which is made only
            /// if it is needed.
            ///
            /// # Errors
            ///
            /// Those of `try_get_or_compute`.
            ///
            /// # Panics
            ///
            /// If the future does.
            pub async fn try_get_or_compute_async<T, E, F>(
                &self,
                key: impl KeyPart,
                ttl: impl Into<Ttl>,
                compute: impl FnOnce() -> F,
            ) -> Result<T, E>
            where
                T: Value,
                E: Clone + Send + Sync + 'static,
                F: Future<Output = Result<T, E>>,
            {
                match self.keyspace().lookup(Behind(FallibleShared::new()), &key, ttl.into()) {
                    Lookup::Hit(value) => value,
                    Lookup::Miss(call) => call.run_async(async move { compute().await }).await,
                }
            }

            /// Evicts a key; whether there was a live entry.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
            pub fn evict(&self, key: impl KeyPart) -> Result<bool> {
                self.keyspace().untyped(&key).evict().block()
            }

            /// [`evict`](Self::evict), for async code.
            ///
            /// # Errors
            ///
            /// Those of `evict`.
            pub async fn evict_async(&self, key: impl KeyPart) -> Result<bool> {
                let operation = self.keyspace().untyped(&key).evict();
                operation.wait().await
            }

            /// How long the entry of a key lives from now; `None` if there is none or it never expires.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
            pub fn remaining(&self, key: impl KeyPart) -> Result<Option<Duration>> {
                self.keyspace().untyped(&key).remaining().block()
            }

            /// [`remaining`](Self::remaining), for async code.
            ///
            /// # Errors
            ///
            /// Those of `remaining`.
            pub async fn remaining_async(&self, key: impl KeyPart) -> Result<Option<Duration>> {
                let operation = self.keyspace().untyped(&key).remaining();
                operation.wait().await
            }
        }
    )+};
}

verbs!(Cache, Scoped);

impl Scoped {
    fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }
}

impl Cache {
    fn keyspace(&self) -> Keyspace {
        Keyspace::new(self.inner(), Scope::global())
    }
}
