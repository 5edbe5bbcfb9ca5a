#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = Note::ID.like("1%");
}

fn main() {}
