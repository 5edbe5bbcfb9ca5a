//! A mapping that does not hold together says where, and what.

use insta::assert_snapshot;
use migrator::exit;
use migrator::mapping::Mapping;

use crate::CLUB;

/// The complaint about the club's mapping after one change.
fn complaint(from: &str, to: &str) -> String {
    assert!(CLUB.contains(from), "the fixture has {from}");
    let failure = Mapping::read("club.toml", &CLUB.replacen(from, to, 1)).expect_err(to);
    assert_eq!(failure.code, exit::USAGE, "{to}");
    assert!(failure.id.starts_with("mapping."), "{to}");
    format!("{}\n{}\n{}\n", failure.id, failure.message, failure.help)
}

#[test]
fn every_complaint_shows_the_line() {
    let complaints = [
        ("format = 1", "format = 2"),
        ("format = 1", "formt = 1"),
        ("unknown_keys", "unknown_key"),
        ("\"report\"", "\"shout\""),
        ("Europe/Paris", "Europe/Lutece"),
        ("0b0d1f6a-7d4e", "nope"),
        ("\"loose\"", "\"strict\""),
        ("members{*}", "members[0]"),
        ("type = \"int8\"", "type = \"int9\""),
        ("type = \"int8\"", "typ = \"int8\""),
        ("type = \"numeric\" ", "type = \"numeric(2,3)\" "),
        ("ref = \"members\", from = \"member\", orphan = \"reject\"", "ref = \"people\", from = \"member\""),
        ("ref = \"members\", from = \"member\", orphan = \"reject\"", "ref = \"plots\", from = \"member\""),
        ("nickname =", "\"nick name\" ="),
        ("nickname =", "owner_id ="),
        ("enum = { beginner = [\"débutant\"], expert = [\"confirmé\"] }", "enum = {}"),
        ("expert = [\"confirmé\"]", "expert = [\"Debutant\"]"),
        ("default = \"beginner\"", "default = \"master\""),
        ("format = [\"iso\", \"dmy\"]", "format = [\"dmy\", \"mdy\"]"),
        ("round = \"float_artifact\"", "via = [\"trim\"]"),
        ("round = \"float_artifact\"", "min = \"1950-01-01\""),
        ("round = \"float_artifact\"", "money = \"euros\""),
        ("format = [\"iso\", \"dmy\"]", "max = \"tomorrow\""),
        ("format = [\"iso\", \"dmy\"]", "min = \"2030-01-01\", max = 1950-01-01"),
        ("const = \"browser\"", "const = \"browser\", from = \"x\""),
        ("from = \"nick\"", "from = \"password\""),
        ("from = \"nick\"", "from = \"$nick\""),
        ("id = { natural = [\"what\", \"day\"] }", "id = \"what\""),
        ("id = { natural = [\"what\", \"day\"] }", "id = { natura = [\"what\"] }"),
        ("kind = \"json\"", "kind = \"xml\""),
        ("root = \"\"", "root = \"data\""),
    ];
    let told: Vec<String> = complaints.iter().map(|(from, to)| complaint(from, to)).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn no_table_is_filled_twice() {
    let text = CLUB.replace("children.harvests", "children.members");
    let failure = Mapping::read("club.toml", &text).expect_err("two tables of one name");
    assert_eq!(failure.id, "mapping.table_twice");
}

#[test]
fn a_circle_of_references_is_refused() {
    let ring = |name: &str, other: &str| {
        format!(
            "\n[table.{name}]\nfrom = \"{name}[*]\"\nid = \"id\"\n[table.{name}.columns]\nother_id = {{ ref = \"{other}\", from = \"o\" }}\n"
        )
    };
    let text = CLUB.to_owned() + &ring("ring", "chain") + &ring("chain", "ring");
    let failure = Mapping::read("club.toml", &text).expect_err("a circle");
    assert_eq!(failure.id, "mapping.cycle");
    assert!(failure.message.contains("ring"), "{}", failure.message);
}

#[test]
fn a_record_may_point_at_one_of_its_own_kind() {
    let tree = "\n[table.tree]\nfrom = \"tree[*]\"\nid = \"id\"\n[table.tree.columns]\nup = { ref = \"tree\", from = \"up\" }\n";
    assert!(Mapping::read("club.toml", &(CLUB.to_owned() + tree)).is_ok());
}

#[test]
fn parents_come_first_whatever_the_file_says() {
    let mapping = crate::club();
    let names: Vec<_> = mapping.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["members", "plots", "harvests", "visits"]);
}
