//! The backend of the example keeps the contract, as every backend has to.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../custom_backend.rs"]
#[expect(dead_code, unreachable_pub, reason = "a program is here a module, whose `main` is not called")]
mod custom_backend;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use cacheado_backends::conformance::Subject;
use custom_backend::Directory;

/// A directory that goes when the check has ended.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left of a test that failed is in the directory for temporary files, and goes with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Two nodes that have opened one directory.
async fn fresh() -> Subject {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("cacheado-conformance-{}-{number}", std::process::id()));
    let open = || Directory::open(&root).expect("a temporary directory can be made");
    Subject::new(open()).with_peer(open()).keeping(Temporary(root))
}

cacheado_backends::conformance!(fresh, without(bus));
