//! Which flights this thread leads just now.
//!
//! A body that calls its own function with the same arguments would wait for itself. A thread leads a
//! flight while it runs the body; a task while it is polled, which is when the thread runs the body. A task that
//! runs a body for another leads what that one does.

use std::cell::RefCell;

use cacheado_backends::memory::TicketNumber;

#[cfg(not(shuttle))]
thread_local! {
    /// There is no list while the thread ends: then it waits for nobody.
    static LED: RefCell<Vec<TicketNumber>> = const { RefCell::new(Vec::new()) };
}

#[cfg(shuttle)]
shuttle::thread_local! {
    static LED: RefCell<Vec<TicketNumber>> = RefCell::new(Vec::new());
}

/// While it lives, this thread leads the flight.
pub(super) struct Leading;

impl Leading {
    pub(super) fn of(flight: TicketNumber) -> Self {
        let _ = LED.try_with(|led| led.borrow_mut().push(flight));
        Self
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        // The innermost body ends first.
        let _ = LED.try_with(|led| led.borrow_mut().pop());
    }
}

/// What this thread leads, for a body that another task runs while this one waits.
pub(super) struct Led(Vec<TicketNumber>);

impl Led {
    pub(super) fn here() -> Self {
        Self(LED.try_with(|led| led.borrow().clone()).unwrap_or_default())
    }

    /// Marks this thread as the leader's of each, while the guards live.
    pub(super) fn leading(&self) -> LeadingAll {
        let _ = LED.try_with(|led| led.borrow_mut().extend_from_slice(&self.0));
        LeadingAll(self.0.len())
    }
}

/// While it lives, this thread leads them.
pub(super) struct LeadingAll(usize);

impl Drop for LeadingAll {
    fn drop(&mut self) {
        let _ = LED.try_with(|led| {
            let mut led = led.borrow_mut();
            let others = led.len().saturating_sub(self.0);
            led.truncate(others);
        });
    }
}

/// Whether this thread is in the body that the flight waits for, as far as it knows.
pub(super) fn leads(flight: TicketNumber) -> bool {
    LED.try_with(|led| led.borrow().contains(&flight)).unwrap_or(true)
}
