//! Rows inside rows, typed and untyped, and functions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use supabase_sdk::rest::{Count, Function, Many, One, Set, col, rel};
use supabase_sdk::{Projection, Table};

use crate::project::{Person, Project};
use crate::rest_filters::TABLES;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "countries")]
struct Country {
    #[table(key, default)]
    id: i64,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "cities", references(Country, City))]
struct City {
    #[table(key, default)]
    id: i64,
    country_id: Option<i64>,
    twin_id: Option<i64>,
    name: String,
    population: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "mayors", references(City))]
struct Mayor {
    #[table(key, default)]
    id: i64,
    city_id: i64,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "teams")]
struct Team {
    #[table(key)]
    id: i64,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "city_teams", references(City, Team))]
struct CityTeam {
    #[table(key)]
    city_id: i64,
    #[table(key)]
    team_id: i64,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Country)]
struct CountryName {
    name: String,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = City)]
struct CityName {
    name: String,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Mayor)]
struct MayorName {
    name: String,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Team)]
struct TeamName {
    name: String,
}

/// Everything a city has to do with.
#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = City)]
struct Portrait {
    name: String,
    #[projection(column = "population", cast = "text")]
    people: Option<String>,
    #[projection(embed)]
    country: Option<CountryName>,
    #[projection(embed(by = "twin_id"))]
    twin: Option<CityName>,
    #[projection(embed(back))]
    mayor: Option<MayorName>,
    #[projection(embed(through = CityTeam))]
    teams: Vec<TeamName>,
}

#[tokio::test]
async fn one_and_many_rows_are_embedded_as_typed_fields() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let cities = client.table::<City>().select_as::<Portrait>();
    let larache = cities.clone().filter(City::NAME.eq("Larache"));
    let larache =
        larache.within(Portrait::TEAMS, |teams| teams.order(Team::NAME.asc())).single().await.unwrap();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        larache,
        Portrait {
            name: name("Larache"),
            people: Some(name("120000")),
            country: Some(CountryName { name: name("Morocco") }),
            twin: Some(CityName { name: name("Bali") }),
            mayor: Some(MayorName { name: name("Amina") }),
            teams: vec![TeamName { name: name("Blues") }, TeamName { name: name("Reds") }],
        }
    );
    let atlantis = cities.filter(City::NAME.eq("Atlantis")).single().await.unwrap();
    assert_eq!(
        (atlantis.country, atlantis.twin, atlantis.mayor, atlantis.teams.len()),
        (None, None, None, 0)
    );
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = City)]
struct Located {
    name: String,
    #[projection(embed(inner))]
    country: CountryName,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Country)]
struct Atlas {
    name: String,
    #[projection(embed)]
    cities: Vec<WithTwins>,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = City)]
struct WithTwins {
    name: String,
    #[projection(embed(by = "twin_id"))]
    twin: Option<Located>,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = City)]
struct Flat {
    name: String,
    #[projection(spread)]
    #[serde(flatten)]
    country: FlatCountry,
}

#[derive(Debug, PartialEq, Deserialize, Projection)]
#[projection(of = Country)]
struct FlatCountry {
    #[projection(column = "name")]
    country_name: Option<String>,
}

#[tokio::test]
async fn embeds_are_inner_nested_spread_filtered_and_ordered_by() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let cities = client.table::<City>();
    let names = |rows: Vec<String>| rows;

    let inner = cities
        .select_as::<Located>()
        .order(Located::COUNTRY.order(Country::NAME.desc()))
        .order(City::NAME.asc());
    let inner = inner.fetch().await.unwrap();
    assert_eq!(names(inner.into_iter().map(|row| row.name).collect()), ["Larache", "Bali", "Ubud"]);
    let filtered = cities.select_as::<Located>().within(Located::COUNTRY, |country| {
        country.filter(Country::NAME.eq("Morocco").or(Country::NAME.eq("a,b")))
    });
    assert_eq!(filtered.fetch().await.unwrap().len(), 1);
    let without = cities.select_as::<Portrait>().filter(Portrait::COUNTRY.is_null()).single().await.unwrap();
    assert_eq!(without.name, "Atlantis");

    let atlas = client
        .table::<Country>()
        .select_as::<Atlas>()
        .filter(Country::NAME.eq("Indonesia"))
        .within(Atlas::CITIES, |cities| cities.order(City::NAME.desc()).limit(1));
    let atlas = atlas.single().await.unwrap();
    assert_eq!(atlas.cities.len(), 1);
    assert_eq!(atlas.cities[0].name, "Ubud");
    assert_eq!(atlas.cities[0].twin.as_ref().unwrap().country.name, "Indonesia");

    let flat = cities.select_as::<Flat>().filter(City::NAME.eq("Bali")).single().await.unwrap();
    assert_eq!(
        flat,
        Flat { name: "Bali".into(), country: FlatCountry { country_name: Some("Indonesia".into()) } }
    );

    let untyped = client
        .from("countries")
        .select("name, cities(name)")
        .filter(col("id").eq(1))
        .within(rel("cities"), |cities| cities.filter(col("name").eq("Bali")));
    assert_eq!(
        untyped.single().await.unwrap(),
        json!({ "name": "Indonesia", "cities": [{ "name": "Bali" }] })
    );
}

