//! Notices to all subscriptions of the process.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use crate::contract::{BoxFuture, Event, Subscription};
use crate::sync::Mutex;

/// Who listens. Subscriptions leave by being dropped.
#[derive(Default)]
pub(super) struct Bus(Mutex<State>);

#[derive(Default)]
struct State {
    is_cut: bool,
    listeners: Vec<Weak<Inbox>>,
}

impl Bus {
    pub(super) fn subscribe(&self) -> Box<dyn Subscription> {
        let inbox = Arc::new(Inbox::default());
        let mut state = self.0.lock();
        state.listeners.retain(|listener| listener.strong_count() > 0);
        state.listeners.push(Arc::downgrade(&inbox));
        if !state.is_cut {
            inbox.put(Event::Gap);
        }
        drop(state);
        Box::new(Listening(inbox))
    }

    /// Tells a notice to everybody, in the order of the calls.
    pub(super) fn tell(&self, notice: Option<&[u8]>) {
        let Some(notice) = notice else { return };
        let state = self.0.lock();
        if !state.is_cut {
            state.put(&Event::Notice(notice.to_vec()));
        }
    }

    pub(super) fn cut(&self) {
        self.0.lock().is_cut = true;
    }

    pub(super) fn mend(&self) {
        let mut state = self.0.lock();
        if std::mem::take(&mut state.is_cut) {
            state.put(&Event::Gap);
        }
    }
}

impl State {
    fn put(&self, event: &Event) {
        for inbox in self.listeners.iter().filter_map(Weak::upgrade) {
            inbox.put(event.clone());
        }
    }
}

/// What one subscription has not read yet.
#[derive(Default)]
struct Inbox(Mutex<Unread>);

#[derive(Default)]
struct Unread {
    events: VecDeque<Event>,
    waker: Option<Waker>,
}

impl Inbox {
    /// Whoever lets more than this wait is told of a gap instead.
    const MOST: usize = 10_000;

    fn put(&self, event: Event) {
        let waker = {
            let mut unread = self.0.lock();
            if event == Event::Gap || unread.events.len() >= Self::MOST {
                // A gap says all that the events before it do.
                unread.events.clear();
                unread.events.push_back(Event::Gap);
            } else {
                unread.events.push_back(event);
            }
            unread.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Event> {
        let mut unread = self.0.lock();
        if let Some(event) = unread.events.pop_front() {
            return Poll::Ready(event);
        }
        unread.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

struct Listening(Arc<Inbox>);

impl Subscription for Listening {
    fn next(&mut self) -> BoxFuture<'_, Event> {
        Box::pin(poll_fn(|cx| self.0.poll(cx)))
    }
}
