//! A catalog in Rust: what no database here has, and what must hold for all of them.

use std::process::Command;

use insta::assert_snapshot;
use migrator::catalog::{
    Argument, Catalog, Column, Composite, Domain, Enum, Fill, Function, Kind, Object, Range, Reference,
    Relation, TypeName, Way,
};
use migrator::exit;
use migrator::typegen::{Options, Rename, Time, generate};

fn object(schema: &str, name: &str) -> Object {
    Object { schema: schema.to_owned(), name: name.to_owned(), ..Object::default() }
}

/// A type by its name, `schema.name` where it is not the server's own, with `[]` for an array.
fn of(name: &str) -> TypeName {
    let (name, array) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    let (schema, name) = name.split_once('.').unwrap_or(("pg_catalog", name));
    TypeName { schema: schema.to_owned(), name: name.to_owned(), array }
}

fn column(name: &str, kind: &str) -> Column {
    Column { name: name.to_owned(), of: of(kind), ..Column::default() }
}

fn table(schema: &str, name: &str, columns: Vec<Column>) -> Relation {
    Relation {
        object: object(schema, name),
        columns,
        insertable: true,
        updatable: true,
        ..Relation::default()
    }
}

fn argument(name: &str, kind: &str) -> Argument {
    Argument { name: name.to_owned(), of: of(kind), ..Argument::default() }
}

fn reference(name: &str, schema: &str, table: &str) -> Reference {
    let columns = vec!["x".to_owned()];
    Reference {
        name: name.to_owned(),
        columns: columns.clone(),
        schema: schema.to_owned(),
        table: table.to_owned(),
        target: columns,
    }
}

/// A map with what is on it: extensions, other servers, other schemas.
fn map() -> Catalog {
    let mut pin = table(
        "public",
        "pins",
        vec![
            Column { not_null: true, fill: Fill::Always, ..column("id", "int8") },
            column("place", "extensions.geometry"),
            column("area", "extensions.geography[]"),
            column("more", "extensions.hstore"),
            column("word", "extensions.citext"),
            column("path", "extensions.ltree"),
            column("kind", "shared.kind"),
            column("height", "shared.height"),
            column("window", "shared.window"),
            column("corner", "shared.corner"),
            column("during", "tstzrange"),
            column("at", "timestamptz"),
            column("day", "date"),
            column("hours", "time[]"),
            column("written", "timestamp"),
            column("zoned", "timetz"),
        ],
    );
    pin.key = vec!["id".to_owned()];
    pin.references = vec![
        reference("z", "public", "pins"),
        reference("a", "shared", "kinds"),
        reference("m", "public", "far_pins"),
        reference("b", "public", "pins"),
    ];
    let mut far = table("public", "far_pins", vec![Column { default: true, ..column("id", "int8") }]);
    (far.kind, far.insertable) = (Kind::Foreign, false);
    let columns = vec![Column { default: true, ..column("id", "int8") }, column("height", "shared.height")];
    let mut seen = table("public", "pins_seen", columns);
    (seen.kind, seen.object.comment) = (Kind::View, Some("Those on the screen.".to_owned()));
    let mut brought = table("public", "spatial_ref_sys", vec![column("srid", "int4")]);
    brought.object.extension = true;
    Catalog {
        schemas: vec!["public".to_owned(), "shared".to_owned(), "extensions".to_owned()],
        relations: vec![pin, far, seen, brought, table("shared", "kinds", vec![column("x", "int4")])],
        enums: vec![
            Enum { object: object("shared", "kind"), labels: vec!["tree".to_owned(), "bench".to_owned()] },
            Enum { object: object("shared", "unused"), labels: Vec::new() },
        ],
        domains: vec![Domain {
            object: object("shared", "height"),
            base: of("float8"),
            not_null: true,
            default: true,
            checks: vec!["CHECK ((VALUE > 0))".to_owned()],
        }],
        composites: vec![Composite {
            object: object("shared", "corner"),
            fields: vec![column("x", "float8"), column("kinds", "shared.kind[]")],
        }],
        ranges: vec![Range { object: object("shared", "window"), of: of("shared.height") }],
        functions: vec![
            Function {
                object: object("public", "pins_near"),
                arguments: vec![
                    argument("where", "extensions.geometry"),
                    Argument { default: true, ..argument("most", "int4") },
                    Argument { way: Way::Out, ..argument("pin", "public.pins") },
                    Argument { way: Way::Out, ..argument("", "float8") },
                ],
                returns: of("record"),
                set: true,
                reads: true,
            },
            Function {
                object: object("public", "kinds"),
                returns: of("shared.kinds"),
                set: true,
                ..Function::default()
            },
        ],
    }
}

#[test]
fn what_others_bring_is_written_as_far_as_it_is_needed() {
    let file = generate(&map(), &Options::default()).expect("a sound catalog");
    assert_eq!(file.left_out, Vec::<String>::new());
    assert_snapshot!(file.source);
}

