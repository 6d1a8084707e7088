use cacheado::KeyPart;

pub struct NoKey;

#[derive(KeyPart)]
pub struct Named {
    good: u32,
    bad: NoKey,
    also_good: String,
}

#[derive(KeyPart)]
pub struct Newtype(NoKey);

#[derive(KeyPart)]
pub enum Variants {
    Good(u32),
    Bad { inner: Vec<NoKey> },
}

#[derive(KeyPart)]
pub struct Generic<T>(T);

fn needs_key_part(_: &impl KeyPart) {}

fn uses() {
    needs_key_part(&Generic(3));
    needs_key_part(&Generic(NoKey));
}

// A field that is left out needs nothing.
#[derive(KeyPart)]
pub struct Skipped {
    good: u32,
    #[key(skip)]
    bad: NoKey,
}

fn main() {}
