//! Where a peer is better than cacheado, as plainly as what it is that is better.

use std::fmt::Write as _;

use super::Report;
use super::comparison::Unit;

pub(super) const TITLE: &str = "Where a peer is ahead";

/// Every row of every comparison in which a peer does better than ours.
pub(super) fn table(report: &Report) -> String {
    let mut rows = String::new();
    for compared in report.compared.iter().filter(|compared| !compared.are_all_ours) {
        let of = |name| compared.rows.iter().find(|row| row.name == name);
        let Some(ours) = compared.subject.and_then(of) else { continue };
        for peer in compared.rows.iter().filter(|row| row.is_peer()) {
            let (is_ahead, figure) = match compared.unit {
                Unit::HitRate => (peer.value > ours.value, format!("{:.4} / {:.4}", ours.value, peer.value)),
                Unit::Time | Unit::Bytes => {
                    (peer.value < ours.value, format!("{:.2}", ours.value / peer.value))
                }
            };
            if is_ahead {
                let _ =
                    writeln!(rows, "| {} | {} | {} | {figure} |", compared.workload, ours.name, peer.name);
            }
        }
    }
    if rows.is_empty() {
        return "Nowhere, in what was run.".to_owned();
    }
    format!(
        "Every row of the tables in which a peer does better than ours.\n\n\
         | workload | ours | peer | ours / peer's |\n|---|---|---|---:|\n{}",
        rows.trim_end()
    )
}
