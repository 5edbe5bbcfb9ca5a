//! Requests that are too large for one: sent in pieces, each a transaction of its own.
//!
//! What is split is the longest list of an `in`, or the rows of an insert. A piece is as large as fits,
//! and a few are under way at once. The answer says what became of each piece: some may have been carried
//! out while others failed.

use std::fmt;
use std::marker::PhantomData;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::rest::draft::{Count, Draft};
use crate::rest::filter::{Node, Test};
use crate::rest::query::About;
use crate::rest::query::stage::{Filtered, Insert, Read};
use crate::rest::scope::Condition;
use crate::rest::{Affected, Changes, Filter, Query, Row, Table, quote};

/// How large pieces are, and how many are under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PieceSize {
    /// The most bytes of a list in an address, as they are encoded. Gateways take 8 kB for all of it.
    pub address: usize,
    /// The most bytes of a body.
    pub body: usize,
    /// The most rows of a body.
    pub rows: usize,
    /// How many pieces are under way at once.
    pub at_once: usize,
}

impl Default for PieceSize {
    fn default() -> Self {
        Self { address: 5_000, body: 1 << 20, rows: 1_000, at_once: 4 }
    }
}

/// A request that is sent in pieces. From [`Query::in_pieces`].
#[must_use = "nothing is sent before fetch or send"]
pub struct InPieces<T, R, S> {
    draft: Draft,
    size: PieceSize,
    of: About<T, R, S>,
}

/// What became of one piece.
#[derive(Debug)]
pub struct Piece {
    /// Which rows of the insert, or which values of the list, counted from 0.
    pub of: Vec<usize>,
    /// How many rows it touched, or why none.
    pub result: Result<Affected, Error>,
}

/// What became of a write in pieces: each was a transaction of its own.
#[derive(Debug)]
#[must_use = "some pieces may have failed: say all()"]
pub struct Pieces(pub Vec<Piece>);

impl Pieces {
    /// How many rows all pieces touched; `None` where the server did not count.
    ///
    /// # Errors
    /// The first failure. Other pieces may have been carried out all the same.
    pub fn all(self) -> Result<Option<u64>, Error> {
        let mut rows = Some(0);
        for piece in self.0 {
            rows = rows.zip(piece.result?.rows()).map(|(sum, more)| sum + more);
        }
        Ok(rows)
    }
}

impl<T, R> Query<T, R, Read> {
    /// Splits the longest `in` list of the filters, so that each address is short enough. The pieces are
    /// read one after the other's beginning, not at one moment.
    ///
    /// ```
    /// # async fn run(client: supabase_sdk::Client, ids: Vec<i64>) -> Result<(), supabase_sdk::Error> {
    /// use supabase_sdk::rest::col;
    /// let notes = client.from("notes").select("*").filter(col("id").is_in(ids)).in_pieces().fetch().await?;
    /// # Ok(()) }
    /// ```
    pub fn in_pieces(self) -> InPieces<T, R, Read> {
        InPieces::new(*self.draft)
    }
}

impl<T> Query<T, T, Filtered> {
    /// Splits the longest `in` list of the filters, so that each address is short enough. Each piece is a
    /// transaction of its own.
    pub fn in_pieces(self) -> InPieces<T, T, Filtered> {
        InPieces::new(*self.draft)
    }
}

impl<T> Query<T, T, Insert> {
    /// Splits the rows, so that each body is small enough, and rows of an upsert that set the same columns
    /// stay together. Each piece is a transaction of its own.
    pub fn in_pieces(self) -> InPieces<T, T, Insert> {
        InPieces::new(*self.draft)
    }
}

