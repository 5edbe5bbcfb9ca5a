//! Records to rows, table by table, parents first.
//!
//! When a table is built, every row it may point at is known: a reference is an id
//! computed from the old one, and it holds if that id is among the accepted rows. A child
//! shares the fate of its parent. Coercions count for accepted rows only.

use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::IndexMap;
use uuid::Uuid;

use super::shape::{self, Survey};
use super::{Context, Plan, PlannedColumn, PlannedParent, Row, TablePlan, Tally, UnknownField, Warning};
use crate::cell::{Cell, Type};
use crate::convert::{self, Coercion, Refusal};
use crate::export::Export;
use crate::identity::{self, Identified, Identity, SEPARATOR};
use crate::mapping::{
    Absent, Column, EXTRA, Field, IdRule, Input, Items, Mapping, Orphan, Parent, Reference, Shape, Table,
    UnknownKeys,
};
use crate::node::{Map, Node};
use crate::pointer::Pointer;
use crate::record::{Fates, Record};
use crate::reject::Reject;

/// How many places a tally names.
const EXAMPLES: usize = 3;

pub(super) fn plan(export: &Export, mapping: &Mapping, context: &Context, shape: &Shape) -> Plan {
    let identity = Identity::new(mapping.ids.namespace, context.scope.clone());
    let mut build = Build {
        export,
        mapping,
        context,
        shape,
        identity,
        read: Vec::new(),
        placed: HashMap::new(),
        tallies: BTreeMap::new(),
        unknown: BTreeMap::new(),
        rejects: Vec::new(),
        warnings: Vec::new(),
        secrets: Vec::new(),
    };
    let tables = mapping.tables.iter().map(|table| build.table(table)).collect();
    build.finish(tables)
}

/// A plan being made.
struct Build<'a> {
    export: &'a Export,
    mapping: &'a Mapping,
    context: &'a Context,
    shape: &'a Shape,
    identity: Identity,
    /// The collections that were read.
    read: Vec<Pointer>,
    /// The records of the tables done so far, each with its fate.
    placed: HashMap<&'a str, Placed>,
    tallies: BTreeMap<(String, String, Coercion), (usize, Vec<String>)>,
    unknown: BTreeMap<(String, String), usize>,
    rejects: Vec<Reject>,
    warnings: Vec<Warning>,
    secrets: Vec<Pointer>,
}

/// The records of one table, and the ids of its rows.
#[derive(Default)]
struct Placed {
    records: Vec<(Record, Outcome)>,
    ids: HashSet<Uuid>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Row(Uuid),
    Merged,
    Rejected,
}

/// A record on its way to be a row.
struct Candidate {
    record: Record,
    /// The parent's fate, and the parent's place, for a child.
    parent: Option<(Outcome, Pointer)>,
    /// The row it will be, once it is known.
    identified: Option<Identified>,
    verdict: Option<Verdict>,
}

/// Why a candidate becomes no row of its own.
enum Verdict {
    Merged,
    Refused(Refused),
}

/// A refusal and the column it is about.
struct Refused {
    column: Option<String>,
    refusal: Refusal,
}

/// What one row adds to the report, if it is accepted.
#[derive(Default)]
struct Notes {
    coercions: Vec<(String, Coercion)>,
    warnings: Vec<(String, String)>,
    unknown: Vec<String>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { column: None, refusal }
    }
}

