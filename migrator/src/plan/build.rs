//! Records to rows, table by table, parents first.
//!
//! Each table is read twice: once for who is who, once for what they say. When the second begins, every row
//! the table may point at is known: a reference is an id computed from the old one, and it holds if that id
//! is among the accepted rows. A child shares the fate of its parent. Coercions count for accepted rows only.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::candidate::{Candidate, Notice, Outcome, child_value, own_item};
use super::explain::Explained;
use super::media::{Media, MediaFiles};
use super::rows::Rows;
use super::settle::{Settled, Settling, Special, Why};
use super::shape::{self, Survey};
use super::{
    Collection, Context, Known, Limited, MediaMode, Plan, PlannedColumn, PlannedParent, Row, TablePlan,
    Tally, UnknownField, Warning,
};
use crate::cell::{Cell, Type};
use sha2::Digest as _;

use crate::convert::data_url::{DataUrl, is_data_url};
use crate::convert::{self, Coercion, Refusal};
use crate::exit::Failure;
use crate::export::Export;
use crate::identity::{self, Identified, Identity};
use crate::mapping::media;
use crate::mapping::{
    Absent, Column, EXTRA, Field, IdRule, Input, Mapping, Orphan, Path, Reference, Shape, Table, UnknownKeys,
};
use crate::node::{Map, Node};
use crate::pointer::Pointer;
use crate::record::{Fates, Record};
use crate::reject::Reject;
use crate::scratch::{Index, Scratch, Sorter};

/// What to do about a row that the target does not take.
pub(crate) const MEND: &str = "mend the record in the file, or the mapping, and run again";

/// How many places a tally names.
const EXAMPLES: usize = 3;

/// How many rows the target is asked for that are referred to and not in the export.
const ORPHANS: usize = 10_000;

pub(super) fn plan(
    export: &Export,
    mapping: &Mapping,
    context: &Context,
    shapes: Vec<Option<&Shape>>,
    known: &Known,
) -> Result<Plan, Failure> {
    let identity = Identity::new(mapping.ids.namespace, context.scope.clone());
    let mut ground = Ground { export, mapping, context, known, shapes, identity, done: HashMap::new() };
    let mut tale = Tale::default();
    let mut tables = Vec::new();
    for table in &mapping.tables {
        let (plan, done) = ground.table(table, &mut tale)?;
        ground.done.insert(&table.name, done);
        tables.push(plan);
    }
    ground.finish(tables, tale)
}

/// What a plan is made from, and the tables that are done.
pub(super) struct Ground<'a> {
    pub(super) export: &'a Export,
    pub(super) mapping: &'a Mapping,
    context: &'a Context,
    /// Rows that the target has, of those that are referred to and not in the export.
    known: &'a Known,
    /// The shape of each document.
    pub(super) shapes: Vec<Option<&'a Shape>>,
    pub(super) identity: Identity,
    done: HashMap<&'a str, Done<'a>>,
}

/// What there is to tell of a plan.
#[derive(Default)]
struct Tale {
    notice: Notice,
    tallies: BTreeMap<(String, String, Coercion), (usize, Vec<String>)>,
    unknown: BTreeMap<(String, String), usize>,
    rejects: Limited<Reject>,
    by_code: BTreeMap<String, usize>,
    /// Every reject with its record, a line each.
    rejected: Scratch,
    warnings: Limited<Warning>,
    /// Ids that are referred to and are not in the export.
    orphans: HashMap<String, Vec<Uuid>>,
    files: MediaFiles,
    explained: Vec<Explained>,
}

/// A table that was planned, as far as those behind it need to know.
pub(super) struct Done<'a> {
    pub(super) settled: Settled,
    /// What became of each record, by its number; only of tables with children.
    outcomes: Vec<Outcome>,
    /// The ids of its rows.
    ids: Arc<Index<16>>,
    /// Whether there are any.
    has_rows: bool,
    /// By what else its rows are referred to.
    others: Vec<(&'a [Field], Index<32>)>,
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
pub(super) struct Notes {
    coercions: Vec<(String, Coercion)>,
    warnings: Vec<(String, String)>,
    unknown: Vec<String>,
    orphans: Vec<(String, Uuid)>,
    files: Vec<Media>,
}

/// A line of the file of rejects: what is wrong, and the record to mend.
#[derive(Serialize)]
struct RejectedLine<'a> {
    #[serde(flatten)]
    reject: &'a Reject,
    index: usize,
    rank: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Uuid>,
    row: &'a RawValue,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { column: None, refusal }
    }
}