#[derive(Serialize)]
struct AddUp {
    a: i32,
    #[serde(skip_serializing_if = "Set::is_unset")]
    b: Set<Option<i32>>,
}

impl Function for AddUp {
    const NAME: &'static str = "add_up";
    const READS: bool = true;
    type Returns = One<Option<i32>>;
}

#[derive(Serialize)]
struct CitiesOf {
    country: String,
}

impl Function for CitiesOf {
    const NAME: &'static str = "cities_of";
    const READS: bool = true;
    type Returns = Many<City>;
}

#[derive(Serialize)]
struct Both {
    title_a: String,
    title_b: String,
}

impl Function for Both {
    const NAME: &'static str = "both";
    type Returns = One<()>;
}

#[tokio::test]
async fn functions_take_typed_arguments_and_give_typed_answers() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    assert_eq!(client.call(&AddUp { a: 2, b: Some(3).into() }).value().await.unwrap(), Some(5));
    assert_eq!(client.call(&AddUp { a: 2, b: Set::Unset }).value().await.unwrap(), Some(12), "the default");
    assert_eq!(client.call(&AddUp { a: 2, b: Some(3).into() }).get().value().await.unwrap(), Some(5));

    let of = CitiesOf { country: "Indonesia".to_owned() };
    let big = client.call(&of).filter(City::POPULATION.gt(100_000_i64)).order(City::NAME.asc());
    assert_eq!(big.clone().fetch().await.unwrap()[0].name, "Bali");
    assert_eq!(big.get().fetch().await.unwrap().len(), 1);
    let limited = client.call(&of).order(City::NAME.desc()).limit(1).single().await.unwrap();
    assert_eq!(limited.name, "Ubud");

    assert_eq!(client.call(&of).head(Count::Exact).await.unwrap(), 2);
    assert_eq!(client.call(&of).get().head(Count::Exact).await.unwrap(), 2);
    let tokyo = client.rpc("zone", &()).timezone("Asia/Tokyo").value().await.unwrap();
    assert_eq!(tokyo, json!("Asia/Tokyo"));
    assert_eq!(client.rpc("total", &json!({ "numbers": [1, 2, 3] })).value().await.unwrap(), json!(6));
    assert_eq!(client.rpc("total", &json!({ "numbers": [1, 2, 3] })).get().value().await.unwrap(), json!(6));
    client.rpc("forget", &()).value().await.unwrap();
    let missing = client.rpc("no_such_function", &()).typed::<Value>().value().await.unwrap_err();
    assert_eq!(missing.code(), Some("PGRST202"));
}

/// Complaint 17: over REST a request is a transaction of its own. One request of several rows is one, and a
/// function is one.
#[tokio::test]
async fn complaint_17_one_request_is_one_transaction() {
    let project = Project::with_tables(TABLES).await;
    let Person { client, .. } = &project.person("zoe").await;
    let rows = [json!({ "title": "good" }), json!({ "title": null })];
    client.from("notes").insert_many(&rows).send().await.unwrap_err();
    let twice = Both { title_a: "same".to_owned(), title_b: "same".to_owned() };
    client.call(&twice).value().await.unwrap_err();
    assert_eq!(project.count("notes").await, 0, "all or nothing");
    client.call(&Both { title_b: "other".to_owned(), ..twice }).value().await.unwrap();
    assert_eq!(project.count("notes").await, 2);
}
