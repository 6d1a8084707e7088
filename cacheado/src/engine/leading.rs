//! Which flights this thread leads just now.
//!
//! A body that calls its own function with the same arguments would wait for itself. A thread leads a
//! flight while it runs the body; a task while it is polled, which is when the thread runs the body.

use std::cell::RefCell;

#[cfg(not(shuttle))]
thread_local! {
    static LED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

#[cfg(shuttle)]
shuttle::thread_local! {
    static LED: RefCell<Vec<usize>> = RefCell::new(Vec::new());
}

/// While it lives, this thread leads the flight.
pub(super) struct Leading;

impl Leading {
    pub(super) fn of(flight: usize) -> Self {
        LED.with(|led| led.borrow_mut().push(flight));
        Self
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        // The innermost body ends first.
        LED.with(|led| led.borrow_mut().pop());
    }
}

/// Whether this thread is in the body that the flight waits for.
pub(super) fn leads(flight: usize) -> bool {
    LED.with(|led| led.borrow().contains(&flight))
}
