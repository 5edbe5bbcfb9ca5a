#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().insert(&NewNote::new("tea")).filter(Note::ID.eq(1_i64));
}

fn main() {}
