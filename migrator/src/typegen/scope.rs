//! What is written, and under which names.
//!
//! In are the schemas' own tables, types and functions, and of the rest whatever they are made of, so that
//! the file stands alone. What an extension brought is left to the extension, unless a column is of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Column, Composite, Domain, Enum, Function, Kind, Object, Relation, TypeName};
use crate::exit::{self, Failure};
use crate::typegen::name::{self, Names};
use crate::typegen::{Options, Rename, Time, routine};

/// A type's schema and name, which no two types share. A table's row is a type too.
type Key<'a> = (&'a str, &'a str);

/// What is written, and under which names.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    /// The catalog it is about.
    pub(crate) catalog: &'a Catalog,
    time: Time,
    definitions: BTreeMap<Key<'a>, Definition<'a>>,
    rows: Vec<(&'a Relation, RowNames)>,
    routines: Vec<(&'a Function, RoutineNames)>,
    /// The names of everything a column can be of.
    types: BTreeMap<Key<'a>, String>,
}

/// What a type is, beside those every server has.
#[derive(Debug, Clone, Copy)]
enum Definition<'a> {
    Enum(&'a Enum),
    Domain(&'a Domain),
    Composite(&'a Composite),
    Row(&'a Relation),
    /// A range of this; it needs no name of its own.
    Range(&'a TypeName),
}

/// The names of a table's structs.
#[derive(Debug, Clone)]
pub(crate) struct RowNames {
    /// A row as it is read.
    pub(crate) row: String,
    /// A row that is added.
    pub(crate) insert: Option<String>,
    /// What changes of a row.
    pub(crate) update: Option<String>,
}

/// The names of a function's structs.
#[derive(Debug, Clone)]
pub(crate) struct RoutineNames {
    /// Its arguments.
    pub(crate) call: String,
    /// Its row, if it has one of its own.
    pub(crate) row: Option<String>,
}

impl<'a> Scope<'a> {
    /// Picks and names; also says what is left out, and why.
    pub(crate) fn new(
        catalog: &'a Catalog,
        schemas: &[&str],
        options: &Options,
    ) -> Result<(Self, Vec<String>), Failure> {
        let is_in = |object: &Object| !object.extension && schemas.contains(&object.schema.as_str());
        let mut scope = Self {
            catalog,
            time: options.time,
            definitions: definitions(catalog),
            rows: Vec::new(),
            routines: Vec::new(),
            types: BTreeMap::new(),
        };
        let mut relations: Vec<_> =
            catalog.relations.iter().filter(|relation| is_in(&relation.object)).collect();
        relations.sort_by_key(|relation| key(&relation.object));
        let (functions, left_out) =
            callable(catalog.functions.iter().filter(|function| is_in(&function.object)));

        let mut names = Names::of_types();
        scope.name_rows(&relations, &options.renames, &mut names)?;
        for key in scope.reachable(&is_in, &functions) {
            let wish = name::of_type(key.1);
            scope.types.insert(key, names.give(&[&wish]));
        }
        scope.name_routines(functions, &mut names);
        Ok((scope, left_out))
    }

    /// The enum types, with their names.
    pub(crate) fn enums(&self) -> impl Iterator<Item = (&'a Enum, &str)> {
        self.named().filter_map(|(definition, name)| match definition {
            Definition::Enum(item) => Some((item, name)),
            _ => None, // written elsewhere
        })
    }

    /// The domains, with their names.
    pub(crate) fn domains(&self) -> impl Iterator<Item = (&'a Domain, &str)> {
        self.named().filter_map(|(definition, name)| match definition {
            Definition::Domain(item) => Some((item, name)),
            _ => None, // written elsewhere
        })
    }

    /// The composite types, with their names: also the rows of tables that are not in.
    pub(crate) fn composites(&self) -> impl Iterator<Item = (Cow<'a, Composite>, &str)> {
        self.named().filter_map(|(definition, name)| match definition {
            Definition::Composite(item) => Some((Cow::Borrowed(item), name)),
            Definition::Row(relation) if !self.is_row(&relation.object) => {
                let Relation { object, columns, .. } = relation;
                Some((Cow::Owned(Composite { object: object.clone(), fields: columns.clone() }), name))
            }
            _ => None, // written elsewhere
        })
    }

    /// The tables and views, with the names of their structs.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'a Relation, &RowNames)> {
        self.rows.iter().map(|(relation, names)| (*relation, names))
    }

    /// The functions, with the names of their structs.
    pub(crate) fn routines(&self) -> impl Iterator<Item = (&'a Function, &RoutineNames)> {
        self.routines.iter().map(|(function, names)| (*function, names))
    }

    /// The struct of a table's row, if the table is in.
    pub(crate) fn row(&self, schema: &str, table: &str) -> Option<&str> {
        let found = self.rows.iter().find(|(relation, _)| key(&relation.object) == (schema, table))?;
        Some(&found.1.row)
    }

    /// The Rust type of a column, an argument or a field.
    pub(crate) fn rust(&self, of: &TypeName) -> String {
        let element = self.element(of);
        if of.array { format!("Vec<{element}>") } else { element }
    }

    /// True for a row or a composite type: where it is null, the REST API answers with nulls for its columns.
    pub(crate) fn has_columns(&self, of: &TypeName) -> bool {
        let definition = self.definitions.get(&(of.schema.as_str(), of.name.as_str()));
        !of.array && matches!(definition, Some(Definition::Composite(_) | Definition::Row(_)))
    }

    fn element(&self, of: &TypeName) -> String {
        let key = (of.schema.as_str(), of.name.as_str());
        match (self.definitions.get(&key), self.types.get(&key)) {
            (Some(Definition::Range(of)), _) => format!("supabase_sdk::rest::Range<{}>", self.rust(of)),
            (_, Some(name)) => name.clone(),
            (_, None) => self.plain(of),
        }
    }

    /// A type that every server has, or that an extension brings.
    fn plain(&self, of: &TypeName) -> String {
        let builtin = |name| TypeName { schema: "pg_catalog".to_owned(), name, array: false };
        let range = |of: &str| format!("supabase_sdk::rest::Range<{}>", self.plain(&builtin(of.to_owned())));
        let known = match (of.schema.as_str(), of.name.as_str()) {
            ("pg_catalog", name) => match name {
                "bool" => "bool",
                "int2" => "i16",
                "int4" => "i32",
                "int8" => "i64",
                "float4" => "f32",
                "float8" => "f64",
                "numeric" => "supabase_sdk::rest::Numeric",
                "uuid" => "supabase_sdk::uuid::Uuid",
                "json" | "jsonb" | "record" => "supabase_sdk::serde_json::Value",
                "tsvector" => "supabase_sdk::rest::TsVector",
                "timestamptz" | "timestamp" | "date" | "time" => moment(name, self.time),
                "int4range" => return range("int4"),
                "int8range" => return range("int8"),
                "numrange" => return range("numeric"),
                "daterange" => return range("date"),
                "tsrange" => return range("timestamp"),
                "tstzrange" => return range("timestamptz"),
                // The REST API writes whatever else there is as text.
                _ => "String",
            },
            // These bring their own way to become JSON.
            (_, "geometry" | "geography" | "hstore") => "supabase_sdk::serde_json::Value",
            _ => "String",
        };
        known.to_owned()
    }

    fn named(&self) -> impl Iterator<Item = (Definition<'a>, &str)> {
        self.types.iter().filter_map(|(key, name)| Some((*self.definitions.get(key)?, name.as_str())))
    }

    fn is_row(&self, object: &Object) -> bool {
        self.rows.iter().any(|(relation, _)| key(&relation.object) == key(object))
    }

    /// Names the tables first, so that nothing else takes a name from them; among them first those whose
    /// name was chosen, and those that are called in the singular already.
    fn name_rows(
        &mut self,
        relations: &[&'a Relation],
        renames: &[Rename],
        names: &mut Names,
    ) -> Result<(), Failure> {
        let mut rows: BTreeMap<Key<'a>, String> = BTreeMap::new();
        for rename in renames {
            let relation = renamed(rename, relations)?;
            let given = names.is_free(&rename.name)
                && rows.insert(key(&relation.object), rename.name.clone()).is_none();
            if !given {
                return Err(wrong_rename(rename, "is given twice"));
            }
            names.give(&[&rename.name]);
        }
        let is_one = |relation: &&&Relation| {
            name::of_row(&relation.object.name) == name::of_type(&relation.object.name)
        };
        let (ones, many): (Vec<&Relation>, Vec<&Relation>) = relations.iter().partition(is_one);
        for relation in ones.into_iter().chain(many) {
            let object = &relation.object;
            rows.entry(key(object))
                .or_insert_with(|| names.give(&[&name::of_row(&object.name), &name::of_type(&object.name)]));
        }
        for relation in relations {
            let row = rows.remove(&key(&relation.object)).unwrap_or_default();
            let is_table = matches!(relation.kind, Kind::Table | Kind::Foreign);
            let mut beside = |may: bool, wish: String| (is_table && may).then(|| names.give(&[&wish]));
            let insert = beside(relation.insertable, format!("New{row}"));
            let update = beside(relation.updatable, format!("{row}Patch"));
            self.types.insert(key(&relation.object), row.clone());
            self.rows.push((relation, RowNames { row, insert, update }));
        }
        Ok(())
    }

    fn name_routines(&mut self, functions: Vec<&'a Function>, names: &mut Names) {
        for function in functions {
            let call = names.give(&[&name::of_type(&function.object.name)]);
            let row = routine::has_row(function).then(|| names.give(&[&format!("{call}Row")]));
            self.routines.push((function, RoutineNames { call, row }));
        }
    }

    /// The types that are in, or that something is made of that is in; without the tables that are in.
    fn reachable(&self, is_in: &impl Fn(&Object) -> bool, functions: &[&'a Function]) -> BTreeSet<Key<'a>> {
        let own = self.definitions.iter().filter(|(_, definition)| match definition {
            Definition::Enum(item) => is_in(&item.object),
            Definition::Domain(item) => is_in(&item.object),
            Definition::Composite(item) => is_in(&item.object),
            Definition::Row(relation) => self.is_row(&relation.object),
            Definition::Range(_) => false,
        });
        let mut due: Vec<Key<'a>> = own.map(|(key, _)| *key).collect();
        due.extend(functions.iter().flat_map(|function| {
            let arguments = function.arguments.iter().map(|argument| &argument.of);
            arguments.chain([&function.returns]).map(of_key)
        }));
        let mut seen = BTreeSet::new();
        while let Some(key) = due.pop() {
            let Some(definition) = self.definitions.get(&key) else {
                continue;
            };
            if seen.insert(key) {
                due.extend(parts(*definition).map(of_key));
            }
        }
        seen.retain(|key| match self.definitions.get(key) {
            Some(Definition::Row(relation)) => !self.is_row(&relation.object),
            Some(Definition::Range(_)) | None => false,
            Some(Definition::Enum(_) | Definition::Domain(_) | Definition::Composite(_)) => true,
        });
        seen
    }
}

fn key(object: &Object) -> Key<'_> {
    (&object.schema, &object.name)
}

fn of_key(of: &TypeName) -> Key<'_> {
    (&of.schema, &of.name)
}

fn definitions(catalog: &Catalog) -> BTreeMap<Key<'_>, Definition<'_>> {
    let enums = catalog.enums.iter().map(|item| (key(&item.object), Definition::Enum(item)));
    let domains = catalog.domains.iter().map(|item| (key(&item.object), Definition::Domain(item)));
    let composites = catalog.composites.iter().map(|item| (key(&item.object), Definition::Composite(item)));
    let rows = catalog.relations.iter().map(|item| (key(&item.object), Definition::Row(item)));
    let ranges = catalog.ranges.iter().map(|item| (key(&item.object), Definition::Range(&item.of)));
    enums.chain(domains).chain(composites).chain(rows).chain(ranges).collect()
}

/// What a type is made of.
fn parts<'a>(definition: Definition<'a>) -> impl Iterator<Item = &'a TypeName> {
    let (columns, one): (&'a [Column], Option<&'a TypeName>) = match definition {
        Definition::Enum(_) => (&[], None),
        Definition::Domain(item) => (&[], Some(&item.base)),
        Definition::Range(of) => (&[], Some(of)),
        Definition::Composite(item) => (&item.fields, None),
        Definition::Row(relation) => (&relation.columns, None),
    };
    columns.iter().map(|column| &column.of).chain(one)
}

/// The functions a client can call, overloads in a fixed order; and why not the others.
fn callable<'a>(functions: impl Iterator<Item = &'a Function>) -> (Vec<&'a Function>, Vec<String>) {
    let mut functions: Vec<_> = functions.filter(|function| !routine::is_trigger(function)).collect();
    let signature = |function: &Function| routine::signature(function);
    functions.sort_by_cached_key(|function| {
        (function.object.schema.clone(), function.object.name.clone(), signature(function))
    });
    let (mut called, mut left_out) = (Vec::new(), Vec::new());
    for function in functions {
        match routine::obstacle(function) {
            None => called.push(function),
            Some(reason) => left_out.push(format!("{} is left out: it {reason}", signature(function))),
        }
    }
    (called, left_out)
}

fn moment(name: &str, time: Time) -> &'static str {
    match (time, name) {
        (Time::Jiff, "timestamptz") => "supabase_sdk::jiff::Timestamp",
        (Time::Jiff, "timestamp") => "supabase_sdk::jiff::civil::DateTime",
        (Time::Jiff, "date") => "supabase_sdk::jiff::civil::Date",
        (Time::Jiff, _) => "supabase_sdk::jiff::civil::Time",
        (Time::Chrono, "timestamptz") => "supabase_sdk::chrono::DateTime<supabase_sdk::chrono::Utc>",
        (Time::Chrono, "timestamp") => "supabase_sdk::chrono::NaiveDateTime",
        (Time::Chrono, "date") => "supabase_sdk::chrono::NaiveDate",
        (Time::Chrono, _) => "supabase_sdk::chrono::NaiveTime",
        (Time::Text, _) => "String",
    }
}

/// The table somebody wants to call otherwise.
fn renamed<'a>(rename: &Rename, relations: &[&'a Relation]) -> Result<&'a Relation, Failure> {
    let is_meant = |object: &Object| {
        rename.table == object.name || rename.table == format!("{}.{}", object.schema, object.name)
    };
    let mut meant = relations.iter().filter(|relation| is_meant(&relation.object));
    match (meant.next(), meant.next()) {
        (Some(relation), None) => Ok(relation),
        (Some(_), Some(_)) => {
            Err(wrong_rename(rename, "names a table of several schemas; write the schema before it"))
        }
        (None, _) => Err(wrong_rename(rename, "names no table of these schemas")),
    }
}

fn wrong_rename(rename: &Rename, reason: &str) -> Failure {
    Failure::new(exit::USAGE, "usage.rename", format!("--rename {rename} {reason}"))
        .help("write it as table=StructName, once for each table")
}
