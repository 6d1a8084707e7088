//! The tickets of the fills that are announced.

use std::collections::BTreeMap;

use crate::Clock;
use crate::contract::{Claim, FILL_WINDOW};
use crate::memory::Ticket;
use crate::sync::Mutex;

/// Tickets by the number that a claim carries. Numbers grow, so the first is the oldest.
#[derive(Default)]
pub(super) struct Claims(Mutex<Open>);

#[derive(Default)]
struct Open {
    next: u64,
    tickets: BTreeMap<u64, Announced>,
}

struct Announced {
    ticket: Ticket,
    /// The reading of the clock from which on its fill comes too late.
    until: u64,
}

impl Claims {
    /// Keeps a ticket until its fill comes, or comes too late. Costs as many steps as there are claims that
    /// nobody took up in time.
    pub(super) fn announce(&self, ticket: Ticket, clock: &Clock) -> Claim {
        let mut open = self.0.lock();
        let mut late = Vec::new();
        while let Some(first) = open.tickets.first_entry()
            && clock.expired(first.get().until)
        {
            late.push(first.remove());
        }
        let number = open.next;
        open.next += 1;
        open.tickets.insert(number, Announced { ticket, until: clock.deadline(Some(FILL_WINDOW)) });
        drop(open);
        Claim::now(number.to_le_bytes().to_vec())
    }

    /// The ticket of a claim, once, if its fill does not come too late.
    pub(super) fn take(&self, claim: &Claim, clock: &Clock) -> Option<Ticket> {
        let number = u64::from_le_bytes(claim.token.as_slice().try_into().ok()?);
        let announced = self.0.lock().tickets.remove(&number)?;
        let in_time = !clock.expired(announced.until) && claim.taken.elapsed() < FILL_WINDOW;
        in_time.then_some(announced.ticket)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().tickets.len()
    }
}
