//! Threads for the bodies of sync functions that run while their callers are served with what is there.
//!
//! A few threads, started as they are needed, which end when there has been nothing to do for a while. The queue
//! is bounded: what finds no place in it is not done now, and the next reader of the value tries again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce() + Send>;

/// The most threads.
const THREADS: usize = 4;

/// The most jobs that wait for one.
const QUEUE: usize = 256;

/// For how long a thread waits for the next job.
const IDLE: Duration = Duration::from_secs(10);

static POOL: Pool = Pool::new();

struct Pool {
    state: Mutex<State>,
    added: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// How many threads wait for a job.
    idle: usize,
    /// How many threads there have been.
    started: usize,
}

/// Has `job` run on one of the threads. Whether it will be.
pub(super) fn submit(job: impl FnOnce() + Send + 'static) -> bool {
    POOL.submit(Box::new(job))
}

impl Pool {
    const fn new() -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: 0, started: 0 };
        Self { state: Mutex::new(state), added: Condvar::new() }
    }

    fn submit(&'static self, job: Job) -> bool {
        let mut state = self.state.lock();
        if state.jobs.len() >= QUEUE {
            drop(state);
            tracing::debug!(
                target: "cacheado",
                "too many values wait to be computed anew; this one is left to the next reader"
            );
            // Dropping a job lets go of who waits for it, which is not for under the lock.
            drop(job);
            return false;
        }
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= THREADS {
            drop(state);
            self.added.notify_one();
            return true;
        }
        state.threads += 1;
        state.started += 1;
        let name = format!("cacheado-refresh-{}", state.started);
        drop(state);
        let Err(error) = thread::Builder::new().name(name).spawn(move || self.work()) else { return true };
        let mut state = self.state.lock();
        state.threads -= 1;
        // With no thread at all, nobody would ever come for the jobs.
        let orphans = if state.threads == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
        drop(state);
        tracing::warn!(target: "cacheado", %error, "no thread to compute values anew");
        orphans.is_empty()
    }

    fn work(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // What a body panics with is logged where the body is run.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let waited = self.added.wait_for(&mut state, IDLE);
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, mpsc};

    use super::*;

    static OWN: Pool = Pool::new();

    #[test]
    fn threads_and_queue_are_bounded_and_a_panic_costs_no_thread() {
        let (inside, gate) = (Arc::new(Barrier::new(THREADS + 1)), Arc::new(Barrier::new(THREADS + 1)));
        for _ in 0..THREADS {
            let (inside, gate) = (Arc::clone(&inside), Arc::clone(&gate));
            assert!(OWN.submit(Box::new(move || {
                inside.wait();
                gate.wait();
                panic!("a job's own business");
            })));
        }
        inside.wait();
        let done = Arc::new(AtomicUsize::new(0));
        let (last, ended) = mpsc::channel::<()>();
        for _ in 0..QUEUE {
            let (done, last) = (Arc::clone(&done), last.clone());
            assert!(OWN.submit(Box::new(move || {
                done.fetch_add(1, Ordering::SeqCst);
                drop(last);
            })));
        }
        drop(last);
        assert!(!OWN.submit(Box::new(|| {})), "the queue is full");
        assert_eq!((OWN.state.lock().threads, done.load(Ordering::SeqCst)), (THREADS, 0));
        gate.wait();
        assert!(ended.recv().is_err(), "all have been dropped");
        assert_eq!(done.load(Ordering::SeqCst), QUEUE);
        assert!(OWN.state.lock().threads <= THREADS);
    }
}
