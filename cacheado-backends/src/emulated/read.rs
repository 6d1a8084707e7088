//! Reading: values together with the epochs that decide whether they live.

use std::collections::BTreeSet;

use super::fences::{Epoch, Epochs};
use super::frame::Framed;
use super::write::EPOCH_LIFE;
use super::{Core, keys};
use crate::Entry;
use crate::contract::Place;
use crate::error::{Error, ErrorKind, Result};

/// Values as they are stored, and the epochs that concern them.
pub(super) struct Survey {
    /// In the order of the keys. `None`: there is no value that this version has written.
    pub(super) values: Vec<Option<Framed>>,
    pub(super) epochs: Epochs,
}

impl Core {
    /// The live entries at several places, in one round trip; in two, if one of them is stored with a group
    /// that its place does not name.
    pub(super) async fn look(&self, places: &[Place]) -> Result<Vec<Option<Entry>>> {
        let keys: Vec<_> = places.iter().map(|at| at.key.as_str()).collect();
        let names = places.iter().flat_map(Epochs::names).collect();
        let Survey { values, epochs } = self.survey(&keys, names).await?;
        let live = |(value, key): (Option<Framed>, &str)| value.filter(|it| !epochs.forbid(key, &it.fences));
        // What an eviction has ended is left where it is: by now it may be another value.
        Ok(values.into_iter().zip(keys).map(live).map(|value| value.map(Framed::into_entry)).collect())
    }

    /// Reads the values of some keys, these epochs, and all others that concern values which these do not
    /// forbid.
    pub(super) async fn survey(&self, keys: &[&str], names: BTreeSet<String>) -> Result<Survey> {
        let values: Vec<_> = keys.iter().map(|key| keys::value(key)).collect();
        let (entries, mut epochs) = self.fetch(&values, names).await?;
        let values: Vec<_> = entries.into_iter().map(|entry| entry.and_then(Framed::parse)).collect();

        let found = values.iter().zip(keys).filter_map(|(value, key)| Some((value.as_ref()?, *key)));
        let open = found.filter(|(value, key)| !epochs.forbid(key, &value.fences));
        let names = open.flat_map(|(value, key)| value.fences.names(key));
        let more: BTreeSet<_> = names.filter(|name| !epochs.states.contains_key(name)).collect();
        if !more.is_empty() {
            epochs.add(self.epochs(more).await?);
        }
        Ok(Survey { values, epochs })
    }

    /// Reads epochs alone.
    pub(super) async fn epochs(&self, names: BTreeSet<String>) -> Result<Epochs> {
        Ok(self.fetch(&[], names).await?.1)
    }

    /// The same epochs, with new ones in the place of those that somebody has written over: what is stored under what they
    /// have written could be brought back by writing that again. Of several nodes that do so the last one's count.
    pub(super) async fn mended(&self, mut epochs: Epochs) -> Result<Epochs> {
        if epochs.damaged.is_empty() {
            return Ok(epochs);
        }
        let damaged = std::mem::take(&mut epochs.damaged);
        for name in &damaged {
            let life = (name != keys::ALL).then_some(EPOCH_LIFE);
            self.put_epoch(name, self.draw()?, life).await?;
        }
        epochs.add(self.epochs(damaged.into_iter().collect()).await?);
        Ok(epochs)
    }

    /// The epoch of everything. Where there is none, all epochs may have been lost with it: a new one keeps
    /// apart what was computed before. Of several nodes that find none the last one's counts.
    pub(super) async fn all(&self, epochs: &Epochs) -> Result<Epoch> {
        if let Some(epoch) = epochs.state(keys::ALL) {
            return Ok(epoch);
        }
        let own = self.renew_all().await?;
        Ok(self.epochs([keys::ALL.to_owned()].into()).await?.state(keys::ALL).unwrap_or(own))
    }

    /// Entries and epochs, in one round trip.
    pub(super) async fn fetch(
        &self,
        values: &[String],
        names: BTreeSet<String>,
    ) -> Result<(Vec<Option<Entry>>, Epochs)> {
        let wanted: Vec<_> = values.iter().chain(&names).map(String::as_str).collect();
        let mut entries = self.backend.get_many(&wanted).await?;
        if entries.len() != wanted.len() {
            let problem = format!("{} answers to {} keys", entries.len(), wanted.len());
            return Err(Error::new(ErrorKind::Malformed, "get_many", problem));
        }
        let states = entries.split_off(values.len()).into_iter();
        let mut epochs = Epochs::default();
        for (name, state) in names.into_iter().zip(states) {
            let epoch = state.map(|entry| Epoch::parse(&entry.value));
            if epoch == Some(None) {
                epochs.damaged.push(name.clone());
            }
            let epoch = epoch.map(|epoch| epoch.map_or_else(|| self.draw(), Ok)).transpose()?;
            epochs.states.insert(name, epoch);
        }
        Ok((entries, epochs))
    }
}
