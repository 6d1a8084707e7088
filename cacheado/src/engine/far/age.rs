//! The age of what the backend has: whether it is served, renewed, or kept for a failure.
//!
//! Which entries are past their time follows from what the backend says remains of them and from what their
//! envelope says they are kept beyond it, never from a clock: see [`Header::age`].

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Entry, Wanted};

use super::ask::{Answer, Step};
use super::found::granted;
use crate::chance;
use crate::codec::Header;
use crate::context::{Served, Tier};
use crate::engine::aging::{Age, Renewing, Standing, aging};
use crate::engine::computation::Computation;
use crate::engine::flight::{Landed, Leader};
use crate::engine::moment::Moment;
use crate::function::{Function, Value};
use crate::remote::{Remote, Reply, Request};

/// What a read of the backend has come to.
pub(in crate::engine) enum Reading<R> {
    /// A value that is served, how, and why it is computed anew, if it is.
    Value(R, Served, Option<Renewing>),
    /// The backend has not said how old it is, and it may be past its time.
    OfUnknownAge,
    /// There is none that can be served now.
    Nothing,
}

impl<R> Reading<R> {
    /// The value, where nothing is computed.
    pub(in crate::engine) fn value(self) -> Option<R> {
        match self {
            Self::Value(value, ..) => Some(value),
            Self::OfUnknownAge | Self::Nothing => None,
        }
    }
}

impl Computation {
    /// Whether this read tells how old the entry is.
    pub(in crate::engine) fn knows_age(&self, step: Step) -> bool {
        let wanted = self.far.as_ref().map(|far| far.remote.wanted());
        match step {
            Step::ReadAge => true,
            _ => self.call.policy.ages() || wanted == Some(Wanted::ValueAndLifetime),
        }
    }

    /// What is left of an entry that is served, and why it is computed anew, if it is.
    pub(in crate::engine) fn use_at(
        &mut self,
        function: &Function,
        header: &Header,
        age: Age,
    ) -> Option<(Option<Duration>, Option<Renewing>)> {
        let over = Some(Duration::ZERO);
        match (self.call.policy.standing(age), age) {
            (Standing::Fresh, Age::Left(left)) => {
                let lead = self.lead(header.took);
                let due = left.filter(|left| chance::is_due(*left, lead));
                Some((left, due.map(Renewing::Early)))
            }
            (Standing::Stale, _) => Some((over, Some(Renewing::Past))),
            (Standing::Spare, _) => {
                self.has_spare = true;
                self.call.has_just_failed(function).then_some((over, None))
            }
            _ => None,
        }
    }

    /// For how long before its expiry a value that took this long may be computed anew.
    pub(in crate::engine) fn lead(&self, took: Duration) -> Duration {
        chance::lead(took, self.call.policy.early)
    }

    /// The computation that renews what this call is served with, if there is to be one.
    pub(in crate::engine) fn renewal(&self, why: Renewing, leader: Leader) -> Option<Self> {
        self.call.renewal(self.call.function.as_ref()?, why, leader)
    }

    /// The value of an entry that somebody has renewed before this computation could.
    pub(in crate::engine) fn renewed(&mut self, entry: &Entry) -> Option<Value> {
        let function = Arc::clone(self.call.function.as_ref()?);
        let (header, value) = self.far.as_ref()?.open(&entry.value)?;
        let age = header.age(entry.remaining);
        match age {
            Age::Left(left) if self.renewing?.is_done_by(age, header.lifetime) => {
                let asked = self.far.as_ref()?.asked;
                let ages = aging(self.lead(header.took), header.grace);
                self.keep_copy(&function, &value, granted(&header, left), ages, asked);
                let typed = self.call.typed;
                self.answered();
                self.land(|| Landed::Found(value.clone()));
                typed.restore(value)
            }
            _ => {
                self.has_spare = self.call.policy.standing(age) != Standing::Gone;
                None
            }
        }
    }

    /// The body has failed: what is served instead, if there is an older value that may be.
    ///
    /// What was read before the body ran may have been evicted since, so it is looked for again.
    pub(in crate::engine) fn rescue(mut self) -> Rescue {
        let Some(function) = self.call.function.clone() else { return Rescue::Nothing(self) };
        let (_leading, _inside) = (self.leading(), self.inside());
        match &mut self.call.course.far {
            None if function.is_remote() => Rescue::Nothing(self),
            None => match self.call.spare(&function) {
                // Nobody has asked them about it: it was no hit.
                Some(_) if function.ruled && !function.rules_let_pass(self.call.hash, &self.call.key) => {
                    Rescue::Nothing(self)
                }
                Some((seen, age)) => {
                    let stored = function.region.age(self.call.hash, self.call.key.as_bytes());
                    let served = Served::from(age.outcome(), Tier::Memory, stored);
                    match self.serve_instead(seen.value, age, served) {
                        Some(value) => Rescue::Value(value),
                        None => Rescue::Nothing(self),
                    }
                }
                None => Rescue::Nothing(self),
            },
            Some(far) if self.call.course.has_spare => {
                far.sent = Some(Moment::now());
                let (remote, place) = (Arc::clone(&far.remote), Arc::clone(&far.place));
                let request = Request::Get { place, wanted: Wanted::ValueAndLifetime };
                Rescue::Ask(remote, request, Rescued(self))
            }
            Some(_) => Rescue::Nothing(self),
        }
    }
}

/// What is done where a body has failed.
pub(in crate::engine) enum Rescue {
    /// This is served.
    Value((Value, Served)),
    /// The backend is asked.
    Ask(Arc<Remote>, Request, Rescued),
    /// Nothing: the failure is the caller's.
    Nothing(Computation),
}

/// What waits for the answer.
pub(in crate::engine) struct Rescued(Computation);

impl Rescued {
    /// What is served; the computation, if the failure is the caller's.
    pub(in crate::engine) fn answered(self, answer: Answer) -> Result<(Value, Served), Computation> {
        let Self(mut computation) = self;
        let (_leading, _inside) = (computation.leading(), computation.inside());
        let served = match answer.and_then(Reply::entry) {
            Ok(Some(entry)) => computation.serve_entry_instead(&entry),
            Ok(None) => None,
            Err(error) => {
                computation.count_backend_error(&error);
                None
            }
        };
        if let (Some(_), Some(far)) = (&served, &computation.far) {
            far.remote.settle_later();
        }
        served.ok_or(computation)
    }
}

impl Computation {
    fn serve_entry_instead(&mut self, entry: &Entry) -> Option<(Value, Served)> {
        let (header, value) = self.far.as_ref()?.open(&entry.value)?;
        let age = header.age(entry.remaining);
        if self.call.policy.standing(age) == Standing::Gone {
            return None;
        }
        let left = match age {
            Age::Left(left) => left,
            Age::Past(_) => Some(Duration::ZERO),
        };
        let function = self.call.function.clone()?;
        self.let_pass(&function, left, header.grace)?;
        self.answered();
        self.serve_instead(value, age, age.served(Tier::Remote, header.lifetime))
    }
}
