//! What this process knows of remote entries: keys, lifetimes and labels, without values.
//!
//! The rules need it. `Lru` and `MaxItems` bound it, and an entry that it drops is evicted from the backend; an
//! entry whose time is over leaves it as it leaves the backend, so it holds no more than there is.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use cacheado_backends::memory::{Cause, Label, Listener, Region, Store, Tickets};

use super::{Chore, Remote};
use crate::function::Shared;
use crate::scope::Scope;

/// What is known of the entries of one function.
pub(crate) struct Ledger {
    entries: Arc<Region<()>>,
    pub(crate) tickets: Arc<Tickets>,
}

impl Ledger {
    pub(crate) fn open(store: &Arc<Store>, listener: LedgerListener) -> Self {
        let (entries, tickets) = Region::open(store, Arc::new(listener));
        Self { entries, tickets }
    }
}

impl Deref for Ledger {
    type Target = Region<()>;

    fn deref(&self) -> &Region<()> {
        &self.entries
    }
}

/// Is told of what leaves the ledger of one function.
pub(crate) struct LedgerListener {
    pub(crate) shared: Arc<Shared>,
    pub(crate) remote: Weak<Remote>,
}

impl Listener for LedgerListener {
    fn removed(&self, bytes: &[u8], labels: &[Label], cause: Cause) {
        match cause {
            Cause::Expired => self.shared.tally.expired(),
            Cause::Capacity => {
                self.shared.tally.evicted();
                if let Some(remote) = self.remote.upgrade() {
                    let key = self.shared.key(&Scope::of_labels(labels), bytes);
                    let at = self.shared.title.place(&key);
                    remote.postpone(Chore::drive_out(key, at));
                }
            }
            // Whoever evicts counts, by what the backend says.
            _ => {}
        }
        self.shared.tell_rules(bytes, labels, cause);
    }
}
