//! Where callers wait for their answers.

use std::task::Waker;

use redis::{RedisResult, Value};

use super::super::reads::misread;

/// The places of those who wait.
#[derive(Default)]
pub(super) struct Slots {
    all: Vec<Slot>,
    vacant: Vec<usize>,
}

enum Slot {
    Vacant,
    Waiting(Waker),
    /// The caller has left, before the answer came.
    Left,
    Answered(RedisResult<Value>),
}

impl Slots {
    /// A place to wait.
    pub(super) fn occupy(&mut self, waker: Waker) -> usize {
        if let Some(slot) = self.vacant.pop() {
            self.all[slot] = Slot::Waiting(waker);
            return slot;
        }
        self.all.push(Slot::Waiting(waker));
        self.all.len() - 1
    }

    /// The answer, which leaves the place to others; `None` if there is none yet.
    pub(super) fn take(&mut self, slot: usize) -> Option<RedisResult<Value>> {
        if let Slot::Waiting(_) = self.all[slot] {
            return None;
        }
        Some(match self.vacate(slot) {
            Slot::Answered(answer) => answer,
            // Only who waits here takes what is here.
            Slot::Vacant | Slot::Waiting(_) | Slot::Left => Err(misread()),
        })
    }

    /// Who waits is to be woken in another way; how it was until now.
    pub(super) fn wait(&mut self, slot: usize, waker: &Waker) -> Option<Waker> {
        match &mut self.all[slot] {
            Slot::Waiting(before) if !before.will_wake(waker) => {
                Some(std::mem::replace(before, waker.clone()))
            }
            _ => None,
        }
    }

    /// The caller does not wait any more. What it leaves is to be dropped where no lock is held.
    pub(super) fn leave(&mut self, slot: usize) -> Option<Waker> {
        if let Slot::Waiting(_) = self.all[slot] {
            let Slot::Waiting(waker) = std::mem::replace(&mut self.all[slot], Slot::Left) else {
                return None;
            };
            return Some(waker);
        }
        self.vacate(slot);
        None
    }

    /// Brings an answer to a place, and says who is to be woken.
    pub(super) fn answer(&mut self, slot: usize, answer: RedisResult<Value>) -> Option<Waker> {
        let before = std::mem::replace(&mut self.all[slot], Slot::Answered(answer));
        if let Slot::Waiting(waker) = before {
            return Some(waker);
        }
        self.vacate(slot);
        None
    }

    fn vacate(&mut self, slot: usize) -> Slot {
        self.vacant.push(slot);
        std::mem::replace(&mut self.all[slot], Slot::Vacant)
    }
}
