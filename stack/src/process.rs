//! Processes that are not our children: whether they still run, and as what.

use rustix::process::Pid;

/// The command a process was started with; `None` once it has ended, even if nobody
/// has collected it yet.
#[cfg(target_os = "linux")]
pub(crate) fn command_line(pid: Pid) -> Option<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
}

/// The command a process was started with; `None` once it has ended.
#[cfg(not(target_os = "linux"))]
pub(crate) fn command_line(pid: Pid) -> Option<String> {
    let said = std::process::Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output();
    let line = String::from_utf8_lossy(&said.ok()?.stdout).into_owned();
    (!line.trim().is_empty()).then_some(line)
}

/// A process number as the system takes it.
pub(crate) fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}
