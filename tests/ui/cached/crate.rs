use cacheado::cached;

#[cached(crate)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(crate = "cacheado")]
fn text(n: u32) -> u32 {
    n
}

#[cached(crate = nowhere::cacheado)]
fn wrong(n: u32) -> u32 {
    n
}

// A runtime of another version than the macros.
mod other_version {
    pub mod __private {
        pub mod cacheado_and_cacheado_macros_must_both_be_9_9_9 {}
        pub trait Kind {
            type Return;
        }
    }
    pub struct Entry<K, F>(K, F);
    pub struct FunctionCache;
}

#[cached(crate = other_version)]
fn old_runtime(n: u32) -> u32 {
    n
}

fn main() {}
