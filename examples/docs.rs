//! The code in the README and in the guide, as doctests. There is nothing to call here.
//!
//! What shows Redis or MongoDB is compiled with their features: `cargo test --doc -p cacheado-examples
//! --all-features` has all of it.

macro_rules! pages {
    ($($name:ident = $path:literal $(with $($feature:literal),+)?;)+) => {$(
        #[cfg(all(doctest, $($(feature = $feature),+)?))]
        #[doc = include_str!($path)]
        pub mod $name {}
    )+};
}

pages! {
    readme = "../README.md" with "redis";
    attribute = "../docs/guide/attribute.md";
    scopes = "../docs/guide/scopes.md";
    rules = "../docs/guide/rules.md";
    stale = "../docs/guide/stale.md";
    stale_if_error = "../docs/guide/stale_if_error.md";
    early = "../docs/guide/early.md";
    timeout = "../docs/guide/timeout.md";
    testing = "../docs/guide/testing.md";
    backends = "../docs/guide/backends.md";
    redis = "../docs/guide/redis.md" with "redis";
    mongodb = "../docs/guide/mongodb.md" with "mongodb";
    ambient_scope = "../docs/guide/ambient_scope.md";
    batch = "../docs/guide/batch.md";
    fairness = "../docs/guide/fairness.md";
    per_call = "../docs/guide/per_call.md";
    near_cache = "../docs/guide/near_cache.md";
    single_flight = "../docs/guide/single_flight.md";
    custom_backend = "../docs/guide/custom_backend.md";
    operating = "../docs/guide/operating.md";
    migrating = "../docs/guide/migrating.md";
}
