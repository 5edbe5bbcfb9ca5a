#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = NewNote::new();
}

fn main() {}
