//! From the TOML to a mapping that holds together.
//!
//! Every complaint names the file, line and column, shows the line, and names the table
//! and the column it is about.

use std::fmt::Display;
use std::ops::Range;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use toml::{Spanned, Value};
use uuid::Uuid;

use super::file::{self, File};
use super::media;
use super::{
    Absent, Accounts, Bound, Bounds, Choices, Column, DateFormat, EXTRA, Field, IdRule, Ids, Input, Mapping,
    Media, Mentions, Orphan, Parent, Path, Reading, Reference, Shape, Source, Table, UnknownKeys,
};
use crate::cell::{Cell, Type};
use crate::convert;
use crate::exit::{self, Failure};
use crate::node::Node;
use crate::number::Number;
use crate::pointer::Pointer;
use crate::secret;

/// The one version of the format there is.
const FORMAT: u32 = 1;

/// A default that leaves the column to the database.
const DATABASE: &str = "$database";

pub(super) fn read(file: &str, text: &str) -> Result<Mapping, Failure> {
    let checker = Checker { file, text };
    let parsed: File = toml::from_str(text).map_err(|error| checker.not_toml(&error))?;
    let mapping = checker.mapping(&parsed)?;
    Ok(Mapping { tables: checker.parents_first(mapping.tables, &parsed)?, ..mapping })
}

struct Checker<'a> {
    file: &'a str,
    text: &'a str,
}

/// What all columns of a mapping share.
struct Rules<'a> {
    zone: &'a TimeZone,
    reserved: Vec<(&'a str, &'static str)>,
}

