//! One computation at a time among processes: the leader of a flight asks for a lease before it computes, and
//! waits while another process has it.
//!
//! ```text
//! absent ─ lease ─┬─ taken ────────────────────► body ─ write, which ends the lease
//!                 ├─ found ────────────────────► value
//!                 ├─ held ─ pause ─ lease …
//!                 └─ outage ───────────────────► body
//! ```
//!
//! Nothing is decided by it but how often the body runs: what may be stored is up to the fences. So a lease that
//! is lost, or lasts too short, costs a computation; and who has waited long enough computes without one.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use cacheado_backends::contract::Terms;

use super::call::{Computation, Next, Wait};
use super::far::Answer;
use crate::function::{Kind, SingleFlight};
use crate::remote::{Reply, Turn};
use crate::stats::count;

/// The pauses between two questions, the first and the longest. Each is twice the one before, less up to half
/// of it, so that processes which began together do not ask together.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// How a call waits for its turn.
pub(super) struct Patience {
    /// Whether an entry that is there will do.
    look: bool,
    pause: Duration,
    /// Until when it waits; `None`: it has not had to.
    until: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { look: false, pause: PAUSES.0, until: None }
    }
}

impl Patience {
    /// There was no entry: one that is there by now is another's, and will do.
    pub(super) fn missed(&mut self) {
        self.look = true;
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// How long to wait for a lease that lasts for `left`, of those that last for `lease`.
    ///
    /// In all it is at most twice as long: until the lease of one who has died is over, and while the next,
    /// who took it, computes.
    fn next(&mut self, left: Duration, lease: Duration) -> Duration {
        self.look = true;
        self.until.get_or_insert_with(|| Instant::now() + 2 * lease);
        let part = u32::try_from(RandomState::new().hash_one(0) % 1_000).unwrap_or_default();
        let pause = self.pause * (2_000 - part) / 2_000;
        self.pause = (2 * self.pause).min(PAUSES.1);
        // When the lease is over it can be taken, not before.
        pause.min(left + Duration::from_millis(1))
    }
}

/// A call that waits until it may be its turn.
pub(super) struct Rest<K: Kind> {
    pub(super) pause: Duration,
    computation: Box<Computation<K>>,
}

impl<K: Kind> Rest<K> {
    /// What follows after the pause.
    pub(super) fn over(self) -> Next<K> {
        self.computation.announce()
    }
}

impl<K: Kind> Computation<K> {
    /// On what terms this call asks for a lease; `None`: it announces its fill and computes, whoever else does.
    pub(super) fn terms(&self) -> Option<Terms> {
        let far = self.far.as_ref()?;
        let lasts =
            far.remote.lease.filter(|_| self.call.policy.single_flight == SingleFlight::Distributed)?;
        let waits = self.is_led() && !far.patience.is_over();
        waits.then_some(Terms { lasts, look: far.patience.look })
    }

    /// What follows from the answer to the wish for a lease.
    pub(super) fn turned(mut self: Box<Self>, answer: Answer) -> Next<K> {
        let Some(far) = &mut self.far else { return Next::Compute(self) };
        match answer.and_then(Reply::turn) {
            Ok(Turn::Taken(lease)) => {
                far.claim = lease.claim();
                far.lease = Some(lease);
                far.begun = Some(Instant::now());
                self.call.count_miss();
                Next::Compute(self)
            }
            Ok(Turn::Held(left)) => {
                let pause = far.patience.next(left, far.remote.lease.unwrap_or(left));
                self.call.count_miss();
                Next::Wait(Wait::Turn(Rest { pause, computation: self }))
            }
            Ok(Turn::Found(entry)) => {
                let has_waited = far.patience.until.is_some();
                match self.found(&entry, true) {
                    Some(value) => {
                        if let Some(function) = self.call.function.as_ref().filter(|_| has_waited) {
                            count(&function.shared.tally.coalesced);
                        }
                        Next::Serve(value)
                    }
                    None => self.computes_anew(),
                }
            }
            Err(error) => self.without_backend(error),
        }
    }

    /// What is there cannot be used, and is not asked for again until somebody else may have stored another.
    fn computes_anew(mut self: Box<Self>) -> Next<K> {
        if let Some(far) = &mut self.far {
            far.patience.look = false;
        }
        self.announce()
    }
}
