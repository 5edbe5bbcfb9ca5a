// Written by `migrator types`. Do not edit: run it again.
// migrator types --schema public
#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(clippy::all, clippy::pedantic, rustdoc::all)]

/// When a customer comes, with which vehicle, and to whom.
///
/// References `customers (workspace_id, id)` by `appointments_workspace_id_customer_id_fkey`.
/// References `garages (id)` by `appointments_workspace_id_fkey`.
/// References `mechanics (workspace_id, id)` by `appointments_workspace_id_mechanic_id_fkey`.
/// References `vehicles (workspace_id, id)` by `appointments_workspace_id_vehicle_id_fkey`.
///
/// Unique: `workspace_id, id` by `appointments_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "appointments", references(Customer, Garage, Mechanic, Vehicle), insert = NewAppointment, update = AppointmentPatch)]
pub struct Appointment {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Who comes.
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    /// With which vehicle.
    pub vehicle_id: Option<supabase_sdk::uuid::Uuid>,
    /// To whom.
    pub mechanic_id: Option<supabase_sdk::uuid::Uuid>,
    /// What for, in a few words.
    pub title: Option<String>,
    /// What sort of appointment it is.
    pub kind: Option<String>,
    /// scheduled, confirmed, in_progress, done, cancelled or no_show.
    #[table(default)]
    pub status: String,
    /// When.
    pub starts_at: Option<supabase_sdk::jiff::Timestamp>,
    /// For how long, in minutes.
    pub duration_minutes: Option<i32>,
    /// Anything else.
    pub notes: Option<String>,
}

/// Who has a resource, from when to when.
///
/// References `calendars (id)` by `bookings_workspace_id_fkey`.
/// References `resources (workspace_id, id)` by `bookings_workspace_id_resource_id_fkey`.
///
/// Unique: `workspace_id, id` by `bookings_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "bookings", references(Calendar, Resource), insert = NewBooking, update = BookingPatch)]
pub struct Booking {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What is booked.
    pub resource_id: supabase_sdk::uuid::Uuid,
    /// The first instant of it.
    pub starts_at: supabase_sdk::jiff::Timestamp,
    /// The first instant after it.
    pub ends_at: supabase_sdk::jiff::Timestamp,
    /// tentative, confirmed, blocked (nobody's, but taken), done, no_show; cancelled gives the time free.
    #[table(default)]
    pub status: String,
    /// For whom.
    pub guest_name: Option<String>,
    /// How to reach them.
    pub guest_contact: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
    /// What it costs.
    pub price: Option<supabase_sdk::rest::Numeric>,
    /// In which currency, as EUR.
    pub currency: Option<String>,
}