impl<R: Row> Table<R> {
    /// Changes each row in its own way. Every change is a request and a transaction of its own, a few under
    /// way at once; to set whole rows in one statement use [`Table::upsert_many`].
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Clone, Serialize, Deserialize, supabase_sdk::Table)]
    /// # #[table(name = "notes", update = NotePatch)]
    /// # struct Note { #[table(key)] id: i64, rank: Option<i32> }
    /// # async fn run(client: supabase_sdk::Client) -> Result<(), supabase_sdk::Error> {
    /// let ranks = [(7, 1), (9, 2)].map(|(id, rank)| (Note::ID.eq(id), NotePatch::default().rank(rank)));
    /// client.table::<Note>().update_each(ranks).await.all()?;
    /// # Ok(()) }
    /// ```
    pub async fn update_each<C: Changes<R>>(
        &self,
        changes: impl IntoIterator<Item = (Filter<R>, C)>,
    ) -> Pieces {
        let changes = changes.into_iter().enumerate();
        let pieces =
            changes.map(|(at, (which, change))| (vec![at], *self.update(&change).filter(which).draft));
        write_all(pieces.collect(), PieceSize::default()).await
    }
}

impl<T, R, S> InPieces<T, R, S> {
    fn new(draft: Draft) -> Self {
        Self { draft, size: PieceSize::default(), of: PhantomData }
    }

    /// Makes pieces of another size.
    pub fn size(mut self, size: PieceSize) -> Self {
        self.size = size;
        self
    }
}

