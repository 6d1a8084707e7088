//! A call for several elements: each is looked up, led, waited for and stored as a call of its own; the body runs
//! once, for those that this call leads.
//!
//! ```text
//! lookups ─ plan all ─┬─ led ─ ask the backend for all ─ body, once ─ land all ─┐
//!                     │                                                        ├─► join
//!                     └─ led by others ───────────────────── wait, only now ────┘
//! ```
//!
//! While it waits for others, a batch leads nothing: two batches that need each other's elements both land theirs
//! first, so neither waits for ever. What others leave behind unfinished is led in another round.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use cacheado_backends::io;
use cacheado_backends::memory::KeyBox;

use super::call::{Call, Computation, Next, Wait};
use super::drive::Due;
use super::far::{Answer, Ask, Asked};
use super::finish::Done;
use super::flight::{Landed, Landing, Leader};
use super::leading::Leading;
use super::lookup::Lookup;
use crate::context::{self, Outcome, Served};
use crate::function::{BatchOf, Kind, Parts, Worth};
use crate::remote::{Remote, Request, each};
use crate::stats::count;

/// The elements of one call, in the order in which they were asked for.
#[must_use = "a batch does nothing until it is run"]
pub struct Batch<K: Kind> {
    kind: K,
    elements: Vec<Element<K>>,
    missing: Vec<(usize, Call<K>)>,
    /// Where each missing one stands.
    known: HashMap<KeyBox, usize>,
    /// How the elements were served that the body has been run for.
    computed: Option<Outcome>,
}

enum Element<K: Kind> {
    Here(K::Return),
    Missing,
    /// Asked for twice.
    SameAs(usize),
}

impl<K: Kind> Batch<K> {
    /// One without elements.
    pub fn new(kind: K) -> Self {
        Self { kind, elements: Vec::new(), missing: Vec::new(), known: HashMap::new(), computed: None }
    }

    /// Adds what the lookup of the next element has found.
    pub fn add(&mut self, found: Lookup<K>) {
        let index = self.elements.len();
        let element = match found {
            Lookup::Hit(value) => Element::Here(value),
            Lookup::Miss(call) => match self.known.get(&call.key) {
                Some(first) => Element::SameAs(*first),
                None => {
                    self.known.insert(call.key.clone(), index);
                    self.missing.push((index, *call));
                    Element::Missing
                }
            },
        };
        self.elements.push(element);
    }

    /// Runs the call on this thread. `body` is given the ids of the elements that are to be computed.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub fn run<Id: Clone, R>(mut self, ids: &[Id], mut body: impl FnMut(Vec<Id>) -> R) -> R
    where
        R: BatchOf<Id, Element = K::Return>,
    {
        let mut due = self.start();
        while !due.is_empty() {
            let mut round = Round::new(Leader::Thread);
            round.go_on(due, &mut self);
            while let Some(questions) = round.questions() {
                let (remote, requests, asked) = questions;
                round.answered(asked, remote.ask_all_blocking(requests), &mut self);
            }
            if self.has_failed(&round) {
                break;
            }
            if !round.led.is_empty() {
                let wanted = round.wanted(ids);
                let returned = {
                    let _leading = round.leading();
                    body(wanted.clone())
                };
                match round.split(returned, &wanted, ids, &mut self) {
                    Computed::Elements(elements) => {
                        if let Some((remote, requests, written)) = round.finish(elements, &mut self) {
                            self.written(written, remote.ask_all_blocking(requests));
                        }
                    }
                    Computed::Whole(returned) => return returned,
                    Computed::Unusable => return body(ids.to_vec()),
                }
            }
            due = round.waiting.into_iter().map(|waiting| waiting.block()).collect();
        }
        self.join(ids)
    }

    /// Runs the call as a task. Dropping the future lets those who wait elect another leader.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub async fn run_async<Id, R, F>(self, ids: &[Id], body: impl FnMut(Vec<Id>) -> F) -> R
    where
        Id: Clone,
        R: BatchOf<Id, Element = K::Return>,
        F: Future<Output = R>,
    {
        if self.missing.is_empty() {
            return self.join(ids);
        }
        // Boxed: a caller's own future stays as small as its arguments.
        Box::pin(self.drive(ids, body)).await
    }