impl<'a> Build<'a> {
    fn table(&mut self, table: &'a Table) -> TablePlan {
        let mut candidates = match &table.parent {
            None => self.items(table),
            Some(parent) => self.children(table, parent),
        };
        self.identify(table, &mut candidates);
        for (older, newer) in settle_duplicates(table, &mut candidates) {
            let message = format!(
                "an older copy of {newer}, by `{}`; it was left out",
                table.clock.as_deref().unwrap_or("clock")
            );
            let (pointer, table, column) = (older.to_string(), table.name.clone(), String::new());
            self.warnings.push(Warning { pointer, table, column, message });
        }

        let mut plan = TablePlan {
            name: table.name.clone(),
            columns: self.planned_columns(table),
            owner: self.mapping.owner_column.clone().map(|column| (column, self.context.owner)),
            rows: Vec::new(),
            clock: clock_column(table),
            // Behind the table's own columns: see `Build::planned_columns`.
            parent: table
                .parent
                .as_ref()
                .map(|parent| PlannedParent { table: parent.table.clone(), cell: table.columns.len() }),
            records: candidates.len(),
            merged: 0,
            rejected: 0,
        };
        let mut placed = Placed::default();
        for candidate in candidates {
            let outcome = match self.row(table, &candidate) {
                Ok(row) => {
                    placed.ids.insert(row.id);
                    let outcome = Outcome::Row(row.id);
                    plan.rows.push(row);
                    outcome
                }
                Err(Verdict::Merged) => {
                    plan.merged += 1;
                    Outcome::Merged
                }
                Err(Verdict::Refused(refused)) => {
                    plan.rejected += 1;
                    self.reject(table, &candidate.record.at, refused);
                    Outcome::Rejected
                }
            };
            placed.records.push((candidate.record, outcome));
        }
        self.placed.insert(&table.name, placed);
        plan
    }

    /// The records of a collection of the file.
    fn items(&mut self, table: &Table) -> Vec<Candidate> {
        let export = self.export;
        let places =
            table.from.iter().map(|path| (path.items, path.at(&self.shape.root, &self.shape.prefix)));
        let present: Vec<(Items, Pointer, &Node)> = places
            .filter_map(|(items, at)| at.find(&export.document).map(|node| (items, at, node)))
            .collect();
        let any = table.takes_any_value();
        let fitting = present.iter().find(|(items, _, node)| fits(*items, node, any));
        let Some((items, at, node)) = fitting.or_else(|| present.first()) else { return Vec::new() };
        self.read.push(at.clone());
        if node.is_blank() {
            return Vec::new();
        }
        let broken = export.broken_at(at);
        if broken.is_some() || !fits(*items, node, any) {
            let refusal = match broken {
                Some(broken) => Refusal::new(
                    "collection_unreadable",
                    format!("the collection cannot be read: {}", broken.reason),
                    "the value was cut off or damaged; export the data again",
                ),
                None => Refusal::new(
                    "collection_shape",
                    format!("the collection is {}, which the mapping does not expect", node.kind()),
                    "write customers[*] for a list, customers{*} for an object of records, customers for one record",
                ),
            };
            let record = Record::new(at.clone(), 0, None, node, &mut self.secrets);
            return vec![Candidate::refused(record, refusal)];
        }
        let records = records_of(*items, node, at, &mut self.secrets);
        records.into_iter().map(|record| Candidate::new(record, None)).collect()
    }

