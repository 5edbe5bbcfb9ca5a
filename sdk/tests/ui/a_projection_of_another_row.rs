#![allow(unused)]

include!("shared/tables.rs");

#[derive(Deserialize, Projection)]
#[projection(of = Note)]
struct Part {
    title: String,
}

async fn run(client: Client) {
    let _ = client.table::<Author>().select_as::<Part>();
}

fn main() {}
