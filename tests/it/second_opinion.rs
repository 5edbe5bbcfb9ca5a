//! The same questions to two servers before one database: the stack, and `@supabase/lite`, which was written
//! apart from it. Where they answer alike, neither the request nor the reading of it is ours alone.
//!
//! lite 0.10 is a second opinion and not an oracle. What it was seen to do otherwise than PostgREST is not
//! asked in the comparisons; [`what_lite_does_otherwise`] shows each of these:
//!
//! - a `timestamptz` comes as PostgreSQL prints it and not in ISO form; a null in an array as the text `NULL`;
//! - a number that a double cannot hold is rounded, or comes as text, and none is found by such a number;
//! - inside a group, a quoted value is read after plain comparisons only, and quotes within it nowhere;
//! - a value that is not quoted loses the blanks around it, and is null, true or a list where it looks so;
//! - a quoted JSON key with a dot in it gives nothing in a select, and no quoted key does in a filter;
//! - `is.null` on an embedded row of the same table is asked of the table as a whole;
//! - a column that is in both tables and was not selected is ambiguous in an order that goes through an embed
//!   as well, and so is one that is cast in a spread row and filtered by around it;
//! - what is embedded in a spread row is lost;
//! - a table's reference to itself can be hinted by its foreign key, which PostgREST refuses.
//!
//! It also grants the API roles every table of the schema when it starts, so row-level security is compared
//! and missing grants are not. What the stack is known to do otherwise is in
//! [`what_the_stack_does_otherwise`].

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use supabase_sdk::rest::stage::GivesRows;
use supabase_sdk::rest::{Count, Filter, Numeric, Order, Query, Range, Set, TextSearch, col, rel};
use supabase_sdk::{Client, Error, Projection, Table};

use crate::lite::Lite;
use crate::node::script;
use crate::project::{Person, Project};
use crate::rest_embeds::{
    AddUp, Atlas, CitiesOf, City, CityName, CityTeam, Country, CountryName, Flat, FlatCountry, Located,
    Mayor, Portrait, Team, TeamName,
};
use crate::rest_filters::{BIG, Kind, NewKind, TABLES, operators, texts};

/// Rows that make more of a difference than those of `rest.sql`: ties, nulls, empty sets, texts that quote.
const MORE: &str = r#"
insert into public.countries (id, name) values (3, 'Nowhere'), (4, 'a, "b" (c)'), (5, 'null');
insert into public.cities (id, country_id, twin_id, name, population) values
    (10, 4, 3, 'x"\,()', 70000), (11, 4, 10, 'not.eq.1', 70000), (12, 5, null, '', 0), (13, null, 2, '100%_*', 5),
    (14, 2, 14, 'Tanger', 1000000), (15, 2, null, 'Fès', null);
insert into public.mayors (city_id, name) values (1, 'Wayan'), (10, 'O''Brien, "the"'), (14, 'Amina');
insert into public.teams (id, name) values (3, 'Greens'), (4, 'None');
insert into public.city_teams values (2, 3), (10, 1), (10, 2), (10, 3), (15, 2);
insert into public.kinds (id, label, flag, tags, data, happened_at, on_day) values
    (20, 'say "hi", (now)', true, '{"x,y","q\"\\"}', '{"a b": {"c.d": 1}, "theme": "light", "list": []}',
     '2026-01-15 12:00:00+00', '2025-12-31'),
    (21, '100%_\', false, '{null}', 'null', null, null), (22, '', null, '{""}', '"text"', 'infinity', '2026-01-16');
"#;

/// Somebody who asks both servers, and what they answered differently so far.
struct Opinions {
    stack: Client,
    lite: Client,
    asked: usize,
    /// How many of the questions found no row.
    empty: usize,
    differences: Vec<String>,
    server: Lite,
    person: Person,
    project: Project,
}

impl Opinions {
    /// `None` where there is no Node to run lite.
    async fn of(more: &str) -> Option<Self> {
        let node = script("lite.mjs")?;
        let project = Project::with_tables(TABLES).await;
        project.database().await.batch_execute(more).await.unwrap();
        project.reload().await;
        let person = project.person("zoe").await;
        let server = Lite::before(&project, node).await;
        let (stack, lite) = (person.client.clone(), server.client(&person).await);
        Some(Self { stack, lite, asked: 0, empty: 0, differences: Vec::new(), server, person, project })
    }

    /// Asks both for rows, which must be the same, and read as what the query promises.
    async fn agree<T, R, S>(&mut self, ask: impl Fn(&Client) -> Query<T, R, S>)
    where
        R: DeserializeOwned,
        S: GivesRows,
    {
        let answers = [read(ask(&self.stack)).await, read(ask(&self.lite)).await];
        let [ours, theirs] = answers.map(|answer| answer.unwrap_or_else(|error| complaint(&error)));
        self.empty += usize::from(ours["rows"] == json!([]));
        self.note(ours["rows"].is_array() && ours == theirs, &ask(&self.stack), &ours, &theirs);
    }

    /// Asks both what neither answers, for the same reason.
    async fn refuse<T, R, S>(&mut self, ask: impl Fn(&Client) -> Query<T, R, S>)
    where
        R: DeserializeOwned,
        S: GivesRows,
    {
        let answers = [read(ask(&self.stack)).await, read(ask(&self.lite)).await];
        let [ours, theirs] = answers.map(|answer| answer.map_or_else(|error| complaint(&error), Value::from));
        self.note(ours["refused"].is_string() && ours == theirs, &ask(&self.stack), &ours, &theirs);
    }

    /// Asks both for one thing, however it is asked for.
    async fn same<T, R, S>(
        &mut self,
        ask: impl Fn(&Client) -> Query<T, R, S>,
        by: impl AsyncFn(Query<T, R, S>) -> Result<Value, Error>,
    ) {
        let answers = [by(ask(&self.stack)).await, by(ask(&self.lite)).await];
        let [ours, theirs] = answers.map(|answer| answer.unwrap_or_else(|error| complaint(&error)));
        self.note(ours == theirs, &ask(&self.stack), &ours, &theirs);
    }

    fn note<T, R, S>(&mut self, fine: bool, question: &Query<T, R, S>, ours: &Value, theirs: &Value) {
        self.asked += 1;
        if !fine {
            let question = question.request().unwrap().uri();
            self.differences.push(format!("{question}\n   ours: {ours}\n   lite: {theirs}"));
        }
    }

    /// Shows a question to which the two say something different.
    async fn differ<T, R, S>(
        &self,
        ask: impl Fn(&Client) -> Query<T, R, S>,
        ours: Result<Value, &str>,
        theirs: Result<Value, &str>,
    ) where
        R: DeserializeOwned,
        S: GivesRows,
    {
        for (client, said) in [(&self.stack, ours), (&self.lite, theirs)] {
            let said = said.unwrap_or_else(|code| json!({ "refused": code }));
            let answer = read(ask(client).typed::<Value>()).await;
            let answer = answer.map_or_else(|error| complaint(&error), |mut answer| answer["rows"].take());
            assert_eq!(answer, said, "{} of {}", ask(client).request().unwrap().uri(), client.url());
        }
    }

    /// Ends it: at least so many questions, of which at most so many found nothing, and no difference.
    fn done(self, asked: usize, empty: usize) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
        assert!(self.asked >= asked, "only {} questions were asked", self.asked);
        assert!(self.empty <= empty, "{} of {} questions found nothing", self.empty, self.asked);
    }
}