#[test]
fn times_are_of_the_crate_one_asks_for() {
    for (time, types) in [
        (Time::Chrono, ["DateTime<supabase_sdk::chrono::Utc>", "NaiveDate", "NaiveTime", "NaiveDateTime"]),
        (Time::Jiff, ["Timestamp", "civil::Date", "civil::Time", "civil::DateTime"]),
    ] {
        let name = if time == Time::Chrono { "chrono" } else { "jiff" };
        let source =
            generate(&map(), &Options { time, ..Options::default() }).expect("a sound catalog").source;
        let [at, day, hour, written] = types.map(|of| format!("supabase_sdk::{name}::{of}"));
        assert!(source.contains(&format!("pub at: Option<{at}>,")), "{source}");
        assert!(source.contains(&format!("pub day: Option<{day}>,")), "{source}");
        assert!(source.contains(&format!("pub hours: Option<Vec<{hour}>>,")), "{source}");
        assert!(source.contains(&format!("pub written: Option<{written}>,")), "{source}");
    }
    let text = Options { time: Time::Text, ..Options::default() };
    let source = generate(&map(), &text).expect("a sound catalog").source;
    assert!(source.contains("pub during: Option<supabase_sdk::rest::Range<String>>,"), "{source}");
}

#[test]
fn the_order_of_a_catalog_changes_nothing() {
    let mut turned = map();
    turned.schemas.reverse();
    turned.relations.reverse();
    turned.relations.iter_mut().for_each(|relation| relation.references.reverse());
    turned.enums.reverse();
    turned.functions.reverse();
    let options =
        |schemas: [&str; 3]| Options { schemas: schemas.map(str::to_owned).into(), ..Options::default() };
    assert_eq!(
        generate(&map(), &options(["public", "shared", "public"])).expect("a sound catalog"),
        generate(&turned, &options(["shared", "public", "shared"])).expect("a sound catalog"),
    );
}

#[test]
fn a_chosen_name_is_given_to_its_table_or_refused() {
    let rename = |text: &str| text.parse::<Rename>();
    let with = |renames: &[&str]| {
        let renames = renames.iter().map(|text| rename(text).expect("a name")).collect();
        generate(&map(), &Options { renames, ..Options::default() })
    };
    let source = with(&["pins=FarPin"]).expect("a free name").source;
    assert!(source.contains("pub struct FarPin {") && source.contains("pub struct FarPins {"), "{source}");
    let source = with(&["public.pins=Needle"]).expect("a free name").source;
    assert!(
        source.contains("references(FarPin, Needle), insert = NewNeedle, update = NeedlePatch"),
        "{source}"
    );
    for (renames, says) in [
        (["pines=Needle"].as_slice(), "names no table"),
        (&["kinds=Sort"], "names no table"),
        (&["pins=Needle", "far_pins=Needle"], "is given twice"),
        (&["pins=Needle", "public.pins=Pin"], "is given twice"),
    ] {
        let failure = with(renames).expect_err(says);
        assert_eq!(failure.code, exit::USAGE);
        assert!(failure.message.contains(says), "{}", failure.message);
    }
    for text in ["pins", "pins=needle", "pins=Option", "pins=Self", "pins=Two Words", "pins="] {
        assert!(rename(text).is_err(), "{text}");
    }
}

#[test]
fn a_schema_that_is_not_there_is_named_with_those_that_are() {
    let options = Options { schemas: vec!["publik".to_owned()], ..Options::default() };
    let failure = generate(&map(), &options).expect_err("there is no such schema");
    assert_eq!(failure.code, exit::REFUSED);
    assert_eq!(failure.message, "the database has no schema \"publik\"");
    assert_eq!(failure.help, "it has extensions, public, shared");
}

/// With the settings of rustfmt that nobody set.
#[test]
fn rustfmt_has_nothing_to_change() {
    let folder = tempfile::tempdir().expect("a folder");
    for time in [Time::Jiff, Time::Chrono, Time::Text] {
        let mut catalog = map();
        let long = "a_column_with_a_name_as_long_as_names_of_columns_are_allowed_to";
        let arrays = ["tstzrange[]", "timestamptz[]", "date", "int4range"];
        let columns =
            arrays.iter().enumerate().map(|(place, kind)| column(&format!("{}{place}", &long[..62]), kind));
        catalog.relations.push(table("public", "long_names", columns.collect()));
        let source =
            generate(&catalog, &Options { time, ..Options::default() }).expect("a sound catalog").source;
        let file = folder.path().join("schema.rs");
        std::fs::write(&file, source).expect("a file");
        let rustfmt = Command::new("rustfmt").args(["--check", "--edition", "2024"]).arg(&file).output();
        let said = rustfmt.expect("rustfmt comes with the toolchain");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}
