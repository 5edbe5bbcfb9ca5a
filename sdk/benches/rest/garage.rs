//! What is asked for: a garage's vehicles, as PostgREST would write them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use supabase_sdk::jiff::Timestamp;
use supabase_sdk::uuid::Uuid;
use supabase_sdk::{Projection, Table};

pub(crate) const KEY: &str = "sb_publishable_4f2b9c7d1e8a";
/// A token as long as a hosted project's. It is good until 2100.
pub(crate) const TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
    "eyJleHAiOjQxMDI0NDQ4MDAsInN1YiI6IjZmMWM5YzNlLTBiMWQtNGU2Zi05YTU0LTBkMmY3YzNiMWU1YSIsInJvbGUiOiJhdXRo",
    "ZW50aWNhdGVkIiwiYXVkIjoiYXV0aGVudGljYXRlZCIsImVtYWlsIjoiem9lQGdhcmFnZS50ZXN0IiwiYWFsIjoiYWFsMSIsInNl",
    "c3Npb25faWQiOiIwYjFkNGU2Zi05YTU0LTRkMmYtN2MzYi0xZTVhNmYxYzljM2UifQ.",
    "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LWNoZWNrcy1oZXJl"
);

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "vehicles", references(Customer))]
pub(crate) struct Vehicle {
    #[table(key, default)]
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) license_plate: String,
    pub(crate) make: String,
    pub(crate) model: Option<String>,
    pub(crate) year: Option<i32>,
    pub(crate) mileage_km: i64,
    pub(crate) engine_litres: Option<f64>,
    pub(crate) color: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) archived: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize, Table)]
#[table(name = "customers")]
pub(crate) struct Customer {
    #[table(key, default)]
    pub(crate) id: Uuid,
    pub(crate) last_name: String,
    pub(crate) city: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, Table)]
#[table(name = "repairs", references(Vehicle))]
pub(crate) struct Repair {
    #[table(key, default)]
    pub(crate) id: Uuid,
    pub(crate) vehicle_id: Uuid,
    pub(crate) status: String,
    pub(crate) started_at: Timestamp,
}

/// A vehicle with whom it belongs to and what was done.
#[derive(Deserialize, Projection)]
#[expect(dead_code, reason = "asked for, never read")]
#[projection(of = Vehicle)]
pub(crate) struct Visit {
    id: Uuid,
    license_plate: String,
    make: String,
    #[projection(embed(inner))]
    customer: Owner,
    #[projection(embed)]
    pub(crate) repairs: Vec<Job>,
}

#[derive(Deserialize, Projection)]
#[expect(dead_code, reason = "asked for, never read")]
#[projection(of = Customer)]
pub(crate) struct Owner {
    last_name: String,
    city: Option<String>,
}

#[derive(Deserialize, Projection)]
#[expect(dead_code, reason = "asked for, never read")]
#[projection(of = Repair)]
pub(crate) struct Job {
    id: Uuid,
    status: String,
    started_at: Timestamp,
}

/// The columns of a vehicle, as they stand in a query.
pub(crate) const COLUMNS: &str = "id,customer_id,license_plate,make,model,year,mileage_km,engine_litres,color,\
                                  notes,archived,created_at,updated_at";
/// The same for a visit.
pub(crate) const VISIT: &str = "id,license_plate,make,customer:customers!inner(last_name,city),\
                                repairs(id,status,started_at)";

/// So many vehicles in JSON, the same ones each time.
pub(crate) fn vehicles(rows: usize) -> Vec<u8> {
    let makes = ["Renault", "Citroën", "Dacia", "Škoda", "Toyota"];
    let rows: Vec<String> = (0..rows)
        .map(|row| {
            let id = |salt: u128| Uuid::from_u128(((row as u128 + 1) * salt) | 0x4000_8000_0000_0000_0000);
            let maybe = |every: usize, value: serde_json::Value| {
                if row.is_multiple_of(every) { serde_json::Value::Null } else { value }
            };
            json!({
                "id": id(0x1f3a_9c5e_7b2d_4e6f_8a90_b1c2_d3e4),
                "customer_id": id(0x0b1d_4e6f_9a54_0d2f_7c3b_1e5a_6f1c),
                "license_plate": format!("{} A {}", 10_000 + row * 7 % 90_000, row % 99),
                "make": makes[row % makes.len()],
                "model": maybe(9, json!(format!("Model {}", row % 40))),
                "year": maybe(7, json!(1990 + row % 36)),
                "mileage_km": row * 1_373 % 400_000,
                "engine_litres": maybe(4, json!(f64::from(u8::try_from(row % 30).unwrap_or_default()) / 10.0 + 0.9)),
                "color": maybe(3, json!("Bleu nuit métallisé")),
                "notes": maybe(2, json!("Brakes squeal when cold; \"only in the morning\",\nsays the owner. Pads ordered.")),
                "archived": false,
                "created_at": format!("2025-{:02}-{:02}T08:{:02}:11.482913+00:00", row % 12 + 1, row % 28 + 1, row % 60),
                "updated_at": maybe(5, json!(format!("2026-01-{:02}T17:{:02}:59.03+00:00", row % 28 + 1, row % 60))),
            })
            .to_string()
        })
        .collect();
    format!("[{}]", rows.join(",\n ")).into_bytes()
}

/// What Auth answers to who signs in.
pub(crate) fn session() -> Vec<u8> {
    json!({
        "access_token": TOKEN,
        "token_type": "bearer",
        "expires_in": 3_600,
        "expires_at": 4_102_444_800_u64,
        "refresh_token": "q7x1v0m3k9",
        "user": {
            "id": "6f1c9c3e-0b1d-4e6f-9a54-0d2f7c3b1e5a",
            "aud": "authenticated",
            "role": "authenticated",
            "email": "zoe@garage.test",
            "phone": "",
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": { "name": "Zoé", "garage": "Rue des Lilas", "email_verified": true },
            "created_at": "2025-03-04T08:11:12.123456Z",
            "updated_at": "2026-01-02T09:10:11.654321Z",
        },
    })
    .to_string()
    .into_bytes()
}