fn complaint(error: &Error) -> Value {
    json!({ "refused": error.code().map_or_else(|| error.to_string(), str::to_owned) })
}

/// The rows as JSON, and how many there are in all. Every row reads as `R`.
async fn read<T, R: DeserializeOwned, S: GivesRows>(query: Query<T, R, S>) -> Result<Value, Error> {
    let request = query.request()?;
    let ordered: HashSet<&str> =
        request.query.iter().filter_map(|(name, _)| name.strip_suffix("order")).collect();
    let rows = query.typed::<Value>().fetch().await?;
    let total = rows.total();
    let mut rows = Value::Array(rows.into_vec());
    for row in rows.as_array().unwrap() {
        serde_json::from_str::<R>(&row.to_string()).unwrap_or_else(|error| panic!("{row}: {error}"));
    }
    settle(&mut rows, "", &ordered);
    Ok(json!({ "rows": rows, "total": total }))
}

/// Puts rows for which no order was asked into one; `path` is empty, or leads to what is embedded.
fn settle(value: &mut Value, path: &str, ordered: &HashSet<&str>) {
    match value {
        Value::Array(rows) => {
            rows.iter_mut().for_each(|row| settle(row, path, ordered));
            if !ordered.contains(path) && rows.iter().all(Value::is_object) {
                rows.sort_by_key(Value::to_string);
            }
        }
        Value::Object(row) => {
            row.iter_mut().for_each(|(name, value)| settle(value, &format!("{path}{name}."), ordered));
        }
        _ => {} // nothing in it
    }
}

/// A row of `kinds` by what both can say of it.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = Kind)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Key {
    #[projection(cast = "text")]
    id: String,
    label: Option<String>,
}

/// False for what lite is known to read otherwise: numbers that a double cannot hold, and, inside a group,
/// quotes within quotes and any quoted value but after a plain comparison.
fn lite_reads(filter: &Filter<Kind>) -> bool {
    let (name, test) = filter.pair();
    let plain = |before: &str| {
        [".eq", ".neq", ".gt", ".gte", ".lt", ".lte"].iter().any(|operator| before.ends_with(operator))
    };
    let in_group = name.ends_with("and") || name.ends_with("or");
    let quoted_well = !test.contains("\\\"") && test.match_indices(".\"").all(|(at, _)| plain(&test[..at]));
    !test.contains("9007199254740993") && !test.contains("12345678901234567890") && (!in_group || quoted_well)
}

#[tokio::test]
async fn filters_find_the_same_rows() {
    let Some(mut both) = Opinions::of("").await else { return };
    for (_, filter, _) in operators() {
        let grouped = filter.clone().and(Kind::ID.gt(0_i64));
        for filter in [filter.clone(), grouped.clone(), !filter].into_iter().filter(lite_reads) {
            both.agree(|client| client.table::<Kind>().select_as::<Key>().filter(filter.clone())).await;
        }
    }
    both.done(108, 10);
}

