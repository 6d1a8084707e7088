//! The tickets of the fills that are announced, and which of them hold a lease.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::Clock;
use crate::contract::{Claim, FILL_WINDOW};
use crate::memory::Ticket;
use crate::sync::Mutex;

/// Claims by the number that they carry. Numbers grow, so the first is the oldest.
#[derive(Default)]
pub(super) struct Claims(Mutex<Open>);

#[derive(Default)]
struct Open {
    next: u64,
    tickets: BTreeMap<u64, Announced>,
    /// Leases by the keys that they are on.
    leases: HashMap<Box<str>, Lease>,
}

struct Announced {
    ticket: Ticket,
    /// The reading of the clock from which on its fill comes too late.
    until: u64,
    /// The key, if there is a lease on it.
    leased: Option<Box<str>>,
}

struct Lease {
    /// The number of the claim that holds it.
    owner: u64,
    /// That of the claim: where it forbids the fill, there is nothing to wait for.
    ticket: Ticket,
    until: u64,
}

/// A lease that is asked for.
pub(super) struct Wish<'a, T> {
    pub(super) key: &'a str,
    pub(super) lasts: Duration,
    /// Whether a fill with this ticket would be stored.
    pub(super) is_current: &'a dyn Fn(&Ticket) -> bool,
    /// What does in place of a lease. It is looked for while nobody else takes or releases one.
    pub(super) look: &'a dyn Fn() -> Option<T>,
    pub(super) ticket: &'a dyn Fn() -> Ticket,
}

/// What became of it.
pub(super) enum Granted<T> {
    Taken(Claim),
    Held(Duration),
    Found(T),
}

impl Claims {
    /// Keeps a ticket until its fill comes, or comes too late. Costs as many steps as there are claims that
    /// nobody took up in time.
    pub(super) fn announce(&self, ticket: Ticket, clock: &Clock) -> Claim {
        let mut open = self.0.lock();
        let late = open.late(clock);
        let claim = open.announce(ticket, None, clock);
        drop(open);
        drop(late);
        claim
    }

    /// Keeps a ticket together with a lease, unless another holds it.
    pub(super) fn lease<T>(&self, wish: &Wish<'_, T>, clock: &Clock) -> Granted<T> {
        let mut open = self.0.lock();
        let held = open.leases.get(wish.key).filter(|lease| (wish.is_current)(&lease.ticket));
        let left = held.and_then(|lease| clock.remaining(lease.until)).filter(|left| !left.is_zero());
        // In this order: what is stored when a lease is released is there when it is looked for.
        if let Some(found) = (wish.look)() {
            return Granted::Found(found);
        }
        if let Some(left) = left {
            return Granted::Held(left);
        }
        let late = open.late(clock);
        let ticket = (wish.ticket)();
        let lease =
            Lease { owner: open.next, ticket: ticket.clone(), until: clock.deadline(Some(wish.lasts)) };
        let ended = open.leases.insert(wish.key.into(), lease);
        let claim = open.announce(ticket, Some(wish.key.into()), clock);
        drop(open);
        drop((late, ended));
        Granted::Taken(claim)
    }

    /// The ticket of a claim, once, if its fill does not come too late. Its lease stays: until it is
    /// [released](Self::release), nobody looks for what is just being stored.
    pub(super) fn take(&self, claim: &Claim, clock: &Clock) -> Option<Ticket> {
        let announced = self.0.lock().tickets.remove(&number(claim)?)?;
        let in_time = !clock.expired(announced.until) && claim.taken.elapsed() < FILL_WINDOW;
        in_time.then_some(announced.ticket)
    }

    /// Ends the lease on a key that a claim holds; another's stays.
    pub(super) fn release(&self, key: &str, claim: &Claim) {
        let owner = number(claim);
        let mut open = self.0.lock();
        let is_own = open.leases.get(key).is_some_and(|lease| Some(lease.owner) == owner);
        let ended = is_own.then(|| open.leases.remove(key));
        drop(open);
        drop(ended);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let open = self.0.lock();
        open.tickets.len() + open.leases.len()
    }
}

impl Open {
    fn announce(&mut self, ticket: Ticket, leased: Option<Box<str>>, clock: &Clock) -> Claim {
        let number = self.next;
        self.next += 1;
        let until = clock.deadline(Some(FILL_WINDOW));
        self.tickets.insert(number, Announced { ticket, until, leased });
        Claim::now(number.to_le_bytes().to_vec())
    }

    /// Takes out what nobody took up in time. What it returns is to be dropped without the lock.
    fn late(&mut self, clock: &Clock) -> Vec<(Announced, Option<Lease>)> {
        let mut late = Vec::new();
        while let Some(first) = self.tickets.first_entry()
            && clock.expired(first.get().until)
        {
            let (number, announced) = first.remove_entry();
            let key = announced
                .leased
                .as_deref()
                .filter(|key| self.leases.get(*key).is_some_and(|lease| lease.owner == number));
            let lease = key.and_then(|key| self.leases.remove(key));
            late.push((announced, lease));
        }
        late
    }
}

fn number(claim: &Claim) -> Option<u64> {
    Some(u64::from_le_bytes(claim.token.as_slice().try_into().ok()?))
}
