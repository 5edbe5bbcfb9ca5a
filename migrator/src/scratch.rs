//! What does not fit into memory: bytes that spill into a file, and fixed-size entries put in order.
//!
//! Small amounts never touch the disk. Files are unlinked as soon as they are made, so the system takes
//! them back however the program ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use crate::exit::{self, Failure};

/// How many bytes stay in memory before they go to the file.
const IN_MEMORY: usize = 1 << 20;

/// How many bytes of entries are sorted at a time.
const RUN: usize = 4 << 20;

/// Every so many entries of an index have their key in memory.
const STRIDE: usize = 256;

/// Bytes that are written once, from front to back, and read at will.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    file: Option<File>,
    in_file: u64,
    /// What lies behind the bytes of the file.
    tail: Vec<u8>,
}

impl Scratch {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.in_file + self.tail.len() as u64
    }

    /// Reads from a place to the end.
    pub(crate) fn reader(&self, at: u64) -> BufReader<Reader<'_>> {
        BufReader::with_capacity(64 << 10, self.at(at))
    }

    /// The same, for who reads little in one place.
    pub(crate) fn at(&self, at: u64) -> Reader<'_> {
        Reader { scratch: self, at }
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.in_file {
            let from = usize::try_from(at - self.in_file).unwrap_or(usize::MAX);
            let rest = self.tail.get(from..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            return Ok(count);
        }
        let Some(file) = &self.file else { return Ok(0) };
        let here = usize::try_from(self.in_file - at).unwrap_or(usize::MAX).min(buffer.len());
        read_file_at(file, at, &mut buffer[..here])
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.write_all(&self.tail)?;
        self.in_file += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > IN_MEMORY {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a [`Scratch`] from some place on.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    scratch: &'s Scratch,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.scratch.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_file_at(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Puts entries of `N` bytes in order, however many there are.
#[derive(Debug)]
pub(crate) struct Sorter<const N: usize> {
    entries: Vec<[u8; N]>,
    runs: Scratch,
    /// Where each sorted run ends in `runs`.
    ends: Vec<u64>,
}

impl<const N: usize> Default for Sorter<N> {
    fn default() -> Self {
        Self { entries: Vec::new(), runs: Scratch::default(), ends: Vec::new() }
    }
}

impl<const N: usize> Sorter<N> {
    /// Takes one more entry.
    pub(crate) fn push(&mut self, entry: [u8; N]) -> io::Result<()> {
        self.entries.push(entry);
        if self.entries.len() * N < RUN {
            return Ok(());
        }
        self.entries.sort_unstable();
        for entry in self.entries.drain(..) {
            self.runs.write_all(&entry)?;
        }
        self.ends.push(self.runs.len());
        Ok(())
    }

    /// Hands out all entries in order.
    pub(crate) fn each(mut self, mut take: impl FnMut([u8; N]) -> io::Result<()>) -> io::Result<()> {
        self.entries.sort_unstable();
        let mut runs: Vec<Box<dyn Iterator<Item = io::Result<[u8; N]>> + '_>> = Vec::new();
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        for (start, end) in starts.zip(&self.ends) {
            let mut left = (end - start) / N as u64;
            let mut reader = BufReader::with_capacity(N * 256, self.runs.at(start));
            runs.push(Box::new(std::iter::from_fn(move || {
                left = left.checked_sub(1)?;
                let mut entry = [0; N];
                Some(reader.read_exact(&mut entry).map(|()| entry))
            })));
        }
        runs.push(Box::new(self.entries.into_iter().map(Ok)));
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            if let Some(entry) = run.next() {
                heads.push(Reverse((entry?, place)));
            }
        }
        while let Some(Reverse((entry, place))) = heads.pop() {
            take(entry)?;
            if let Some(next) = runs.get_mut(place).and_then(Iterator::next) {
                heads.push(Reverse((next?, place)));
            }
        }
        Ok(())
    }

    /// Makes the entries findable by their first sixteen bytes.
    pub(crate) fn index(self) -> io::Result<Index<N>> {
        let mut index = Index::default();
        self.each(|entry| index.push(entry))?;
        Ok(index)
    }
}

/// Entries in order, found by their first sixteen bytes with one read.
#[derive(Debug)]
pub(crate) struct Index<const N: usize> {
    entries: Scratch,
    /// The key of every `STRIDE`th entry.
    sparse: Vec<[u8; 16]>,
    count: usize,
    last: Option<[u8; N]>,
}

impl<const N: usize> Default for Index<N> {
    fn default() -> Self {
        Self { entries: Scratch::default(), sparse: Vec::new(), count: 0, last: None }
    }
}

impl<const N: usize> Index<N> {
    fn push(&mut self, entry: [u8; N]) -> io::Result<()> {
        if self.last == Some(entry) {
            return Ok(());
        }
        if self.count.is_multiple_of(STRIDE) {
            self.sparse.push(key(&entry));
        }
        self.count += 1;
        self.last = Some(entry);
        self.entries.write_all(&entry)
    }

    /// True if an entry has this key.
    pub(crate) fn holds(&self, wanted: [u8; 16]) -> io::Result<bool> {
        Ok(!self.find(wanted)?.is_empty())
    }

    /// The first two entries with this key: more than one is all a caller wants to know.
    pub(crate) fn find(&self, wanted: [u8; 16]) -> io::Result<Vec<[u8; N]>> {
        // Equal keys may begin in the block before the first block that starts with one.
        let block = self.sparse.partition_point(|first| *first < wanted).saturating_sub(1);
        let mut found = Vec::new();
        let mut bytes = vec![0; STRIDE * N];
        for block in block..self.sparse.len() {
            if self.sparse.get(block).is_none_or(|first| *first > wanted) {
                break;
            }
            let mut filled = 0;
            while filled < bytes.len() {
                let at = (block * STRIDE * N + filled) as u64;
                match self.entries.read_at(at, &mut bytes[filled..])? {
                    0 => break,
                    count => filled += count,
                }
            }
            let (entries, _) = bytes[..filled].as_chunks::<N>();
            let first = entries.partition_point(|entry| key(entry) < wanted);
            let equal = entries[first..].iter().take_while(|entry| key(entry) == wanted);
            found.extend(equal.take(2 - found.len().min(2)).copied());
            if found.len() >= 2 {
                break;
            }
        }
        Ok(found)
    }
}

fn key<const N: usize>(entry: &[u8; N]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&entry[..16]);
    key
}

