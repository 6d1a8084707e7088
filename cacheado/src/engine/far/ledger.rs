//! What rules are told of remote entries: the ledger of this process, kept as they are read and written.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Found, Placed, Ticket};

use crate::engine::computation::Computation;
use crate::function::Function;
use crate::remote::Chore;
use crate::remote::ledger::Ledger;

impl Computation {
    /// Writes a remote entry that was read into the ledger, as used just now, if there is room.
    pub(in crate::engine) fn note(&self, function: &Function, ttl: Option<Duration>) {
        let Some(ledger) = &function.ledger else { return };
        let (hash, key) = (self.call.hash, &self.call.key);
        let deadline = function.store.clock().deadline(ttl);
        if let Found::Hit(()) = ledger.get(hash, &key.as_bytes()) {
            ledger.set_deadline(hash, key.as_bytes(), deadline);
            return;
        }
        self.fill_ledger(function, ledger, ttl);
    }

    /// Enters the ledger for what is about to be written. `Full`: it is a new one, and there is no room.
    pub(in crate::engine) fn reserve(&mut self, function: &Function, ttl: Option<Duration>) -> Placed {
        let Some(ledger) = &function.ledger else { return Placed::Stored };
        if ledger.describe(self.call.hash, self.call.key.as_bytes()).is_some() {
            return Placed::Stored;
        }
        let (placed, ticket) = self.fill_ledger(function, ledger, ttl);
        if let Some(far) = &mut self.far {
            far.noted = Some(ticket);
        }
        placed
    }

    /// It is written, and in the ledger under a ticket of its own: whoever fails to write the same entry, and
    /// has entered it, does not take it out again.
    pub(in crate::engine) fn enter(&self, function: &Function, ttl: Option<Duration>) {
        let (Some(ledger), Some(far)) = (&function.ledger, &self.far) else { return };
        if let (Placed::Full, _) = self.fill_ledger(function, ledger, ttl) {
            // Another has taken the room meanwhile.
            far.remote.postpone(Chore::drive_out(self.call.whole_key(), Arc::clone(&far.place)));
        }
    }

    /// It is not written: what this call has entered into the ledger goes, and nothing of another's.
    pub(in crate::engine) fn withdraw(&self, function: &Function) {
        if let (Some(ledger), Some(ticket)) =
            (&function.ledger, self.far.as_ref().and_then(|far| far.noted.as_ref()))
        {
            ledger.withdraw(self.call.hash, ticket);
        }
    }

    /// The entry is not in the backend: neither is it in the ledger.
    pub(in crate::engine) fn forget(&self, function: &Function) {
        if let Some(ledger) = &function.ledger {
            ledger.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
        }
    }

    fn fill_ledger(&self, function: &Function, ledger: &Ledger, ttl: Option<Duration>) -> (Placed, Ticket) {
        // The ledger is a store of its own, with label sets of its own.
        let labels = self.labels().and_then(|labels| ledger.labelled(labels.labels()));
        let ticket = ledger.tickets.take(self.call.hash, labels.as_ref());
        let clock = function.store.clock();
        let now = clock.now();
        let fill = Fill { labels, ..self.fill(now, clock.deadline_from(now, ttl)) };
        (ledger.fill(fill, &ticket, ()), ticket)
    }
}
