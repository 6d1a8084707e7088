//! What reads entries.

use std::time::Duration;

use redis::{Cmd, Pipeline, RedisError, Value};

use super::connection::Again;
use super::keys::Shard;
use super::link::Request;
use super::scripts::Name;
use super::{Redis, error, together, value};
use crate::contract::{BoxFuture, Entry, Wanted};
use crate::error::Result;

impl Redis {
    /// The entry of a key.
    pub(super) async fn read(&self, key: &str, route: &str, wanted: Wanted) -> Result<Option<Entry>> {
        let shard = self.layout().shard(route);
        let answer = match wanted {
            Wanted::Value => self.connections().read(Name::entry(shard, key), shard.route).await,
            // A large future, which a plain read shall not have to carry.
            Wanted::ValueAndLifetime => {
                let request = reading(shard, key, wanted);
                Box::pin(self.connections().send(&request, shard.route, Again::Harmless)).await
            }
        };
        answer.and_then(entry).map_err(self.report("get"))
    }

    /// The same while this thread waits. In a cluster there is no such way.
    pub(super) fn read_blocking(
        &self,
        key: &str,
        route: &str,
        wanted: Wanted,
    ) -> Option<Result<Option<Entry>>> {
        let settings = &self.connections().settings;
        if settings.cluster.is_some() {
            return None;
        }
        let request = reading(self.layout().shard(route), key, wanted);
        let answer = crate::io::blocking(|| self.connections().pool.send(settings, &request));
        Some(answer.and_then(entry).map_err(self.report("get")))
    }

    /// The entries of several keys, each with its route.
    pub(super) async fn read_many(
        &self,
        keys: &[(&str, &str)],
        wanted: Wanted,
    ) -> Result<Vec<Option<Entry>>> {
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); self.layout().shards().len()];
        for (position, (_, route)) in keys.iter().enumerate() {
            parts[self.layout().position(route)].push(position);
        }
        let mut reads: Vec<BoxFuture<'_, Result<Vec<Option<Entry>>>>> = Vec::new();
        for (positions, shard) in parts.iter().zip(self.layout().shards()) {
            if !positions.is_empty() {
                let names = positions.iter().map(|position| keys[*position].0);
                let request = reading_many(shard, names, wanted);
                reads.push(Box::pin(async move {
                    let answer = self.connections().send(&request, shard.route, Again::Harmless).await;
                    let read = answer.and_then(|answer| entries(answer, positions.len()));
                    read.map_err(self.report("get many"))
                }));
            }
        }
        let read = together(reads).await;
        let mut all = vec![None; keys.len()];
        for (positions, entries) in parts.iter().filter(|positions| !positions.is_empty()).zip(read) {
            for (position, entry) in positions.iter().zip(entries?) {
                all[*position] = entry;
            }
        }
        Ok(all)
    }
}

/// First how long it lives, if that is wanted: of an entry that is granted the same time anew between the two, that is too
/// little, not too much. Where it is granted less, what the reader knows of the value has to bound it.
fn reading(shard: &Shard, key: &str, wanted: Wanted) -> Request {
    let name = Name::entry(shard, key);
    let get = get(name);
    match wanted {
        Wanted::Value => Request::One(get),
        Wanted::ValueAndLifetime => {
            let mut both = Pipeline::with_capacity(2);
            both.add_command(of("PTTL", &[name], 0)).add_command(get);
            Request::Many(both)
        }
    }
}

/// The same for many.
fn reading_many<'a>(shard: &Shard, keys: impl Iterator<Item = &'a str>, wanted: Wanted) -> Request {
    let names: Vec<Name<'_>> = keys.map(|key| Name::entry(shard, key)).collect();
    let get = of("MGET", &names, 0);
    match wanted {
        Wanted::Value => Request::One(get),
        Wanted::ValueAndLifetime => {
            let mut all = Pipeline::with_capacity(1 + names.len());
            for name in names {
                all.add_command(of("PTTL", &[name], 0));
            }
            all.add_command(get);
            Request::Many(all)
        }
    }
}

/// The command that reads a key.
pub(super) fn get(name: Name<'_>) -> Cmd {
    of("GET", &[name], name.len())
}

