//! Writing: claims, fills, sets and lifetimes.

use std::time::{Duration, Instant};

use super::fences::{Epoch, Epochs, Fences};
use super::frame;
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

/// How often a `set` begins anew because others set the same key at the same time.
const SET_ATTEMPTS: usize = 4;

impl Core {
    pub(super) async fn begin(&self, at: &Place) -> Result<Claim> {
        let taken = Instant::now();
        let epochs = self.epochs(Epochs::names(at)).await?;
        let all = self.all(&epochs).await?;
        Ok(Claim { token: epochs.capture(all, at).encode()?, taken })
    }

    pub(super) async fn fill(&self, at: &Place, new: New<'_>, claim: &Claim) -> Result<Filled> {
        let Some(mut fences) = Fences::decode(&claim.token) else {
            return Err(Error::new(ErrorKind::Malformed, "fill", "the claim is not of this backend"));
        };
        if claim.taken.elapsed() >= FILL_WINDOW {
            return Ok(Filled::Fenced);
        }
        let mut names = Epochs::names(at);
        names.extend(fences.names(&at.key));
        let epochs = self.epochs(names).await?;
        if epochs.forbid(&at.key, &fences) {
            return Ok(Filled::Fenced);
        }
        fences.settle(at, &epochs);
        self.put_index(&at.key, &fences, lifetime(new.ttl)).await?;
        self.put_value(&at.key, new, &fences).await?;
        Ok(Filled::Stored)
    }

    pub(super) async fn set(&self, at: &Place, new: New<'_>) -> Result<()> {
        let name = keys::epoch_of_key(&at.key);
        for _ in 0..SET_ATTEMPTS {
            let mut survey = self.survey(&[&at.key], Epochs::names(at)).await?;
            let own = Epoch::draw()?;
            let mut fences = survey.epochs.capture(self.all(&survey.epochs).await?, at);
            fences.key = Some(own);

            let index = self.put_index(&at.key, &fences, lifetime(new.ttl));
            both(index, self.put_epoch(&name, own, Some(EPOCH_LIFE))).await?;
            self.put_value(&at.key, new, &fences).await?;
            let old = survey.values.pop().flatten();
            let listed = old.map(|old| keys::index(&at.key, &old.fences)).unwrap_or_default();
            let (_, now) = both(self.remove_all(&listed), self.epochs([name.clone()].into())).await?;
            // Whoever has put another epoch may have put its value before this one, which hides both.
            if now.state(&name) == Some(own) {
                break;
            }
        }
        Ok(())
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
        let epoch = Epoch::draw()?;
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
