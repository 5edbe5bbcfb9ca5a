//! Filters and forms of answers, each against the server: what they find is what they say.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::rest::{Count, Filter, Numeric, Point, Range, TextSearch, TsVector, col};
use supabase_sdk::{Client, Table};

use crate::project::{Person, Project};

pub(crate) const TABLES: &str = include_str!("fixtures/rest.sql");

supabase_sdk::pg_enum! {
    /// A mood.
    pub(crate) enum Mood { Calm = "calm", InProgress = "in progress", Quoted = "a\"b,c" }
}

/// One of each kind of column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "kinds", insert = NewKind)]
pub(crate) struct Kind {
    #[table(key)]
    pub(crate) id: i64,
    pub(crate) label: Option<String>,
    pub(crate) flag: Option<bool>,
    pub(crate) small: Option<i16>,
    pub(crate) amount: Option<Numeric>,
    pub(crate) ratio: Option<f64>,
    pub(crate) tags: Option<Vec<Option<String>>>,
    pub(crate) scores: Option<Vec<i32>>,
    pub(crate) days: Option<Range<i32>>,
    pub(crate) during: Option<Range<Timestamp>>,
    pub(crate) data: Option<Value>,
    #[table(generated)]
    pub(crate) words: Option<TsVector>,
    pub(crate) mood: Option<Mood>,
    pub(crate) happened_at: Option<Timestamp>,
    pub(crate) on_day: Option<Date>,
    pub(crate) order: Option<i32>,
}

pub(crate) const BIG: i64 = 9_007_199_254_740_993;

