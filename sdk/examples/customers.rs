//! A first program: signs up, keeps customers and their vehicles, and reads them back.
//!
//! With the garage's tables in place, as `cargo xtask stack start --detach --data ./my-data` puts them there:
//!
//! ```sh
//! cargo xtask stack status -o env       # API_URL and PUBLISHABLE_KEY
//! SUPABASE_URL=… SUPABASE_PUBLISHABLE_KEY=… cargo run -p supabase-sdk --example customers
//! ```
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use serde::{Deserialize, Serialize};
use supabase_sdk::rest::Count;
use supabase_sdk::uuid::Uuid;
use supabase_sdk::{Client, Error, Projection, Table};

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "customers", insert = NewCustomer, update = CustomerPatch)]
struct Customer {
    #[table(key, default)]
    id: Uuid,
    last_name: Option<String>,
    city: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "vehicles", references(Customer), insert = NewVehicle)]
struct Vehicle {
    #[table(key, default)]
    id: Uuid,
    customer_id: Option<Uuid>,
    license_plate: Option<String>,
}

/// A vehicle and whose it is.
#[derive(Debug, Deserialize, Projection)]
#[projection(of = Vehicle)]
struct Arrival {
    license_plate: Option<String>,
    #[projection(embed)]
    customer: Option<Customer>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let email = format!("zoe-{}@garage.test", std::process::id());
    client.auth().sign_up(&email, "correct horse battery").await?;

    let customers = client.table::<Customer>();
    let zoe = customers.insert(&NewCustomer::new().last_name("Lefèvre")).returning().single().await?;
    let plates = ["A 12345 92", "B, \"67890\" 92"];
    let vehicles = plates.map(|plate| NewVehicle::new().customer_id(zoe.id).license_plate(plate));
    let added = client.table::<Vehicle>().insert_many(&vehicles).send().await?;
    println!("{} vehicles added as {}", added.rows().unwrap_or_default(), added.role());

    let moved = CustomerPatch::default().city("Larache");
    customers.update(&moved).filter(Customer::ID.eq(zoe.id)).expect_affected(1).send().await?;

    let arrivals = client.table::<Vehicle>().select_as::<Arrival>().order(Vehicle::LICENSE_PLATE.desc());
    for arrival in arrivals.fetch().await? {
        let city = arrival.customer.and_then(|customer| customer.city).unwrap_or_default();
        println!("{} of {city}", arrival.license_plate.unwrap_or_default());
    }
    let removed = customers.delete().all_rows().send().await?;
    let left = customers.select().head(Count::Exact).await?;
    println!("{} removed; {left} left", removed.rows().unwrap_or_default());
    Ok(())
}
