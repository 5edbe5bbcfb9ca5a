//! Who takes part. Each asks the same, and reads the answer into the same rows.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use supabase_sdk::rest::Select;
use supabase_sdk::{Client, Reply, Request, Sending, Transport};

use crate::garage::{self, COLUMNS, KEY, Repair, TOKEN, VISIT, Vehicle, Visit};
use crate::judge::ROWS;

/// What is put together where nothing is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    /// What is fetched: one filter, one order, a limit.
    Simple,
    /// Filters of every kind, an order of two columns, two embeds, one of them with a filter of its own.
    Complex,
}

/// Somebody who is asked the same as the others.
pub(crate) trait Contender: Clone + Send + 'static {
    /// Asks the server for so many vehicles, and says how many came.
    fn fetch(&self, rows: usize) -> impl Future<Output = Result<usize>> + Send;
    /// Puts a request together, and says how long its address is, so that it cannot be left out.
    fn build(&self, question: Question) -> Result<usize>;
    /// Does what `fetch` does, with an answer that is there already.
    fn read(&self, rows: usize) -> impl Future<Output = Result<usize>> + Send;
}

/// This crate, with somebody signed in.
#[derive(Clone)]
pub(crate) struct Ours {
    client: Client,
    without_network: Client,
}

impl Ours {
    pub(crate) async fn new(address: &str) -> Result<Self> {
        let builder = Client::builder(address, KEY);
        let client = builder.clone().build()?;
        let without_network = builder.transport(Arc::new(Prepared::new())).build()?;
        for client in [&client, &without_network] {
            client.auth().sign_in_with_password("zoe@garage.test", "correct horse").await?;
        }
        Ok(Self { client, without_network })
    }
}

fn vehicles(client: &Client, rows: usize) -> Select<Vehicle> {
    let select = client.table::<Vehicle>().select();
    select.filter(Vehicle::ARCHIVED.eq(false)).order(Vehicle::CREATED_AT.desc()).limit(rows)
}

fn visits(client: &Client) -> Select<Vehicle, Visit> {
    let vehicles = client.table::<Vehicle>();
    vehicles
        .select_as::<Visit>()
        .filter(Vehicle::ARCHIVED.eq(false))
        .filter(Vehicle::MAKE.is_in(["Renault", "Citroën", "Škoda"]))
        .filter(Vehicle::MILEAGE_KM.gte(50_000))
        .filter(Vehicle::NOTES.ilike("%brakes, front%").or(Vehicle::COLOR.is_null()))
        .within(Visit::REPAIRS, |repairs| {
            repairs.filter(Repair::STATUS.neq("cancelled")).order(Repair::STARTED_AT.desc()).limit(5)
        })
        .order(Vehicle::MAKE.asc())
        .order(Vehicle::CREATED_AT.desc())
        .limit(20)
}

impl Contender for Ours {
    async fn fetch(&self, rows: usize) -> Result<usize> {
        Ok(vehicles(&self.client, rows).fetch().await?.len())
    }

    fn build(&self, question: Question) -> Result<usize> {
        let request = match question {
            Question::Simple => vehicles(&self.client, 100).request()?,
            Question::Complex => visits(&self.client).request()?,
        };
        Ok(request.uri().len())
    }

    async fn read(&self, rows: usize) -> Result<usize> {
        Ok(vehicles(&self.without_network, rows).fetch().await?.len())
    }
}

/// Answers without a network.
#[derive(Debug)]
struct Prepared {
    rows: HashMap<String, Reply>,
    session: Reply,
}

impl Prepared {
    fn new() -> Self {
        let reply = |body: Vec<u8>| Reply {
            status: StatusCode::OK,
            headers: [("content-type", "application/json; charset=utf-8"), ("content-range", "0-99/*")]
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .into_iter()
                .collect(),
            body: body.into(),
        };
        let rows = ROWS.map(|rows| (rows.to_string(), reply(garage::vehicles(rows))));
        Self { rows: rows.into(), session: reply(garage::session()) }
    }
}

impl Transport for Prepared {
    fn send<'a>(&'a self, _: &'a str, request: &'a Request) -> Sending<'a> {
        let limit = request.query.iter().find(|(name, _)| name == "limit");
        let reply = limit.and_then(|(_, rows)| self.rows.get(rows)).unwrap_or(&self.session).clone();
        Box::pin(async move { Ok(reply) })
    }
}

