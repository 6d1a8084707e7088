//! Requests and answers on a plain socket, TCP's or Unix'.
//!
//! The `redis` crate greets the server, writes commands and knows values and errors. What is done here is what a hit
//! pays for: a request is written by its caller where nothing else is under way, one task reads what comes, and
//! wakes whoever it is for. Reads that come while another is under way are gathered and asked for with one `MGET`.
//!
//! | file | subject |
//! |---|---|
//! | `board`, `slots` | who waits for what |
//! | `gathered`, `unsent` | reads that become one command; what the socket has not taken yet |
//! | `driver` | the task that reads, writes what callers could not, and keeps the time |
//! | `replies` | from the server's bytes to values |
//! | `socket` | how a connection is made |

mod board;
mod driver;
mod gathered;
mod replies;
mod slots;
mod socket;
mod unsent;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use board::Board;
use driver::Driver;
use parking_lot::Mutex;
use redis::{Client, RedisError, RedisResult, Value};
use socket::{Socket, Writing};

pub(super) use socket::is_plain;

use super::link::Request;
use super::scripts::Name;

/// A connection. Dropping it closes it.
pub(super) struct Wire(Arc<Shared>);

/// What callers and the task share.
struct Shared {
    board: Mutex<Board>,
    writing: Writing,
    /// How long a request may take.
    limit: Duration,
    /// Whether requests are still sent here.
    open: Arc<AtomicBool>,
}

impl Shared {
    /// Ends the connection: whoever waits is told so.
    fn end(&self, error: &RedisError) {
        self.open.store(false, Ordering::Release);
        let mut woken = Vec::new();
        self.board.lock().end(error, &mut woken);
        for waker in woken {
            waker.wake();
        }
    }
}

impl Wire {
    /// Connects on this runtime, whose task drives the connection. `open` tells whether it is of use.
    pub(super) async fn open(client: &Client, limit: Duration, open: Arc<AtomicBool>) -> RedisResult<Self> {
        let (reading, writing) = Socket::connect(client.get_connection_info()).await?.split();
        let shared = Arc::new(Shared { board: Mutex::default(), writing, limit, open });
        tokio::spawn(Driver::new(Arc::clone(&shared), reading));
        Ok(Self(shared))
    }

    /// Reads a key: alone, or together with those who read at the same time.
    pub(super) fn read<'a>(&'a self, name: Name<'a>) -> Answer<'a> {
        Answer { wire: &self.0, asks: Asks::Read(name), slot: None }
    }

    /// Sends a request: the answer is a list, if it is several commands. An error that the server answers with is a
    /// value here.
    pub(super) fn send(&self, request: &Request) -> Answer<'_> {
        let asks = match request {
            Request::One(command) => Asks::Command(command.get_packed_command()),
            Request::Many(commands) => Asks::Commands(commands.get_packed_pipeline(), commands.len()),
        };
        Answer { wire: &self.0, asks, slot: None }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.0.board.lock().close();
    }
}

/// Asks when it is first polled, then waits.
pub(super) struct Answer<'a> {
    wire: &'a Shared,
    asks: Asks<'a>,
    /// Where the answer will be, once it has been asked for.
    slot: Option<usize>,
}

enum Asks<'a> {
    Read(Name<'a>),
    Command(Vec<u8>),
    Commands(Vec<u8>, usize),
}

impl Future for Answer<'_> {
    type Output = RedisResult<Value>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut board = this.wire.board.lock();
        if let Some(slot) = this.slot {
            if let Some(answer) = board.slots.take(slot) {
                this.slot = None;
                return Poll::Ready(answer);
            }
            let before = board.slots.wait(slot, context.waker());
            // A waker's `drop` is somebody else's code.
            drop(board);
            drop(before);
            return Poll::Pending;
        }
        if let Some(error) = board.ended() {
            return Poll::Ready(Err(error));
        }
        let (waker, writing) = (context.waker().clone(), &this.wire.writing);
        this.slot = Some(match &this.asks {
            Asks::Read(name) => board.read(*name, waker, writing),
            Asks::Command(bytes) => board.send(bytes, None, waker, writing),
            Asks::Commands(bytes, several) => board.send(bytes, Some(*several), waker, writing),
        });
        Poll::Pending
    }
}

/// Who does not wait any more misses nothing.
impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let waiting = self.wire.board.lock().slots.leave(slot);
            drop(waiting);
        }
    }
}
