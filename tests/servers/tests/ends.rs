//! What becomes of a server when its test ends, whichever way, and what is said where there is none.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cacheado_servers::Redis;

#[test]
fn a_drop_ends_it() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port();
    drop(redis);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_panic_ends_it_though_it_is_paused() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port();
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        redis.pause();
        panic!("of a test, with {redis:?}")
    }));
    assert!(panicked.is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_kill_of_the_test_ends_redis() {
    a_kill_of_the_test_ends("redis");
}

#[test]
fn a_kill_of_the_test_ends_mongodb() {
    a_kill_of_the_test_ends("mongodb");
}

fn a_kill_of_the_test_ends(server: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(server);
    fs::create_dir_all(&folder).unwrap();
    let is_empty = || fs::read_dir(&folder).unwrap().next().is_none();
    let mut holder = serve(server).env("TMPDIR", &folder).stdin(Stdio::piped()).spawn().unwrap();
    let Some(port) = port(&mut holder) else { return };
    assert!(!is_empty());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());

    holder.kill().unwrap();
    holder.wait().unwrap();
    until("the server's end", || TcpStream::connect(("127.0.0.1", port)).is_err());
    until("the end of its directory", is_empty);
}

#[test]
fn without_its_program_the_line_that_installs_it_is_shown() {
    let mut command = serve("redis");
    let output = run(command.env("PATH", "/nowhere").env_remove("CACHEADO_SKIP_SERVERS"));
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("redis-server is missing") && said.contains("scripts/servers.sh\n"), "{said}");

    let mut command = serve("mongodb");
    let output = run(command.env("CACHEADO_MONGOD", "/nowhere").env_remove("CACHEADO_SKIP_SERVERS"));
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("CACHEADO_MONGOD is /nowhere"), "{said}");
}

#[test]
fn skipping_is_said() {
    for server in ["redis", "cluster", "mongodb", "standalone"] {
        let output = run(serve(server).env("CACHEADO_SKIP_SERVERS", "1").env("PATH", "/nowhere"));
        assert!(output.status.success());
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("SKIPPED: "), "{said}");
    }
}

#[test]
fn a_run_shares_redis_and_mongodb_until_it_ends() {
    let mut holder = serve("shared").stdin(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let lines: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let ports: Vec<u16> = lines.iter().flat_map(|line| line.split(' ')).map(port_in).collect();
    if !ports.is_empty() {
        assert_eq!(
            (lines.len(), ports.len()),
            (4, 6),
            "a server each, and the three of the cluster: {lines:?}"
        );
    }
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()));

    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()));
}

fn serve(server: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
    command.arg(server).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// The port that it prints; `None` if servers are skipped.
fn port(holder: &mut Child) -> Option<u16> {
    let mut address = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut address).unwrap();
    if address.is_empty() {
        assert!(holder.wait().unwrap().success(), "no server, but not skipped");
        return None;
    }
    Some(port_in(&address))
}

fn port_in(address: &str) -> u16 {
    let (_, rest) = address.split_once("127.0.0.1:").unwrap();
    rest.split_once('/').unwrap().0.parse().unwrap()
}

/// Waits for what other processes do.
fn until(what: &str, it: impl Fn() -> bool) {
    let begin = Instant::now();
    while !it() {
        assert!(begin.elapsed() < Duration::from_secs(30), "hung: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
