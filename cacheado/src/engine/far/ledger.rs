//! What rules are told of remote entries: the ledger of this process, kept as they are read and written.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Found, Placed, Ticket};

use crate::engine::computation::Computation;
use crate::function::Function;
use crate::remote::Chore;

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
        let ticket = ledger.ticket(hash, self.labels.as_deref().unwrap_or_default());
        ledger.fill(self.fill_ledger(function, &ticket, ttl), ());
    }

    /// Enters the ledger for what is about to be written. `Full`: it is a new one, and there is no room.
    pub(in crate::engine) fn reserve(&mut self, function: &Function, ttl: Option<Duration>) -> Placed {
        let Some(ledger) = &function.ledger else { return Placed::Stored };
        if ledger.describe(self.call.hash, self.call.key.as_bytes()).is_some() {
            return Placed::Stored;
        }
        let ticket = ledger.ticket(self.call.hash, self.labels.as_deref().unwrap_or_default());
        let placed = ledger.fill(self.fill_ledger(function, &ticket, ttl), ());
        if let Some(far) = &mut self.far {
            far.noted = Some(ticket);
        }
        placed
    }

    /// It is written, and in the ledger under a ticket of its own: whoever fails to write the same entry, and
    /// has entered it, does not take it out again.
    pub(in crate::engine) fn enter(&self, function: &Function, ttl: Option<Duration>) {
        let (Some(ledger), Some(far)) = (&function.ledger, &self.far) else { return };
        let ticket = ledger.ticket(self.call.hash, self.labels.as_deref().unwrap_or_default());
        if ledger.fill(self.fill_ledger(function, &ticket, ttl), ()) == Placed::Full {
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

    fn fill_ledger(&self, function: &Function, ticket: &Ticket, ttl: Option<Duration>) -> Fill {
        Fill { inert: true, ..self.fill(ticket, function.store.clock().deadline(ttl)) }
    }
}
