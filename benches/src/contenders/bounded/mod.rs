//! `(&str, u64) -> Arc<Item>` over caches of a given bound: what is not there is computed and stored, and drives
//! out another entry where the cache is full.
//!
//! | file | subject |
//! |---|---|
//! | `functions` | annotated functions, ours and theirs, once for each bound |
//! | `stores` | the data structures |

mod functions;
mod stores;

use super::Contender;
use crate::workloads::{StructKey, build_item};

/// What everything else is compared with: the function without a cache.
pub(crate) const BODY: &str = "the body alone";

/// An insertion without a lookup before it, and the body.
pub(crate) const INSERT: &str = "quick_cache insert";

/// The bound of the caches that [`missing`] gives.
pub(crate) const MISSING: usize = 100_000;

/// For calls that all miss.
pub(crate) fn missing() -> Vec<Contender<StructKey>> {
    let mut all = functions::missing::ours();
    all.extend(functions::missing::theirs());
    all.extend([
        stores::insert(MISSING),
        stores::quick_cache(MISSING),
        stores::moka(MISSING),
        Contender::new(BODY, |(tenant, id)| build_item(tenant, id)),
    ]);
    all
}

/// The bound of the caches that [`mixed`] gives.
pub(crate) const MIXED: usize = 10_000;

/// For calls of which some miss.
pub(crate) fn mixed() -> Vec<Contender<StructKey>> {
    let mut all = functions::mixed::ours();
    all.push(functions::adaptive());
    all.extend(functions::mixed::theirs());
    all.extend([stores::quick_cache(MIXED), stores::moka(MIXED)]);
    all
}

/// The bound of the caches that [`million`] gives: more than the keys, so that nothing is driven out.
const MILLION: usize = 2_000_000;

/// For hits among a million entries.
pub(crate) fn million() -> Vec<Contender<StructKey>> {
    let mut all = functions::million::ours();
    all.truncate(1);
    all.extend(functions::million::theirs());
    all.extend([stores::quick_cache(MILLION), stores::moka(MILLION), stores::dashmap()]);
    all
}
