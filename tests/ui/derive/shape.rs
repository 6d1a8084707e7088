use cacheado::KeyPart;

#[derive(KeyPart)]
pub union Bits {
    a: u32,
    b: f32,
}

#[derive(KeyPart)]
pub struct Borrowed<'a>(&'a mut Opaque);

pub struct Opaque;

#[derive(KeyPart)]
#[repr(C, packed)]
pub struct Packed {
    a: u8,
    b: String,
}

fn main() {}
