//! What tidies up after a server, whatever becomes of the test.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

/// Reads the server's process id, or 0 while there is none, from a pipe whose other end is the test's. That end
/// closes with the test's process, even if nothing else of it runs any more.
const SCRIPT: &str = r#"id=0
while read -r line; do id=$line; done
[ "$id" = 0 ] || kill -9 "$id"
rm -rf -- "$0""#;

/// A directory, and a process that removes it and ends the server when this process is no more.
#[derive(Debug)]
pub(crate) struct Guard {
    directory: PathBuf,
    shell: Child,
}

impl Guard {
    /// An empty directory that only this user can read, under guard.
    pub(crate) fn new() -> Self {
        let directory = temporary();
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // a signal to the test's group is not for it
            .spawn()
            .expect("a shell");
        Self { directory, shell }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server that it guards from now on; 0 for none.
    pub(crate) fn watch(&mut self, id: u32) {
        if let Some(pipe) = &mut self.shell.stdin {
            writeln!(pipe, "{id}").expect("the shell reads until this end closes");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn temporary() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("cacheado-{}-{number}", process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return path,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}
