//! One computation at a time among processes: the leader of a flight asks for a lease before it computes, and
//! waits while another process has it.
//!
//! ```text
//! absent ─ lease ─┬─ taken ───────────────► body ─ write, which ends the lease
//!                 ├─ found ───────────────► value
//!                 ├─ held ─ pause ─ lease …
//!                 └─ outage ──────────────► body
//! ```
//!
//! Where there is an entry that is of no use, a lease that is taken is no word on what has come since: it looks once
//! more, and gives the lease back if there is a value by now.
//!
//! Nothing depends on it but how often the body runs: what may be stored is up to the fences. So a lease that is
//! lost, or too short, costs a computation; and who has waited long enough computes without one.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Entry, Place, Terms};

use super::computation::Computation;
use super::far::Reading;
use super::far::{Answer, Step};
use super::plan::{Next, Wait};
use crate::context::{self, Outcome, Served};
use crate::function::{SingleFlight, Value};
use crate::remote::{Kept, Reply, Request, Turn};
use crate::stats::count;

/// The pauses between two questions, the first and the longest. Each is twice the one before, less up to half
/// of it, so that processes which began together do not ask together.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// How a call waits for its turn, and the lease that it is given.
#[derive(Default)]
pub(super) struct InTurn {
    /// Whether an entry that is there will do.
    look: bool,
    /// A rule has refused what is there.
    refused: bool,
    /// How often it has had to wait.
    pauses: u32,
    /// Until when it waits; `None`: it has not had to.
    until: Option<Instant>,
    lease: Option<Kept>,
}

impl InTurn {
    /// There was no entry: one that is there by now is another's, and will do.
    pub(super) fn missed(&mut self) {
        self.look = true;
    }

    /// A rule has refused what is there, and is not asked about it once more.
    pub(super) fn refused(&mut self) {
        self.refused = true;
    }

    /// Whether there is a lease.
    fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// The fill has ended the lease, unless it failed.
    pub(super) fn written(&mut self, answer: &Answer) {
        if answer.is_ok() {
            self.ended();
        }
    }

    /// Its claim ends the lease.
    pub(super) fn ended(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.ended();
        }
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// How long to pause, where another's lease is over after `left`.
    ///
    /// In all a call waits for as long as two leases: until that of one who has died is over, and while the next,
    /// who took it, computes.
    fn pause(&mut self, left: Duration, lease: Duration) -> Duration {
        self.look = true;
        self.until.get_or_insert_with(|| Instant::now() + 2 * lease);
        let longest = (PAUSES.0 * 2_u32.saturating_pow(self.pauses.min(16))).min(PAUSES.1);
        self.pauses += 1;
        let thousandths = u32::try_from(RandomState::new().hash_one(0) % 500).unwrap_or_default();
        let pause = longest * (1_000 - thousandths) / 1_000;
        // When the lease is over it can be taken, not before.
        pause.min(left + Duration::from_millis(1))
    }
}

/// A call that pauses until it may be its turn.
pub(super) struct Rest {
    pub(super) pause: Duration,
    computation: Computation,
}

impl Rest {
    /// Its computation, which waits no longer and has no lease.
    pub(super) fn at_once(self) -> Computation {
        self.computation
    }

    /// What follows after the pause.
    pub(super) fn over(self) -> Next {
        self.computation.ask(Step::Announce)
    }
}

impl Computation {
    /// How the fill is announced: with a lease, or whoever else computes.
    pub(super) fn announcement(&mut self, place: Arc<Place>) -> (Step, Request) {
        let Some(terms) = self.terms() else {
            self.call.count_miss();
            return (Step::Announce, Request::Begin { place });
        };
        if let (Some(far), Some(function)) = (&mut self.call.course.far, &self.call.function) {
            far.asked = function.store.clock().now();
        }
        (Step::Lease, Request::BeginLeased { place, terms })
    }

    fn terms(&self) -> Option<Terms> {
        let far = self.far.as_ref()?;
        let lasts =
            far.remote.lease.filter(|_| self.call.policy.single_flight == SingleFlight::Distributed)?;
        let waits = self.is_led() && !far.turn.is_over();
        waits.then_some(Terms { lasts, look: far.turn.look })
    }

