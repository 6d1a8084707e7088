//! The remote side of a call: what it asks the backend, and what becomes of the answers.
//!
//! ```text
//! plan ─ read ─┬─ found ──────────────────────────────────► value
//!              ├─ absent ─ announce ─ body ─ write ───────► value (or a lease, see `turn`)
//!              └─ outage ─ body ──────────────────────────► value
//! ```
//!
//! The announcement is what lets the backend forbid the write if an eviction comes while the body runs.
//!
//! | file | subject |
//! |---|---|
//! | `ask` | questions before the body, and what follows from the answers |
//! | `found` | what an entry of the backend stands for; copies |
//! | `age` | how old it is, and what that means |
//! | `write` | the outcome on its way to the backend |
//! | `ledger` | what rules are told of remote entries |

mod age;
mod ask;
mod found;
mod ledger;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Claim, Place};
use cacheado_backends::memory::Ticket;

use crate::codec::{Buffer, CodecError, Envelope, Header, Limits};
use crate::engine::call::{Call, ScopeOf};
use crate::engine::computation::Computation;
use crate::engine::moment::Moment;
use crate::engine::turn::InTurn;
use crate::function::{Function, Held};
use crate::remote::{Kept, Notice, Remote};
use crate::stats::count;

pub(super) use age::{Reading, Rescue};
pub(super) use ask::{Answer, Ask, Asked, Step};
pub(super) use write::{Draft, Write, Written};

/// The remote side of one call.
pub(in crate::engine) struct Far {
    pub(in crate::engine) remote: Arc<Remote>,
    pub(in crate::engine) place: Arc<Place>,
    /// Whether the place names the groups of the entry, which only a write needs of every backend.
    is_grouped: bool,
    envelope: Envelope<Held>,
    /// `None` until the fill has been announced.
    pub(in crate::engine) claim: Option<Claim>,
    /// Gives the claim up however the computation ends, unless it is shown. That of a lease is the lease's.
    pub(in crate::engine) kept: Option<Kept>,
    pub(in crate::engine) turn: InTurn,
    /// When the computation began; `None` where there is none.
    pub(in crate::engine) begun: Option<Instant>,
    /// What the clock showed when the backend was last asked: what it answers is no younger than that. Only
    /// the life of a copy depends on it.
    pub(in crate::engine) asked: u64,
    /// How often notices may have been missed before the backend was first asked.
    gaps: u64,
    /// What the clock showed when the body began: what the backend has not confirmed is as old as that. Only
    /// where there are copies.
    computed: u64,
    /// When the last question was sent whose answer others may be handed.
    pub(in crate::engine) sent: Option<Moment>,
    /// With which ticket this call has entered the ledger, if it was not in there.
    noted: Option<Ticket>,
}

impl Call {
    /// The remote side, if the function's values are kept remotely: for all but writing.
    pub(in crate::engine) fn far(&self) -> Option<Far> {
        let function = self.function.as_ref()?;
        let remote = function.remote.as_ref()?;
        let codec = self.codec?();
        let ScopeOf::Known(scope) = &self.scope else { return None };
        remote.listen(&function.cache);
        let address = function.shared.address(scope, self.key.as_bytes());
        Some(Far {
            remote: Arc::clone(remote),
            place: remote.spot(&address, &self.tags, || self.whole_key()),
            is_grouped: !remote.reads_keys,
            envelope: Envelope::new(
                codec,
                function.shared.identity.version,
                Limits { size: remote.max_value_size, ..Limits::default() },
            ),
            claim: None,
            kept: None,
            turn: InTurn::default(),
            begun: None,
            asked: if remote.near_ttl.is_some() { function.store.clock().now() } else { 0 },
            gaps: remote.gaps(),
            computed: 0,
            sent: None,
            noted: None,
        })
    }

    /// Tells the other nodes that the entry is not what it was.
    pub(in crate::engine) fn notice(&self) -> Vec<u8> {
        Notice::Key(self.whole_key()).to_bytes()
    }

    fn place(&self, function: &Function) -> Option<Arc<Place>> {
        let ScopeOf::Known(scope) = &self.scope else { return None };
        let address = function.shared.address(scope, self.key.as_bytes());
        Some(address.place(&self.tags, || self.whole_key()))
    }
}

impl Far {
    /// Whether no notice can have been missed since the backend was first asked.
    fn has_heard_all(&self) -> bool {
        self.gaps == self.remote.gaps()
    }

    /// Whoever shows the claim sees to its end.
    fn is_shown(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.ended();
        }
    }

    /// The value in an entry's bytes, and what is known of it; `None` if they are not one of this function,
    /// version and type.
    pub(in crate::engine) fn open(&self, bytes: &[u8]) -> Option<(Header, Held)> {
        let report = |mismatch| {
            tracing::debug!(
                target: "cacheado",
                key = self.place.key,
                ?mismatch,
                "a stored entry is not used"
            );
        };
        self.envelope.open(bytes).map_err(report).ok()
    }

    /// The bytes of a value that is kept for `grace` after its time.
    pub(in crate::engine) fn seal(
        &self,
        value: &Held,
        ttl: Option<Duration>,
        grace: Duration,
    ) -> Result<Buffer, CodecError> {
        let mut sealed = Buffer::new();
        let took = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.envelope.write(Header { lifetime: ttl, took, grace }, value, sealed.bytes())?;
        Ok(sealed)
    }
}

impl Computation {
    /// The remote side, for writing.
    pub(in crate::engine) fn far_to_write(&mut self) -> Option<&mut Far> {
        if !self.far.as_ref()?.is_grouped {
            let place = self.call.place(self.call.function.as_ref()?)?;
            let far = self.far.as_deref_mut()?;
            far.place = place;
            far.is_grouped = true;
        }
        self.far.as_deref_mut()
    }

    /// The body is about to begin.
    pub(in crate::engine) fn far_begins(&mut self) {
        let Call { course, function, .. } = &mut *self.call;
        let (Some(far), Some(function)) = (&mut course.far, function) else { return };
        far.begun = Some(Instant::now());
        if far.remote.near_ttl.is_some() {
            far.computed = function.store.clock().now();
        }
    }

    pub(in crate::engine) fn count_backend_error(&self, error: &cacheado_backends::Error) {
        if let Some(function) = &self.call.function {
            count(&function.shared.tally.backend_errors);
        }
        tracing::debug!(target: "cacheado", %error, "the cache backend failed");
    }
}