    /// The records that lie in those of the parent.
    fn children(&mut self, table: &Table, parent: &Parent) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let Some(placed) = self.placed.get(parent.table.as_str()) else { return candidates };
        for (record, outcome) in &placed.records {
            let Some((step, items, node)) = child_field(table, record) else { continue };
            // The parent's secrets are gone already, with those of all that lies in it.
            let records = records_of(items, node, &record.at.member(step), &mut Vec::new());
            let parent = (*outcome, record.at.clone());
            candidates.extend(records.into_iter().map(|record| Candidate::new(record, Some(parent.clone()))));
        }
        candidates
    }

    /// Gives every candidate that can be one its id.
    fn identify(&self, table: &Table, candidates: &mut [Candidate]) {
        let mut ranks: HashMap<(Option<Pointer>, String), usize> = HashMap::new();
        for candidate in candidates.iter_mut().filter(|candidate| candidate.verdict.is_none()) {
            let is_object = matches!(candidate.record.value(), Node::Map(_));
            if !is_object && !table.takes_any_value() {
                let why = format!("the record is {}, not an object", candidate.record.value().kind());
                candidate.refuse(Refusal::new(
                    "record_not_object",
                    why,
                    "correct it in the app and export again",
                ));
                continue;
            }
            match (&candidate.parent, &table.id) {
                (Some((Outcome::Merged, _)), _) => candidate.verdict = Some(Verdict::Merged),
                (Some((Outcome::Rejected, at)), _) => {
                    let why = format!("its parent {at} was rejected");
                    candidate.refuse(Refusal::new(
                        "parent_rejected",
                        why,
                        "correct the parent; this one follows",
                    ));
                }
                (parent, IdRule::Natural(fields)) => {
                    let key = natural_key(&candidate.record, fields);
                    let family = parent.as_ref().map(|(_, at)| at.clone());
                    let rank = ranks.entry((family, key.clone())).or_default();
                    candidate.identified = Some(match parent {
                        Some((Outcome::Row(parent), _)) => {
                            self.identity.of_child(*parent, child_path(table), &key, *rank)
                        }
                        _ => self.identity.of_nameless(&table.name, &key, *rank),
                    });
                    *rank += 1;
                }
                (_, IdRule::Fields(fields)) => match legacy_id(&candidate.record, fields) {
                    Ok(legacy) => candidate.identified = Some(self.identity.of_record(&table.name, legacy)),
                    Err(refusal) => candidate.refuse(refusal),
                },
            }
        }
    }

    fn row(&mut self, table: &Table, candidate: &Candidate) -> Result<Row, Verdict> {
        match &candidate.verdict {
            Some(Verdict::Merged) => return Err(Verdict::Merged),
            Some(Verdict::Refused(Refused { column, refusal })) => {
                return Err(Verdict::Refused(Refused { column: column.clone(), refusal: refusal.clone() }));
            }
            None => {}
        }
        let Some(identified) = &candidate.identified else { return Err(Verdict::Merged) };
        let mut notes = Notes::default();
        let cells = self.cells(table, candidate, identified, &mut notes).map_err(Verdict::Refused)?;
        self.note(table, &candidate.record.at, notes);
        Ok(Row { id: identified.id, at: candidate.record.at.clone(), cells })
    }

    /// All cells of a row, in the order of [`Build::planned_columns`].
    fn cells(
        &self,
        table: &Table,
        candidate: &Candidate,
        identified: &Identified,
        notes: &mut Notes,
    ) -> Result<Vec<Cell>, Refused> {
        let (record, mut fates) = (&candidate.record, Fates::default());
        if let (Some(_), IdRule::Fields(fields)) = (&self.mapping.ids.legacy_column, &table.id) {
            fields.iter().for_each(|field| fates.take(field, record));
        }
        let mut cells = Vec::new();
        for column in &table.columns {
            let cell = self.cell(column, record, &mut fates, notes);
            cells.push(cell.map_err(|refusal| Refused { column: Some(column.name.clone()), refusal })?);
        }
        if let Some(parent) = &table.parent {
            let of = candidate.parent.as_ref().map(|(outcome, _)| *outcome);
            cells.push(if let Some(Outcome::Row(id)) = of { Cell::Uuid(id) } else { Cell::Null });
            let position = i64::try_from(record.index).unwrap_or(i64::MAX);
            cells.extend(parent.position.as_ref().map(|_| Cell::Int(position)));
        }
        let ids = &self.mapping.ids;
        cells.extend(ids.legacy_column.as_ref().map(|_| Cell::Text(identified.legacy.clone())));
        cells.extend(ids.scope_column.as_ref().map(|_| Cell::Text(self.identity.scope().to_owned())));
        self.take_children(table, record, &mut fates, notes);
        cells.extend(self.left_over(record, &fates, notes)?);
        Ok(cells)
    }

    fn planned_columns(&self, table: &Table) -> Vec<PlannedColumn> {
        let planned = |name: &str, kind| PlannedColumn { name: name.to_owned(), kind };
        let mut columns: Vec<_> =
            table.columns.iter().map(|column| planned(&column.name, column.kind)).collect();
        if let Some(parent) = &table.parent {
            columns.push(planned(&parent.column, Type::Uuid));
            columns.extend(parent.position.as_deref().map(|name| planned(name, Type::Int4)));
        }
        let ids = &self.mapping.ids;
        columns.extend(ids.legacy_column.as_deref().map(|name| planned(name, Type::Text)));
        columns.extend(ids.scope_column.as_deref().map(|name| planned(name, Type::Text)));
        columns.extend((self.unknown_keys() == UnknownKeys::Extra).then(|| planned(EXTRA, Type::Jsonb)));
        columns
    }

    fn cell(
        &self,
        column: &Column,
        record: &Record,
        fates: &mut Fates,
        notes: &mut Notes,
    ) -> Result<Cell, Refusal> {
        let fields = match &column.source {
            Input::Const(cell) => return Ok(cell.clone()),
            Input::Fields(fields) => fields,
        };
        let found = record.take(fields, fates);
        notes.coerced(column, std::iter::repeat_n(Coercion::AlternativeDropped, found.dropped));
        let (Some(value), Some(field)) = (found.value, found.field) else {
            return absent(column, Coercion::MissingAsNull, Coercion::MissingAsDefault, notes);
        };
        if value.is_blank() && (*value == Node::Null || !column.keeps_empty_text()) {
            return match value {
                Node::Null => null(column, notes),
                _ => absent(column, Coercion::EmptyAsNull, Coercion::EmptyAsDefault, notes),
            };
        }
        let converted = match &column.reference {
            Some(reference) => self.reference(reference, value)?,
            None => convert::value(column, value, &self.context.zone, self.context.today)?,
        };
        if converted.keep {
            fates.keep(field);
        }
        notes.coerced(column, converted.coercions);
        notes.warnings.extend(converted.warning.map(|warning| (column.name.clone(), warning)));
        if !converted.cell.is_null() {
            return Ok(converted.cell);
        }
        match &column.absent {
            Absent::Null => Ok(Cell::Null),
            Absent::Value(cell) => Ok(cell.clone()),
            Absent::Database => Ok(Cell::Unset),
            Absent::Reject => Err(required()),
        }
    }

    /// The row a reference leads to.
    fn reference(&self, reference: &Reference, value: &Node) -> Result<convert::Converted, Refusal> {
        let Some(legacy) = identity::canon(value) else {
            return Err(Refusal::new(
                "reference_unusable",
                format!("{} is no id", value.kind()),
                "map the field to a jsonb column",
            ));
        };
        let id = self.identity.of_record(&reference.table, legacy).id;
        let holds = self.placed.get(reference.table.as_str()).is_some_and(|placed| placed.ids.contains(&id));
        let message =
            format!("the record of `{}` it refers to is not in the file, or was rejected", reference.table);
        match reference.orphan {
            _ if holds => Ok(convert::Converted::new(Cell::Uuid(id))),
            Orphan::Reject => Err(Refusal::new("orphan", message, "correct it, or write orphan = \"null\"")),
            Orphan::Null => Ok(convert::Converted {
                keep: true,
                warning: Some(format!("{message}; the column is NULL")),
                ..convert::Converted::by(Cell::Null, Coercion::OrphanAsNull)
            }),
        }
    }

    /// Marks the fields whose items became rows of child tables.
    fn take_children(&self, table: &Table, record: &Record, fates: &mut Fates, notes: &mut Notes) {
        let is_child =
            |child: &&Table| child.parent.as_ref().is_some_and(|parent| parent.table == table.name);
        for child in self.mapping.tables.iter().filter(is_child) {
            let steps = child.from.iter().filter_map(|path| path.only_step());
            if let Some((step, _, _)) = child_field(child, record) {
                fates.take(&Field::Named(step.to_owned()), record);
                continue;
            }
            for step in steps {
                match record.member(step) {
                    None => {}
                    Some(blank) if blank.is_blank() => fates.take(&Field::Named(step.to_owned()), record),
                    Some(other) => notes.warnings.push((
                        step.to_owned(),
                        format!("the field is {}, so it has no rows in `{}`", other.kind(), child.name),
                    )),
                }
            }
        }
    }

    /// What no column holds: into `extra`, into the report, or a reason to refuse.
    fn left_over(&self, record: &Record, fates: &Fates, notes: &mut Notes) -> Result<Option<Cell>, Refusal> {
        let left = record.left_over(fates);
        match self.unknown_keys() {
            UnknownKeys::Extra => {
                notes.unknown.extend(left.keys().cloned());
                let left = Node::Map(left);
                if !convert::fits_jsonb(&left) {
                    return Err(Refusal::new(
                        "number_too_long",
                        "a number without a column has too many digits for PostgreSQL",
                        "map the field to a text column",
                    ));
                }
                Ok(Some(Cell::Json(left)))
            }
            UnknownKeys::Report => {
                notes.unknown.extend(left.into_keys());
                Ok(None)
            }
            UnknownKeys::Reject if left.is_empty() => Ok(None),
            UnknownKeys::Reject => {
                let names: Vec<String> = left.into_keys().collect();
                Err(Refusal::new(
                    "unknown_field",
                    format!("no column reads {}", names.join(", ")),
                    "map the fields, or write unknown_keys = \"extra\"",
                ))
            }
        }
    }

    fn unknown_keys(&self) -> UnknownKeys {
        self.mapping.source.unknown_keys
    }

    fn note(&mut self, table: &Table, at: &Pointer, notes: Notes) {
        for (column, kind) in notes.coercions {
            let (count, examples) = self.tallies.entry((table.name.clone(), column, kind)).or_default();
            *count += 1;
            if examples.len() < EXAMPLES {
                examples.push(at.to_string());
            }
        }
        for (column, message) in notes.warnings {
            self.warnings.push(Warning {
                pointer: at.to_string(),
                table: table.name.clone(),
                column,
                message,
            });
        }
        for field in notes.unknown {
            *self.unknown.entry((table.name.clone(), field)).or_default() += 1;
        }
    }

    fn reject(&mut self, table: &Table, at: &Pointer, refused: Refused) {
        let Refusal { code, message, help } = refused.refusal;
        self.rejects.push(Reject {
            file: self.export.file.clone(),
            pointer: at.to_string(),
            table: table.name.clone(),
            column: refused.column,
            code: code.into(),
            message,
            help,
        });
    }

    fn finish(self, tables: Vec<TablePlan>) -> Plan {
        let Survey { not_mapped, ignored, secrets } =
            shape::survey(self.export, self.mapping, self.shape, &self.read);
        let kept = self.unknown_keys() == UnknownKeys::Extra;
        let tally =
            |((table, column, kind), (count, examples))| Tally { table, column, kind, count, examples };
        let unread =
            self.export.broken.iter().filter(|broken| !self.read.contains(&broken.at)).map(|broken| {
                Warning {
                    pointer: broken.at.to_string(),
                    table: String::new(),
                    column: String::new(),
                    message: format!("the value looks like JSON and cannot be read: {}", broken.reason),
                }
            });
        Plan {
            shape: self.shape.name.clone(),
            tables,
            rejects: self.rejects,
            coercions: self.tallies.into_iter().map(tally).collect(),
            warnings: self.warnings.into_iter().chain(unread).collect(),
            unknown_fields: self
                .unknown
                .into_iter()
                .map(|((table, field), count)| UnknownField { table, field, count, kept })
                .collect(),
            not_mapped,
            ignored,
            secrets: self.secrets.into_iter().chain(secrets).collect(),
            repairs: self.export.repairs,
        }
    }
}

