//! Arguments of bodies that can go on without their caller: what is borrowed is copied, and lent again.

use std::borrow::Borrow;
use std::fmt;

/// What a parameter has borrowed, copied for a body that can go on without the caller.
pub struct Owned<T: Borrowed + ?Sized>(T::Owned);

impl<T: Borrowed + ?Sized> Owned<T> {
    /// Copies it.
    pub fn of(borrowed: &T) -> Self {
        Self(borrowed.to_owned())
    }

    /// Lends it to the body, in the form that the parameter has.
    pub fn lend(&self) -> &T {
        self.0.borrow()
    }
}

impl<T: Borrowed + ?Sized> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

/// What can be copied and sent, behind a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is borrowed, and cannot be copied for a body that goes on without its caller",
    label = "with `stale`, `early` or `timeout`, what this borrows has to be `Clone + Send + 'static`",
    note = "make it so (a handle is often `Clone` already, or can stand in an `Arc`), or take it by value"
)]
pub trait Borrowed: ToOwned<Owned: Send + 'static> {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Borrowed for T {}

/// Says that an argument that is taken by value can go along.
pub fn assert_moved<T: Moved>(_: &T) {}

/// What can go along with a body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go along with a body that goes on without its caller",
    label = "with `stale`, `early` or `timeout`, an argument has to be `Send + 'static`"
)]
pub trait Moved {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Moved for T {}
