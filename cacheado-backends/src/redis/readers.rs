//! Reads that come while another is under way: they are asked for together.
//!
//! A read that finds the connection free is sent at once. Those that come meanwhile queue, and a task asks for
//! the whole queue with one `MGET`, then for what has queued since. So a lone reader waits for nobody, and the
//! more there are, the less each costs: server and client handle one command instead of many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use redis::{Cmd, RedisError, RedisResult, Value};
use tokio::sync::oneshot;

/// How many batches are under way at a time: the server has the next one before it is done with the first.
const BATCHES: usize = 2;

/// The most keys of a batch: so many are read in about the time that one takes on its way.
const LONGEST: usize = 128;

type Answer = RedisResult<Value>;

/// The readers of one connection.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// Whether one reads on its own.
    is_taken: AtomicBool,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// How many tasks take from it.
    tasks: usize,
}

/// A reader that waits, and the name of its key.
#[derive(Debug)]
struct Waiting {
    name: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

/// The right to read on one's own, until it is dropped.
#[derive(Debug)]
pub(super) struct Alone(Arc<Readers>);

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.is_taken.store(false, Ordering::Release);
    }
}

/// What a reader that queues waits for, and whether it has to start a task that takes from the queue.
pub(super) struct Queued {
    pub(super) answer: oneshot::Receiver<Answer>,
    pub(super) task: Option<Batches>,
}

impl Readers {
    /// The right to read on one's own, if nobody has it.
    pub(super) fn alone(self: &Arc<Self>) -> Option<Alone> {
        let was_taken = self.is_taken.swap(true, Ordering::AcqRel);
        (!was_taken).then(|| Alone(Arc::clone(self)))
    }

    /// Has the key of this name read with others.
    pub(super) fn queue(self: &Arc<Self>, name: Vec<u8>) -> Queued {
        let (sender, answer) = oneshot::channel();
        let mut queue = self.queue.lock();
        queue.waiting.push(Waiting { name, answer: sender });
        let is_new = queue.tasks < BATCHES;
        queue.tasks += usize::from(is_new);
        Queued { answer, task: is_new.then(|| Batches(Arc::clone(self))) }
    }
}

/// A task that takes from the queue, which ends with it.
pub(super) struct Batches(Arc<Readers>);

impl Batches {
    /// The next batch; `None` if nobody waits: the task is to end.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut queue = self.0.queue.lock();
        let len = queue.waiting.len().min(LONGEST);
        (len > 0).then(|| Batch(queue.waiting.drain(..len).collect()))
    }

    /// Tells everybody who waits that the connection has failed.
    pub(super) fn fail(&self, error: &RedisError) {
        let waiting = std::mem::take(&mut self.0.queue.lock().waiting);
        Batch(waiting).fail(error);
    }
}

/// Who still waits when the task ends, such as with its runtime, is told by the end of the channel.
impl Drop for Batches {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.tasks -= 1;
        let left = if queue.tasks == 0 { std::mem::take(&mut queue.waiting) } else { Vec::new() };
        drop(queue);
        drop(left);
    }
}

/// Readers whose keys are read with one command.
pub(super) struct Batch(Vec<Waiting>);

impl Batch {
    /// The command.
    pub(super) fn command(&self) -> Cmd {
        let bytes: usize = self.0.iter().map(|waiting| waiting.name.len()).sum();
        let mut command = Cmd::with_capacity(1 + self.0.len(), "MGET".len() + bytes);
        command.arg("MGET");
        for waiting in &self.0 {
            command.arg(&waiting.name);
        }
        command
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives each reader its value. Those who do not wait any more miss nothing.
    pub(super) fn answer(self, values: Vec<Value>) {
        for (waiting, value) in self.0.into_iter().zip(values) {
            let _ = waiting.answer.send(Ok(value));
        }
    }

    /// Gives all of them an error.
    pub(super) fn fail(self, error: &RedisError) {
        for waiting in self.0 {
            let _ = waiting.answer.send(Err(error.clone()));
        }
    }
}
