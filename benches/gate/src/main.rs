//! `cacheado-gate WORKLOAD HITS` fills a cache and hits it so many times, for `scripts/instruction-budget.sh`, which has
//! callgrind count what [`counted`] executes.
//!
//! The calls are those of the benches: 10 000 keys, all present, drawn uniformly; a bound, an expiry, statistics.

use std::env;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use cacheado::prelude::*;
use cacheado::rules::Lru;

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id)
    }
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    Cache::builder().rule(Lru::new(100_000)).build().expect("the configuration is valid")
});

/// How many distinct keys there are.
const KEYS: u64 = 10_000;
const TENANTS: u64 = 100;

/// A value that is shared, not copied.
#[derive(Debug)]
#[expect(dead_code, reason = "the caller gets it whole")]
struct Item {
    tenant: String,
    id: u64,
}

static COMPUTED: AtomicU64 = AtomicU64::new(0);

#[cold]
fn make_item(tenant: &str, id: u64) -> Arc<Item> {
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    Arc::new(Item { tenant: tenant.to_owned(), id })
}

#[cached(ttl = 300, scope = "tenant", cache = CACHE, companions = false)]
fn item(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(ttl = 300, scope = "tenant", cache = CACHE, companions = false)]
async fn item_async(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(ttl = 300, cache = CACHE, companions = false)]
fn area(width: u64, height: u64) -> u64 {
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    width * height
}

type Hit = fn(&[(String, u64)]);

/// The workloads, by name.
const WORKLOADS: [(&str, Hit); 3] = [
    ("struct", |calls| calls.iter().for_each(|(tenant, id)| drop(black_box(item(tenant, *id))))),
    ("async", |calls| calls.iter().for_each(|(tenant, id)| drop(black_box(ready(item_async(tenant, *id)))))),
    ("u64", |calls| {
        for (_, id) in calls {
            black_box(area(*id, 480));
        }
    }),
];

/// What callgrind is told to count, by its name.
#[inline(never)]
fn counted(hit: Hit, calls: &[(String, u64)]) {
    hit(calls);
}

/// Polls until the future is ready. A hit is ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// So many calls, in an order that is the same in every process.
fn calls(count: usize) -> Vec<(String, u64)> {
    let mut state = 0_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % KEYS
    };
    (0..count).map(|_| call(next())).collect()
}

fn call(key: u64) -> (String, u64) {
    (format!("organization-{:04}", key % TENANTS), key * 7_919)
}

fn run() -> Result<(), String> {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let hits: usize = arguments.next().unwrap_or_default().parse().map_err(|_| "how many hits?")?;
    let names = WORKLOADS.map(|(name, _)| name).join(", ");
    let (_, hit) = WORKLOADS
        .into_iter()
        .find(|(workload, _)| *workload == name)
        .ok_or_else(|| format!("no workload `{name}`; there are: {names}"))?;
    hit(&(0..KEYS).map(call).collect::<Vec<_>>());
    let calls = calls(hits);
    let filled = COMPUTED.load(Ordering::Relaxed);
    counted(hit, &calls);
    let missed = COMPUTED.load(Ordering::Relaxed) - filled;
    if filled == KEYS && missed == 0 { Ok(()) } else { Err(format!("{missed} calls were no hits")) }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