/// Texts with what means something to PostgREST, to PostgreSQL or in an address.
#[tokio::test]
async fn texts_and_trees_find_the_same_rows() {
    let Some(mut both) = Opinions::of(MORE).await else { return };
    for text in ["say \"hi\", (now)", "100%_\\", "", "fat cats", "nobody"] {
        let label = || Kind::LABEL;
        let filters = [
            label().eq(text),
            label().is_in([text, "thin dogs"]),
            label().neq(text),
            label().not_in([text]),
            label().is_distinct(text),
            label().gte(text),
            label().eq_any_of([text, "fat cats"]),
            col("tags").contained_by([text, "a", "x,y", "q\"\\"]),
        ];
        for filter in filters {
            both.agree(|client| client.table::<Kind>().select_as::<Key>().filter(filter.clone())).await;
        }
    }
    let trees: Vec<Filter<City>> = vec![
        City::POPULATION.eq(70_000_i64).or(City::POPULATION.is_null()),
        !(City::POPULATION.eq(70_000_i64).or(City::POPULATION.is_null())),
        !City::POPULATION.eq(70_000_i64).and(City::COUNTRY_ID.is_not_null()),
        City::COUNTRY_ID.is_in([1_i64, 4]).and(!City::TWIN_ID.is_null().or(City::ID.gt(12_i64))),
        (!City::COUNTRY_ID.is_in([1_i64, 4])).or(!(City::NAME.eq("Bali").and(City::TWIN_ID.is_not_null()))),
        City::NAME.eq("x\\,()").or(City::NAME.eq("")).or(City::ID.eq(1_i64)),
        City::NAME.is_in(["not.eq.1", "", "Fès"]).or(City::NAME.eq("not.eq.1")),
        City::ID.gt_any_of([11_i64, 13]),
        !City::ID.lte_all_of([4_i64, 14]),
        City::ID.eq(1_i64).or(City::ID.eq(2_i64).and(City::TWIN_ID.eq(1_i64).or(City::TWIN_ID.is_null()))),
        City::NAME.like("%a%"),
        !City::NAME.ilike("b*"),
        City::NAME.matches(TextSearch::plain("bali").config("simple")),
        City::NAME.iregex("^[a-l]"),
    ];
    for tree in trees {
        both.agree(|client| client.table::<City>().select().filter(tree.clone())).await;
    }
    // Several filters of one request must all be passed.
    both.agree(|client| {
        let cities = client.table::<City>().select().filter(City::ID.gt(1_i64)).filter(City::ID.lt(12_i64));
        cities.filter(City::NAME.eq("Ubud").or(City::POPULATION.eq(70_000_i64)))
    })
    .await;
    both.agree(|client| {
        client.from("cities").select("*").matching(&json!({ "country_id": null, "population": 5 }))
    })
    .await;
    both.done(56, 1);
}

#[tokio::test]
async fn whatever_a_text_holds_it_is_found() {
    let Some(mut both) = Opinions::of("").await else { return };
    // A text as long as an address may be is for the stack alone.
    let texts: Vec<_> = texts().into_iter().filter(|text| text.len() < 1_000).collect();
    let rows: Vec<_> =
        texts.iter().zip(100_i64..).map(|(text, id)| NewKind::new(id).label(text.as_str())).collect();
    both.stack.table::<Kind>().insert_many(&rows).send().await.unwrap();
    for text in &texts {
        both.agree(|client| client.table::<Kind>().select_as::<Key>().filter(Kind::LABEL.is_in([text])))
            .await;
    }
    // Unquoted, lite takes a text for what it looks like.
    let plain = |text: &&String| {
        text.trim() == *text && !text.contains('{') && !["null", "true"].contains(&text.as_str())
    };
    let plain: Vec<_> = texts.iter().filter(plain).collect();
    for text in &plain {
        for filter in [Kind::LABEL.eq(*text), !Kind::LABEL.is_distinct(*text)] {
            both.agree(|client| client.table::<Kind>().select_as::<Key>().filter(filter.clone())).await;
        }
    }
    assert!(plain.len() > 60, "{} plain texts", plain.len());
    both.done(texts.len() + 2 * plain.len(), 0);
}

