// Written by `migrator types`. Do not edit: run it again.
// migrator types --schema "Odd Schema" --schema public
#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(clippy::all, clippy::pedantic, rustdoc::all)]

supabase_sdk::pg_enum! {
    /// One of the labels of `colour`.
    pub enum Colour {
        Red = "red",
        Green = "green",
    }
}

supabase_sdk::pg_enum! {
    /// Where a booking is.
    ///
    /// not_code();
    /// '''
    /// not_code_either();
    /// '''
    /// Ends */ here.\
    pub enum BookingStatus {
        Pending = "pending",
        InProgress = "in_progress",
        InProgress2 = "in progress",
        InProgress3 = "In-Progress",
        Other_ = "other",
        Other2 = "Other",
        APlus = "A+",
        AMinus = "A-",
        N2nd = "2nd",
        Empty = "",
        Self_ = "self",
        É = "é\"\\",
    }
}

supabase_sdk::pg_enum! {
    /// One of the labels of `nothing`.
    pub enum Nothing {
    }
}

supabase_sdk::pg_enum! {
    /// One of the labels of `person`.
    pub enum Person2 {
        ATableHasTheNameFirst = "a table has the name first",
    }
}

/// A value of the domain `always`.
///
/// `NOT NULL`
pub type Always = Email;

/// An address, such as <zoe@example.com> or [zoe].
///
/// `CHECK ((VALUE OPERATOR(extensions.~~) '%@%'::extensions.citext))`
/// `CHECK ((char_length((VALUE)::text) < 200))`
pub type Email = String;

/// A value of the domain `tags`.
pub type Tags = Vec<String>;

/// A value of `inner_part`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct InnerPart {
    pub depth: Option<supabase_sdk::rest::Numeric>,
}

/// A value of `outer_part`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OuterPart {
    pub part: Option<InnerPart>,
    pub at: Option<supabase_sdk::jiff::Timestamp>,
}

/// A value of `people`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct People {
    pub id: Option<supabase_sdk::uuid::Uuid>,
    pub of_id: Option<i64>,
}

/// Where somebody lives.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Without the number.
    pub street: Option<String>,
    #[serde(rename = "house number")]
    pub house_number: Option<i32>,
    pub colours: Option<Vec<Colour>>,
}

/// Row of `Odd Table`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "Odd Table", schema = "Odd Schema", insert = NewOddTable, update = OddTablePatch)]
pub struct OddTable {
    #[table(key)]
    #[serde(rename = "Odd Column")]
    pub odd_column: i32,
}

/// Row of `1st Things!`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "1st Things!", insert = NewN1stThing, update = N1stThingPatch)]
pub struct N1stThing {
    #[table(key)]
    pub id: i16,
}

/// Row of `booking_notes`.
///
/// References `bookings (place_number, person_id)` by `booking_notes_place_number_person_id_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "booking_notes", references(Booking), insert = NewBookingNote, update = BookingNotePatch)]
pub struct BookingNote {
    pub place_number: Option<i32>,
    pub person_id: Option<i64>,
    #[serde(rename = "type")]
    pub type_: Option<String>,
    #[serde(rename = "Self")]
    pub self_: Option<String>,
    #[serde(rename = "firstName")]
    pub first_name2: Option<String>,
    pub first_name: Option<String>,
    #[serde(rename = "First Name")]
    pub first_name3: Option<String>,
    #[serde(rename = "say \"hi\"\\")]
    pub say_hi: Option<String>,
    pub été: Option<String>,
    pub 名前: Option<String>,
    #[serde(rename = "2nd")]
    pub n2nd: Option<String>,
    #[serde(rename = "★")]
    pub column: Option<String>,
    pub _hidden: Option<String>,
    #[serde(rename = "gen")]
    pub gen_: Option<String>,
}

/// Row of `bookings`.
///
/// References `people (id)` by `bookings_person_id_fkey`.
/// References `people (id)` by `seen by "them"`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "bookings", references(Person), insert = NewBooking, update = BookingPatch)]
pub struct Booking {
    #[table(key)]
    pub person_id: i64,
    #[table(key)]
    pub place_number: i32,
    pub witness_id: Option<i64>,
    #[table(default)]
    pub status: BookingStatus,
}

/// People who may sign.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "grown_ups")]
pub struct GrownUp {
    pub id: Option<i64>,
    pub given: Option<String>,
    pub seen: Option<supabase_sdk::jiff::Timestamp>,
}

/// Row of `head_counts`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "head_counts")]
pub struct HeadCount {
    pub mood: Option<Colour>,
    pub heads: Option<i64>,
}

