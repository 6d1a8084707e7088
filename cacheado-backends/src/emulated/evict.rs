//! Evicting: the epoch first, which takes effect at once, and then what it has ended.

use std::collections::{BTreeMap, BTreeSet};

use super::fences::{Epochs, State};
use super::frame::Framed;
use super::keys::Listed;
use super::read::Survey;
use super::write::EPOCH_LIFE;
use super::{Core, keys};
use crate::contract::{Group, Place};
use crate::error::Result;

/// How many values of a group are read at once.
const BATCH: usize = 100;

impl Core {
    pub(super) async fn evict(&self, at: &Place) -> Result<bool> {
        let Survey { mut values, epochs } = self.survey(&[&at.key], Epochs::names(at)).await?;
        self.put_epoch(&keys::epoch_of_key(&at.key), self.draw()?, Some(EPOCH_LIFE)).await?;
        let value = values.pop().flatten();
        let mut names = vec![keys::value(&at.key)];
        names.extend(value.iter().flat_map(|value| keys::index(&at.key, &value.fences)));
        let was_removed = self.remove_all(&names).await?.first().copied().unwrap_or_default();
        Ok(was_removed && value.is_some_and(|value| !epochs.forbid(&at.key, &value.fences)))
    }

    pub(super) async fn evict_group(&self, group: &Group) -> Result<u64> {
        let name = keys::epoch_of_group(&group.name);
        let before = self.epochs([name.clone()].into()).await?.state(&name);
        let own = self.draw()?;
        self.put_epoch(&name, own, Some(EPOCH_LIFE)).await?;

        let listing = keys::listing(&group.name);
        let listed = self.backend.keys(&listing).await?;
        // What stands under the new epoch was computed after this eviction has begun.
        let own = keys::tag(&Some(own));
        let old = listed.iter().filter_map(|name| Listed::parse(&listing, name)).filter(|it| it.tag != own);
        let mut evicted = 0;
        for batch in by_key(old).chunks(BATCH) {
            evicted += self.evict_members(group, before, batch).await?;
        }
        Ok(evicted)
    }

    /// Removes what the eviction of a group has ended among these keys, whose index entries are given. How
    /// many were alive, where the group's epoch was `before`.
    async fn evict_members(&self, group: &Group, before: State, batch: &[(&str, Vec<&str>)]) -> Result<u64> {
        let name = keys::epoch_of_group(&group.name);
        let keys: Vec<_> = batch.iter().map(|(key, _)| *key).collect();
        let Survey { values, mut epochs } = self.survey(&keys, BTreeSet::new()).await?;
        let now = epochs.state(&name);
        epochs.states.insert(name, before);

        let mut ended = Vec::new();
        let mut index = BTreeSet::new();
        for (value, (key, listed)) in values.iter().zip(batch) {
            index.extend(listed.iter().map(|name| (*name).to_owned()));
            let Some(value) = value else { continue };
            if value.fences.member_of(&group.name).is_some_and(|then| then != now) {
                ended.push((keys::value(key), !epochs.forbid(key, &value.fences)));
                index.extend(keys::index(key, &value.fences));
            } else {
                // It lies elsewhere by now, or was computed since: what lists it stays.
                for name in keys::index(key, &value.fences) {
                    index.remove(&name);
                }
            }
        }
        let (names, were_alive): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        let removed = self.remove_all(&names).await?;
        self.remove_all(&index.into_iter().collect::<Vec<_>>()).await?;
        let counts = removed.iter().zip(&were_alive).map(|(removed, alive)| u64::from(*removed && *alive));
        Ok(counts.sum())
    }

    pub(super) async fn clear(&self) -> Result<u64> {
        // All values are over before the first epoch that forbids one of them is removed. Afterwards there is
        // no epoch of everything, so that no claim holds that was taken before.
        self.renew_all().await?;
        let values = self.backend.keys(keys::VALUES).await?;
        self.backend.clear().await?;
        Ok(values.len() as u64)
    }

    pub(super) async fn count(&self, group: Option<&Group>) -> Result<u64> {
        let Some(group) = group else {
            return Ok(self.backend.keys(keys::VALUES).await?.len() as u64);
        };
        let listing = keys::listing(&group.name);
        let listed = self.backend.keys(&listing).await?;
        let members = by_key(listed.iter().filter_map(|name| Listed::parse(&listing, name)));
        let mut alive = 0;
        for batch in members.chunks(BATCH) {
            let keys: Vec<_> = batch.iter().map(|(key, _)| *key).collect();
            let Survey { values, epochs } = self.survey(&keys, BTreeSet::new()).await?;
            let is_alive = |key: &str, value: &Framed| {
                value.fences.member_of(&group.name).is_some() && !epochs.forbid(key, &value.fences)
            };
            let found = keys.iter().zip(values).filter_map(|(key, value)| Some((*key, value?)));
            alive += found.map(|(key, value)| u64::from(is_alive(key, &value))).sum::<u64>();
        }
        Ok(alive)
    }
}

/// Keys, each once, with the index entries that name them.
fn by_key<'n>(listed: impl Iterator<Item = Listed<'n>>) -> Vec<(&'n str, Vec<&'n str>)> {
    let mut keys: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for Listed { name, key, .. } in listed {
        keys.entry(key).or_default().push(name);
    }
    keys.into_iter().collect()
}
