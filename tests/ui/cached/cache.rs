use cacheado::{Cache, cached};

struct Db;

struct Repo {
    cache: Cache,
    db: Db,
    shared: std::sync::Arc<Db>,
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

impl Repo {
    #[cached(cache = self.db, skip(self))]
    fn no_cache(&self, n: u32) -> u32 {
        n
    }

    #[cached(cache = self.shared, skip(self))]
    async fn derefs_to_none(&self, n: u32) -> u32 {
        n
    }
}

fn main() {}
