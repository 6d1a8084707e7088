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

/// Connections that no thread is using, the last used last.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// Sends a request that may be sent twice, and waits for the answer. An error that the server answers with
    /// is a value here.
    pub(super) fn send(&self, settings: &Settings, request: &Request) -> RedisResult<Value> {
        let idle = self.idle.lock().pop();
        if let Some(connection) = idle {
            match self.exchange(connection, request) {
                // The server has gone since, and with it the other connections.
                Err(broken) if broken.is_connection_dropped() => self.idle.lock().clear(),
                outcome => return outcome,
            }
        }
        settings.provide_cryptography();
        let connection = settings.nodes[0].get_connection_with_timeout(settings.connect_timeout)?;
        connection.set_read_timeout(Some(settings.timeout))?;
        connection.set_write_timeout(Some(settings.timeout))?;
        self.exchange(connection, request)
    }

    fn exchange(&self, mut connection: Connection, request: &Request) -> RedisResult<Value> {
        let answer = match request {
            Request::One(command) => connection.req_command(command)?,
            Request::Many(commands) => {
                let packed = commands.get_packed_pipeline();
                Value::Array(connection.req_packed_commands(&packed, 0, commands.len())?)
            }
        };
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }
}
