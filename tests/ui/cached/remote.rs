use cacheado::cached;

#[derive(Clone)]
pub struct NoSerde;

#[cached(remote = true)]
fn assigned(n: u32) -> u32 {
    n
}

#[cached(remote)]
fn no_serde(n: u32) -> Option<NoSerde> {
    let _ = n;
    None
}

// Without `remote` it is kept in this process.
#[cached]
fn by_default(n: u32) -> Option<NoSerde> {
    let _ = n;
    None
}

// The error is not stored, so it need not be serde.
#[cached(remote)]
fn error(n: u32) -> Result<u32, NoSerde> {
    Ok(n)
}

// Here it is.
#[cached(remote, cache_err = "5s")]
fn stored_error(n: u32) -> Result<u32, NoSerde> {
    Ok(n)
}

// It cannot be read from bytes that come and go.
#[cached(remote)]
fn borrowed(n: u32) -> &'static str {
    if n == 0 { "none" } else { "some" }
}

fn main() {}