    async fn drive<Id, R, F>(mut self, ids: &[Id], mut body: impl FnMut(Vec<Id>) -> F) -> R
    where
        Id: Clone,
        R: BatchOf<Id, Element = K::Return>,
        F: Future<Output = R>,
    {
        let mut due = self.start();
        while !due.is_empty() {
            let mut round = Round::new(Leader::Task);
            round.go_on(due, &mut self);
            while let Some(questions) = round.questions() {
                let (remote, requests, asked) = questions;
                let answers = remote.ask_all(requests).await;
                round.answered(asked, answers, &mut self);
            }
            if self.has_failed(&round) {
                break;
            }
            if !round.led.is_empty() {
                let wanted = round.wanted(ids);
                let computed = {
                    let returned = {
                        let mut body = pin!(body(wanted.clone()));
                        poll_fn(|context| {
                            let _leading = round.leading();
                            body.as_mut().poll(context)
                        })
                        .await
                    };
                    round.split(returned, &wanted, ids, &mut self)
                };
                match computed {
                    Computed::Elements(elements) => {
                        if let Some((remote, requests, written)) = round.finish(elements, &mut self) {
                            let answers = remote.ask_all(requests).await;
                            self.written(written, answers);
                        }
                    }
                    Computed::Whole(returned) => return returned,
                    Computed::Unusable => return body(ids.to_vec()).await,
                }
            }
            due = Vec::new();
            for waiting in round.waiting {
                due.push(waiting.over().await);
            }
        }
        self.join(ids)
    }

    fn start(&mut self) -> Vec<(usize, Due<K>)> {
        let calls = std::mem::take(&mut self.missing).into_iter();
        calls.map(|(index, call)| (index, Due::Plan(call))).collect()
    }

    /// Whether an element has failed, so that the whole call has: somebody else's computation, or the backend.
    fn has_failed(&self, round: &Round<K>) -> bool {
        let worths = round.served.iter().filter_map(|index| self.here(*index));
        worths.map(|value| self.kind.worth(value)).any(|worth| worth == Worth::Failure)
    }

    fn here(&self, index: usize) -> Option<&K::Return> {
        match self.elements.get(index)? {
            Element::Here(value) => Some(value),
            _ => None,
        }
    }

    fn put(&mut self, index: usize, value: K::Return) {
        if let Some(element) = self.elements.get_mut(index) {
            *element = Element::Here(value);
        }
    }

    fn written(&mut self, written: Vec<(usize, super::far::Written<K>)>, answers: Vec<Answer>) {
        for ((index, written), answer) in written.into_iter().zip(answers) {
            self.put(index, written.answered(&answer));
        }
    }

    /// Of hits and misses, the misses count.
    fn say_how(&self) {
        if let Some(outcome) = self.computed {
            context::served(|| Served::anew(outcome));
        }
    }

    fn join<Id, R: BatchOf<Id, Element = K::Return>>(mut self, ids: &[Id]) -> R {
        self.say_how();
        for index in 0..self.elements.len() {
            let Some(Element::SameAs(first)) = self.elements.get(index) else { continue };
            // What cannot be copied is a failure, and fails the whole call where it stands first.
            let copy = self.here(*first).and_then(|value| self.kind.restore(self.kind.store(value)?));
            if let Some(copy) = copy {
                self.put(index, copy);
            }
        }
        let elements = self.elements.into_iter().map(|element| match element {
            Element::Here(value) => Some(value),
            _ => None,
        });
        R::join(ids, elements)
    }
}

/// What the elements do that are not there, until all that this call leads have landed.
struct Round<K: Kind> {
    leader: Leader,
    led: Vec<(usize, Box<Computation<K>>)>,
    asks: Vec<(usize, Ask<K>)>,
    waiting: Vec<Waiting<K>>,
    served: Vec<usize>,
}

/// An element that somebody else computes.
struct Waiting<K: Kind> {
    index: usize,
    call: Call<K>,
    /// From the begin of the round on, so that the outcome is kept for this call.
    landing: Landing<K::Stored>,
}

impl<K: Kind> Waiting<K> {
    fn block(self) -> (usize, Due<K>) {
        let flight = Arc::clone(self.landing.flight());
        let landed = io::blocking(|| flight.wait());
        (self.index, Due::Landed(self.call, flight, landed))
    }

    async fn over(self) -> (usize, Due<K>) {
        let flight = Arc::clone(self.landing.flight());
        let landed: Landed<K::Stored> = self.landing.await;
        (self.index, Due::Landed(self.call, flight, landed))
    }
}

/// What came of a body's outcome.
enum Computed<K: Kind, R> {
    Elements(Vec<K::Return>),
    /// This is what the call returns.
    Whole(R),
    /// The body has returned what nothing can be made of.
    Unusable,
}

type Who<K> = Vec<(usize, Asked<K>)>;
type Writes<K> = (Arc<Remote>, Vec<Request>, Vec<(usize, super::far::Written<K>)>);

impl<K: Kind> Round<K> {
    fn new(leader: Leader) -> Self {
        Self { leader, led: Vec::new(), asks: Vec::new(), waiting: Vec::new(), served: Vec::new() }
    }

