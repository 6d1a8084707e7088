use cacheado::cached;

type Alias = Result<u64, ()>;

#[cached(cache_none)]
fn no_option(n: u32) -> u32 {
    n
}

#[cached(cache_none)]
fn nothing() {}

#[cached(cache_none = "soon")]
fn word(n: u32) -> Option<u32> {
    Some(n)
}

#[cached(cache_none = lasting())]
fn expression(n: u32) -> Option<u32> {
    Some(n)
}

#[cached(cache_none("30s"))]
fn list(n: u32) -> Option<u32> {
    Some(n)
}

// The spelling does not show it, the type does.
#[cached(cache_none)]
fn alias_of_no_option(n: u64) -> Alias {
    Ok(n)
}

fn main() {}
