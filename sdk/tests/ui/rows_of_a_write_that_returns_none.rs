#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().insert(&NewNote::new("tea")).fetch();
}

fn main() {}
