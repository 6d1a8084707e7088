//! What is asked of one entry besides its value: peek, set, evict. Each verb is an [`Operation`], which a sync
//! caller blocks on and an async one waits for.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Entry, Wanted};
use cacheado_backends::memory::{Cause, Placed};

use super::aging::Age;
use super::call::{Call, ScopeOf};
use super::computation::Computation;
use crate::codec::Header;
use crate::error::{Error, ErrorKind, Result};
use crate::function::{AnyFunction, Function, Held, Outcome, Value};
use crate::remote::{Operation, Reply, Request};
use crate::stats::count;

/// What this process says of an entry.
enum Local {
    /// This is the value, or there is none anywhere.
    Answers(Option<Value>),
    /// Nothing: the backend is to be asked.
    Asks(Computation),
}

impl Call {
    /// The stored value, which is not in this process, counted as a lookup; no body is run.
    pub(crate) fn fetch<'o>(self: Box<Self>) -> Operation<'o, Option<Value>> {
        let mut reading = match self.look() {
            Local::Answers(value) => return Operation::ready(value),
            Local::Asks(reading) => reading,
        };
        let Some(far) = &reading.far else { return Operation::ready(None) };
        let remote = Arc::clone(&far.remote);
        let request = Request::Get { place: Arc::clone(&far.place), wanted: remote.wanted() };
        Operation::asks(&remote, request, move |answer| {
            let entry = answer.and_then(Reply::entry).inspect_err(|error| reading.count_backend_error(error));
            let found = entry.as_ref().ok().and_then(Option::as_ref);
            let value = found.and_then(|entry| reading.found(entry, true).value());
            reading.call.count_miss();
            entry.map(|_| value).map_err(Error::of("get"))
        })
    }

    /// The stored values of several calls in their order, which are not in this process, counted as lookups. One
    /// question to the backend.
    #[expect(clippy::vec_box, reason = "each stands in a box, and goes on there")]
    pub(crate) fn fetch_many<'o>(calls: Vec<Box<Self>>) -> Operation<'o, Vec<Option<Value>>> {
        let mut values = Vec::with_capacity(calls.len());
        let mut places = Vec::new();
        let mut readings = Vec::new();
        let mut asked = None;
        for (index, call) in calls.into_iter().enumerate() {
            let reading = match call.look() {
                Local::Answers(value) => {
                    values.push(value);
                    continue;
                }
                Local::Asks(reading) => reading,
            };
            values.push(None);
            let Some(far) = &reading.far else { continue };
            asked = Some(Arc::clone(&far.remote));
            places.push(Arc::clone(&far.place));
            readings.push((index, reading));
        }
        let Some(remote) = asked else { return Operation::ready(values) };
        let wanted = remote.wanted();
        let is_lifetime_known = wanted == Wanted::ValueAndLifetime;
        Operation::asks(&remote, Request::GetMany { places, wanted }, move |answer| {
            let entries = answer.and_then(Reply::entries).inspect_err(|error| {
                for (_, reading) in &readings {
                    reading.count_backend_error(error);
                }
            });
            let mut found = entries.as_ref().map(|entries| entries.iter()).into_iter().flatten();
            for (index, mut reading) in readings {
                let entry = found.next().and_then(Option::as_ref);
                values[index] = entry.and_then(|entry| reading.found(entry, is_lifetime_known).value());
                reading.call.count_miss();
            }
            entries.map(|_| values).map_err(Error::of("get_many"))
        })
    }

    /// What has not been found in this process may be in the backend.
    fn look(mut self: Box<Self>) -> Local {
        let Some(function) = self.function.clone() else { return Local::Answers(None) };
        if function.remote.is_none() || self.is_rejected() {
            self.count_miss();
            return Local::Answers(None);
        }
        let mut reading = Computation::without_body(self);
        reading.ticket = Some(function.tickets.take(reading.call.hash, reading.labels()));
        Local::Asks(reading)
    }

    /// The stored value; nothing is counted or marked.
    pub(crate) fn peek<'o>(self) -> Operation<'o, Option<Value>> {
        let Some(function) = &self.function else { return Operation::ready(None) };
        if let Some((seen, age)) = self.spare(function)
            && self.policy.is_shown(age)
        {
            return Operation::ready(self.typed.restore(seen.value));
        }
        let (typed, policy) = (self.typed, self.policy);
        self.read("peek", move |entry, open| {
            let (header, value) = open(&entry.value)?;
            if policy.is_shown(header.age(entry.remaining)) { typed.restore(value) } else { None }
        })
    }

    /// How much of the entry's time is left; nothing, where it is over and the entry is served all the same.
    /// `None` if there is none, or it never expires.
    pub(crate) fn remaining<'o>(self) -> Operation<'o, Option<Duration>> {
        let Some(function) = &self.function else { return Operation::ready(None) };
        if function.remote.is_none() {
            let entry = self.spare(function).filter(|(_, age)| self.policy.is_shown(*age));
            return Operation::ready(
                entry.and_then(|(seen, _)| function.store.clock().remaining(seen.expiry)),
            );
        }
        let policy = self.policy;
        self.read("remaining", move |entry, _| match Header::of(&entry.value)?.age(entry.remaining) {
            Age::Left(left) => left,
            age @ Age::Past(_) => policy.is_shown(age).then_some(Duration::ZERO),
        })
    }

