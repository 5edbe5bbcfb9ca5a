//! The folder of migrations: `<version>_<name>.sql`, oldest version first.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::MigrateError;

/// One file of the folder.
#[derive(Debug)]
pub(super) struct Migration {
    pub(super) path: PathBuf,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) source: String,
}

impl Migration {
    /// `20260101120000_notes.sql` is version 20260101120000, notes.
    fn read(path: PathBuf) -> Result<Self, MigrateError> {
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let parts = stem
            .split_once('_')
            .filter(|(version, _)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()));
        let Some((version, name)) = parts.map(|(version, name)| (version.to_owned(), name.to_owned())) else {
            return Err(MigrateError::Name(path));
        };
        let source = fs::read_to_string(&path).map_err(MigrateError::read(&path))?;
        Ok(Self { path, version, name, source })
    }

    /// The file's name as it is shown and told apart.
    pub(super) fn full_name(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }
}

/// Reads a folder in order. One that is not there has no migrations.
pub(super) fn read(dir: &Path) -> Result<Vec<Migration>, MigrateError> {
    let mut migrations: Vec<Migration> =
        sql_files(dir)?.into_iter().map(Migration::read).collect::<Result<_, _>>()?;
    migrations.sort_by(|a, b| number(&a.version).cmp(&number(&b.version)));
    let twice = migrations.windows(2).find(|pair| number(&pair[0].version) == number(&pair[1].version));
    match twice {
        Some([first, second, ..]) => {
            Err(MigrateError::SameVersion { first: first.path.clone(), second: second.path.clone() })
        }
        _ => Ok(migrations),
    }
}

/// A version as a number of any length: compared by length first.
pub(super) fn number(version: &str) -> (usize, &str) {
    let digits = version.trim_start_matches('0');
    (digits.len(), digits)
}

fn sql_files(dir: &Path) -> Result<Vec<PathBuf>, MigrateError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(MigrateError::read(dir))?,
    };
    let paths = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(MigrateError::read(dir)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(paths.into_iter().filter(|path| path.extension() == Some(OsStr::new("sql"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(dir.path().join(file), "select 1").unwrap();
        }
        dir
    }

    #[test]
    fn files_come_in_the_order_of_their_versions() {
        let dir = folder(&["10_c.sql", "9_b.sql", "0001_a_b.sql", "README.md", ".gitkeep"]);
        let names: Vec<String> = read(dir.path()).unwrap().iter().map(Migration::full_name).collect();
        assert_eq!(names, ["0001_a_b", "9_b", "10_c"]);
    }

    #[test]
    fn a_name_without_a_version_is_refused() {
        for name in ["notes.sql", "1.sql", "_a.sql", "1a_b.sql"] {
            assert!(matches!(read(folder(&[name]).path()), Err(MigrateError::Name(_))), "{name}");
        }
    }

    #[test]
    fn a_version_is_used_once() {
        let error = read(folder(&["1_a.sql", "01_b.sql"]).path()).unwrap_err().to_string();
        assert!(error.contains("same version"), "{error}");
    }

    #[test]
    fn no_folder_is_no_migrations() {
        assert!(read(Path::new("/nonexistent/migrations")).unwrap().is_empty());
    }
}
