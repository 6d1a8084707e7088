//! The task of a connection: it reads what the server answers, writes what callers could not, and keeps the time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use redis::{RedisResult, Value};
use tokio::time::{Sleep, sleep_until};

use super::Shared;
use super::board::{Next, aborted};
use super::replies::Seen;
use super::socket::Reading;

/// How many bytes are read at a time, unless an answer is longer.
const ROOM: usize = 16 << 10;

/// The most that is kept for the next long answer.
const KEPT: usize = 256 << 10;

pub(super) struct Driver {
    shared: Arc<Shared>,
    reading: Reading,
    incoming: Incoming,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer is set, to no later than the first request is late.
    is_timed: bool,
    answers: Vec<Value>,
    woken: Vec<Waker>,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, reading: Reading) -> Self {
        let timer = Box::pin(sleep_until(Instant::now().into()));
        Self {
            shared,
            reading,
            incoming: Incoming::default(),
            timer,
            is_timed: false,
            answers: Vec::new(),
            woken: Vec::new(),
        }
    }

    /// Reads what is there.
    fn read(&mut self, context: &mut Context<'_>) -> RedisResult<()> {
        while let Poll::Ready(length) = self.reading.poll_read(context, self.incoming.room()) {
            match length? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                length => self.incoming.add(length),
            }
            while let Some(answer) = self.incoming.answer()? {
                self.answers.push(answer);
            }
        }
        Ok(())
    }

    fn tend(&mut self, context: &mut Context<'_>) -> RedisResult<Next> {
        let shared = &self.shared;
        let mut board = shared.board.lock();
        for answer in self.answers.drain(..) {
            board.answered(answer, &mut self.woken)?;
        }
        let (next, is_late) =
            board.tend(context.waker(), self.is_timed, &shared.writing, shared.limit, &mut self.woken);
        if is_late {
            shared.open.store(false, Ordering::Release);
        }
        Ok(next?)
    }

    fn wake(&mut self) {
        for waker in self.woken.drain(..) {
            waker.wake();
        }
    }

    /// Whether the time has come that the timer is set to.
    fn is_time(&mut self, context: &mut Context<'_>) -> bool {
        let is_over = self.is_timed && self.timer.as_mut().poll(context).is_ready();
        self.is_timed &= !is_over;
        is_over
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.is_time(context);
        loop {
            let read = this.read(context);
            let next = this.tend(context);
            this.wake();
            let (until, is_full) = match read.and(next) {
                Ok(Next::Yield) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Ok(Next::Wait(until)) => (until, false),
                Ok(Next::Write(until)) => (until, true),
                Ok(Next::End) => return Poll::Ready(()),
                Err(error) => {
                    this.shared.end(&error);
                    return Poll::Ready(());
                }
            };
            let is_writable = is_full && this.shared.writing.poll_ready(context).is_ready();
            // A timer that is set to an earlier time is set anew then, which is seldom.
            if let (false, Some(until)) = (this.is_timed, until) {
                this.timer.as_mut().reset(until.into());
                this.is_timed = true;
            }
            if !is_writable && !this.is_time(context) {
                return Poll::Pending;
            }
        }
    }
}

/// Whoever waits when the task ends, such as with its runtime, is told so.
impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(&aborted());
    }
}

/// What has come, and has not been an answer yet.
#[derive(Default)]
struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    seen: Seen,
}

impl Incoming {
    /// Room for more.
    fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT {
                self.bytes = Vec::new();
            }
        }
        if self.bytes.len() - self.end < ROOM / 4 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let wanted = (2 * self.end).max(ROOM);
            if wanted > self.bytes.len() {
                self.bytes.resize(wanted, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    fn add(&mut self, length: usize) {
        self.end += length;
    }

    /// The next answer, if there is a whole one.
    fn answer(&mut self) -> RedisResult<Option<Value>> {
        while let Some((answer, length)) = self.seen.answer(&self.bytes[self.start..self.end])? {
            self.start += length;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }
}
