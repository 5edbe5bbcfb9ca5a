//! Edge: the ledger as a file, `ledger.ndjson`, for runs that write over REST.
//!
//! A line is on the disk before what it speaks of is sent: first what is intended, then that it was done.
//! So whatever the moment a run is killed, every row it may have written is named. A last line that was
//! cut off is as if it had never been begun.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::exit::Failure;
use crate::run::folder::{private_file, unwritable};

use super::{Batch, Digest, Key, Table, unreadable};

/// The ledger's name in the folder of a run.
pub const NAME: &str = "ledger.ndjson";

/// One line. Tagged from outside, or serde would have to hold a row before it knows that its digits count.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A table will be written to; parents come first.
    Table(Table),
    /// A batch will be sent.
    Intent(Batch),
    /// It was taken, but for these rows.
    Done {
        key: Key,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<Uuid>,
    },
    /// What rows of a table are like at the end of the run.
    Seal { table: String, rows: Vec<(Uuid, Digest)> },
}

/// A ledger that is being written.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
}

/// A ledger that is being read. It keeps where its lines are, and not what is in them.
#[derive(Debug)]
pub struct Reader {
    file: File,
    /// The tables, parents first.
    pub tables: Vec<Table>,
    intents: BTreeMap<Key, (u64, usize)>,
    refused: HashMap<Key, HashSet<Uuid>>,
    seals: HashMap<String, HashMap<Uuid, Digest>>,
}

impl Writer {
    /// Opens the ledger of a run, after whatever stands in it.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let open = || {
            let mut file = private_file(OpenOptions::new().read(true).append(true).create(true), path)?;
            // A line that was cut off would swallow the next.
            let end = file.seek(SeekFrom::End(0))?;
            if end > 0 {
                file.seek(SeekFrom::Start(end - 1))?;
                let mut last = [0];
                file.read_exact(&mut last)?;
                if last != *b"\n" {
                    file.write_all(b"\n")?;
                }
            }
            Ok(file)
        };
        let file = open().map_err(|error| unwritable(path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Notes a table before its first batch; parents come first.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written.
    pub fn table(&mut self, table: Table) -> Result<(), Failure> {
        self.write(&Line::Table(table))
    }

    /// Notes a batch before it is sent, with the rows it would change as they are.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written: then it must not be sent.
    pub fn intend(&mut self, batch: Batch) -> Result<(), Failure> {
        self.write(&Line::Intent(batch))
    }

    /// Notes that a batch was taken, but for these rows.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written.
    pub fn done(&mut self, key: Key, refused: Vec<Uuid>) -> Result<(), Failure> {
        self.write(&Line::Done { key, refused })
    }

    /// Notes what rows are like at the end of the run.
    ///
    /// # Errors
    /// Exit code 2 when it cannot be written.
    pub fn seal(&mut self, table: &str, rows: Vec<(Uuid, Digest)>) -> Result<(), Failure> {
        self.write(&Line::Seal { table: table.to_owned(), rows })
    }

    fn write(&mut self, line: &Line) -> Result<(), Failure> {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut json| {
            json.push(b'\n');
            self.file.write_all(&json)?;
            self.file.sync_data()
        });
        written.map_err(|error| unwritable(&self.path, error))
    }
}

