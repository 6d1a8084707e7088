//! A call that missed, for generated code, which knows what its function returns: a thin shell around [`Call`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::call::Call;
use super::drive::{Task, run};
use super::lookup::{Lookup, Reason};
use crate::context::Outcome as How;
use crate::error::Error;
use crate::function::{Body, Kind, Of, Outcome, Value, Wishes, no_value};
use crate::key::Key;
use crate::remote::Operation;
use crate::scope::Scope;
use crate::ttl::Ttl;

/// A call that the cache could not serve at once.
///
/// Generated code adds what it knows of the call, then runs it.
#[must_use = "a call does nothing until it is run"]
pub struct Miss<K: Kind> {
    pub(crate) call: Box<Call>,
    pub(crate) wishes: Wishes<K>,
}

impl<K: Kind> Miss<K> {
    pub(crate) fn new(call: Box<Call>, kind: K) -> Self {
        Self { call, wishes: Wishes::none(kind) }
    }

    /// The scope; `None` where a value of it is missing.
    pub fn scope(mut self, scope: Option<Scope>) -> Self {
        self.call.set_scope(scope);
        self
    }

    /// How long the value is to live.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.call.ttl = ttl.into();
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl AsRef<str>) -> Self {
        self.call.add_tag(tag.as_ref());
        self
    }

    /// How long the value is to live, from the value.
    pub fn ttl_with(mut self, ttl_with: fn(&K::Payload) -> Duration) -> Self {
        self.wishes.want_ttl(ttl_with);
        self
    }

    /// Whether the outcome may be stored.
    pub fn cache_if(mut self, cache_if: fn(&K::Return) -> bool) -> Self {
        self.wishes.want_stored(cache_if);
        self
    }

    /// What the function returns where the backend fails.
    pub fn on_backend_error(mut self, returned: fn(Error) -> K::Return) -> Self {
        self.call.reports_outage = true;
        self.wishes.want_outages(returned);
        self
    }

    /// What the function returns where the body takes too long.
    pub fn on_timeout(mut self, returned: fn(Error) -> K::Return) -> Self {
        self.wishes.want_timeouts(returned);
        self
    }

    /// Whether what is there does not do, so that it is computed anew.
    pub fn refresh_if(mut self, refresh: bool) -> Self {
        self.call.refresh = refresh;
        self
    }

    pub(crate) fn refreshing(mut self) -> Self {
        self.call.refresh = true;
        self
    }

    pub(crate) fn count_bypass(&self) {
        self.call.count_bypass();
    }

    /// The whole key.
    pub(crate) fn whole_key(&self) -> Key {
        self.call.whole_key()
    }

    /// The call after this probe.
    pub(crate) fn after(mut self, reason: Reason) -> Self {
        self.call = self.call.after(reason);
        self
    }

    /// What the function returns, or the call that computes it: as the call's surroundings want it.
    pub(crate) fn get(mut self) -> Lookup<K> {
        if self.call.skips_lookup() {
            return Lookup::Miss(self);
        }
        match self.call.find() {
            Ok(held) => {
                self.call.served_from_memory(How::Hit);
                Lookup::Hit(self.wishes.returned(&mut Value::Stored(held)))
            }
            Err(reason) => Lookup::Miss(self.after(reason)),
        }
    }
}

/// How the body is run.
impl<K: Kind> Miss<K> {
    /// Runs the call on this thread, which blocks while it waits for another's computation or the backend.
    ///
    /// # Panics
    ///
    /// If the body does.
    #[inline(never)]
    pub fn run(self, body: impl FnOnce() -> K::Return) -> K::Return {
        // As `Here::new` does, which would be another function for each that is cached.
        let mut here = Here { body: Some(body), wishes: self.wishes, outcome: None };
        let mut value = run(self.call, &mut here);
        returned(&self.wishes, &mut value, &mut here.outcome)
    }

    /// Runs the call as a task. Dropping the future lets those who wait elect another leader.
    ///
    /// The future is boxed: only a miss has one, and a caller's own future stays as small as its arguments.
    /// What the function returns is not held while it waits, as it need not be `Send`.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub fn run_async<F>(self, body: F) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        F: Future<Output = K::Return>,
    {
        Box::pin(Drive { body, task: Task::Begins(Some(self.call)), wishes: self.wishes })
    }
}

pin_project! {
    /// A call as a task. No `async` block, whose states would be compiled for each function.
    struct Drive<K: Kind, F> {
        // Dropped before the task, which has its place among those of its scope, and its flight.
        #[pin]
        body: F,
        task: Task,
        wishes: Wishes<K>,
    }
}

