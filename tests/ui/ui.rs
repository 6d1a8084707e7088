//! Hazard 36: what the macros, and the compiler after them, say about each mistake, and where. A file
//! holds the mistakes about one argument, the file beside it what has to be said about them, all at once.
//!
//! `TRYBUILD=overwrite cargo test -p cacheado-ui` writes the answers down anew.

use std::process::Command;

/// Releases of the compiler word their part of the answers differently.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn hazard_36_mistakes_are_reported_at_their_tokens() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    if !version.stdout.starts_with(RELEASE.as_bytes()) {
        assert!(
            std::env::var_os("CACHEADO_SKIP_UI").is_some(),
            "the answers in `ui` are those of {RELEASE}x: run this with it, or set CACHEADO_SKIP_UI=1"
        );
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("cached/*.rs");
    cases.compile_fail("cache/*.rs");
    cases.compile_fail("scopes/*.rs");
    cases.compile_fail("derive/*.rs");
}