/// Calendars, one for each workspace of that kind.
///
/// References `workspaces (id)` by `calendars_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "calendars", references(Workspace), insert = NewCalendar, update = CalendarPatch)]
pub struct Calendar {
    /// The workspace.
    #[table(key)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Where the resources stand, as Europe/Paris.
    #[table(default)]
    pub time_zone: String,
    /// Whether anybody may ask which times are taken.
    #[table(default)]
    pub is_public: bool,
    /// When it was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Films and series of the catalogue an old app had of its own.
///
/// References `users (id)` by `contents_user_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "contents", references(User), insert = NewContent, update = ContentPatch)]
pub struct Content {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Whose it is, for good.
    #[table(default)]
    pub user_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What it is called in the other tables.
    pub content_id: String,
    /// movie or series.
    pub content_type: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// What sort of film it is.
    pub category: Option<String>,
    /// When it was made.
    pub year: Option<i32>,
    /// What the catalogue thinks of it, on whatever scale it uses.
    pub rating: Option<supabase_sdk::rest::Numeric>,
    /// How long it is.
    pub duration_minutes: Option<i32>,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// Where the film itself is.
    pub video_url: Option<String>,
}

/// People and companies whose vehicles the garage repairs.
///
/// References `garages (id)` by `customers_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `customers_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "customers", references(Garage), insert = NewCustomer, update = CustomerPatch)]
pub struct Customer {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name, or the company's.
    pub last_name: Option<String>,
    /// E-mail address, as it was written.
    pub email: Option<String>,
    /// Telephone number, as it was written.
    pub phone: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
}

/// Garages, one for each workspace of that kind: what stands on their paper.
///
/// References `workspaces (id)` by `garages_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "garages", references(Workspace), insert = NewGarage, update = GaragePatch)]
pub struct Garage {
    /// The workspace.
    #[table(key)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The name on an invoice.
    pub legal_name: Option<String>,
    /// The address on an invoice.
    pub address: Option<String>,
    /// The number on an invoice.
    pub phone: Option<String>,
    /// The e-mail address on an invoice.
    pub email: Option<String>,
    /// What the tax office calls it.
    pub tax_number: Option<String>,
    /// What its amounts are in, as MAD.
    #[table(default)]
    pub currency: String,
    /// Where it stands, as Africa/Casablanca.
    #[table(default)]
    pub time_zone: String,
    /// What an invoice number begins with.
    #[table(default)]
    pub invoice_prefix: String,
    /// When it was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Every change of every row. Entries are added by triggers and never change.
///
/// References `users (id)` by `history_user_id_fkey`.
/// References `workspaces (id)` by `history_workspace_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "history", references(User, Workspace), insert = NewHistory, update = HistoryPatch)]
pub struct History {
    /// The entry; later ones have greater numbers within a row's history.
    #[table(key, generated)]
    pub id: i64,
    /// Whose row it is: the workspace's. Null for a row of a single person.
    pub workspace_id: Option<supabase_sdk::uuid::Uuid>,
    /// Whose row it is: this person's. Null for a row of a workspace.
    pub user_id: Option<supabase_sdk::uuid::Uuid>,
    /// The table, in schema public.
    pub table_name: String,
    /// The row's id.
    pub row_id: supabase_sdk::uuid::Uuid,
    /// insert, update or delete.
    pub operation: String,
    /// When the transaction began that made the change.
    #[table(default)]
    pub changed_at: supabase_sdk::jiff::Timestamp,
    /// Who was signed in; null for the project itself. Not a foreign key: the fact outlives the account.
    pub changed_by: Option<supabase_sdk::uuid::Uuid>,
    /// The row before; null for an insert.
    pub before: Option<supabase_sdk::serde_json::Value>,
    /// The row after; null for a delete.
    pub after: Option<supabase_sdk::serde_json::Value>,
}

/// Times the stock was counted.
///
/// References `sites (id)` by `inventories_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `inventories_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "inventories", references(Site), insert = NewInventory, update = InventoryPatch)]
pub struct Inventory {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// When.
    #[table(default)]
    pub counted_at: supabase_sdk::jiff::Timestamp,
    /// Anything else.
    pub notes: Option<String>,
}

/// What was counted of a product and lot; the level becomes that.
///
/// References `inventories (workspace_id, id)` by `inventory_counts_workspace_id_inventory_id_fkey`.
/// References `lots (workspace_id, product_id, id)` by `inventory_counts_workspace_id_product_id_lot_id_fkey`.
/// References `products (workspace_id, id)` by `inventory_counts_workspace_id_product_id_fkey`.
/// References `sites (id)` by `inventory_counts_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `inventory_counts_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "inventory_counts", references(Inventory, Lot, Product, Site), insert = NewInventoryCount, update = InventoryCountPatch)]
pub struct InventoryCount {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// In which inventory; null for the stock an old app ended with.
    pub inventory_id: Option<supabase_sdk::uuid::Uuid>,
    /// Of which product.
    pub product_id: supabase_sdk::uuid::Uuid,
    /// Of which lot.
    pub lot_id: Option<supabase_sdk::uuid::Uuid>,
    /// How much there was.
    pub counted: supabase_sdk::rest::Numeric,
    /// How much there should have been. Only the database writes it.
    pub expected: Option<supabase_sdk::rest::Numeric>,
    /// What was found too much, or is missing. Only the database writes it.
    #[table(default)]
    pub difference: supabase_sdk::rest::Numeric,
    /// False for one that is only remembered.
    #[table(default)]
    pub moves_stock: bool,
}

/// Who was asked to join a workspace. The token itself is told once and kept nowhere.
///
/// References `users (id)` by `invitations_accepted_by_fkey`.
/// References `workspaces (id)` by `invitations_workspace_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invitations", references(User, Workspace), insert = NewInvitation, update = InvitationPatch)]
pub struct Invitation {
    /// The invitation.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// To which workspace.
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who invited.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// The only address it is good for, in small letters; null: good for whoever has the token.
    pub email: Option<String>,
    /// The role it gives.
    pub role: String,
    /// Until when it can be accepted.
    pub expires_at: supabase_sdk::jiff::Timestamp,
    /// When it was accepted; it is good once.
    pub accepted_at: Option<supabase_sdk::jiff::Timestamp>,
    /// By whom it was accepted.
    pub accepted_by: Option<supabase_sdk::uuid::Uuid>,
    /// When it was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Lines of an invoice, in the order the app listed them.
///
/// References `garages (id)` by `invoice_lines_workspace_id_fkey`.
/// References `invoices (workspace_id, id)` by `invoice_lines_workspace_id_invoice_id_fkey`.
///
/// Unique: `workspace_id, id` by `invoice_lines_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invoice_lines", references(Garage, Invoice), insert = NewInvoiceLine, update = InvoiceLinePatch)]
pub struct InvoiceLine {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// On which invoice.
    pub invoice_id: supabase_sdk::uuid::Uuid,
    /// Where it stands among the lines.
    #[table(default)]
    pub position: i32,
    /// What is charged.
    pub description: Option<String>,
    /// What sort of thing it is: a part, work.
    pub kind: Option<String>,
    /// How many.
    pub quantity: Option<supabase_sdk::rest::Numeric>,
    /// What one costs.
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    /// What all of them cost.
    pub total_price: Option<supabase_sdk::rest::Numeric>,
}

/// What a customer owes and has paid.
///
/// References `customers (workspace_id, id)` by `invoices_workspace_id_customer_id_fkey`.
/// References `garages (id)` by `invoices_workspace_id_fkey`.
/// References `repairs (workspace_id, id)` by `invoices_workspace_id_repair_id_fkey`.
///
/// Unique: `workspace_id, id` by `invoices_workspace_id_id_key`.
/// Unique: `workspace_id, serial` by `invoices_workspace_id_serial_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invoices", references(Customer, Garage, Repair), insert = NewInvoice, update = InvoicePatch)]
pub struct Invoice {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Who owes.
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    /// For which repair.
    pub repair_id: Option<supabase_sdk::uuid::Uuid>,
    /// What is printed on it: the garage's prefix and the serial, or what the old app printed.
    pub number: Option<String>,
    /// The garage's 1st, 2nd, 3rd invoice sent from here. Null for a draft, and for one the old app issued.
    pub serial: Option<i64>,
    /// draft, sent, paid, overdue or cancelled.
    #[table(default)]
    pub status: String,
    /// When it was sent.
    pub issued_at: Option<supabase_sdk::jiff::Timestamp>,
    /// When it should be paid.
    pub due_on: Option<supabase_sdk::jiff::civil::Date>,
    /// The lines together.
    pub subtotal: Option<supabase_sdk::rest::Numeric>,
    /// Tax in percent.
    pub tax_rate: Option<supabase_sdk::rest::Numeric>,
    /// Tax.
    pub tax_amount: Option<supabase_sdk::rest::Numeric>,
    /// Lines and tax together.
    pub total_amount: Option<supabase_sdk::rest::Numeric>,
    /// What was paid.
    pub paid_amount: Option<supabase_sdk::rest::Numeric>,
    /// How it was paid.
    pub payment_method: Option<String>,
    /// When it was paid.
    pub paid_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Anything else; not printed.
    pub notes: Option<String>,
}

/// Lots of a product: what was made together and expires together.
///
/// References `products (workspace_id, id)` by `lots_workspace_id_product_id_fkey`.
/// References `sites (id)` by `lots_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `lots_workspace_id_id_key`.
/// Unique: `workspace_id, product_id, id` by `lots_workspace_id_product_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "lots", references(Product, Site), insert = NewLot, update = LotPatch)]
pub struct Lot {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Of which product.
    pub product_id: supabase_sdk::uuid::Uuid,
    /// What the maker calls it.
    pub number: Option<String>,
    /// The last day it may be used.
    pub expires_on: Option<supabase_sdk::jiff::civil::Date>,
}

/// People who work on the vehicles.
///
/// References `garages (id)` by `mechanics_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `mechanics_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "mechanics", references(Garage), insert = NewMechanic, update = MechanicPatch)]
pub struct Mechanic {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// What they are good at.
    #[table(default)]
    pub specialties: Vec<String>,
    /// What an hour costs.
    pub hourly_rate: Option<supabase_sdk::rest::Numeric>,
    /// Whether they still work here.
    #[table(default)]
    pub is_active: bool,
    /// Since when.
    pub hired_on: Option<supabase_sdk::jiff::civil::Date>,
}

/// Who works in a workspace, and as what.
///
/// References `users (id)` by `members_user_id_fkey`.
/// References `workspaces (id)` by `members_workspace_id_fkey`.
///
/// Unique: `user_id, workspace_id` by `members_user_id_workspace_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "members", references(User, Workspace), insert = NewMember, update = MemberPatch)]
pub struct Member {
    /// The membership.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// In which workspace.
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who.
    pub user_id: supabase_sdk::uuid::Uuid,
    /// owner, editor or viewer.
    pub role: String,
    /// What they are called here; all members see it.
    pub name: Option<String>,
    /// Since when.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// How much there is of a product and lot: the sum of its movements.
///
/// References `lots (workspace_id, product_id, id)` by `product_levels_workspace_id_product_id_lot_id_fkey`.
/// References `products (workspace_id, id)` by `product_levels_workspace_id_product_id_fkey`.
/// References `sites (id)` by `product_levels_workspace_id_fkey`.
///
/// Unique: `workspace_id, product_id, lot_id` by `product_levels_workspace_id_product_id_lot_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "product_levels", references(Lot, Product, Site), insert = NewProductLevel, update = ProductLevelPatch)]
pub struct ProductLevel {
    /// The level.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// At which site.
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Of which product.
    pub product_id: supabase_sdk::uuid::Uuid,
    /// Of which lot; null for what is of none.
    pub lot_id: Option<supabase_sdk::uuid::Uuid>,
    /// How much.
    #[table(default)]
    pub quantity: supabase_sdk::rest::Numeric,
    /// When it last changed.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Every change of a level, and the line it follows from. Only ever added to.
///
/// References `lots (workspace_id, product_id, id)` by `product_movements_workspace_id_product_id_lot_id_fkey`.
/// References `products (workspace_id, id)` by `product_movements_workspace_id_product_id_fkey`.
/// References `sites (id)` by `product_movements_workspace_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "product_movements", references(Lot, Product, Site), insert = NewProductMovement, update = ProductMovementPatch)]
pub struct ProductMovement {
    /// The movement.
    #[table(key, generated)]
    pub id: i64,
    /// At which site.
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Of which product.
    pub product_id: supabase_sdk::uuid::Uuid,
    /// Of which lot.
    pub lot_id: Option<supabase_sdk::uuid::Uuid>,
    /// How much came; below zero, how much went.
    pub quantity: supabase_sdk::rest::Numeric,
    /// reception, withdrawal or count.
    pub cause: String,
    /// The line it follows from, or followed from before that was removed.
    pub line_id: supabase_sdk::uuid::Uuid,
    /// When.
    #[table(default)]
    pub moved_at: supabase_sdk::jiff::Timestamp,
    /// By whom.
    #[table(default)]
    pub moved_by: Option<supabase_sdk::uuid::Uuid>,
}

/// What is kept in stock.
///
/// References `sites (id)` by `products_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `products_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "products", references(Site), insert = NewProduct, update = ProductPatch)]
pub struct Product {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What it is.
    pub name: String,
    /// What it is called in a catalogue.
    pub reference: Option<String>,
    /// What sort of thing it is.
    pub category: Option<String>,
    /// What is counted: box, bottle, tablet.
    #[table(default)]
    pub unit: String,
    /// Below this much, more should be ordered.
    pub threshold: Option<supabase_sdk::rest::Numeric>,
    /// What one costs.
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    /// False for one that is kept no more.
    #[table(default)]
    pub is_active: bool,
    /// Anything else.
    pub notes: Option<String>,
}

/// What someone thinks of a film or series.
///
/// References `users (id)` by `ratings_user_id_fkey`.
///
/// Unique: `user_id, content_type, content_id` by `ratings_user_id_content_type_content_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "ratings", references(User), insert = NewRating, update = RatingPatch)]
pub struct Rating {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Whose it is, for good.
    #[table(default)]
    pub user_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Which film or series.
    pub content_id: String,
    /// movie or series; null if the old app did not say.
    pub content_type: Option<String>,
    /// 1 to 5.
    pub rating: i16,
    /// Why.
    pub review: Option<String>,
}

/// What a delivery brought.
///
/// References `lots (workspace_id, product_id, id)` by `reception_lines_workspace_id_product_id_lot_id_fkey`.
/// References `products (workspace_id, id)` by `reception_lines_workspace_id_product_id_fkey`.
/// References `receptions (workspace_id, id)` by `reception_lines_workspace_id_reception_id_fkey`.
/// References `sites (id)` by `reception_lines_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `reception_lines_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "reception_lines", references(Lot, Product, Reception, Site), insert = NewReceptionLine, update = ReceptionLinePatch)]
pub struct ReceptionLine {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// In which delivery.
    pub reception_id: supabase_sdk::uuid::Uuid,
    /// Of which product; null if the old app no longer knew.
    pub product_id: Option<supabase_sdk::uuid::Uuid>,
    /// Of which lot.
    pub lot_id: Option<supabase_sdk::uuid::Uuid>,
    /// Where it stands among the lines.
    #[table(default)]
    pub position: i32,
    /// How much was ordered.
    pub ordered: Option<supabase_sdk::rest::Numeric>,
    /// How much came.
    pub quantity: supabase_sdk::rest::Numeric,
    /// What one cost.
    pub unit_cost: Option<supabase_sdk::rest::Numeric>,
    /// False for one brought along from an old app, which had counted it already.
    #[table(default)]
    pub moves_stock: bool,
}

/// Deliveries that came in.
///
/// References `sites (id)` by `receptions_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `receptions_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "receptions", references(Site), insert = NewReception, update = ReceptionPatch)]
pub struct Reception {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// From whom.
    pub supplier: Option<String>,
    /// The number of the order.
    pub order_number: Option<String>,
    /// The number on the delivery note; suppliers repeat them.
    pub delivery_note: Option<String>,
    /// When.
    #[table(default)]
    pub received_at: supabase_sdk::jiff::Timestamp,
    /// Anything else.
    pub notes: Option<String>,
}

/// Parts used in a repair, in the order the app listed them.
///
/// References `garages (id)` by `repair_lines_workspace_id_fkey`.
/// References `repairs (workspace_id, id)` by `repair_lines_workspace_id_repair_id_fkey`.
///
/// Unique: `workspace_id, id` by `repair_lines_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "repair_lines", references(Garage, Repair), insert = NewRepairLine, update = RepairLinePatch)]
pub struct RepairLine {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// In which repair.
    pub repair_id: supabase_sdk::uuid::Uuid,
    /// Where it stands among the lines.
    #[table(default)]
    pub position: i32,
    /// What the part is called in a catalogue.
    pub part_reference: Option<String>,
    /// What the part is.
    pub label: Option<String>,
    /// How many.
    pub quantity: Option<supabase_sdk::rest::Numeric>,
    /// What one costs.
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    /// What all of them cost, as the app had it.
    pub total_price: Option<supabase_sdk::rest::Numeric>,
}

/// Work on a vehicle, from the quote to the end.
///
/// References `customers (workspace_id, id)` by `repairs_workspace_id_customer_id_fkey`.
/// References `garages (id)` by `repairs_workspace_id_fkey`.
/// References `mechanics (workspace_id, id)` by `repairs_workspace_id_mechanic_id_fkey`.
/// References `vehicles (workspace_id, id)` by `repairs_workspace_id_vehicle_id_fkey`.
///
/// Unique: `workspace_id, id` by `repairs_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "repairs", references(Customer, Garage, Mechanic, Vehicle), insert = NewRepair, update = RepairPatch)]
pub struct Repair {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// On which vehicle.
    pub vehicle_id: Option<supabase_sdk::uuid::Uuid>,
    /// For whom.
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    /// By whom.
    pub mechanic_id: Option<supabase_sdk::uuid::Uuid>,
    /// What it is, in a few words.
    pub title: Option<String>,
    /// What it is, in full.
    pub description: Option<String>,
    /// quote, pending, in_progress, done or cancelled.
    #[table(default)]
    pub status: String,
    /// low, normal, high or urgent.
    pub priority: Option<String>,
    /// What it was thought to cost.
    pub estimated_cost: Option<supabase_sdk::rest::Numeric>,
    /// What it cost.
    pub actual_cost: Option<supabase_sdk::rest::Numeric>,
    /// How much of it is work.
    pub labor_cost: Option<supabase_sdk::rest::Numeric>,
    /// How long it was thought to take.
    pub estimated_hours: Option<supabase_sdk::rest::Numeric>,
    /// How long it took.
    pub actual_hours: Option<supabase_sdk::rest::Numeric>,
    /// How many hours are charged.
    pub labor_hours: Option<supabase_sdk::rest::Numeric>,
    /// When it began.
    pub started_at: Option<supabase_sdk::jiff::Timestamp>,
    /// When it ended.
    pub ended_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Anything else.
    pub notes: Option<String>,
}

/// What can be booked: desks, rooms, boats.
///
/// References `calendars (id)` by `resources_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `resources_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "resources", references(Calendar), insert = NewResource, update = ResourcePatch)]
pub struct Resource {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What it is called.
    pub name: String,
    /// What sort of thing it is.
    pub kind: Option<String>,
    /// What one should know about it.
    pub description: Option<String>,
    /// Where it stands in lists.
    #[table(default)]
    pub position: i32,
    /// False hides it from who looks for a free one.
    #[table(default)]
    pub is_bookable: bool,
}

/// The app's own settings, one document a name and device.
///
/// References `garages (id)` by `settings_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `settings_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "settings", references(Garage), insert = NewSetting, update = SettingPatch)]
pub struct Setting {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What is set.
    pub name: String,
    /// To what.
    pub value: supabase_sdk::serde_json::Value,
}

/// Sites that keep stock, one for each workspace of that kind.
///
/// References `workspaces (id)` by `sites_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "sites", references(Workspace), insert = NewSite, update = SitePatch)]
pub struct Site {
    /// The workspace.
    #[table(key)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Where it is.
    pub address: Option<String>,
    /// Where it is, as Africa/Dakar: a lot expires by this clock.
    #[table(default)]
    pub time_zone: String,
    /// When it was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Parts and supplies, with how many there are.
///
/// References `garages (id)` by `stock_items_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `stock_items_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "stock_items", references(Garage), insert = NewStockItem, update = StockItemPatch)]
pub struct StockItem {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// What it is.
    pub name: Option<String>,
    /// What it is called in a catalogue.
    pub reference: Option<String>,
    /// Who makes it.
    pub brand: Option<String>,
    /// What sort of thing it is.
    pub category: Option<String>,
    /// What one should know about it.
    pub description: Option<String>,
    /// Where it is bought.
    pub supplier: Option<String>,
    /// Where it lies.
    pub location: Option<String>,
    /// What one costs.
    pub unit_price: Option<supabase_sdk::rest::Numeric>,
    /// How many there were when the movements began, as the old app counted; it may be negative there.
    pub opening_quantity: Option<supabase_sdk::rest::Numeric>,
    /// How many there are: the opening and every movement since. Only the database writes it.
    #[table(default)]
    pub quantity: supabase_sdk::rest::Numeric,
    /// How many there should be at least.
    pub min_quantity: Option<supabase_sdk::rest::Numeric>,
}

/// What came into stock and what left it.
///
/// References `garages (id)` by `stock_movements_workspace_id_fkey`.
/// References `repairs (workspace_id, id)` by `stock_movements_workspace_id_repair_id_fkey`.
/// References `stock_items (workspace_id, id)` by `stock_movements_workspace_id_stock_item_id_fkey`.
///
/// Unique: `workspace_id, id` by `stock_movements_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "stock_movements", references(Garage, Repair, StockItem), insert = NewStockMovement, update = StockMovementPatch)]
pub struct StockMovement {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Of what; null if the old app no longer knew.
    pub stock_item_id: Option<supabase_sdk::uuid::Uuid>,
    /// For which repair.
    pub repair_id: Option<supabase_sdk::uuid::Uuid>,
    /// in, out, or adjustment after a count.
    pub kind: String,
    /// How many; below zero only for an adjustment.
    pub quantity: supabase_sdk::rest::Numeric,
    /// Why.
    pub reason: Option<String>,
    /// When.
    #[table(default)]
    pub moved_at: supabase_sdk::jiff::Timestamp,
    /// False for one brought along from an old app, which had counted it already.
    #[table(default)]
    pub moves_stock: bool,
}

/// How a person wishes to be seen, and what they prefer.
///
/// References `users (id)` by `user_profiles_user_id_fkey`.
///
/// Unique: `user_id` by `user_profiles_user_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "user_profiles", references(User), insert = NewUserProfile, update = UserProfilePatch)]
pub struct UserProfile {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Whose it is, for good.
    #[table(default)]
    pub user_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// The name on the screen.
    pub display_name: Option<String>,
    /// Their picture: an address, or a path in bucket avatars.
    pub avatar_url: Option<String>,
    /// What they say of themselves.
    pub bio: Option<String>,
    /// The app's own switches: theme, language.
    #[table(default)]
    pub preferences: supabase_sdk::serde_json::Value,
}

/// People who signed up, one row for each account.
///
/// References `auth.users (id)` by `users_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "users", insert = NewUser, update = UserPatch)]
pub struct User {
    /// The account's id in auth.users.
    #[table(key)]
    pub id: supabase_sdk::uuid::Uuid,
    /// What they call themselves.
    pub name: Option<String>,
    /// Where they can be reached.
    pub phone: Option<String>,
    /// Where they live, as they wrote it.
    pub country: Option<String>,
    /// False shuts them out, until it is true again.
    #[table(default)]
    pub is_active: bool,
    /// True shuts them out.
    #[table(default)]
    pub is_banned: bool,
    /// How often they signed in.
    #[table(default)]
    pub login_count: i32,
    /// When they signed up.
    #[table(default)]
    pub registration_date: supabase_sdk::jiff::Timestamp,
    /// When the row was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// Which export the row came from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Pictures of a vehicle, in the order the app listed them.
///
/// References `garages (id)` by `vehicle_photos_workspace_id_fkey`.
/// References `vehicles (workspace_id, id)` by `vehicle_photos_workspace_id_vehicle_id_fkey`.
///
/// Unique: `workspace_id, id` by `vehicle_photos_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "vehicle_photos", references(Garage, Vehicle), insert = NewVehiclePhoto, update = VehiclePhotoPatch)]
pub struct VehiclePhoto {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Of which vehicle.
    pub vehicle_id: supabase_sdk::uuid::Uuid,
    /// Where it stands among the pictures.
    #[table(default)]
    pub position: i32,
    /// Where it lies in bucket vehicle-photos.
    pub path: Option<String>,
    /// What the file was called.
    pub file_name: Option<String>,
    /// What it shows: the front, a damage.
    pub category: Option<String>,
    /// What one should know about it.
    pub caption: Option<String>,
    /// When it was taken.
    pub taken_at: Option<supabase_sdk::jiff::Timestamp>,
}

/// Vehicles, each usually with the customer it belongs to.
///
/// References `customers (workspace_id, id)` by `vehicles_workspace_id_customer_id_fkey`.
/// References `garages (id)` by `vehicles_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `vehicles_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "vehicles", references(Customer, Garage), insert = NewVehicle, update = VehiclePatch)]
pub struct Vehicle {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Whose it is.
    pub customer_id: Option<supabase_sdk::uuid::Uuid>,
    /// Who built it.
    pub brand: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The model year.
    pub year: Option<i32>,
    /// The plate, as it was written.
    pub license_plate: Option<String>,
    /// The vehicle identification number.
    pub vin: Option<String>,
    /// The colour.
    pub color: Option<String>,
    /// How far it has run, in kilometres.
    pub mileage_km: Option<supabase_sdk::rest::Numeric>,
    /// What it runs on.
    pub fuel_type: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
}

/// Who wishes to book and found nothing free.
///
/// References `calendars (id)` by `waiting_list_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `waiting_list_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "waiting_list", references(Calendar), insert = NewWaitingList, update = WaitingListPatch)]
pub struct WaitingList {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Who.
    pub guest_name: Option<String>,
    /// How to reach them.
    pub guest_contact: Option<String>,
    /// When they would like to come, in their words.
    pub preferred_dates: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
}

/// What was watched, each time anew.
///
/// References `users (id)` by `watch_history_user_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "watch_history", references(User), insert = NewWatchHistory, update = WatchHistoryPatch)]
pub struct WatchHistory {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Whose it is, for good.
    #[table(default)]
    pub user_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Which film or series.
    pub content_id: String,
    /// movie or series; null if the old app did not say.
    pub content_type: Option<String>,
    /// How far it was watched.
    #[table(default)]
    pub progress_seconds: i32,
    /// How long it is.
    pub duration_seconds: Option<i32>,
    /// Whether to the end.
    #[table(default)]
    pub completed: bool,
    /// When.
    #[table(default)]
    pub watched_at: supabase_sdk::jiff::Timestamp,
}

/// What someone means to watch.
///
/// References `users (id)` by `watchlist_user_id_fkey`.
///
/// Unique: `user_id, content_type, content_id` by `watchlist_user_id_content_type_content_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "watchlist", references(User), insert = NewWatchlist, update = WatchlistPatch)]
pub struct Watchlist {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Whose it is, for good.
    #[table(default)]
    pub user_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// Which film or series.
    pub content_id: String,
    /// movie or series; null if the old app did not say.
    pub content_type: Option<String>,
    /// When it was put on the list.
    #[table(default)]
    pub added_at: supabase_sdk::jiff::Timestamp,
}

/// What was handed out of a product and lot.
///
/// References `lots (workspace_id, product_id, id)` by `withdrawal_lines_workspace_id_product_id_lot_id_fkey`.
/// References `products (workspace_id, id)` by `withdrawal_lines_workspace_id_product_id_fkey`.
/// References `sites (id)` by `withdrawal_lines_workspace_id_fkey`.
/// References `withdrawals (workspace_id, id)` by `withdrawal_lines_workspace_id_withdrawal_id_fkey`.
///
/// Unique: `workspace_id, id` by `withdrawal_lines_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "withdrawal_lines", references(Lot, Product, Site, Withdrawal), insert = NewWithdrawalLine, update = WithdrawalLinePatch)]
pub struct WithdrawalLine {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// In which withdrawal.
    pub withdrawal_id: supabase_sdk::uuid::Uuid,
    /// Of which product; null if the old app no longer knew.
    pub product_id: Option<supabase_sdk::uuid::Uuid>,
    /// Of which lot.
    pub lot_id: Option<supabase_sdk::uuid::Uuid>,
    /// Where it stands among the lines.
    #[table(default)]
    pub position: i32,
    /// How much.
    pub quantity: supabase_sdk::rest::Numeric,
    /// False for one brought along from an old app, which had counted it already.
    #[table(default)]
    pub moves_stock: bool,
}

/// What was handed out, at once.
///
/// References `sites (id)` by `withdrawals_workspace_id_fkey`.
///
/// Unique: `workspace_id, id` by `withdrawals_workspace_id_id_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "withdrawals", references(Site), insert = NewWithdrawal, update = WithdrawalPatch)]
pub struct Withdrawal {
    /// The row. Whoever makes it may choose it, so sending it twice makes one row.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// The workspace it belongs to, for good. Left out, it is the home of its owner.
    #[table(default)]
    pub workspace_id: supabase_sdk::uuid::Uuid,
    /// Who added it, for good. Not a foreign key: the fact outlives the account.
    #[table(default)]
    pub owner_id: supabase_sdk::uuid::Uuid,
    /// When it was made, here or in the old app.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
    /// Fields of the old app that have no column.
    #[table(default)]
    pub extra: supabase_sdk::serde_json::Value,
    /// With legacy_id, what the id was computed from.
    pub legacy_scope: Option<String>,
    /// The id the old app gave it.
    pub legacy_id: Option<String>,
    /// When the old app last changed it.
    pub legacy_updated_at: Option<supabase_sdk::jiff::Timestamp>,
    /// To whom.
    pub recipient: Option<String>,
    /// For which service or ward.
    pub service: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    #[table(default)]
    pub withdrawn_at: supabase_sdk::jiff::Timestamp,
    /// Anything else.
    pub notes: Option<String>,
}

/// What people share: a garage, a calendar or a site.
///
/// References `users (id)` by `workspaces_home_of_fkey`.
///
/// Unique: `home_of, kind` by `workspaces_home_of_kind_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "workspaces", references(User), insert = NewWorkspace, update = WorkspacePatch)]
pub struct Workspace {
    /// The workspace; every row in it names it.
    #[table(key, default)]
    pub id: supabase_sdk::uuid::Uuid,
    /// Which application it belongs to: garage, calendar or site.
    pub kind: String,
    /// What its members call it.
    pub name: String,
    /// Whose rows go here when they do not say where; null for a further workspace.
    pub home_of: Option<supabase_sdk::uuid::Uuid>,
    /// When it was made.
    #[table(default)]
    pub created_at: supabase_sdk::jiff::Timestamp,
    /// When the row last changed here.
    #[table(default)]
    pub updated_at: supabase_sdk::jiff::Timestamp,
}

/// Joins a workspace: with the token of an invitation, or with the id of one to the confirmed address of whoever asks.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct AcceptInvitation {
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub token: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub invitation: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
}

impl supabase_sdk::rest::Function for AcceptInvitation {
    const NAME: &'static str = "accept_invitation";
    type Returns = supabase_sdk::rest::OneRow<Member>;
}

/// Each resource of a public calendar with the times it is taken, a year at most; one without any has a row of nulls.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Availability {
    pub calendar: supabase_sdk::uuid::Uuid,
    pub from_time: supabase_sdk::jiff::Timestamp,
    pub to_time: supabase_sdk::jiff::Timestamp,
}

/// Row of `availability`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "availability")]
pub struct AvailabilityRow {
    pub resource_id: Option<supabase_sdk::uuid::Uuid>,
    pub resource_name: Option<String>,
    pub taken_from: Option<supabase_sdk::jiff::Timestamp>,
    pub taken_to: Option<supabase_sdk::jiff::Timestamp>,
}

impl supabase_sdk::rest::Function for Availability {
    const NAME: &'static str = "availability";
    type Returns = supabase_sdk::rest::Many<AvailabilityRow>;
    const READS: bool = true;
}

/// Books a resource, from and to a time of the calendar's own time zone.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Book {
    pub resource: supabase_sdk::uuid::Uuid,
    pub starts: supabase_sdk::jiff::civil::DateTime,
    pub ends: supabase_sdk::jiff::civil::DateTime,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub guest_name: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub guest_contact: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub notes: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub id: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
}

impl supabase_sdk::rest::Function for Book {
    const NAME: &'static str = "book";
    type Returns = supabase_sdk::rest::OneRow<Booking>;
}

/// Takes stock. A count: product_id, counted; lot_id where the product has lots. The levels become what was counted.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct CountStock {
    pub counts: supabase_sdk::serde_json::Value,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub site: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub counted_at: supabase_sdk::rest::Set<Option<supabase_sdk::jiff::Timestamp>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub notes: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub id: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
}

impl supabase_sdk::rest::Function for CountStock {
    const NAME: &'static str = "count_stock";
    type Returns = supabase_sdk::rest::OneRow<Inventory>;
}

/// Makes a workspace: a garage, a calendar or a site. Whoever asks owns it; it becomes their home if they have none of its kind.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct CreateWorkspace {
    pub kind: String,
    pub name: String,
}

impl supabase_sdk::rest::Function for CreateWorkspace {
    const NAME: &'static str = "create_workspace";
    type Returns = supabase_sdk::rest::OneRow<Workspace>;
}

/// Invites somebody to a workspace. The token is told this once; with an address, only its owner can use it.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Invite {
    pub workspace: supabase_sdk::uuid::Uuid,
    pub role: String,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub email: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub valid_for: supabase_sdk::rest::Set<Option<String>>,
}

/// Row of `invite`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "invite")]
pub struct InviteRow {
    pub invitation_id: Option<supabase_sdk::uuid::Uuid>,
    pub token: Option<String>,
}

impl supabase_sdk::rest::Function for Invite {
    const NAME: &'static str = "invite";
    type Returns = supabase_sdk::rest::Many<InviteRow>;
}

/// Sends a draft: it gets its number and does not change any more.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct IssueInvoice {
    pub invoice: supabase_sdk::uuid::Uuid,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub due_on: supabase_sdk::rest::Set<Option<supabase_sdk::jiff::civil::Date>>,
}