#[tokio::test]
async fn columns_orders_and_forms_are_the_same() {
    let Some(mut both) = Opinions::of(MORE).await else { return };
    for columns in [
        "*",
        "id::text,label,flag,small,ratio,scores,days,during,data,words,mood,on_day",
        "key:id::text,amount::text,when:happened_at::text,tags::text,day:on_day::text",
        "id::text,theme:data->>theme,second:data->list->1->k,list:data->list,first:data->list->>0",
        "id::text,data->>theme,data->list",
        "the flag:flag,Mood:mood::text",
    ] {
        let table = if columns == "*" { "cities" } else { "kinds" };
        both.agree(|client| client.from(table).select(columns)).await;
    }
    for filter in [
        col("data").json_text("theme").ilike("L%"),
        col("data").json_text("theme").is_in(["dark", "light"]),
        col("data").json("list").json_text(0).is_null(),
        col("data").json("list").json(1).json_text("k").eq("v"),
    ] {
        both.agree(|client| client.from("kinds").select("id::text").filter(filter.clone())).await;
    }
    type Orders = Vec<Order<City>>;
    let orders: [fn() -> Orders; 7] = [
        || vec![City::NAME.asc()],
        || vec![City::POPULATION.asc(), City::ID.desc()],
        || vec![City::POPULATION.desc(), City::ID.asc()],
        || vec![City::POPULATION.asc().nulls_first(), City::ID.asc()],
        || vec![City::POPULATION.desc().nulls_last(), City::NAME.desc()],
        || vec![City::COUNTRY_ID.desc().nulls_first(), City::TWIN_ID.asc().nulls_last(), City::ID.desc()],
        || vec![City::ID.desc()],
    ];
    for order in orders {
        let cities = |client: &Client| {
            order().into_iter().fold(client.table::<City>().select(), |cities, order| cities.order(order))
        };
        both.agree(cities).await;
        both.agree(|client| cities(client).limit(3)).await;
        both.agree(|client| cities(client).offset(7)).await;
        both.agree(|client| cities(client).range(2, 5).count(Count::Exact)).await;
    }
    let by_theme = || col("data").json_text("theme").desc().nulls_last();
    both.agree(|client| client.from("kinds").select("id::text").order(by_theme()).limit(2)).await;
    both.agree(|client| client.table::<City>().select().count(Count::Exact)).await;
    both.agree(|client| client.table::<City>().select().strip_nulls().typed::<Value>()).await;
    let one = |client: &Client| client.table::<City>().select().typed::<Value>().filter(City::ID.eq(3_i64));
    both.same(one, async |query| query.single().await).await;
    both.same(one, async |query| query.strip_nulls().single().await).await;
    both.same(one, async |query| Ok(json!(query.maybe_single().await?))).await;
    both.same(one, async |query| Ok(json!(query.csv().await?))).await;
    let all = |client: &Client| client.from("cities").select("id,name,population").order(col("id").asc());
    both.same(all, async |query| query.single().await).await;
    both.same(all, async |query| Ok(json!(query.head(Count::Exact).await?))).await;
    both.same(
        |client| client.table::<City>().select().page_size(3).typed::<Value>(),
        async |query| Ok(json!(query.fetch_all().await?)),
    )
    .await;
    let by_people = |client: &Client| {
        client.table::<City>().select().order(City::POPULATION.desc()).page_size(2).typed::<Value>()
    };
    both.same(by_people, async |query| Ok(json!(query.fetch_all().await?))).await;
    both.same(all, async |query| Ok(json!(query.csv().await?))).await;
    both.done(50, 0);
}

#[tokio::test]
async fn embeds_are_the_same() {
    let Some(mut both) = Opinions::of(MORE).await else { return };
    let cities = |client: &Client| client.table::<City>().select_as::<Portrait>();
    both.agree(cities).await;
    both.agree(|client| client.table::<City>().select_as::<Located>()).await;
    both.agree(|client| client.table::<Country>().select_as::<Atlas>()).await;
    both.agree(|client| client.table::<City>().select_as::<Flat>()).await;
    both.agree(|client| cities(client).filter(Portrait::COUNTRY.is_null())).await;
    both.agree(|client| cities(client).filter(Portrait::COUNTRY.is_not_null())).await;
    both.agree(|client| cities(client).filter(Portrait::MAYOR.is_null().or(Portrait::COUNTRY.is_null())))
        .await;
    both.agree(|client| cities(client).filter(Portrait::TEAMS.is_null())).await;
    both.agree(|client| cities(client).filter(Portrait::TEAMS.is_not_null()).count(Count::Exact)).await;
    both.agree(|client| {
        cities(client).within(Portrait::TEAMS, |teams| teams.order(Team::NAME.desc()).limit(1))
    })
    .await;
    both.agree(|client| {
        cities(client).within(Portrait::TEAMS, |teams| teams.order(Team::NAME.asc()).offset(1))
    })
    .await;
    both.agree(|client| {
        let cities = cities(client).within(Portrait::MAYOR, |mayor| mayor.filter(Mayor::NAME.eq("Amina")));
        cities.filter(Portrait::MAYOR.is_not_null())
    })
    .await;
    both.agree(|client| {
        let cities = cities(client).order(Portrait::COUNTRY.order(Country::NAME.desc()));
        cities.order(Portrait::MAYOR.order(Mayor::NAME.asc().nulls_first())).order(City::NAME.asc())
    })
    .await;
    both.agree(|client| {
        let cities = cities(client).order(Portrait::TWIN.order(City::POPULATION.desc().nulls_last()));
        cities.order(City::NAME.asc()).limit(5)
    })
    .await;
    both.agree(|client| {
        client.table::<City>().select_as::<Located>().within(Located::COUNTRY, |country| {
            country.filter(Country::NAME.eq("Morocco").or(Country::ID.eq(4_i64)))
        })
    })
    .await;
    both.agree(|client| {
        client.table::<Country>().select_as::<Atlas>().within(Atlas::CITIES, |cities| {
            cities.filter(City::POPULATION.gte(70_000_i64)).order(City::NAME.desc()).range(0, 1)
        })
    })
    .await;
    both.agree(|client| {
        client.table::<Country>().select_as::<Atlas>().within(Atlas::CITIES, |cities| {
            cities.within(rel("twin"), |twin| twin.filter(col("name").eq("Bali")))
        })
    })
    .await;
    both.agree(|client| client.table::<City>().select_as::<Twinned>()).await;
    both.agree(|client| {
        let cities = client.table::<City>().select_as::<Twinned>().filter(Twinned::TEAMS.is_not_null());
        let cities = cities.within(Twinned::TWINS, |twins| {
            twins.filter(City::POPULATION.lt(1_000_000_i64).or(City::NAME.eq("Fès"))).order(City::NAME.asc())
        });
        cities.order(City::NAME.asc()).range(0, 3).count(Count::Exact)
    })
    .await;
    for (table, columns) in EMBEDS {
        both.agree(|client| client.from(*table).select(columns)).await;
    }
    both.agree(|client| {
        let countries = client.from("countries").select("name,cities(name,mayors(name),teams(name))");
        countries.within(rel("cities"), |cities| {
            let cities = cities.order(col("population").desc().nulls_first()).order(col("id").asc());
            cities.within(rel("teams"), |teams| teams.filter(col("name").neq("Reds")))
        })
    })
    .await;
    both.agree(|client| {
        let countries = client.from("countries").select("name,few:cities(name),all:cities(name)");
        let few = countries.within(rel("few"), |few| few.filter(col("population").lt(1_000_000)));
        few.filter(rel("few").is_not_null())
    })
    .await;
    both.agree(|client| {
        let countries = client.from("countries").select("name,cities!inner(name)");
        countries.within(rel("cities"), |cities| cities.filter(col("name").is_in(["Bali", "Fès"])))
    })
    .await;
    both.agree(|client| {
        let countries = client.from("countries").select("name,cities()");
        countries
            .within(rel("cities"), |cities| cities.filter(col("population").gt(100_000)))
            .filter(rel("cities").is_not_null())
    })
    .await;
    both.refuse(|client| client.from("cities").select("name,kinds(id)")).await;
    both.refuse(|client| {
        client.from("cities").select("name").order(rel("countries").order(col("name").asc()))
    })
    .await;
    both.refuse(|client| {
        client.from("countries").select("name,cities(name)").order(rel("cities").order(col("name").asc()))
    })
    .await;
    both.refuse(|client| client.from("no_such_table").select("*")).await;
    both.done(19 + EMBEDS.len() + 8, 0);
}

