//! One Redis server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::panic::catch_unwind;
use std::thread;

use cacheado_servers::Redis;

#[test]
fn it_answers_and_counts() {
    let Some(redis) = Redis::start() else { return };
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}/", redis.port()));
    assert_eq!(redis.command(&["SET", "b", "two words"]), "OK");
    assert_eq!(redis.command(&["GET", "b"]), "two words");
    assert_eq!(redis.command(&["GET", "a"]), "(nil)");
    assert_eq!(redis.command(&["PTTL", "b"]), "-1");
    assert_eq!(redis.command(&["MSET", "a", "", "c", "ü\r\n"]), "OK");
    assert_eq!(redis.command(&["MGET", "a", "c", "d"]), "\nü\r\n\n(nil)");
    assert_eq!(redis.keys(), ["a", "b", "c"]);
    assert_eq!(redis.calls("get"), 2);
    assert_eq!(redis.calls("MGET"), 1);
    assert_eq!(redis.calls("del"), 0);
}

#[test]
fn its_own_commands_do_not_count() {
    let Some(redis) = Redis::start() else { return };
    let mut client = BufReader::new(TcpStream::connect(("127.0.0.1", redis.port())).unwrap());
    let mut pong = String::new();
    assert_eq!((redis.commands_processed(), redis.reads_processed()), (0, 0));
    client.get_mut().write_all(b"PING\r\n").unwrap();
    client.read_line(&mut pong).unwrap();
    assert_eq!((redis.commands_processed(), redis.reads_processed()), (1, 1));
    client.get_mut().write_all(b"PING\r\nPING\r\n").unwrap();
    client.read_line(&mut pong).unwrap();
    client.read_line(&mut pong).unwrap();
    assert_eq!((redis.commands_processed(), redis.reads_processed()), (3, 2));
    assert_eq!((redis.commands_processed(), redis.reads_processed()), (3, 2));
    assert_eq!(pong, "+PONG\r\n".repeat(3));
}

#[test]
fn a_restart_keeps_the_port_and_nothing_else() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port();
    redis.command(&["SET", "key", "value"]);
    redis.kill();
    // Nobody can take the port: not one who asks for any, not a client that tries to reconnect.
    for _ in 0..200 {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
    redis.kill();
    redis.restart();
    assert_eq!(redis.port(), port);
    assert_eq!(redis.keys(), [""; 0]);
    assert_eq!(redis.commands_processed(), 0);
    redis.restart();
}

#[test]
fn a_pause_leaves_what_is_asked_unanswered() {
    let Some(redis) = Redis::start() else { return };
    redis.pause();
    let mut client = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    client.write_all(b"PING\r\n").unwrap();
    let waiting = thread::spawn(move || {
        let mut pong = String::new();
        BufReader::new(client).read_line(&mut pong).map(|_| pong).unwrap()
    });
    redis.resume();
    assert_eq!(waiting.join().unwrap(), "+PONG\r\n");
}

#[test]
fn a_password_is_asked_of_others_only() {
    let Some(redis) = Redis::start_with(&["--requirepass", "secret"]) else { return };
    assert_eq!(redis.command(&["PING"]), "PONG");
    let mut client = BufReader::new(TcpStream::connect(("127.0.0.1", redis.port())).unwrap());
    client.get_mut().write_all(b"PING\r\n").unwrap();
    let mut answer = String::new();
    client.read_line(&mut answer).unwrap();
    assert!(answer.starts_with("-NOAUTH"), "{answer}");
}

#[test]
fn what_it_says_when_it_does_not_start_is_shown() {
    match catch_unwind(|| Redis::start_with(&["--no-such-option", "1"])) {
        Ok(started) => assert!(started.is_none(), "an option that does not exist"),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().expect("a message");
            assert!(message.contains("Bad directive"), "{message}");
        }
    }
}
