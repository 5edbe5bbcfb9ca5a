//! Edge: the SQLite files of a browser, each opened as a copy.
//!
//! A copy, because opening one for reading may write: what waits in a write-ahead log goes into
//! the file. Which browser wrote a file is told by its tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};
use tempfile::TempDir;

use super::profile::{damaged, unreadable};
use super::{Area, Text, chromium, firefox};
use crate::exit::Failure;

/// The endings of a database's name, and of what holds the writes that are not in it yet.
const PARTS: [&str; 3] = ["", "-wal", "-journal"];

/// The areas in a file.
///
/// # Errors
/// Exit code 5 when it is no file of a browser's localStorage, or damaged.
pub(super) fn areas(file: &Path) -> Result<Vec<Area>, Failure> {
    let copy = Copy::of(file)?;
    let table = |name: &str| copy.has_table(name);
    if table("map_entries")? {
        return chromium_areas(&copy);
    }
    if table("webappsstore2")? {
        return old_firefox_areas(&copy);
    }
    let one = if table("data")? {
        new_firefox_area(&copy)?
    } else if table("ItemTable")? {
        webkit_area(&copy)?
    } else {
        return Err(damaged(file, "it is no database of a browser's localStorage"));
    };
    Ok(vec![one])
}

/// The files of a database, as far as they are there.
pub(super) fn parts(file: &Path) -> Vec<PathBuf> {
    PARTS.iter().map(|ending| part(file, ending)).filter(|part| part.is_file()).collect()
}

fn part(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn chromium_areas(copy: &Copy) -> Result<Vec<Area>, Failure> {
    let readers = "select value from meta where key = 'last_compatible_version'";
    if copy.rows(readers, |row| bytes(row, 0))?.iter().any(|version| version != chromium::VERSION) {
        return Err(damaged(&copy.of, chromium::UNKNOWN));
    }
    let maps = copy.rows("select row_id, storage_key from maps order by storage_key", |row| {
        Ok((row.get::<_, i64>(0)?, bytes(row, 1)?))
    })?;
    let mut areas = Vec::new();
    for (map, key) in maps {
        let sql = "select key, value_compression_type, value from map_entries where map_id = ?1";
        let rows = copy.rows_of(sql, [map], |row| Ok((bytes(row, 0)?, row.get(1)?, bytes(row, 2)?)))?;
        let entry = |(key, packing, value): (Vec<u8>, i64, Vec<u8>)| {
            let key = chromium::text(&key).ok_or("it holds a key that is spelt in no known way")?;
            Ok((key, chromium::value(packing, &value)?))
        };
        let entries = rows.into_iter().map(entry).collect::<Result<_, _>>();
        areas.push(Area {
            origin: chromium::origin(&key),
            entries: entries.map_err(|why| damaged(&copy.of, why))?,
        });
    }
    Ok(areas)
}

fn new_firefox_area(copy: &Copy) -> Result<Area, Failure> {
    let origins = copy.rows("select origin from database", |row| bytes(row, 0))?;
    let origin = origins.first().map(|origin| String::from_utf8_lossy(origin).into_owned());
    let rows = copy.rows("select key, compression_type, conversion_type, value from data", |row| {
        Ok((bytes(row, 0)?, row.get(1)?, row.get(2)?, bytes(row, 3)?))
    })?;
    let entry = |(key, packing, spelling, value): (Vec<u8>, i64, i64, Vec<u8>)| {
        Ok((Text::from_utf8(&key), firefox::value(packing, spelling, &value)?))
    };
    let entries = rows.into_iter().map(entry).collect::<Result<_, _>>();
    Ok(Area {
        origin: origin.ok_or_else(|| damaged(&copy.of, "it does not say whose it is"))?,
        entries: entries.map_err(|why| damaged(&copy.of, why))?,
    })
}

fn old_firefox_areas(copy: &Copy) -> Result<Vec<Area>, Failure> {
    let rows = copy.rows("select originKey, originAttributes, key, value from webappsstore2", |row| {
        let [key, attributes] =
            [bytes(row, 0)?, bytes(row, 1)?].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok((
            firefox::origin(&key, &attributes),
            Text::from_utf8(&bytes(row, 2)?),
            Text::from_utf8(&bytes(row, 3)?),
        ))
    })?;
    let mut areas: BTreeMap<String, BTreeMap<Text, Text>> = BTreeMap::new();
    for (origin, key, value) in rows {
        areas.entry(origin).or_default().insert(key, value);
    }
    Ok(areas.into_iter().map(|(origin, entries)| Area { origin, entries }).collect())
}

fn webkit_area(copy: &Copy) -> Result<Area, Failure> {
    let rows = copy.rows("select key, value from ItemTable where key is not null", |row| {
        Ok((Text::from_utf8(&bytes(row, 0)?), bytes(row, 1)?))
    })?;
    let entry = |(key, value): (Text, Vec<u8>)| Some((key, Text::from_utf16le(&value)?));
    let entries = rows.into_iter().map(entry).collect::<Option<_>>();
    let entries =
        entries.ok_or_else(|| damaged(&copy.of, "it holds a text that ends in the middle of a character"))?;
    let origin = webkit_origin(&copy.of).unwrap_or_else(|| copy.of.display().to_string());
    Ok(Area { origin, entries })
}

/// The site a file of WebKit is named by, such as `https_app.example_0.localstorage`. Safari since 17 calls
/// all its files alike.
fn webkit_origin(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?.strip_suffix(".localstorage")?;
    let (scheme, rest) = name.split_once('_')?;
    let (host, port) = rest.rsplit_once('_')?;
    Some(if port == "0" { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

/// A database that may be opened.
struct Copy {
    connection: Connection,
    of: PathBuf,
    /// The folder it lies in, gone with this value and after the connection.
    _folder: TempDir,
}

impl Copy {
    fn of(file: &Path) -> Result<Self, Failure> {
        let unwritable = |error: std::io::Error| unreadable(file, error);
        let folder = TempDir::new().map_err(unwritable)?;
        let copy = folder.path().join("copy");
        for ending in PARTS {
            let original = part(file, ending);
            if original.is_file() {
                fs::copy(&original, part(&copy, ending)).map_err(unwritable)?;
            }
        }
        let connection = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|connection| {
                // A schema is no place for programs: a view could compute for ever.
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
                Ok(connection)
            })
            .map_err(|error| failure(file, error))?;
        Ok(Self { connection, of: file.to_owned(), _folder: folder })
    }

    fn has_table(&self, name: &str) -> Result<bool, Failure> {
        let sql = "select 1 from sqlite_schema where type = 'table' and name = ?1";
        Ok(!self.rows_of(sql, [name], |_| Ok(()))?.is_empty())
    }

    fn rows<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure> {
        self.rows_of(sql, [], read)
    }

    fn rows_of<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure> {
        let mut statement = self.connection.prepare(sql).map_err(|error| failure(&self.of, error))?;
        let rows = statement.query_map(values, read).and_then(Iterator::collect);
        rows.map_err(|error| failure(&self.of, error))
    }
}

/// A text or a blob as it stands.
fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    let value = row.get_ref(column)?;
    Ok(value.as_bytes_or_null()?.unwrap_or_default().to_vec())
}

fn failure(file: &Path, error: rusqlite::Error) -> Failure {
    damaged(file, "SQLite cannot read it").because(error)
}
