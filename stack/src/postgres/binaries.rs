//! The PostgreSQL programs of this machine. They are found, never downloaded.

use std::ffi::OsString;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The versions we know how to run.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// A directory with `initdb` and `postgres` of one supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    major: u32,
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// `PG_BIN`: this directory and no other.
    pub pg_bin: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
    /// The root of the file system.
    pub root: PathBuf,
}

/// Why there is no PostgreSQL to run.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    #[error("PG_BIN is {}, where there is no initdb and postgres: correct or unset it", .0.display())]
    PgBin(PathBuf),
    #[error("PostgreSQL is not installed here. To install it: {install}; or set PG_BIN to where it lies")]
    NotFound { install: &'static str },
    #[error(
        "{found}, but supabase-stack needs PostgreSQL {} to {}. To install one: {install}; or set PG_BIN to where it lies",
        SUPPORTED.start(), SUPPORTED.end()
    )]
    Unsupported { found: String, install: &'static str },
    #[error(
        "the data was made by PostgreSQL {wanted}, and only that version can open it ({found}): \
         install PostgreSQL {wanted}, set PG_BIN to where it lies, or start with other data"
    )]
    OtherVersion { wanted: u32, found: String },
}

impl Surroundings {
    /// What the environment of this process says.
    pub fn from_environment() -> Self {
        Self {
            pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from),
            path: std::env::var_os("PATH").unwrap_or_default(),
            root: PathBuf::from("/"),
        }
    }

    /// Directories that may hold PostgreSQL, best first.
    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(dir) = &self.pg_bin {
            return vec![dir.clone()];
        }
        let on_path: Vec<PathBuf> =
            std::env::split_paths(&self.path).filter(|dir| dir.is_absolute()).collect();
        let mut dirs: Vec<PathBuf> =
            on_path.iter().find_map(|dir| bindir(&dir.join("pg_config"))).into_iter().collect();
        dirs.extend(self.newest("usr/lib/postgresql", ""));
        dirs.extend(self.newest("usr", "pgsql-"));
        dirs.extend(on_path);
        dirs.extend(self.newest("opt/homebrew/opt", "postgresql@"));
        dirs.extend(self.newest("usr/local/opt", "postgresql@"));
        dirs
    }

    /// The `bin` of every `<prefix><version>` in a directory, the newest version first.
    fn newest(&self, dir: &str, prefix: &str) -> Vec<PathBuf> {
        let mut found: Vec<(u32, PathBuf)> = fs::read_dir(self.root.join(dir))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, bin)| bin).collect()
    }

    fn install(&self) -> &'static str {
        let release = fs::read_to_string(self.root.join("etc/os-release")).unwrap_or_default();
        install_command(&release)
    }
}

impl Binaries {
    /// Finds the first that will do: of the wanted version if there is one, else any supported.
    pub fn find(surroundings: &Surroundings, wanted: Option<u32>) -> Result<Self, BinariesError> {
        let candidates = surroundings.candidates();
        let found: Vec<(PathBuf, String)> =
            candidates.into_iter().filter_map(|dir| version(&dir).map(|version| (dir, version))).collect();
        let fits = |major: &u32| wanted.map_or(SUPPORTED.contains(major), |wanted| wanted == *major);
        for (dir, version) in &found {
            if let Some(major) = major(version).filter(fits) {
                return Ok(Self { dir: dir.clone(), major });
            }
        }
        Err(refusal(surroundings, &found, wanted))
    }

    pub fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    pub fn major(&self) -> u32 {
        self.major
    }
}

fn refusal(surroundings: &Surroundings, found: &[(PathBuf, String)], wanted: Option<u32>) -> BinariesError {
    let install = surroundings.install();
    let listed: Vec<String> =
        found.iter().map(|(dir, version)| format!("{version} in {}", dir.display())).collect();
    let listed =
        if listed.is_empty() { "found none".to_owned() } else { format!("found {}", listed.join(", ")) };
    match (wanted, &surroundings.pg_bin) {
        (_, Some(dir)) if found.is_empty() => BinariesError::PgBin(dir.clone()),
        (Some(wanted), _) => BinariesError::OtherVersion { wanted, found: listed },
        (None, _) if found.is_empty() => BinariesError::NotFound { install },
        (None, _) => BinariesError::Unsupported { found: listed, install },
    }
}

