#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Author>().insert(&NewNote::new("tea"));
}

fn main() {}
