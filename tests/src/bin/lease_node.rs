//! A process that computes an entry in turn with others, for tests of several: `lease_node KIND URL MILLISECONDS`,
//! the last for its lease.
//!
//! It calls the function when it reads `go`, and its body ends when it has read `end`. It says `missed` once its
//! call has found nothing, `body` when its body begins, and at last `value V` and `B bodies`.

use std::error::Error;
use std::io::BufRead;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cacheado::prelude::*;
use cacheado_tests::patient;

static GO: OnceLock<()> = OnceLock::new();
static END: OnceLock<()> = OnceLock::new();
static BODIES: AtomicU32 = AtomicU32::new(0);

/// Which process has computed it.
#[cached(name = "node.lease", ttl = 60, single_flight = "distributed")]
fn computed_by() -> u32 {
    BODIES.fetch_add(1, Ordering::SeqCst);
    println!("body");
    END.wait();
    std::process::id()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().ok_or("lease_node KIND URL MILLISECONDS");
    let (kind, url, lease) = (next()?, next()?, next()?.parse()?);
    let builder = Cache::builder().lease(Duration::from_millis(lease));
    let builder = match kind.as_str() {
        "redis" => builder.backend(patient::redis(url).namespace("nodes").build()?),
        "mongodb" => builder.backend(patient::mongodb(url).database("nodes").build()?),
        other => return Err(format!("no backend `{other}`").into()),
    };
    let cache = builder.build()?;
    cacheado::set_global(cache.clone())?;
    thread::spawn(|| {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = if line == "go" { GO.set(()) } else { END.set(()) };
        }
    });
    GO.wait();
    let caller = thread::spawn(computed_by);
    while cache.stats().misses == 0 && !caller.is_finished() {
        thread::sleep(Duration::from_millis(5));
    }
    println!("missed");
    println!("value {}", caller.join().map_err(|_| "the call panicked")?);
    println!("{} bodies", BODIES.load(Ordering::SeqCst));
    Ok(())
}