    /// Reads the backend's entry, for a verb. `open` makes a value of its bytes.
    fn read<'o, T>(
        self,
        verb: &'static str,
        then: impl FnOnce(&Entry, &dyn Fn(&[u8]) -> Option<(Header, Held)>) -> Option<T> + Send + 'o,
    ) -> Operation<'o, Option<T>> {
        let Some(far) = self.far() else { return Operation::ready(None) };
        let remote = Arc::clone(&far.remote);
        let request = Request::Get { place: Arc::clone(&far.place), wanted: Wanted::ValueAndLifetime };
        Operation::asks(&remote, request, move |answer| {
            let entry = answer.and_then(Reply::entry).map_err(Error::of(verb))?;
            Ok(entry.and_then(|entry| then(&entry, &|bytes| far.open(bytes))))
        })
    }

    /// Evicts the entry; whether there was a live one.
    pub(crate) fn evict<'o>(self: Box<Self>) -> Operation<'o, bool> {
        let Some(function) = self.function.clone() else { return Operation::ready(false) };
        let Some(far) = self.far() else {
            return Operation::ready(function.evict(self.key.as_bytes(), Cause::Evicted));
        };
        let request = Request::Evict { place: Arc::clone(&far.place), notice: self.notice() };
        Operation::asks(&far.remote, request, move |answer| {
            // After the backend: a refill that has read the old entry is fenced off now.
            function.evict(self.key.as_bytes(), Cause::Evicted);
            let evicted = answer.and_then(Reply::was).map_err(Error::of("evict"))?;
            if evicted {
                function.shared.tally.evicted();
            }
            Ok(evicted)
        })
    }

    /// Stores a value as if the body had just computed it: fills that have begun are not stored any more.
    pub(crate) fn put<'o>(self: Box<Self>, value: &dyn Outcome) -> Operation<'o, ()> {
        match (&self.function, &self.scope) {
            (None, _) => Operation::ready(()),
            (Some(function), scope) if self.bypass || matches!(scope, ScopeOf::Missing) => {
                count(&function.shared.tally.bypassed);
                Operation::ready(())
            }
            (Some(function), _) => {
                let function = Arc::clone(function);
                let setting = Computation::without_body(self);
                if setting.far.is_some() {
                    setting.set_far(function, value)
                } else {
                    setting.set(value);
                    Operation::ready(())
                }
            }
        }
    }
}

impl Computation {
    /// Stores a value in the backend. What it replaces, and copies of it, are gone in any case but an outage: also where
    /// it has no bytes, or code of the user's that decides or copies panics, which the caller is told of then.
    fn set_far<'o>(mut self, function: Arc<Function>, value: &dyn Outcome) -> Operation<'o, ()> {
        let postponed = self.far.as_ref().map_or(0, |far| far.remote.postponed());
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let ttl = self.admitted(&function, value);
            (ttl, ttl.zip(value.held()))
        }));
        let ((ttl, stored), panic) = match asked {
            Ok(asked) => (asked, None),
            Err(panic) => ((None, None), Some(panic)),
        };
        let grace = self.call.policy.grace_of(value.worth());
        let notice = self.call.notice();
        let Some(far) = self.far_to_write() else { return Operation::ready(()) };
        let (remote, place) = (Arc::clone(&far.remote), Arc::clone(&far.place));
        let ttl = ttl.and_then(|ttl| ttl.or(None));
        let grace = remote.grace(ttl, grace);
        let kept = ttl.map(|ttl| ttl.saturating_add(grace));
        let (sealed, refused) = match stored.map(|(_, stored)| far.seal(&stored, ttl, grace)).transpose() {
            Ok(sealed) => (sealed, None),
            Err(error) => (None, Some(Error::new(ErrorKind::Codec, "set", error))),
        };
        let sealed = sealed.filter(|_| {
            let has_room = self.reserve(&function, kept) != Placed::Full;
            if !has_room {
                count(&function.shared.tally.rejections);
            }
            has_room
        });
        let is_set = sealed.is_some();
        let request = match sealed {
            Some(value) => Request::Set { place, value, ttl: kept, notice },
            None => Request::Evict { place, notice },
        };
        let setting = Operation::asks(&remote, request, move |answer| -> Result<()> {
            match (is_set, &answer) {
                (false, _) => self.forget(&function),
                (true, Ok(_)) => self.enter(&function, kept),
                (true, Err(error)) if error.kind().is_outage() => self.withdraw(&function),
                (true, Err(_)) => self.leave_eviction(),
            }
            // The next reader fetches it: of two sets at once, the copy would be either's.
            function.region.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
            let answered = answer.map(drop).inspect_err(|error| self.count_backend_error(error));
            if let Some(panic) = panic {
                resume_unwind(panic);
            }
            if let Some(refused) = refused {
                return Err(refused);
            }
            answered.map_err(Error::of("set"))
        });
        setting.since(postponed)
    }
}
