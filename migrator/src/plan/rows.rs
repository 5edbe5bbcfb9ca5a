//! The rows of a plan, one after the other, on disk where they are many.

use std::io::{self, BufReader, Read, Write};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::Row;
use crate::cell::Cell;
use crate::export::read_json;
use crate::node::Node;
use crate::pointer::Pointer;
use crate::scratch::{self, Scratch, Sorter};

/// Rows in the order of the file.
#[derive(Debug, Default)]
pub struct Rows {
    scratch: Scratch,
    count: usize,
}

/// Rows being read back in pieces.
#[derive(Debug)]
pub struct Batches<'r> {
    reader: BufReader<scratch::Reader<'r>>,
    left: usize,
    most: usize,
    bytes: usize,
}

/// Rows being read back in the order of their ids, each with its place among all.
#[derive(Debug)]
pub struct ById<'r> {
    scratch: &'r Scratch,
    /// An entry for each row: its id, its place, where it lies.
    order: Scratch,
    next: u64,
    most: usize,
    bytes: usize,
}

/// The bytes of an id, and of an entry of [`ById`].
const ID: usize = 16;
const ENTRY: usize = ID + 8 + 8;

impl Rows {
    /// Takes one more row.
    pub(super) fn push(&mut self, row: &Row) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(256);
        encode(row, &mut bytes);
        self.count += 1;
        self.scratch.write_all(&length(bytes.len()))?;
        self.scratch.write_all(&bytes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All rows in pieces of at most so many rows and about so many bytes; a larger row stands alone.
    pub fn batches(&self, most: usize, bytes: usize) -> Batches<'_> {
        Batches { reader: self.scratch.reader(0), left: self.count, most: most.max(1), bytes }
    }

    /// The same in the order of ids, so that a piece is a stretch of keys that a database reads at once.
    pub fn by_id(&self, most: usize, bytes: usize) -> io::Result<ById<'_>> {
        let (mut sorter, mut order) = (Sorter::<ENTRY>::default(), Scratch::default());
        let mut reader = self.scratch.reader(0);
        let mut at = 0_u64;
        for place in 0..self.count as u64 {
            let size = size(&mut reader)?;
            let mut entry = [0; ENTRY];
            reader.read_exact(&mut entry[..ID])?;
            entry[ID..ID + 8].copy_from_slice(&place.to_be_bytes());
            entry[ID + 8..].copy_from_slice(&at.to_be_bytes());
            sorter.push(entry)?;
            io::copy(&mut reader.by_ref().take((size - ID) as u64), &mut io::sink())?;
            at += (HEAD + size) as u64;
        }
        sorter.each(|entry| order.write_all(&entry))?;
        Ok(ById { scratch: &self.scratch, order, next: 0, most: most.max(1), bytes })
    }

    /// All rows, in memory.
    pub fn all(&self) -> io::Result<Vec<Row>> {
        self.batches(usize::MAX, usize::MAX).next().unwrap_or_else(|| Ok(Vec::new()))
    }
}

impl Iterator for Batches<'_> {
    type Item = io::Result<Vec<Row>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let (mut rows, mut used) = (Vec::new(), 0);
        while self.left > 0 && rows.len() < self.most && used < self.bytes {
            match row(&mut self.reader) {
                Ok((row, size)) => {
                    used += size;
                    rows.push(row);
                    self.left -= 1;
                }
                Err(error) => {
                    self.left = 0;
                    return Some(Err(error));
                }
            }
        }
        Some(Ok(rows))
    }
}

impl ById<'_> {
    fn row(&mut self) -> io::Result<(usize, Row, usize)> {
        let mut entry = [0; ENTRY];
        self.order.at(self.next).read_exact(&mut entry)?;
        self.next += ENTRY as u64;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let (row, size) = row(&mut self.scratch.at(number(&entry[ID + 8..])))?;
        Ok((usize::try_from(number(&entry[ID..ID + 8])).unwrap_or(usize::MAX), row, size))
    }
}

impl Iterator for ById<'_> {
    type Item = io::Result<Vec<(usize, Row)>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut rows, mut used) = (Vec::new(), 0);
        while self.next < self.order.len() && rows.len() < self.most && used < self.bytes {
            match self.row() {
                Ok((place, row, size)) => {
                    used += size;
                    rows.push((place, row));
                }
                Err(error) => {
                    self.next = self.order.len();
                    return Some(Err(error));
                }
            }
        }
        (!rows.is_empty()).then_some(Ok(rows))
    }
}

/// The bytes before a row: how many it has.
const HEAD: usize = 4;

fn size(reader: &mut impl Read) -> io::Result<usize> {
    let mut head = [0; HEAD];
    reader.read_exact(&mut head)?;
    // What was written had a length that fits.
    Ok(u32::from_le_bytes(head) as usize)
}