impl Candidate {
    fn new(record: Record, parent: Option<(Outcome, Pointer)>) -> Self {
        Self { record, parent, identified: None, verdict: None }
    }

    fn refused(record: Record, refusal: Refusal) -> Self {
        let verdict = Some(Verdict::Refused(refusal.into()));
        Self { record, parent: None, identified: None, verdict }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.verdict = Some(Verdict::Refused(refusal.into()));
    }
}

impl Notes {
    fn coerced(&mut self, column: &Column, coercions: impl IntoIterator<Item = Coercion>) {
        self.coercions.extend(coercions.into_iter().map(|coercion| (column.name.clone(), coercion)));
    }
}

/// Of several records with one id: copies merge, the newest wins where a clock tells, and
/// otherwise none is taken, because nobody knows which is right. Returns the places of
/// older records, each with that of the newer one.
fn settle_duplicates(table: &Table, candidates: &mut [Candidate]) -> Vec<(Pointer, Pointer)> {
    let mut places: IndexMap<Uuid, Vec<usize>> = IndexMap::new();
    for (place, candidate) in candidates.iter().enumerate() {
        if let Some(identified) = &candidate.identified {
            places.entry(identified.id).or_default().push(place);
        }
    }
    let mut older = Vec::new();
    for group in places.into_values().filter(|group| group.len() > 1) {
        let winner = winner(table, &group, candidates)
            .and_then(|place| Some((place, candidates.get(place)?.record.clone())));
        for place in group {
            let Some(candidate) = candidates.get_mut(place) else { continue };
            match &winner {
                Some((winner, _)) if *winner == place => {}
                Some((_, winner)) => {
                    if !is_copy(table, &candidate.record, winner) {
                        older.push((candidate.record.at.clone(), winner.at.clone()));
                    }
                    candidate.verdict = Some(Verdict::Merged);
                }
                None => candidate.refuse(Refusal::new(
                    "duplicate_conflict",
                    "another record has the same id and different content",
                    "give one of them another id, or name the field that tells the newer one: clock = \"…\"",
                )),
            }
        }
    }
    older
}

