use cacheado::cached;

#[cached(ttl)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(ttl =)]
fn without_expression(n: u32) -> u32 {
    n
}

#[cached(ttl = 5 +)]
fn half_an_expression(n: u32) -> u32 {
    n
}

#[cached(ttl = "5 parsecs")]
fn unit(n: u32) -> u32 {
    n
}

#[cached(ttl = "soon")]
fn word(n: u32) -> u32 {
    n
}

#[cached(ttl = -5)]
fn negative(n: u32) -> u32 {
    n
}

#[cached(ttl = 1.5)]
fn fraction(n: u32) -> u32 {
    n
}

#[cached(ttl = true)]
fn boolean(n: u32) -> u32 {
    n
}

#[cached(ttl(300))]
fn list(n: u32) -> u32 {
    n
}

#[cached(ttl: 300)]
fn colon(n: u32) -> u32 {
    n
}

#[cached(ttl = u64::from(n))]
fn not_a_duration(n: u32) -> u32 {
    n
}

#[cached(ttl = 30m, cache_err = 5s)]
fn units(n: u32) -> Result<u32, ()> {
    Ok(n)
}

fn main() {}
