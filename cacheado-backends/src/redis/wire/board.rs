//! Who waits for what, and what is to be sent.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;
use std::time::{Duration, Instant};

use redis::{RedisError, RedisResult, Value};

use super::super::reads::misread;
use super::super::scripts::Name;
use super::super::settings::silent;
use super::gathered::Gathered;
use super::slots::Slots;
use super::socket::Writing;
use super::unsent::Unsent;

/// How many commands that read are under way at a time: the server has the next one before it is done with the
/// first.
const BATCHES: usize = 2;

/// What callers and the task of a connection write down for each other.
#[derive(Default)]
pub(super) struct Board {
    pub(super) slots: Slots,
    /// What the server is to answer, in the order of its answers.
    under_way: VecDeque<Sent>,
    /// How many of these read keys.
    reads: usize,
    /// Reads that wait for those.
    gathered: VecDeque<Gathered>,
    /// One that is not needed, for the next.
    spare: Option<Gathered>,
    /// Whether the task sends what is gathered as soon as those have run that it has woken.
    is_gathering: bool,
    /// What the socket has not taken yet.
    unsent: Unsent,
    /// Whether the task looks here when the oldest request is late, without being woken.
    is_timed: bool,
    /// Whether nobody will ask any more.
    is_closed: bool,
    task: Option<Waker>,
    /// Why nothing can be asked any more.
    end: Option<RedisError>,
}

/// A request that is under way.
struct Sent {
    to: To,
    is_read: bool,
    since: Instant,
}

/// Whom an answer is for.
enum To {
    One(usize),
    /// One value each.
    Each(Vec<usize>),
    /// Several answers, for one.
    All {
        slot: usize,
        answers: Vec<Value>,
        missing: usize,
    },
    /// So many answers, for nobody any more.
    Nobody(usize),
}

/// What the task of a connection does next.
pub(super) enum Next {
    /// It lets those run whom it has woken.
    Yield,
    /// It waits for the server, or until then.
    Wait(Option<Instant>),
    /// It also waits until the socket takes more.
    Write(Option<Instant>),
    /// It ends.
    End,
}

/// What callers do.
impl Board {
    /// Why nothing can be asked, if it is so.
    pub(super) fn ended(&self) -> Option<RedisError> {
        self.end.clone()
    }

    /// Asks for the value of a key.
    pub(super) fn read(&mut self, name: Name<'_>, waker: Waker, writing: &Writing) -> usize {
        let slot = self.slots.occupy(waker);
        if self.gathered.back().is_none_or(Gathered::is_full) {
            self.gathered.push_back(self.spare.take().unwrap_or_default());
        }
        if let Some(gathered) = self.gathered.back_mut() {
            gathered.add(slot, name);
        }
        if self.reads == 0 && !self.is_gathering {
            self.send_gathered(writing);
        }
        slot
    }

    /// Sends a command, or so many.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        several: Option<usize>,
        waker: Waker,
        writing: &Writing,
    ) -> usize {
        let slot = self.slots.occupy(waker);
        let to = match several {
            None => To::One(slot),
            Some(missing) => To::All { slot, answers: Vec::with_capacity(missing), missing },
        };
        if self.under_way.is_empty() {
            self.write(bytes, writing);
        } else {
            // The task sends it together with those of others.
            self.unsent.add(bytes);
            self.wake();
        }
        self.sent(to, false);
        slot
    }

    /// Nobody will ask any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.wake();
    }

    fn sent(&mut self, to: To, is_read: bool) {
        self.under_way.push_back(Sent { to, is_read, since: Instant::now() });
        if !std::mem::replace(&mut self.is_timed, true) {
            self.wake();
        }
    }

    fn send_gathered(&mut self, writing: &Writing) {
        let Some(mut gathered) = self.gathered.pop_front() else { return };
        self.write(gathered.command(), writing);
        let to = match gathered.alone() {
            Some(slot) => To::One(slot),
            None => To::Each(gathered.take_slots()),
        };
        self.spare = Some(gathered.emptied());
        self.reads += 1;
        self.sent(to, true);
    }

    /// Writes what the socket takes at once; the rest is for the task, and so is an error.
    fn write(&mut self, mut bytes: &[u8], writing: &Writing) {
        while self.unsent.is_empty() && !bytes.is_empty() {
            match writing.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(_) => break,
            }
        }
        if !bytes.is_empty() {
            self.unsent.add(bytes);
            self.wake();
        }
    }

    fn wake(&self) {
        // The task is ours: waking it runs no code of anybody else's.
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }
}

