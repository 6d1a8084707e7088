//! The Redis protocol, as much of it as tests need.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A server that does not answer within it is paused, or stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A status, a number or a string.
    Text(String),
    /// None.
    Nil,
    /// Several.
    List(Vec<Reply>),
    /// A refusal.
    Error(String),
}

/// A connection of the helper's own.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    sent: u64,
}

impl Connection {
    /// A connection to a port of this machine.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), sent: 0 })
    }

    /// One command, and the answer to it.
    pub(crate) fn call(&mut self, command: &[&str]) -> io::Result<Reply> {
        let mut request = Vec::new();
        write!(request, "*{}\r\n", command.len())?;
        for part in command {
            write!(request, "${}\r\n{part}\r\n", part.len())?;
        }
        self.stream.get_mut().write_all(&request)?;
        self.sent += 1;
        self.reply()
    }

    /// How many commands it has sent, which the server's own counters include.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.trim_end_matches("\r\n");
        let odd = || Error::new(ErrorKind::InvalidData, format!("not an answer: {line:?}"));
        let kind = line.chars().next().ok_or(ErrorKind::UnexpectedEof)?;
        let rest = line.get(1..).ok_or_else(odd)?;
        Ok(match kind {
            '+' | ':' => Reply::Text(rest.to_owned()),
            '-' => Reply::Error(rest.to_owned()),
            '$' | '*' if rest == "-1" => Reply::Nil,
            '$' => {
                let mut bytes = vec![0; rest.parse::<usize>().map_err(|_| odd())? + 2];
                self.stream.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Reply::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            '*' => {
                let count = rest.parse::<usize>().map_err(|_| odd())?;
                Reply::List((0..count).map(|_| self.reply()).collect::<io::Result<_>>()?)
            }
            _ => return Err(odd()),
        })
    }
}
