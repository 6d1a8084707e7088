use cacheado::cached;

pub struct Square(u32);

pub trait Area {
    fn area(&self) -> u32;
}

#[cached(companions)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(companions = "none")]
fn word(n: u32) -> u32 {
    n
}

// A method of a trait's implementation has no place for siblings.
impl Area for Square {
    #[cached(ttl = 300, skip(self))]
    fn area(&self) -> u32 {
        self.0
    }
}

fn main() {}