    /// Whether it has been given a lease.
    pub(super) fn is_in_turn(&self) -> bool {
        self.far.as_ref().is_some_and(|far| far.turn.has_lease())
    }

    /// It has a lease, and there is nothing that would do instead.
    pub(super) fn computes_in_turn(mut self) -> Next {
        self.far_begins();
        self.call.count_miss();
        Next::Compute(self)
    }

    /// What an entry serves that another process may have stored meanwhile; `None`: nothing.
    pub(super) fn made_elsewhere(&mut self, entry: &Entry) -> Option<Value> {
        if self.renewing.is_some() {
            // What is to be renewed is there all the while; another's renewal of it will do.
            return self.renewed(entry);
        }
        let has_waited = self.far.as_ref().is_some_and(|far| far.turn.until.is_some());
        let Reading::Value(value, served, _) = self.found(entry, true) else { return None };
        if let Some(function) = self.call.function.as_ref().filter(|_| has_waited) {
            count(&function.shared.tally.coalesced);
        }
        let outcome = if has_waited { Outcome::Coalesced } else { served.outcome };
        context::served(|| Served { outcome, ..served });
        Some(value)
    }

    /// What follows from the answer to the wish for a lease.
    pub(super) fn turned(mut self, answer: Answer) -> Next {
        let Some(far) = &mut self.far else { return Next::Compute(self) };
        match answer.and_then(Reply::turn) {
            Ok(Turn::Taken(lease)) => {
                far.claim = lease.claim();
                far.turn.lease = Some(lease);
                if far.turn.look || far.turn.refused || self.call.is_rejected() {
                    return self.computes_in_turn();
                }
                // Since it has seen what is of no use, another process may have stored what is.
                self.ask(Step::Recheck)
            }
            Ok(Turn::Held(left)) => {
                let pause = far.turn.pause(left, far.remote.lease.unwrap_or(left));
                self.call.count_miss();
                Next::Wait(Wait::Turn(Rest { pause, computation: self }))
            }
            Ok(Turn::Found(entry)) => {
                // Asked again, it is for another entry than this one, which may be of no use.
                far.turn.look = false;
                match self.made_elsewhere(&entry) {
                    Some(value) => Next::Serve(value),
                    None => self.ask(Step::Announce),
                }
            }
            Err(error) => self.without_backend(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    #[test]
    fn hazard_25_pauses_grow_and_have_a_bound() {
        let mut turn = InTurn::default();
        let pauses: Vec<_> = (0..40).map(|_| turn.pause(LEASE, LEASE)).collect();
        for (number, pause) in pauses.iter().enumerate() {
            let longest = PAUSES.1.min(PAUSES.0 * 2_u32.pow(u32::try_from(number.min(10)).unwrap()));
            assert!(*pause <= longest && *pause >= longest / 2, "{number}: {pause:?}");
        }
        let last: std::collections::HashSet<_> = pauses[10..].iter().collect();
        assert!(last.len() > 10, "each is another: {last:?}");
    }

    #[test]
    fn hazard_25_no_pause_is_longer_than_the_lease_lasts() {
        let mut turn = InTurn::default();
        for _ in 0..40 {
            assert!(turn.pause(Duration::from_millis(3), LEASE) <= Duration::from_millis(4));
            assert!(turn.pause(Duration::ZERO, LEASE) > Duration::ZERO);
        }
    }

    #[test]
    fn a_call_waits_as_long_as_two_leases() {
        let mut turn = InTurn::default();
        assert!(!turn.is_over(), "it has not begun to wait");
        turn.pause(LEASE, LEASE);
        let until = turn.until.expect("it waits");
        assert!(until > Instant::now() + LEASE && until <= Instant::now() + 2 * LEASE);
        turn.pause(LEASE, LEASE);
        assert_eq!(turn.until, Some(until), "another holder does not begin it anew");
        turn.until = Some(Instant::now());
        assert!(turn.is_over());
    }
}
