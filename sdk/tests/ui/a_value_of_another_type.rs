#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = Note::ARCHIVED.eq("no");
}

fn main() {}
