//! Arguments of bodies that can go on without their caller: what is borrowed is copied, and lent again.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// What a parameter borrows, to be copied for a body that can go on without the caller.
///
/// Where it can be copied, `owned` is the inherent method. Where it cannot, method lookup goes on by `Deref` to a stand-in,
/// as for [parts of a key](super::Part), so that there is one error.
#[derive(Debug)]
pub struct Lent<'a, T: ?Sized>(pub &'a T);

impl<T: Borrowed + ?Sized> Lent<'_, T> {
    /// Copies it.
    #[must_use]
    pub fn owned(self) -> Owned<T> {
        Owned(self.0.to_owned())
    }
}

impl<T: ?Sized> Deref for Lent<'_, T> {
    type Target = NotOwned<T>;

    fn deref(&self) -> &NotOwned<T> {
        const { &NotOwned(PhantomData) }
    }
}

/// The copy.
pub struct Owned<T: Borrowed + ?Sized>(T::Owned);

impl<T: Borrowed + ?Sized> Owned<T> {
    /// Lends it to the body, in the form that the parameter has.
    pub fn lend_(&self) -> &T {
        self.0.borrow()
    }
}

impl<T: Borrowed + ?Sized> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

/// Stands in for what cannot be copied, and for its copy.
#[derive(Debug)]
pub struct NotOwned<T: ?Sized>(PhantomData<fn() -> PhantomData<T>>);

impl<T: ?Sized> NotOwned<T> {
    /// Says so.
    #[must_use]
    pub fn owned(&self) -> Self
    where
        T: Borrowed,
    {
        Self(PhantomData)
    }

    /// Only there for the types to agree: no program that compiles has one.
    #[must_use]
    #[expect(clippy::empty_loop, reason = "there is no copy to lend")]
    pub fn lend_(&self) -> &T {
        loop {}
    }
}

/// What can be copied and sent, behind a reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is borrowed, and cannot be copied for a body that goes on without its caller",
    label = "with `stale`, `early` or `timeout`, what this borrows has to be `Clone + Send + 'static`",
    note = "make it so (a handle is often `Clone` already, or can stand in an `Arc`), or take it by value",
    note = "of a type parameter `T`, ask for `T: Clone + Send + 'static`, not for the private trait that the compiler \
            has found"
)]
pub trait Borrowed: ToOwned<Owned: Send + 'static> {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Send + 'static> + ?Sized> Borrowed for T {}

/// Says that an argument that is taken by value can go along.
pub fn assert_moved<T: Moved>(_: &T) {}

/// What can go along with a body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go along with a body that goes on without its caller",
    label = "with `stale`, `early` or `timeout`, an argument has to be `Send + 'static`",
    note = "of a type parameter `T`, ask for `T: Send + 'static`, not for the private trait that the compiler has found"
)]
pub trait Moved {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Moved for T {}
