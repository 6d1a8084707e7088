//! `batch(ids)`: a function of many elements, each cached for itself.

mod elements;
mod flights;
mod remote;

use cacheado::prelude::*;
use std::collections::HashMap;
use std::sync::Mutex;
use tokio::sync::Notify;
use tokio::task::yield_now;

cacheado::scopes! {
    mod scopes {
        organization(org_id)
    }
}

/// A cache, and which ids the bodies over it have been asked for.
#[derive(Default)]
struct Shop {
    cache: Cache,
    asked: Mutex<Vec<Vec<u32>>>,
    gate: Notify,
}

impl Shop {
    fn over(cache: Cache) -> Self {
        Self { cache, ..Self::default() }
    }

    fn note(&self, ids: &[u32]) {
        self.asked.lock().unwrap().push(ids.to_vec());
    }

    /// The ids of each run of a body, since this was called last.
    fn asked(&self) -> Vec<Vec<u32>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn runs(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[cached(cache = shop.cache, skip(shop), ttl = 60, batch(ids))]
fn doubled(shop: &Shop, ids: &[u32]) -> Vec<u32> {
    shop.note(ids);
    ids.iter().map(|id| id * 2).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids), tags("id:{ids}"))]
fn named(shop: &Shop, ids: Vec<u32>, language: String) -> HashMap<u32, String> {
    shop.note(&ids);
    let mut names = HashMap::new();
    // What the body is given is its own.
    for id in ids {
        if id < 100 {
            names.insert(id, format!("{id} in {language}"));
        }
    }
    drop(language);
    names
}

#[cached(cache = shop.cache, skip(shop), batch(ids), cache_none)]
fn known(shop: &Shop, ids: &[u32]) -> HashMap<u32, bool> {
    shop.note(ids);
    ids.iter().filter(|id| **id < 100).map(|id| (*id, true)).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn fallible(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, String> {
    shop.note(ids);
    if ids.contains(&13) {
        return Err("unlucky".to_owned());
    }
    Ok(ids.to_vec())
}

/// `code` in the key is one code.
#[cached(cache = shop.cache, batch(code), key = format!("{code}/{language}"))]
fn labelled(shop: &Shop, code: &[u32], language: &str) -> Vec<String> {
    shop.note(code);
    code.iter().map(|code| format!("{code} in {language}")).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(names))]
fn spelled(shop: &Shop, names: &[impl KeyPart + Clone + ToString]) -> Vec<String> {
    shop.note(&[]);
    names.iter().map(ToString::to_string).collect()
}

/// An error that nobody can copy.
#[derive(Debug, PartialEq)]
struct Unique(&'static str);

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn maybe(shop: &Shop, ids: &[u32]) -> Result<HashMap<u32, u32>, Unique> {
    shop.note(ids);
    if ids.contains(&13) { Err(Unique("unlucky")) } else { Ok(ids.iter().map(|id| (*id, id * 2)).collect()) }
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
async fn later(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, String> {
    shop.note(ids);
    yield_now().await;
    Ok(ids.iter().map(|id| id * 2).collect())
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
async fn gated(shop: &Shop, ids: Vec<u32>) -> Vec<u32> {
    shop.note(&ids);
    shop.gate.notified().await;
    ids.into_iter().map(|id| id * 2).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn without_odd(shop: &Shop, ids: &[u32]) -> Vec<u32> {
    shop.note(ids);
    ids.iter().copied().filter(|id| id % 2 == 0).collect()
}
