//! One MongoDB server.

use std::future::Future;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ClientOptions;

use crate::port::Port;
use crate::process::Process;
use crate::{program, wait};

/// A MongoDB server of one's own, empty at first. What it has acknowledged as journaled outlives a kill.
#[derive(Debug)]
pub struct MongoDb {
    port: Port,
    replicated: bool,
    process: Process,
}

/// How many operations there were since the server started, of each kind, its own among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the server's names")]
pub struct OpCounters {
    pub insert: u64,
    pub query: u64,
    pub update: u64,
    pub delete: u64,
    pub getmore: u64,
    pub command: u64,
}

impl MongoDb {
    /// Starts a replica set of one, and waits until it takes writes. `None` only if tests are to skip servers.
    pub fn start() -> Option<Self> {
        program::mongod().map(|program| Self::run(program, true, &[]))
    }

    /// Starts a server without a replica set, which has no transactions and no change streams.
    pub fn standalone() -> Option<Self> {
        Self::standalone_with(&[])
    }

    /// The same, with more arguments for `mongod`, such as `["--auth"]`: the first user is then created without
    /// a password, and the methods here that ask the server are refused from then on.
    pub fn standalone_with(args: &[&str]) -> Option<Self> {
        program::mongod().map(|program| Self::run(program, false, args))
    }

    fn run(program: PathBuf, replicated: bool, more: &[&str]) -> Self {
        let port = Port::reserve();
        let process = Process::start(program, |directory| {
            let number = port.number().to_string();
            let place =
                ["--dbpath", directory, "--port", &number, "--bind_ip", "127.0.0.1", "--nounixsocket"];
            let small = [
                "--wiredTigerCacheSizeGB",
                "0.25",
                "--wiredTigerEngineConfigString",
                "log=(file_max=8MB,prealloc=false)",
                "--setParameter",
                "ttlMonitorSleepSecs=1",
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
            ];
            let set: &[&str] = if replicated { &["--replSet", "rs0", "--oplogSize", "64"] } else { &[] };
            place.iter().chain(&small).chain(set).chain(more).map(ToString::to_string).collect()
        });
        let mongo = Self { port, replicated, process };
        if replicated {
            let host = format!("127.0.0.1:{}", mongo.port());
            let members = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
            mongo.ask(&doc! { "replSetInitiate": members });
        }
        mongo.ready();
        mongo
    }

    /// The address, with `replicaSet` or `directConnection`; more options follow after `&`.
    pub fn uri(&self) -> String {
        let how = if self.replicated { "replicaSet=rs0" } else { "directConnection=true" };
        format!("mongodb://127.0.0.1:{}/?{how}", self.port())
    }

    /// The port on 127.0.0.1, which stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Ends it at once (SIGKILL), and waits until it is gone. Nothing, if it is.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it anew on the same port, with what it held, and waits until it takes writes. One that runs is
    /// killed before.
    pub fn restart(&self) {
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

    /// How many operations there were, of each kind. The server itself has some, too, and so has asking.
    pub fn opcounters(&self) -> OpCounters {
        let status = self.ask(&doc! { "serverStatus": 1 });
        let counters = status.get_document("opcounters").expect("a part of the answer");
        let get = |name| count(counters, name);
        OpCounters {
            insert: get("insert"),
            query: get("query"),
            update: get("update"),
            delete: get("delete"),
            getmore: get("getmore"),
            command: get("command"),
        }
    }

    /// How often a command was called since the server started: `calls("find")`.
    pub fn calls(&self, command: &str) -> u64 {
        let status = self.ask(&doc! { "serverStatus": 1 });
        let commands = status.get_document("metrics").and_then(|metrics| metrics.get_document("commands"));
        let commands = commands.expect("a part of the answer");
        commands.get_document(command).map_or(0, |command| count(command, "total"))
    }

    /// Waits until it takes writes.
    fn ready(&self) {
        wait::until("MongoDB to take writes", || {
            let hello = self.ask(&doc! { "hello": 1 });
            hello.get_bool("isWritablePrimary").ok().filter(|primary| *primary).ok_or(hello.to_string())
        });
    }

    /// What the server answers to a command on `admin`.
    fn ask(&self, command: &Document) -> Document {
        let uri = format!(
            "mongodb://127.0.0.1:{}/?directConnection=true&serverSelectionTimeoutMS=10000",
            self.port()
        );
        wait::until("MongoDB to listen", || {
            self.process.check().unwrap_or_else(|end| panic!("{end}"));
            std::net::TcpStream::connect(("127.0.0.1", self.port())).map_err(|error| error.to_string())
        });
        let answer = block_on(async {
            let mut options = ClientOptions::parse(&uri).await?;
            options.heartbeat_freq = Some(Duration::from_millis(500));
            let client = Client::with_options(options)?;
            let answer = client.database("admin").run_command(command.clone()).await;
            client.shutdown().immediate(true).await;
            answer
        });
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

fn count(document: &Document, name: &str) -> u64 {
    let count = match document.get(name) {
        Some(Bson::Int32(count)) => i64::from(*count),
        Some(Bson::Int64(count)) => *count,
        other => panic!("{name} is {other:?}"),
    };
    count.try_into().expect("a count")
}

/// Runs it on a thread of its own, as the caller may be within a runtime.
fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(future)
        });
        worker.join().expect("no panic in the driver")
    })
}
