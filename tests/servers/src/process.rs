//! A server's process: begun, killed, begun anew, paused.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::guard::Guard;
use crate::wait;

/// A server that can be started as often as one likes, with the same arguments.
#[derive(Debug)]
pub(crate) struct Process {
    program: PathBuf,
    args: Vec<OsString>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    child: Option<Child>,
    guard: Guard,
}

impl Process {
    /// Starts `program`, whose arguments depend on the directory that it is to work in.
    pub(crate) fn start(program: PathBuf, args: impl FnOnce(&str) -> Vec<String>) -> Self {
        let guard = Guard::new();
        let directory = guard.directory().to_str().expect("a temporary directory of plain name");
        let args = args(directory).into_iter().map(OsString::from).collect();
        let process = Self { program, args, state: Mutex::new(State { child: None, guard }) };
        process.restart();
        process
    }

    /// Ends it, if it runs, and starts it anew.
    pub(crate) fn restart(&self) {
        self.kill();
        let mut state = self.state();
        let log = File::create(state.guard.directory().join("log")).expect("the directory is ours");
        let child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file"))
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        state.guard.watch(child.id());
        state.child = Some(child);
    }

    /// Ends it at once, as by a power cut, and waits until it is gone. Nothing, if it is.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        if let Some(mut child) = state.child.take() {
            state.guard.watch(0);
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it where it is, and waits until it stands still: its connections stay open and unanswered.
    pub(crate) fn pause(&self) {
        let mut state = self.state();
        let id = Self::id(state.child.as_mut());
        kill_process(id, Signal::STOP).expect("it is our child");
        wait::until("a server to stand still", || {
            let stopped = waitid(WaitId::Pid(id), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
            stopped.ok().flatten().ok_or_else(|| "it does not stop".to_owned())
        });
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        kill_process(Self::id(self.state().child.as_mut()), Signal::CONT).expect("it is our child");
    }

    /// Whether it still runs, or the end of its log.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut state = self.state();
        let ended = match state.child.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => return Ok(()),
            Some(Ok(Some(status))) => status.to_string(),
            Some(Err(error)) => error.to_string(),
            None => "it was killed".to_owned(),
        };
        let log = fs::read(state.guard.directory().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        Err(format!("{} ended ({ended}):\n{}", self.program.display(), tail.join("\n")))
    }

    /// The id of a process that has not been waited for, and so is still its own.
    fn id(child: Option<&mut Child>) -> Pid {
        let child = child.expect("a server that runs");
        assert!(matches!(child.try_wait(), Ok(None)), "the server has ended by itself");
        Pid::from_child(child)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