/// A city by its hinted relations.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = City)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Twinned {
    name: String,
    #[projection(embed(hint = "twin_id"))]
    twins: Vec<CityName>,
    #[projection(embed(hint = "cities_country_id_fkey"))]
    land: Option<CountryName>,
    #[projection(embed(inner, through = CityTeam))]
    teams: Vec<TeamName>,
    #[projection(spread)]
    #[serde(flatten)]
    country: FlatCountry,
}

/// Relations of each kind, in PostgREST's own words.
const EMBEDS: &[(&str, &str)] = &[
    ("cities", "name,countries(*)"),
    ("cities", "name,land:countries!inner(name)"),
    ("cities", "name,country_id(name)"),
    ("cities", "name,land:country_id(called:name,id)"),
    ("cities", "name,countries!cities_country_id_fkey(name)"),
    ("cities", "name,cities(name)"),
    ("cities", "name,twins:cities!twin_id(name)"),
    ("cities", "name,twin_id(name,twin_id(name))"),
    ("cities", "name,mayors(name)"),
    ("cities", "name,mayor:mayors!inner(*)"),
    ("cities", "name,teams(*)"),
    ("cities", "name,teams!inner(name)"),
    ("cities", "name,teams!city_teams(name)"),
    ("cities", "name,city_teams(team_id,teams(name))"),
    ("cities", "name,...countries(land:name)"),
    ("cities", "name,...countries!inner(land:name,land_id:id)"),
    ("cities", "name,...mayors(mayor:name),...countries(land:name)"),
    ("mayors", "name,cities(name,countries(name),teams(name))"),
    ("mayors", "name,...cities(city:name,called:name)"),
    ("countries", "name,cities(*)"),
    ("countries", "name,cities!inner(name)"),
    ("countries", "name,cities(name,mayors!inner(name))"),
    ("countries", "name,cities!inner(name,mayors!inner(name))"),
    ("countries", "name,...cities(city:name)"),
    ("teams", "name,cities(name,countries(name))"),
    ("teams", "name,cities!inner(name,...countries(land:name))"),
];

#[derive(Debug, Deserialize, Table)]
#[table(name = "city_rivals", references(City, Team))]
#[expect(dead_code, reason = "it is only passed through")]
struct CityRival {
    #[table(key)]
    city_id: i64,
    #[table(key)]
    team_id: i64,
}

#[derive(Debug, Deserialize, Projection)]
#[projection(of = City)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Sides {
    name: String,
    #[projection(embed(through = CityTeam))]
    teams: Vec<TeamName>,
    #[projection(embed(through = CityRival))]
    rivals: Vec<TeamName>,
}

