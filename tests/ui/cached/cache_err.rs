use cacheado::cached;

type Alias = u64;

pub struct NoClone;

#[cached(cache_err = "5s")]
fn no_result(n: u32) -> u32 {
    n
}

#[cached(cache_err = "5s")]
fn option(n: u32) -> Option<u32> {
    Some(n)
}

#[cached(cache_err = "5s")]
fn alias_of_no_result(n: u64) -> Alias {
    n
}

#[cached(cache_err = soon)]
fn expression(n: u32) -> Result<u32, ()> {
    Ok(n)
}

#[cached(cache_err = "5s")]
fn error_without_clone(n: u32) -> Result<u32, NoClone> {
    Ok(n)
}

fn main() {}
