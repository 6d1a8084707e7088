//! A circuit breaker: after several outages in a row nobody asks the server for a while; then one caller
//! tries, and what it meets decides for all (Nygard, "Release It!", 2007).

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use cacheado_backends::Clock;
use parking_lot::Mutex;

/// Lets operations pass, or not.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// After this many outages in a row it opens.
    most: u32,
    pause: Duration,
    clock: Clock,
    failures: AtomicU32,
    /// How often the server has answered, or has been silent for so long that it counted.
    news: AtomicU64,
    is_open: AtomicBool,
    /// The reading of the clock from which on somebody may try; while somebody does, the next one's turn.
    retry_at: Mutex<u64>,
}

/// The leave to run one operation, whose outcome is owed.
#[derive(Debug)]
#[must_use = "the outcome is owed"]
pub(crate) struct Permit<'b> {
    breaker: &'b Breaker,
    /// From here on a server that has not answered is taken to be away.
    patience_ends: u64,
    /// What was known of the server when the operation began.
    news: u64,
    is_owed: bool,
}

/// Whoever gives an operation up after so long would not have waited for a server that is there. Sooner, a caller may
/// just have no need of it any more.
const PATIENCE: Duration = Duration::from_millis(250);

impl Breaker {
    /// `clock` is the cache's: where a test moves it by hand, the pause passes as the rest does.
    pub(crate) fn new(most: u32, pause: Duration, clock: Clock) -> Self {
        let (failures, is_open) = (AtomicU32::new(0), AtomicBool::new(false));
        let news = AtomicU64::new(0);
        Self { most, pause, clock, failures, news, is_open, retry_at: Mutex::new(0) }
    }

    /// The leave to run an operation; `None` while the breaker is open. A try that is never reported on (its
    /// future was dropped) is followed by another after a pause.
    pub(crate) fn admit(&self) -> Option<Permit<'_>> {
        if self.is_open.load(Ordering::Acquire) {
            let mut retry_at = self.retry_at.lock();
            if self.clock.now() < *retry_at {
                return None;
            }
            *retry_at = self.after_the_pause();
        }
        Some(self.permit())
    }

    /// The leave to run an operation that has to be tried, open or not.
    pub(crate) fn insist(&self) -> Permit<'_> {
        self.permit()
    }

    fn permit(&self) -> Permit<'_> {
        let (patience_ends, news) = (self.clock.deadline(Some(PATIENCE)), self.news.load(Ordering::Relaxed));
        Permit { breaker: self, patience_ends, news, is_owed: true }
    }

    fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures >= self.most {
            *self.retry_at.lock() = self.after_the_pause();
            if !self.is_open.swap(true, Ordering::AcqRel) {
                tracing::warn!(
                    target: "cacheado",
                    failures,
                    pause = ?self.pause,
                    "the cache backend is down; calls go on without it"
                );
            }
        }
    }

    fn after_the_pause(&self) -> u64 {
        self.clock.deadline(Some(self.pause))
    }
}

impl Permit<'_> {
    /// The server has answered: whatever it said, it is there.
    pub(crate) fn answered(mut self) {
        self.is_owed = false;
        let breaker = self.breaker;
        breaker.news.fetch_add(1, Ordering::Relaxed);
        if breaker.failures.load(Ordering::Relaxed) > 0 {
            breaker.failures.store(0, Ordering::Relaxed);
        }
        if breaker.is_open.load(Ordering::Relaxed) && breaker.is_open.swap(false, Ordering::AcqRel) {
            tracing::info!(target: "cacheado", "the cache backend answers again");
        }
    }

    /// The server could not be reached, or took too long.
    pub(crate) fn failed(mut self) {
        self.is_owed = false;
        self.breaker.failed();
    }
}

/// Where all callers give up before the backend does, nobody else would learn of it.
///
/// An operation may also have waited for its caller. So it says nothing where the server has answered another since
/// it began; and one caller that gives up many at a time, such as a batch, counts once.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Self { breaker, patience_ends, news, is_owed } = *self;
        if !is_owed || !breaker.clock.expired(patience_ends) {
            return;
        }
        let noted =
            breaker.news.compare_exchange(news, news.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
        if noted.is_ok() {
            breaker.failed();
        }
    }
}

#[cfg(test)]
mod tests {
    use cacheado_backends::ManualClock;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(3_600);

    fn breaker(most: u32) -> (Breaker, ManualClock) {
        let clock = ManualClock::new();
        (Breaker::new(most, PAUSE, clock.clone().into()), clock)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.admit().expect("closed").failed();
        }
    }

    #[test]
    fn opens_after_outages_in_a_row_only() {
        let (breaker, _) = breaker(3);
        fail(&breaker, 2);
        breaker.admit().unwrap().answered();
        fail(&breaker, 2);
        assert!(breaker.admit().is_some());
        fail(&breaker, 1);
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn one_caller_at_a_time_tries_after_the_pause() {
        let (breaker, clock) = breaker(1);
        fail(&breaker, 1);
        assert!(breaker.admit().is_none(), "the pause has begun");
        clock.advance(PAUSE);
        let trying = breaker.admit().expect("the pause is over");
        assert!(breaker.admit().is_none(), "somebody is trying");
        trying.failed();
        assert!(breaker.admit().is_none(), "it has failed");
        clock.advance(PAUSE);
        breaker.admit().unwrap().answered();
        assert!(breaker.admit().is_some() && breaker.admit().is_some(), "it is closed");
    }

    #[test]
    fn hazard_26_callers_that_give_up_on_a_server_that_does_not_answer_open_it() {
        let (breaker, clock) = breaker(3);
        for _ in 0..9 {
            drop(breaker.admit().expect("closed"));
        }
        for _ in 0..3 {
            let waiting = breaker.admit().expect("it may have been for another reason");
            clock.advance(PATIENCE);
            drop(waiting);
        }
        assert!(breaker.admit().is_none(), "nobody has had an answer for so long");
        clock.advance(PAUSE);
        breaker.admit().unwrap().answered();
        assert!(breaker.admit().is_some(), "it is closed");
    }

    #[test]
    fn hazard_26_a_caller_that_gives_up_many_at_a_time_counts_once() {
        let (breaker, clock) = breaker(2);
        let batch: Vec<_> = (0..64).map(|_| breaker.admit().expect("closed")).collect();
        clock.advance(PATIENCE);
        drop(batch);
        drop(breaker.admit().expect("one failure does not open it"));
        let next = breaker.admit().expect("closed");
        clock.advance(PATIENCE);
        drop(next);
        assert!(breaker.admit().is_none(), "the next one does");
    }

    #[test]
    fn hazard_26_what_is_given_up_says_nothing_of_a_server_that_answers_others() {
        let (breaker, clock) = breaker(1);
        let (given_up, other) = (breaker.admit().expect("closed"), breaker.admit().expect("closed"));
        clock.advance(PATIENCE);
        other.answered();
        drop(given_up);
        assert!(breaker.admit().is_some(), "it is closed");
    }

    #[test]
    fn a_try_that_is_dropped_does_not_keep_it_open_for_ever() {
        let (breaker, clock) = breaker(1);
        fail(&breaker, 1);
        clock.advance(PAUSE);
        let _ = breaker.admit();
        assert!(breaker.admit().is_none());
        clock.advance(PAUSE);
        assert!(breaker.admit().is_some(), "another after the pause");
    }
}
