//! Tests of what the conformance suite cannot see: what is left when a node stops between two steps, what
//! stands in the backend, and how often it is asked.

mod crash;
mod frame;
mod pause;
mod upkeep;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Emulated;
use crate::contract::{Backend as _, Claim, Filled, Group, New, Place, Tier, Wanted};
use crate::memory::SharedMemory;
use crate::{Error, FlakyBackend, ManualClock, Result};

/// Two nodes over one memory. Each can be made to fail or to stop, whatever the other does.
struct World {
    clock: ManualClock,
    memory: SharedMemory,
    a: Node,
    b: Node,
}

struct Node {
    flaky: FlakyBackend<SharedMemory>,
    tier: Emulated,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new();
        let memory = SharedMemory::with_clock(clock.clone());
        let node = || {
            let flaky = FlakyBackend::new(memory.clone());
            Node { tier: Emulated::new(std::sync::Arc::new(flaky.clone())), flaky }
        };
        Self { clock, a: node(), b: node(), memory }
    }

    /// What both nodes read; they agree.
    async fn read(&self, at: &Place) -> Option<String> {
        let (a, b) = (self.a.read(at).await, self.b.read(at).await);
        assert_eq!(a, b, "two nodes read different values");
        a
    }

    /// What stands in the backend under this prefix.
    async fn entries(&self, prefix: &str) -> Vec<String> {
        self.memory.keys(prefix).await.unwrap()
    }
}

impl Node {
    async fn read(&self, at: &Place) -> Option<String> {
        let entry = self.tier.get(at, Wanted::ValueAndLifetime).await.unwrap();
        entry.map(|entry| String::from_utf8(entry.value).unwrap())
    }

    async fn begin(&self, at: &Place) -> Claim {
        self.tier.begin(at).await.unwrap()
    }

    async fn store(&self, at: &Place, value: &str) {
        let claim = self.begin(at).await;
        assert_eq!(self.tier.fill(at, new(value), &claim).await.unwrap(), Filled::Stored);
    }
}

/// The ways to evict what lies at [`at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Key,
    Group,
    Tag,
    Clear,
    Set,
}

const WAYS: [Way; 5] = [Way::Key, Way::Group, Way::Tag, Way::Clear, Way::Set];

impl Way {
    async fn run(self, tier: &Emulated, at: &Place) -> Result<()> {
        match self {
            Self::Key => tier.evict(at, None).await.map(drop),
            Self::Group => tier.evict_group(&at.groups[0], None).await.map(drop),
            Self::Tag => tier.evict_group(&at.groups[1], None).await.map(drop),
            Self::Clear => tier.clear(None).await.map(drop),
            Self::Set => tier.set(at, new("set"), None).await,
        }
    }
}

fn group(name: &str) -> Group {
    Group { name: name.into(), route: None }
}

fn place(key: &str, groups: &[&str]) -> Place {
    Place { key: key.to_owned(), route: key.into(), groups: groups.iter().map(|name| group(name)).collect() }
}

/// A key in a group and under a tag.
fn at() -> Place {
    place("report(1)", &["report", "tag:a"])
}

fn new(value: &str) -> New<'_> {
    New { value: value.as_bytes(), ttl: Some(Duration::from_secs(3600)) }
}

/// What a future has to say at once; `None` if it waits, as memory never does by itself.
fn at_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => Some(ready),
        Poll::Pending => None,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn unavailable(result: std::result::Result<(), Error>) {
    if let Err(error) = result {
        assert!(error.kind().is_outage(), "{error}");
    }
}
