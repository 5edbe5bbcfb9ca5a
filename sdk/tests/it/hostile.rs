//! A server that answers anything: no answer makes the client panic, and what it cannot read is an error.

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use supabase_sdk::rest::{Count, Numeric, Range, TsVector, col};
use supabase_sdk::{Client, Reply, Request, Retry, Sending, Table, Transport};

supabase_sdk::pg_enum! {
    enum Mood { Calm = "calm" }
}

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "kinds")]
struct Kind {
    #[table(key)]
    id: i64,
    amount: Option<Numeric>,
    days: Option<Range<i32>>,
    words: Option<TsVector>,
    mood: Option<Mood>,
}

/// Gives one answer, whatever is asked.
#[derive(Debug)]
struct Answer(Reply);

impl Transport for Answer {
    fn send<'a>(&'a self, _: &'a str, _: &'a Request) -> Sending<'a> {
        let reply = self.0.clone();
        Box::pin(async move { Ok(reply) })
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,25}(\\.[0-9]{1,5})?(e[0-9]{1,3})?",
        ".*".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let name =
        prop_oneof![Just("id"), Just("amount"), Just("days"), Just("code"), Just("message"), Just("details")];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let pairs = prop::collection::vec((name.clone(), inner.clone()), 0..6).prop_map(|pairs| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", pairs.join(","))
        });
        prop_oneof![
            pairs,
            prop::collection::vec(inner, 0..6).prop_map(|values| format!("[{}]", values.join(",")))
        ]
    })
}

fn answers() -> impl Strategy<Value = Reply> {
    let body = prop_oneof![
        json().prop_map(String::into_bytes),
        (json(), 0..100_usize).prop_map(|(text, cut)| text.as_bytes()[..text.len().min(cut)].to_vec()),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    let header = prop::collection::vec(
        prop_oneof![Just(b'/'), Just(b'-'), Just(b'*'), Just(b'9'), 32..=255_u8],
        0..24,
    );
    (100..=999_u16, body, header).prop_map(|(status, body, value)| {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            for name in ["content-range", "proxy-status", "retry-after", "preference-applied", "location"] {
                headers.insert(name, value.clone());
            }
        }
        Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn no_answer_makes_the_client_panic(reply in answers()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let client = Client::builder("http://project.test", "sb_publishable_TEST")
            .retry(Retry::never())
            .transport(std::sync::Arc::new(Answer(reply)));
        let client = client.build().unwrap();
        runtime.block_on(async {
            let kinds = client.table::<Kind>();
            let mut said = Vec::new();
            let mut note = |error: Option<supabase_sdk::Error>| said.extend(error.map(|error| format!("{error} {error:?}")));
            note(kinds.select().fetch().await.err());
            note(kinds.select().single().await.err());
            note(kinds.select().maybe_single().await.err());
            note(kinds.select().csv().await.err());
            note(kinds.select().head(Count::Exact).await.err());
            note(kinds.delete().filter(Kind::ID.eq(1_i64)).expect_affected(1).send().await.err());
            note(client.from("t").insert(&serde_json::json!({})).locate().await.err());
            note(client.rpc("f", &()).value().await.err());
            // A server that never gives an empty page never ends a stream: a few rows are enough.
            let rows = kinds.select().stream().take(10).collect::<Vec<_>>().await;
            rows.into_iter().for_each(|row| note(row.err()));
            let rows = client.from("t").select("*").stream_by(col("id")).take(10).collect::<Vec<_>>().await;
            rows.into_iter().for_each(|row| note(row.err()));
            note(client.auth().sign_in_with_password("zoe@garage.test", "p").await.err());
        });
    }
}