async fn ids(client: &Client, filter: Filter<Kind>) -> Vec<i64> {
    let rows = client.table::<Kind>().select().filter(filter).order(Kind::ID.asc()).fetch().await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// Each operator, and which rows it finds.
pub(crate) fn operators() -> Vec<(&'static str, Filter<Kind>, Vec<i64>)> {
    let tags = || col::<Kind>("tags");
    let noon: Timestamp = "2026-01-15T12:00:00.123456Z".parse().unwrap();
    vec![
        ("eq", Kind::ID.eq(BIG), vec![BIG]),
        ("neq", Kind::LABEL.neq("fat cats"), vec![BIG]),
        ("gt", Kind::ID.gt(3_i64), vec![BIG]),
        ("gte", Kind::SMALL.gte(1_i16), vec![1]),
        ("lt", Kind::RATIO.lt(0.5), vec![1]),
        ("lte", Kind::RATIO.lte(0.1), vec![1]),
        ("numeric", Kind::AMOUNT.eq("12345678901234567890.12345678".parse::<Numeric>().unwrap()), vec![1]),
        ("like", Kind::LABEL.like("fat%"), vec![1]),
        ("ilike", Kind::LABEL.ilike("THIN *"), vec![BIG]),
        ("like any", Kind::LABEL.like_any_of(["fat%", "%dogs"]), vec![1, BIG]),
        ("ilike all", Kind::LABEL.ilike_all_of(["F%", "%CATS"]), vec![1]),
        ("match", Kind::LABEL.regex("^f.t"), vec![1]),
        ("imatch", Kind::LABEL.iregex("DOGS$"), vec![BIG]),
        ("is null", Kind::LABEL.is_null(), vec![3]),
        ("is true", Kind::FLAG.is_true(), vec![1]),
        ("is false", Kind::FLAG.is_false(), vec![BIG]),
        ("not is true", !Kind::FLAG.is_true(), vec![3, BIG]),
        ("isdistinct", Kind::LABEL.is_distinct("fat cats"), vec![3, BIG]),
        ("in", Kind::ID.is_in([1_i64, 3]), vec![1, 3]),
        ("not in", Kind::ID.not_in([1_i64, 3]), vec![BIG]),
        ("eq any", Kind::ID.eq_any_of([1_i64, BIG]), vec![1, BIG]),
        ("gt all", Kind::ID.gt_all_of([1_i64, 2]), vec![3, BIG]),
        ("array contains", tags().contains(["b c"]), vec![1]),
        ("array contained", Kind::SCORES.contained_by([1, 2, 3]), vec![1, BIG]),
        ("array overlaps", Kind::SCORES.overlaps([2, 9]), vec![1]),
        ("json contains", Kind::DATA.contains(json!({ "theme": "dark" })), vec![1]),
        ("json text", Kind::DATA.json_text("theme").eq("dark"), vec![1]),
        ("json path", Kind::DATA.json("list").json(1).json_text("k").eq("v"), vec![1]),
        ("range contains", Kind::DAYS.contains(Point(3)), vec![1]),
        ("range contained", Kind::DAYS.contained_by(Range::from(0..20)), vec![1, 3, BIG]),
        ("range overlaps", Kind::DAYS.overlaps(Range::from(4..6)), vec![1, 3]),
        ("sr", Kind::DAYS.range_gt(Range::from(0..5)), vec![3]),
        ("nxl", Kind::DAYS.range_gte(Range::from(2..5)), vec![3]),
        ("sl", Kind::DAYS.range_lt(Range::from(5..6)), vec![1]),
        ("nxr", Kind::DAYS.range_lte(Range::from(2..5)), vec![1]),
        ("adj", Kind::DAYS.range_adjacent(Range::from(10..12)), vec![3]),
        ("instant in range", Kind::DURING.contains(Point(noon)), vec![1]),
        ("fts", Kind::WORDS.matches("fat & cat"), vec![1]),
        ("plfts", Kind::WORDS.matches(TextSearch::plain("thin dog").config("english")), vec![BIG]),
        ("phfts", Kind::WORDS.matches(TextSearch::phrase("fat cat").config("english")), vec![1]),
        ("wfts", Kind::LABEL.matches(TextSearch::web("cats or dogs").config("english")), vec![1, BIG]),
        ("enum", Kind::MOOD.eq(Mood::Quoted), vec![BIG]),
        ("enum in", Kind::MOOD.is_in([Mood::Quoted, Mood::Calm]), vec![1, BIG]),
        ("instant", Kind::HAPPENED_AT.eq(noon), vec![1]),
        ("day", Kind::ON_DAY.lt("2026-01-16".parse::<Date>().unwrap()), vec![1]),
        ("a column called order", Kind::ORDER.eq(5), vec![1]),
        ("or", Kind::ID.eq(1_i64).or(Kind::LABEL.is_null()), vec![1, 3]),
        (
            "a tree",
            Kind::ID.gt(0_i64).and(
                Kind::DAYS.contains(Point(3)).or(tags().contains(["x,y"]).or(Kind::MOOD.eq(Mood::Quoted))),
            ),
            vec![1, BIG],
        ),
        ("not a tree", !(Kind::ID.eq(1_i64).or(Kind::ID.eq(3_i64))), vec![BIG]),
    ]
}

#[tokio::test]
async fn every_operator_finds_what_it_says() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    for (name, filter, expected) in operators() {
        // In an `and` of one more, the same filter stands quoted inside a group.
        let grouped = filter.clone().and(Kind::ID.gt(0_i64));
        assert_eq!(ids(client, filter).await, expected, "{name}");
        assert_eq!(ids(client, grouped).await, expected, "{name}, in a group");
    }
}

#[tokio::test]
async fn values_of_every_kind_come_back_as_they_went() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let table = client.table::<Kind>();
    let row = table.select().filter(Kind::ID.eq(1_i64)).single().await.unwrap();
    assert_eq!(row.amount.as_ref().unwrap().as_str(), "12345678901234567890.12345678");
    assert_eq!(row.tags, Some(vec![Some("a".to_owned()), Some("b c".to_owned()), None]));
    assert_eq!(row.happened_at.unwrap().to_string(), "2026-01-15T12:00:00.123456Z");
    let copy = Kind { id: 7, mood: Some(Mood::InProgress), ..row };
    let copied = table.insert(&copy).returning().single().await.unwrap();
    assert_eq!(copied, Kind { id: 7, ..copy });
    for id in [3, BIG] {
        let row = table.select().filter(Kind::ID.eq(id)).single().await.unwrap();
        let again = table.upsert(&row).returning().single().await.unwrap();
        assert_eq!(again, row);
    }
}

