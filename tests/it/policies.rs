//! Every table, its owner, a stranger and nobody: read, add, change, remove.
//!
//! The tables come from the database's own catalogue, so that a new one is tried without being named here.

use serde_json::{Value, json};
use supabase_sdk::rest::col;
use supabase_sdk::{Client, Request};
use uuid::Uuid;

use crate::project::{Person, Project};

/// What one row of a table needs beside its id and owner: its required columns, and its parents.
fn row(table: &str, parents: &Parents) -> Value {
    match table {
        "repair_lines" => json!({ "repair_id": parents.repair }),
        "invoice_lines" => json!({ "invoice_id": parents.invoice }),
        "settings" => json!({ "name": "main", "value": {} }),
        _ => json!({}),
    }
}

struct Parents {
    repair: Uuid,
    invoice: Uuid,
}

impl Parents {
    async fn of(person: &Person) -> Self {
        let parents = Self { repair: Uuid::new_v4(), invoice: Uuid::new_v4() };
        for (table, id) in [("repairs", parents.repair), ("invoices", parents.invoice)] {
            person.client.from(table).insert_many(&[json!({ "id": id })]).send().await.unwrap();
        }
        parents
    }
}

async fn tables(project: &Project) -> Vec<String> {
    let sql = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1";
    let rows = project.database().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// How many rows with this id a client sees; `None` when it may not even ask.
async fn seen(client: &Client, table: &str, id: Uuid) -> Option<usize> {
    let request = Request::get(format!("/rest/v1/{table}")).query("id", format!("eq.{id}"));
    let reply = client.send(request).await.unwrap();
    if matches!(reply.status.as_u16(), 401 | 403) {
        return None;
    }
    Some(reply.accepted().unwrap().json::<Vec<Value>>().unwrap().len())
}

/// Tries to change or remove the row, and says how many rows it touched.
async fn touched(client: &Client, method: http::Method, table: &str, id: Uuid) -> usize {
    let request = Request::new(method, format!("/rest/v1/{table}")).query("id", format!("eq.{id}"));
    let request = request.header("prefer".parse().unwrap(), "return=representation").unwrap();
    let reply = client.send(request.json(&json!({ "legacy_id": "touched" })).unwrap()).await.unwrap();
    match reply.accepted() {
        Ok(reply) => reply.json::<Vec<Value>>().unwrap().len(),
        Err(error) => {
            assert_eq!(error.code(), Some("42501"), "{error}");
            0
        }
    }
}

#[tokio::test]
async fn a_row_is_its_owners_and_nobody_elses() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let anonymous = project.anonymous();
    let parents = Parents::of(&owner).await;
    let tables = tables(&project).await;
    assert!(tables.len() >= 10, "{tables:?}");
    for table in &tables {
        let id = Uuid::new_v4();
        let mut row = row(table, &parents);
        row["id"] = json!(id);
        owner.client.from(table).insert_many(&[row.clone()]).send().await.unwrap();
        assert_eq!(seen(&owner.client, table, id).await, Some(1), "{table}: its owner reads it");
        assert_eq!(seen(&stranger.client, table, id).await, Some(0), "{table}: a stranger does not see it");
        assert_eq!(seen(&anonymous, table, id).await, None, "{table}: nobody may not ask");

        for who in [&stranger.client, &anonymous] {
            assert_eq!(
                touched(who, http::Method::PATCH, table, id).await,
                0,
                "{table}: not theirs to change"
            );
            assert_eq!(
                touched(who, http::Method::DELETE, table, id).await,
                0,
                "{table}: not theirs to remove"
            );
            who.from(table).upsert_many(&[row.clone()]).on_conflict(col("id")).send().await.unwrap_err();
            let mut forged = row.clone();
            forged["id"] = json!(Uuid::new_v4());
            forged["owner_id"] = json!(owner.id);
            let error = who.from(table).insert_many(&[forged]).send().await.unwrap_err();
            assert_eq!(error.code(), Some("42501"), "{table}: nobody adds rows in another's name");
        }
        let given_away =
            Request::new(http::Method::PATCH, format!("/rest/v1/{table}")).query("id", format!("eq.{id}"));
        let given_away = given_away.json(&json!({ "owner_id": stranger.id })).unwrap();
        owner.client.send(given_away).await.unwrap().accepted().unwrap_err();
        assert_eq!(
            touched(&owner.client, http::Method::PATCH, table, id).await,
            1,
            "{table}: its owner changes it"
        );
        assert_eq!(
            touched(&owner.client, http::Method::DELETE, table, id).await,
            1,
            "{table}: and removes it"
        );
    }
}

#[tokio::test]
async fn a_row_cannot_point_at_another_persons_row() {
    let project = Project::target().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let parents = Parents::of(&owner).await;
    let line = json!({ "repair_id": parents.repair });
    let error = stranger.client.from("repair_lines").insert_many(&[line]).send().await.unwrap_err();
    assert_eq!(error.code(), Some("23503"), "the same answer as for a row that is not there");
}

#[tokio::test]
async fn every_exposed_table_has_row_security_and_a_policy() {
    let project = Project::embedded().await;
    let sql = "select c.relname::text from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
               and (not c.relrowsecurity or not exists (select from pg_policy p where p.polrelid = c.oid)
                    or has_table_privilege('anon', c.oid, 'select, insert, update, delete'))";
    let open = project.database().await.query(sql, &[]).await.unwrap();
    assert_eq!(open.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), Vec::<String>::new());
}
