//! Where a server's program is, and what to do where it is missing.

use std::env;
use std::path::{Path, PathBuf};

/// The variable by which tests that need servers are left out.
const SKIP: &str = "CACHEADO_SKIP_SERVERS";

/// The variable that says where `mongod` is.
const MONGOD: &str = "CACHEADO_MONGOD";

/// Where `scripts/servers.sh` puts `mongod`, under the target directory.
const INSTALLED: &str = "servers/fiftyone/db/bin/mongod";

/// `redis-server`, unless tests are to do without servers.
pub(crate) fn redis() -> Option<PathBuf> {
    wanted("Redis").then(|| on_path("redis-server").unwrap_or_else(|| missing("redis-server")))
}

/// `redis-cli`, which makes a cluster of servers.
pub(crate) fn redis_cli() -> PathBuf {
    on_path("redis-cli").unwrap_or_else(|| missing("redis-cli"))
}

/// `mongod`, unless tests are to do without servers.
pub(crate) fn mongod() -> Option<PathBuf> {
    wanted("MongoDB").then(|| {
        if let Some(named) = env::var_os(MONGOD) {
            let named = PathBuf::from(named);
            assert!(named.is_file(), "{MONGOD} is {}, where no program is", named.display());
            return named;
        }
        on_path("mongod").or_else(installed).unwrap_or_else(|| missing("mongod"))
    })
}

fn wanted(server: &str) -> bool {
    let skips = skips();
    if skips {
        eprintln!("SKIPPED: this test needs {server}, and {SKIP}=1 leaves out servers");
    }
    !skips
}

/// Whether tests are to do without servers.
pub(crate) fn skips() -> bool {
    env::var_os(SKIP).is_some_and(|value| value == "1")
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The target directory is one of those above the test's program, or where it is by default.
fn installed() -> Option<PathBuf> {
    let program = env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1).map(Path::to_path_buf));
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    above.chain(named).chain([usual]).map(|target| target.join(INSTALLED)).find(|file| file.is_file())
}

fn missing(program: &str) -> ! {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers.sh");
    let script = script.canonicalize().unwrap_or(script);
    panic!(
        "{program} is missing, which this test needs. To install it:\n\n    {}\n\nTo leave out all tests that \
         need servers, set {SKIP}=1.",
        script.display()
    )
}