/// Which of the records with one id becomes the row.
fn winner(table: &Table, group: &[usize], candidates: &[Candidate]) -> Option<usize> {
    let record = |place: usize| candidates.get(place).map(|candidate| &candidate.record);
    let copies = |left: usize, right: usize| {
        record(left).zip(record(right)).is_some_and(|(left, right)| is_copy(table, left, right))
    };
    let first = *group.first()?;
    if group.iter().all(|place| copies(*place, first)) {
        return Some(first);
    }
    let clock = table.clock.as_deref()?;
    let time = |place: &usize| Some((convert::clock(record(*place)?.member(clock)?)?, *place));
    let times: Vec<_> = group.iter().map(time).collect::<Option<_>>()?;
    let newest = times.iter().map(|(time, _)| *time).max()?;
    let mut at_newest = times.iter().filter(|(time, _)| *time == newest).map(|(_, place)| *place);
    let winner = at_newest.next()?;
    at_newest.all(|place| copies(place, winner)).then_some(winner)
}

/// True when two records with one id say the same. A field that is null says nothing, and
/// the id may be spelt `7` in one and `"7"` in the other.
fn is_copy(table: &Table, left: &Record, right: &Record) -> bool {
    let is_id = |name: &str| match &table.id {
        IdRule::Fields(fields) => fields.contains(&Field::Named(name.to_owned())),
        IdRule::Natural(_) => false,
    };
    match (left.value(), right.value()) {
        (Node::Map(left), Node::Map(right)) => {
            let says = |one: &Map, other: &Map| {
                let mut said = one.iter().filter(|(name, value)| **value != Node::Null && !is_id(name));
                said.all(|(name, value)| other.get(name) == Some(value))
            };
            says(left, right) && says(right, left)
        }
        (left, right) => left == right,
    }
}