/// Two tables stand between cities and teams, and each embed goes through the one it names.
#[tokio::test]
async fn a_table_in_the_middle_is_the_one_that_is_named() {
    let rivals = "create table public.city_rivals (
             city_id bigint references public.cities (id), team_id bigint references public.teams (id),
             primary key (city_id, team_id));
         grant select on public.city_rivals to authenticated;
         insert into public.city_rivals values (1, 2), (2, 1)";
    let Some(mut both) = Opinions::of(rivals).await else { return };
    both.agree(|client| client.table::<City>().select_as::<Sides>()).await;
    both.agree(|client| client.table::<City>().select_as::<Sides>().filter(Sides::RIVALS.is_not_null()))
        .await;
    both.refuse(|client| client.from("cities").select("name,teams(name)")).await;
    both.done(3, 0);
}

#[tokio::test]
async fn functions_answer_the_same() {
    let Some(mut both) = Opinions::of(MORE).await else { return };
    let of = |client: &Client| client.call(&CitiesOf { country: "Morocco".to_owned() });
    both.agree(of).await;
    both.agree(|client| of(client).get()).await;
    both.agree(|client| of(client).filter(City::POPULATION.gt(120_000_i64).or(City::POPULATION.is_null())))
        .await;
    both.agree(|client| of(client).order(City::NAME.desc()).limit(2)).await;
    both.agree(|client| of(client).get().order(City::POPULATION.asc().nulls_first()).range(1, 2)).await;
    both.agree(|client| of(client).columns("name,countries(name)").typed::<Value>()).await;
    both.agree(|client| of(client).count(Count::Exact)).await;
    both.same(of, async |query| {
        Ok(json!(query.typed::<Value>().limit(1).order(City::ID.asc()).single().await?))
    })
    .await;
    let total = |client: &Client| client.rpc("total", &json!({ "numbers": [1, 2, 3] }));
    both.same(total, async |query| query.value().await).await;
    both.same(total, async |query| query.get().value().await).await;
    let sum = |b: Option<i32>| {
        move |client: &Client| client.call(&AddUp { a: 2, b: b.map_or(Set::Unset, |b| Some(b).into()) })
    };
    both.same(sum(Some(3)), async |query| Ok(json!(query.value().await?))).await;
    both.same(sum(None), async |query| Ok(json!(query.get().value().await?))).await;
    both.same(|client| client.rpc("no_such_function", &()), async |query| query.value().await).await;
    both.done(13, 0);
}

/// What a person may see is the database's to say, whoever asks it.
#[tokio::test]
async fn nobody_sees_more_through_either() {
    let Some(mut both) = Opinions::of(MORE).await else { return };
    let adam = both.project.person("adam").await;
    for (client, title) in [(&adam.client, "his"), (&both.stack, "hers"), (&both.lite, "hers too")] {
        client.from("notes").insert(&json!({ "title": title })).send().await.unwrap();
    }
    let titles = |client: &Client| client.from("notes").select("title,owner_id");
    both.agree(titles).await;
    let seen = titles(&both.lite).fetch().await.unwrap();
    assert!(seen.len() == 2 && seen.iter().all(|note| note["owner_id"] == json!(both.person.id)), "{seen:?}");
    let adams = both.server.client(&adam).await;
    assert_eq!(
        titles(&adams).columns("title").fetch().await.unwrap().into_vec(),
        [json!({ "title": "his" })]
    );
    both.same(
        |client| client.from("secrets").select("*"),
        async |query| Ok(json!(query.fetch().await?.into_vec())),
    )
    .await;
    both.done(2, 0);
}