impl Done<'_> {
    fn ids(&self) -> &Index<16> {
        &self.ids
    }

    /// True for the id of one of its rows.
    pub(super) fn holds(&self, id: Uuid) -> bool {
        self.ids.holds(*id.as_bytes()).unwrap_or(false)
    }

    /// What became of a record.
    pub(super) fn outcome(&self, number: usize) -> Outcome {
        self.outcomes.get(number).copied().unwrap_or(Outcome::Rejected)
    }
}

impl<'a> Ground<'a> {
    /// What is known of a table that was planned before.
    pub(super) fn done(&self, table: &str) -> Option<&Done<'a>> {
        self.done.get(table)
    }

    fn table(&self, table: &'a Table, tale: &mut Tale) -> Result<(TablePlan, Done<'a>), Failure> {
        let mut settling = Settling::new(table);
        if table.parent.is_none() {
            let nothing = Settled::default();
            self.each(table, &nothing, &mut Notice::default(), &mut |candidate| {
                Ok(settling.add(&candidate)?)
            })?;
        }
        let settled = settling.settle()?;
        let mut plan = TablePlan {
            name: table.name.clone(),
            columns: self.planned_columns(table),
            owner: self.mapping.owner_column.clone().map(|column| (column, self.context.owner)),
            rows: Rows::default(),
            ids: Arc::default(),
            clock: clock_column(table),
            // Behind the table's own columns: see `Ground::planned_columns`.
            parent: table
                .parent
                .as_ref()
                .map(|parent| PlannedParent { table: parent.table.clone(), cell: table.columns.len() }),
            late: late_columns(table),
            references: references(table),
            records: 0,
            merged: 0,
            rejected: 0,
        };
        let (mut ids, mut others) = (Sorter::<16>::default(), self.asked_of(table));
        let has_children = self.mapping.tables.iter().any(|child| child.is_child_of(&table.name));
        let mut outcomes = Vec::new();
        let mut elders = Elders::new(&settled);
        let mut notice = Notice::default();
        self.each(table, &settled, &mut notice, &mut |candidate| {
            plan.records += 1;
            if self.context.explain.as_ref().is_some_and(|wanted| wanted.means(table, &candidate)) {
                tale.explained.push(self.explain(table, &settled, &candidate));
            }
            elders.meet(&candidate);
            let mut notes = Notes::default();
            let row = self.row(table, &settled, &candidate, &mut notes);
            tale.orphans(std::mem::take(&mut notes.orphans));
            let outcome = match row {
                Ok(row) => {
                    for file in std::mem::take(&mut notes.files) {
                        tale.files.push(file)?;
                    }
                    tale.note(table, &candidate.record.at, notes);
                    ids.push(*row.id.as_bytes())?;
                    let has_a_name =
                        candidate.identified.as_ref().is_ok_and(|identified| !identified.nameless)
                            && matches!(table.id, IdRule::First { .. });
                    for (fields, sorter) in &mut others {
                        also_known_as(fields, &candidate.record, has_a_name, row.id, sorter)?;
                    }
                    plan.rows.push(&row)?;
                    Outcome::Row
                }
                Err(Verdict::Merged) => {
                    plan.merged += 1;
                    Outcome::Merged
                }
                Err(Verdict::Refused(refused)) => {
                    plan.rejected += 1;
                    tale.reject(self.export, table, &candidate, refused)?;
                    Outcome::Rejected
                }
            };
            if has_children {
                outcomes.push(outcome);
            }
            Ok(())
        })?;
        elders.tell(table, tale);
        tale.notice.read.append(&mut notice.read);
        tale.notice.secrets.append(&mut notice.secrets);
        tale.notice.repairs.add(notice.repairs);
        tale.leave_out(table, notice.empty);
        plan.ids = Arc::new(ids.index()?);
        let ids = plan.ids.clone();
        let others = others.into_iter().map(|(fields, sorter)| Ok((fields, sorter.index()?)));
        let others = others.collect::<std::io::Result<_>>()?;
        let has_rows = !plan.rows.is_empty();
        Ok((plan, Done { settled, outcomes, ids, has_rows, others }))
    }

    /// The lists of fields by which other records refer to those of a table.
    fn asked_of(&self, table: &Table) -> Vec<(&'a [Field], Sorter<32>)> {
        let columns = self.mapping.tables.iter().flat_map(|other| &other.columns);
        let references = columns.filter_map(|column| column.reference.as_ref());
        let asked = references.filter(|reference| reference.table == table.name && !reference.by.is_empty());
        let mut lists: Vec<&[Field]> = asked.map(|reference| reference.by.as_slice()).collect();
        lists.dedup();
        lists.into_iter().map(|fields| (fields, Sorter::default())).collect()
    }

    fn row(
        &self,
        table: &'a Table,
        settled: &Settled,
        candidate: &Candidate,
        notes: &mut Notes,
    ) -> Result<Row, Verdict> {
        if let Some(parent) = &candidate.parent {
            match parent.outcome {
                Outcome::Row => {}
                Outcome::Merged => return Err(Verdict::Merged),
                // It does not lie in another record: it named one.
                Outcome::Rejected if parent.at == candidate.record.at => {
                    let why = "the record it names as its own is not in the file, or was rejected";
                    return Err(Verdict::Refused(Refusal::new("orphan", why, "correct it").into()));
                }
                Outcome::Rejected => {
                    let why = format!("its parent {} was rejected", parent.at);
                    let help = "correct the parent; this one follows";
                    return Err(Verdict::Refused(Refusal::new("parent_rejected", why, help).into()));
                }
            }
        }
        match settled.special(candidate.number) {
            Some(Special::Merged { .. }) => return Err(Verdict::Merged),
            Some(Special::Conflict) => {
                let refusal = Refusal::new(
                    "duplicate_conflict",
                    "another record has the same id and different content",
                    "give one of them another id, or name the field that tells the newer one: clock = \"…\"",
                );
                return Err(Verdict::Refused(refusal.into()));
            }
            Some(Special::Rank(_)) | None => {}
        }
        let identified =
            candidate.identified.as_ref().map_err(|refusal| Verdict::Refused(refusal.clone().into()))?;
        let cells = self.cells(table, settled, candidate, identified, notes).map_err(Verdict::Refused)?;
        if let Some(refused) = self.known.refused.get(&identified.id) {
            let refusal = Refusal::new("refused", refused.message.clone(), MEND);
            return Err(Verdict::Refused(Refused { column: refused.column.clone(), refusal }));
        }
        Ok(Row { id: identified.id, at: candidate.record.at.clone(), cells })
    }

    /// All cells of a row, in the order of [`Ground::planned_columns`].
    fn cells(
        &self,
        table: &Table,
        settled: &Settled,
        candidate: &Candidate,
        identified: &Identified,
        notes: &mut Notes,
    ) -> Result<Vec<Cell>, Refused> {
        let (record, mut fates) = (&candidate.record, Fates::default());
        match &table.id {
            _ if self.mapping.ids.legacy_column.is_none() => {}
            IdRule::Fields(fields) => fields.iter().for_each(|field| fates.take(field, record)),
            IdRule::First { fields, .. } if !identified.nameless => {
                record.take(fields, &mut fates);
            }
            IdRule::First { .. } | IdRule::Natural(_) => {}
        }
        if let Some(field) = table.parent.as_ref().and_then(|parent| parent.named_by.as_ref()) {
            fates.take(field, record);
        }
        let mut cells = Vec::with_capacity(table.columns.len() + 6);
        for column in &table.columns {
            let of = (record, identified.id);
            let cell = self.cell(table, settled, column, of, &mut fates, notes);
            cells.push(cell.map_err(|refusal| Refused { column: Some(column.name.clone()), refusal })?);
        }
        if let Some(parent) = &table.parent {
            let of = candidate.parent.as_ref().and_then(|parent| parent.id);
            cells.push(of.map_or(Cell::Null, Cell::Uuid));
            let position = i64::try_from(record.index).unwrap_or(i64::MAX);
            cells.extend(parent.position.as_ref().map(|_| Cell::Int(position)));
        }
        let ids = &self.mapping.ids;
        cells.extend(ids.legacy_column.as_ref().map(|_| Cell::Text(identified.legacy.clone())));
        cells.extend(ids.scope_column.as_ref().map(|_| Cell::Text(self.identity.scope().to_owned())));
        self.take_children(table, record, &mut fates, notes);
        // What is left of a record that is a child of its own is its parent's to keep.
        let is_own =
            table.parent.is_some() && table.from.get(candidate.path).is_some_and(Path::is_the_record);
        let left = if is_own { record.kept(&fates) } else { record.left_over(&fates) };
        cells.extend(self.left_over(left, notes)?);
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

    pub(super) fn cell(
        &self,
        table: &Table,
        settled: &Settled,
        column: &Column,
        (record, id): (&Record, Uuid),
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
        let joined = record.first(&column.time).and_then(|time| {
            let joined = convert::at_time(value, record.peek(time)?)?;
            fates.take(time, record);
            Some(joined)
        });
        let value = joined.as_ref().unwrap_or(value);
        let converted = match &column.reference {
            Some(reference) => self.reference(table, settled, column, reference, value, notes)?,
            None if column.media.is_some() => self.file(column, record, value, id, notes)?,
            None => convert::value(column, value, &self.context.zone, self.context.today)?,
        };
        if converted.keep || column.keep {
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

    /// The path of a file that lies in a field. What is no file stays the text it is: an address, as a rule.
    fn file(
        &self,
        column: &Column,
        record: &Record,
        value: &Node,
        id: Uuid,
        notes: &mut Notes,
    ) -> Result<convert::Converted, Refusal> {
        let (Some(media), Node::Text(text)) = (&column.media, value) else {
            return convert::value(column, value, &self.context.zone, self.context.today);
        };
        if !is_data_url(text) || self.context.media == MediaMode::Keep {
            return convert::value(column, value, &self.context.zone, self.context.today);
        }
        let set_aside = |why: &str| convert::Converted {
            keep: true,
            warning: Some(format!("{why}; the column is NULL")),
            ..convert::Converted::by(Cell::Null, Coercion::FileAsNull)
        };
        if self.context.media == MediaMode::Drop {
            return Ok(convert::Converted::by(Cell::Null, Coercion::FileAsNull));
        }
        let Some(file) = DataUrl::read(text) else {
            return Ok(set_aside("the file in the field is damaged"));
        };
        if !media.accepts(&file.kind) {
            return Ok(set_aside(&format!("the column takes no file of type {}", file.kind)));
        }
        let size = file.bytes.len() as u64;
        if media.max.is_some_and(|max| size > max) {
            return Ok(set_aside(&format!("the file has {size} bytes, which is more than the column takes")));
        }
        let sha256 = crate::run::hex(&sha2::Sha256::digest(&file.bytes));
        let extension = file.extension();
        let known = media::Known { owner: self.context.owner, id, sha256: &sha256, extension: &extension };
        let path = media.path.fill(known);
        notes.files.push(Media {
            bucket: media.bucket.clone(),
            path: path.clone(),
            kind: file.kind,
            at: record.at.clone(),
            bytes: file.bytes,
        });
        Ok(convert::Converted::by(Cell::Text(path), Coercion::FileMoved))
    }

    /// The row a reference leads to.
    fn reference(
        &self,
        table: &Table,
        settled: &Settled,
        column: &Column,
        reference: &Reference,
        value: &Node,
        notes: &mut Notes,
    ) -> Result<convert::Converted, Refusal> {
        let Some(legacy) = identity::canon(value) else {
            return Err(Refusal::new(
                "reference_unusable",
                format!("{} is no id", value.kind()),
                "map the field to a jsonb column",
            ));
        };
        if column.kind == Type::Text {
            return self.old_id(column, reference, value, &legacy);
        }
        let found = if reference.by.is_empty() {
            let id = self.identity.of_record(&reference.table, legacy).id;
            let key = *id.as_bytes();
            let to_itself = reference.table == table.name && settled.ids.holds(key).unwrap_or(false);
            let holds = to_itself
                || self.done(&reference.table).is_some_and(|done| done.ids().holds(key).unwrap_or(false))
                || self.known.holds(&reference.table, id);
            if !holds {
                notes.orphans.push((reference.table.clone(), id));
            }
            Found::from(holds.then_some(id))
        } else {
            match self.by_other_names(reference, &legacy) {
                // The target may have it, by its id.
                Found::None if self.may_be_an_id(reference) => {
                    let id = self.identity.of_record(&reference.table, legacy).id;
                    let holds = self.known.holds(&reference.table, id);
                    if !holds {
                        notes.orphans.push((reference.table.clone(), id));
                    }
                    Found::from(holds.then_some(id))
                }
                found => found,
            }
        };
        let message = match found {
            Found::One(id) => return Ok(convert::Converted::new(Cell::Uuid(id))),
            Found::None => {
                format!(
                    "the record of `{}` it refers to is not in the file, or was rejected",
                    reference.table
                )
            }
            Found::Several => format!("several records of `{}` go by what it refers to", reference.table),
        };
        match reference.orphan {
            Orphan::Reject => Err(Refusal::new("orphan", message, "correct it, or write orphan = \"null\"")),
            Orphan::Null => Ok(convert::Converted {
                keep: true,
                warning: Some(format!("{message}; the column is NULL")),
                ..convert::Converted::by(Cell::Null, Coercion::OrphanAsNull)
            }),
        }
    }

    /// An old id that stays as it is. Where the file has none of what it should lead to, nobody can tell.
    fn old_id(
        &self,
        column: &Column,
        reference: &Reference,
        value: &Node,
        legacy: &str,
    ) -> Result<convert::Converted, Refusal> {
        let mut converted = convert::value(column, value, &self.context.zone, self.context.today)?;
        let id = self.identity.of_record(&reference.table, legacy.to_owned()).id;
        if self.done(&reference.table).is_some_and(|done| done.has_rows && !done.holds(id)) {
            let message =
                format!("no record of `{}` in the file has this id; it is stored as it is", reference.table);
            converted.warning = Some(message);
        }
        Ok(converted)
    }

    /// True where one of the names a record may go by is its id.
    fn may_be_an_id(&self, reference: &Reference) -> bool {
        let ids = match self.mapping.table(&reference.table).map(|table| &table.id) {
            Some(IdRule::Fields(fields)) if fields.len() == 1 => fields,
            Some(IdRule::First { fields, .. }) => fields,
            Some(IdRule::Fields(_) | IdRule::Natural(_)) | None => return false,
        };
        ids.iter().any(|id| reference.by.contains(id))
    }

    /// The row that goes by a value in one of the fields it may be known by, the first of them first.
    fn by_other_names(&self, reference: &Reference, value: &str) -> Found {
        let Some(done) = self.done(&reference.table) else { return Found::None };
        let index = done.others.iter().find(|(fields, _)| *fields == reference.by).map(|(_, index)| index);
        let Some(index) = index else { return Found::None };
        for place in 0..reference.by.len() {
            match index.find(name_key(place, value)).unwrap_or_default().as_slice() {
                [] => {}
                [one] => {
                    let mut id = [0; 16];
                    id.copy_from_slice(&one[16..]);
                    return Found::One(Uuid::from_bytes(id));
                }
                [..] => return Found::Several,
            }
        }
        Found::None
    }

    /// Marks the fields whose items became rows of child tables.
    fn take_children(&self, table: &Table, record: &Record, fates: &mut Fates, notes: &mut Notes) {
        for child in self.mapping.tables.iter().filter(|child| child.is_child_of(&table.name)) {
            for path in child.from.iter().filter(|path| !path.is_absolute()) {
                if path.is_the_record() && own_item(child, record).is_some() {
                    for column in &child.columns {
                        record.take(column.source.fields(), fates);
                    }
                    continue;
                }
                let field = Field::Named(path.steps().to_vec());
                let Some(value) = record.peek(&field) else { continue };
                if value.is_blank() || child_value(path, record).is_some() {
                    fates.take(&field, record);
                } else if child.from.iter().all(|path| child_value(path, record).is_none()) {
                    notes.warnings.push((
                        path.steps().join("/"),
                        format!("the field is {}, so it has no rows in `{}`", value.kind(), child.name),
                    ));
                }
            }
        }
    }

    /// What no column holds: into `extra`, into the report, or a reason to refuse.
    fn left_over(&self, left: Map, notes: &mut Notes) -> Result<Option<Cell>, Refusal> {
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

    fn finish(self, tables: Vec<TablePlan>, tale: Tale) -> Result<Plan, Failure> {
        let Survey { not_mapped, mut ignored, secrets } =
            shape::survey(self.export, self.mapping, &self.shapes, &tale.notice.read)?;
        let kept = self.unknown_keys() == UnknownKeys::Extra;
        let tally =
            |((table, column, kind), (count, examples))| Tally { table, column, kind, count, examples };
        let mut warnings = tale.warnings;
        for document in &self.export.documents {
            let Some(cut) = &document.cut else { continue };
            warnings.push(Warning {
                pointer: document.base.join(cut).to_string(),
                table: String::new(),
                column: String::new(),
                message: "the file was cut off here; what is whole before it was taken".to_owned(),
            });
        }
        for broken in self.export.documents.iter().flat_map(|document| &document.broken) {
            if !tale.notice.read.contains(&broken.at) {
                warnings.push(Warning {
                    pointer: broken.at.to_string(),
                    table: String::new(),
                    column: String::new(),
                    message: format!("the value looks like JSON and cannot be read: {}", broken.reason),
                });
            }
        }
        ignored.extend(tale.notice.empty.iter().map(|at| Collection { pointer: at.to_string(), records: 1 }));
        let mut repairs = self.export.repairs;
        repairs.add(tale.notice.repairs);
        let shapes: Vec<&str> = self.shapes.iter().flatten().map(|shape| shape.name.as_str()).collect();
        Ok(Plan {
            shape: super::distinct(shapes).join(", "),
            tables,
            rejects: tale.rejects,
            rejects_by_code: tale.by_code,
            rejected: tale.rejected,
            coercions: tale.tallies.into_iter().map(tally).collect(),
            warnings,
            unknown_fields: tale
                .unknown
                .into_iter()
                .map(|((table, field), count)| UnknownField { table, field, count, kept })
                .collect(),
            not_mapped,
            ignored,
            secrets: tale.notice.secrets.into_iter().chain(secrets).collect(),
            repairs,
            orphans: tale.orphans,
            files: tale.files,
            explained: tale.explained,
        })
    }
}

/// What a reference leads to.
enum Found {
    None,
    One(Uuid),
    Several,
}

impl From<Option<Uuid>> for Found {
    fn from(id: Option<Uuid>) -> Self {
        id.map_or(Self::None, Self::One)
    }
}

impl Tale {
    /// Items in which there was nothing.
    fn leave_out(&mut self, table: &Table, mut empty: Vec<Pointer>) {
        let Some(first) = empty.first() else { return };
        self.warnings.push(Warning {
            pointer: first.to_string(),
            table: table.name.clone(),
            column: String::new(),
            message: match empty.len() {
                1 => "the record is null, and was left out".to_owned(),
                several => format!("{several} records are null, and were left out; this is the first"),
            },
        });
        self.notice.empty.append(&mut empty);
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

    fn orphans(&mut self, orphans: Vec<(String, Uuid)>) {
        for (table, id) in orphans {
            let wanted = self.orphans.entry(table).or_default();
            if wanted.len() < ORPHANS {
                wanted.push(id);
            }
        }
    }

    fn reject(
        &mut self,
        export: &Export,
        table: &Table,
        candidate: &Candidate,
        refused: Refused,
    ) -> Result<(), Failure> {
        let Refusal { code, message, help } = refused.refusal;
        let record = &candidate.record;
        let reject = Reject {
            file: export.file_of(&record.at),
            pointer: record.at.to_string(),
            table: table.name.clone(),
            column: refused.column,
            code: code.into(),
            message,
            help,
        };
        // Every part of a node is valid JSON.
        let row = RawValue::from_string(record.value().to_json()).unwrap_or_default();
        let (key, group) = record.names();
        let parent = candidate.parent.as_ref().and_then(|parent| parent.id);
        let line = RejectedLine {
            reject: &reject,
            index: record.index,
            rank: candidate.rank,
            key,
            group,
            parent,
            row: &row,
        };
        serde_json::to_writer(&mut self.rejected, &line).map_err(std::io::Error::from)?;
        self.rejected.write_all(b"\n")?;
        *self.by_code.entry(code.to_owned()).or_default() += 1;
        self.rejects.push(reject);
        Ok(())
    }
}

impl Notes {
    /// What was done, for people.
    pub(super) fn steps(&self) -> Vec<Coercion> {
        self.coercions.iter().map(|(_, coercion)| *coercion).collect()
    }

    /// What a person should look at.
    pub(super) fn remarks(&self) -> Vec<String> {
        self.warnings.iter().map(|(_, warning)| warning.clone()).collect()
    }

    fn coerced(&mut self, column: &Column, coercions: impl IntoIterator<Item = Coercion>) {
        self.coercions.extend(coercions.into_iter().map(|coercion| (column.name.clone(), coercion)));
    }
}

/// Records that stand for others, met on the way.
struct Elders<'s> {
    settled: &'s Settled,
    stands: HashSet<usize>,
    places: HashMap<usize, Pointer>,
    left_out: Vec<(Pointer, usize, Why)>,
}

impl<'s> Elders<'s> {
    fn new(settled: &'s Settled) -> Self {
        let stands = settled.stand_for_others();
        Self { settled, stands, places: HashMap::new(), left_out: Vec::new() }
    }

    fn meet(&mut self, candidate: &Candidate) {
        if self.stands.contains(&candidate.number) {
            self.places.insert(candidate.number, candidate.record.at.clone());
        }
        if let Some(Special::Merged { by, why: why @ (Why::Newer | Why::First) }) =
            self.settled.special(candidate.number)
        {
            self.left_out.push((candidate.record.at.clone(), by, why));
        }
    }

    fn tell(self, table: &Table, tale: &mut Tale) {
        for (at, by, why) in self.left_out {
            let other = self.places.get(&by).map(ToString::to_string).unwrap_or_default();
            let message = match why {
                Why::Newer => {
                    let clock = table.clock.as_deref().unwrap_or("clock");
                    format!("an older copy of {other}, by `{clock}`; it was left out")
                }
                Why::First | Why::Copy => {
                    format!(
                        "it has the id of {other} and says something else; that one comes first in the mapping, so this one was left out"
                    )
                }
            };
            let (pointer, table, column) = (at.to_string(), table.name.clone(), String::new());
            tale.warnings.push(Warning { pointer, table, column, message });
        }
    }
}

/// Puts a row under all it may be referred to by. Where only some records have an id, who has one does not go
/// by its place as well: 1 would be the second record and the one with the id 1.
fn also_known_as(
    fields: &[Field],
    record: &Record,
    has_a_name: bool,
    id: Uuid,
    names: &mut Sorter<32>,
) -> std::io::Result<()> {
    for (place, field) in fields.iter().enumerate() {
        if has_a_name && *field == Field::Index {
            continue;
        }
        let Some(name) = record.peek(field).filter(|name| !name.is_blank()).and_then(identity::canon) else {
            continue;
        };
        let mut entry = [0; 32];
        entry[..16].copy_from_slice(&name_key(place, &name));
        entry[16..].copy_from_slice(id.as_bytes());
        names.push(entry)?;
    }
    Ok(())
}

/// A name in the field at this place of a list.
fn name_key(place: usize, name: &str) -> [u8; 16] {
    let hash = blake3::Hasher::new().update(&(place as u64).to_le_bytes()).update(name.as_bytes()).finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}

/// The column that keeps the table's clock, so that the next import can read it back.
fn clock_column(table: &Table) -> Option<usize> {
    let clock = Field::named(&table.clock.clone()?);
    let keeps =
        |column: &Column| column.kind == Type::Timestamptz && column.source.fields() == [clock.clone()];
    table.columns.iter().position(keeps)
}

/// The columns that point at tables of the plan, a child's at its parent's included.
fn references(table: &Table) -> Vec<(String, String)> {
    let columns = table.columns.iter();
    let points =
        columns.filter_map(|column| Some((column.name.clone(), column.reference.as_ref()?.table.clone())));
    points.chain(table.parent.as_ref().map(|parent| (parent.column.clone(), parent.table.clone()))).collect()
}

/// The columns that point at rows of their own table.
fn late_columns(table: &Table) -> Vec<usize> {
    let points_home =
        |column: &Column| column.reference.as_ref().is_some_and(|reference| reference.table == table.name);
    let places = table.columns.iter().enumerate().filter(|(_, column)| points_home(column));
    places.map(|(place, _)| place).collect()
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
