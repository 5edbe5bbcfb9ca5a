#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = NotePatch::default().words(3);
}

fn main() {}
