//! Who may do what over REST: with the SQL in `supabase/tests` (see `pgtap.rs`) for every table and person,
//! here for what only an API can try: upserts, embeds, functions.

use serde_json::{Value, json};
use supabase_sdk::rest::col;
use supabase_sdk::{Client, Reply, Request};
use uuid::Uuid;

use crate::project::{Person, Project};

/// Calls a function of the database.
async fn call(client: &Client, function: &str, args: Value) -> Reply {
    let request = Request::post(format!("/rest/v1/rpc/{function}")).json(&args).unwrap();
    client.send(request).await.unwrap().accepted().unwrap()
}

/// The garage a person has from the day they signed up.
async fn garage(person: &Person) -> Uuid {
    let rows = person.client.from("workspaces").select("id").filter(col("kind").eq("garage")).fetch().await;
    rows.unwrap()[0]["id"].as_str().unwrap().parse().unwrap()
}

/// Lets somebody into the garage of somebody else.
async fn share(owner: &Person, guest: &Person, role: &str) -> Uuid {
    let workspace = garage(owner).await;
    let args = json!({ "workspace": workspace, "role": role, "email": guest.email });
    let invited: Vec<Value> = call(&owner.client, "invite", args).await.json().unwrap();
    let member: Value = call(&guest.client, "accept_invitation", json!({ "token": invited[0]["token"] }))
        .await
        .json()
        .unwrap();
    assert_eq!((&member["role"], &member["workspace_id"]), (&json!(role), &json!(workspace)));
    workspace
}

#[tokio::test]
async fn a_garage_is_shared_by_invitation_and_its_history_is_read_and_restored_from() {
    let project = Project::embedded().await;
    let (owner, editor) = (project.person("owner").await, project.person("editor").await);
    let viewer = project.person("viewer").await;
    let workspace = share(&owner, &editor, "editor").await;
    share(&owner, &viewer, "viewer").await;

    let customer = json!({ "id": Uuid::new_v4(), "workspace_id": workspace, "last_name": "Benali" });
    editor.client.from("customers").insert_many(std::slice::from_ref(&customer)).send().await.unwrap();
    let mut changed = customer.clone();
    changed["last_name"] = json!("Bennani");
    editor.client.from("customers").upsert_many(&[changed]).on_conflict(col("id")).send().await.unwrap();
    let refused = viewer
        .client
        .from("customers")
        .upsert_many(std::slice::from_ref(&customer))
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("42501"));

    let entries = viewer.client.from("history").select("id,operation,changed_by,before,after");
    let row = col("row_id").eq(customer["id"].as_str().unwrap());
    let entries = entries.filter(row).order(col("id").asc()).fetch().await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (&entry["operation"], &entry["changed_by"])).collect();
    let by = json!(editor.id);
    assert_eq!(told, [(&json!("insert"), &by), (&json!("update"), &by)]);
    assert_eq!(entries[1]["before"]["last_name"], "Benali");
    assert_eq!(entries[1]["after"]["last_name"], "Bennani");

    let restore = Request::post("/rest/v1/rpc/restore").json(&json!({ "entry": entries[0]["id"] })).unwrap();
    let refused = viewer.client.send(restore).await.unwrap().accepted().unwrap_err();
    assert_eq!(refused.code(), Some("42501"));
    let restored: Value =
        call(&editor.client, "restore", json!({ "entry": entries[0]["id"] })).await.json().unwrap();
    assert_eq!(restored["last_name"], "Benali");
}

#[tokio::test]
async fn an_upsert_or_an_embed_reaches_no_further_than_a_select() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let customer = json!({ "id": Uuid::new_v4(), "last_name": "Benali" });
    owner.client.from("customers").insert_many(std::slice::from_ref(&customer)).send().await.unwrap();
    let vehicle =
        json!({ "id": Uuid::new_v4(), "customer_id": customer["id"], "license_plate": "A 12345 92" });
    owner.client.from("vehicles").insert_many(std::slice::from_ref(&vehicle)).send().await.unwrap();

    let mut forged = customer.clone();
    forged["owner_id"] = json!(owner.id);
    for attempt in [customer.clone(), forged] {
        let error =
            stranger.client.from("customers").upsert_many(&[attempt]).on_conflict(col("id")).send().await;
        assert_eq!(error.unwrap_err().code(), Some("42501"), "their row is not taken over");
    }
    // The foreign key names a workspace, so the answer is that of a row that is not there.
    let theirs = json!({ "customer_id": customer["id"] });
    let error = stranger.client.from("vehicles").insert_many(&[theirs]).send().await.unwrap_err();
    assert_eq!(error.code(), Some("23503"));
    for embed in ["*,vehicles(*)", "*,vehicles!inner(*)", "id,workspaces:garages(*)"] {
        let rows = stranger.client.from("customers").select(embed).fetch().await.unwrap();
        assert_eq!(rows.len(), 0, "{embed}");
    }
    let own = stranger.client.from("garages").select("*,customers(*,vehicles(*))").fetch().await.unwrap();
    assert_eq!((own.len(), &own[0]["customers"]), (1, &json!([])));
    let people = stranger.client.from("workspaces").select("*,members(user_id)").fetch().await.unwrap();
    assert!(people.iter().all(|workspace| workspace["members"] == json!([{ "user_id": stranger.id }])));
}

