use cacheado::{Cache, cached};

struct Repo {
    cache: Cache,
}

#[cached(cache)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(cache(CACHE))]
fn list(n: u32) -> u32 {
    n
}

#[cached(cache = 5)]
fn no_cache(n: u32) -> u32 {
    n
}

impl Repo {
    #[cached(cache = self.cach, skip(self))]
    fn slip(&self, n: u32) -> u32 {
        n
    }
}

fn main() {}