/// The column that keeps the table's clock, so that the next import can read it back.
fn clock_column(table: &Table) -> Option<usize> {
    let clock = Field::Named(table.clock.clone()?);
    let keeps =
        |column: &Column| column.kind == Type::Timestamptz && column.source.fields() == [clock.clone()];
    table.columns.iter().position(keeps)
}

/// Whether a value is the collection a path announces.
fn fits(items: Items, node: &Node, any: bool) -> bool {
    match (items, node) {
        (Items::List, Node::List(_)) | (Items::Members | Items::One, Node::Map(_)) => true,
        (Items::One, _) => any,
        (Items::List | Items::Members, _) => false,
    }
}

fn records_of(items: Items, node: &Node, at: &Pointer, secrets: &mut Vec<Pointer>) -> Vec<Record> {
    match (items, node) {
        (Items::List, Node::List(list)) => {
            let record = |(index, item)| Record::new(at.item(index), index, None, item, secrets);
            list.iter().enumerate().map(record).collect()
        }
        (Items::Members, Node::Map(members)) => {
            let record = |(index, (key, value)): (usize, (&String, &Node))| {
                Record::new(at.member(key), index, Some(key), value, secrets)
            };
            members.iter().enumerate().map(record).collect()
        }
        (Items::One, Node::Map(members)) if members.is_empty() => Vec::new(),
        (Items::One, one) => vec![Record::new(at.clone(), 0, None, one, secrets)],
        (Items::List | Items::Members, _) => Vec::new(),
    }
}

