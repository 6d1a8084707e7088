//! Of several nodes that want to compute an entry, one at a time.
//!
//! A lease is a key beside the entry that ends by itself. It holds the claim that it stands for, which tells
//! whose it is, and which evictions have come since: one that forbids the claim's fill has ended the lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Value;
use tokio::time::sleep;

use super::connection::Again;
use super::scripts::{Name, SCRIPTS};
use super::writes::{milliseconds, nonce};
use super::{Redis, unexpected, value};
use crate::contract::{Claim, Entry, Leased, Place, Terms};
use crate::error::Result;
use crate::io;

/// The pauses between attempts to give up what may have been granted: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

impl Redis {
    /// Announces a fill, unless another node is about to fill the place, or has.
    pub(super) async fn announce_leased(&self, at: &Place, terms: Terms) -> Result<Leased> {
        for look in [terms.look, false] {
            let leased = self.lease(at, Terms { look, ..terms }).await?;
            // Bytes that cannot be read do not do in place of a value.
            if let Some(leased) = leased {
                return Ok(leased);
            }
        }
        Err(unexpected("begin leased"))
    }

    /// `None`: there is an entry, which cannot be read.
    async fn lease(&self, at: &Place, terms: Terms) -> Result<Option<Leased>> {
        let begun = Instant::now(); // before the server is asked, so that a claim never seems too young
        let shard = self.layout().shard(&at.route);
        let own = [Name::entry(shard, &at.key), Name::lease(shard, &at.key)];
        let indexes = at.groups.iter().map(|group| Name::index(shard, &group.name));
        let keys: Vec<_> = own.into_iter().chain(indexes).collect();
        let mut command = SCRIPTS.begin_leased.on(shard, keys.into_iter());
        let owner = nonce();
        command.arg(format!("g:{}", nonce())).arg(&owner);
        command.arg(milliseconds(Some(terms.lasts))).arg(u8::from(terms.look));
        // Sent again, it finds its own lease, and takes it for that.
        let script = &SCRIPTS.begin_leased;
        let answer = self.connections().run(script, command, shard.route, Again::Harmless).await;
        let answer = answer.map_err(self.report("begin leased")).inspect_err(|error| {
            if error.kind().is_outage() {
                self.disown(at, owner, terms.lasts);
            }
        })?;
        leased(answer, begun).ok_or_else(|| unexpected("begin leased"))
    }

    /// Without an answer, a lease may have been granted, or will be when the server comes to it. It is given up in the
    /// background, so that nobody waits for what nobody has; where that fails until it is over, it has ended by itself.
    fn disown(&self, at: &Place, owner: String, lasts: Duration) {
        let Ok(io) = io::handle() else { return };
        let (redis, key, route) = (self.clone(), at.key.clone(), Arc::clone(&at.route));
        io.spawn(async move {
            let (begun, [mut pause, longest]) = (Instant::now(), PAUSES);
            while begun.elapsed() < lasts {
                sleep(pause).await;
                pause = (pause * 2).min(longest);
                let shard = redis.layout().shard(&route);
                let keys = [Name::entry(shard, &key), Name::lease(shard, &key)];
                let mut command = SCRIPTS.disown.on(shard, keys.into_iter());
                command.arg(&owner);
                let script = &SCRIPTS.disown;
                if redis.connections().run(script, command, shard.route, Again::Harmless).await.is_ok() {
                    return;
                }
            }
        });
    }

    /// Ends the lease that a claim stands for. Another's stays.
    pub(super) async fn release(&self, at: &Place, claim: &Claim) -> Result<()> {
        let shard = self.layout().shard(&at.route);
        let keys = [Name::entry(shard, &at.key), Name::lease(shard, &at.key)];
        let mut command = SCRIPTS.abandon.on(shard, keys.into_iter());
        command.arg(&claim.token);
        let answer = self.connections().run(&SCRIPTS.abandon, command, shard.route, Again::Harmless).await;
        answer.map(drop).map_err(self.report("abandon"))
    }
}

#[expect(clippy::option_option, reason = "no answer of ours, or an entry that cannot be read")]
fn leased(answer: Value, begun: Instant) -> Option<Option<Leased>> {
    let Value::Array(answer) = answer else { return None };
    let mut answer = answer.into_iter();
    let time = |left: i64| u64::try_from(left).ok().map(Duration::from_millis);
    Some(match (answer.next()?, answer.next()?, answer.next()) {
        (Value::Int(0), Value::BulkString(token), None) => Some(Leased::Taken(Claim { token, taken: begun })),
        (Value::Int(1), Value::Int(left), None) => Some(Leased::Held(time(left)?)),
        (Value::Int(2), Value::BulkString(stored), Some(Value::Int(left))) => {
            let remaining = if left == -1 { None } else { Some(time(left)?) };
            value::payload(stored).map(|value| Leased::Found(Entry { value, remaining }))
        }
        _ => return None,
    })
}
