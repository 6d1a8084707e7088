//! What is done to many entries: a group, a namespace.

use redis::{FromRedisValue as _, RedisError, Value};

use super::connection::Again;
use super::error::is_foreign;
use super::keys::Shard;
use super::scripts::{Name, SCRIPTS};
use super::{Redis, together, unexpected};
use crate::contract::{BoxFuture, Group};
use crate::error::{Error, ErrorKind, Result};

/// How many entries one call of a script removes: a few milliseconds during which a server does nothing else.
const PART: u32 = 1_000;

/// Which entries.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    All,
    Of(&'a Group),
}

impl<'a> Which<'a> {
    fn index(self, shard: &'a Shard) -> Name<'a> {
        match self {
            Self::All => Name::entries(shard),
            Self::Of(group) => Name::index(shard, &group.name),
        }
    }
}

impl Redis {
    /// Evicts entries; how many were alive. The notice is told once they have gone, even if on some of the
    /// shards they have not.
    pub(super) async fn remove_all(
        &self,
        operation: &'static str,
        which: Which<'_>,
        notice: Option<&[u8]>,
    ) -> Result<u64> {
        match self.shards_of(which) {
            [shard] => {
                let removed = self.remove_from(shard, which, notice).await;
                removed.map_err(|error| self.not_removed(operation, which, error))
            }
            shards => {
                let removed = on_each(shards, |shard| self.remove_from(shard, which, None));
                let removed: Result<u64, RedisError> = together(removed).await.into_iter().sum();
                if let Some(notice) = notice {
                    self.tell(&shards[0], notice).await.map_err(self.report(operation))?;
                }
                removed.map_err(|error| self.not_removed(operation, which, error))
            }
        }
    }

    /// Where somebody else has written over the index of all entries, nobody knows which there are.
    fn not_removed(&self, operation: &'static str, which: Which<'_>, error: RedisError) -> Error {
        match which {
            Which::All if is_foreign(&error) => {
                let problem = "what lies in the place of the index of all entries is none, so that they cannot be \
                               found: delete all keys of the namespace";
                Error::new(ErrorKind::Malformed, operation, problem)
            }
            _ => self.report(operation)(error),
        }
    }

    async fn remove_from(
        &self,
        shard: &Shard,
        which: Which<'_>,
        notice: Option<&[u8]>,
    ) -> Result<u64, RedisError> {
        let mut removed = 0;
        for first in [true].into_iter().chain(std::iter::repeat(false)) {
            let script = &SCRIPTS.evict_group;
            let mut command = script.on(shard, [which.index(shard)].into_iter());
            command.arg(PART).arg(u8::from(first));
            self.add_notice(&mut command, shard, notice);
            let answer = self.connections().run(script, command, shard.route, Again::Never).await?;
            let (live, left) = <(u64, u64)>::from_redis_value(answer)?;
            removed += live;
            if left == 0 {
                break;
            }
        }
        Ok(removed)
    }

    /// Tells a notice by itself.
    async fn tell(&self, shard: &Shard, notice: &[u8]) -> Result<(), RedisError> {
        let mut command = SCRIPTS.tell.on(shard, [].into_iter());
        self.add_notice(&mut command, shard, Some(notice));
        self.connections().run(&SCRIPTS.tell, command, shard.route, Again::Never).await.map(drop)
    }

    /// How many live entries there are.
    pub(super) async fn number(&self, operation: &'static str, which: Which<'_>) -> Result<u64> {
        let counts = on_each(self.shards_of(which), |shard| self.number_in(shard, which));
        let counted: Result<u64, RedisError> = together(counts).await.into_iter().sum();
        counted.map_err(self.report(operation))
    }

    async fn number_in(&self, shard: &Shard, which: Which<'_>) -> Result<u64, RedisError> {
        let command = SCRIPTS.count.on(shard, [which.index(shard)].into_iter());
        let answer = self.connections().run(&SCRIPTS.count, command, shard.route, Again::Harmless).await?;
        Ok(u64::from_redis_value(answer)?)
    }

    /// The keys of live entries that begin with a prefix.
    pub(super) async fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let lists = on_each(self.layout().shards(), |shard| self.names_in(shard, prefix));
        let mut names = Vec::new();
        for list in together(lists).await {
            names.extend(list?);
        }
        // A walk over an index that changes may come upon an entry twice.
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn names_in(&self, shard: &Shard, prefix: &str) -> Result<Vec<String>> {
        let (mut names, mut cursor) = (Vec::new(), "0".to_owned());
        loop {
            let mut command = SCRIPTS.names.on(shard, [].into_iter());
            command.arg(&cursor).arg(prefix);
            let answer = self.connections().run(&SCRIPTS.names, command, shard.route, Again::Harmless).await;
            let answer = answer.map_err(self.report("keys"))?;
            let (next, part) =
                <(String, Vec<Value>)>::from_redis_value(answer).map_err(|_| unexpected("keys"))?;
            // What is not text was not stored by this backend.
            names.extend(part.into_iter().filter_map(|name| String::from_redis_value(name).ok()));
            if next == "0" {
                return Ok(names);
            }
            cursor = next;
        }
    }

    /// The shards that entries may lie in.
    fn shards_of(&self, which: Which<'_>) -> &[Shard] {
        match which {
            Which::Of(Group { route: Some(route), .. }) => std::slice::from_ref(self.layout().shard(route)),
            _ => self.layout().shards(),
        }
    }
}

/// One future for each shard.
fn on_each<'a, T, F>(shards: &'a [Shard], operation: impl Fn(&'a Shard) -> F) -> Vec<BoxFuture<'a, T>>
where
    F: Future<Output = T> + Send + 'a,
{
    shards.iter().map(|shard| Box::pin(operation(shard)) as BoxFuture<'a, T>).collect()
}