/// Row of `measurements`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "measurements", insert = NewMeasurement, update = MeasurementPatch)]
pub struct Measurement {
    #[table(key)]
    pub taken_on: supabase_sdk::jiff::civil::Date,
    pub value: Option<f32>,
}

/// Row of `new_people`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "new_people", insert = NewNewPerson, update = NewPersonPatch)]
pub struct NewPerson {
    #[table(key)]
    pub id: i16,
}

/// Row of `news`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "news", insert = NewNews, update = NewsPatch)]
pub struct News {
    #[table(key)]
    pub id: i16,
}

/// Row of `nowhere`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "nowhere", insert = NewNowhere, update = NowherePatch)]
pub struct Nowhere {}

/// Row of `options`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "options", insert = NewOptions, update = OptionsPatch)]
pub struct Options {
    #[table(key)]
    pub id: i16,
}

/// People,
/// with */ "quotes", \ and a `tick`.
/// And a last line.
///
/// References `people (id)` by `people_boss_id_fkey`.
///
/// Unique: `email, given` by `people_contact`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "people", references(Person), insert = NewPerson2, update = PersonPatch)]
pub struct Person {
    #[table(key, generated)]
    pub id: i64,
    #[table(default)]
    pub number: i32,
    /// First name.
    ///
    /// Second paragraph.
    pub given: String,
    pub family: Option<String>,
    #[table(generated)]
    pub full: Option<String>,
    pub email: Option<Email>,
    #[table(default)]
    pub always: Always,
    pub boss_id: Option<i64>,
    pub home: Option<Place>,
    pub part: Option<OuterPart>,
    #[table(default)]
    pub mood: Option<Colour>,
    #[table(default)]
    pub tags: Tags,
    pub matrix: Option<Vec<i32>>,
    pub homes: Option<Vec<Place>>,
    pub born: Option<supabase_sdk::jiff::civil::Date>,
    pub wakes: Option<supabase_sdk::jiff::civil::Time>,
    #[table(default)]
    pub seen: supabase_sdk::jiff::Timestamp,
    pub noted: Option<supabase_sdk::jiff::civil::DateTime>,
    pub employed: Option<supabase_sdk::rest::Range<supabase_sdk::jiff::civil::Date>>,
    pub shifts: Option<Vec<supabase_sdk::rest::Range<supabase_sdk::jiff::Timestamp>>>,
    pub weights: Option<supabase_sdk::rest::Range<f64>>,
    pub spans: Option<String>,
    pub search: Option<supabase_sdk::rest::TsVector>,
    #[table(default)]
    pub settings: supabase_sdk::serde_json::Value,
    pub price: Option<String>,
    pub wait: Option<String>,
    pub photo: Option<String>,
    pub address: Option<String>,
    pub flags: Option<String>,
    pub small: Option<i16>,
    pub big: Option<i64>,
    pub ratio: Option<f32>,
    pub exact: Option<f64>,
    pub amount: Option<supabase_sdk::rest::Numeric>,
    pub letter: Option<String>,
    pub tag: Option<String>,
}

/// Row of `readings`.
///
/// References `measurements (taken_on)` by `readings_taken_on_fkey`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "readings", references(Measurement), insert = NewReading, update = ReadingPatch)]
pub struct Reading {
    #[table(key)]
    pub id: i32,
    pub taken_on: Option<supabase_sdk::jiff::civil::Date>,
}

/// Row of `status`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "status", insert = NewStatus, update = StatusPatch)]
pub struct Status {
    #[table(key)]
    pub id: i16,
}

/// Row of `statuses`.
///
/// Unique: `name` by `statuses_name_key`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "statuses", insert = NewStatuses, update = StatusesPatch)]
pub struct Statuses {
    #[table(key)]
    pub id: i16,
    pub name: String,
}

/// Row of `strings`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "strings", insert = NewStrings, update = StringsPatch)]
pub struct Strings {
    #[table(key)]
    pub id: i16,
}

/// Calls `Odd Call(int4)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct OddCall {
    #[serde(rename = "Odd Argument")]
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub odd_argument: supabase_sdk::rest::Set<Option<i32>>,
}

impl supabase_sdk::rest::Function for OddCall {
    const NAME: &'static str = "Odd Call";
    const SCHEMA: Option<&'static str> = Some("Odd Schema");
    type Returns = supabase_sdk::rest::One<Option<i32>>;
    const READS: bool = true;
}

/// Calls `annexed()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Annexed {}

impl supabase_sdk::rest::Function for Annexed {
    const NAME: &'static str = "annexed";
    type Returns = supabase_sdk::rest::Many<People>;
    const READS: bool = true;
}

/// Calls `as_json(jsonb)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct AsJson {
    pub document: supabase_sdk::serde_json::Value,
}