    fn go_on(&mut self, due: Vec<(usize, Due<K>)>, batch: &mut Batch<K>) {
        for (index, due) in due {
            let next = due.next(self.leader);
            self.add(index, next, batch);
        }
    }

    fn add(&mut self, index: usize, next: Next<K>, batch: &mut Batch<K>) {
        match next {
            Next::Serve(value) => {
                batch.put(index, value);
                self.served.push(index);
            }
            Next::Compute(computation) => self.led.push((index, computation)),
            Next::Wait(Wait::Backend(ask)) => self.asks.push((index, ask)),
            Next::Wait(Wait::Flight(flight, call)) => {
                self.waiting.push(Waiting { index, call, landing: flight.landing() });
            }
        }
    }

    /// What the backend is to be asked, if anything: one question for all that is to be read.
    fn questions(&mut self) -> Option<(Arc<Remote>, Vec<Request>, Vec<Who<K>>)> {
        let (mut remote, mut requests, mut asked) = (None, Vec::new(), Vec::new());
        let (mut places, mut readers) = (Vec::new(), Vec::new());
        let is_one = self.asks.len() == 1;
        for (index, ask) in self.asks.drain(..) {
            let (whom, request, who) = ask.split();
            remote = Some(whom);
            match request {
                Request::Get { place, .. } if !is_one => {
                    places.push(place);
                    readers.push((index, who.among_many()));
                }
                request => {
                    requests.push(request);
                    asked.push(vec![(index, who)]);
                }
            }
        }
        if !places.is_empty() {
            requests.push(Request::GetMany { places });
            asked.push(readers);
        }
        Some((remote?, requests, asked))
    }

    fn answered(&mut self, asked: Vec<Who<K>>, answers: Vec<Answer>, batch: &mut Batch<K>) {
        for (who, answer) in asked.into_iter().zip(answers) {
            let answers = each(answer, who.len());
            for ((index, asked), answer) in who.into_iter().zip(answers) {
                let next = asked.answered(answer);
                self.add(index, next, batch);
            }
        }
    }

    fn wanted<Id: Clone>(&mut self, ids: &[Id]) -> Vec<Id> {
        // What came back from the backend may have changed the order.
        self.led.sort_by_key(|(index, _)| *index);
        self.led.iter().filter_map(|(index, _)| ids.get(*index).cloned()).collect()
    }

    /// Marks this thread as the leader's of each, while the guards live.
    fn leading(&self) -> Vec<Leading> {
        self.led.iter().filter_map(|(_, computation)| computation.leading()).collect()
    }

    /// What the body's outcome says of each element, or of the whole call.
    fn split<Id, R>(&mut self, returned: R, wanted: &[Id], ids: &[Id], batch: &mut Batch<K>) -> Computed<K, R>
    where
        R: BatchOf<Id, Element = K::Return>,
    {
        batch.computed = self.led.first().map(|(_, computation)| computation.outcome());
        batch.say_how();
        match returned.split(wanted) {
            Parts::Each(elements) => Computed::Elements(elements),
            Parts::Failed(failure) => {
                for (_, computation) in self.led.drain(..) {
                    computation.fail(&failure);
                }
                Computed::Whole(R::join(&[], std::iter::once(Some(failure))))
            }
            Parts::Mismatched(returned) => {
                for (_, computation) in self.led.drain(..) {
                    computation.mismatched();
                }
                tracing::warn!(
                    asked = wanted.len(),
                    "nothing of a batch is stored: its body returned another number of elements than it was asked for"
                );
                if wanted.len() == ids.len() { Computed::Whole(returned) } else { Computed::Unusable }
            }
        }
    }

    /// Stores the elements, and hands them to those who wait; what is to be written to the backend.
    fn finish(&mut self, elements: Vec<K::Return>, batch: &mut Batch<K>) -> Option<Writes<K>> {
        let (mut remote, mut requests, mut written) = (None, Vec::new(), Vec::new());
        for ((index, computation), element) in self.led.drain(..).zip(elements) {
            match computation.finish(element) {
                Done::Return(value) => batch.put(index, value),
                Done::Write(write) => {
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

impl<K: Kind> Computation<K> {
    /// Hands a failure to those who wait; nothing is stored.
    fn fail(mut self: Box<Self>, failure: &K::Return) {
        let kind = self.call.kind;
        self.land(|| kind.share(failure).map_or(Landed::Alone, Landed::Shared));
    }

    /// Its element is not known: each who waits computes for itself.
    fn mismatched(mut self: Box<Self>) {
        if let Some(function) = &self.call.function {
            count(&function.shared.tally.rejections);
        }
        self.land(|| Landed::Alone);
    }
}