/// What a run does without room for its notes.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let message = format!("the folder for temporary files cannot be used: {error}");
        Self::new(exit::BUG, "scratch", message)
            .help("make room there, or name another folder in TMPDIR, and run again")
            .because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> [u8; 24] {
        let mut entry = [0; 24];
        // Far apart and out of order.
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        entry[..8].copy_from_slice(&spread.to_be_bytes());
        entry[16..].copy_from_slice(&number.to_be_bytes());
        entry
    }

    #[test]
    fn more_than_fits_into_memory_comes_back_in_order_and_is_found() {
        let count = 400_000;
        let mut sorter = Sorter::<24>::default();
        (0..count).try_for_each(|number| sorter.push(entry(number))).unwrap();
        sorter.push(entry(7)).unwrap();
        let mut twice = entry(7);
        twice[23] = 200;
        sorter.push(twice).unwrap();
        assert!(sorter.ends.len() > 1, "some of it is on disk");
        let index = sorter.index().unwrap();
        assert_eq!(index.count, usize::try_from(count).unwrap() + 1);
        for number in (0..count).step_by(997) {
            assert_eq!(index.find(key(&entry(number))).unwrap(), [entry(number)]);
        }
        assert_eq!(index.find(key(&entry(7))).unwrap().len(), 2);
        assert!(!index.holds(key(&entry(count + 1))).unwrap());
    }

    #[test]
    fn bytes_are_read_from_any_place() {
        let mut scratch = Scratch::default();
        let all: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        all.chunks(4096).try_for_each(|part| scratch.write_all(part)).unwrap();
        for at in [0, 1, 1_048_575, 1_052_672, 2_999_999, 3_000_000] {
            let mut rest = Vec::new();
            scratch.reader(at as u64).read_to_end(&mut rest).unwrap();
            assert!(rest == all[at..], "from {at}");
        }
    }

    #[test]
    fn an_index_of_one_repeated_key_ends() {
        let mut sorter = Sorter::<24>::default();
        for number in 0..1000_u64 {
            let mut entry = [9; 24];
            entry[16..].copy_from_slice(&number.to_be_bytes());
            sorter.push(entry).unwrap();
        }
        let index = sorter.index().unwrap();
        assert_eq!(index.find([9; 16]).unwrap().len(), 2);
        assert!(index.find([8; 16]).unwrap().is_empty() && index.find([10; 16]).unwrap().is_empty());
    }
}
