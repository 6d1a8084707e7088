//! Each example runs to its end: what it claims, it asserts.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

/// Where cargo puts examples: beside the directory of this test's own program.
fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows where it is");
    path.pop();
    path.pop();
    path.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn run(name: &str) -> String {
    let program = program(name);
    let output = Command::new(&program).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn quickstart() {
    let text = run("quickstart");
    assert!(text.contains("24 lookups, 9 bodies ran"), "{text}");
    assert!(text.contains("Bodies that ran: 5 for Acme, 0 for Globex."), "{text}");
}

#[test]
fn multi_tenant() {
    run("multi_tenant");
}

#[test]
fn rules() {
    run("rules");
}

#[test]
fn custom_rule() {
    run("custom_rule");
}

#[test]
fn custom_backend() {
    let text = run("custom_backend");
    assert!(text.contains("The second process computed nothing."), "{text}");
}

#[test]
fn methods() {
    run("methods");
}

#[test]
fn resilience() {
    let text = run("resilience");
    assert!(text.contains("past its time, 100 calls do not"), "{text}");
    assert!(text.contains("no answer in time"), "{text}");
}

#[test]
fn programmatic() {
    run("programmatic");
}
