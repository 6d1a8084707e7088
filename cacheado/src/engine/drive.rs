//! The two drivers: how the body is run and how others are waited for. Everything else is the plan's.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use super::call::{Call, Next};
use super::flight::Leader;
use crate::function::Kind;

impl<K: Kind> Call<K> {
    /// Runs the call on this thread, which blocks while it waits for another's computation.
    ///
    /// # Panics
    ///
    /// If the body does.
    #[inline(never)]
    pub fn run(self, body: impl FnOnce() -> K::Return) -> K::Return {
        let mut next = self.plan(Leader::Thread);
        loop {
            next = match next {
                Next::Serve(value) => return value,
                Next::Wait(flight, call) => {
                    let landed = flight.wait();
                    call.landed(&flight, landed, Leader::Thread)
                }
                Next::Compute(computation) => {
                    let outcome = {
                        let _leading = computation.leading();
                        body()
                    };
                    return computation.finish(outcome);
                }
            }
        }
    }

    /// Runs the call as a task. Dropping the future lets those who wait elect another leader.
    ///
    /// The future is boxed: only a miss has one, and a caller's own future stays as small as its arguments.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub fn run_async<F>(self, body: F) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        F: Future<Output = K::Return>,
    {
        Box::pin(self.drive(body))
    }

    async fn drive(self, body: impl Future<Output = K::Return>) -> K::Return {
        let mut next = self.plan(Leader::Task);
        loop {
            next = match next {
                Next::Serve(value) => return value,
                Next::Wait(flight, call) => {
                    let landed = Arc::clone(&flight).landing().await;
                    call.landed(&flight, landed, Leader::Task)
                }
                Next::Compute(computation) => {
                    let mut body = pin!(body);
                    let outcome = poll_fn(|context| {
                        let _leading = computation.leading();
                        body.as_mut().poll(context)
                    });
                    let outcome = outcome.await;
                    return computation.finish(outcome);
                }
            }
        }
    }
}
