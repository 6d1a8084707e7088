//! A key is no format string.

use cacheado::cached;

#[cached(key = "user:{user_id}")]
fn of_a_user(user_id: u32) -> u32 {
    user_id
}

#[cached(key = &("org:{org_id}/user:{user_id:>4}"))]
fn of_two(org_id: &str, user_id: u32) -> u32 {
    user_id + org_id.len() as u32
}

// One entry for all calls, as it says.
#[cached(key = "all")]
fn once(seed: u32) -> u32 {
    seed
}

#[cached(key = "{not a name} {other}")]
fn braces(seed: u32) -> u32 {
    seed
}

#[cached(key = "user_id")]
fn in_quotes(user_id: u32) -> u32 {
    user_id
}

fn main() {}
