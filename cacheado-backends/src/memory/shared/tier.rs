//! The engine's contract over memory: groups are labels, claims are tickets.

use std::sync::Arc;
use std::time::Duration;

use super::backend::capabilities;
use super::claims::{Granted, Wish};
use super::{NAME, Shared, SharedMemory};
use crate::contract::{
    BoxFuture, Capabilities, Claim, Entry, Filled, Group, Leased, New, Place, Subscription, Terms, Tier,
    Wanted,
};
use crate::error::Result;
use crate::memory::{Cause, Label, LabelSet, Placed, Ticket};

fn label(group: &Group) -> Label {
    Label::from(group.name.as_bytes())
}

/// What is there at once. Nothing here waits, and what is dropped before it is polled is not done.
fn now<'a, T: Send + 'a>(answer: impl FnOnce() -> Result<T> + Send + 'a) -> BoxFuture<'a, Result<T>> {
    Box::pin(async move { answer() })
}

impl Shared {
    fn labels(&self, at: &Place) -> Option<LabelSet> {
        let labels: Vec<_> = at.groups.iter().map(label).collect();
        self.store.labelled(&labels)
    }

    fn begin(&self, at: &Place) -> Claim {
        self.claims.announce(self.ticket(&at.key, self.labels(at).as_ref()), self.store.clock())
    }

    fn begin_leased(&self, at: &Place, terms: Terms) -> Leased {
        let wish = Wish {
            key: &at.key,
            lasts: terms.lasts,
            is_current: &Ticket::is_current,
            look: &|| terms.look.then(|| self.read(&at.key)).flatten(),
            ticket: &|| self.ticket(&at.key, self.labels(at).as_ref()),
        };
        match self.claims.lease(&wish, self.store.clock()) {
            Granted::Taken(claim) => Leased::Taken(claim),
            Granted::Held(left) => Leased::Held(left),
            Granted::Found(entry) => Leased::Found(entry),
        }
    }

    fn fill_announced(&self, at: &Place, new: New<'_>, claim: &Claim) -> Result<Filled> {
        let filled = self.fill_unreleased(at, new, claim);
        self.claims.release(&at.key, claim);
        filled
    }

    fn fill_unreleased(&self, at: &Place, new: New<'_>, claim: &Claim) -> Result<Filled> {
        let Some(ticket) = self.claims.take(claim, self.store.clock()) else { return Ok(Filled::Fenced) };
        match self.fill(&at.key, new.value, new.ttl, self.labels(at), &ticket)? {
            Placed::Stored => Ok(Filled::Stored),
            Placed::Fenced | Placed::Superseded | Placed::Full => Ok(Filled::Fenced),
        }
    }

    fn retract_announced(&self, at: &Place, claim: &Claim) -> bool {
        let ticket = self.claims.take(claim, self.store.clock()).filter(Ticket::is_current);
        if let Some(ticket) = &ticket {
            // What is set from here on has a later ticket, and stays.
            self.region.retract(self.hash(&at.key), at.key.as_bytes(), ticket);
        }
        self.claims.release(&at.key, claim);
        ticket.is_some()
    }

    fn set(&self, at: &Place, new: New<'_>) -> Result<()> {
        self.tickets.fence_off(self.hash(&at.key));
        let labels = self.labels(at);
        let ticket = self.ticket(&at.key, labels.as_ref());
        // Where it is not placed, another write or eviction came in between, and has the last word.
        self.fill(&at.key, new.value, new.ttl, labels, &ticket)?;
        Ok(())
    }

    fn set_ttl(&self, at: &Place, ttl: Option<Duration>) -> bool {
        let deadline = self.store.clock().deadline(ttl);
        self.region.set_deadline(self.hash(&at.key), at.key.as_bytes(), deadline)
    }
}

impl Tier for SharedMemory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn longest(&self) -> Option<Duration> {
        // Of what its clock can show, half.
        Some(Duration::from_nanos(u64::MAX / 2))
    }

    fn get<'a>(&'a self, at: &'a Place, _: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        now(|| Ok(self.0.read(&at.key)))
    }

    fn get_blocking(&self, at: &Place, _: Wanted) -> Option<Result<Option<Entry>>> {
        Some(Ok(self.0.read(&at.key)))
    }

    fn get_many<'a>(&'a self, at: &'a [Place], _: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        now(|| Ok(at.iter().map(|at| self.0.read(&at.key)).collect()))
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        now(|| Ok(self.0.begin(at)))
    }

    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        now(move || Ok(self.0.begin_leased(at, terms)))
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        now(move || self.0.fill_announced(at, new, claim))
    }

    fn replace<'a>(
        &'a self,
        at: &'a Place,
        new: New<'a>,
        claim: &'a Claim,
        notice: &'a [u8],
    ) -> BoxFuture<'a, Result<Filled>> {
        now(move || {
            let filled = self.0.fill_announced(at, new, claim)?;
            if filled == Filled::Stored {
                self.0.bus.tell(Some(notice));
            }
            Ok(filled)
        })
    }

    fn keeps_claims(&self) -> bool {
        true
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        now(|| {
            drop(self.0.claims.take(claim, self.0.store.clock()));
            self.0.claims.release(&at.key, claim);
            Ok(())
        })
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        now(move || {
            self.0.set(at, new)?;
            self.0.bus.tell(notice);
            Ok(())
        })
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        now(move || Ok(self.0.set_ttl(at, ttl)))
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        now(move || {
            let was_there = self.0.remove(&at.key);
            self.0.bus.tell(notice);
            Ok(was_there)
        })
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        now(move || {
            let is_done = self.0.retract_announced(at, claim);
            self.0.bus.tell(notice.filter(|_| is_done));
            Ok(is_done)
        })
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        now(move || {
            let evicted = self.0.store.evict_label(&label(group), Cause::Scope);
            self.0.bus.tell(notice);
            Ok(evicted)
        })
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        now(move || {
            let evicted = self.0.store.clear(Cause::Cleared);
            self.0.bus.tell(notice);
            Ok(evicted)
        })
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        now(move || Ok(group.map_or_else(|| self.0.count(), |group| self.0.store.count_label(&label(group)))))
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        Some(self.0.bus.subscribe())
    }
}
