//! Calls of several tasks at a time.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::contenders::{Contender, Pass};
use crate::workloads::StructKey;

/// A contender that computes and stores what it does not hold.
pub(super) fn computing<F>(
    name: &'static str,
    runtime: &Arc<Runtime>,
    tasks: usize,
    call: impl Fn(StructKey) -> F + Clone + Send + Sync + 'static,
) -> Contender<StructKey>
where
    F: Future<Output: Send> + Send + 'static,
{
    Contender { name, fill: pass(runtime, tasks, call.clone()), run: pass(runtime, tasks, call) }
}

/// One call for each key, by this many tasks at the same time. A task makes one call after the other.
pub(super) fn pass<F>(
    runtime: &Arc<Runtime>,
    tasks: usize,
    call: impl Fn(StructKey) -> F + Clone + Send + Sync + 'static,
) -> Pass<StructKey>
where
    F: Future<Output: Send> + Send + 'static,
{
    let runtime = Arc::clone(runtime);
    Box::new(move |keys| {
        let parts = keys.chunks(keys.len().div_ceil(tasks));
        let running: Vec<_> = parts
            .map(|part| {
                let (part, call) = (part.to_vec(), call.clone());
                runtime.spawn(async move {
                    for key in part {
                        black_box(call(key).await);
                    }
                })
            })
            .collect();
        for task in running {
            #[expect(clippy::expect_used, reason = "there is nothing to measure then")]
            runtime.block_on(task).expect("no call panics");
        }
    })
}
