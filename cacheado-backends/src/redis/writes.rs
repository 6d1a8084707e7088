//! What changes one entry.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use super::connection::Again;
use super::keys::Shard;
use super::scripts::{Joined, Name, SCRIPTS};
use super::{Redis, unexpected, value};
use crate::contract::{Claim, FILL_WINDOW, Filled, Group, New, Place};
use crate::error::{Error, ErrorKind, Result};

/// More than Redis takes as one string.
const TOO_LARGE: usize = 512 << 20;
/// The longest lifetime that is written down: three thousand years.
pub(super) const LONGEST: Duration = Duration::from_secs(100_000_000_000);

impl Redis {
    /// Announces a fill.
    pub(super) async fn announce(&self, key: &str, route: &str) -> Result<Claim> {
        let begun = Instant::now(); // before the server is asked, so that a claim never seems too young
        let shard = self.layout().shard(route);
        let mut command = SCRIPTS.begin.on(shard, [Name::entry(shard, key)].into_iter());
        command.arg(format!("g:{}", nonce()));
        let answer = self.connections().run(&SCRIPTS.begin, command, shard.route, Again::Harmless).await;
        match answer.map_err(self.report("begin"))? {
            Value::BulkString(token) => Ok(Claim { token, taken: begun }),
            _ => Err(unexpected("begin")),
        }
    }

    /// Stores what was announced, unless an eviction has come since; the notice is told where it is stored.
    pub(super) async fn complete(
        &self,
        at: &Place,
        new: New<'_>,
        claim: &Claim,
        notice: Option<&[u8]>,
    ) -> Result<Filled> {
        if claim.taken.elapsed() >= FILL_WINDOW {
            return Ok(Filled::Fenced);
        }
        let shard = self.layout().shard(&at.route);
        let groups = &at.groups;
        let keys = keys(shard, &at.key, groups);
        let mut command = SCRIPTS.fill.on(shard, keys.iter().copied());
        add_value(&mut command, "fill", groups, new)?;
        command.arg(&claim.token);
        if notice.is_some() {
            self.add_notice(&mut command, shard, notice);
        }
        // To tell a notice again does no harm.
        let answer = self.connections().run(&SCRIPTS.fill, command, shard.route, Again::Harmless).await;
        match answer.map_err(self.report("fill"))? {
            Value::Int(0) => Ok(Filled::Fenced),
            _ => Ok(Filled::Stored),
        }
    }

    /// Stores a value whatever is there.
    pub(super) async fn overwrite(
        &self,
        key: &str,
        route: &str,
        groups: &[Group],
        new: New<'_>,
        notice: Option<&[u8]>,
    ) -> Result<()> {
        let shard = self.layout().shard(route);
        let keys = keys(shard, key, groups);
        let mut command = SCRIPTS.set.on(shard, keys.iter().copied());
        add_value(&mut command, "set", groups, new)?;
        self.add_notice(&mut command, shard, notice);
        let answer = self.connections().run(&SCRIPTS.set, command, shard.route, Again::Never).await;
        answer.map(drop).map_err(self.report("set"))
    }

    /// Gives a live entry another lifetime.
    pub(super) async fn prolong(&self, key: &str, route: &str, ttl: Option<Duration>) -> Result<bool> {
        let shard = self.layout().shard(route);
        let mut command = SCRIPTS.set_ttl.on(shard, [Name::entry(shard, key)].into_iter());
        command.arg(milliseconds(ttl));
        let answer = self.connections().run(&SCRIPTS.set_ttl, command, shard.route, Again::Harmless).await;
        Ok(answer.map_err(self.report("set ttl"))? == Value::Int(1))
    }

    /// Evicts the entry of a key.
    pub(super) async fn withdraw(&self, key: &str, route: &str, notice: Option<&[u8]>) -> Result<bool> {
        let shard = self.layout().shard(route);
        let mut command = SCRIPTS.evict.on(shard, [Name::entry(shard, key)].into_iter());
        self.add_notice(&mut command, shard, notice);
        let answer = self.connections().run(&SCRIPTS.evict, command, shard.route, Again::Never).await;
        Ok(answer.map_err(self.report("evict"))? == Value::Int(1))
    }

    /// Evicts the entry of a key, unless what was announced has been forbidden since; whether it has.
    pub(super) async fn take_back(&self, at: &Place, claim: &Claim, notice: Option<&[u8]>) -> Result<bool> {
        if claim.taken.elapsed() >= FILL_WINDOW {
            return Ok(false);
        }
        let shard = self.layout().shard(&at.route);
        let keys = keys(shard, &at.key, &at.groups);
        let mut command = SCRIPTS.retract.on(shard, keys.iter().copied());
        command.arg(&claim.token);
        self.add_notice(&mut command, shard, notice);
        let answer = self.connections().run(&SCRIPTS.retract, command, shard.route, Again::Never).await;
        Ok(answer.map_err(self.report("retract"))? == Value::Int(1))
    }

    /// The arguments of a script that may tell a notice.
    pub(super) fn add_notice(&self, command: &mut Cmd, shard: &Shard, notice: Option<&[u8]>) {
        command.arg(&self.layout().channel).arg(&shard.number);
        if let Some(notice) = notice {
            command.arg(notice);
        }
    }
}

/// What nobody else draws.
pub(super) fn nonce() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}

/// The keys that a script stores an entry by.
fn keys<'a>(shard: &'a Shard, key: &'a str, groups: &'a [Group]) -> Vec<Name<'a>> {
    let indexes = groups.iter().map(|group| Name::index(shard, &group.name));
    [Name::entry(shard, key)].into_iter().chain(indexes).collect()
}

/// The arguments of a script that stores a value.
fn add_value(command: &mut Cmd, operation: &'static str, groups: &[Group], new: New<'_>) -> Result<()> {
    let too_large =
        |what: &str| Err(Error::new(ErrorKind::TooLarge, operation, format!("{what} is too large")));
    let Some(trailer) = value::trailer(new.value.len(), groups) else {
        return too_large("the value, or the name of a group,");
    };
    if new.value.len() + trailer.len() >= TOO_LARGE {
        return too_large("the value");
    }
    command.arg(Joined([new.value, &trailer])).arg(milliseconds(new.ttl));
    Ok(())
}

/// A lifetime as scripts take it: whole milliseconds, not zero; nothing for ever.
pub(super) fn milliseconds(ttl: Option<Duration>) -> String {
    let whole = |ttl: Duration| ttl.min(LONGEST).as_nanos().div_ceil(1_000_000).max(1);
    ttl.map_or_else(String::new, |ttl| whole(ttl).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_12_lifetimes_are_rounded_up_and_have_an_end() {
        for (ttl, text) in [
            (Duration::ZERO, "1"),
            (Duration::from_nanos(1), "1"),
            (Duration::from_millis(1), "1"),
            (Duration::from_micros(1001), "2"),
            (Duration::from_secs(60), "60000"),
            (Duration::MAX, "100000000000000"),
        ] {
            assert_eq!(milliseconds(Some(ttl)), text, "{ttl:?}");
        }
        assert_eq!(milliseconds(None), "");
    }
}
