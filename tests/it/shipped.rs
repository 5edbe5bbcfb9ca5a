//! Each mapping that comes with the program reaches its tables: whole, once, for its owner alone, and by the
//! schema's rules; what the database refuses is named with its place.

use serde_json::{Value, json};
use supabase_sdk::Client;

use crate::lab::root;
use crate::migrator::{Desk, Run};
use crate::project::{Person, Project};

/// Imports a fixture of the migrator's own tests.
async fn import(desk: &Desk, mapping: &str, fixture: &str, owner: &Person) -> Run {
    let file = root().join("migrator/tests/it/fixtures/shipped").join(fixture);
    let (file, few) = (file.to_str().unwrap(), ["--max-rejects", "9"]);
    let args = ["import", file, "--mapping", mapping, "--owner", &owner.email, "--json"];
    desk.run(&[&args[..], &few].concat()).await
}

async fn rows(client: &Client, table: &str) -> Vec<Value> {
    client.from(table).select("*").fetch().await.unwrap().into_iter().collect()
}

/// Imports a fixture twice: the second run writes nothing, and nobody else sees a row.
async fn twice(mapping: &str, fixture: &str, code: i32) -> (Project, Person, Run) {
    let project = Project::target().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let desk = Desk::of(&project, &owner);
    let first = import(&desk, mapping, fixture, &owner).await.ended(code);
    let named: Vec<String> = first.json()["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["name"].as_str().unwrap().to_owned())
        .collect();
    for table in &named {
        let [counted, outcomes @ ..] = first.table(table);
        assert_eq!(counted, outcomes.iter().sum::<u64>(), "{table}\n{first}");
        assert_eq!(rows(&owner.client, table).await.len() as u64, outcomes[0], "{table}\n{first}");
        assert_eq!(rows(&stranger.client, table).await, [] as [Value; 0], "{table}");
    }
    let second = import(&desk, mapping, fixture, &owner).await.ended(code);
    assert_eq!((second.total("inserted"), second.total("updated")), (0, 0), "{second}");
    (project, owner, first)
}

/// The place and table of each record that was refused.
fn refused(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let json = run.json();
    let rejects = json["rejects"]["items"].as_array().cloned().unwrap_or_default();
    rejects.iter().map(|reject| (text(&reject["table"]), text(&reject["pointer"]))).collect()
}

#[tokio::test]
async fn a_french_garage_is_imported_and_its_stock_is_what_it_was() {
    let (_project, owner, run) = twice("garage", "garage-fr.json", 3).await;
    assert_eq!(refused(&run), [("stock_movements".to_owned(), "/mouvements/1".to_owned())], "{run}");
    let stock = rows(&owner.client, "stock_items").await;
    assert_eq!(stock[0]["quantity"].as_f64(), Some(12.0), "a remembered movement moves nothing");
    let invoice = &rows(&owner.client, "invoices").await[0];
    assert_eq!((&invoice["number"], &invoice["total_amount"]), (&json!("F-2025-001"), &json!(1234.56)));
    assert_eq!(invoice["serial"], Value::Null, "what the old app issued is outside the numbering");
    assert_eq!(rows(&owner.client, "vehicle_photos").await.len(), 2);
}

#[tokio::test]
async fn bookings_of_both_keys_are_imported_and_nothing_is_booked_twice() {
    let (project, owner, _) = twice("calendar", "calendar.json", 0).await;
    assert_eq!(rows(&owner.client, "waiting_list").await[0]["guest_name"], json!("Мария"));
    let twice_booked = json!({ "bookings": [
        { "id": "a", "deskId": "d", "date": "2025-08-25" },
        { "id": "b", "deskId": "d", "start": "2025-08-25T10:00:00Z", "end": "2025-08-25T11:00:00Z" },
    ] });
    let desk = Desk::of(&project, &owner);
    let file = desk.file("twice.json", twice_booked.to_string());
    let args = ["import", file.to_str().unwrap(), "--mapping", "calendar", "--owner", &owner.email, "--json"];
    let run = desk.run(&args).await.ended(3);
    assert_eq!(run.table("bookings"), [2, 1, 0, 0, 0, 0, 1], "{run}");
    assert_eq!(refused(&run), [("bookings".to_owned(), "/bookings/1".to_owned())], "{run}");
}

#[tokio::test]
async fn what_was_watched_is_imported_and_a_film_is_kept_once_a_person() {
    let (_project, owner, run) = twice("streaming", "streaming.json", 3).await;
    assert_eq!(rows(&owner.client, "watch_history").await.len(), 8, "equals are events");
    let refused = refused(&run);
    assert_eq!(refused.len(), 2, "half a star, and the second of two old users\n{run}");
    assert!(refused.contains(&("watchlist".to_owned(), "/netflux_favorites/1".to_owned())), "{run}");
    assert!(refused.contains(&("ratings".to_owned(), "/netflux_ratings/1".to_owned())), "{run}");
}

#[tokio::test]
async fn a_stock_ends_with_the_levels_the_old_app_had() {
    let (_project, owner, run) = twice("health", "health.json", 3).await;
    let refused = refused(&run);
    assert_eq!(refused.len(), 2, "a lot of nothing, and less than nothing\n{run}");
    assert!(refused.contains(&("inventory_counts".to_owned(), "/produits/2".to_owned())), "{run}");
    let mut levels: Vec<_> = rows(&owner.client, "product_levels")
        .await
        .iter()
        .map(|level| level["quantity"].as_f64().unwrap())
        .collect();
    levels.sort_by(f64::total_cmp);
    assert_eq!(levels, [3.0, 4.0, 7.0, 12.0], "deliveries and sales are remembered and move nothing");
    let nameless = owner.client.from("reception_lines").select("extra").fetch().await.unwrap();
    assert_eq!(nameless.iter().filter(|line| line["extra"]["produit"] == json!("bissap")).count(), 1);
}
