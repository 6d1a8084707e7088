//! `batch(ids)`.

use std::collections::{BTreeMap, HashMap};

use cacheado::cached;

#[cached(batch(idz))]
fn unknown(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cached(batch)]
fn unnamed(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cached(batch(a, b))]
fn two(a: &[u32], b: &[u32]) -> Vec<u32> {
    [a, b].concat()
}

#[cached(batch(id))]
fn no_list(id: u32) -> Vec<u32> {
    vec![id]
}

#[cached(batch(ids))]
fn another_list(ids: &Vec<u32>) -> Vec<u32> {
    ids.clone()
}

#[cached(batch(ids))]
fn plain(ids: &[u32]) -> u32 {
    ids.iter().sum()
}

#[cached(batch(ids))]
fn nothing(ids: &[u32]) {
    let _ = ids;
}

#[cached(batch(ids))]
fn optional(ids: &[u32]) -> Option<Vec<u32>> {
    Some(ids.to_vec())
}

#[cached(batch(ids), cache_err = "5s")]
fn errors(ids: &[u32]) -> Result<Vec<u32>, String> {
    Ok(ids.to_vec())
}

#[cached(batch(ids), skip(ids))]
fn skipped(ids: &[u32], language: &str) -> Vec<String> {
    ids.iter().map(|_| language.to_owned()).collect()
}

#[cached(batch(ids), key(language))]
fn left_out(ids: &[u32], language: &str) -> Vec<String> {
    ids.iter().map(|_| language.to_owned()).collect()
}

#[cached(batch(ids), skip(seen))]
fn mutable(ids: &[u32], seen: &mut Vec<u32>) -> Vec<u32> {
    seen.extend(ids);
    ids.to_vec()
}

struct Repo;

impl Repo {
    #[cached(batch(ids), skip(self))]
    fn consuming(self, ids: &[u32]) -> Vec<u32> {
        ids.to_vec()
    }
}

type Sorted = BTreeMap<u32, u32>;

#[cached(batch(ids), companions = false)]
fn alias(ids: &[u32]) -> Sorted {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[cached(batch(ids), companions = false)]
fn other_keys(ids: &[u32]) -> HashMap<String, u32> {
    ids.iter().map(|id| (id.to_string(), *id)).collect()
}

#[cached(batch(ids), cache_none)]
fn never_none(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cached(batch(ids), key = (language, table.ids))]
fn left_out_of_an_expression(ids: &[u32], language: &str, table: &Table) -> Vec<String> {
    ids.iter().chain(&table.ids).map(|_| language.to_owned()).collect()
}

struct Table {
    ids: Vec<u32>,
}

fn main() {}
