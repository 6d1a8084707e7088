//! What the elements of a batch do next, all together.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use cacheado_backends::contract::Wanted;
use cacheado_backends::io;

use super::Batch;
use crate::engine::call::Call;
use crate::engine::computation::Computation;
use crate::engine::drive::Due;
use crate::engine::far::{Answer, Ask, Asked, Written};
use crate::engine::flight::{Landed, Landing, Leader, wait_for};
use crate::engine::leading::Leading;
use crate::engine::limit::{Admission, Admitted};
use crate::engine::plan::{Next, Wait};
use crate::function::{BatchOf, Kind, Of, Outcome, Parts};
use crate::remote::{Remote, Request, each};

/// What the elements do that are not there, until all that this call leads have landed.
pub(super) struct Round {
    leader: Leader,
    pub(super) led: Vec<(usize, Computation)>,
    asks: Vec<(usize, Ask)>,
    pub(super) waiting: Vec<Waiting>,
    /// The elements that were served without the body of this call.
    pub(super) served: Vec<usize>,
}

/// An element that somebody else computes.
pub(super) struct Waiting {
    index: usize,
    call: Box<Call>,
    /// From the begin of the round on, so that the outcome is kept for this call.
    landing: Landing,
}

impl Waiting {
    pub(super) fn block(self) -> (usize, Due) {
        let flight = self.landing.flight().clone();
        let landed = io::blocking(|| wait_for(&flight));
        (self.index, Due::Landed(self.call, flight, landed))
    }

    pub(super) async fn over(self) -> (usize, Due) {
        let flight = self.landing.flight().clone();
        let landed = self.landing.await;
        (self.index, Due::Landed(self.call, flight, landed))
    }
}

/// What came of a body's outcome.
pub(super) enum Computed<E, R> {
    Elements(Vec<Option<E>>),
    /// This is what the call returns.
    Whole(R),
    /// The body has returned what nothing can be made of. It runs again, for which it needs this.
    Unusable(Admission),
}

pub(super) type Who = Vec<(usize, Asked)>;
pub(super) type Questions = (Arc<Remote>, Vec<Request>, Vec<Who>);
pub(super) type Writes = (Arc<Remote>, Vec<Request>, Vec<(usize, Written)>);

impl Round {
    pub(super) fn new(leader: Leader) -> Self {
        Self { leader, led: Vec::new(), asks: Vec::new(), waiting: Vec::new(), served: Vec::new() }
    }

    pub(super) fn go_on<K: Kind>(&mut self, due: Vec<(usize, Due)>, batch: &mut Batch<K>) {
        let mut leading = self.leading();
        for (index, due) in due {
            let next = due.next(self.leader);
            leading.extend(next.leading());
            self.add(index, next, batch);
        }
    }

    fn add<K: Kind>(&mut self, index: usize, next: Next, batch: &mut Batch<K>) {
        match next {
            // A batch renews nothing in the background: the attribute refuses what would want it.
            Next::Serve(value) | Next::Renew(value, _) => {
                batch.serve(index, value);
                self.served.push(index);
            }
            Next::Compute(computation) => self.led.push((index, computation)),
            Next::Wait(Wait::Backend(ask)) => self.asks.push((index, ask)),
            // The attribute refuses leases for batches, which could wait for each other's.
            Next::Wait(Wait::Turn(rest)) => self.led.push((index, rest.at_once())),
            Next::Wait(Wait::Flight(flight, call)) => {
                self.waiting.push(Waiting { index, call, landing: Landing::of(flight) });
            }
        }
    }

    /// What the backend is to be asked, if anything: one question for all that is to be read.
    pub(super) fn questions(&mut self) -> Option<Questions> {
        let (mut remote, mut requests, mut asked) = (None, Vec::new(), Vec::new());
        let (mut places, mut readers, mut wanted) = (Vec::new(), Vec::new(), Wanted::Value);
        let is_one = self.asks.len() == 1;
        for (index, ask) in self.asks.drain(..) {
            let (whom, request, who) = ask.split();
            remote = Some(whom);
            match request {
                Request::Get { place, wanted: its } if !is_one && who.is_first() => {
                    places.push(place);
                    readers.push((index, who));
                    // The same for all elements.
                    wanted = its;
                }
                request => {
                    requests.push(request);
                    asked.push(vec![(index, who)]);
                }
            }
        }
        if !places.is_empty() {
            requests.push(Request::GetMany { places, wanted });
            asked.push(readers);
        }
        Some((remote?, requests, asked))
    }