/// The field of a record that holds the records of a child table.
fn child_field<'t, 'r>(child: &'t Table, record: &'r Record) -> Option<(&'t str, Items, &'r Node)> {
    child.from.iter().find_map(|path| {
        let step = path.only_step()?;
        let node = record.member(step).filter(|node| fits(path.items, node, false))?;
        Some((step, path.items, node))
    })
}

/// The path in a child's id: the first spelling, so that adding others changes nothing.
fn child_path(table: &Table) -> &str {
    table.from.first().and_then(|path| path.only_step()).unwrap_or(&table.name)
}

fn natural_key(record: &Record, fields: &[Field]) -> String {
    let parts: Vec<String> = fields.iter().map(|field| identity::key_part(record.peek(field))).collect();
    parts.join(&SEPARATOR.to_string())
}

fn legacy_id(record: &Record, fields: &[Field]) -> Result<String, Refusal> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        let value = record.peek(field).filter(|value| !value.is_blank()).ok_or_else(|| {
            Refusal::new(
                "id_missing",
                "the record has no id",
                "write id = { natural = [\"…\"] } if its records have none",
            )
        })?;
        parts.push(identity::canon(value).ok_or_else(|| {
            Refusal::new(
                "id_unusable",
                "its id is neither a text nor a number",
                "correct it and export again",
            )
        })?);
    }
    Ok(parts.join(&SEPARATOR.to_string()))
}

/// A column whose field is null: NULL by itself is no change worth counting.
fn null(column: &Column, notes: &mut Notes) -> Result<Cell, Refusal> {
    match &column.absent {
        Absent::Null => Ok(Cell::Null),
        Absent::Value(_) | Absent::Database | Absent::Reject => {
            absent(column, Coercion::NullAsDefault, Coercion::NullAsDefault, notes)
        }
    }
}

/// A column whose field has nothing to convert.
fn absent(
    column: &Column,
    as_null: Coercion,
    as_default: Coercion,
    notes: &mut Notes,
) -> Result<Cell, Refusal> {
    let (cell, coercion) = match &column.absent {
        Absent::Null => (Cell::Null, as_null),
        Absent::Value(cell) => (cell.clone(), as_default),
        Absent::Database => (Cell::Unset, as_default),
        Absent::Reject => return Err(required()),
    };
    notes.coerced(column, [coercion]);
    Ok(cell)
}

fn required() -> Refusal {
    Refusal::new(
        "required",
        "the column is required and the record has nothing for it",
        "give it a default, or correct it",
    )
}
