//! The examples over real servers, each against one of its own; and what they say where there is none.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};

use cacheado_servers::{MongoDb, Redis};

/// Where cargo puts examples: beside the directory of this test's own program.
fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows where it is");
    path.pop();
    path.pop();
    path.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
}

/// Runs an example with the address as its argument, and once more with it in the environment.
fn run(name: &str, variable: &str, address: &str) -> String {
    let outputs = [
        output(Command::new(program(name)).arg(address)),
        output(Command::new(program(name)).env(variable, address)),
    ];
    for Output { status, stdout, stderr } in &outputs {
        let [out, err] = [stdout, stderr].map(|text| String::from_utf8_lossy(text));
        assert!(status.success(), "{out}\n{err}");
    }
    String::from_utf8_lossy(&outputs[0].stdout).into_owned()
}

#[test]
fn redis() {
    let Some(server) = Redis::start() else { return };
    let text = run("redis", "REDIS_URL", &server.url());
    assert!(text.contains("4 calls, 2 bodies ran"), "{text}");
    assert!(text.contains("organization:acme: 3 entries went"), "{text}");
}

#[test]
fn mongodb() {
    let Some(server) = MongoDb::start() else { return };
    let text = run("mongodb", "MONGODB_URI", &server.uri());
    assert!(text.contains("4 calls, 2 bodies ran"), "{text}");
    assert!(text.contains("organization:acme: 2 entries went"), "{text}");
}

#[test]
fn mongodb_without_a_replica_set() {
    let Some(server) = MongoDb::standalone() else { return };
    run("mongodb", "MONGODB_URI", &server.uri());
}

#[test]
fn near_cache() {
    let Some(server) = Redis::start() else { return };
    let text = run("near_cache", "REDIS_URL", &server.url());
    assert!(text.contains("2,002 calls on two nodes, 1 body ran"), "{text}");
}

#[test]
fn without_a_server_they_say_so() {
    for (name, address) in [
        ("redis", "redis://127.0.0.1:1"),
        ("near_cache", "redis://127.0.0.1:1"),
        ("mongodb", "mongodb://127.0.0.1:1"),
    ] {
        let Output { status, stderr, .. } = output(Command::new(program(name)).arg(address));
        let text = String::from_utf8_lossy(&stderr);
        assert!(
            !status.success() && text.contains("to work with") && text.contains("Start a"),
            "{name}: {text}"
        );
    }
}