impl supabase_sdk::rest::Function for AsJson {
    const NAME: &'static str = "as_json";
    type Returns = supabase_sdk::rest::One<Option<supabase_sdk::serde_json::Value>>;
    const READS: bool = true;
}

/// Calls `find_people(text, text, timestamptz, annex.colour)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct FindPeople {
    pub named: String,
    #[serde(rename = "type")]
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub type_: supabase_sdk::rest::Set<Option<String>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub since: supabase_sdk::rest::Set<Option<supabase_sdk::jiff::Timestamp>>,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub mood: supabase_sdk::rest::Set<Option<Colour>>,
}

impl supabase_sdk::rest::Function for FindPeople {
    const NAME: &'static str = "find_people";
    type Returns = supabase_sdk::rest::Many<Person>;
    const READS: bool = true;
}

/// The name, */ whole.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct FullName {
    pub person_id: i64,
}

impl supabase_sdk::rest::Function for FullName {
    const NAME: &'static str = "full_name";
    type Returns = supabase_sdk::rest::One<Option<String>>;
    const READS: bool = true;
}

/// Calls `home_of(int8)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct HomeOf {
    pub person_id: i64,
}

impl supabase_sdk::rest::Function for HomeOf {
    const NAME: &'static str = "home_of";
    type Returns = supabase_sdk::rest::OneRow<Place>;
    const READS: bool = true;
}

/// Calls `list_things(int4, int4)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct ListThings {
    pub a: i32,
    #[serde(skip_serializing_if = "supabase_sdk::rest::Set::is_unset")]
    pub b: supabase_sdk::rest::Set<Option<i32>>,
}

/// Row of `list_things`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "list_things")]
pub struct ListThingsRow {
    pub id: Option<i64>,
    #[serde(rename = "First Name")]
    pub first_name: Option<String>,
    pub mood: Option<Colour>,
}

impl supabase_sdk::rest::Function for ListThings {
    const NAME: &'static str = "list_things";
    type Returns = supabase_sdk::rest::Many<ListThingsRow>;
    const READS: bool = true;
}

/// Calls `list_things(text)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct ListThings2 {
    pub a: String,
}

impl supabase_sdk::rest::Function for ListThings2 {
    const NAME: &'static str = "list_things";
    type Returns = supabase_sdk::rest::Many<i32>;
}

/// Calls `list_things(uuid)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct ListThings3 {
    pub a: supabase_sdk::uuid::Uuid,
}

/// Row of `list_things`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "list_things")]
pub struct ListThings3Row {
    pub low: Option<supabase_sdk::rest::Numeric>,
    pub high: Option<supabase_sdk::rest::Numeric>,
}

impl supabase_sdk::rest::Function for ListThings3 {
    const NAME: &'static str = "list_things";
    type Returns = supabase_sdk::rest::One<ListThings3Row>;
}

/// Calls `moods()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Moods {}

impl supabase_sdk::rest::Function for Moods {
    const NAME: &'static str = "moods";
    type Returns = supabase_sdk::rest::One<Option<Vec<Colour>>>;
    const READS: bool = true;
}

/// Calls `one_column()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct OneColumn {}

/// Row of `one_column`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "one_column")]
pub struct OneColumnRow {
    pub only_one: Option<String>,
}

impl supabase_sdk::rest::Function for OneColumn {
    const NAME: &'static str = "one_column";
    type Returns = supabase_sdk::rest::Many<OneColumnRow>;
    const READS: bool = true;
}

/// Calls `people()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct People2 {}

impl supabase_sdk::rest::Function for People2 {
    const NAME: &'static str = "people";
    type Returns = supabase_sdk::rest::One<Option<i32>>;
}

/// Calls `swap(int4, text)`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Swap {
    pub a: i32,
    pub b: String,
}

/// Row of `swap`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, supabase_sdk::Table)]
#[table(name = "swap")]
pub struct SwapRow {
    pub a: Option<i32>,
    pub b: Option<String>,
}

impl supabase_sdk::rest::Function for Swap {
    const NAME: &'static str = "swap";
    type Returns = supabase_sdk::rest::One<SwapRow>;
}

/// Calls `tidy_up()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct TidyUp {}

impl supabase_sdk::rest::Function for TidyUp {
    const NAME: &'static str = "tidy_up";
    type Returns = supabase_sdk::rest::One<()>;
}

/// Calls `views()`.
#[derive(Debug, Clone, serde::Serialize, supabase_sdk::Arguments)]
pub struct Views {}

impl supabase_sdk::rest::Function for Views {
    const NAME: &'static str = "views";
    type Returns = supabase_sdk::rest::Many<GrownUp>;
    const READS: bool = true;
}
