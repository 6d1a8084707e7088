//! Connections for callers that block: sync functions.
//!
//! A thread takes one for as long as an operation takes, and gives it back. One that has failed in any way is
//! closed: what it would answer next may be the answer to what it was asked before.

use parking_lot::Mutex;
use redis::{Connection, ConnectionLike as _, RedisResult, Value};

use super::link::Request;
use super::settings::Settings;

/// How many connections are kept open without being used.
const KEPT: usize = 16;

/// Connections that threads use.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

/// Those that no thread is using, the last used last.
#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// How often all have been given up: what was made before is not given back.
    era: u64,
}

impl Pool {
    /// Sends a request that may be sent twice, and waits for the answer. An error that the server answers with
    /// is a value here.
    pub(super) fn send(&self, settings: &Settings, request: &Request) -> RedisResult<Value> {
        let (idle, era) = {
            let mut idle = self.0.lock();
            (idle.connections.pop(), idle.era)
        };
        if let Some(connection) = idle {
            match self.exchange(connection, era, request) {
                // The server has gone since, and with it the other connections.
                Err(broken) if broken.is_connection_dropped() => self.0.lock().connections.clear(),
                outcome => return outcome,
            }
        }
        settings.provide_cryptography();
        let connection = settings.nodes[0].get_connection_with_timeout(settings.connect_timeout)?;
        connection.set_read_timeout(Some(settings.timeout))?;
        connection.set_write_timeout(Some(settings.timeout))?;
        self.exchange(connection, era, request)
    }

    /// Uses none of the connections any more that there are.
    pub(super) fn discard_all(&self) {
        let mut idle = self.0.lock();
        idle.era += 1;
        idle.connections.clear();
    }

    fn exchange(&self, mut connection: Connection, era: u64, request: &Request) -> RedisResult<Value> {
        let answer = match request {
            Request::One(command) => connection.req_command(command)?,
            Request::Many(commands) => {
                let packed = commands.get_packed_pipeline();
                Value::Array(connection.req_packed_commands(&packed, 0, commands.len())?)
            }
        };
        let mut idle = self.0.lock();
        if idle.era == era && idle.connections.len() < KEPT {
            idle.connections.push(connection);
        }
        Ok(answer)
    }
}
