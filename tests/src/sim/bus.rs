//! Notices of evictions, on their way to each node: late, lost and in any order, as far as the contract permits.
//!
//! What the contract promises is: a notice comes at most once, after its eviction has taken effect; and where one
//! is lost, a gap is told. Nothing is said of the order, nor of how long either takes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use cacheado::backends::contract::{BoxFuture, Event, Subscription};

use super::Mutant;
use super::executor::Owner;
use super::history::InvalidationId;
use super::network::Link;
use super::simulation::Simulation;
use crate::lock;

/// The subscriptions of all nodes, from the moment on that the server has heard of them.
#[derive(Default)]
pub(super) struct Bus(Mutex<Vec<Arc<Inbox>>>);

impl Bus {
    fn listeners(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Inbox>>> {
        lock(&self.0)
    }

    /// A connection of the node was lost: its subscriptions are told so, some time after it is back.
    pub(super) fn gap(&self, sim: &Arc<Simulation>, node: usize) {
        for inbox in self.listeners().iter().filter(|inbox| inbox.link.node == node) {
            post(sim, inbox, Event::Gap, None);
        }
    }
}

/// What one subscription has not read yet.
struct Inbox {
    link: Link,
    unread: Mutex<Unread>,
}

#[derive(Default)]
struct Unread {
    events: VecDeque<(Event, Option<InvalidationId>)>,
    waker: Option<Waker>,
}

impl Inbox {
    fn put(&self, event: Event, told: Option<InvalidationId>) {
        let waker = {
            let mut unread = lock(&self.unread);
            unread.events.push_back((event, told));
            unread.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Event> {
        let mut unread = lock(&self.unread);
        while let Some((event, told)) = unread.events.pop_front() {
            let (node, start) = (self.link.node, self.link.start);
            self.link.sim.log(|| format!("node {node} is told: {}", name(&event, told)));
            match event {
                Event::Gap => self.link.sim.history.told_of_gap(node, start),
                Event::Notice(_) => self.link.sim.history.told(node, start, told),
            }
            if !self.link.sim.is_mutant(Mutant::Deaf) {
                return Poll::Ready(event);
            }
        }
        unread.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

fn name(event: &Event, told: Option<InvalidationId>) -> String {
    match (event, told) {
        (Event::Gap, _) => "a gap".to_owned(),
        (Event::Notice(_), Some(id)) => format!("invalidation {id}"),
        (Event::Notice(_), None) => "a notice".to_owned(),
    }
}

/// Sends an event on its way.
fn post(sim: &Arc<Simulation>, inbox: &Arc<Inbox>, event: Event, told: Option<InvalidationId>) {
    let (world, inbox) = (Arc::clone(&sim.world), Arc::clone(inbox));
    // It takes a while until a connection is found to be broken.
    let silence = if event == Event::Gap && !sim.is_calm() { world.below(100) as u64 } else { 0 };
    sim.world.spawn(Owner::World, async move {
        world.sleep(silence).await;
        world.hop().await;
        inbox.put(event, told);
    });
}

/// An eviction has taken effect.
pub(super) fn publish(sim: &Arc<Simulation>, notice: &[u8], cause: Option<InvalidationId>) {
    for inbox in sim.bus.listeners().iter() {
        let is_lost = !sim.is_calm() && (sim.world.chance(10) || sim.is_cut(inbox.link.node));
        let event = if is_lost { Event::Gap } else { Event::Notice(notice.to_vec()) };
        post(sim, inbox, event, cause.filter(|_| !is_lost));
    }
}

/// Subscribes a node. It hears what is published once the server has heard of it, and a gap first.
pub(super) fn subscribe(link: &Link) -> Box<dyn Subscription> {
    let inbox = Arc::new(Inbox { link: link.clone(), unread: Mutex::default() });
    let (sim, heard) = (Arc::clone(&link.sim), Arc::clone(&inbox));
    link.world().spawn(Owner::World, async move {
        sim.world.hop().await;
        let mut listeners = sim.bus.listeners();
        // Whoever is gone listens no more.
        listeners.retain(|listener| Arc::strong_count(listener) > 1);
        heard.put(Event::Gap, None);
        listeners.push(heard);
    });
    Box::new(Listening(inbox))
}

struct Listening(Arc<Inbox>);

impl Subscription for Listening {
    fn next(&mut self) -> BoxFuture<'_, Event> {
        Box::pin(poll_fn(|context| self.0.poll(context)))
    }
}
