use cacheado::cached;

#[cached(cache_if)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(cache_if = |n| true)]
fn closure(n: u32) -> u32 {
    n
}

#[cached(cache_if = true)]
fn boolean(n: u32) -> u32 {
    n
}

fn of_text(_: &str) -> bool {
    true
}

#[cached(cache_if = of_text)]
fn other_argument(n: u32) -> u32 {
    n
}

fn by_value(_: u32) -> bool {
    true
}

#[cached(cache_if = by_value)]
fn takes_no_reference(n: u32) -> u32 {
    n
}

fn yes(_: &u32) -> Option<bool> {
    Some(true)
}

#[cached(cache_if = yes)]
fn other_result(n: u32) -> u32 {
    n
}

async fn later(_: &u32) -> bool {
    true
}

#[cached(cache_if = later)]
async fn of_an_async_function(n: u32) -> u32 {
    n
}

fn of_the_value(_: &u32) -> bool {
    true
}

#[cached(cache_if = of_the_value)]
fn not_of_the_whole(n: u32) -> Option<u32> {
    Some(n)
}

fn of_two(_: &u32, _: &u32) -> bool {
    true
}

#[cached(cache_if = of_two)]
fn other_number_of_arguments(n: u32) -> u32 {
    n
}

fn main() {}
