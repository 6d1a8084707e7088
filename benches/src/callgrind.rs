//! An exact number of hits, so that the difference between two runs is what hits cost.

use crate::bodies;
use crate::contenders;
use crate::workloads::{order, struct_keys};

/// Calls of one pass over the access order.
const PASS: usize = 10_000;

/// Warms one contender of the struct workload up, then hits it `hits` times.
pub(crate) fn run(name: &str, hits: usize) -> Result<(), String> {
    let all = contenders::structs();
    let names = all.iter().map(|contender| contender.name).collect::<Vec<_>>().join(", ");
    let contender = all
        .into_iter()
        .find(|contender| contender.name == name)
        .ok_or_else(|| format!("no contender `{name}`; there are: {names}"))?;
    let keys = struct_keys();
    (contender.fill)(&keys);
    let calls = order(&keys, PASS, 0);
    (contender.run)(&calls);

    let before = bodies::everywhere();
    let mut left = hits;
    while left > 0 {
        let pass = left.min(PASS);
        (contender.run)(&calls[..pass]);
        left -= pass;
    }
    if bodies::everywhere() == before { Ok(()) } else { Err("a call was not a hit".to_owned()) }
}
