//! What every hit reads, whatever the cache and the function: side by side, so that its address is loaded once.

use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;

use foldhash::fast::RandomState;

pub(crate) struct Hot {
    /// How many layers that concern every call are on in the process: while there is none, a hit looks no further.
    /// Scopes are not counted, as only functions with `scope = ambient` ask for one.
    pub(crate) layers: AtomicUsize,
    /// A seed of this process. One for all caches, so that a hit can hash while it is still on its way to the
    /// function's state.
    pub(crate) seed: LazyLock<RandomState>,
}

pub(crate) static HOT: Hot = Hot { layers: AtomicUsize::new(0), seed: LazyLock::new(RandomState::default) };
