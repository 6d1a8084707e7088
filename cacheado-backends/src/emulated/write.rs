//! Writing: claims, fills, sets and lifetimes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::fences::{Epoch, Epochs, Fences};
use super::frame::{self, Framed};
use super::join::{both, each};
use super::{Core, keys};
use crate::contract::{Claim, FILL_WINDOW, Filled, New, Place};
use crate::error::{Error, ErrorKind, Result};

/// For how long a value lives at most.
pub(super) const VALUE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// For how long an epoch is remembered: see the [module](super).
pub(super) const EPOCH_LIFE: Duration = VALUE_LIFE.saturating_add(FILL_WINDOW).saturating_add(FILL_WINDOW);

/// Index entries are put before their value, and outlive it by this.
const INDEX_GRACE: Duration = Duration::from_secs(60);

/// How often a `set` puts its value again because others set the same key at the same time. Nobody puts
/// another epoch for it, so that once is enough when the last of them has begun.
const SET_ATTEMPTS: usize = 16;

impl Core {
    pub(super) async fn begin(&self, at: &Place) -> Result<Claim> {
        let taken = Instant::now();
        let epochs = self.mended(self.epochs(Epochs::names(at)).await?).await?;
        let all = self.all(&epochs).await?;
        Ok(Claim { token: epochs.capture(all, at).encode()?, taken })
    }

    /// What was announced, and the epochs of now, unless they forbid it.
    async fn announced(
        &self,
        operation: &'static str,
        at: &Place,
        claim: &Claim,
    ) -> Result<Option<(Fences, Epochs)>> {
        let Some(fences) = Fences::decode(&claim.token) else {
            return Err(Error::new(ErrorKind::Malformed, operation, "the claim is not of this backend"));
        };
        if claim.taken.elapsed() >= FILL_WINDOW {
            return Ok(None);
        }
        let mut names = Epochs::names(at);
        names.extend(fences.names(&at.key));
        let epochs = self.epochs(names).await?;
        if epochs.forbid(&at.key, &fences) {
            return Ok(None);
        }
        Ok(Some((fences, self.mended(epochs).await?)))
    }

    pub(super) async fn retract(&self, at: &Place, claim: &Claim) -> Result<bool> {
        let is_allowed = self.announced("retract", at, claim).await?.is_some();
        if is_allowed {
            self.evict(at).await?;
        }
        Ok(is_allowed)
    }

    pub(super) async fn fill(&self, at: &Place, new: New<'_>, claim: &Claim) -> Result<Filled> {
        let Some((mut fences, epochs)) = self.announced("fill", at, claim).await? else {
            return Ok(Filled::Fenced);
        };
        fences.settle(at, &epochs);
        self.put_index(&at.key, &fences, lifetime(new.ttl)).await?;
        self.put_value(&at.key, new, &fences).await?;
        Ok(Filled::Stored)
    }

    pub(super) async fn set(&self, at: &Place, new: New<'_>) -> Result<()> {
        let mut survey = self.survey(&[&at.key], Epochs::names(at)).await?;
        let own = self.draw()?;
        let epochs = self.mended(survey.epochs).await?;
        let mut fences = epochs.capture(self.all(&epochs).await?, at);
        fences.key = Some(own);
        let name = keys::epoch_of_key(&at.key);
        let index = self.put_index(&at.key, &fences, lifetime(new.ttl));
        both(index, self.put_epoch(&name, own, Some(EPOCH_LIFE))).await?;
        self.put_value(&at.key, new, &fences).await?;

        let old = survey.values.pop().flatten();
        let mut left = old.map(|old| keys::index(&at.key, &old.fences)).unwrap_or_default();
        for _ in 0..SET_ATTEMPTS {
            let (_, moved) = both(self.remove_all(&left), self.hidden(&at.key, &fences)).await?;
            let Some(moved) = moved else { break };
            left = keys::index(&at.key, &fences);
            fences = moved;
            self.put_index(&at.key, &fences, lifetime(new.ttl)).await?;
            self.put_value(&at.key, new, &fences).await?;
        }
        Ok(())
    }

    /// The fences under which a value would be read that was put under `fences`, is still there, and is hidden:
    /// another has set the key at the same time, put its epoch later and its value before, so that neither
    /// would be read. The same goes for the epoch of everything, where several nodes find that there is none.
    async fn hidden(&self, key: &str, fences: &Fences) -> Result<Option<Fences>> {
        let own = keys::epoch_of_key(key);
        let names: BTreeSet<_> = [keys::ALL.to_owned(), own.clone()].into();
        if !self.epochs(names.clone()).await?.forbid(key, fences) {
            return Ok(None);
        }
        let (mut entries, epochs) = self.fetch(&[keys::value(key)], names).await?;
        let value = entries.pop().flatten().and_then(Framed::parse);
        let epochs = self.mended(epochs).await?;
        let is_own = value.is_some_and(|value| value.fences == *fences);
        let moved = epochs.state(keys::ALL).filter(|_| is_own && epochs.forbid(key, fences));
        Ok(moved.map(|all| Fences { all, key: epochs.state(&own), groups: fences.groups.clone() }))
    }

    pub(super) async fn set_ttl(&self, at: &Place, ttl: Option<Duration>) -> Result<bool> {
        let mut survey = self.survey(&[&at.key], Epochs::names(at)).await?;
        let value = survey.values.pop().flatten();
        let Some(value) = value.filter(|value| !survey.epochs.forbid(&at.key, &value.fences)) else {
            return Ok(false);
        };
        // Until the value is put the old lifetime holds, and its index entries have to last as long.
        let ttl = lifetime(ttl);
        self.put_index(&at.key, &value.fences, ttl.max(lifetime(value.remaining))).await?;
        self.backend.put(&keys::value(&at.key), &value.bytes, Some(ttl)).await?;
        Ok(true)
    }

    /// The index before the value: it may name what is not there, and misses nothing that is.
    async fn put_index(&self, key: &str, fences: &Fences, ttl: Duration) -> Result<()> {
        let ttl = Some(ttl.saturating_add(INDEX_GRACE));
        each(&keys::index(key, fences), |name| self.backend.put(name, &[], ttl)).await?;
        Ok(())
    }

    async fn put_value(&self, key: &str, new: New<'_>, fences: &Fences) -> Result<()> {
        let framed = frame::encode(new.value, fences)?;
        self.backend.put(&keys::value(key), &framed, Some(lifetime(new.ttl))).await
    }

    pub(super) async fn put_epoch(&self, name: &str, epoch: Epoch, ttl: Option<Duration>) -> Result<()> {
        self.backend.put(name, &epoch.0, ttl).await
    }

    /// Puts a new epoch of everything, which never expires.
    pub(super) async fn renew_all(&self) -> Result<Epoch> {
        let epoch = self.draw()?;
        self.put_epoch(keys::ALL, epoch, None).await?;
        Ok(epoch)
    }

    /// Removes entries by their names; which of them were alive.
    pub(super) async fn remove_all(&self, names: &[String]) -> Result<Vec<bool>> {
        each(names, |name| self.backend.remove(name)).await
    }
}

fn lifetime(ttl: Option<Duration>) -> Duration {
    ttl.map_or(VALUE_LIFE, |ttl| ttl.min(VALUE_LIFE))
}
