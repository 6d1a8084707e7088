use std::rc::Rc;

use cacheado::{KeyPart, cached};

pub struct Handle;

#[cached(stale = "soon")]
fn no_duration(n: u32) -> u32 {
    n
}

#[cached(stale = 0)]
fn no_time(n: u32) -> u32 {
    n
}

#[cached(stale = "1m", skip(out))]
fn borrowed_mutably(n: u32, out: &mut u32) -> u32 {
    *out = n;
    n
}

#[cached(stale = "1m")]
fn borrowed_inside(name: Option<&str>) -> bool {
    name.is_some()
}

#[cached(stale = "1m", skip(handle))]
fn not_to_be_copied(n: u32, handle: &Handle) -> u32 {
    let _ = handle;
    n
}

#[cached(stale = "1m", skip(shared))]
fn not_to_be_sent(n: u32, shared: Rc<u8>) -> u32 {
    n + u32::from(*shared)
}

#[cached(stale = "1m")]
fn borrowed_generic<T: KeyPart>(of: &T) -> u32 {
    let _ = of;
    1
}

#[cached(stale = "1m")]
fn moved_generic<T: KeyPart>(of: T) -> u32 {
    let _ = of;
    1
}

impl Handle {
    #[cached(stale = "1m", skip(self))]
    fn method(&self, n: u32) -> u32 {
        n
    }

    #[cached(stale = "1m", skip(self))]
    fn mutable(&mut self, n: u32) -> u32 {
        n
    }
}

#[derive(Clone, Debug)]
pub struct Shown;

impl Shown {
    #[cached(stale = "1m", skip(self))]
    fn in_a_format_string(&self, n: u32) -> String {
        format!("{self:?} {n}")
    }
}

fn main() {}
