//! The conformance suite over the backends of this crate. One module a backend.

use cacheado_backends::conformance::Subject;
use cacheado_backends::memory::SharedMemory;
use cacheado_backends::{FlakyBackend, Memory};

/// Memory as it is: groups are labels, fences are tickets.
mod memory {
    use super::{Memory, Subject};

    async fn fresh() -> Subject {
        let memory = Memory::new();
        Subject::new(memory.clone()).with_peer(memory)
    }

    cacheado_backends::conformance!(fresh);
}

/// Memory with only its small contract: groups and fences are entries.
mod emulated {
    use super::{SharedMemory, Subject};

    async fn fresh() -> Subject {
        let memory = SharedMemory::new();
        Subject::new(memory.clone()).with_peer(memory).emulated()
    }

    cacheado_backends::conformance!(fresh, without(bus));
}

/// A wrapper that changes nothing, as one does that counts or logs.
mod wrapped {
    use super::{FlakyBackend, SharedMemory, Subject};

    async fn fresh() -> Subject {
        let memory = SharedMemory::new();
        Subject::new(FlakyBackend::new(memory.clone())).with_peer(FlakyBackend::new(memory))
    }

    cacheado_backends::conformance!(fresh, without(bus));
}
