//! The tickets of a region's fills.

use super::Region;
use crate::memory::fence::{Taking, Terms, Ticket};
use crate::memory::labels::{Label, LabelSet};
use crate::memory::ledger::Locator;
use crate::sync::Ordering;

impl<V: Clone + Send + Sync + 'static, P: Send + Sync + 'static> Region<V, P> {
    /// Takes a ticket for a fill of this key. To be called before the computation begins.
    pub fn ticket(&self, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(self.next_serial(), hash, labels)
    }

    /// The ticket of the same fill, as if it had been taken now: for a value that was there before it, and
    /// comes after the evictions since.
    #[must_use]
    pub fn renew(&self, ticket: &Ticket<P>, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(ticket.serial(), hash, labels)
    }

    /// The set of these labels, for entries of this region's store; `None` where there are none.
    #[must_use]
    pub fn labelled(&self, labels: &[Label]) -> Option<LabelSet> {
        self.store.labelled(labels)
    }

    fn numbered(&self, serial: u64, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        match self.fences.take(&self.terms(serial, hash, labels), || None, |_| false) {
            Taking::Taken(ticket) | Taking::There(ticket) => ticket,
        }
    }

    /// Takes a ticket that carries something for others who want the same value, unless one is there that will do:
    /// that is current, and of which `will_do` holds.
    pub fn take_or_join(
        &self,
        hash: u64,
        labels: Option<&LabelSet>,
        carried: impl FnOnce() -> P,
        will_do: impl Fn(&P) -> bool,
    ) -> Taking<P> {
        let terms = self.terms(self.next_serial(), hash, labels);
        self.fences.take(&terms, || Some(carried()), |other| self.does(other, &will_do))
    }

    /// A ticket that will do, if there is one.
    pub fn find_ticket(&self, hash: u64, will_do: impl Fn(&P) -> bool) -> Option<Ticket<P>> {
        self.fences.find(hash, |other| self.does(other, &will_do))
    }

    fn does(&self, ticket: &Ticket<P>, will_do: impl Fn(&P) -> bool) -> bool {
        ticket.carried().is_some_and(will_do) && self.is_current(ticket)
    }

    /// From here on nobody joins this ticket, as `close` sees to. Whether nobody has.
    pub fn close(&self, ticket: &Ticket<P>, close: impl FnOnce()) -> bool {
        self.fences.close(ticket, close)
    }

    /// How many tickets are registered.
    #[cfg(test)]
    pub(in crate::memory) fn watched(&self) -> usize {
        self.fences.len()
    }

    /// How many tickets carry something of which this holds.
    pub fn count_tickets(&self, holds: impl Fn(&P) -> bool) -> usize {
        self.fences.count(holds)
    }

    /// The number of a fill that begins, with that of the region.
    fn next_serial(&self) -> u64 {
        self.store.next_serial() | (u64::from(self.id.0) << Locator::SERIAL_BITS)
    }

    fn terms<'t>(&self, serial: u64, hash: u64, labels: Option<&'t LabelSet>) -> Terms<'t> {
        let epochs = (self.store.epoch(), self.epoch.load(Ordering::SeqCst));
        Terms { serial, hash, labels, epochs }
    }

    /// Fills of the key that have begun are not stored.
    pub fn fence_off(&self, hash: u64) {
        self.fences.mark(hash);
    }

    /// Whether no eviction that concerns the ticket's fill has begun since it was taken.
    pub fn is_current(&self, ticket: &Ticket<P>) -> bool {
        ticket.is_current(self.store.epoch(), self.epoch.load(Ordering::SeqCst))
    }
}