impl<T, R: DeserializeOwned> InPieces<T, R, Read> {
    /// Asks for all pieces. A value that stands in the list twice finds its rows once.
    ///
    /// # Errors
    /// The first failure; [`ErrorKind::Invalid`] for an order or a limit, which pieces cannot keep; [`ErrorKind::Count`] where the
    /// server cut a piece.
    pub async fn fetch(self) -> Result<Vec<R>, Error> {
        let clauses = &self.draft.clauses;
        if !clauses.order.is_empty() || clauses.limit.is_some() || clauses.offset.is_some() {
            let message = "pieces come in the order of the list: sort and cut the rows once they are here";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        // Counted, so that whether a piece was cut is known and not guessed.
        let mut draft = self.draft.clone();
        draft.prefer.count = Some(Count::Exact);
        let pieces = split_list(&draft, self.size)?;
        let rows = stream::iter(pieces).map(|(_, draft)| async move { all_rows::<R>(draft).await });
        let rows: Vec<Vec<R>> = rows.buffered(self.size.at_once.max(1)).try_collect().await?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// The rows of a piece, all of them.
async fn all_rows<R: DeserializeOwned>(draft: Draft) -> Result<Vec<R>, Error> {
    let relation = draft.relation.clone();
    let rows = Query::<R, R, Read>::new(draft).fetch().await?;
    if rows.may_be_cut() {
        let message = format!(
            "an answer of {} rows of {relation} may have been cut by the server: make the pieces smaller",
            rows.len()
        );
        return Err(Error::new(ErrorKind::Count, message));
    }
    Ok(rows.into_vec())
}

impl<T> InPieces<T, T, Filtered> {
    /// Writes all pieces.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when there is no list to split; a failure of a piece is told by the piece.
    pub async fn send(self) -> Result<Pieces, Error> {
        Ok(write_all(split_list(&self.draft, self.size)?, self.size).await)
    }
}

impl<T> InPieces<T, T, Insert> {
    /// Writes all pieces.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when a row cannot be written; a failure of a piece is told by the piece.
    pub async fn send(self) -> Result<Pieces, Error> {
        Ok(write_all(split_rows(&self.draft, self.size)?, self.size).await)
    }
}

async fn write_all(pieces: Vec<(Vec<usize>, Draft)>, size: PieceSize) -> Pieces {
    let written =
        stream::iter(pieces).map(|(of, draft)| async move { Piece { of, result: draft.write().await } });
    Pieces(written.buffered(size.at_once.max(1)).collect().await)
}

/// One request for each part of the longest list.
fn split_list(draft: &Draft, size: PieceSize) -> Result<Vec<(Vec<usize>, Draft)>, Error> {
    draft.check()?;
    let refuse = |message: &str| Err(Error::new(ErrorKind::Invalid, message));
    let list = |condition: &Condition| match condition {
        Condition::Tree(Node::Compare { negated: false, test: Test::In(values), .. }) => Some(values.len()),
        _ => None, // a list that is negated or one of several ways cannot be taken apart
    };
    let longest =
        draft.clauses.filters.iter().enumerate().filter_map(|(at, filter)| Some((list(filter)?, at))).max();
    let Some((_, at)) = longest else {
        return refuse("there is no list to split: one filter of the query has to be is_in");
    };
    if draft.expected.is_some() || draft.prefer.max_affected.is_some() {
        return refuse("a number of rows cannot be expected of pieces, which are counted apart");
    }
    let Some(Condition::Tree(Node::Compare { column, test: Test::In(values), .. })) =
        draft.clauses.filters.get(at)
    else {
        return Ok(Vec::new());
    };
    let mut seen = std::collections::HashSet::new();
    let once = values.iter().enumerate().filter(|(_, value)| seen.insert(value.as_str()));
    let weighed = once.map(|(index, value)| {
        (index, utf8_percent_encode(&quote::listed(value), NON_ALPHANUMERIC).map(str::len).sum::<usize>() + 1)
    });
    let pieces = pack(weighed, size.address, usize::MAX);
    Ok(pieces
        .into_iter()
        .map(|indexes| {
            let part = indexes.iter().filter_map(|index| values.get(*index).cloned()).collect();
            let mut piece = draft.clone();
            piece.clauses.filters[at] = Condition::Tree(Node::Compare {
                column: column.clone(),
                negated: false,
                test: Test::In(part),
            });
            (indexes, piece)
        })
        .collect())
}

/// One request for each part of the rows.
fn split_rows(draft: &Draft, size: PieceSize) -> Result<Vec<(Vec<usize>, Draft)>, Error> {
    draft.check_but_ragged()?;
    let Some(keys) = draft.rows.as_ref().filter(|_| draft.many) else {
        return Ok(vec![(vec![0], draft.clone())]);
    };
    let rows: Vec<&RawValue> = serde_json::from_slice(&draft.body).map_err(|source| {
        Error::new(ErrorKind::Invalid, "the rows cannot be read back").with_source(source)
    })?;
    let weight = |index: &usize| (*index, rows.get(*index).map_or(0, |row| row.get().len() + 1));
    let groups: Vec<Vec<usize>> = match draft.merges() {
        true => keys.groups.iter().map(|(_, rows)| rows.clone()).collect(),
        false => vec![(0..rows.len()).collect()],
    };
    let mut pieces = Vec::new();
    for (group, indexes) in groups.iter().enumerate() {
        for indexes in pack(indexes.iter().map(weight), size.body, size.rows) {
            let part: Vec<_> = indexes.iter().filter_map(|index| rows.get(*index)).collect();
            let mut piece = draft.clone();
            piece.set_body(&part);
            if draft.merges() {
                piece.take_group(group);
            }
            pieces.push((indexes, piece));
        }
    }
    Ok(pieces)
}

/// Puts things of some weight together, in their order, as many as fit; one that is too heavy stands alone.
fn pack(things: impl Iterator<Item = (usize, usize)>, most_weight: usize, most: usize) -> Vec<Vec<usize>> {
    let (mut packs, mut room): (Vec<Vec<usize>>, usize) = (Vec::new(), 0);
    for (thing, weight) in things {
        match packs.last_mut() {
            Some(pack) if weight <= room && pack.len() < most => pack.push(thing),
            _ => {
                packs.push(vec![thing]);
                room = most_weight;
            }
        }
        room = room.saturating_sub(weight);
    }
    packs
}

impl<T, R, S> fmt::Debug for InPieces<T, R, S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("InPieces").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_hold_as_much_as_fits() {
        let packed =
            |weights: &[usize], weight, most| pack(weights.iter().copied().enumerate(), weight, most);
        assert_eq!(packed(&[4, 4, 4, 1], 8, 9), [vec![0, 1], vec![2, 3]]);
        assert_eq!(packed(&[1, 1, 1], 8, 2), [vec![0, 1], vec![2]]);
        assert_eq!(packed(&[1, 99, 1], 8, 9), [vec![0], vec![1], vec![2]]);
        assert_eq!(packed(&[], 8, 9), Vec::<Vec<usize>>::new());
    }
}
