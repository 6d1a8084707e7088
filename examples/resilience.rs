//! A slow, failing upstream, and what its callers notice of it: `stale`, `stale_if_error`, `early`, `timeout`.
//!
//! ```console
//! cargo run --example resilience
//! ```
//!
//! Time is moved by hand, so that minutes pass at once; only the `timeout` is waited for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cacheado::prelude::*;
use cacheado::testing::{ManualClock, seed};
use cacheado::{ErrorKind, with_cache_async};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

/// The upstream: it answers when it is let, and fails when it is told to.
#[derive(Clone)]
struct Upstream {
    clock: ManualClock,
    calls: Arc<AtomicU32>,
    is_down: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    answers: Arc<Semaphore>,
}

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Down,
    Late,
}

impl From<cacheado::Error> for Failure {
    fn from(error: cacheado::Error) -> Self {
        // The one error of the cache that `timeout` returns.
        assert_eq!(error.kind(), ErrorKind::Timeout);
        Self::Late
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "the upstream is down",
            Self::Late => "no answer in time",
        })
    }
}

impl Upstream {
    fn new(clock: &ManualClock) -> Self {
        Self {
            clock: clock.clone(),
            calls: Arc::default(),
            is_down: Arc::default(),
            hangs: Arc::default(),
            answers: Arc::new(Semaphore::new(0)),
        }
    }

    /// Each answer takes two seconds, and is a higher number than the one before.
    async fn ask(&self) -> Result<u32, Failure> {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        if self.hangs.load(SeqCst) {
            let answered = self.answers.acquire().await.map_err(|_| Failure::Down)?;
            answered.forget();
        }
        self.clock.advance(Duration::from_secs(2));
        if self.is_down.load(SeqCst) { Err(Failure::Down) } else { Ok(call) }
    }

    fn calls(&self) -> u32 {
        self.calls.load(SeqCst)
    }
}

#[cached(ttl = 60, stale = 30, skip(upstream))]
async fn price(article: &str, upstream: &Upstream) -> Result<u32, Failure> {
    let _ = article;
    upstream.ask().await
}

#[cached(ttl = 60, stale_if_error = "1h", skip(upstream))]
async fn rate(currency: &str, upstream: &Upstream) -> Result<u32, Failure> {
    let _ = currency;
    upstream.ask().await
}

#[cached(ttl = 60, early = 1.0, skip(upstream))]
async fn stock(article: &str, upstream: &Upstream) -> Result<u32, Failure> {
    let _ = article;
    upstream.ask().await
}

#[cached(ttl = 60, timeout = "50ms", stale_if_error = "1h", skip(upstream))]
async fn delivery(article: &str, upstream: &Upstream) -> Result<u32, Failure> {
    let _ = article;
    upstream.ask().await
}

/// One line of what a caller sees.
fn show(when: &str, seen: &Result<u32, Failure>, upstream: &Upstream) {
    let seen = match seen {
        Ok(value) => format!("value {value}"),
        Err(failure) => failure.to_string(),
    };
    println!("  {when:<38} {seen:<22} {} calls of the upstream", upstream.calls());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> cacheado::Result<()> {
    let clock = ManualClock::new();
    let cache = Cache::builder().clock(clock.clone()).build()?;
    with_cache_async(&cache, async {
        stale(&clock).await;
        stale_if_error(&clock).await;
        early(&clock).await;
        timeout(&clock).await
    })
    .await?;
    println!("\n{}", cache.stats());
    Ok(())
}

async fn stale(clock: &ManualClock) {
    println!("stale: nobody waits for a value that is renewed");
    let upstream = Upstream::new(clock);
    let seen = price("tea", &upstream).await;
    show("the first call waits", &seen, &upstream);
    assert_eq!((seen, upstream.calls()), (Ok(1), 1));

    clock.advance(Duration::from_secs(60));
    for _ in 0..100 {
        assert_eq!(price("tea", &upstream).await, Ok(1));
    }
    show("past its time, 100 calls do not", &Ok(1), &upstream);
    while price("tea", &upstream).await == Ok(1) {
        yield_now().await;
    }
    let seen = price("tea", &upstream).await;
    show("one has renewed it for all", &seen, &upstream);
    assert_eq!((seen, upstream.calls()), (Ok(2), 2));
}

async fn stale_if_error(clock: &ManualClock) {
    println!("stale_if_error: an outage of the upstream is an older value");
    let upstream = Upstream::new(clock);
    assert_eq!(rate("EUR", &upstream).await, Ok(1));
    upstream.is_down.store(true, SeqCst);
    clock.advance(Duration::from_secs(60));
    for _ in 0..100 {
        assert_eq!(rate("EUR", &upstream).await, Ok(1));
    }
    show("down: 100 calls, one tries", &Ok(1), &upstream);
    assert_eq!(upstream.calls(), 2);

    clock.advance(Duration::from_secs(3_600));
    let seen = rate("EUR", &upstream).await;
    show("an hour later it is too old", &seen, &upstream);
    assert_eq!(seen, Err(Failure::Down));

    upstream.is_down.store(false, SeqCst);
    let seen = rate("EUR", &upstream).await;
    show("up again", &seen, &upstream);
    assert_eq!(seen, Ok(4));
}

async fn early(clock: &ManualClock) {
    println!("early: renewed before its time is over, by chance, and sooner if it is costly");
    let upstream = Upstream::new(clock);
    // The same chance in each run.
    seed(7);
    assert_eq!(stock("tea", &upstream).await, Ok(1));
    let mut seconds = 0;
    while upstream.calls() == 1 {
        clock.advance(Duration::from_millis(100));
        seconds += 1;
        assert_eq!(stock("tea", &upstream).await, Ok(1));
        yield_now().await;
    }
    show(&format!("{} s after it was computed", seconds / 10), &Ok(1), &upstream);
    assert!((155..600).contains(&seconds), "within 44 s, 22 times what it costs, of the end: {seconds}");
    while stock("tea", &upstream).await == Ok(1) {
        yield_now().await;
    }
    show("and there is the new one", &stock("tea", &upstream).await, &upstream);
    assert_eq!(upstream.calls(), 2);
}

async fn timeout(clock: &ManualClock) -> cacheado::Result<()> {
    println!("timeout: who waits for an upstream that hangs does so for 50 ms, and it goes on");
    let upstream = Upstream::new(clock);
    upstream.hangs.store(true, SeqCst);
    let begun = Instant::now();
    let seen = delivery("tea", &upstream).await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
    show("there is no older value", &seen, &upstream);
    assert_eq!(seen, Err(Failure::Late));

    upstream.answers.add_permits(1);
    while delivery_entry("tea", &upstream).peek().await?.is_none() {
        yield_now().await;
    }
    let seen = delivery("tea", &upstream).await;
    show("its late answer is stored", &seen, &upstream);
    assert_eq!((seen, upstream.calls()), (Ok(1), 1));

    clock.advance(Duration::from_secs(60));
    let seen = delivery("tea", &upstream).await;
    show("it hangs again: the older value", &seen, &upstream);
    assert_eq!((seen, upstream.calls()), (Ok(1), 2));
    Ok(())
}
