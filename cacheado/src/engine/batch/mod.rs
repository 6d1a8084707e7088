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

mod round;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use cacheado_backends::memory::KeyBox;

use super::call::Call;
use super::drive::Due;
use super::far::{Answer, Written};
use super::flight::Leader;
use super::lookup::Lookup;
use super::miss::Miss;
use crate::context::{self, Outcome, Served};
use crate::function::{BatchOf, Kind, Shape, Value, Wishes, Worth};
use round::{Computed, Round, Waiting};

/// The elements of one call, in the order in which they were asked for.
#[must_use = "a batch does nothing until it is run"]
pub struct Batch<K: Kind> {
    elements: Vec<Element<K>>,
    missing: Vec<(usize, Box<Call>)>,
    wishes: Wishes<K>,
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
    pub fn new(shape: Shape<K>) -> Self {
        let (elements, missing, known) = (Vec::new(), Vec::new(), HashMap::new());
        Self { elements, missing, wishes: Wishes::none(shape.kind), known, computed: None }
    }

    /// Adds what the lookup of the next element has found.
    pub fn add(&mut self, found: Lookup<K>) {
        let index = self.elements.len();
        let element = match found {
            Lookup::Hit(value) => Element::Here(value),
            Lookup::Miss(miss) => {
                let Miss { call, wishes } = miss;
                // The same for all elements.
                self.wishes = wishes;
                let first = *self.known.entry(call.key.clone()).or_insert(index);
                if first == index {
                    self.missing.push((index, call));
                    Element::Missing
                } else {
                    self.is_asked_again(first);
                    Element::SameAs(first)
                }
            }
        };
        self.elements.push(element);
    }

    /// One lookup more of a missing element, which is counted with the first.
    fn is_asked_again(&mut self, first: usize) {
        // In the order in which they were added.
        if let Ok(at) = self.missing.binary_search_by_key(&first, |(index, _)| *index)
            && let Some((_, call)) = self.missing.get_mut(at)
        {
            call.is_asked_again();
        }
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
                let admission = round.admission();
                let returned = round.body(admission, || body(wanted.clone()));
                match round.split(returned, &wanted, ids, &mut self) {
                    Computed::Elements(elements) => {
                        if let Some((remote, requests, written)) = round.finish(elements, &mut self) {
                            self.written(written, Arc::clone(&remote).ask_all_blocking(requests));
                            // They may have left evictions.
                            remote.settle_blocking();
                        }
                    }
                    Computed::Whole(returned) => return returned,
                    Computed::Unusable(admission) => {
                        let returned = round.body(admission, || body(ids.to_vec()));
                        self.say_how();
                        return returned;
                    }
                }
            }
            due = round.waiting.into_iter().map(Waiting::block).collect();
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
                let admission = round.admission();
                let returned = round.body_async(admission, || body(wanted.clone())).await;
                match round.split(returned, &wanted, ids, &mut self) {
                    Computed::Elements(elements) => {
                        if let Some((remote, requests, written)) = round.finish(elements, &mut self) {
                            let answers = remote.ask_all(requests).await;
                            self.written(written, answers);
                            remote.settle().await;
                        }
                    }
                    Computed::Whole(returned) => return returned,
                    Computed::Unusable(admission) => {
                        let returned = round.body_async(admission, || body(ids.to_vec())).await;
                        self.say_how();
                        return returned;
                    }
                }
            }
            due = Vec::new();
            for waiting in round.waiting {
                due.push(waiting.over().await);
            }
        }
        self.join(ids)
    }

    fn start(&mut self) -> Vec<(usize, Due)> {
        let calls = std::mem::take(&mut self.missing).into_iter();
        calls.map(|(index, call)| (index, Due::Plan(call))).collect()
    }

    /// Whether an element has failed, so that the whole call has: somebody else's computation, or the backend.
    fn has_failed(&self, round: &Round) -> bool {
        let worths = round.served.iter().filter_map(|index| self.here(*index));
        worths.map(|value| self.wishes.kind.worth(value)).any(|worth| worth == Worth::Failure)
    }

    fn here(&self, index: usize) -> Option<&K::Return> {
        match self.elements.get(index)? {
            Element::Here(value) => Some(value),
            _ => None,
        }
    }

    fn serve(&mut self, index: usize, mut value: Value) {
        self.put(index, self.wishes.returned(&mut value));
    }

    fn put(&mut self, index: usize, value: K::Return) {
        if let Some(element) = self.elements.get_mut(index) {
            *element = Element::Here(value);
        }
    }

    fn written(&mut self, written: Vec<(usize, Written)>, answers: Vec<Answer>) {
        let _leading: Vec<_> = written.iter().filter_map(|(_, written)| written.leading()).collect();
        for ((index, written), answer) in written.into_iter().zip(answers) {
            self.serve(index, written.answered(&answer));
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
            let copy = self
                .here(*first)
                .and_then(|value| self.wishes.kind.release(&mut self.wishes.kind.hold(value)?));
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
