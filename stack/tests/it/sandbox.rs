//! A temporary directory of its own, with the program in it, so that tests do not see
//! each other's stacks, and an ordinary user can run it too.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What a user who is nobody in particular is called on every system.
const NOBODY: u32 = 65_534;

pub(crate) struct Sandbox {
    dir: TempDir,
    user: Option<u32>,
}

/// A stack in the foreground.
pub(crate) struct Foreground {
    pub(crate) child: Child,
    pub(crate) status: Value,
}

impl Sandbox {
    /// As the user the tests run as.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        Self { dir, user: None }
    }

    /// As an ordinary user, also when the tests run as root.
    pub(crate) fn ordinary() -> Self {
        let mut sandbox = Self::new();
        if geteuid().is_root() {
            sandbox.user = Some(NOBODY);
            std::os::unix::fs::chown(sandbox.path(""), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        // The build's own directory may be closed to that user.
        fs::copy(env!("CARGO_BIN_EXE_supabase-stack"), sandbox.path("supabase-stack")).unwrap();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A supabase/ folder with these files below it.
    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.path("supabase").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program = match self.user {
            Some(_) => self.path("supabase-stack"),
            None => env!("CARGO_BIN_EXE_supabase-stack").into(),
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("TMPDIR", self.dir.path())
            .stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs what must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what must end with this exit code, and returns what it said.
    #[track_caller]
    pub(crate) fn fail(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    pub(crate) fn status(&self, arguments: &[&str]) -> Value {
        let said = self.succeed(&[&["status", "-o", "json"], arguments].concat());
        serde_json::from_str(&said).unwrap()
    }

    /// Starts a stack in the foreground and waits until it has said where it is.
    #[track_caller]
    pub(crate) fn start(&self, arguments: &[&str]) -> Foreground {
        let arguments = [&["start", "--port", "0"], arguments].concat();
        let mut child = self.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let last = said.lines().map_while(Result::ok).find(|line| line.contains("JWT secret"));
        assert!(last.is_some(), "the stack ended: {:?}", child.wait());
        let data =
            arguments.iter().skip_while(|word| **word != "--data").take(2).copied().collect::<Vec<_>>();
        let status = if data.is_empty() { self.status(&[]) } else { self.status(&data) };
        Foreground { child, status }
    }

    /// A copy of a directory, with everything as it is.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let copied = Command::new("cp").arg("-a").args([self.path(from), self.path(to)]).status().unwrap();
        assert!(copied.success());
    }

    /// The places of running and of killed ephemeral stacks.
    pub(crate) fn places(&self) -> Vec<PathBuf> {
        let entries = self.homes().into_iter().flat_map(|home| fs::read_dir(home).unwrap().flatten());
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    fn homes(&self) -> Vec<PathBuf> {
        let here = fs::read_dir(self.dir.path()).unwrap().flatten().map(|entry| entry.path());
        here.filter(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b"supabase-stack-"))
            .collect()
    }

    /// The processes that have to do with this sandbox: number and command line.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let here = self.dir.path().to_str().unwrap();
        let output = Command::new("ps").args(["-eww", "-o", "pid=,args="]).output().unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        listed
            .lines()
            .filter(|line| line.contains(here))
            .filter_map(|line| line.trim().split_once(' '))
            .map(|(pid, line)| (pid.parse().unwrap(), line.to_owned()))
            .collect()
    }

    /// Kills every guard of this sandbox.
    pub(crate) fn kill_guards(&self) {
        for (pid, line) in self.processes() {
            if line.contains(" guard ") {
                kill(pid, Signal::KILL);
            }
        }
    }

    /// Asserts that nothing runs any more, and that what leads to stacks is gone with the last.
    #[track_caller]
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.processes(), [], "processes are left");
        assert!(self.homes().is_empty(), "files are left: {:?}", self.homes());
    }
}

/// Whatever a failed test left running ends with its sandbox.
impl Drop for Sandbox {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            kill(pid, Signal::KILL);
        }
    }
}

impl Foreground {
    /// Kills the stack, and nothing else, the hard way.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the stack as Ctrl-C does; true if it was content.
    pub(crate) fn interrupt(mut self) -> bool {
        kill(self.child.id(), Signal::INT);
        self.child.wait().unwrap().success()
    }

    pub(crate) fn db_url(&self) -> &str {
        self.status["DB_URL"].as_str().unwrap()
    }
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal);
}

/// Waits until neither a stack nor a guard holds this place: an event, however they end.
pub(crate) struct Release(File);

impl Release {
    /// To be taken while the place is there.
    pub(crate) fn of(place: &Path) -> Self {
        Self(File::open(place.join("supabase-stack.lock")).unwrap())
    }

    pub(crate) fn wait(self) {
        self.0.lock_shared().unwrap();
    }
}