/// The floor: the address is a text that is there, and so are the headers.
#[derive(Clone)]
pub(crate) struct Plain {
    client: reqwest::Client,
    vehicles: String,
    visits: String,
    headers: HeaderMap,
    bodies: HashMap<usize, Bytes>,
}

impl Plain {
    pub(crate) fn new(address: &str) -> Result<Self> {
        let mut token = HeaderValue::from_str(&format!("Bearer {TOKEN}"))?;
        token.set_sensitive(true);
        let headers = [
            (HeaderName::from_static("accept-profile"), HeaderValue::from_static("public")),
            (HeaderName::from_static("apikey"), HeaderValue::from_static(KEY)),
            (HeaderName::from_static("x-client-info"), HeaderValue::from_static("supabase-sdk-rust/0.1.0")),
            (AUTHORIZATION, token),
        ];
        let vehicles = format!(
            "{address}/rest/v1/vehicles?select={COLUMNS}&archived=eq.false&order=created_at.desc&limit="
        );
        let visits = format!(
            "{address}/rest/v1/vehicles?select={VISIT}&archived=eq.false\
             &make=in.(Renault,%22Citro%C3%ABn%22,%22%C5%A0koda%22)&mileage_km=gte.50000\
             &or=(notes.ilike.%22%25brakes,%20front%25%22,color.is.null)&order=make.asc,created_at.desc&limit=20\
             &repairs.status=neq.cancelled&repairs.order=started_at.desc&repairs.limit=5"
        );
        Ok(Self {
            client: reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).build()?,
            vehicles,
            visits,
            headers: headers.into_iter().collect(),
            bodies: ROWS.map(|rows| (rows, garage::vehicles(rows).into())).into(),
        })
    }
}

impl Contender for Plain {
    async fn fetch(&self, rows: usize) -> Result<usize> {
        let address = format!("{}{rows}", self.vehicles);
        let answer = self.client.get(address).headers(self.headers.clone()).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        read(&answer.bytes().await?)
    }

    fn build(&self, question: Question) -> Result<usize> {
        let address = match question {
            Question::Simple => format!("{}100", self.vehicles),
            Question::Complex => self.visits.clone(),
        };
        let request = self.client.request(Method::GET, address).headers(self.headers.clone()).build()?;
        Ok(request.url().as_str().len())
    }

    async fn read(&self, rows: usize) -> Result<usize> {
        read(self.bodies.get(&rows).context("nobody prepared so many rows")?)
    }
}

fn read(body: &[u8]) -> Result<usize> {
    Ok(serde_json::from_slice::<Vec<Vehicle>>(body)?.len())
}

/// The community's client.
#[derive(Clone)]
pub(crate) struct Postgrest {
    client: postgrest::Postgrest,
}

impl Postgrest {
    pub(crate) fn new(address: &str) -> Self {
        let client = postgrest::Postgrest::new(format!("{address}/rest/v1"));
        Self { client: client.schema("public").insert_header("apikey", KEY) }
    }

    fn vehicles(&self, rows: usize) -> postgrest::Builder {
        let select = self.client.from("vehicles").auth(TOKEN).select(COLUMNS);
        select.eq("archived", "false").order("created_at.desc").limit(rows)
    }

    fn visits(&self) -> postgrest::Builder {
        let select = self.client.from("vehicles").auth(TOKEN).select(VISIT);
        select
            .eq("archived", "false")
            .in_("make", ["Renault", "Citroën", "Škoda"])
            .gte("mileage_km", "50000")
            .or(r#"notes.ilike."%brakes, front%",color.is.null"#)
            .neq("repairs.status", "cancelled")
            .order_with_options("started_at", Some("repairs"), false, false)
            .foreign_table_limit(5, "repairs")
            .order("make.asc,created_at.desc")
            .limit(20)
    }
}

impl Contender for Postgrest {
    async fn fetch(&self, rows: usize) -> Result<usize> {
        let answer = self.vehicles(rows).execute().await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        read(&answer.bytes().await?)
    }

    fn build(&self, question: Question) -> Result<usize> {
        let request = match question {
            Question::Simple => self.vehicles(100).build().build()?,
            Question::Complex => self.visits().build().build()?,
        };
        Ok(request.url().as_str().len())
    }

    async fn read(&self, _: usize) -> Result<usize> {
        bail!("nothing of its own to measure: it hands over the body")
    }
}