/// A command on keys, of about this many bytes.
fn of(command: &str, names: &[Name<'_>], bytes: usize) -> Cmd {
    let mut whole = Cmd::with_capacity(1 + names.len(), command.len() + 2 + bytes);
    whole.arg(command);
    for name in names {
        whole.arg(name);
    }
    whole
}

/// What was read of one entry. Bytes that are not ours are no entry, and are left alone.
fn entry(answer: Value) -> Result<Option<Entry>, RedisError> {
    match answer {
        Value::BulkString(stored) => Ok(value::payload(stored).map(|value| Entry { value, remaining: None })),
        Value::Nil => Ok(None),
        Value::Array(both) => {
            let Ok([lifetime, stored]) = <[Value; 2]>::try_from(both) else {
                return Err(misread());
            };
            Ok(entry(stored)?.and_then(|entry| with_lifetime(entry, &lifetime)))
        }
        other => match other.extract_error() {
            Err(foreign) if error::is_foreign(&foreign) => Ok(None),
            Err(refused) => Err(refused),
            Ok(_) => Err(misread()),
        },
    }
}

/// What was read of several entries.
fn entries(answer: Value, expected: usize) -> Result<Vec<Option<Entry>>, RedisError> {
    let Value::Array(mut values) = answer.extract_error()? else {
        return Err(misread());
    };
    let mut lifetimes = Vec::new();
    if let Some(Value::Array(stored)) = values.pop_if(|last| matches!(last, Value::Array(_))) {
        lifetimes = std::mem::replace(&mut values, stored);
    }
    if values.len() != expected {
        return Err(misread());
    }
    let mut lifetimes = lifetimes.into_iter();
    let read = values.into_iter().map(|value| {
        let lifetime = lifetimes.next();
        let entry = entry(value)?;
        Ok(match (entry, lifetime) {
            (Some(entry), Some(lifetime)) => with_lifetime(entry, &lifetime),
            (entry, _) => entry,
        })
    });
    read.collect()
}

/// An entry with what `PTTL` says of it; none, if there was none then.
fn with_lifetime(mut entry: Entry, lifetime: &Value) -> Option<Entry> {
    match lifetime {
        Value::Int(-1) => Some(entry),
        Value::Int(left) => {
            entry.remaining = Some(Duration::from_millis(u64::try_from(*left).ok()?));
            Some(entry)
        }
        _ => None,
    }
}

pub(super) fn misread() -> RedisError {
    (redis::ErrorKind::UnexpectedReturnType, "the server's answer is of another kind").into()
}

#[cfg(test)]
mod tests {
    use super::super::keys::Layout;
    use super::*;

    /// The other way round, an entry that is made anew in between would be said to live as long as the new one.
    #[test]
    fn hazard_10_lifetimes_are_asked_for_before_values() {
        let layout = Layout::new("n", 1);
        let shard = layout.shard("");
        let commands = |request: Request| -> Vec<String> {
            let named = |command: &Cmd| match command.args_iter().next() {
                Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
                _ => String::new(),
            };
            match request {
                Request::One(command) => vec![named(&command)],
                Request::Many(commands) => commands.cmd_iter().map(named).collect(),
            }
        };
        assert_eq!(commands(reading(shard, "k", Wanted::ValueAndLifetime)), ["PTTL", "GET"]);
        assert_eq!(commands(reading(shard, "k", Wanted::Value)), ["GET"]);
        let many = |wanted| commands(reading_many(shard, ["k", "l"].into_iter(), wanted));
        assert_eq!(many(Wanted::ValueAndLifetime), ["PTTL", "PTTL", "MGET"]);
        assert_eq!(many(Wanted::Value), ["MGET"]);
    }

    #[test]
    fn what_is_not_ours_is_no_entry() {
        let bytes = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
        assert_eq!(entry(bytes(b"plain")).expect("read"), None);
        assert_eq!(entry(Value::Nil).expect("read"), None);
        entry(Value::Int(1)).expect_err("not an answer to GET");
        entry(Value::Array(vec![])).expect_err("half an answer");
        let gone = Value::Array(vec![Value::Int(-2), bytes(b"v\0\0\0\0\0\0\0\x01\xC1")]);
        assert_eq!(entry(gone).expect("read"), None);
        entries(Value::Array(vec![Value::Nil]), 2).expect_err("too few");
    }
}
