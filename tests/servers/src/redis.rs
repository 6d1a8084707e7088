//! One Redis server.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::port::Port;
use crate::process::Process;
use crate::resp::{Connection, Reply};
use crate::tls::Tls;
use crate::{program, wait};

/// A Redis server of one's own, empty and without persistence: what it held is gone when it is killed.
pub struct Redis {
    port: Port,
    password: Option<String>,
    connection: Mutex<Option<Connection>>,
    process: Process,
}

/// Without the password, which tests look for in what others print.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("port", &self.port()).finish_non_exhaustive()
    }
}

impl Redis {
    /// Starts one, and waits until it answers. `None` only if tests are to skip servers.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, with more arguments for `redis-server`, such as `["--requirepass", "secret"]`.
    pub fn start_with(args: &[&str]) -> Option<Self> {
        program::redis().map(|program| Self::run(program, args))
    }

    /// Starts one that also listens with TLS, and says where.
    pub fn start_tls() -> Option<(Self, Tls)> {
        let program = program::redis()?;
        let tls = Tls::new();
        let redis = Self::run(program, &tls.args().each_ref().map(String::as_str));
        Some((redis, tls))
    }

    pub(crate) fn run(program: PathBuf, more: &[&str]) -> Self {
        let port = Port::reserve();
        let password = more.windows(2).find(|pair| pair[0] == "--requirepass").map(|pair| pair[1].to_owned());
        let process = Process::start(program, |directory| {
            let number = port.number().to_string();
            let args = ["--port", &number, "--bind", "127.0.0.1", "--dir", directory];
            let plain = ["--save", "", "--appendonly", "no"];
            args.iter().chain(&plain).chain(more).map(ToString::to_string).collect()
        });
        let redis = Self { port, password, connection: Mutex::new(None), process };
        redis.ready();
        redis
    }

    /// The address, without a password: `redis://127.0.0.1:6379/`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port())
    }

    /// The port on 127.0.0.1, which stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Ends it at once (SIGKILL), and waits until it is gone. Nothing, if it is.
    pub fn kill(&self) {
        self.forget();
        self.process.kill();
    }

    /// Starts it anew, empty, on the same port, and waits until it answers. One that runs is killed before.
    pub fn restart(&self) {
        self.forget();
        self.process.restart();
        self.ready();
    }

    /// Stops it where it is (SIGSTOP): connections stay open and are not answered.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// What the server answers to a command: a number as digits, nothing as `(nil)`, a list as one line each.
    ///
    /// # Panics
    ///
    /// If it refuses the command, or is not there.
    pub fn command(&self, command: &[&str]) -> String {
        match self.list(command) {
            None => "(nil)".to_owned(),
            Some(lines) => lines.join("\n"),
        }
    }

    /// All keys of database 0, sorted. For tests only: it stops the server for as long as it has keys to list.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.list(&["KEYS", "*"]).unwrap_or_default();
        keys.sort_unstable();
        keys
    }

    /// How often a command was called since the server started, by clients and by scripts: `calls("get")`.
    pub fn calls(&self, command: &str) -> u64 {
        let name = format!("cmdstat_{}:calls=", command.to_lowercase());
        self.info("commandstats", &name).map_or(0, |(calls, _)| calls)
    }

    /// How many commands there were since the server started, by clients and by scripts. Those of this helper
    /// do not count.
    pub fn commands_processed(&self) -> u64 {
        let (all, own) = self.info("stats", "total_commands_processed:").expect("a counter");
        all - (own - 1) // a command is counted when it is done
    }

    /// How often the server has read something from a client since it started: one a round trip, even if that
    /// carries several commands, and one when a connection closes. Those of this helper do not count.
    pub fn reads_processed(&self) -> u64 {
        let (all, own) = self.info("stats", "total_reads_processed:").expect("a counter");
        all - own
    }

    /// A counter, and how many commands this helper has sent.
    fn info(&self, section: &str, name: &str) -> Option<(u64, u64)> {
        let report = self.command(&["INFO", section]);
        let rest = report.lines().find_map(|line| line.strip_prefix(name))?;
        let digits = rest.split(',').next()?;
        let own = self.connection.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.sent();
        Some((digits.trim().parse().ok()?, own))
    }

    fn list(&self, command: &[&str]) -> Option<Vec<String>> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = connection.as_mut().expect("a server that runs");
        let reply = connection.call(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = Vec::new();
        match reply {
            Reply::Nil => return None,
            Reply::Error(error) => panic!("{command:?}: {error}"),
            reply => flatten(reply, &mut lines),
        }
        Some(lines)
    }

    fn forget(&self) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn ready(&self) {
        let connection = wait::until("Redis to answer", || {
            self.process.check().unwrap_or_else(|end| panic!("{end}"));
            self.greet()
        });
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    fn greet(&self) -> Result<Connection, String> {
        let mut connection = Connection::open(self.port()).map_err(|error| error.to_string())?;
        let hello = self.password.as_ref().map(|password| ["AUTH", password]);
        let hello: &[&str] = hello.as_ref().map_or(&["PING"], |auth| auth);
        match connection.call(hello) {
            Ok(Reply::Text(_)) => Ok(connection),
            other => Err(format!("{other:?}")),
        }
    }
}

fn flatten(reply: Reply, lines: &mut Vec<String>) {
    match reply {
        Reply::Text(text) => lines.push(text),
        Reply::Nil => lines.push("(nil)".to_owned()),
        Reply::Error(error) => lines.push(format!("(error) {error}")),
        Reply::List(list) => list.into_iter().for_each(|reply| flatten(reply, lines)),
    }
}
