//! What PostgreSQL's own output plugin says about changed rows, read from its bytes.
//!
//! Values come as texts, in the form each type has for people. What does not speak of a row (types,
//! origins, truncations) is passed over.

use std::collections::HashMap;

use super::change::{Cell, Change, Column, Operation, Relation};
use std::sync::Arc;

/// The relations a stream has described so far.
#[derive(Debug, Default)]
pub(super) struct Decoder(HashMap<u32, Arc<Relation>>);

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("a replication message ends before its parts do")]
    Short,
    #[error("a replication message is of a form nobody asked for")]
    Form,
    #[error("a replication message speaks of a table that was not described")]
    Relation,
}

impl Decoder {
    /// Reads one message; `None` if it is about no row.
    pub(super) fn read(&mut self, message: &[u8]) -> Result<Option<Change>, DecodeError> {
        let mut bytes = Bytes(message);
        match bytes.byte()? {
            b'R' => {
                let relation = bytes.relation()?;
                self.0.insert(relation.oid, Arc::new(relation));
                Ok(None)
            }
            b'I' => {
                let relation = self.relation(bytes.number()?)?;
                let new = match bytes.byte()? {
                    b'N' => bytes.tuple()?,
                    _ => return Err(DecodeError::Form),
                };
                Ok(Some(Change { relation, operation: Operation::Insert, new, old: vec![] }))
            }
            b'U' => {
                let relation = self.relation(bytes.number()?)?;
                let (kind, first) = (bytes.byte()?, bytes.tuple()?);
                let (old, new) = match kind {
                    b'N' => (relation.identity(&first), first),
                    b'K' | b'O' if bytes.byte()? == b'N' => (relation.identity(&first), bytes.tuple()?),
                    _ => return Err(DecodeError::Form),
                };
                Ok(Some(Change { relation, operation: Operation::Update, new, old }))
            }
            b'D' => {
                let relation = self.relation(bytes.number()?)?;
                match bytes.byte()? {
                    b'K' | b'O' => {}
                    _ => return Err(DecodeError::Form),
                }
                let old = relation.identity(&bytes.tuple()?);
                Ok(Some(Change { relation, operation: Operation::Delete, new: vec![], old }))
            }
            _ => Ok(None), // types, origins, truncations: no row
        }
    }

    fn relation(&self, oid: u32) -> Result<Arc<Relation>, DecodeError> {
        self.0.get(&oid).cloned().ok_or(DecodeError::Relation)
    }
}

/// What is left of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, left) = self.0.split_at_checked(length).ok_or(DecodeError::Short)?;
        self.0 = left;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<u16, DecodeError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn number(&mut self) -> Result<u32, DecodeError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A text up to the zero that ends it.
    fn name(&mut self) -> Result<String, DecodeError> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(DecodeError::Short)?;
        let name = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(name)
    }

    fn relation(&mut self) -> Result<Relation, DecodeError> {
        let oid = self.number()?;
        let (schema, table) = (self.name()?, self.name()?);
        let _identity = self.byte()?;
        let count = self.short()?;
        let columns = (0..count).map(|_| self.column()).collect::<Result<_, _>>()?;
        // An empty name is how pg_catalog is written.
        let schema = if schema.is_empty() { "pg_catalog".to_owned() } else { schema };
        Ok(Relation { oid, schema, table, columns })
    }

    fn column(&mut self) -> Result<Column, DecodeError> {
        let identifies = self.byte()? & 1 == 1;
        let name = self.name()?;
        let (_type, _modifier) = (self.number()?, self.number()?);
        Ok(Column { name, identifies })
    }

    fn tuple(&mut self) -> Result<Vec<Cell>, DecodeError> {
        let count = self.short()?;
        (0..count).map(|_| self.cell()).collect()
    }

    fn cell(&mut self) -> Result<Cell, DecodeError> {
        match self.byte()? {
            b'n' => Ok(Cell::Null),
            b'u' => Ok(Cell::Unsaid),
            b't' => {
                let length = usize::try_from(self.number()?).map_err(|_| DecodeError::Short)?;
                Ok(Cell::Text(String::from_utf8_lossy(self.take(length)?).into_owned()))
            }
            _ => Err(DecodeError::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `public.t (id, name)`, known by its `id`, which the server calls 5.
    const RELATION: &[u8] =
        b"R\0\0\0\x05public\0t\0d\0\x02\x01id\0\0\0\0\x17\xff\xff\xff\xff\0name\0\0\0\0\x19\xff\xff\xff\xff";

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn after_relation(message: &[u8]) -> Result<Option<Change>, DecodeError> {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.read(RELATION), Ok(None));
        decoder.read(message)
    }

    #[test]
    fn rows_are_read_with_what_identifies_them() {
        let insert = after_relation(b"I\0\0\0\x05N\0\x02t\0\0\0\x011n").unwrap().unwrap();
        assert_eq!((insert.operation, insert.new), (Operation::Insert, vec![text("1"), Cell::Null]));
        assert_eq!((insert.relation.schema.as_str(), insert.relation.table.as_str()), ("public", "t"));

        let update = after_relation(b"U\0\0\0\x05N\0\x02t\0\0\0\x011u").unwrap().unwrap();
        assert_eq!(update.new, [text("1"), Cell::Unsaid]);
        assert_eq!(update.old, [text("1"), Cell::Unsaid], "the key did not change");
        let moved = after_relation(b"U\0\0\0\x05K\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x012n").unwrap().unwrap();
        assert_eq!((moved.old, moved.new[0].clone()), (vec![text("1"), Cell::Unsaid], text("2")));

        let delete = after_relation(b"D\0\0\0\x05K\0\x02t\0\0\0\x011n").unwrap().unwrap();
        assert_eq!((delete.operation, delete.old), (Operation::Delete, vec![text("1"), Cell::Unsaid]));
    }

    #[test]
    fn a_message_that_is_cut_is_refused_wherever_it_ends() {
        for message in [RELATION, b"U\0\0\0\x05K\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x012n"] {
            for end in 0..message.len() {
                assert!(after_relation(&message[..end]).is_err(), "{end}");
            }
        }
        assert_eq!(after_relation(b"I\0\0\0\x06N\0\0"), Err(DecodeError::Relation));
        assert_eq!(after_relation(b"Y\0\0\0\x06"), Ok(None));
    }

    proptest! {
        #[test]
        fn no_message_is_too_strange(message: Vec<u8>) {
            let _ = after_relation(&message);
        }
    }
}
