use cacheado::cached;

pub struct NoFrom;

pub struct Outage;

impl From<cacheado::Error> for Outage {
    fn from(_: cacheado::Error) -> Self {
        Outage
    }
}

type Alias = Option<u32>;

#[cached(on_backend_error)]
fn without_value(n: u32) -> Result<u32, Outage> {
    Ok(n)
}

#[cached(on_backend_error = "panic")]
fn unknown(n: u32) -> Result<u32, Outage> {
    Ok(n)
}

#[cached(on_backend_error = error)]
fn no_text(n: u32) -> Result<u32, Outage> {
    Ok(n)
}

#[cached(on_backend_error = "error")]
fn no_result(n: u32) -> u32 {
    n
}

#[cached(on_backend_error = "error")]
fn alias_of_no_result(n: u32) -> Alias {
    Some(n)
}

#[cached(on_backend_error = "error")]
fn no_from(n: u32) -> Result<u32, NoFrom> {
    Ok(n)
}

#[cached(on_backend_error = "error")]
async fn no_from_async(n: u32) -> Result<u32, NoFrom> {
    Ok(n)
}

// These are right.
#[cached(on_backend_error = "error")]
fn taken(n: u32) -> Result<u32, Outage> {
    Ok(n)
}

#[cached(on_backend_error = "compute")]
fn by_default(n: u32) -> u32 {
    n
}

fn main() {}