/// Any text, the characters that mean something to PostgREST, to PostgreSQL or in an address among them.
pub(crate) fn texts() -> Vec<String> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let nasty = proptest::collection::vec(
        proptest::sample::select(
            "\"\\,(){}[].:*%_&=+#?/;<>|!~'`^ \t\n\r\u{1f642}é\u{628}\u{200f}\u{301}aZ09nullNULL-"
                .chars()
                .collect::<Vec<_>>(),
        ),
        0..12,
    )
    .prop_map(|chars| chars.into_iter().collect::<String>());
    let any = "[^\\x00]{0,20}".prop_map(|text: String| text);
    let mut texts: BTreeSet<String> =
        ["", "null", "true", "{}", "\"", "\\", "(", ")", ",", ".", "*", "%", "not.eq.1"]
            .map(str::to_owned)
            .into();
    texts.insert("x\"\\,()%*".repeat(1_250)); // 10 kB
    for _ in 0..60 {
        texts.insert(nasty.new_tree(&mut runner).unwrap().current());
        texts.insert(any.new_tree(&mut runner).unwrap().current());
    }
    texts.into_iter().collect()
}

/// Complaint 12: a text that is looked for is the text that is found, wherever it stands in the question.
#[tokio::test]
async fn complaint_12_no_text_changes_the_question() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let table = client.table::<Kind>();
    let texts = texts();
    let rows: Vec<_> = texts
        .iter()
        .zip(100_i64..)
        .map(|(text, id)| NewKind::new(id).label(text.as_str()).tags(vec![Some(text.clone())]))
        .collect();
    table.insert_many(&rows).in_pieces().send().await.unwrap().all().unwrap();
    for (text, id) in texts.iter().zip(100_i64..) {
        let tags = || col::<Kind>("tags");
        let nowhere = || Kind::ID.eq(0_i64);
        let filters = [
            ("eq", Kind::LABEL.eq(text)),
            ("in", Kind::LABEL.is_in([text])),
            ("eq any", Kind::LABEL.eq_any_of([text])),
            ("cs", tags().contains([text])),
            ("eq in a group", Kind::LABEL.eq(text).or(nowhere())),
            ("in in a group", Kind::LABEL.is_in([text]).or(nowhere())),
            ("eq any in a group", Kind::LABEL.eq_any_of([text]).or(nowhere())),
            ("cs in a group", tags().contains([text]).or(nowhere())),
            ("not neq", !Kind::LABEL.neq(text)),
        ];
        for (name, filter) in filters {
            assert_eq!(
                ids(client, filter).await,
                [id],
                "{name} {:?}",
                text.chars().take(40).collect::<String>()
            );
        }
    }
}

#[tokio::test]
async fn an_answer_comes_in_the_form_that_is_asked_for() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let cities = || client.from("cities").select("id,name").order(col("id").asc());
    assert_eq!(cities().limit(2).csv().await.unwrap().trim_end(), "id,name\n1,Bali\n2,Ubud");
    assert_eq!(cities().head(Count::Exact).await.unwrap(), 4);
    let counted = cities().limit(1).count(Count::Exact).fetch().await.unwrap();
    assert_eq!((counted.len(), counted.total(), counted.may_be_cut()), (1, Some(4), false));
    assert!(cities().count(Count::Planned).fetch().await.unwrap().total().is_some());
    assert!(cities().count(Count::Estimated).fetch().await.unwrap().total().is_some());
    assert_eq!(cities().range(1, 2).fetch().await.unwrap().into_vec().len(), 2);
    let stripped = client.from("cities").select("name,population").filter(col("name").eq("Atlantis"));
    assert_eq!(stripped.strip_nulls().fetch().await.unwrap().into_vec(), [json!({ "name": "Atlantis" })]);
    let nulls_first = client.from("cities").select("name").order(col("population").asc().nulls_first());
    assert_eq!(nulls_first.limit(1).single().await.unwrap(), json!({ "name": "Atlantis" }));
    let one = cities().filter(col("id").eq(3)).maybe_single().await.unwrap();
    assert_eq!(one, Some(json!({ "id": 3, "name": "Larache" })));
    assert_eq!(cities().filter(col("id").eq(77)).maybe_single().await.unwrap(), None);
    // Plans and GeoJSON are what a hosted project does not give either: they are refused with a reason.
    assert!(cities().explain(supabase_sdk::rest::Explain::default()).await.is_err());
    assert!(cities().geojson().await.is_err());
    let things = client.schema("other").from("things").select("*").fetch().await.unwrap_err();
    assert_eq!(things.code(), Some("PGRST106"), "only schemas that are exposed can be asked");
}
