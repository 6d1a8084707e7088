//! Every way to evict against every way to fill: a fill begins, an eviction returns, the fill ends; what it has
//! brought must not be served.
//!
//! A new way is a variant of `Way` or of `Fill`, and a line where the compiler asks for it.

mod subject;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cacheado::Cache;
use cacheado::backends::contract::Tier;
use cacheado::backends::{Backend, Memory};
use tokio::task::JoinHandle;

use self::subject::{ALL_KEPT, At, FAILURE, Kept, Subject, WAYS, Way};
use crate::gate::{Gated, Held, Point};
use crate::lock;
use crate::wait::others_wait;

/// How long a notice may take to another node.
const MOMENTS: Duration = Duration::from_secs(10);

/// How long the shortest lives last, and a little.
const PAST: Duration = Duration::from_millis(15);

/// Waits until what was stored before is past its time, on whatever clock its server has.
async fn pass_time() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PAST {
        tokio::task::yield_now().await;
    }
}

/// A way to fill, and where it is held while the eviction goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// A body runs because nothing was there.
    Foreground,
    /// A body runs although something is there.
    Refresh,
    /// The body has ended and its value is stored; nobody has heard of it yet.
    Stored,
    /// The backend has answered with what was there, for the caller and for a copy.
    NearRefill,
    /// A value from elsewhere is stored; nobody has heard of it yet.
    Set,
    /// A body runs on another node, for whose lease this one waits.
    Awaited,
    /// This node has asked for a lease; the backend has answered with what another has stored meanwhile.
    FoundInTurn,
    /// A body runs for nobody, as what is there is past its time.
    Renewal,
    /// A body has failed, and the backend has answered with what may be served instead.
    Fallback,
}

const FILLS: [Fill; 9] = [
    Fill::Foreground,
    Fill::Refresh,
    Fill::Stored,
    Fill::NearRefill,
    Fill::Set,
    Fill::Awaited,
    Fill::FoundInTurn,
    Fill::Renewal,
    Fill::Fallback,
];

impl Fill {
    /// Whether what is kept so is filled so.
    fn is_of(self, kept: Kept) -> bool {
        match kept {
            Kept::Stale => self == Self::Renewal,
            Kept::Spare => self == Self::Fallback,
            Kept::Key => !matches!(self, Self::Refresh | Self::Renewal | Self::Fallback),
            _ => !matches!(self, Self::Renewal | Self::Fallback),
        }
    }
}

/// Two nodes over one store, or one over its own memory.
pub struct Stage {
    nodes: Vec<At>,
    hold: Option<Box<dyn Fn(Point) -> Held + Send + Sync>>,
    has_copies: bool,
    has_leases: bool,
}

impl Stage {
    /// A cache in memory.
    pub fn memory() -> Self {
        let nodes = vec![At::new(Cache::new(), &Arc::default())];
        Self { nodes, hold: None, has_copies: false, has_leases: false }
    }

    /// Two nodes with these clients of one backend, with or without near caches.
    pub fn over<B: Backend>(clients: [B; 2], has_copies: bool) -> Self {
        let database = Arc::default();
        let clients = clients.map(Gated::new);
        let first = clients[0].clone();
        let has_leases = Tier::capabilities(&first).leases;
        let node = |client: Gated<B>| {
            let builder = Cache::builder().backend(client);
            let builder = if has_copies { builder.near(Memory::new()) } else { builder };
            At::new(builder.build().expect("nothing is wrong with it"), &database)
        };
        let nodes = clients.into_iter().map(node).collect();
        Self { nodes, hold: Some(Box::new(move |point| first.hold(point))), has_copies, has_leases }
    }

