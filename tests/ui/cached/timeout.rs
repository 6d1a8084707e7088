use cacheado::cached;

type Alias = u64;

pub struct Failure;

#[cached(timeout = "2s")]
fn sync(n: u32) -> Result<u32, cacheado::Error> {
    Ok(n)
}

#[cached(timeout = "2s")]
async fn no_result(n: u32) -> u32 {
    n
}

#[cached(timeout = "2s")]
async fn option(n: u32) -> Option<u32> {
    Some(n)
}

#[cached(timeout = "2s")]
async fn alias_of_no_result(n: u64) -> Alias {
    n
}

#[cached(timeout = "2s")]
async fn an_error_that_cannot_say_so(n: u32) -> Result<u32, Failure> {
    Ok(n)
}

#[cached(timeout = "2s", stale_if_error = "1h")]
async fn nor_with_older_values(n: u32) -> Option<u32> {
    Some(n)
}

fn main() {}
