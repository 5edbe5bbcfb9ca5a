//! LevelDB, read whole: a manifest that says which files count, sorted tables, and logs.
//!
//! Nothing is opened for writing and no lock is taken; that is what sets this apart from the
//! libraries, which repair what they open. Of all that was ever written under a key the highest
//! sequence number counts, so what was deleted or overwritten does not come back. A log may
//! end in the middle of a record, as after a crash; any other damage is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::compressed::snappy;

/// The order of keys that localStorage has; other databases of a browser have others.
const COMPARATOR: &[u8] = b"leveldb.BytewiseComparator";
const TABLE_MAGIC: u64 = 0xdb47_7524_8b80_fb57;
const FOOTER: usize = 48;
const LOG_BLOCK: usize = 32 * 1024;
const LOG_HEADER: usize = 7;

/// A file of the database that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) file: String,
    pub(super) why: &'static str,
}

/// What was last written under each key: its sequence number, and a value unless that was a deletion.
type Latest = HashMap<Vec<u8>, (u64, Option<Vec<u8>>)>;

/// A key and its value.
type Entry = (Vec<u8>, Vec<u8>);

/// Every key of the database in these files, with its value.
pub(super) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Damage> {
    let open = |name: &str| match files.get(name) {
        Some(bytes) => Ok(bytes.as_slice()),
        None => Err(Damage { file: name.to_owned(), why: "it is missing" }),
    };
    let current = open("CURRENT")?;
    let manifest = std::str::from_utf8(current).map(str::trim_end).unwrap_or_default();
    if !manifest.starts_with("MANIFEST-") {
        return Err(Damage { file: "CURRENT".to_owned(), why: "it names no manifest" });
    }
    let in_file = |file: &str| {
        let file = file.to_owned();
        move |why| Damage { file, why }
    };
    let version = Version::read(open(manifest)?).map_err(in_file(manifest))?;
    let mut latest = Latest::new();
    for table in &version.tables {
        let names = [format!("{table:06}.ldb"), format!("{table:06}.sst")];
        let [ldb, sst] = &names;
        let name = if files.contains_key(sst) { sst } else { ldb };
        read_table(open(name)?, &mut latest).map_err(in_file(name))?;
    }
    for (name, bytes) in files {
        let number = name.strip_suffix(".log").and_then(|number| number.parse().ok());
        if number.is_some_and(|number| version.has_log(number)) {
            read_log(bytes, &mut latest).map_err(in_file(name))?;
        }
    }
    Ok(latest.into_iter().filter_map(|(key, (_, value))| Some((key, value?))).collect())
}

/// Which files count.
#[derive(Debug, Default)]
struct Version {
    tables: BTreeSet<u64>,
    log: u64,
    previous_log: u64,
}

impl Version {
    fn read(manifest: &[u8]) -> Result<Self, &'static str> {
        let mut version = Self::default();
        for edit in log_records(manifest)? {
            version.apply(Bytes(&edit)).ok_or("it holds an edit that cannot be read")?;
        }
        Ok(version)
    }

    /// Applies one edit: a row of fields, each behind its number.
    fn apply(&mut self, mut edit: Bytes<'_>) -> Option<()> {
        while !edit.0.is_empty() {
            match edit.varint()? {
                1 => (edit.text()? == COMPARATOR).then_some(())?,
                2 => self.log = edit.varint()?,
                3 | 4 => _ = edit.varint()?,
                5 => _ = (edit.varint()?, edit.text()?),
                6 => {
                    edit.varint()?;
                    self.tables.remove(&edit.varint()?);
                }
                7 => {
                    edit.varint()?;
                    self.tables.insert(edit.varint()?);
                    _ = (edit.varint()?, edit.text()?, edit.text()?);
                }
                9 => self.previous_log = edit.varint()?,
                _ => return None,
            }
        }
        Some(())
    }

    fn has_log(&self, number: u64) -> bool {
        number >= self.log || number == self.previous_log
    }
}

/// The records of a log, put together again where a block's end cut them.
fn log_records(bytes: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let (mut records, mut record) = (Vec::new(), None::<Vec<u8>>);
    for block in bytes.chunks(LOG_BLOCK) {
        let mut rest = block;
        while let Some((header, after)) = rest.split_first_chunk::<LOG_HEADER>() {
            let [a, b, c, d, low, high, kind] = *header;
            let Some((data, after)) = after.split_at_checked(usize::from(u16::from_le_bytes([low, high])))
            else {
                // The rest of a last record may not have been written yet; elsewhere a length is wrong.
                let is_last = block.as_ptr_range().end == bytes.as_ptr_range().end;
                return if is_last { Ok(records) } else { Err("a record of it is longer than its block") };
            };
            rest = after;
            if kind == 0 && data.is_empty() {
                continue; // space set aside and never written
            }
            if unmask(u32::from_le_bytes([a, b, c, d])) != checksum([&[kind][..], data]) {
                return Err("a record of it has another checksum than its own");
            }
            match (kind, record.as_mut()) {
                (1, None) => records.push(data.to_vec()),
                (2, None) => record = Some(data.to_vec()),
                (3, Some(record)) => record.extend_from_slice(data),
                (4, Some(whole)) => {
                    whole.extend_from_slice(data);
                    records.extend(record.take());
                }
                _ => return Err("a piece of a record of it is missing"),
            }
        }
    }
    Ok(records)
}

