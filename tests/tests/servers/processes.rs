//! Processes that share entries, as the replicas of a service do, while a new version is rolled out.

use std::process::Command;

use crate::server::Server;

/// Runs a process that calls the function of this version for these users: what it returned, and how often its
/// body ran.
fn node(server: &Server, version: &str, users: &[&str]) -> (Vec<String>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_node"))
        .args([server.kind(), &server.url(), version, "acme"])
        .args(users)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let bodies = lines.pop().unwrap();
    (lines, bodies)
}

crate::over_each_server!(
    two_processes_share_entries_both_ways,
    hazard_05_a_process_of_an_older_version_never_reads_a_newer_ones_bytes,
);

fn two_processes_share_entries_both_ways(server: &Server) {
    let (first, bodies) = node(server, "1", &["ada", "brian"]);
    assert_eq!(bodies, "2 bodies");
    let (second, bodies) = node(server, "1", &["brian", "cleo", "ada"]);
    assert_eq!(bodies, "1 bodies");
    assert_eq!([&second[2], &second[0]], [&first[0], &first[1]]);
    let (third, bodies) = node(server, "1", &["cleo"]);
    assert_eq!((&third[0], bodies.as_str()), (&second[1], "0 bodies"));
}

fn hazard_05_a_process_of_an_older_version_never_reads_a_newer_ones_bytes(server: &Server) {
    let old = r#"Profile { name: "ada of acme", age: 1 }"#;
    let new = r#"Profile { age: 2, name: "ada of acme", nickname: "ADA" }"#;
    // Old and new processes take turns, as in a rolling deploy; each finds its own entry, and only that.
    for (version, expected, bodies) in
        [("1", old, "1 bodies"), ("2", new, "1 bodies"), ("1", old, "0 bodies"), ("2", new, "0 bodies")]
    {
        assert_eq!(node(server, version, &["ada"]), (vec![expected.to_owned()], bodies.to_owned()));
    }
}
