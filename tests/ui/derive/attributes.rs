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
    #[key()]
    e: u32,
}

#[derive(KeyPart)]
#[key(skip)]
pub struct OnTheType(u32);

#[derive(KeyPart)]
#[key(crate = "cacheado")]
pub struct Text(u32);

#[derive(KeyPart)]
#[key()]
pub struct Nothing(u32);

#[derive(KeyPart)]
pub enum OnAVariant {
    #[key(skip)]
    A,
    B(#[key(skipp)] u32),
    #[key(skip)]
    C,
}

// What uses a type whose derive is wrong is not wrong as well.
#[cacheado::cached]
fn uses(slips: &Slips, variant: &OnAVariant) -> u32 {
    let _ = variant;
    slips.a
}

fn main() {}
