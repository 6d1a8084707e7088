use cacheado::KeyPart;

#[derive(KeyPart)]
pub struct Slips {
    #[key(skipp)]
    a: u32,
    #[key]
    b: u32,
    #[key(skip = true)]
    c: u32,
    #[key(skip, skip)]
    d: u32,
}

#[derive(KeyPart)]
#[key(skip)]
pub struct OnTheType(u32);

#[derive(KeyPart)]
#[key(crate = "cacheado")]
pub struct Text(u32);

#[derive(KeyPart)]
pub enum OnAVariant {
    #[key(skip)]
    A,
}

fn main() {}