    pub(super) fn answered<K: Kind>(&mut self, asked: Vec<Who>, answers: Vec<Answer>, batch: &mut Batch<K>) {
        let mut leading = self.leading();
        leading.extend(asked.iter().flatten().filter_map(|(_, asked)| asked.leading()));
        for (who, answer) in asked.into_iter().zip(answers) {
            let answers = each(answer, who.len());
            for ((index, asked), answer) in who.into_iter().zip(answers) {
                let next = asked.answered(answer, self.leader);
                self.add(index, next, batch);
            }
        }
    }

    pub(super) fn wanted<Id: Clone>(&mut self, ids: &[Id]) -> Vec<Id> {
        // What came back from the backend may have changed the order.
        self.led.sort_by_key(|(index, _)| *index);
        self.led.iter().filter_map(|(index, _)| ids.get(*index).cloned()).collect()
    }

    /// What the body needs before it runs.
    pub(super) fn admission(&self) -> Admission {
        Computation::admission(self.led.iter().map(|(_, computation)| computation))
    }

    /// Runs the body on this thread, once it has its places, for what is led now.
    pub(super) fn body<R>(&mut self, admission: Admission, body: impl FnOnce() -> R) -> R {
        let admitted = admission.block();
        self.runs(&admitted);
        let (_leading, _inside) = (self.leading(), admitted.inside());
        body()
    }

    /// Runs the body as a part of a task, once it has its places, for what is led now.
    pub(super) async fn body_async<F: Future>(
        &mut self,
        admission: Admission,
        body: impl FnOnce() -> F,
    ) -> F::Output {
        let admitted = admission.over().await;
        self.runs(&admitted);
        let mut body = pin!(body());
        poll_fn(|context| {
            let (_leading, _inside) = (self.leading(), admitted.inside());
            body.as_mut().poll(context)
        })
        .await
    }

    /// The body runs now, with these places.
    fn runs(&mut self, admitted: &Admitted) {
        self.led.iter_mut().for_each(|(_, computation)| computation.runs(admitted));
    }

    /// Marks this thread as the leader's of each, while the guards live: also while rules and values of one of them
    /// run others' code, which may call for another.
    fn leading(&self) -> Vec<Leading> {
        let led = self.led.iter().filter_map(|(_, computation)| computation.leading());
        led.chain(self.asks.iter().filter_map(|(_, ask)| ask.leading())).collect()
    }

    /// What the body's outcome says of each element, or of the whole call.
    pub(super) fn split<K: Kind, Id, R>(
        &mut self,
        returned: R,
        wanted: &[Id],
        ids: &[Id],
        batch: &mut Batch<K>,
    ) -> Computed<K::Return, R>
    where
        R: BatchOf<Id, Element = K::Return>,
    {
        batch.computed = self.led.first().map(|(_, computation)| computation.outcome());
        batch.say_how();
        let _leading = self.leading();
        match returned.split(wanted) {
            Parts::Each(elements) => Computed::Elements(elements),
            Parts::Failed(failure) => {
                for (_, computation) in self.led.drain(..) {
                    computation.fail(&Of(batch.wishes, &failure));
                }
                Computed::Whole(R::join(&[], std::iter::once(Some(failure))))
            }
            Parts::Mismatched(returned) => {
                let again = self.admission();
                for (_, computation) in self.led.drain(..) {
                    computation.mismatched();
                }
                tracing::warn!(
                    target: "cacheado",
                    asked = wanted.len(),
                    "nothing of a batch is stored: its body returned another number of elements than it was asked for"
                );
                if wanted.len() == ids.len() { Computed::Whole(returned) } else { Computed::Unusable(again) }
            }
        }
    }

    /// Stores the elements, and hands them to those who wait; what is to be written to the backend.
    pub(super) fn finish<K: Kind>(
        &mut self,
        elements: Vec<Option<K::Return>>,
        batch: &mut Batch<K>,
    ) -> Option<Writes> {
        let (mut remote, mut requests, mut written) = (None, Vec::new(), Vec::new());
        let _leading = self.leading();
        for ((index, mut computation), element) in self.led.drain(..).zip(elements) {
            let Some(element) = element else {
                // It has been computed, under another id that is the same to the map.
                computation.takes_old_away();
                computation.mismatched();
                continue;
            };
            match computation.finish(&Of(batch.wishes, &element)) {
                None => batch.put(index, element),
                Some(write) => {
                    let (whom, request, waits) = write.split();
                    remote = Some(whom);
                    requests.push(request);
                    written.push((index, waits));
                }
            }
        }
        Some((remote?, requests, written))
    }
}

impl Computation {
    /// Hands a failure to those who wait; nothing is stored.
    fn fail(mut self, failure: &dyn Outcome) {
        self.land(|| failure.shared().map_or(Landed::Alone, Landed::Shared));
    }

    /// What is said of its element is not known, or stands elsewhere: each who waits computes for itself.
    fn mismatched(mut self) {
        self.land(|| Landed::Alone);
    }
}