impl<K: Kind, F: Future<Output = K::Return>> Future for Drive<K, F> {
    type Output = K::Return;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<K::Return> {
        let mut this = self.project();
        loop {
            match this.task.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(value)) => return Poll::Ready(this.wishes.returned(value)),
                Poll::Ready(None) => {}
            }
            let polled = {
                let _entered = this.task.enter();
                this.body.as_mut().poll(context)
            };
            let Poll::Ready(outcome) = polled else { return Poll::Pending };
            if this.task.returned(&Of(*this.wishes, &outcome)) {
                return Poll::Ready(outcome);
            }
        }
    }
}

/// What a look in this process has found.
enum Looked<K: Kind> {
    Here(K::Return),
    Elsewhere(Miss<K>),
}

/// A body on its caller's thread, and what it has returned.
pub(super) struct Here<K: Kind, F> {
    body: Option<F>,
    wishes: Wishes<K>,
    pub(super) outcome: Option<Of<K, K::Return>>,
}

impl<K: Kind, F: FnOnce() -> K::Return> Here<K, F> {
    pub(super) fn new(wishes: Wishes<K>, body: F) -> Self {
        Self { body: Some(body), wishes, outcome: None }
    }
}

/// What the call returns: this value, or what the body has returned.
pub(super) fn returned<K: Kind>(
    wishes: &Wishes<K>,
    value: &mut Option<Value>,
    outcome: &mut Option<Of<K, K::Return>>,
) -> K::Return {
    match value {
        Some(value) => wishes.returned(value),
        None => match outcome.take() {
            Some(Of(_, outcome)) => outcome,
            None => no_value(),
        },
    }
}

impl<K: Kind, F: FnOnce() -> K::Return> Body for Here<K, F> {
    fn run(&mut self) -> &dyn Outcome {
        match self.body.take() {
            Some(body) => self.outcome.insert(Of(self.wishes, body())),
            // The driver runs it once.
            None => no_value(),
        }
    }
}

/// What is asked of one entry besides its value.
impl<K: Kind> Miss<K> {
    /// The stored value; nothing is counted or marked.
    pub(crate) fn peek<'o>(self) -> Operation<'o, Option<K::Return>>
    where
        K: 'o,
    {
        let wishes = self.wishes;
        self.call.peek().map(move |value| value.map(|mut value| wishes.returned(&mut value)))
    }

    /// The stored value, counted as a lookup; no body is run.
    pub(crate) fn fetch<'o>(self) -> Operation<'o, Option<K::Return>>
    where
        K: 'o,
    {
        match self.look() {
            Looked::Here(value) => Operation::ready(Some(value)),
            Looked::Elsewhere(Self { call, wishes }) => {
                call.fetch().map(move |value| value.map(|mut value| wishes.returned(&mut value)))
            }
        }
    }

    /// The stored values of several calls in their order, counted as lookups. One question to the backend.
    pub(crate) fn fetch_many<'o>(misses: impl Iterator<Item = Self>) -> Operation<'o, Vec<Option<K::Return>>>
    where
        K: 'o,
        K::Return: Send,
    {
        let (mut values, mut calls, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (index, miss) in misses.enumerate() {
            match miss.look() {
                Looked::Here(value) => values.push(Some(value)),
                Looked::Elsewhere(Self { call, wishes }) => {
                    values.push(None);
                    calls.push(call);
                    places.push((index, wishes));
                }
            }
        }
        Call::fetch_many(calls).map(move |found| {
            for ((index, wishes), value) in places.into_iter().zip(found) {
                values[index] = value.map(|mut value| wishes.returned(&mut value));
            }
            values
        })
    }

    /// Looks in this process.
    fn look(self) -> Looked<K> {
        // A rule is asked once about a lookup.
        if self.call.is_rejected() {
            return Looked::Elsewhere(self);
        }
        match self.call.find() {
            Ok(held) => Looked::Here(self.wishes.returned(&mut Value::Stored(held))),
            Err(reason) => Looked::Elsewhere(self.after(reason)),
        }
    }

    /// Evicts the entry; whether there was a live one.
    pub(crate) fn evict<'o>(self) -> Operation<'o, bool> {
        self.call.evict()
    }

    /// How much of the entry's time is left.
    pub(crate) fn remaining<'o>(self) -> Operation<'o, Option<Duration>> {
        self.call.remaining()
    }

    /// Stores a value as if the body had just computed it.
    pub(crate) fn put<'o>(self, value: &K::Return) -> Operation<'o, ()> {
        self.call.put(&Of(self.wishes, value))
    }
}