impl supabase_sdk::rest::Function for IssueInvoice {
    const NAME: &'static str = "issue_invoice";
    type Returns = supabase_sdk::rest::OneRow<Invoice>;
}

/// Takes in a delivery. A line: product_id, quantity; ordered, unit_cost; lot_id, or lot_number and expires_on of a lot that is made if it is new.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct ReceiveStock {
    pub lines: supabase_sdk::serde_json::Value,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub site: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub supplier: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub order_number: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub delivery_note: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub received_at: supabase_sdk::rest::Set<Option<supabase_sdk::jiff::Timestamp>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub notes: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub id: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
}

impl supabase_sdk::rest::Function for ReceiveStock {
    const NAME: &'static str = "receive_stock";
    type Returns = supabase_sdk::rest::OneRow<Reception>;
}

/// Puts a row back to what it was when an entry of the history was written, and gives it as it is now.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Restore {
    pub entry: i64,
}

impl supabase_sdk::rest::Function for Restore {
    const NAME: &'static str = "restore";
    type Returns = supabase_sdk::rest::One<Option<supabase_sdk::serde_json::Value>>;
}

/// Hands out stock. A line: product_id, quantity; without lot_id it takes what expires first.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct WithdrawStock {
    pub lines: supabase_sdk::serde_json::Value,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub site: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub recipient: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub service: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub reason: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub withdrawn_at: supabase_sdk::rest::Set<Option<supabase_sdk::jiff::Timestamp>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub notes: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub id: supabase_sdk::rest::Set<Option<supabase_sdk::uuid::Uuid>>,
}

impl supabase_sdk::rest::Function for WithdrawStock {
    const NAME: &'static str = "withdraw_stock";
    type Returns = supabase_sdk::rest::OneRow<Withdrawal>;
}
