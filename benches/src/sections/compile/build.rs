//! Packages in a directory of their own under the target directory, and what building one takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::program::Contender;

/// How it is built: with the defaults of a new package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    Dev,
    Release,
}

impl Profile {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// As the report says it.
    pub(super) fn workload(self) -> &'static str {
        match self {
            Self::Dev => "compile/dev",
            Self::Release => "compile/release",
        }
    }

    /// Where cargo puts what it builds.
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// What one build took.
pub(super) struct Took {
    pub(super) wall: Duration,
    /// Of cargo, the compiler and the linker together.
    pub(super) processor: Duration,
}

/// One contender's program.
pub(super) struct Package {
    contender: Contender,
    folder: PathBuf,
    target: PathBuf,
}

impl Package {
    /// That of its contender.
    pub(super) fn name(&self) -> &'static str {
        self.contender.name()
    }

    /// Writes the package. Its dependencies have the versions of the repository's lock file.
    pub(super) fn new(contender: Contender) -> Result<Self, String> {
        let repository =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package has no repository")?;
        let root = target().join("compile");
        let package = Self { contender, folder: root.join(contender.package()), target: root.join("target") };
        write(&package.folder.join("Cargo.toml"), &contender.manifest(&repository.to_string_lossy()))?;
        fs::copy(repository.join("Cargo.lock"), package.folder.join("Cargo.lock"))
            .map_err(|error| error.to_string())?;
        Ok(package)
    }

    /// Writes the program, which makes it newer than what has been built of it.
    pub(super) fn write(&self, has_functions: bool) -> Result<(), String> {
        write(&self.folder.join("src/main.rs"), &self.contender.source(has_functions))
    }

    /// Builds the package, of which the program has changed, or been touched.
    pub(super) fn build(&self, profile: Profile) -> Result<Took, String> {
        let source = self.folder.join("src/main.rs");
        let touched = fs::File::options().write(true).open(source);
        touched
            .and_then(|file| file.set_modified(std::time::SystemTime::now()))
            .map_err(|error| error.to_string())?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet"]).current_dir(&self.folder);
        cargo.args((profile == Profile::Release).then_some("--release"));
        // Nothing is taken from the build before.
        cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", &self.target);
        let before = processor()?;
        let begun = Instant::now();
        let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
        let wall = begun.elapsed();
        if status.success() {
            Ok(Took { wall, processor: processor()?.saturating_sub(before) })
        } else {
            Err(format!("{} does not build", self.contender.package()))
        }
    }

    /// The size of the program.
    pub(super) fn size(&self, profile: Profile) -> Result<u64, String> {
        let program = self.target.join(profile.folder()).join(self.contender.package());
        fs::metadata(program).map(|metadata| metadata.len()).map_err(|error| error.to_string())
    }
}

/// The target directory that this program stands in.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(std::env::temp_dir, Path::to_path_buf)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|error| error.to_string())
}

/// What this process's children that have ended have taken of the processors.
///
/// The kernel counts it in ticks, of which there are a hundred a second on every platform that has this file.
fn processor() -> Result<Duration, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    // What stands before the last parenthesis is the name of the program, which may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
