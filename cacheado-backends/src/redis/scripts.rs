//! The scripts, and how one is called.
//!
//! A script is known to the server by its hash. A server that does not know it yet, or any more, says so, and is
//! then sent the text once: see [`Connections::run`](super::connection::Connections::run).

use std::io::Write as _;
use std::sync::LazyLock;

use redis::{Arg, Cmd, RedisWrite, ToRedisArgs};

use super::keys::Shard;

/// A script that runs on the server, as one atomic step.
#[derive(Debug)]
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(include_str!("scripts/common.lua"), include_str!(concat!("scripts/", $file))))
    };
}

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) begin_leased: Script,
    pub(super) abandon: Script,
    pub(super) disown: Script,
    pub(super) fill: Script,
    pub(super) set: Script,
    pub(super) set_ttl: Script,
    pub(super) evict: Script,
    pub(super) retract: Script,
    pub(super) evict_group: Script,
    pub(super) count: Script,
    pub(super) names: Script,
    pub(super) tell: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    begin: script!("begin.lua"),
    begin_leased: script!("begin_leased.lua"),
    abandon: script!("abandon.lua"),
    disown: script!("disown.lua"),
    fill: script!("fill.lua"),
    set: script!("set.lua"),
    set_ttl: script!("set_ttl.lua"),
    evict: script!("evict.lua"),
    retract: script!("retract.lua"),
    evict_group: script!("evict_group.lua"),
    count: script!("count.lua"),
    names: script!("names.lua"),
    tell: script!("tell.lua"),
});

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    /// The command that runs it on keys of a shard; its arguments are still to come.
    pub(super) fn on<'a>(&self, shard: &'a Shard, keys: impl ExactSizeIterator<Item = Name<'a>>) -> Cmd {
        let mut command = Cmd::with_capacity(16, 512);
        command.arg("EVALSHA").arg(&self.hash).arg(3 + keys.len());
        for own in ["a", "f", "s"] {
            command.arg(Name(shard, [own, ""]));
        }
        for key in keys {
            command.arg(key);
        }
        command
    }

    /// The same command with the text of the script in place of its hash.
    pub(super) fn in_full(&self, command: &Cmd) -> Cmd {
        let mut full = Cmd::new();
        full.arg("EVAL").arg(self.code);
        for argument in command.args_iter().skip(2) {
            if let Arg::Simple(bytes) = argument {
                full.arg(bytes);
            }
        }
        full
    }
}

/// A key of a shard, put together where it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a>(&'a Shard, [&'a str; 2]);

impl<'a> Name<'a> {
    /// That of an entry.
    pub(super) fn entry(shard: &'a Shard, key: &'a str) -> Self {
        Self(shard, ["e:", key])
    }

    /// That of the index of a group.
    pub(super) fn index(shard: &'a Shard, group: &'a str) -> Self {
        Self(shard, ["i:", group])
    }

    /// That of the lease on an entry.
    pub(super) fn lease(shard: &'a Shard, key: &'a str) -> Self {
        Self(shard, ["l:", key])
    }

    /// That of the index of all entries.
    pub(super) fn entries(shard: &'a Shard) -> Self {
        Self(shard, ["a", ""])
    }

    /// Writes its bytes after others.
    pub(super) fn write_to(self, bytes: &mut Vec<u8>) {
        let Self(shard, [kind, key]) = self;
        for part in [&*shard.space, kind, key] {
            bytes.extend_from_slice(part.as_bytes());
        }
    }

    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        let Self(shard, [kind, key]) = self;
        shard.space.len() + kind.len() + key.len()
    }

    /// That of the number of the last notice.
    pub(super) fn sequence(shard: &'a Shard) -> Self {
        Self(shard, ["s", ""])
    }
}

impl ToRedisArgs for Name<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        write_joined(out, [self.0.space.as_bytes(), self.1[0].as_bytes(), self.1[1].as_bytes()]);
    }
}

/// Pieces that are sent as one argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined<'a>(pub(super) [&'a [u8]; 2]);

impl ToRedisArgs for Joined<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        write_joined(out, self.0);
    }
}

fn write_joined<W: ?Sized + RedisWrite, const N: usize>(out: &mut W, pieces: [&[u8]; N]) {
    let mut argument = out.writer_for_next_arg();
    for piece in pieces {
        // Writing to the memory of a command does not fail.
        let _ = argument.write_all(piece);
    }
}