impl Checker<'_> {
    fn mapping(&self, file: &File) -> Result<Mapping, Failure> {
        if *file.format.get_ref() != FORMAT {
            return Err(self.refuse(
                file.format.span(),
                "mapping.format",
                format!("format {} is not known; this program reads format {FORMAT}", file.format.get_ref()),
            ));
        }
        if file.name.get_ref().trim().is_empty() {
            return Err(self.refuse(file.name.span(), "mapping.name", "the mapping has no name"));
        }
        let source = self.source(&file.source)?;
        let ids = self.ids(&file.ids)?;
        let owner_column = file.owner.as_ref().map(|owner| self.owner(owner)).transpose()?;
        let rules = Rules {
            zone: &source.zone,
            reserved: reserved(&ids, owner_column.as_deref(), source.unknown_keys),
        };
        let mut tables = Vec::new();
        for (name, table) in &file.table {
            self.identifier(name, table.span())?;
            tables.push(self.table(name, table, &rules)?);
            self.children(name, &table.get_ref().children, &rules, &mut tables)?;
        }
        self.names_are_unique(file)?;
        let ignore = file
            .ignore
            .paths
            .iter()
            .map(|path| self.parse(path, "ignore.paths"))
            .collect::<Result<_, Failure>>()?;
        let accounts = file.accounts.as_ref().map(|accounts| self.accounts(accounts)).transpose()?;
        let (name, text) = (file.name.get_ref().clone(), self.text.to_owned());
        Ok(Mapping { name, source, ids, owner_column, ignore, tables, accounts, text })
    }

    fn children(
        &self,
        parent: &str,
        children: &IndexMap<String, Spanned<file::Child>>,
        rules: &Rules<'_>,
        tables: &mut Vec<Table>,
    ) -> Result<(), Failure> {
        for (name, child) in children {
            self.identifier(name, child.span())?;
            tables.push(self.child(parent, name, child, rules)?);
            self.children(name, &child.get_ref().children, rules, tables)?;
        }
        Ok(())
    }

    fn accounts(&self, accounts: &Spanned<file::Accounts>) -> Result<Accounts, Failure> {
        let (span, file) = (accounts.span(), accounts.get_ref());
        let field = |name: &String| match name.as_str() {
            // A hash is a secret in a row, and what an account is made from.
            "$" => {
                Err(self.refuse(span.clone(), "mapping.accounts", "[accounts]: a whole record is no value"))
            }
            name if name.starts_with('$') => self.field("[accounts]", name, span.clone()),
            name => Ok(nested(name)),
        };
        let maybe = |name: &Option<String>| name.as_ref().map(field).transpose();
        if file.email.is_none() && file.phone.is_none() {
            let why = "[accounts]: nobody signs in without an e-mail address or a phone number";
            return Err(self.refuse(span.clone(), "mapping.accounts", why));
        }
        Ok(Accounts {
            from: self.paths("accounts", &file.from, span.clone())?,
            id: field(&file.id)?,
            email: maybe(&file.email)?,
            phone: maybe(&file.phone)?,
            password_hash: maybe(&file.password_hash)?,
            data: file
                .data
                .iter()
                .map(|(name, from)| Ok((name.clone(), self.field("[accounts]", from, span.clone())?)))
                .collect::<Result<_, Failure>>()?,
        })
    }

    fn source(&self, source: &file::Source) -> Result<Source, Failure> {
        let zone = TimeZone::get(source.tz.get_ref()).map_err(|error| {
            self.refuse(
                source.tz.span(),
                "mapping.tz",
                format!("unknown time zone `{}`", source.tz.get_ref()),
            )
            .help("write a name such as Europe/Paris")
            .because(error)
        })?;
        let scope = match &source.scope {
            Some(scope) if scope.get_ref() == "$owner" => None,
            Some(scope) if scope.get_ref().is_empty() || scope.get_ref().contains(char::is_control) => {
                return Err(self.refuse(
                    scope.span(),
                    "mapping.scope",
                    "the scope is empty or not plain text",
                ));
            }
            scope => scope.as_ref().map(|scope| scope.get_ref().clone()),
        };
        let (unknown_keys, mojibake) = (source.unknown_keys, source.text.mojibake);
        Ok(Source { zone, unknown_keys, scope, shapes: self.shapes(source)?, mojibake })
    }

    fn shapes(&self, source: &file::Source) -> Result<Vec<Shape>, Failure> {
        let shorthand = source.kind.as_ref().or(source.root.as_ref());
        if let (Some(shorthand), [_, ..]) = (shorthand, source.shape.as_slice()) {
            return Err(self.refuse(
                shorthand.span(),
                "mapping.shape",
                "kind and root are the short form of one [[source.shape]]; write one or the other",
            ));
        }
        if source.shape.is_empty() {
            let name = match &source.kind {
                None => "json",
                Some(kind) if matches!(kind.get_ref().as_str(), "json" | "localstorage") => kind.get_ref(),
                Some(kind) => {
                    return Err(self.refuse(
                        kind.span(),
                        "mapping.kind",
                        "kind is \"json\" or \"localstorage\"",
                    ));
                }
            };
            let root = source.root.as_ref().map_or(Ok(Pointer::root()), |root| self.pointer(root))?;
            return Ok(vec![Shape { name: name.to_owned(), root, prefix: String::new() }]);
        }
        let shape = |shape: &Spanned<file::Shape>| {
            let shape = shape.get_ref();
            let root = self.pointer(&shape.root)?;
            Ok(Shape { name: shape.name.clone(), root, prefix: shape.prefix.clone() })
        };
        source.shape.iter().map(shape).collect()
    }

    fn ids(&self, ids: &file::Ids) -> Result<Ids, Failure> {
        let namespace: Uuid = self.parse(&ids.namespace, "ids.namespace")?;
        if namespace.is_nil() {
            return Err(self.refuse(
                ids.namespace.span(),
                "mapping.namespace",
                "the namespace is the nil UUID",
            ));
        }
        if let Some(canon) = ids.canon.as_ref().filter(|canon| canon.get_ref() != "loose") {
            return Err(self.refuse(canon.span(), "mapping.canon", "the only canon there is is \"loose\""));
        }
        Ok(Ids {
            namespace,
            legacy_column: self.column_name(ids.legacy_column.as_ref())?,
            scope_column: self.column_name(ids.scope_column.as_ref())?,
        })
    }

    fn owner(&self, owner: &file::Owner) -> Result<String, Failure> {
        if let Some(value) = owner.value.as_ref().filter(|value| value.get_ref() != "$owner") {
            return Err(self.refuse(value.span(), "mapping.owner", "the only owner there is is \"$owner\""));
        }
        self.identifier(owner.column.get_ref(), owner.column.span())?;
        Ok(owner.column.get_ref().clone())
    }

    fn table(&self, name: &str, table: &Spanned<file::Table>, rules: &Rules<'_>) -> Result<Table, Failure> {
        let (span, table) = (table.span(), table.get_ref());
        Ok(Table {
            name: name.to_owned(),
            from: self.paths(name, &table.from, span.clone())?,
            mentions: match &table.mentions {
                Some(mentions) => Some(Mentions {
                    from: self.paths(name, &mentions.from, span.clone())?,
                    by: self.id_fields(name, &mentions.by.0, false, &span)?,
                }),
                None => None,
            },
            id: self.id_rule(name, &table.id, &span)?,
            clock: table.clock.clone(),
            columns: self.columns(name, &table.columns, rules, &[])?,
            parent: None,
        })
    }

    fn child(
        &self,
        parent: &str,
        name: &str,
        child: &Spanned<file::Child>,
        rules: &Rules<'_>,
    ) -> Result<Table, Failure> {
        let (span, child) = (child.span(), child.get_ref());
        let from = self.paths(name, &child.from, span.clone())?;
        let outside = |path: &Path| path.is_absolute() && child.named_by.is_some();
        if let Some(path) =
            from.iter().find(|path| !outside(path) && (path.is_absolute() || !path.is_plain()))
        {
            return Err(self.refuse(
                span,
                "mapping.child_path",
                format!("table `{name}`: `{path}` must name a field of its parent, such as lines[*]"),
            ));
        }
        let id = self.id_rule(name, &child.id, &span)?;
        let named_by =
            child.named_by.as_ref().map(|name| self.field("named_by", name, span.clone())).transpose()?;
        if !matches!(id, IdRule::Natural(_)) {
            return Err(self
                .refuse(
                    span,
                    "mapping.child_id",
                    format!("table `{name}`: a child is known by its natural key"),
                )
                .help("write id = { natural = [\"…\"] } with the fields that tell its records apart"));
        }
        if from.iter().any(Path::is_the_record)
            && !child.columns.values().any(|column| column.get_ref().required)
        {
            let why =
                format!("table `{name}`: a child made of its parent's own record needs a required column");
            return Err(self
                .refuse(span, "mapping.child_path", why)
                .help("write required = true at what must be there for the child to be"));
        }
        let (column, position) =
            (self.column_name(Some(&child.parent))?, self.column_name(child.position.as_ref())?);
        let column = column.unwrap_or_default();
        let own: Vec<&str> = [Some(column.as_str()), position.as_deref()].into_iter().flatten().collect();
        let columns = self.columns(name, &child.columns, rules, &own)?;
        let parent = Some(Parent { table: parent.to_owned(), column, position, named_by });
        Ok(Table { name: name.to_owned(), from, mentions: None, id, clock: None, columns, parent })
    }

    fn paths(&self, table: &str, from: &file::OneOrMore, span: Range<usize>) -> Result<Vec<Path>, Failure> {
        let refuse =
            |why: String| self.refuse(span.clone(), "mapping.path", format!("table `{table}`, from: {why}"));
        if from.0.is_empty() {
            return Err(refuse("no path".to_owned()));
        }
        from.0.iter().map(|path| path.parse().map_err(refuse)).collect()
    }

    fn id_rule(&self, table: &str, rule: &file::IdRule, span: &Range<usize>) -> Result<IdRule, Failure> {
        let fields = |names: &[String], natural: bool| self.id_fields(table, names, natural, span);
        Ok(match rule {
            file::IdRule::Fields(names) => IdRule::Fields(fields(names, false)?),
            file::IdRule::Natural(names) => IdRule::Natural(fields(names, true)?),
            file::IdRule::First(first, natural) => {
                IdRule::First { fields: fields(first, false)?, natural: fields(natural, true)? }
            }
        })
    }

    fn id_fields(
        &self,
        table: &str,
        names: &[String],
        natural: bool,
        span: &Range<usize>,
    ) -> Result<Vec<Field>, Failure> {
        let place = format!("table `{table}`, id");
        let fields: Vec<Field> = names
            .iter()
            .map(|name| self.field(&place, name, span.clone()))
            .collect::<Result<_, Failure>>()?;
        match fields.as_slice() {
            [] => Err(self.refuse(span.clone(), "mapping.id", format!("{place}: no field"))),
            // Values without a record around them are told apart by what they are.
            fields if !natural && fields.contains(&Field::Whole) => {
                Err(self.refuse(span.clone(), "mapping.id", format!("{place}: a whole record is no id")))
            }
            _ => Ok(fields),
        }
    }

    fn columns(
        &self,
        table: &str,
        columns: &IndexMap<String, Spanned<file::Column>>,
        rules: &Rules<'_>,
        own: &[&str],
    ) -> Result<Vec<Column>, Failure> {
        let check = |(name, column): (&String, &Spanned<file::Column>)| {
            let place = Place { table, column: name, span: column.span() };
            self.identifier(name, column.span())?;
            let taken = rules.reserved.iter().find(|(reserved, _)| reserved == name).map(|(_, why)| *why);
            let taken = taken.or_else(|| own.contains(&name.as_str()).then_some("the child's own settings"));
            if let Some(why) = taken {
                return Err(self.refuse_column(
                    &place,
                    "mapping.column_taken",
                    format!("it is filled from {why}"),
                ));
            }
            self.column(&place, column.get_ref(), rules)
        };
        columns.iter().map(check).collect()
    }

    fn column(&self, place: &Place<'_>, file: &file::Column, rules: &Rules<'_>) -> Result<Column, Failure> {
        self.options_fit(place, file)?;
        let kind = match (&file.r#type, &file.r#ref) {
            (Some(kind), _) => self.parse(kind, &place.to_string())?,
            (None, Some(_)) => Type::Uuid,
            (None, None) => return Err(self.refuse_column(place, "mapping.type", "it has no type")),
        };
        self.options_suit(place, file, kind)?;
        let mut column = Column {
            name: place.column.to_owned(),
            kind,
            source: Input::Fields(self.fields(place, &file.from)?),
            absent: if file.required { Absent::Reject } else { Absent::Null },
            reference: file.r#ref.as_ref().map(|table| Reference {
                table: table.get_ref().clone(),
                by: Vec::new(),
                orphan: file.orphan.unwrap_or_default(),
            }),
            time: self.fields(place, &file.time)?,
            keep: file.keep,
            media: file.media.as_ref().map(|media| self.media(place, media)).transpose()?,
            choices: file.r#enum.as_ref().map(|values| self.choices(place, values, file)).transpose()?,
            reading: Reading {
                via: file.via.clone(),
                formats: if file.format.0.is_empty() { vec![DateFormat::Iso] } else { file.format.0.clone() },
                day: file.day.unwrap_or_default(),
                bounds: self.bounds(place, file)?,
                number: file.number,
                money: file.money.as_ref().map(|money| self.currency(place, money)).transpose()?,
                round: file.round,
                empty: file.empty,
            },
        };
        if let Some(reference) = &mut column.reference {
            reference.by = self.fields(place, &file.by)?;
        }
        if let Some(value) = &file.r#const {
            column.source = Input::Const(self.literal(place, value, &column, rules)?);
        }
        match file.default.as_ref().map(Spanned::get_ref) {
            None => {}
            Some(Value::String(text)) if text == DATABASE => column.absent = Absent::Database,
            Some(value) => column.absent = Absent::Value(self.literal(place, value, &column, rules)?),
        }
        Ok(column)
    }

    /// Options that exclude or need each other.
    fn options_fit(&self, place: &Place<'_>, file: &file::Column) -> Result<(), Failure> {
        let has_from = !file.from.0.is_empty();
        let complaints = [
            (file.r#const.is_some() && has_from, "it has both from and const"),
            (file.r#const.is_none() && !has_from, "it reads nothing: give from or const"),
            (file.r#const.is_some() && (file.required || file.default.is_some()), "a const is always there"),
            (file.r#const.is_some() && file.r#ref.is_some(), "a const is no reference"),
            (file.keep && !has_from, "keep needs from"),
            (file.required && file.default.is_some(), "it is required and has a default"),
            (file.orphan.is_some() && file.r#ref.is_none(), "orphan needs ref"),
            (!file.by.0.is_empty() && file.r#ref.is_none(), "by needs ref"),
            (file.media.is_some() && !has_from, "media needs from"),
            (file.media.is_some() && file.r#enum.is_some(), "a file is none of an enum"),
            (
                file.unknown.is_some() && file.r#enum.is_none() && file.min.is_none() && file.max.is_none(),
                "unknown needs enum, min or max",
            ),
            (file.r#ref.is_some() && file.default.is_some(), "a reference has no default"),
        ];
        match complaints.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, why)) => Err(self.refuse_column(place, "mapping.options", why)),
            None => Ok(()),
        }
    }

    /// Options that have a meaning for some types only.
    fn options_suit(&self, place: &Place<'_>, file: &file::Column, kind: Type) -> Result<(), Failure> {
        let text = kind == Type::Text;
        let number = matches!(kind, Type::Int4 | Type::Int8 | Type::Numeric(_));
        let sized = matches!(kind, Type::Numeric(Some(_)));
        let date = matches!(kind, Type::Date | Type::Timestamptz);
        let formats = &file.format.0;
        let complaints = [
            (file.r#ref.is_some() && !text && kind != Type::Uuid, "ref needs type uuid or text, or none"),
            (
                file.r#ref.is_some() && text && file.orphan != Some(Orphan::Null),
                "a reference of type text keeps the old id, whatever it leads to: write orphan = \"null\"",
            ),
            (file.r#enum.is_some() && !text, "enum needs type text"),
            (file.media.is_some() && !text, "media needs type text: the column takes the file's path"),
            (!file.via.is_empty() && !text, "via needs type text"),
            (file.empty.is_some() && !text, "empty needs type text: elsewhere \"\" is NULL anyway"),
            (file.number.is_some() && !number, "number needs a type of numbers"),
            (file.money.is_some() && !number, "money needs a type of numbers"),
            (
                (file.min.is_some() || file.max.is_some()) && !date,
                "min and max need type date or timestamptz",
            ),
            (
                (file.day.is_some() || !file.time.0.is_empty()) && kind != Type::Timestamptz,
                "day and time need type timestamptz",
            ),
            (file.round.is_some() && !sized, "round needs type numeric(p,s)"),
            (!formats.is_empty() && !date, "format needs type date or timestamptz"),
            (
                formats.contains(&DateFormat::Dmy) && formats.contains(&DateFormat::Mdy),
                "dmy and mdy together cannot be told apart",
            ),
        ];
        match complaints.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, why)) => Err(self.refuse_column(place, "mapping.options", why)),
            None => Ok(()),
        }
    }

    fn media(&self, place: &Place<'_>, file: &file::Media) -> Result<Media, Failure> {
        let refuse = |why: String| self.refuse_column(place, "mapping.media", format!("media: {why}"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if file.bucket.is_empty() || !file.bucket.bytes().all(plain) {
            return Err(refuse(format!("`{}` is no name of a bucket", file.bucket)));
        }
        let max = file.max.as_ref().map(|text| {
            media::size(text).ok_or_else(|| refuse(format!("`{text}` is no size; write 8MiB or 500kB")))
        });
        Ok(Media {
            bucket: file.bucket.clone(),
            path: file.path.parse().map_err(refuse)?,
            accept: file.accept.clone(),
            max: max.transpose()?,
        })
    }

    fn fields(&self, place: &Place<'_>, from: &file::OneOrMore) -> Result<Vec<Field>, Failure> {
        from.0.iter().map(|name| self.field(&place.to_string(), name, place.span.clone())).collect()
    }

    fn field(&self, place: &str, name: &str, span: Range<usize>) -> Result<Field, Failure> {
        match name {
            "$" => Ok(Field::Whole),
            "$key" => Ok(Field::Key),
            "$group" => Ok(Field::Group),
            "$index" => Ok(Field::Index),
            _ if name.starts_with('$') => Err(self.refuse(
                span,
                "mapping.field",
                format!("{place}: unknown `{name}`; known are $, $key, $group and $index"),
            )),
            _ if name.is_empty() => {
                Err(self.refuse(span, "mapping.field", format!("{place}: a field without a name")))
            }
            _ if name.split('/').any(secret::is_secret_name) => Err(self.refuse(
                span,
                "mapping.secret",
                format!("{place}: `{name}` is the name of a secret, and secrets are never moved"),
            )),
            _ => Ok(nested(name)),
        }
    }

    fn choices(
        &self,
        place: &Place<'_>,
        values: &IndexMap<String, Vec<String>>,
        file: &file::Column,
    ) -> Result<Choices, Failure> {
        if values.is_empty() {
            return Err(self.refuse_column(place, "mapping.enum", "the enum has no values"));
        }
        let mut all: Vec<(String, Vec<String>)> = Vec::new();
        for (value, spellings) in values {
            let mut folded: Vec<String> =
                std::iter::once(value).chain(spellings).map(|spelling| convert::fold(spelling)).collect();
            folded.sort();
            folded.dedup();
            let clash = all.iter().find(|(_, others)| others.iter().any(|other| folded.contains(other)));
            if let Some((other, _)) = clash {
                let why = format!("`{value}` and `{other}` have a spelling in common");
                return Err(self.refuse_column(place, "mapping.enum", why));
            }
            all.push((value.clone(), folded));
        }
        Ok(Choices { values: all, unknown: file.unknown.unwrap_or_default() })
    }

    fn bounds(&self, place: &Place<'_>, file: &file::Column) -> Result<Option<Bounds>, Failure> {
        if file.min.is_none() && file.max.is_none() {
            return Ok(None);
        }
        let read = |bound: &Spanned<Value>| {
            let text = match bound.get_ref() {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            text.parse::<Bound>()
                .map_err(|why| self.refuse(bound.span(), "mapping.bounds", format!("{place}: {why}")))
        };
        let min = file.min.as_ref().map(read).transpose()?;
        let max = file.max.as_ref().map(read).transpose()?;
        if let (Some(Bound::Day(min)), Some(Bound::Day(max))) = (min, max)
            && min > max
        {
            return Err(self.refuse_column(place, "mapping.bounds", "min comes after max"));
        }
        Ok(Some(Bounds { min, max, unknown: file.unknown.unwrap_or_default() }))
    }

    fn currency(&self, place: &Place<'_>, code: &Spanned<String>) -> Result<String, Failure> {
        let is_code =
            code.get_ref().len() == 3 && code.get_ref().bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code {
            return Ok(code.get_ref().clone());
        }
        let why = format!("{place}: money is the code of a currency, such as \"EUR\"");
        Err(self.refuse(code.span(), "mapping.money", why))
    }

    fn literal(
        &self,
        place: &Place<'_>,
        value: &Value,
        column: &Column,
        rules: &Rules<'_>,
    ) -> Result<Cell, Failure> {
        match convert::unbounded(column, &literal_node(value), rules.zone) {
            Ok(converted) => Ok(converted.cell),
            Err(refusal) => Err(self.refuse_column(
                place,
                "mapping.value",
                format!("const or default: {}", refusal.message),
            )),
        }
    }

    /// Sorts tables so that each comes after those it points at, keeping the file's order.
    fn parents_first(&self, tables: Vec<Table>, file: &File) -> Result<Vec<Table>, Failure> {
        for table in &tables {
            self.references_lead_somewhere(table, &tables, file)?;
        }
        let (mut waiting, mut sorted): (Vec<Table>, Vec<Table>) = (tables, Vec::new());
        while !waiting.is_empty() {
            let is_sorted = |name: &str| sorted.iter().any(|table: &Table| table.name == name);
            let Some(next) = waiting.iter().position(|table| table.needs().all(is_sorted)) else {
                let names: Vec<&str> = waiting.iter().map(|table| table.name.as_str()).collect();
                let message = format!("tables {} point at each other in a circle", names.join(", "));
                return Err(self
                    .refuse(0..0, "mapping.cycle", message)
                    .help("take one of the references out of the mapping; it can stay in `extra`"));
            };
            sorted.push(waiting.remove(next));
        }
        Ok(sorted)
    }

    fn references_lead_somewhere(&self, table: &Table, tables: &[Table], file: &File) -> Result<(), Failure> {
        for column in &table.columns {
            let Some(reference) = &column.reference else { continue };
            let span = reference_span(file, &table.name, &column.name);
            let place = Place { table: &table.name, column: &column.name, span };
            let target = tables.iter().find(|other| other.name == reference.table);
            let why = match target {
                None => format!("it refers to the unknown table `{}`", reference.table),
                Some(Table { id: IdRule::Fields(fields), parent: None, .. }) if fields.len() == 1 => continue,
                Some(Table { id: IdRule::First { .. }, parent: None, .. }) => continue,
                Some(_) if !reference.by.is_empty() => continue,
                Some(_) => format!(
                    "table `{}` has no single old id to point at; name its fields with by",
                    reference.table
                ),
            };
            return Err(self.refuse_column(&place, "mapping.reference", why));
        }
        Ok(())
    }

    fn names_are_unique(&self, file: &File) -> Result<(), Failure> {
        let mut seen: Vec<&str> = file.table.keys().map(String::as_str).collect();
        for (name, child) in all_children(file) {
            if seen.contains(&name) {
                let message = format!("table `{name}` is filled twice");
                return Err(self.refuse(child.span(), "mapping.table_twice", message));
            }
            seen.push(name);
        }
        Ok(())
    }

    fn column_name(&self, name: Option<&Spanned<String>>) -> Result<Option<String>, Failure> {
        let Some(name) = name else { return Ok(None) };
        self.identifier(name.get_ref(), name.span())?;
        Ok(Some(name.get_ref().clone()))
    }

    /// Names go into queries; plain ones need no quoting anywhere.
    fn identifier(&self, name: &str, span: Range<usize>) -> Result<(), Failure> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.bytes().all(plain)
            && name.len() <= 63
            && !name.starts_with(|first: char| first.is_ascii_digit())
        {
            return if name.is_empty() {
                Err(self.refuse(span, "mapping.identifier", "an empty name"))
            } else {
                Ok(())
            };
        }
        Err(self
            .refuse(span, "mapping.identifier", format!("`{name}` is not a plain name"))
            .help("use small letters, digits and _, at most 63, and no digit first"))
    }

    fn pointer(&self, text: &Spanned<String>) -> Result<Pointer, Failure> {
        Pointer::parse(text.get_ref()).ok_or_else(|| {
            self.refuse(text.span(), "mapping.root", "the root is a JSON Pointer: empty, or beginning with /")
        })
    }

    fn parse<T>(&self, text: &Spanned<String>, place: &str) -> Result<T, Failure>
    where
        T: std::str::FromStr<Err: Display>,
    {
        text.get_ref()
            .parse()
            .map_err(|error: T::Err| self.refuse(text.span(), "mapping.value", format!("{place}: {error}")))
    }

    fn not_toml(&self, error: &toml::de::Error) -> Failure {
        let message = error.message().trim_end();
        let id = if message.starts_with("unknown field") { "mapping.unknown_key" } else { "mapping.syntax" };
        self.refuse(error.span().unwrap_or(0..0), id, message)
    }

    fn refuse_column(&self, place: &Place<'_>, id: &'static str, why: impl Display) -> Failure {
        self.refuse(place.span.clone(), id, format!("{place}: {why}"))
    }

    fn refuse(&self, span: Range<usize>, id: &'static str, why: impl Display) -> Failure {
        let (line, column, excerpt) = excerpt(self.text, &span);
        let message = format!("{}:{line}:{column}: {why}", self.file);
        if is_a_mapping(self.text) {
            return Failure::new(exit::USAGE, id, format!("{message}\n{excerpt}"));
        }
        Failure::new(exit::USAGE, id, message).help("this is no mapping: a mapping begins with `format = 1`")
    }
}

/// A column, for messages.
struct Place<'a> {
    table: &'a str,
    column: &'a str,
    span: Range<usize>,
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table `{}`, column `{}`", self.table, self.column)
    }
}

fn reserved<'a>(ids: &'a Ids, owner: Option<&'a str>, unknown: UnknownKeys) -> Vec<(&'a str, &'static str)> {
    let mut reserved = vec![("id", "the table's id rule")];
    reserved.extend(owner.map(|column| (column, "[owner]")));
    reserved.extend(ids.legacy_column.as_deref().map(|column| (column, "[ids] legacy_column")));
    reserved.extend(ids.scope_column.as_deref().map(|column| (column, "[ids] scope_column")));
    reserved.extend((unknown == UnknownKeys::Extra).then_some((EXTRA, "unknown_keys = \"extra\"")));
    reserved
}

fn reference_span(file: &File, table: &str, column: &str) -> Range<usize> {
    let child = all_children(file).into_iter().find(|(name, _)| *name == table).map(|(_, child)| child);
    let columns = match (file.table.get(table), child) {
        (Some(table), _) => &table.get_ref().columns,
        (None, Some(child)) => &child.get_ref().columns,
        (None, None) => return 0..0,
    };
    let column = columns.get(column).and_then(|column| column.get_ref().r#ref.as_ref());
    column.map_or(0..0, Spanned::span)
}

/// Children of all tables, and theirs.
fn all_children(file: &File) -> Vec<(&str, &Spanned<file::Child>)> {
    let mut all: Vec<(&str, &Spanned<file::Child>)> = Vec::new();
    let mut waiting: Vec<_> = file.table.values().map(|table| &table.get_ref().children).collect();
    while let Some(children) = waiting.pop() {
        for (name, child) in children {
            all.push((name, child));
            waiting.push(&child.get_ref().children);
        }
    }
    all
}

/// A field by the names on the way to it, escaped as in a JSON Pointer.
fn nested(name: &str) -> Field {
    Field::Named(name.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

fn literal_node(value: &Value) -> Node {
    match value {
        Value::String(text) => Node::Text(text.clone()),
        Value::Integer(number) => Node::Number(Number::from_json(&number.to_string())),
        Value::Float(number) => {
            Number::parse(&number.to_string()).map_or_else(|| Node::Text(number.to_string()), Node::Number)
        }
        Value::Boolean(value) => Node::Bool(*value),
        Value::Datetime(moment) => Node::Text(moment.to_string()),
        Value::Array(items) => Node::List(items.iter().map(literal_node).collect()),
        Value::Table(members) => {
            Node::Map(members.iter().map(|(name, value)| (name.clone(), literal_node(value))).collect())
        }
    }
}

/// True for a text that means to be a mapping. Anything else, an export or a file of keys given by
/// mistake, is not quoted.
fn is_a_mapping(text: &str) -> bool {
    let says_format = |line: &str| {
        line.trim_start().strip_prefix("format").is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().any(says_format)
}

/// Line, column, and the line itself with a mark under the place.
fn excerpt(text: &str, span: &Range<usize>) -> (usize, usize, String) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let room = shown.chars().count().saturating_sub(column - 1).max(1);
    let length =
        text.get(span.clone()).map_or(1, |part| part.lines().next().unwrap_or_default().chars().count());
    let marks = "^".repeat(length.clamp(1, room));
    let margin = " ".repeat(line.to_string().len());
    let indent = " ".repeat(column - 1);
    (line, column, format!("{margin} |\n{line} | {shown}\n{margin} | {indent}{marks}"))
}
