//! What may be the value of a scope level.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;

/// A value of a scope level, by its text: `7_u64` and `"7"` are the same value.
///
/// Strings, integers, `bool`, `char` and `Uuid` (under the feature) have it; `#[derive(KeyPart)]` adds it to a newtype. Write the
/// text as it is: whatever needs escaping is escaped where a scope is displayed.
///
/// ```
/// use cacheado::scope::{ScopeTree, ScopeValue};
/// use std::fmt;
///
/// struct OrgId(u32);
///
/// impl ScopeValue for OrgId {
///     fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
///         self.0.write_scope(out)
///     }
/// }
///
/// let tree = ScopeTree::builder().level("organization", "org_id").build()?;
/// let scope = tree.resolve("organization", [("org_id", OrgId(7))])?;
/// assert_eq!(scope.to_string(), "organization:7");
/// # Ok::<(), cacheado::scope::ScopeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a scope level",
    label = "this has no `ScopeValue`",
    note = "strings, integers, `bool`, `char` and `Uuid` (feature `uuid`) have it, and references to them",
    note = "derive it on a newtype: `#[derive(cacheado::KeyPart)]`"
)]
pub trait ScopeValue {
    /// Writes the text of the value: distinct values, distinct texts. Values with the same
    /// [`KeyPart`](crate::KeyPart) must have the same text: where a level's value is in the key of a call,
    /// the text is not added to it.
    ///
    /// # Errors
    ///
    /// What `out` returns. A value that has no text may return `fmt::Error`; it is then missing.
    fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// A [`ScopeValue`] that is a text: what a level takes whose type in `scopes!` is `String`, `str` or `&str`.
///
/// ```
/// cacheado::scopes! {
///     mod scopes { organization(org_id: String) }
/// }
///
/// assert_eq!(scopes::organization("o1"), scopes::organization("o1".to_owned()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text, which is what this scope level takes",
    label = "neither a `str` nor a `String`, nor a reference to one",
    note = "in `scopes!`, give the level this type, or none: without a type it takes any `ScopeValue`"
)]
pub trait ScopeText: ScopeValue {}

impl ScopeText for str {}
impl ScopeText for String {}

/// Where a level's value may come from: a [`ScopeValue`], or an `Option` of one, whose `None` is a missing
/// tenant. A call whose tenant is missing is not cached.
///
/// ```
/// use cacheado::scope::ScopeSource;
///
/// assert!("o1".scope_source().is_some());
/// assert!(Some("o1").scope_source().is_some());
/// assert!(None::<u64>.scope_source().is_none());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give the value of a scope level",
    label = "neither a `ScopeValue` nor an `Option` of one",
    note = "strings, integers, `bool`, `char` and `Uuid` (feature `uuid`) can, and references to them",
    note = "derive `ScopeValue` on a newtype: `#[derive(cacheado::KeyPart)]`",
    note = "or say where the value is: `scope_args(level_param = expression)`"
)]
pub trait ScopeSource {
    /// The value, or `None` where it is missing.
    fn scope_source(&self) -> Option<&dyn ScopeValue>;
}

impl<T: ScopeValue> ScopeSource for T {
    fn scope_source(&self) -> Option<&dyn ScopeValue> {
        Some(self)
    }
}

impl<T: ScopeValue> ScopeSource for Option<T> {
    fn scope_source(&self) -> Option<&dyn ScopeValue> {
        self.as_ref().map(|value| value as &dyn ScopeValue)
    }
}

impl<T: ScopeValue> ScopeSource for &Option<T> {
    fn scope_source(&self) -> Option<&dyn ScopeValue> {
        (**self).scope_source()
    }
}

impl ScopeValue for str {
    fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self)
    }
}

impl ScopeValue for String {
    fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self)
    }
}

macro_rules! displayed {
    ($($value:ty),*) => {$(
        impl ScopeValue for $value {
            fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                write!(out, "{self}")
            }
        }
    )*};
}

displayed!(bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
displayed!(NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>);
displayed!(NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>);

/// Hyphenated, in lower case.
#[cfg(feature = "uuid")]
impl ScopeValue for uuid::Uuid {
    fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.hyphenated())
    }
}

macro_rules! transparent {
    ($($pointer:ty),*) => {$(
        impl<T: ScopeValue + ?Sized> ScopeValue for $pointer {
            fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                (**self).write_scope(out)
            }
        }

        impl<T: ScopeText + ?Sized> ScopeText for $pointer {}
    )*};
}

transparent!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: ScopeValue + ToOwned + ?Sized> ScopeValue for Cow<'_, T> {
    fn write_scope(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        (**self).write_scope(out)
    }
}

impl<T: ScopeText + ToOwned + ?Sized> ScopeText for Cow<'_, T> {}
