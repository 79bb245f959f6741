//! Runs the built command line as a person would, and never waits for ever.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far more of a processor's time than any input of these tests deserves in a build for tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// When what does nothing at all is ended. The machine may be busy with twenty things, and this is no measure of speed.
pub(crate) const STANDSTILL: Duration = Duration::from_mins(15);

/// What a run of `offlimits` left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; `None` if a signal ended it (an abort, a stack overflow, our watchdog).
    pub(crate) code: Option<i32>,
    /// Findings.
    pub(crate) stdout: String,
    /// Everything else.
    pub(crate) stderr: String,
    /// Whether the watchdog had to end it.
    pub(crate) hung: bool,
    /// How it ended, for messages.
    pub(crate) status: ExitStatus,
}

impl Run {
    /// The lines of `--format jsonl`, each of which must be JSON.
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("not a line of JSON: {error}: {line}"))
            })
            .collect()
    }

    /// What no input may bring about, whatever it holds. `None` if all is well.
    pub(crate) fn misbehaviour(&self) -> Option<String> {
        if self.hung {
            return Some("it had to be ended by the watchdog".to_owned());
        }
        if self.stderr.contains("panicked") || self.stdout.contains("panicked") {
            return Some(format!("panicked: {}", self.shown()));
        }
        match self.code {
            None => Some(format!("ended by a signal ({}): {}", self.status, self.shown())),
            Some(0..=2) => None,
            Some(code) => Some(format!("exit code {code} is not documented: {}", self.shown())),
        }
    }

    /// The beginning of stderr: hostile input makes long messages.
    pub(crate) fn shown(&self) -> String {
        self.stderr.chars().take(600).collect()
    }
}

/// The command, with what changes its output taken out of its environment.
pub(crate) fn offlimits<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offlimits"));
    command.args(arguments).env_remove("CLICOLOR_FORCE").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

/// Runs it under the watchdog.
pub(crate) fn run(command: Command) -> Run {
    run_within(PATIENCE, command)
}

/// Runs it under a watchdog that gives it so much of a processor's time.
pub(crate) fn run_within(patience: Duration, mut command: Command) -> Run {
    // Files, not pipes: a pipe that nobody empties would stop the child, and look like a hang of its own.
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("stdout"), folder.path().join("stderr"));
    let mut child = command
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .expect("the built binary starts");
    let started = Instant::now();
    let (status, hung) = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break (status, false);
        }
        if processor_time(&child).is_some_and(|time| time > patience) || started.elapsed() > STANDSTILL {
            child.kill().unwrap();
            break (child.wait().unwrap(), true);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    Run { code: status.code(), stdout: text(&out), stderr: text(&err), hung, status }
}

/// How long a child has had a processor, where the system tells, in hundredths of a second:
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn processor_time(child: &Child) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // The second field, a name in brackets, may hold anything. The 14th and the 15th are the time in the program and for it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}

/// `offlimits replay … --rules … --format jsonl`, in short.
pub(crate) fn replay(files: &[&Path], rules: &Path) -> Run {
    let mut command = offlimits(["replay", "--format", "jsonl", "--rules"]);
    command.arg(rules).args(files);
    run(command)
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A JSON document of the repository.
pub(crate) fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(repository(path)).unwrap()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file in `folder` with this content.
pub(crate) fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
#[cfg(target_os = "linux")]
fn the_watchdog_ends_what_works_without_end() {
    let mut command = Command::new("sh");
    command.args(["-c", "while :; do :; done"]);
    assert!(run_within(Duration::from_millis(50), command).hung);
}
