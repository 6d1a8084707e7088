use cacheado::KeyPart;

#[derive(KeyPart)]
pub union Bits {
    a: u32,
    b: f32,
}

#[derive(KeyPart)]
pub struct Borrowed<'a>(&'a mut Opaque);

pub struct Opaque;

fn main() {}
