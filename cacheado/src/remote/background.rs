//! Where that is done which nobody waits for: listening to other nodes, giving claims up, chores of rules.

use std::fmt;
use std::sync::Arc;

use cacheado_backends::contract::BoxFuture;
use cacheado_backends::io;

type Spawn = dyn Fn(BoxFuture<'static, ()>) + Send + Sync;

/// An executor of the user's; left out, the I/O thread.
#[derive(Clone, Default)]
pub(crate) struct Background(Option<Arc<Spawn>>);

impl Background {
    pub(crate) fn by(spawn: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(spawn)))
    }

    /// Begins to run a task. Without an I/O thread it is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Of one type for the runtime, which compiles some twenty functions for each type of task.
        let task: BoxFuture<'static, ()> = Box::pin(task);
        if let Some(spawn) = &self.0 {
            return spawn(task);
        }
        match io::handle() {
            Ok(io) => drop(io.spawn(task)),
            Err(error) => tracing::warn!(target: "cacheado", %error, "what nobody waits for is not done"),
        }
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Background(given)" } else { "Background(I/O thread)" })
    }
}
