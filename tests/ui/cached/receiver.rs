//! `self` has to be named.

use std::pin::Pin;
use std::sync::Arc;

use cacheado::cached;

pub struct Repo;

impl Repo {
    #[cached]
    fn unnamed(&self, org_id: u32, user_id: u32) -> u32 {
        org_id + user_id
    }

    #[cached(key(n))]
    fn only_others_named(&self, n: u32) -> u32 {
        n
    }

    #[cached(skip(n))]
    async fn by_value(self, n: u32) -> u32 {
        n
    }

    #[cached]
    fn smart(self: Arc<Self>) -> u32 {
        1
    }

    #[cached(key(self))]
    fn mutable(&mut self) -> u32 {
        1
    }

    #[cached(key(self))]
    fn pinned(self: Pin<&mut Self>) -> u32 {
        1
    }

    #[cached(key(self))]
    fn no_key_part(&self) -> u32 {
        1
    }

    #[cached(key(self))]
    fn without_receiver(n: u32) -> u32 {
        n
    }
}

fn main() {}
