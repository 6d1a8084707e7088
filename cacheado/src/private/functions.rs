//! What arguments of the attribute ask of the user's functions and expressions. Each goes through one of these, whose
//! types and names say what is expected: a wrong one is then reported as that, at the argument.
//!
//! What a value derefs to is good enough, so that a `fn(&str)` goes for a `String`.

use std::time::Duration;

/// `ttl_with = PATH`: how long the value lives.
#[inline]
pub fn ttl_with<'a, T: ?Sized>(function: fn(&'a T) -> Duration, in_ok_or_some: &'a T) -> Duration {
    function(in_ok_or_some)
}

/// `cache_if = PATH`: whether what was returned may be stored.
#[inline]
pub fn cache_if<'a, R: ?Sized>(function: fn(&'a R) -> bool, returned: &'a R) -> bool {
    function(returned)
}

/// `refresh_if = EXPR`: whether to compute and overwrite.
#[inline]
#[must_use]
pub const fn refresh_if(refresh: bool) -> bool {
    refresh
}
