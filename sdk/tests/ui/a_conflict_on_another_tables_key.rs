#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().upsert(&NewNote::new("tea")).on_conflict(Author::ID);
}

fn main() {}