impl Reader {
    /// Opens the ledger of a run.
    ///
    /// # Errors
    /// Exit code 7 when it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| unreadable(&error.to_string()).because(error))?;
        let mut lines = BufReader::new(file);
        let (mut tables, mut intents) = (Vec::<Table>::new(), BTreeMap::new());
        let (mut refused, mut seals) = (HashMap::new(), HashMap::<String, HashMap<_, _>>::new());
        let (mut at, mut text, mut number) = (0, Vec::new(), 0_usize);
        loop {
            text.clear();
            number += 1;
            let length =
                lines.read_until(b'\n', &mut text).map_err(|error| unreadable(&error.to_string()))?;
            if length == 0 {
                break;
            }
            // A cut may go through a character, and the line break is none of the text that was cut.
            match serde_json::from_slice(text.trim_ascii_end()) {
                Ok(Line::Table(table)) => match tables.iter_mut().find(|known| known.name == table.name) {
                    Some(known) => *known = table,
                    None => tables.push(table),
                },
                Ok(Line::Intent(batch)) => _ = intents.insert(batch.key, (at, length)),
                Ok(Line::Done { key, refused: rows }) => {
                    refused.insert(key, rows.into_iter().collect());
                }
                Ok(Line::Seal { table, rows }) => seals.entry(table).or_default().extend(rows),
                // What was cut off was never sent.
                Err(error) if error.is_eof() => {}
                Err(error) => return Err(unreadable(&format!("line {number}: {error}"))),
            }
            at += length as u64;
        }
        Ok(Self { file: lines.into_inner(), tables, intents, refused, seals })
    }

    /// The batches, in the order of tables and numbers.
    pub fn keys(&self) -> Vec<Key> {
        self.intents.keys().cloned().collect()
    }

    /// True if it is known what the rows of a table were like at the end of the run.
    pub fn is_sealed(&self, table: &str) -> bool {
        self.seals.contains_key(table)
    }

    /// One batch, without the rows that were refused.
    ///
    /// # Errors
    /// Exit code 7 when it cannot be read.
    pub fn batch(&mut self, key: &Key) -> Result<Batch, Failure> {
        let Some((at, length)) = self.intents.get(key) else { return Err(unreadable("a batch is gone")) };
        let mut text = vec![0; *length];
        let read = self.file.seek(SeekFrom::Start(*at)).and_then(|_| self.file.read_exact(&mut text));
        read.map_err(|error| unreadable(&error.to_string()))?;
        let Ok(Line::Intent(mut batch)) = serde_json::from_slice(&text) else {
            return Err(unreadable("a batch has changed"));
        };
        if let Some(refused) = self.refused.get(key) {
            batch.rows.retain(|row| !refused.contains(&row.id));
        }
        if let Some(seals) = self.seals.get(&key.table) {
            batch.rows.iter_mut().for_each(|row| row.after = seals.get(&row.id).copied());
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Op, Touched};
    use serde_json::value::RawValue;

    fn batch(n: u32, ids: &[u128]) -> Batch {
        let row = |id: &u128| Touched {
            id: Uuid::from_u128(*id),
            ours: Digest(Uuid::from_u128(id + 100)),
            before: Some(RawValue::from_string(r#"{"price":1.50}"#.to_owned()).unwrap()),
            after: None,
        };
        let key = Key { table: "things".to_owned(), n, part: 0 };
        Batch { key, op: Op::Update, columns: vec!["price".to_owned()], rows: ids.iter().map(row).collect() }
    }

    #[test]
    fn what_was_intended_is_found_again_and_what_was_refused_is_not() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(NAME);
        let mut writer = Writer::open(&path).unwrap();
        let (first, second) = (batch(0, &[1, 2]), batch(1, &[3]));
        writer.intend(first.clone()).unwrap();
        writer.done(first.key.clone(), vec![Uuid::from_u128(2)]).unwrap();
        writer.intend(second.clone()).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.keys(), [first.key.clone(), second.key.clone()]);
        let rows = reader.batch(&first.key).unwrap().rows;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].before.as_ref().unwrap().get(), r#"{"price":1.50}"#, "every digit stays");
        assert!(!reader.is_sealed("things"));
        let seal = Digest(Uuid::from_u128(9));
        writer.seal("things", vec![(Uuid::from_u128(3), seal)]).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.batch(&second.key).unwrap().rows[0].after, Some(seal));
        assert!(reader.is_sealed("things"));
    }

    #[test]
    fn a_line_that_was_cut_off_is_none_and_hurts_no_other() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(NAME);
        Writer::open(&path).unwrap().intend(batch(0, &[1])).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, [&whole[..], &whole[..cut]].concat()).unwrap();
            Writer::open(&path).unwrap().intend(batch(7, &[2])).unwrap();
            let mut reader = Reader::open(&path).unwrap();
            let keys = reader.keys();
            assert_eq!(keys.len(), 2, "cut at {cut}");
            assert_eq!(reader.batch(&keys[1]).unwrap().rows[0].id, Uuid::from_u128(2));
        }
    }
}