    /// Every way to evict against every way to fill, from the node that fills and from the other.
    ///
    /// # Panics
    ///
    /// If what was evicted is served, with all the cells where it is.
    pub async fn every_eviction_wins_over_every_fill(&self) {
        let mut broken = Vec::new();
        let (mut tried, mut cells) = (0, 0);
        for evictor in 0..self.nodes.len() {
            for kept in ALL_KEPT {
                let fills = FILLS.iter().filter(|fill| fill.is_of(kept));
                for (fill, way) in fills.flat_map(|fill| WAYS.map(|way| (*fill, way))) {
                    tried += 1;
                    let subject = Subject { kept, org: format!("org{tried}"), user: "ada".to_owned() };
                    match self.cell(&subject, fill, way, evictor).await {
                        Some(Ok(())) => cells += 1,
                        Some(Err(problem)) => {
                            broken.push(format!("{kept:?} {fill:?} {way:?} by node {evictor}: {problem}"));
                        }
                        None => {}
                    }
                }
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        println!("{cells} cells hold");
    }

    /// One cell; `None` if there is no such thing.
    async fn cell(
        &self,
        subject: &Subject,
        fill: Fill,
        way: Way,
        evictor: usize,
    ) -> Option<Result<(), String>> {
        let filler = &self.nodes[0];
        let database = &filler.database;
        let old = database.version.fetch_add(1, Ordering::SeqCst) + 1;
        let (mut held, filling) = self.begin(subject, fill, old).await?;
        held.is_reached().await;
        if fill == Fill::Fallback
            && let Some(hold) = &self.hold
        {
            // The body fails; what is looked for in its place is held.
            let mut fallback = hold(Point::Get);
            held.release();
            fallback.is_reached().await;
            held = fallback;
        }
        let new = database.version.fetch_add(1, Ordering::SeqCst) + 1;
        let evicted = subject.evict(way, &self.nodes[evictor]).await;
        let is_way = matches!(evicted, Ok(true) | Err(_));
        // One that comes while the fill is still under way.
        let (reader, at) = (subject.clone(), filler.clone());
        let beside = tokio::spawn(async move { reader.get(&at).await });
        others_wait().await;
        held.release();
        filling.await.expect("nothing panics");
        self.is_at_rest().await;
        let beside = beside.await.expect("nothing panics");
        if !is_way {
            return None;
        }
        Some(
            self.judge(subject, evictor, new, beside)
                .await
                .and(evicted.map(drop).map_err(|it| it.to_string())),
        )
    }

    async fn begin(&self, subject: &Subject, fill: Fill, old: u32) -> Option<(Held, JoinHandle<()>)> {
        let at = self.nodes[0].clone();
        let answer = |point| self.hold.as_ref().map(|hold| hold(point));
        let held = match fill {
            Fill::Foreground => at.hold_body(),
            Fill::Refresh => {
                subject.get(&at).await;
                at.hold_body()
            }
            Fill::Stored => answer(Point::Fill)?,
            Fill::NearRefill => {
                // Stored by the other node, so that this one has to ask.
                subject.get(self.nodes.get(1)?).await;
                answer(Point::Get)?
            }
            Fill::Set => answer(Point::Set)?,
            Fill::Awaited => return self.begin_awaited(subject).await,
            Fill::FoundInTurn => {
                let other = self.in_turn(subject)?;
                let mut read = answer(Point::Get)?;
                let subject = subject.clone();
                let (mine, reader) = (subject.clone(), at.clone());
                let filling = tokio::spawn(async move {
                    mine.get(&reader).await;
                });
                read.is_reached().await;
                subject.get(other).await;
                let held = answer(Point::Lease)?;
                read.release();
                return Some((held, filling));
            }
            Fill::Renewal | Fill::Fallback => {
                subject.get(&at).await;
                pass_time().await;
                at.hold_body()
            }
        };
        let subject = subject.clone();
        let filling = tokio::spawn(async move {
            match fill {
                Fill::Foreground | Fill::Stored | Fill::NearRefill | Fill::Renewal | Fill::Fallback => {
                    subject.get(&at).await;
                }
                Fill::Refresh => drop(subject.refresh(&at).await),
                Fill::Set => subject.set(&at, old).await.expect("the backend is there"),
                Fill::Awaited | Fill::FoundInTurn => unreachable!("it has begun"),
            }
        });
        Some((held, filling))
    }

    /// The other node, where nodes take turns to compute this.
    fn in_turn(&self, subject: &Subject) -> Option<&At> {
        self.nodes.get(1).filter(|_| self.has_leases && subject.kept == Kept::FunctionInTurn)
    }

    /// The body of the other node is held, and this one waits for it.
    async fn begin_awaited(&self, subject: &Subject) -> Option<(Held, JoinHandle<()>)> {
        let (at, other) = (self.nodes[0].clone(), self.in_turn(subject)?.clone());
        let misses = at.cache.stats().misses;
        let held = other.hold_body();
        let (mine, theirs) = (subject.clone(), subject.clone());
        let computing = tokio::spawn(async move { theirs.get(&other).await });
        while lock(&at.database.gate).is_some() {
            tokio::task::yield_now().await;
        }
        let here = at.clone();
        let waiting = tokio::spawn(async move { mine.get(&here).await });
        while at.cache.stats().misses == misses {
            tokio::task::yield_now().await;
        }
        let both = async move {
            for call in [computing, waiting] {
                call.await.expect("nothing panics");
            }
        };
        Some((held, tokio::spawn(both)))
    }

    async fn judge(&self, subject: &Subject, evictor: usize, new: u32, beside: u32) -> Result<(), String> {
        if beside != new && beside != FAILURE && (evictor == 0 || !self.has_copies) {
            return Err(format!("{beside} was read beside the fill, for {new}"));
        }
        for (node, at) in self.nodes.iter().enumerate() {
            let seen = if self.has_copies && node != evictor {
                // Its copy goes when the notice has come.
                self.within_moments(subject, at, new).await
            } else {
                subject.get(at).await
            };
            let then = subject.get(at).await;
            if (seen, then) != (new, new) {
                return Err(format!("node {node} read {seen}, then {then}, for {new}"));
            }
        }
        Ok(())
    }

    /// Resolves when nothing is computed any more, for whomever it may be.
    async fn is_at_rest(&self) {
        let rests = |at: &At| format!("{:?}", at.cache).contains("under_way: 0");
        while !self.nodes.iter().all(rests) {
            tokio::task::yield_now().await;
        }
    }

    async fn within_moments(&self, subject: &Subject, at: &At, new: u32) -> u32 {
        let begun = std::time::Instant::now();
        loop {
            let seen = subject.get(at).await;
            if seen == new || begun.elapsed() > MOMENTS {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    }
}
