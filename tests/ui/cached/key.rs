use cacheado::cached;

#[derive(Clone)]
pub struct Db;

#[cached(key)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(key(m))]
fn unknown(n: u32) -> u32 {
    n
}

#[cached(key(n, n))]
fn twice(n: u32) -> u32 {
    n
}

#[cached(key(n + 1))]
fn expression_in_list(n: u32) -> u32 {
    n
}

#[cached(key(_))]
fn nameless(_: u32) -> u32 {
    1
}

#[cached(key(db))]
fn mutable(db: &mut u32) -> u32 {
    *db
}

#[cached]
fn mutable_left_in(db: &mut u32, n: u32) -> u32 {
    *db + n
}

#[cached(key = Db)]
fn no_key_part(n: u32) -> u32 {
    n
}

// Each argument without a `KeyPart` is reported once.
#[cached]
fn two_of_three(good: u32, bad: Db, worse: &[Db]) -> u32 {
    let _ = (bad, worse);
    good
}

#[cached]
async fn in_async(bad: &Db) -> u32 {
    let _ = bad;
    1
}

#[cached]
fn generic<T: Clone>(thing: T) -> u32 {
    let _ = thing;
    1
}

#[cached(key(user.id))]
fn field_in_list(user: User) -> u32 {
    user.id
}

#[cached(key())]
fn empty(n: u32, m: u32) -> u32 {
    n + m
}

pub struct User {
    id: u32,
}

fn main() {}
