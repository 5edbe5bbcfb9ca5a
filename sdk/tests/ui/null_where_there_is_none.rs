#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = NotePatch::default().title(None);
}

fn main() {}
