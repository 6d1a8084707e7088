use cacheado::cached;

#[cached(stale_if_error)]
fn no_value(n: u32) -> Result<u32, ()> {
    Ok(n)
}

#[cached(stale_if_error = later())]
fn expression(n: u32) -> Result<u32, ()> {
    Ok(n)
}

#[cached(stale_if_error = "0s")]
fn no_time(n: u32) -> Result<u32, ()> {
    Ok(n)
}

fn main() {}