#[tokio::test]
async fn a_public_calendar_says_which_times_are_taken_and_no_more() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let anonymous = project.anonymous();
    let desk = json!({ "id": Uuid::new_v4(), "name": "desk" });
    owner.client.from("resources").insert_many(std::slice::from_ref(&desk)).send().await.unwrap();
    let calendar = owner.client.from("calendars").select("id").fetch().await.unwrap()[0]["id"].clone();
    let day =
        json!({ "resource": desk["id"], "starts": "2026-03-29", "ends": "2026-03-30", "guest_name": "Zoé" });
    let asked = json!({ "calendar": calendar, "from_time": "2026-03-01T00:00:00Z", "to_time": "2026-04-01T00:00:00Z" });
    let private: Vec<Value> = call(&anonymous, "availability", asked.clone()).await.json().unwrap();
    assert_eq!(private, Vec::<Value>::new(), "a calendar is private until it is made public");

    let public = json!({ "is_public": true, "time_zone": "Europe/Paris" });
    let change = Request::new(http::Method::PATCH, "/rest/v1/calendars").query("id", "not.is.null");
    owner.client.send(change.json(&public).unwrap()).await.unwrap().accepted().unwrap();
    call(&owner.client, "book", day).await;
    let taken: Vec<Value> = call(&anonymous, "availability", asked).await.json().unwrap();
    let expected = json!([{
        "resource_id": desk["id"], "resource_name": "desk",
        // The day on which the clocks go forward has 23 hours.
        "taken_from": "2026-03-28T23:00:00+00:00", "taken_to": "2026-03-29T22:00:00+00:00",
    }]);
    assert_eq!(json!(taken), expected);
    for table in ["bookings", "resources", "calendars"] {
        anonymous.from(table).select("*").fetch().await.unwrap_err();
    }
}

#[tokio::test]
async fn an_operation_on_stock_or_an_invoice_is_one_call_and_whole() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (gauze, tape) =
        (json!({ "id": Uuid::new_v4(), "name": "gauze" }), json!({ "id": Uuid::new_v4(), "name": "tape" }));
    owner.client.from("products").insert_many(&[gauze.clone(), tape.clone()]).send().await.unwrap();
    let delivered = json!([
        { "product_id": gauze["id"], "quantity": 5, "lot_number": "A", "expires_on": "2099-01-01" },
        { "product_id": tape["id"], "quantity": 1 },
    ]);
    let delivery = json!({ "lines": delivered, "supplier": "Supplier", "id": Uuid::new_v4() });
    for _ in 0..2 {
        let reception: Value = call(&owner.client, "receive_stock", delivery.clone()).await.json().unwrap();
        assert_eq!(reception["id"], delivery["id"], "sent again it is the same delivery");
    }
    let both =
        json!([{ "product_id": gauze["id"], "quantity": 4 }, { "product_id": tape["id"], "quantity": 2 }]);
    let withdrawal = Request::post("/rest/v1/rpc/withdraw_stock").json(&json!({ "lines": both })).unwrap();
    let refused = owner.client.send(withdrawal).await.unwrap().accepted().unwrap_err();
    assert_eq!(refused.code(), Some("23514"));
    let levels = owner.client.from("product_levels").select("quantity,products(name),lots(number)");
    let levels = levels.order(col("quantity").asc()).fetch().await.unwrap();
    let levels = Value::from_iter(levels);
    let expected = json!([
        { "quantity": 1, "products": { "name": "tape" }, "lots": null },
        { "quantity": 5, "products": { "name": "gauze" }, "lots": { "number": "A" } },
    ]);
    assert_eq!(levels, expected);

    let invoice = json!({ "id": Uuid::new_v4(), "tax_rate": 20 });
    owner.client.from("invoices").insert_many(std::slice::from_ref(&invoice)).send().await.unwrap();
    let line = json!({ "invoice_id": invoice["id"], "quantity": 3, "unit_price": 9.99 });
    owner.client.from("invoice_lines").insert_many(&[line]).send().await.unwrap();
    let issued: Value =
        call(&owner.client, "issue_invoice", json!({ "invoice": invoice["id"] })).await.json().unwrap();
    assert_eq!((&issued["number"], &issued["total_amount"]), (&json!("000001"), &json!(35.96)));
}
