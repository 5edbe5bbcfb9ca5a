//! Tables over REST: a typed row goes in and comes back, to its owner alone.

use serde::{Deserialize, Serialize};
use serde_json::json;
use supabase_sdk::rest::Count;
use supabase_sdk::{ErrorKind, Retry, Table};
use uuid::Uuid;

use crate::project::Project;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Table)]
#[table(name = "customers")]
struct Customer {
    #[table(key)]
    id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
    city: Option<String>,
}

impl Customer {
    fn new(last_name: &str) -> Self {
        Self { id: Uuid::new_v4(), first_name: None, last_name: Some(last_name.to_owned()), city: None }
    }
}

#[tokio::test]
async fn a_row_comes_back_as_it_went_and_an_upsert_changes_it() {
    let project = Project::target().await;
    let zoe = project.person("zoe").await;
    let table = zoe.client.table::<Customer>();
    let mut customer = Customer::new("Lefèvre \"Zoé\", (née\\O'Neil) 🙂");
    let inserted = table.insert(&customer).returning().fetch().await.unwrap();
    assert_eq!(inserted[..], [customer.clone()]);
    customer.city = Some("Larache".to_owned());
    table.upsert(&customer).send().await.unwrap();
    let rows = table.select().filter(Customer::ID.eq(customer.id)).count(Count::Exact).fetch().await.unwrap();
    assert_eq!((rows.total(), &rows[..]), (Some(1), &[customer][..]));
}

#[tokio::test]
async fn filters_find_what_they_say_whatever_the_text_holds() {
    let project = Project::target().await;
    let zoe = project.person("zoe").await;
    let table = zoe.client.table::<Customer>();
    let names =
        ["a,b", "a\"b", "a\\b", "(a)", "a.b", "a b", "a+b&c=d#e", "100%", "a*b", "", "null", "العرائش"];
    let customers: Vec<_> = names.iter().map(|name| Customer::new(name)).collect();
    table.insert_many(&customers).send().await.unwrap();
    for customer in &customers {
        let name = customer.last_name.as_ref().unwrap();
        let top = table.select().filter(Customer::LAST_NAME.eq(name)).fetch().await.unwrap();
        let listed = table.select().filter(Customer::LAST_NAME.is_in([name])).fetch().await.unwrap();
        let nested = Customer::LAST_NAME.eq(name).or(Customer::CITY.eq("nowhere"));
        let nested = table.select().filter(nested).fetch().await.unwrap();
        for rows in [top, listed, nested] {
            assert_eq!(rows[..], std::slice::from_ref(customer)[..], "{name:?}");
        }
    }
    let not = table.select().filter(!Customer::LAST_NAME.is_in(names)).fetch().await.unwrap();
    assert_eq!(not.len(), 0);
    let none = table.select().filter(Customer::LAST_NAME.is_in([""; 0])).fetch().await.unwrap();
    assert_eq!(none.len(), 0);
}

#[tokio::test]
async fn rows_are_ordered_limited_and_embedded() {
    let project = Project::target().await;
    let zoe = project.person("zoe").await;
    let customers = [Customer::new("Aziz"), Customer::new("Benali"), Customer::new("Chafik")];
    zoe.client.table::<Customer>().insert_many(&customers).send().await.unwrap();
    let last =
        zoe.client.table::<Customer>().select().order(Customer::LAST_NAME.desc()).limit(2).fetch().await;
    let last: Vec<_> = last.unwrap().into_iter().map(|row| row.last_name.unwrap()).collect();
    assert_eq!(last, ["Chafik", "Benali"]);

    let car = json!({ "customer_id": customers[1].id, "license_plate": "A 12345 92" });
    zoe.client.from("vehicles").insert_many(&[car]).send().await.unwrap();
    let embedded = zoe.client.from("vehicles").select("license_plate,owner:customers(last_name)");
    assert_eq!(
        embedded.fetch().await.unwrap().into_vec(),
        [json!({ "license_plate": "A 12345 92", "owner": { "last_name": "Benali" } })]
    );
}

#[tokio::test]
async fn a_refusal_has_a_kind_to_decide_by() {
    let project = Project::target().await;
    let zoe = project.person("zoe").await;
    let customer = Customer::new("Once");
    let table = zoe.client.table::<Customer>();
    table.insert(&customer).send().await.unwrap();
    let twice = table.insert_many(&[customer]).send().await.unwrap_err();
    let missing = zoe.client.from("no_such_table").select("*").fetch().await.unwrap_err();
    let column = zoe.client.from("customers").select("no_such_column").fetch().await.unwrap_err();
    let wrong = json!({ "year": "not a number" });
    let wrong = zoe.client.from("vehicles").insert_many(&[wrong]).send().await.unwrap_err();
    let anonymous = project.anonymous().table::<Customer>().select().fetch().await.unwrap_err();
    let kinds = [&twice, &missing, &column, &wrong, &anonymous].map(|error| error.kind());
    assert_eq!(
        kinds,
        [
            ErrorKind::Conflict,
            ErrorKind::NotFound,
            ErrorKind::NotFound,
            ErrorKind::Invalid,
            ErrorKind::Unauthenticated
        ]
    );
    assert!(!wrong.to_string().contains("not a number"), "{wrong}");
}

#[tokio::test]
async fn a_broken_wire_is_unreachable_and_worth_another_try() {
    let project = Project::embedded().await;
    let zoe = project.person("zoe").await;
    let once = || zoe.client.table::<Customer>().select().retry(Retry::never()).fetch();
    for action in [json!({ "kind": "refuse" }), json!({ "kind": "lose_answer" })] {
        project.faults(json!([{ "path": "/rest/v1/customers", "times": 2, "action": action }])).await;
        let error = once().await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unreachable, true));
        zoe.client.table::<Customer>().select().fetch().await.unwrap();
    }
    project
        .faults(json!([{ "path": "/rest/v1/", "action": { "kind": "answer", "status": 503, "body": {} } }]))
        .await;
    let error = once().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Busy, true));
}