#[tokio::test]
async fn what_lite_does_otherwise() {
    let Some(both) = Opinions::of(MORE).await else { return };
    let kinds = |columns: &'static str, filter: fn() -> Filter<Value>| {
        move |client: &Client| client.from("kinds").select(columns).filter(filter())
    };
    let cities = |columns: &'static str, name: &'static str| {
        move |client: &Client| client.from("cities").select(columns).filter(col("name").eq(name))
    };
    let first = || col("id").eq(1);
    let time = json!([{ "happened_at": "2026-01-15T12:00:00.123456+00:00", "tags": ["a", "b c", null] }]);
    let printed = json!([{ "happened_at": "2026-01-15 12:00:00.123456+00", "tags": ["a", "b c", "NULL"] }]);
    both.differ(kinds("happened_at,tags", first), Ok(time), Ok(printed)).await;
    let exact = Ok(json!([{ "id": BIG }]));
    let large = || col("id").gt(1_000_000_i64);
    both.differ(kinds("id", large), exact, Ok(json!([{ "id": BIG - 1 }]))).await;
    both.differ(kinds("label", || col("id").eq(BIG)), Ok(json!([{ "label": "thin dogs" }])), Ok(json!([])))
        .await;
    let (number, text) = (json!(12345678901234567890.12345678), json!("12345678901234567890.12345678"));
    both.differ(kinds("amount", first), Ok(json!([{ "amount": number }])), Ok(json!([{ "amount": text }])))
        .await;
    let exactly = || col("amount").eq("12345678901234567890.12345678");
    both.differ(kinds("flag", exactly), Ok(json!([{ "flag": true }])), Ok(json!([]))).await;

    let found = || Ok(json!([{ "flag": true }]));
    let fat = || col("label").like("fat %").or(col("id").lt(0));
    both.differ(kinds("flag", fat), found(), Ok(json!([]))).await;
    let ranges = || col("days").range_lt(Range::from(5..6)).or(col("id").lt(0));
    both.differ(kinds("flag", ranges), found(), Err("22P02")).await;
    let any = || col("id").eq_any_of([1, 2]).or(col("id").lt(0));
    both.differ(kinds("flag", any), found(), Err("PGRST100")).await;
    let quotes = || col("label").eq("say \"hi\", (now)").or(col("id").lt(0));
    both.differ(kinds("flag", quotes), found(), Ok(json!([]))).await;
    let null = |client: &Client| {
        client.from("kinds").select("flag").filter(col("id").eq(1)).filter(col("label").neq("null"))
    };
    both.differ(null, found(), Ok(json!([]))).await;

    let blank = |client: &Client| client.from("kinds").select("label").filter(col("label").eq("\n"));
    both.differ(blank, Ok(json!([])), Ok(json!([{ "label": "" }]))).await;
    both.differ(kinds("label", || col("label").eq("true")), Ok(json!([])), Err("42883")).await;
    both.differ(
        kinds("label", || !col("label").is_distinct("{}")),
        Ok(json!([])),
        Ok(json!([{ "label": "" }])),
    )
    .await;

    let rows = both.lite.from("kinds").select("dotted:data->\"a b\"->>\"c.d\"").filter(col("id").eq(20));
    assert_eq!(rows.fetch().await.unwrap().into_vec(), [json!({ "dotted": null })]);
    let rows = both.lite.from("kinds").select("id").filter(col("data").json("a b").is_not_null());
    assert_eq!(rows.fetch().await.unwrap().into_vec(), Vec::<Value>::new());

    let alone = |client: &Client| {
        let cities = client.from("cities").select("name,twin:twin_id(name)").filter(rel("twin").is_null());
        cities.filter(col("name").is_in(["Bali", "Ubud"]))
    };
    let bali = json!({ "name": "Bali", "twin": null });
    both.differ(alone, Ok(json!([bali])), Ok(json!([]))).await; // Tanger is a twin of itself
    let by_land = |client: &Client| {
        let cities = client.from("cities").select("name,countries(name)").filter(col("name").eq("Bali"));
        cities.order(rel("countries").order(col("name").asc())).order(col("id").asc())
    };
    let found = json!([{ "name": "Bali", "countries": { "name": "Indonesia" } }]);
    both.differ(by_land, Ok(found), Err("42702")).await;
    let beside =
        |client: &Client| client.from("cities").select("...countries(land:id::text)").filter(col("id").eq(1));
    both.differ(beside, Ok(json!([{ "land": 1 }])), Err("42702")).await; // text would be right
    let spread = |client: &Client| {
        client
            .from("mayors")
            .select("...cities(city:name,...countries(land:name))")
            .filter(col("city_id").eq(1))
    };
    both.differ(
        spread,
        Ok(json!([{ "city": "Bali", "land": "Indonesia" }])),
        Ok(json!([{ "city": "Bali" }])),
    )
    .await;
    let found = json!([{ "name": "Ubud", "twin": { "name": "Bali" } }]);
    both.differ(cities("name,twin:cities!cities_twin_id_fkey(name)", "Ubud"), Err("PGRST200"), Ok(found))
        .await;
}

/// Where ours is wrong, and lite as PostgREST.
#[tokio::test]
async fn what_the_stack_does_otherwise() {
    let Some(both) = Opinions::of(MORE).await else { return };
    // A cast inside an embed, and inside a spread, is not done.
    let bali = |columns: &'static str| {
        move |client: &Client| client.from("cities").select(columns).filter(col("population").eq(4_000_000))
    };
    let land = |id: Value| Ok(json!([{ "countries": { "id": id } }]));
    both.differ(bali("countries(id::text)"), land(json!(1)), land(json!("1"))).await;
    both.differ(
        bali("...countries(land:id::text)"),
        Ok(json!([{ "land": 1 }])),
        Ok(json!([{ "land": "1" }])),
    )
    .await;
    // A quoted key of JSON is looked for with its quotes, in a select as in a filter.
    let key = |client: &Client| client.from("kinds").select("odd:data->\"a b\"").filter(col("id").eq(20));
    both.differ(key, Ok(json!([{ "odd": null }])), Ok(json!([{ "odd": { "c.d": 1 } }]))).await;
    let rows = both.stack.from("kinds").select("id").filter(col("data").json("a b").is_not_null());
    assert_eq!(rows.fetch().await.unwrap().into_vec(), Vec::<Value>::new());
    // What is no number is null, and not the text NaN.
    let nan = |client: &Client| client.from("kinds").select("amount").filter(col("id").eq(3));
    both.differ(nan, Ok(json!([{ "amount": null }])), Ok(json!([{ "amount": "NaN" }]))).await;
    // A number gets digits it was not written with.
    let row = both.stack.table::<Kind>().select().filter(Kind::ID.eq(BIG)).single().await.unwrap();
    assert_eq!(row.amount.unwrap().as_str(), "-0.5000", "-0.50 was stored");
    // An embed that is asked for null beside a column in one group is taken for a column; by lite as well.
    let either = |client: &Client| {
        let either = rel("mayors").is_null().or(col("name").eq("Bali"));
        client.from("cities").select("name,mayors(name)").filter(either)
    };
    both.differ(either, Err("42703"), Err("42703")).await;
}