fn row(reader: &mut impl Read) -> io::Result<(Row, usize)> {
    let size = size(reader)?;
    let mut bytes = vec![0; size];
    reader.read_exact(&mut bytes)?;
    let row = decode(&bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok((row, size))
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend(length(text.len()));
    bytes.extend(text.as_bytes());
}

fn encode(row: &Row, bytes: &mut Vec<u8>) {
    bytes.extend(row.id.as_bytes());
    put_text(row.at.as_str(), bytes);
    for cell in &row.cells {
        match cell {
            Cell::Unset => bytes.push(0),
            Cell::Null => bytes.push(1),
            Cell::Text(text) => {
                bytes.push(2);
                put_text(text, bytes);
            }
            Cell::Int(value) => {
                bytes.push(3);
                bytes.extend(value.to_le_bytes());
            }
            Cell::Numeric(value) => {
                bytes.push(4);
                bytes.extend(value.serialize());
            }
            Cell::Bool(value) => bytes.extend([5, u8::from(*value)]),
            Cell::Date(date) => {
                bytes.push(6);
                bytes.extend(date.year().to_le_bytes());
                bytes.extend(date.month().to_le_bytes());
                bytes.extend(date.day().to_le_bytes());
            }
            Cell::Instant(instant) => {
                bytes.push(7);
                bytes.extend(instant.as_microsecond().to_le_bytes());
            }
            Cell::Uuid(id) => {
                bytes.push(8);
                bytes.extend(id.as_bytes());
            }
            Cell::Json(node) => {
                bytes.push(9);
                put_text(&node.to_json(), bytes);
            }
            Cell::TextArray(items) => {
                bytes.push(10);
                bytes.extend(length(items.len()));
                for item in items {
                    bytes.push(u8::from(item.is_some()));
                    put_text(item.as_deref().unwrap_or_default(), bytes);
                }
            }
        }
    }
}

fn decode(mut bytes: &[u8]) -> Option<Row> {
    let id = Uuid::from_bytes(take(&mut bytes)?);
    let at = Pointer::as_written(text(&mut bytes)?);
    let mut cells = Vec::new();
    while let [tag, rest @ ..] = bytes {
        bytes = rest;
        cells.push(match tag {
            0 => Cell::Unset,
            1 => Cell::Null,
            2 => Cell::Text(text(&mut bytes)?),
            3 => Cell::Int(i64::from_le_bytes(take(&mut bytes)?)),
            4 => Cell::Numeric(Decimal::deserialize(take(&mut bytes)?)),
            5 => Cell::Bool(take::<1>(&mut bytes)? == [1]),
            6 => {
                let [low, high, month, day] = take(&mut bytes)?;
                let (month, day) = (month.cast_signed(), day.cast_signed());
                Cell::Date(Date::new(i16::from_le_bytes([low, high]), month, day).ok()?)
            }
            7 => Cell::Instant(Timestamp::from_microsecond(i64::from_le_bytes(take(&mut bytes)?)).ok()?),
            8 => Cell::Uuid(Uuid::from_bytes(take(&mut bytes)?)),
            9 => Cell::Json(match text(&mut bytes)?.as_str() {
                "{}" => Node::Map(crate::node::Map::new()),
                json => read_json(json)?,
            }),
            10 => {
                let count = u32::from_le_bytes(take(&mut bytes)?);
                let mut items = Vec::new();
                for _ in 0..count {
                    let there = take::<1>(&mut bytes)? == [1];
                    let item = text(&mut bytes)?;
                    items.push(there.then_some(item));
                }
                Cell::TextArray(items)
            }
            _ => return None,
        });
    }
    Some(Row { id, at, cells })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(take(bytes)?) as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_ids_is_that_of_their_bytes() {
        let mut rows = Rows::default();
        let text = |id: u128| "x".repeat(usize::try_from(id % 50).unwrap());
        // Far apart and out of order; enough of them to lie on disk.
        let ids: Vec<u128> = (1..30_000_u128).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C)).collect();
        for id in &ids {
            let cells = vec![Cell::Text(text(*id))];
            rows.push(&Row { id: Uuid::from_u128(*id), at: Pointer::root(), cells }).unwrap();
        }
        let sorted: Vec<(usize, Row)> =
            rows.by_id(700, usize::MAX).unwrap().flat_map(|rows| rows.unwrap()).collect();
        assert!(sorted.is_sorted_by_key(|(_, row)| row.id));
        assert_eq!(sorted.len(), ids.len());
        for (place, row) in sorted {
            assert_eq!(row.id, Uuid::from_u128(ids[place]));
            assert_eq!(row.cells, [Cell::Text(text(ids[place]))]);
        }
        assert!(Rows::default().by_id(1, 1).unwrap().next().is_none());
    }

    #[test]
    fn every_cell_comes_back_as_it_was() {
        let cells = vec![
            Cell::Unset,
            Cell::Null,
            Cell::Text("é\0🙂".to_owned()),
            Cell::Int(i64::MIN),
            Cell::Numeric("-12345678901234567890.12345678".parse().unwrap()),
            Cell::Bool(true),
            Cell::Bool(false),
            Cell::Date("0001-02-28".parse().unwrap()),
            Cell::Instant("1969-12-31T23:59:59.999999Z".parse().unwrap()),
            Cell::Uuid(Uuid::from_u128(7)),
            Cell::Json(read_json(r#"{"a":[1e400,"\ud83d\ude42"],"b":{}}"#).unwrap()),
            Cell::Json(read_json("{}").unwrap()),
            Cell::TextArray(vec![Some("a".to_owned()), None, Some(String::new())]),
            Cell::TextArray(Vec::new()),
        ];
        let row = Row { id: Uuid::from_u128(1), at: Pointer::parse("/a~1b/0").unwrap(), cells };
        let mut rows = Rows::default();
        (0..10).for_each(|_| rows.push(&row).unwrap());
        assert_eq!(rows.all().unwrap(), vec![row.clone(); 10]);
        let sizes: Vec<usize> = rows.batches(4, usize::MAX).map(|batch| batch.unwrap().len()).collect();
        assert_eq!(sizes, [4, 4, 2]);
        assert_eq!(rows.batches(100, 1).next().unwrap().unwrap(), [row]);
    }
}
