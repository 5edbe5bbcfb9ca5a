// Written by `migrator types`. Do not edit: run it again.
// migrator types --schema public
#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(clippy::all, clippy::pedantic, rustdoc::all)]

/// When a customer comes, with which vehicle, and to whom.
///
/// References `auth.users (id)` by `appointments_owner_id_fkey`.
/// References `customers (owner_id, id)` by `appointments_owner_id_customer_id_fkey`.
/// References `mechanics (owner_id, id)` by `appointments_owner_id_mechanic_id_fkey`.
/// References `vehicles (owner_id, id)` by `appointments_owner_id_vehicle_id_fkey`.
///
/// Unique: `owner_id, id` by `appointments_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "appointments", references(Customer, Mechanic, Vehicle), insert = NewAppointment, update = AppointmentPatch)]
pub struct Appointment {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    pub vehicle_id: Option<supabase_sdk::uuid::Uuid>,
    pub mechanic_id: Option<supabase_sdk::uuid::Uuid>,
    pub title: Option<String>,
    pub kind: Option<String>,
    #[table(default)]
    pub status: String,
    pub starts_at: Option<supabase_sdk::jiff::Timestamp>,
    pub duration_minutes: Option<i32>,
    pub notes: Option<String>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// People and companies whose vehicles the garage repairs.
///
/// References `auth.users (id)` by `customers_owner_id_fkey`.
///
/// Unique: `owner_id, id` by `customers_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "customers", insert = NewCustomer, update = CustomerPatch)]
pub struct Customer {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub city: Option<String>,
    pub postal_code: Option<String>,
    pub notes: Option<String>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Lines of an invoice, in the order the app listed them.
///
/// References `auth.users (id)` by `invoice_lines_owner_id_fkey`.
/// References `invoices (owner_id, id)` by `invoice_lines_owner_id_invoice_id_fkey`.
///
/// Unique: `owner_id, id` by `invoice_lines_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invoice_lines", references(Invoice), insert = NewInvoiceLine, update = InvoiceLinePatch)]
pub struct InvoiceLine {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub invoice_id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub position: i32,
    pub description: Option<String>,
    pub kind: Option<String>,
    pub quantity: Option<supabase_sdk::rest::Numeric>,
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    pub total_price: Option<supabase_sdk::rest::Numeric>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// What a customer owes and has paid.
///
/// References `auth.users (id)` by `invoices_owner_id_fkey`.
/// References `customers (owner_id, id)` by `invoices_owner_id_customer_id_fkey`.
/// References `repairs (owner_id, id)` by `invoices_owner_id_repair_id_fkey`.
///
/// Unique: `owner_id, id` by `invoices_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invoices", references(Customer, Repair), insert = NewInvoice, update = InvoicePatch)]
pub struct Invoice {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    pub repair_id: Option<supabase_sdk::uuid::Uuid>,
    pub number: Option<String>,
    #[table(default)]
    pub status: String,
    pub issued_at: Option<supabase_sdk::jiff::Timestamp>,
    pub due_on: Option<supabase_sdk::jiff::civil::Date>,
    pub subtotal: Option<supabase_sdk::rest::Numeric>,
    pub tax_rate: Option<supabase_sdk::rest::Numeric>,
    pub tax_amount: Option<supabase_sdk::rest::Numeric>,
    pub total_amount: Option<supabase_sdk::rest::Numeric>,
    pub paid_amount: Option<supabase_sdk::rest::Numeric>,
    pub payment_method: Option<String>,
    pub paid_at: Option<supabase_sdk::jiff::Timestamp>,
    pub notes: Option<String>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// People who work on the vehicles.
///
/// References `auth.users (id)` by `mechanics_owner_id_fkey`.
///
/// Unique: `owner_id, id` by `mechanics_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "mechanics", insert = NewMechanic, update = MechanicPatch)]
pub struct Mechanic {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    #[table(default)]
    pub specialties: Vec<String>,
    pub hourly_rate: Option<supabase_sdk::rest::Numeric>,
    #[table(default)]
    pub is_active: bool,
    pub hired_on: Option<supabase_sdk::jiff::civil::Date>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Parts used in a repair, in the order the app listed them.
///
/// References `auth.users (id)` by `repair_lines_owner_id_fkey`.
/// References `repairs (owner_id, id)` by `repair_lines_owner_id_repair_id_fkey`.
///
/// Unique: `owner_id, id` by `repair_lines_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "repair_lines", references(Repair), insert = NewRepairLine, update = RepairLinePatch)]
pub struct RepairLine {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub repair_id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub position: i32,
    pub part_reference: Option<String>,
    pub label: Option<String>,
    pub quantity: Option<supabase_sdk::rest::Numeric>,
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    pub total_price: Option<supabase_sdk::rest::Numeric>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Work on a vehicle, from the quote to the end.
///
/// References `auth.users (id)` by `repairs_owner_id_fkey`.
/// References `customers (owner_id, id)` by `repairs_owner_id_customer_id_fkey`.
/// References `mechanics (owner_id, id)` by `repairs_owner_id_mechanic_id_fkey`.
/// References `vehicles (owner_id, id)` by `repairs_owner_id_vehicle_id_fkey`.
///
/// Unique: `owner_id, id` by `repairs_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "repairs", references(Customer, Mechanic, Vehicle), insert = NewRepair, update = RepairPatch)]
pub struct Repair {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub vehicle_id: Option<supabase_sdk::uuid::Uuid>,
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    pub mechanic_id: Option<supabase_sdk::uuid::Uuid>,
    pub title: Option<String>,
    pub description: Option<String>,
    #[table(default)]
    pub status: String,
    pub priority: Option<String>,
    pub estimated_cost: Option<supabase_sdk::rest::Numeric>,
    pub actual_cost: Option<supabase_sdk::rest::Numeric>,
    pub labor_cost: Option<supabase_sdk::rest::Numeric>,
    pub estimated_hours: Option<supabase_sdk::rest::Numeric>,
    pub actual_hours: Option<supabase_sdk::rest::Numeric>,
    pub labor_hours: Option<supabase_sdk::rest::Numeric>,
    pub started_at: Option<supabase_sdk::jiff::Timestamp>,
    pub ended_at: Option<supabase_sdk::jiff::Timestamp>,
    pub notes: Option<String>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// The app's own settings, one document a name and device.
///
/// References `auth.users (id)` by `settings_owner_id_fkey`.
///
/// Unique: `owner_id, id` by `settings_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "settings", insert = NewSetting, update = SettingPatch)]
pub struct Setting {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub name: String,
    pub value: supabase_sdk::serde_json::Value,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Parts and supplies, with how many there are.
///
/// References `auth.users (id)` by `stock_items_owner_id_fkey`.
///
/// Unique: `owner_id, id` by `stock_items_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "stock_items", insert = NewStockItem, update = StockItemPatch)]
pub struct StockItem {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub name: Option<String>,
    pub reference: Option<String>,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub description: Option<String>,
    pub supplier: Option<String>,
    pub location: Option<String>,
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    pub quantity: Option<supabase_sdk::rest::Numeric>,
    pub min_quantity: Option<supabase_sdk::rest::Numeric>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Vehicles, each usually with the customer it belongs to.
///
/// References `auth.users (id)` by `vehicles_owner_id_fkey`.
/// References `customers (owner_id, id)` by `vehicles_owner_id_customer_id_fkey`.
///
/// Unique: `owner_id, id` by `vehicles_owner_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "vehicles", references(Customer), insert = NewVehicle, update = VehiclePatch)]
pub struct Vehicle {
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    pub brand: Option<String>,
    pub model: Option<String>,
    pub year: Option<i32>,
    pub license_plate: Option<String>,
    pub vin: Option<String>,
    pub color: Option<String>,
    pub mileage_km: Option<supabase_sdk::rest::Numeric>,
    pub fuel_type: Option<String>,
    pub notes: Option<String>,
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    pub legacy_scope: Option<String>,
    pub legacy_id: Option<String>,
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}