/// Takes in a log: batches of writes in the order of their sequence numbers.
fn read_log(bytes: &[u8], latest: &mut Latest) -> Result<(), &'static str> {
    for batch in log_records(bytes)? {
        read_batch(Bytes(&batch), latest).ok_or("it holds a batch that cannot be read")?;
    }
    Ok(())
}

fn read_batch(mut batch: Bytes<'_>, latest: &mut Latest) -> Option<()> {
    let mut sequence = u64::from_le_bytes(batch.array()?);
    let count = u32::from_le_bytes(batch.array()?);
    for _ in 0..count {
        let [kind] = batch.array()?;
        let key = batch.text()?.to_vec();
        let value = match kind {
            0 => None,
            1 => Some(batch.text()?.to_vec()),
            _ => return None,
        };
        learn(latest, key, sequence, value);
        sequence = sequence.checked_add(1)?;
    }
    batch.0.is_empty().then_some(())
}

/// Takes in a sorted table: an index of blocks, and the blocks.
fn read_table(bytes: &[u8], latest: &mut Latest) -> Result<(), &'static str> {
    let (_, footer) = bytes.split_last_chunk::<FOOTER>().ok_or("it is cut off")?;
    let (handles, magic) = footer.split_last_chunk::<8>().ok_or("it is cut off")?;
    if u64::from_le_bytes(*magic) != TABLE_MAGIC {
        return Err("it does not end as a table does");
    }
    let mut handles = Bytes(handles);
    let index = handles.handle().and_then(|_| handles.handle()).ok_or("its index is nowhere")?;
    for (_, handle) in entries(&block(bytes, index)?)? {
        let handle = Bytes(&handle).handle().ok_or("its index leads nowhere")?;
        for (mut key, value) in entries(&block(bytes, handle)?)? {
            let (_, tail) = key.split_last_chunk::<8>().ok_or("a key of it is too short")?;
            let tail = u64::from_le_bytes(*tail);
            key.truncate(key.len() - 8);
            let value = match tail & 0xFF {
                0 => None,
                1 => Some(value),
                _ => return Err("an entry of it is of no known kind"),
            };
            learn(latest, key, tail >> 8, value);
        }
    }
    Ok(())
}

fn learn(latest: &mut Latest, key: Vec<u8>, sequence: u64, value: Option<Vec<u8>>) {
    let known = latest.entry(key).or_insert((0, None));
    if sequence >= known.0 {
        *known = (sequence, value);
    }
}

/// A block of a table, checked and unpacked.
fn block(table: &[u8], (start, length): (usize, usize)) -> Result<Vec<u8>, &'static str> {
    let after = table.get(start..).and_then(|rest| rest.split_at_checked(length));
    let (data, after) = after.ok_or("a block of it lies past its end")?;
    let (&[kind, a, b, c, d], _) = after.split_first_chunk::<5>().ok_or("a block of it lies past its end")?;
    if unmask(u32::from_le_bytes([a, b, c, d])) != checksum([data, &[kind]]) {
        return Err("a block of it has another checksum than its own");
    }
    match kind {
        0 => Ok(data.to_vec()),
        1 => snappy(data).ok_or("a block of it cannot be unpacked"),
        _ => Err("a block of it is packed in a way this program does not know"),
    }
}

/// The entries of a block. Each key gives only what it does not share with the one before.
fn entries(block: &[u8]) -> Result<Vec<Entry>, &'static str> {
    const BAD: &str = "a block of it holds an entry that cannot be read";
    let (rest, restarts) = block.split_last_chunk::<4>().ok_or(BAD)?;
    let restarts = usize::try_from(u32::from_le_bytes(*restarts)).map_err(|_| BAD)?;
    let length = restarts.checked_mul(4).and_then(|restarts| rest.len().checked_sub(restarts)).ok_or(BAD)?;
    let mut bytes = Bytes(rest.get(..length).ok_or(BAD)?);
    let (mut found, mut key) = (Vec::new(), Vec::new());
    while !bytes.0.is_empty() {
        let value = bytes.entry(&mut key).ok_or(BAD)?;
        found.push((key.clone(), value.to_vec()));
    }
    Ok(found)
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A number in groups of seven bits, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        self.varint()?.try_into().ok()
    }

    /// Bytes behind their length.
    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    /// Where a block lies, and how long it is.
    fn handle(&mut self) -> Option<(usize, usize)> {
        Some((self.length()?, self.length()?))
    }

    /// An entry's value; `key` changes from the key before to its own.
    fn entry(&mut self, key: &mut Vec<u8>) -> Option<&'a [u8]> {
        let (shared, own, value) = (self.length()?, self.length()?, self.length()?);
        if shared > key.len() {
            return None;
        }
        key.truncate(shared);
        key.extend_from_slice(self.take(own)?);
        self.take(value)
    }
}