/// What a projection adds up, in the words of SQL. Hosted projects do not unless they are set up for it, and
/// the stack does not at all, so lite is alone here.
#[tokio::test]
async fn aggregates_add_up_as_sql_does() {
    let Some(both) = Opinions::of(MORE).await else { return };
    let database = both.project.database().await;
    let sql = async |question: &str| -> Value {
        let text =
            format!("select coalesce(json_agg(to_json(answer)), '[]')::text from ({question}) as answer");
        let mut rows = serde_json::from_str(database.query_one(&text, &[]).await.unwrap().get(0)).unwrap();
        settle(&mut rows, "", &HashSet::new());
        rows
    };
    let lite = &both.lite;
    let city = lite.table::<City>();
    assert_eq!(
        read(city.select_as::<Totals>()).await.unwrap()["rows"],
        sql("select country_id, count(*) as cities, sum(population) as people, max(name) as last,
                    avg(population)::text as average from cities group by 1")
        .await
    );
    assert_eq!(
        read(city.select_as::<Totals>().filter(City::POPULATION.gt(0_i64))).await.unwrap()["rows"],
        sql("select country_id, count(*) as cities, sum(population) as people, max(name) as last,
                    avg(population)::text as average from cities where population > 0 group by 1")
        .await
    );
    assert_eq!(
        read(lite.table::<Country>().select_as::<Census>()).await.unwrap()["rows"],
        sql("select name, (select json_agg(c) from (select count(*) as number, sum(population) as people
                from cities where country_id = countries.id) as c) as cities from countries")
        .await
    );
    let big = lite
        .table::<Country>()
        .select_as::<Census>()
        .within(Census::CITIES, |cities| cities.filter(City::POPULATION.gte(100_000_i64)));
    assert_eq!(
        read(big).await.unwrap()["rows"],
        sql("select name, (select json_agg(c) from (select count(*) as number, sum(population) as people
                from cities where country_id = countries.id and population >= 100000) as c) as cities
             from countries")
        .await
    );
    for (table, columns, question) in [
        ("cities", "count()", "select count(*) from cities"),
        (
            "cities",
            "population.sum(),population.count()",
            "select sum(population), count(population) from cities",
        ),
        (
            "cities",
            "least:population.min(),most:population.max()::text",
            "select min(population) as least, max(population)::text as most from cities",
        ),
        ("cities", "twin_id,n:count()", "select twin_id, count(*) as n from cities group by 1"),
        (
            "cities",
            "count(),...countries(land:name)",
            "select count(*), countries.name as land from cities left join countries on countries.id = country_id group by 2",
        ),
        (
            "countries",
            "name,cities(count())",
            "select name, (select json_agg(c) from (select count(*) from cities where country_id = countries.id) as c) as cities from countries",
        ),
        (
            "countries",
            "name,cities(population.sum())",
            "select name, (select json_agg(c) from (select sum(population) from cities where country_id = countries.id) as c) as cities from countries",
        ),
        (
            "countries",
            "name,cities(twin_id,n:count())",
            "select name, (select coalesce(json_agg(c), '[]') from (select twin_id, count(*) as n from cities where country_id = countries.id group by 1) as c) as cities from countries",
        ),
        (
            "countries",
            "name,cities!inner(count())",
            "select name, (select json_agg(c) from (select count(*) from cities where country_id = countries.id) as c) as cities from countries where id in (select country_id from cities)",
        ),
        (
            "cities",
            "name,teams(count())",
            "select name, (select json_agg(c) from (select count(*) from city_teams where city_id = cities.id) as c) as teams from cities",
        ),
        (
            "countries",
            "name,cities(name,teams(count()))",
            "select name, (select coalesce(json_agg(c), '[]') from (select name, (select json_agg(t) from (select count(*) from city_teams where city_id = cities.id) as t) as teams from cities where country_id = countries.id) as c) as cities from countries",
        ),
    ] {
        let answer = read(lite.from(table).select(columns)).await.unwrap();
        assert_eq!(answer["rows"], sql(question).await, "{table}?select={columns}");
    }
    // Refused, as a project does that is not set up for it.
    for columns in ["count()", "name,countries(count())"] {
        let refused = both.stack.from("cities").select(columns).fetch().await.unwrap_err();
        assert_eq!(refused.code(), Some("PGRST123"), "{columns}");
    }
}

/// The cities of a country, added up.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = City)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Totals {
    country_id: Option<i64>,
    #[projection(aggregate = "count")]
    cities: i64,
    #[projection(aggregate = "sum", column = "population")]
    people: Option<Numeric>,
    #[projection(aggregate = "max", column = "name")]
    last: String,
    #[projection(aggregate = "avg", column = "population", cast = "text")]
    average: Option<String>,
}

/// A country, with its cities added up.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = Country)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Census {
    name: String,
    #[projection(embed)]
    cities: Vec<Sum>,
}

/// Cities added up.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = City)]
#[expect(dead_code, reason = "that it can be read is what is tried")]
struct Sum {
    #[projection(aggregate = "count")]
    number: i64,
    #[projection(aggregate = "sum", column = "population")]
    people: Option<Numeric>,
}
