use cacheado::cached;

#[cached(skip)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(skip())]
fn empty(n: u32) -> u32 {
    n
}

#[cached(skip = n)]
fn assigned(n: u32) -> u32 {
    n
}

#[cached(skip(usr_id))]
fn slip(user_id: u32) -> u32 {
    user_id
}

#[cached(skip(n))]
fn no_parameters() -> u32 {
    1
}

#[cached(skip(n, n))]
fn twice(n: u32) -> u32 {
    n
}

#[cached(key(n), skip(n))]
fn both(n: u32) -> u32 {
    n
}

#[cached(key = n, skip(n))]
fn whole(n: u32) -> u32 {
    n
}

fn main() {}
