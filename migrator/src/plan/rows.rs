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
use crate::scratch::{self, Scratch};

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

fn row(reader: &mut impl Read) -> io::Result<(Row, usize)> {
    let mut head = [0; 4];
    reader.read_exact(&mut head)?;
    // What was written had a length that fits.
    let size = u32::from_le_bytes(head) as usize;
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