/// What the task does.
impl Board {
    /// The server has answered the oldest request, or a part of it.
    pub(super) fn answered(&mut self, answer: Value, woken: &mut Vec<Waker>) -> RedisResult<()> {
        let Some(oldest) = self.under_way.front_mut() else { return Err(misread()) };
        if let To::All { missing, .. } | To::Nobody(missing) = &mut oldest.to {
            *missing -= 1;
            if *missing > 0 {
                if let To::All { answers, .. } = &mut oldest.to {
                    answers.push(answer);
                }
                return Ok(());
            }
        }
        let Some(Sent { to, is_read, .. }) = self.under_way.pop_front() else { return Ok(()) };
        self.reads -= usize::from(is_read);
        match (to, answer) {
            (To::One(slot), answer) => woken.extend(self.slots.answer(slot, Ok(answer))),
            (To::Each(slots), Value::Array(values)) if slots.len() == values.len() => {
                let answers = slots.into_iter().zip(values);
                woken.extend(answers.filter_map(|(slot, value)| self.slots.answer(slot, Ok(value))));
            }
            (To::Each(slots), refused @ Value::ServerError(_)) => {
                let answers = slots.into_iter();
                woken.extend(answers.filter_map(|slot| self.slots.answer(slot, Ok(refused.clone()))));
            }
            (To::All { slot, mut answers, .. }, answer) => {
                answers.push(answer);
                woken.extend(self.slots.answer(slot, Ok(Value::Array(answers))));
            }
            (To::Nobody(_), _) => {}
            (to @ To::Each(_), _) => {
                self.fail(to, &misread(), woken);
                return Err(misread());
            }
        }
        Ok(())
    }

    /// What there is to do, after some have been woken. Requests that take longer than `limit` fail; whether some did
    /// is told, too: then the connection is of no more use. `is_timed` says whether the task looks here again when
    /// the first of them could be late.
    pub(super) fn tend(
        &mut self,
        task: &Waker,
        is_timed: bool,
        writing: &Writing,
        limit: Duration,
        woken: &mut Vec<Waker>,
    ) -> (io::Result<Next>, bool) {
        if self.task.as_ref().is_none_or(|before| !before.will_wake(task)) {
            self.task = Some(task.clone());
        }
        if self.is_closed {
            return (Ok(Next::End), false);
        }
        // Those who read one after the other will be here again in a moment.
        let is_several = woken.len() > 1 || (woken.len() == 1 && self.reads > 0);
        self.is_gathering = is_several && !self.is_gathering;
        if self.is_gathering {
            return (Ok(Next::Yield), false);
        }
        while self.reads < BATCHES && !self.gathered.is_empty() {
            self.send_gathered(writing);
        }
        let is_late = !is_timed && self.fail_late(limit, woken);
        let since = self.under_way.iter().find(|sent| !matches!(sent.to, To::Nobody(_)));
        let until = since.map(|sent| sent.since + limit);
        self.is_timed = is_timed || until.is_some();
        (self.write_unsent(writing, until), is_late)
    }

    fn write_unsent(&mut self, writing: &Writing, until: Option<Instant>) -> io::Result<Next> {
        while !self.unsent.is_empty() {
            match writing.try_write(self.unsent.bytes()) {
                Ok(written) => self.unsent.taken(written),
                Err(full) if full.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Write(until)),
                Err(broken) => return Err(broken),
            }
        }
        Ok(Next::Wait(until))
    }

    /// Whether there were requests that have taken too long. Their callers are told, and those who wait for them to
    /// be over; others may still be answered.
    fn fail_late(&mut self, limit: Duration, woken: &mut Vec<Waker>) -> bool {
        let now = Instant::now();
        let mut is_any = false;
        for place in 0..self.under_way.len() {
            let sent = &mut self.under_way[place];
            if now < sent.since + limit {
                break;
            }
            let missing = match sent.to {
                To::One(_) | To::Each(_) => 1,
                To::All { missing, .. } => missing,
                To::Nobody(_) => continue,
            };
            let to = std::mem::replace(&mut sent.to, To::Nobody(missing));
            self.fail(to, &silent(limit), woken);
            is_any = true;
        }
        if is_any {
            self.fail_gathered(&silent(limit), woken);
            // Who comes now asks on another connection.
            self.end.get_or_insert_with(aborted);
        }
        is_any
    }

    /// Nothing is answered any more: who waits is told so.
    pub(super) fn end(&mut self, error: &RedisError, woken: &mut Vec<Waker>) {
        self.end.get_or_insert_with(|| error.clone());
        self.task = None;
        for sent in std::mem::take(&mut self.under_way) {
            self.fail(sent.to, error, woken);
        }
        self.fail_gathered(error, woken);
    }

    fn fail_gathered(&mut self, error: &RedisError, woken: &mut Vec<Waker>) {
        for mut gathered in std::mem::take(&mut self.gathered) {
            self.fail(To::Each(gathered.take_slots()), error, woken);
        }
    }

    fn fail(&mut self, to: To, error: &RedisError, woken: &mut Vec<Waker>) {
        let mut fail = |slot| woken.extend(self.slots.answer(slot, Err(error.clone())));
        match to {
            To::One(slot) | To::All { slot, .. } => fail(slot),
            To::Each(slots) => slots.into_iter().for_each(fail),
            To::Nobody(_) => {}
        }
    }
}

/// The error of a connection that has been given up.
pub(super) fn aborted() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}
