//! What the backend is asked before the body runs, and what follows from the answers.

use std::sync::Arc;

use cacheado_backends::contract::Wanted;

use super::age::Reading;
use crate::context::{self, Outcome, Served};
use crate::engine::computation::Computation;
use crate::engine::flight::Leader;
use crate::engine::leading::Leading;
use crate::engine::moment::Moment;
use crate::engine::plan::{Next, Wait};
use crate::error::Error;
use crate::function::Value;
use crate::remote::{Remote, Reply, Request};

pub(in crate::engine) type Answer = cacheado_backends::Result<Reply>;

/// A question to the backend before the body runs.
pub(in crate::engine) struct Ask {
    remote: Arc<Remote>,
    request: Request,
    asked: Asked,
}

/// What waits for the answer.
pub(in crate::engine) struct Asked {
    computation: Computation,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Step {
    /// Is there an entry?
    Read,
    /// Is there an entry, and how old is it? It has turned out that this needs to be known.
    ReadAge,
    /// Has somebody else made it meanwhile?
    Recheck,
    /// There will be one.
    Announce,
    /// There will be one, if no other process makes it first.
    Lease,
}

impl Computation {
    /// The first thing to do: what the backend says comes before the body.
    pub(in crate::engine) fn start(mut self) -> Next {
        self.far = self.call.far().map(Box::new);
        let step = if self.renewing.is_some() {
            Step::Recheck
        } else if self.call.is_refresh() || self.call.is_rejected() {
            Step::Announce
        } else {
            Step::Read
        };
        self.ask(step)
    }

    pub(in crate::engine) fn ask(mut self, step: Step) -> Next {
        let far = match step {
            Step::Read | Step::ReadAge | Step::Recheck => self.far.as_deref_mut(),
            Step::Announce | Step::Lease => self.far_to_write(),
        };
        let Some(far) = far else { return Next::Compute(self) };
        far.sent = Some(Moment::now());
        let (remote, place) = (Arc::clone(&far.remote), Arc::clone(&far.place));
        let (step, request) = match step {
            Step::Read if !self.call.policy.ages() => (step, Request::Get { place, wanted: remote.wanted() }),
            Step::Read | Step::ReadAge | Step::Recheck => {
                (step, Request::Get { place, wanted: Wanted::ValueAndLifetime })
            }
            Step::Announce | Step::Lease => self.announcement(place),
        };
        Next::Wait(Wait::Backend(Ask { remote, request, asked: Asked { computation: self, step } }))
    }

    /// The backend is not there: the body decides, unless the function wants to know.
    pub(in crate::engine) fn without_backend(mut self, error: cacheado_backends::Error) -> Next {
        self.far_begins();
        self.call.count_miss();
        self.count_backend_error(&error);
        if !self.call.reports_outage {
            return Next::Compute(self);
        }
        context::served(|| Served::anew(Outcome::Miss));
        Next::Serve(Value::Unavailable(Some(Error::of("call")(error))))
    }
}

impl Ask {
    /// Marks this thread as the leader's, while the guard lives.
    pub(in crate::engine) fn leading(&self) -> Option<Leading> {
        self.asked.leading()
    }

    /// Who is asked, what, and what waits for the answer.
    pub(in crate::engine) fn split(self) -> (Arc<Remote>, Request, Asked) {
        (self.remote, self.request, self.asked)
    }
}

impl Asked {
    /// Marks this thread as the leader's, while the guard lives.
    pub(in crate::engine) fn leading(&self) -> Option<Leading> {
        self.computation.leading()
    }

    /// Whether it is asked for the first time, so that it can be a part of a question for many entries.
    pub(in crate::engine) fn is_first(&self) -> bool {
        self.step == Step::Read
    }

    /// What follows from the answer.
    pub(in crate::engine) fn answered(self, answer: Answer, leader: Leader) -> Next {
        let remote = self.computation.far.as_ref().map(|far| Arc::clone(&far.remote));
        let next = self.next(answer, leader);
        if let (Some(remote), Next::Serve(_) | Next::Renew(..)) = (remote, &next) {
            // A rule may want something of what it has seen, and the caller has nothing else to wait for.
            remote.settle_later();
        }
        next
    }

    fn next(self, answer: Answer, leader: Leader) -> Next {
        let Self { mut computation, step } = self;
        let _leading = computation.leading();
        match step {
            Step::Read | Step::ReadAge => match answer.and_then(Reply::entry) {
                Ok(entry) => {
                    if let (None, Some(far)) = (&entry, &mut computation.far) {
                        far.turn.missed();
                    }
                    match entry.map(|entry| computation.found(&entry, computation.knows_age(step))) {
                        Some(Reading::Value(value, served, None)) => {
                            context::served(|| served);
                            Next::Serve(value)
                        }
                        Some(Reading::Value(value, served, Some(why))) => {
                            context::served(|| served);
                            let renewal = computation.renewal(why, leader);
                            Next::Renew(value, renewal)
                        }
                        Some(Reading::OfUnknownAge) => computation.ask(Step::ReadAge),
                        Some(Reading::Nothing) | None if computation.only_looks => {
                            computation.call.onward().plan(leader)
                        }
                        Some(Reading::Nothing) | None => computation.ask(Step::Announce),
                    }
                }
                Err(_) if computation.only_looks => computation.call.onward().plan(leader),
                Err(error) => computation.without_backend(error),
            },
            Step::Recheck => match answer.and_then(Reply::entry) {
                Ok(entry) => match entry.and_then(|entry| computation.made_elsewhere(&entry)) {
                    Some(value) => Next::Serve(value),
                    None if computation.is_in_turn() => computation.computes_in_turn(),
                    None => computation.ask(Step::Announce),
                },
                Err(error) => computation.without_backend(error),
            },
            Step::Announce => match answer.and_then(Reply::claim) {
                Ok((claim, kept)) => {
                    if let Some(far) = &mut computation.far {
                        (far.claim, far.kept) = (Some(claim), kept);
                    }
                    computation.far_begins();
                    Next::Compute(computation)
                }
                Err(error) => computation.without_backend(error),
            },
            Step::Lease => computation.turned(answer),
        }
    }
}