fn bindir(pg_config: &Path) -> Option<PathBuf> {
    let said = Command::new(pg_config).arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(said.stdout).ok()?.trim()))
}

/// What `postgres --version` says, if `initdb` lies beside it.
fn version(dir: &Path) -> Option<String> {
    if !dir.join("initdb").is_file() {
        return None;
    }
    let said = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    Some(String::from_utf8(said.stdout).ok()?.trim().to_owned())
}

/// 15 in "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 18 in "postgres (PostgreSQL) 18beta1".
fn major(version: &str) -> Option<u32> {
    let number = version.split_once(") ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

fn install_command(os_release: &str) -> &'static str {
    let ids: Vec<&str> = os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|ids| ids.trim_matches('"').split_whitespace())
        .collect();
    let like = |names: &[&str]| ids.iter().any(|id| names.contains(id));
    if like(&["debian", "ubuntu"]) {
        "sudo apt-get install postgresql"
    } else if like(&["fedora", "rhel", "centos"]) {
        "sudo dnf install postgresql-server postgresql-contrib"
    } else if like(&["arch"]) {
        "sudo pacman -S postgresql"
    } else if like(&["alpine"]) {
        "sudo apk add postgresql postgresql-contrib"
    } else if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else {
        "see https://www.postgresql.org/download/"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A machine on which these directories hold these versions.
    fn machine(installed: &[(&str, &str)]) -> (tempfile::TempDir, Surroundings) {
        let root = tempfile::tempdir().unwrap();
        for (dir, version) in installed {
            let dir = root.path().join(dir);
            fs::create_dir_all(&dir).unwrap();
            for name in ["initdb", "postgres"] {
                let program = dir.join(name);
                fs::write(&program, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
                fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        let surroundings = Surroundings { pg_bin: None, path: OsString::new(), root: root.path().to_owned() };
        (root, surroundings)
    }

    #[test]
    fn the_newest_supported_version_is_taken() {
        let (root, here) = machine(&[
            ("usr/lib/postgresql/9/bin", "9.6"),
            ("usr/lib/postgresql/16/bin", "16.4"),
            ("usr/lib/postgresql/17/bin", "17.1"),
            ("usr/lib/postgresql/40/bin", "40.0"),
        ]);
        let found = Binaries::find(&here, None).unwrap();
        assert_eq!(found, Binaries { dir: root.path().join("usr/lib/postgresql/17/bin"), major: 17 });
    }

    #[test]
    fn existing_data_asks_for_its_own_version() {
        let (_root, here) = machine(&[("usr/pgsql-15/bin", "15.2"), ("usr/pgsql-16/bin", "16.4")]);
        assert_eq!(Binaries::find(&here, Some(15)).unwrap().major(), 15);
        let error = Binaries::find(&here, Some(18)).unwrap_err().to_string();
        assert!(error.contains("made by PostgreSQL 18") && error.contains("16.4"), "{error}");
    }

    #[test]
    fn a_version_we_do_not_know_is_named() {
        let (_root, here) = machine(&[("opt/homebrew/opt/postgresql@14/bin", "14.9 (Homebrew)")]);
        let error = Binaries::find(&here, None).unwrap_err().to_string();
        assert!(error.contains("14.9 (Homebrew) in ") && error.contains("15 to 18"), "{error}");
    }

    #[test]
    fn pg_bin_is_taken_at_its_word() {
        let (root, mut here) = machine(&[("usr/lib/postgresql/17/bin", "17.1"), ("mine", "15.1")]);
        here.pg_bin = Some(root.path().join("mine"));
        assert_eq!(Binaries::find(&here, None).unwrap().major(), 15);
        here.pg_bin = Some(root.path().join("nowhere"));
        assert!(matches!(Binaries::find(&here, None), Err(BinariesError::PgBin(_))));
    }

    #[test]
    fn the_path_is_searched() {
        let (root, mut here) = machine(&[("custom/bin", "18beta1")]);
        here.path = root.path().join("custom/bin").into();
        assert_eq!(Binaries::find(&here, None).unwrap().major(), 18);
    }

    #[test]
    fn without_postgresql_the_error_says_how_to_install_it() {
        let (root, here) = machine(&[]);
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/os-release"), "NAME=x\nID=mint\nID_LIKE=\"ubuntu debian\"\n")
            .unwrap();
        let error = Binaries::find(&here, None).unwrap_err().to_string();
        assert!(error.contains("sudo apt-get install postgresql"), "{error}");
    }
}