/// Undoes what LevelDB does to a checksum that is itself stored among checked bytes.
fn unmask(masked: u32) -> u32 {
    masked.wrapping_sub(0xa282_ead8).rotate_right(17)
}

/// CRC-32C of these bytes, one after the other.
fn checksum(parts: [&[u8]; 2]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ CRC[usize::from(crc.to_le_bytes()[0] ^ byte)];
    !parts.into_iter().flatten().fold(u32::MAX, step)
}

const CRC: [u32; 256] = {
    let (mut table, mut index) = ([0; 256], 0_u32);
    while index < 256 {
        let (mut crc, mut bit) = (index, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(checksum([b"1234", b"56789"]), 0xE306_9283);
    }

    #[test]
    fn a_later_write_counts_wherever_it_lies() {
        let mut latest = Latest::new();
        let mut batch = |sequence: u64, writes: &[u8]| {
            let batch = [&sequence.to_le_bytes()[..], &2_u32.to_le_bytes(), writes].concat();
            read_batch(Bytes(&batch), &mut latest)
        };
        assert_eq!(batch(8, b"\x01\x01a\x03new\x00\x01b"), Some(()));
        assert_eq!(batch(2, b"\x01\x01a\x03old\x01\x01b\x03old"), Some(()));
        assert_eq!(batch(4, b"\x01\x01a\x03old"), None); // it says two
        assert_eq!(latest.get(b"a".as_slice()), Some(&(8, Some(b"new".to_vec()))));
        assert_eq!(latest.get(b"b".as_slice()), Some(&(9, None)));
    }

    fn record(kind: u8, data: &[u8]) -> Vec<u8> {
        let masked = checksum([&[kind], data]).rotate_right(15).wrapping_add(0xa282_ead8);
        let length = u16::try_from(data.len()).expect("within a block");
        [&masked.to_le_bytes()[..], &length.to_le_bytes(), &[kind], data].concat()
    }

    #[test]
    fn a_log_may_end_in_the_middle_and_has_no_holes() {
        let whole =
            [record(1, b"one"), record(2, b"t"), record(3, b"w"), record(4, b"o"), vec![0; 9]].concat();
        assert_eq!(log_records(&whole), Ok(vec![b"one".to_vec(), b"two".to_vec()]));
        for length in 0..whole.len() {
            let cut = log_records(&whole[..length]).expect("only cut");
            assert!(cut.iter().zip([b"one", b"two"]).all(|(record, expected)| record == expected));
        }
        assert!(log_records(&[record(1, b"one"), record(3, b"w")].concat()).is_err());
        let mut changed = whole;
        changed[8] ^= 1;
        assert!(log_records(&changed).is_err());
    }

    #[test]
    fn a_record_goes_on_in_the_next_block() {
        let (long, short) = (vec![b'a'; LOG_BLOCK - LOG_HEADER], vec![b'b'; 9]);
        let log = [record(2, &long), record(4, &short)].concat();
        assert_eq!(log_records(&log), Ok(vec![[long.clone(), short].concat()]));
        // Where no header fits any more, the block's end is left empty.
        let log = [record(1, &long[3..]), vec![0; 3], record(1, b"next")].concat();
        assert_eq!(log_records(&log), Ok(vec![long[3..].to_vec(), b"next".to_vec()]));
        assert!(log_records(&[&record(1, &long)[..100], &[0; LOG_BLOCK]].concat()).is_err());
    }

    #[test]
    fn only_the_files_of_the_last_version_count() {
        let file = |number: u8| [&[7, 0, number, 1][..], b"\x01a\x01b"].concat();
        let edits = [&b"\x01\x1aleveldb.BytewiseComparator\x02\x05"[..], &file(4), &file(6), b"\x06\x00\x04"]
            .concat();
        let version = Version::read(&record(1, &edits)).expect("readable");
        assert_eq!((version.tables, version.log), (BTreeSet::from([6]), 5));
        let version = Version { log: 5, previous_log: 3, ..Version::default() };
        assert_eq!([2, 3, 4, 5, 6].map(|number| version.has_log(number)), [false, true, false, true, true]);
        assert!(Version::read(&record(1, b"\x01\x08idb_cmp1")).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), small in prop::collection::vec(0_u8..12, 0..80)) {
            for bytes in [bytes, small] {
                let mut latest = Latest::new();
                let _ = read_batch(Bytes(&bytes), &mut latest);
                let _ = Version::default().apply(Bytes(&bytes));
                let _ = entries(&bytes);
                let _ = log_records(&bytes);
                let footer = [&bytes[..bytes.len().min(40)], &[0; 40][bytes.len().min(40)..], &TABLE_MAGIC.to_le_bytes()].concat();
                let _ = read_table(&footer, &mut latest);
            }
        }
    }
}
